"""What the log says, to be looked up object by object: in tables on disk, not in memory.

A month of one gateway has 260,000 entries and more, and nothing bounds a log. Objects are looked
up by stream and seq, roots and times of receipt by size.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from evidence import cbor, merkle
from evidence.errors import LimitError
from evidence.log import Entry, Kind, decode_entry
from evidence.verifier.scratch import Scratch

#: gateways of a plant, and keys of all of them, in one archive's piece of the log
STREAMS_MAX, KEYS_MAX = 1_000, 10_000
#: documents of persons in one archive's piece of the log, and entries looked through at a time
RECORDS_MAX, RECORDS_BLOCK = 20_000, 10_000

#: rows read at a time: what is looked up next mostly stands beside
BLOCK = 32
#: of all objects of a stream, one after another
OBJECTS_BLOCK = 1_000

#: unsigned numbers of 64 bits, which SQLite has not, are 8 bytes, big-endian
_TABLES = (
    # of every entry: when it was received, and the log's root with it
    "CREATE TABLE entry (number INTEGER PRIMARY KEY, received BLOB, root BLOB)",
    """CREATE TABLE accepted (stream INTEGER, seq BLOB, number INTEGER, received BLOB,
       sha256 BLOB, length BLOB, key INTEGER, kind INTEGER, gap BLOB,
       PRIMARY KEY (stream, seq)) WITHOUT ROWID""",
    # what other entries say was accepted at a place
    "CREATE TABLE told (number INTEGER PRIMARY KEY, stream TEXT, seq BLOB, sha256 BLOB)",
    "CREATE TABLE final (month TEXT PRIMARY KEY, statement BLOB) WITHOUT ROWID",
    "CREATE TABLE record (number INTEGER PRIMARY KEY, data BLOB)",
)
_ENTRY = "INSERT INTO entry VALUES (?, ?, ?)"
_ACCEPTED = "INSERT INTO accepted VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)"
_GAP = "UPDATE accepted SET gap = ? WHERE stream = ? AND seq = ?"
_OBJECTS = """SELECT seq, number, received, sha256, length, key, kind, gap
              FROM accepted WHERE stream = ? AND seq BETWEEN ? AND ?"""
_IN_ORDER = """SELECT seq, number, sha256 FROM accepted
               WHERE stream = ? AND seq >= ? ORDER BY seq LIMIT ?"""
_ENTRIES = "SELECT received, root FROM entry WHERE number BETWEEN ? AND ? ORDER BY number"
_TOLD = "INSERT INTO told VALUES (?, ?, ?, ?)"
_FINAL = "INSERT OR REPLACE INTO final VALUES (?, ?)"
_RECORD = "INSERT INTO record VALUES (?, ?)"


@dataclass(frozen=True, slots=True)
class Logged:
    """What the log says of one accepted object.

    Attributes:
        index: of its entry.
        received_ns: when the collector took it, UTC nanoseconds by the collector's clock.
        sha256, length: of the whole object.
        key_sha256: of the key that verified it.
        kind: of its entry.
        gap_sha256: over the CBOR of the detail of the gap entry directly after its own, None
            when there is none.
    """

    index: int
    received_ns: int
    sha256: bytes
    length: int
    key_sha256: bytes | None
    kind: Kind
    gap_sha256: bytes | None


@dataclass
class _Stream:
    """How far one stream has been accepted: its number in the tables, objects, and newest seq."""

    number: int
    objects: int = 0
    newest: int = -1


class LogView:
    """What the log says about this month; a context manager that gives the disk back.

    All its methods raise ScratchError when the disk refuses.

    Attributes:
        start: the log before the first entry in the archive.
        tree: the log up to the newest entry read.
        entries: how many were read.
        size: entries up to the checkpoint.
        root: the checkpoint's root.
        close: detail of the month-close entry, None when there is none.
        statement_sha256, statement_bytes: what that entry closes, and how long that is.
        closed_ns: when, UTC nanoseconds by the collector's clock; 0 when it does not.
        undecided: True when an entry is newer than this program.
        ends_newer: True when the last one is.
        whole: True when all its entries could be read.
    """

    def __init__(self) -> None:
        """Begin with no entry."""
        self.start = self.tree = merkle.CompactRange()
        self.entries, self.size, self.root = 0, 0, b""
        self.close: dict[str, Any] | None = None
        self.statement_sha256, self.statement_bytes, self.closed_ns = b"", 0, 0
        self.undecided = self.ends_newer = self.whole = False
        self._tables = Scratch(*_TABLES)
        self._streams: dict[str, _Stream] = {}
        self._keys: list[bytes | None] = []
        self._key_number: dict[bytes | None, int] = {}
        self._told = self._records = 0
        self._newest: tuple[int, Entry] | None = None  # acceptance, and the number of its entry
        # the rows read last: where their block begins, and they; by seq, and in order
        self._objects: tuple[tuple[int, int], dict[bytes, tuple[Any, ...]]] = (-1, -1), {}
        self._entries: tuple[int, list[tuple[Any, ...]]] = -1, []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tables.close()

    def begin(self, start: merkle.CompactRange) -> None:
        """What stands before the first entry."""
        self.start = self.tree = start

    def go_on(self) -> None:
        """Another entry follows: what closes the month, "YYYY-MM", is the last one."""
        if self.close is not None and self.close.get("closing") == "final":
            month = str(self.close.get("month"))[:7]
            self._tables.run(_FINAL, (month, self.statement_sha256))
        self.close, self.ends_newer = None, False

    def final(self, month: str) -> bytes | None:
        """Statement of the newest final close of a month before the last entry, None for none."""
        rows = self._tables.run("SELECT statement FROM final WHERE month = ?", (month,))
        return bytes(rows[0][0]) if rows else None

    def add(self, data: bytes, received_ns: int) -> None:
        """Take the next entry's bytes into the tree; `received_ns` as the log stands there."""
        self.tree = self.tree.append(merkle.leaf_hash(data))
        self._tables.run(_ENTRY, (self.entries, _u64(received_ns), self.tree.root()))
        self.entries += 1
        self._entries = -1, []

    def accept(self, entry: Entry, received_ns: int) -> bool:
        """Take the acceptance the entry added next will be; False when it does not ascend.

        Args:
            entry: the acceptance.
            received_ns: as that entry will be added.

        Raises:
            LimitError: it is of one stream or one key too many.
        """
        if entry.seq is None:
            raise ValueError("the entry accepts no object")
        stream = self._streams.get(entry.stream)
        if stream is None:
            if len(self._streams) == STREAMS_MAX:
                raise LimitError(f"it accepts objects of more than {STREAMS_MAX} gateways")
            stream = self._streams[entry.stream] = _Stream(len(self._streams))
        if entry.seq <= stream.newest:
            return False
        key = self._key_number.setdefault(entry.certificate, len(self._keys))
        if key == len(self._keys):
            if key == KEYS_MAX:
                raise LimitError(f"it accepts objects under more than {KEYS_MAX} keys")
            self._keys.append(entry.certificate)
        stream.newest = entry.seq
        stream.objects += 1
        self._newest = self.entries, entry
        place = stream.number, _u64(entry.seq), self.entries, _u64(received_ns)
        self._tables.run(_ACCEPTED, (*place, entry.sha256, _u64(entry.length), key, entry.kind))
        self._objects = (-1, -1), {}
        return True

    def accept_gap(self, entry: Entry) -> bool:
        """Take a gap entry; False when it does not stand directly after its frame's."""
        if self._newest is None or entry.seq is None:
            return False
        number, frame = self._newest
        is_next = number == self.entries - 1 and frame.kind is Kind.FRAME
        if not is_next or _object(frame) != _object(entry):
            return False
        place = self._streams[entry.stream].number, _u64(entry.seq)
        self._tables.run(_GAP, (gap_sha256(entry.detail), *place))
        self._objects = (-1, -1), {}
        return True

    def tell(self, stream: str, seq: int, sha256: bytes) -> None:
        """An entry says that this object was accepted here, before it or even after it."""
        self._tables.run(_TOLD, (self._told, stream, _u64(seq), sha256))
        self._told += 1

    def untrue(self) -> Iterator[tuple[str, int]]:
        """Places at which another object is accepted than was told; ask when all are read."""
        for first in range(0, self._told, BLOCK):
            told = "SELECT stream, seq, sha256 FROM told WHERE number BETWEEN ? AND ?"
            for stream, seq, sha256 in self._tables.run(told, (first, first + BLOCK - 1)):
                accepted = self.entry(stream, int.from_bytes(seq, "big"))
                if accepted is not None and accepted.sha256 != sha256:
                    yield stream, int.from_bytes(seq, "big")

    def record(self, data: bytes) -> None:
        """Take the bytes of the record entry that the entry added next will be.

        Raises:
            LimitError: it is one too many.
        """
        if self._records == RECORDS_MAX:
            raise LimitError(f"it has more than {RECORDS_MAX} documents of persons")
        self._records += 1
        self._tables.run(_RECORD, (self.entries, data))

    def records(self) -> Iterator[tuple[int, Entry]]:
        """(index, entry) of every record entry, in order."""
        for first in range(0, self.entries, RECORDS_BLOCK):
            read = "SELECT number, data FROM record WHERE number BETWEEN ? AND ? ORDER BY number"
            for number, data in self._tables.run(read, (first, first + RECORDS_BLOCK - 1)):
                yield self.start.size + number, decode_entry(data)

    def streams(self) -> dict[str, int]:
        """Gateway id -> how many objects of it are accepted here."""
        return {name: stream.objects for name, stream in self._streams.items()}

    def entry(self, stream: str, seq: int) -> Logged | None:
        """What the log says of the object at a place, None when it accepted none there."""
        if stream not in self._streams:
            return None
        block = self._streams[stream].number, seq - seq % BLOCK
        if block != self._objects[0]:
            span = _u64(block[1]), _u64(block[1] + BLOCK - 1)
            rows = self._tables.run(_OBJECTS, (block[0], *span))
            self._objects = block, {row[0]: row for row in rows}
        row = self._objects[1].get(_u64(seq))
        if row is None:
            return None
        _, number, received, sha256, length, key, kind, gap = row
        return Logged(
            self.start.size + number, int.from_bytes(received, "big"), sha256,
            int.from_bytes(length, "big"), self._keys[key], Kind(kind), gap,
        )  # fmt: skip

    def objects(self, stream: str, since: int = 0) -> Iterator[tuple[int, int, bytes]]:
        """(seq, index of its entry, hash) of objects that are accepted here, from a seq on."""
        after = _u64(since)
        while stream in self._streams:
            rows = self._tables.run(_IN_ORDER, (self._streams[stream].number, after, OBJECTS_BLOCK))
            for seq, number, sha256 in rows:
                yield int.from_bytes(seq, "big"), self.start.size + number, sha256
            if len(rows) < OBJECTS_BLOCK:
                return
            after = _u64(int.from_bytes(rows[-1][0], "big") + 1)

    def received_at(self, index: int) -> int | None:
        """When the entry of this index was received; None when it is not in the archive."""
        row = self._entry(index)
        return None if row is None else int.from_bytes(row[0], "big")

    def root_at(self, size: int) -> bytes:
        """The log's root at a size from that of the start to that of the tree.

        Raises:
            ValueError: the archive's log never had this size.
        """
        if size == self.start.size:
            return self.start.root()
        row = self._entry(size - 1)
        if row is None:
            raise ValueError(f"no log of {size} entries; it had {self.start.size} and more")
        return bytes(row[1])

    def _entry(self, index: int) -> tuple[Any, ...] | None:
        """When it was received, and the root with it."""
        number = index - self.start.size
        if not 0 <= number < self.entries:
            return None
        first = number - number % BLOCK
        if first != self._entries[0]:
            self._entries = first, self._tables.run(_ENTRIES, (first, first + BLOCK - 1))
        return self._entries[1][number - first]


def gap_sha256(told: Mapping[str, Any]) -> bytes:
    """What stands for a gap here: its words may be long, and a month may have many."""
    return hashlib.sha256(cbor.encode(dict(told))).digest()


def _object(entry: Entry) -> tuple[Any, ...]:
    """Which object an entry speaks of."""
    return entry.stream, entry.seq, entry.sha256, entry.length, entry.certificate


def _u64(number: int) -> bytes:
    return number.to_bytes(8, "big")
