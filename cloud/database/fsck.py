"""Checks a plant's evidence in a database, beside a running collector or without one.

The log's entries are hashed again, up to the newest signed checkpoint; tree, objects and all that
the entries speak of are held against them. Every difference is a finding. Reads only, a few rows at
a time. What gateways signed is not verified again: the log holds each object's hash.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from sqlalchemy import func, select

from cloud.database.engine import Database
from cloud.database.findings import Fault, Finding, Findings
from cloud.database.fsck_beside import BesideCheck
from cloud.database.objects import frame_times
from cloud.database.schema import checkpoint, entry, stored, stream, tile
from cloud.database.schema import plant as plant_table
from cloud.database.state import LogState, mark_of
from cloud.database.tiles import WIDTH, completed
from cloud.errors import StoreError
from evidence.checkpoint import Checkpoint, verify
from evidence.errors import EvidenceError
from evidence.keys import Certificate
from evidence.log import Entry, Kind, decode_entry
from evidence.log_details import OBJECT_KINDS
from evidence.merkle import leaf_hash
from evidence.suites import PublicKey

#: entries done, entries in all
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Checked:
    """Result of a check: extent and findings.

    Attributes:
        plant: plant id.
        findings: every difference.
        signed: entries of the newest signed checkpoint, None without one.
        entries: of the log that were read.
        objects: accepted by them.
        object_bytes: of the objects that are there as logged.
        root: of the tree over the entries, made again; hex.
        beyond: what stands behind the checkpoint was looked at too (no collector was writing).
    """

    plant: str
    findings: Sequence[Finding]
    signed: int | None
    entries: int
    objects: int
    object_bytes: int
    root: str
    beyond: bool


@dataclass(frozen=True)
class Trusted:
    """Trust anchors: a root certificate and keys that do not come from the plant's log.

    Attributes:
        root: the plant's root certificate; None believes the one that is kept there.
        keys: of the collector; those of collectors certified there are believed too.
    """

    root: Certificate | None = None
    keys: Sequence[PublicKey] = ()


def check_plant(
    plant: str,
    database: Database,
    trusted: Trusted,
    *,
    progress: Progress = lambda _done, _total: None,
    first: int = 0,
) -> Checked:
    """Check everything of a plant.

    Args:
        plant: plant id.
        database: where it is.
        trusted: whose checkpoints are believed.
        progress: told now and then.
        first: objects of log entries before this one are believed, as looked at just before.

    Raises:
        StoreError: there is no such plant, or the database refuses.
    """
    return _PlantCheck(plant, database, trusted, first).run(progress)


class _PlantCheck:
    def __init__(self, plant: str, database: Database, trusted: Trusted, first: int) -> None:
        self._plant, self._database, self._first = plant, database, first
        self._found = Findings()
        with database.reading() as connection:
            self._id = connection.scalar(
                select(plant_table.c.id).where(plant_table.c.name == plant)
            )
            if self._id is None:
                raise StoreError(f"{database.name}: no evidence of plant {plant}")
            self._note = self._newest_note()
            self._streams: Mapping[str, int] = {
                row.name: row.id
                for row in connection.execute(
                    select(stream.c.name, stream.c.id).where(stream.c.plant_id == self._id)
                )
            }
        self._beside = BesideCheck(plant, self._id, database, trusted.root, self._found)
        self._signed = self._verified([*trusted.keys, *self._beside.collectors])
        self._state, self._bytes = LogState(), 0
        self._leaves: list[bytes] = []

    def _newest_note(self) -> str:
        with self._database.reading() as connection:
            of = checkpoint.c.plant_id == self._id
            return str(connection.scalar(select(checkpoint.c.note).where(of)) or "")

    def _verified(self, keys: list[PublicKey]) -> Checkpoint | None:
        if not self._note:
            self._found.add(
                Fault.CHECKPOINT_MISSING, "checkpoint",
                "is missing: nothing says how many log entries there were",
            )  # fmt: skip
            return None
        why = "no key of a collector of this plant is known"
        for key in keys:
            try:
                signed = verify(self._note, key)
            except EvidenceError as error:
                why = str(error)
                continue
            if signed.plant == self._plant:
                return signed
            why = f"it is of plant {signed.plant}"
        what = f"is not believed, so nothing says how many log entries there were: {why}"
        self._found.add(Fault.CHECKPOINT, "checkpoint", what)
        return None

    def run(self, progress: Progress) -> Checked:
        size = 0 if self._signed is None else self._signed.size
        for number in range(0, size, WIDTH):
            stop = min(number + WIDTH, size)
            rows = self._entries(number, stop)
            for index in range(number, stop):
                self._follow(index, rows.get(index))
            self._tell_tiles(stop)
            progress(stop, size)
        self._tell_root()
        beyond = Findings()
        self._look_beyond(size, beyond)
        self._beside.finish(beyond)
        is_still = self._newest_note() == self._note  # else a commit came in between
        state = self._state
        return Checked(
            self._plant, [*self._found.all(), *(beyond.all() if is_still else ())],
            None if self._signed is None else size, state.size,
            sum(one.next_seq for one in state.streams.values()), self._bytes,
            state.tree.root().hex(), is_still,
        )  # fmt: skip

    # -- entries ----------------------------------------------------------------------------------

    def _entries(self, first: int, stop: int) -> dict[int, tuple[int, bytes, bytes]]:
        """Number -> mark, hash and bytes."""
        of = (entry.c.plant_id == self._id) & (entry.c.number >= first) & (entry.c.number < stop)
        columns = (entry.c.number, entry.c.mark, entry.c.sha256, entry.c.data)
        with self._database.reading() as connection:
            return {row[0]: (row[1], row[2], row[3]) for row in connection.execute(
                select(*columns).where(of))}  # fmt: skip

    def _follow(self, index: int, row: tuple[int, bytes, bytes] | None) -> None:
        if row is None:
            self._tell(Fault.LOG_CUT, index, "is missing")
            return self._move(bytes(32))
        mark, sha256, data = row
        leaf = leaf_hash(data)
        try:
            logged = decode_entry(data)
        except EvidenceError as error:
            self._tell(Fault.ENTRY_DAMAGED, index, f"is none this program reads ({error})")
            return self._move(leaf)
        if (mark, sha256) != (int(mark_of(logged)[0]), mark_of(logged)[1]):
            self._tell(Fault.INDEX, index, "is not indexed as what it is")
        if logged.received_ns < self._state.received_ns:
            self._tell(Fault.ENTRY_ORDER, index, "was received before the one before it")
        self._leaves.append(leaf)
        if logged.kind in OBJECT_KINDS:
            return self._object(index, logged, leaf)
        self._beside.take(logged, index)
        self._state = self._state.with_entry(logged, leaf, None)
        return None

    def _move(self, leaf: bytes) -> None:
        """Over an entry that cannot be read."""
        self._leaves.append(leaf)
        self._state = replace(self._state, tree=self._state.tree.append(leaf))

    # -- objects ----------------------------------------------------------------------------------

    def _object(self, index: int, logged: Entry, leaf: bytes) -> None:
        now = self._state.stream(logged.stream)
        if logged.seq != now.next_seq:
            what = f"accepts {logged.stream} seq {logged.seq} where {now.next_seq} is next"
            self._tell(Fault.ENTRY_ORDER, index, what)
            now = replace(now, next_seq=logged.seq or 0)
            moved = MappingProxyType({**self._state.streams, logged.stream: now})
            self._state = replace(self._state, streams=moved)
        self._beside.take(logged, index)
        t0_ns, newest_ns = 0, 0
        data = self._bytes_of(index, logged)
        if data and logged.kind is Kind.FRAME:
            try:
                t0_ns, newest_ns = frame_times(data)
            except EvidenceError:  # of a newer format, say: the bytes are those that were logged
                data = b""
        place = now.next_place(logged, index, t0_ns=t0_ns, newest_ns=newest_ns)
        if data:
            self._compare(logged, place.at_ns, place.through_ns)
        else:
            held = self._row(logged, stored.c.at_ns, stored.c.through_ns)
            if held is not None:
                place = replace(place, at_ns=held[0], through_ns=held[1])
        self._state = self._state.with_entry(logged, leaf, place)

    def _row(self, logged: Entry, *columns: Any) -> Any:  # noqa: ANN401 - a row of these, or None
        wanted = stored.c.stream_id == self._streams.get(logged.stream, -1)
        with self._database.reading() as connection:
            named = select(*columns).where(wanted, stored.c.seq == logged.seq)
            return connection.execute(named).first()

    def _bytes_of(self, index: int, logged: Entry) -> bytes:
        """The object as it was logged; b"" where it is not there so, or was looked at before."""
        if index < self._first:
            return b""
        row = self._row(logged, stored)
        name = f"object/{logged.stream}"
        of = f"seq {logged.seq}, which log entry {index} accepted"
        where: dict[str, int | str] = {
            "stream": logged.stream,
            "seq": logged.seq or 0,
            "index": index,
        }
        if row is None:
            self._found.add(Fault.OBJECT_MISSING, name, f"{of}, is gone", **where)
            return b""
        data = bytes(row.data)
        if hashlib.sha256(data).digest() != logged.sha256:
            what = f"the bytes are not the object {of}"
            self._found.add(Fault.OBJECT_ALTERED, name, what, **where)
            return b""
        self._bytes += len(data)
        is_so = (
            row.sha256 == logged.sha256, row.length == len(data), row.kind == int(logged.kind),
            row.log_number == index, row.received_ns == logged.received_ns,
        )  # fmt: skip
        if not all(is_so):
            self._found.add(Fault.INDEX, name, f"is not indexed as what it is: {of}", **where)
        return data

    def _compare(self, logged: Entry, at_ns: int, through_ns: int) -> None:
        held = self._row(logged, stored.c.at_ns, stored.c.through_ns)
        if held is not None and tuple(held) != (at_ns, through_ns):
            what = f"the times of seq {logged.seq} are not those of its readings"
            where: dict[str, int | str] = {"stream": logged.stream, "seq": logged.seq or 0}
            self._found.add(Fault.INDEX, f"object/{logged.stream}", what, **where)

    # -- the tree ---------------------------------------------------------------------------------

    def _tell_tiles(self, size: int) -> None:
        """Whole tiles that the newest entries end."""
        base = size - len(self._leaves)
        for level, number, hashes in completed(
            size, lambda first, stop: self._leaves[first - base : stop - base], self._tile
        ):
            if self._tile(level, number) != hashes:
                what = f"tile {number} of level {level} is not made of the entries under it"
                self._found.add(Fault.TREE, "tile", what, index=number)
        self._leaves.clear()

    def _tile(self, level: int, number: int) -> bytes | None:
        with self._database.reading() as connection:
            of = (tile.c.plant_id == self._id) & (tile.c.level == level)
            return connection.scalar(select(tile.c.hashes).where(of, tile.c.number == number))

    def _tell_root(self) -> None:
        signed, tree = self._signed, self._state.tree
        if signed is not None and tree.root() != signed.root:
            self._found.add(
                Fault.ROOT, "checkpoint",
                f"root {signed.root.hex()} of {signed.size} log entries was signed, but the "
                f"entries give {tree.root().hex()}: they are not those that were logged",
                index=signed.size,
            )  # fmt: skip

    # -- behind the checkpoint --------------------------------------------------------------------

    def _look_beyond(self, size: int, found: Findings) -> None:
        """A commit is whole or not there: what stands behind the checkpoint, somebody put there."""
        with self._database.reading() as connection:
            more = connection.scalar(
                select(func.count()).where(entry.c.plant_id == self._id, entry.c.number >= size)
            )
            if more:
                what = f"{more} entries which no checkpoint speaks of"
                found.add(Fault.UNSIGNED, "entry", what, index=size)
            for name, row in self._streams.items():
                due = self._state.stream(name).next_seq
                of = (stored.c.stream_id == row) & (stored.c.seq >= due)
                if more := connection.scalar(select(func.count()).where(of)):
                    what = f"{more} objects from seq {due} on have no log entry"
                    found.add(Fault.OBJECT_UNLOGGED, f"object/{name}", what, stream=name, seq=due)

    def _tell(self, fault: Fault, index: int, what: str) -> None:
        self._found.add(fault, "entry", f"log entry {index} {what}", index=index)
