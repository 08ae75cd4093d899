"""The tree of a plant's log in the database: whole tiles, and the newest leaves. Any thread."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock

from sqlalchemy import bindparam, select

from cloud.database.engine import Database
from cloud.database.schema import entry
from cloud.database.schema import tile as tile_table
from cloud.database.tiles import WIDTH, Tiles
from cloud.errors import AlteredEvidenceError
from evidence.merkle import CompactRange, leaf_hash

#: tiles of a plant kept in memory: receipts of the newest entries need a few, again and again
TILES_KEPT = 4

_ENTRIES_OF = (
    select(entry.c.number, entry.c.data)
    .where(entry.c.plant_id == bindparam("plant"))
    .where(entry.c.number >= bindparam("first"), entry.c.number < bindparam("stop"))
    .order_by(entry.c.number)
)
_TILE = select(tile_table.c.hashes).where(
    tile_table.c.plant_id == bindparam("plant"),
    tile_table.c.level == bindparam("level"),
    tile_table.c.number == bindparam("number"),
)


def altered(plant: str, place: str, what: str) -> AlteredEvidenceError:
    """The error for a place of a plant that does not hold what was committed."""
    return AlteredEvidenceError(plant, place, what)


class LogTree(Tiles):
    """The tree of one plant's log.

    Args:
        plant: plant id.
        plant_id: its row.
        database: where it stands.
        committed: gives the tree that is committed now.
    """

    def __init__(
        self, plant: str, plant_id: int, database: Database, committed: Callable[[], CompactRange]
    ) -> None:
        super().__init__(self.tile, self.leaves)
        self._plant, self._plant_id, self._database = plant, plant_id, database
        self._committed = committed
        self._tiles: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._tail: tuple[int, list[bytes]] = 0, []
        self._lock = Lock()

    def entry_rows(self, first: int, stop: int) -> list[bytes]:
        """Entries verbatim, not checked; AlteredEvidenceError where a row is missing."""
        wanted = {"plant": self._plant_id, "first": first, "stop": stop}
        with self._database.reading() as connection:
            rows = connection.execute(_ENTRIES_OF, wanted).all()
        if [row.number for row in rows] != list(range(first, stop)):
            raise altered(self._plant, f"entries {first} to {stop - 1}", "a row is missing")
        return [row.data for row in rows]

    def tile(self, level: int, number: int) -> bytes | None:
        """Hashes of a whole tile; None where it is not whole yet."""
        place = level, number
        with self._lock:
            if place in self._tiles:
                self._tiles.move_to_end(place)
                return self._tiles[place]
        wanted = {"plant": self._plant_id, "level": level, "number": number}
        with self._database.reading() as connection:
            found = connection.scalar(_TILE, wanted)
        if found is not None:
            with self._lock:
                self._tiles[place] = found
                if len(self._tiles) > TILES_KEPT:
                    self._tiles.popitem(last=False)
        return found

    def leaves(self, first: int, stop: int) -> list[bytes]:
        """Leaf hashes of entries of one tile."""
        number, at = divmod(first, WIDTH)
        whole = self.tile(0, number)
        if whole is not None:
            end = at + stop - first
            return [whole[i * 32 : i * 32 + 32] for i in range(at, end)]
        return self._newest_leaves(number * WIDTH, stop)[at:]

    def unchecked_range(self, size: int) -> CompactRange:
        """`compact_range` of a log whose tree is not known yet: entries are taken as they stand."""
        start = size // WIDTH * WIDTH
        newest = [leaf_hash(data) for data in self.entry_rows(start, size)]
        tiles = Tiles(self.tile, lambda first, stop: newest[first - start : stop - start])
        return tiles.compact_range(size)

    def forget(self) -> None:
        """What is remembered of the database is not of it any more."""
        with self._lock:
            self._tiles.clear()
            self._tail = 0, []

    def _newest_leaves(self, start: int, stop: int) -> list[bytes]:
        """Leaf hashes of the entries behind the last whole tile, each hashed once.

        They are checked against the committed tree, so that no altered entry gets a proof.
        """
        with self._lock:
            begun, held = self._tail
        held = held if begun == start else []
        if start + len(held) < stop:
            tree = self._committed()
            rows = self.entry_rows(start + len(held), tree.size)
            held = [*held, *map(leaf_hash, rows)]
            self._require_tail(tree, start, held)
            with self._lock:
                self._tail = start, held
        return held[: stop - start]

    def _require_tail(self, tree: CompactRange, start: int, leaves: Sequence[bytes]) -> None:
        grown = CompactRange(start, tree.hashes[: start.bit_count()])
        for leaf in leaves:
            grown = grown.append(leaf)
        if grown != tree:
            raise altered(self._plant, f"entries {start} to {tree.size - 1}", "are damaged")
