"""Reads one plant's committed evidence. Any thread, any number of them; never waits for a writer.

Each call looks at the state that was committed when it began. What is committed is only ever
added to, so what a call reads does not change under it. Rows come in batches of bounded bytes, each
in a transaction of its own: a long one would keep SQLite from a checkpoint and PostgreSQL from
its vacuum.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from sqlalchemy import bindparam, select

from cloud.database.engine import Database
from cloud.database.log_tree import LogTree, altered
from cloud.database.objects import StoredObject
from cloud.database.schema import aside, attached, document, file_chunk, key_file, stored
from cloud.database.state import Committed, LogState
from cloud.database.tiles import WIDTH
from cloud.errors import AlteredEvidenceError
from evidence.chain import Head
from evidence.log import Entry, Kind, decode_entry
from evidence.merkle import CompactRange, leaf_hash

#: rows looked at, and bytes read, at a time
ROWS, BYTES = 1024, 8 * 1024 * 1024

_of_stream = (stored.c.stream_id == bindparam("stream")) & (stored.c.seq >= bindparam("first"))
_SIZES = (
    select(stored.c.seq, stored.c.length)
    .where(_of_stream, stored.c.seq < bindparam("stop"))
    .order_by(stored.c.seq)
    .limit(ROWS)
)
_OBJECTS = select(stored).where(_of_stream, stored.c.seq < bindparam("stop")).order_by(stored.c.seq)
_PLACE = select(stored.c.sha256, stored.c.log_number, stored.c.at_ns).where(
    stored.c.stream_id == bindparam("stream"), stored.c.seq == bindparam("seq")
)


class PlantReader:
    """The committed evidence of one plant.

    Args:
        plant: plant id.
        plant_id: its row.
        database: where it stands.
        committed: gives what is committed now.
        stream_ids: gateway id -> row of its stream; streams are only ever added.

    Attributes:
        tree: of its log.
        on_altered: told of each read that finds other bytes than were committed.
    """

    def __init__(
        self, plant: str, plant_id: int, database: Database, committed: Callable[[], Committed],
        stream_ids: Mapping[str, int],
    ) -> None:  # fmt: skip
        self.plant, self._plant_id, self._database = plant, plant_id, database
        self._committed, self._stream_ids = committed, stream_ids
        self.on_altered: Callable[[AlteredEvidenceError], None] = lambda _: None
        self.tree = LogTree(plant, plant_id, database, lambda: self.state.tree)

    # -- what is known without reading ------------------------------------------------------------

    @property
    def committed(self) -> Committed:
        """State and checkpoint of the newest commit, together."""
        return self._committed()

    @property
    def state(self) -> LogState:
        """The committed state."""
        return self._committed().state

    @property
    def size(self) -> int:
        """Entries of the log."""
        return self.state.size

    @property
    def checkpoint(self) -> str:
        """Newest signed note; "" before the first commit."""
        return self._committed().checkpoint

    def streams(self) -> Sequence[str]:
        """Gateway ids that have at least one object, sorted."""
        return sorted(self.state.streams)

    def head(self, stream: str) -> Head:
        """Where a stream stands; a fresh `Head` when it has no object."""
        return self.state.stream(stream).head

    def newest_ns(self, stream: str) -> int:
        """Newest tick of a stream, 0 before the first."""
        return self.state.stream(stream).through_ns

    def configs(self, stream: str) -> Mapping[bytes, int]:
        """SHA-256 of every signed configuration of a stream -> its seq, oldest first."""
        return self.state.stream(stream).configs

    @property
    def records(self) -> Mapping[bytes, int]:
        """SHA-256 of every document of a person -> index of its log entry, in the log's order."""
        return self.state.records

    # -- streams ----------------------------------------------------------------------------------

    def hash_at(self, stream: str, seq: int) -> bytes | None:
        """SHA-256 of an object, None when there is none."""
        state = self.state.stream(stream)
        if not 0 <= seq < state.next_seq:
            return None
        if state.last is not None and seq == state.next_seq - 1:
            return state.last.sha256
        return self._place(stream, seq)[0]

    def log_index(self, stream: str, seq: int) -> int:
        """Index of the log entry of an object that is held."""
        return self._place(stream, seq)[1]

    def _place(self, stream: str, seq: int) -> tuple[bytes, int, int]:
        """Hash, log index and at_ns of an object that is held."""
        with self._telling(), self._database.reading() as connection:
            wanted = {"stream": self._stream_ids[stream], "seq": seq}
            row = connection.execute(_PLACE, wanted).first()
            if row is None:
                raise altered(self.plant, f"{stream}/{seq}", "its row is missing")
            return row[0], row[1], row[2]

    def span(self, stream: str, from_ns: int, to_ns: int) -> tuple[int, int]:
        """Seqs (first, stop) of the objects with from_ns <= at_ns < to_ns, stop exclusive.

        Objects before the stream's first frame go with that frame. Empty: first == stop.
        """
        count = self.state.stream(stream).next_seq
        first, stop = self._first_at(stream, from_ns, count), self._first_at(stream, to_ns, count)
        if first == stop:
            return first, first
        before_frames = first == self._first_at(stream, 1, count)
        return (0 if before_frames else first), stop

    def _first_at(self, stream: str, at_ns: int, stop: int) -> int:
        """The first seq below `stop` at or after an instant; `stop` when none."""
        low, high = 0, stop
        while low < high:
            middle = (low + high) // 2
            if self._place(stream, middle)[2] < at_ns:
                low = middle + 1
            else:
                high = middle
        return low

    def objects(
        self, stream: str, first: int = 0, stop: int | None = None
    ) -> Iterator[StoredObject]:
        """Objects first..stop-1 (to the head when None), in order, each checked by its hash.

        Raises:
            StoreError: the database holds something else than was committed.
        """
        held = self.state.stream(stream).next_seq
        last = held if stop is None else min(stop, held)
        seq = max(first, 0)
        with self._telling():
            while seq < last:
                for found in self._some_objects(stream, seq, last):
                    if found.seq != seq:
                        raise altered(self.plant, f"{stream}/{seq}", "its row is missing")
                    if hashlib.sha256(found.data).digest() != found.sha256:
                        raise altered(
                            self.plant, f"{stream}/{seq}", "the object is not the one indexed"
                        )
                    yield found
                    seq += 1

    def _some_objects(self, stream: str, first: int, stop: int) -> list[StoredObject]:
        """At least one, and no more than a batch."""
        wanted = {"stream": self._stream_ids[stream], "first": first, "stop": stop}
        with self._database.reading() as connection:
            size, end = 0, first
            for seq, length in connection.execute(_SIZES, wanted):
                if size and size + length > BYTES:
                    break
                size, end = size + length, seq + 1
            rows = connection.execute(_OBJECTS, {**wanted, "stop": end}).all()
        if not rows:
            raise altered(self.plant, f"{stream}/{first}", "its row is missing")
        return [
            StoredObject(
                row.seq, Kind(row.kind), row.at_ns, row.through_ns, row.log_number, row.sha256,
                row.data,
            )
            for row in rows
        ]  # fmt: skip

    # -- the log ----------------------------------------------------------------------------------

    def entries(self, first: int = 0, stop: int | None = None) -> Iterator[tuple[int, bytes]]:
        """(index, verbatim entry) of the log, first..stop-1 (to the end when None).

        Raises:
            StoreError: the database holds something else than the tree was made of.
        """
        size = self.size
        last = size if stop is None else min(stop, size)
        index = max(first, 0)
        with self._telling():
            while index < last:
                end = min(last, (index // WIDTH + 1) * WIDTH)
                for data in self._some_entries(index, end):
                    yield index, data
                    index += 1

    def _some_entries(self, first: int, stop: int) -> list[bytes]:
        """Entries of one tile, each checked by its leaf."""
        leaves = self.tree.leaves(first, stop)
        found = self.tree.entry_rows(first, stop)
        for index, (data, leaf) in enumerate(zip(found, leaves, strict=True), first):
            if leaf_hash(data) != leaf:
                raise altered(self.plant, f"entry {index}", "is damaged")
        return found

    def compact_range(self, size: int) -> CompactRange:
        """The tree of the first `size` entries as the hashes it grows from."""
        return self.tree.compact_range(self._within(size))

    def inclusion_path(self, index: int, size: int) -> list[bytes]:
        """Audit path of one entry in the tree of the first `size` entries (RFC 6962)."""
        return self.tree.inclusion_path(index, self._within(size))

    def consistency_path(self, old: int, size: int) -> list[bytes]:
        """Proof that the tree of `old` entries is a prefix of that of `size` (RFC 6962)."""
        return self.tree.consistency_path(old, self._within(size))

    def _within(self, size: int) -> int:
        if not 0 <= size <= self.size:
            raise ValueError(f"no tree of {size} entries in a log of {self.size}")
        return size

    # -- what stands beside the log ---------------------------------------------------------------

    def key_files(self) -> Mapping[str, bytes]:
        """Name -> bytes of certificates (.crt, PEM) and orders (.cose)."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(key_file.c.name, key_file.c.data)
                .where(key_file.c.plant_id == self._plant_id)
                .order_by(key_file.c.name)
            ).all()
        return {row.name: row.data for row in rows}

    def kept(self, sha256: bytes) -> tuple[Entry, bytes] | None:
        """A REJECT entry and the object that was put aside for it, None when there is none.

        Raises:
            StoreError: the database holds something else than was put aside.
        """
        index = self.state.kept.get(sha256)
        if index is None:
            return None
        ((_, data),) = self.entries(index, index + 1)
        wanted = (aside.c.plant_id == self._plant_id) & (aside.c.sha256 == sha256)
        with self._telling(), self._database.reading() as connection:
            found = connection.scalar(select(aside.c.data).where(wanted)) or b""
            if hashlib.sha256(found).digest() != sha256:
                what = "missing, or not the object that was put aside"
                raise altered(self.plant, f"aside/{sha256.hex()}", what)
        return decode_entry(data), found

    def document(self, sha256: bytes) -> bytes:
        """A document of `records`, verbatim; StoreError when it is not there as it was logged."""
        wanted = (document.c.plant_id == self._plant_id) & (document.c.sha256 == sha256)
        with self._telling(), self._database.reading() as connection:
            found = connection.scalar(select(document.c.data).where(wanted)) or b""
            if hashlib.sha256(found).digest() != sha256:
                raise altered(self.plant, f"document/{sha256.hex()}", "missing, or altered")
        return bytes(found)

    def attached(self, record: bytes, sha256: bytes) -> Iterator[bytes]:
        """Pieces of a file that is attached to a document, both by their SHA-256.

        Raises:
            StoreError: it is not there as it was signed for; after its last piece if altered.
        """
        of = (attached.c.plant_id == self._plant_id) & (attached.c.document == record)
        chunk = (file_chunk.c.plant_id == self._plant_id) & (file_chunk.c.sha256 == sha256)
        with self._telling():
            with self._database.reading() as connection:
                named = select(attached.c.file).where(of, attached.c.file == sha256)
                there = connection.scalar(named) is not None
            hashed, number = hashlib.sha256(), 0
            while there:
                with self._database.reading() as connection:
                    nth = select(file_chunk.c.data).where(chunk, file_chunk.c.number == number)
                    piece = connection.scalar(nth)
                if piece is None:
                    break
                hashed.update(piece)
                number += 1
                yield bytes(piece)
            if not there or hashed.digest() != sha256:
                raise altered(self.plant, f"file/{sha256.hex()}", "missing, or altered")

    # -- damage -----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except AlteredEvidenceError as error:
            self.on_altered(error)
            raise
