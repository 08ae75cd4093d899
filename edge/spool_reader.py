"""What stands in a spool, read by the agent itself or beside it. I/O: one SQLite file, read only.

`edge status`, `edge export` and `edge receipts import` use this class while an agent runs; the
agent's own `edge.spool.Spool` adds the writing.

    objects  seq -> signed object verbatim, its SHA-256, readings, last instant it speaks of
    freed    seq -> SHA-256 of objects a receipt freed, to check closes by, and their last instant
    open     ticks committed but not yet in a frame, in order
    unsigned frames and configurations that may not be signed yet, in order: payload, the anchor of
             their time, and what they are
    state    key -> value: see `State`
"""

import contextlib
import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from edge.errors import AlteredError, OtherFormatError, SpoolError, UnmadeError
from edge.kept_room import held_and_left
from edge.spool_formats import FORMAT, can_become_ours, is_ours, numbers
from evidence import cbor
from evidence.chain import ZERO_HASH, Head
from evidence.frame import TYP_FRAME

SEQ_MAX = 2**63 - 1
SPAN_MAX = 65_536  # objects that are looked at together
BATCH = 64  # objects read at a time, at most 1 MiB each


class State(StrEnum):
    """Keys of the table `state`; a seq or size in front of a value has 8 bytes, big-endian."""

    HEAD = "head"  # seq of the newest object, its SHA-256
    THROUGH = "through"  # newest instant the stream speaks of, UTC nanoseconds
    CFG = "cfg"  # SHA-256 of the newest configuration object
    CONFIG = "config"  # the configuration in force: of that object, or the newest that waits
    UPCOMING = "upcoming"  # how many configurations wait to be signed
    CALC = "calc"  # the live calculation after the newest frame
    CLOCK = "clock"  # boot id, newest tick committed, and the monotonic clock then (CBOR)
    OPENING = "opening"  # what the open frame tells beside its ticks
    MISSED = "missed"  # newest instant before a gap, and the gap's reason (CBOR array)
    KEY = "key"  # SHA-256 of the key that signed the newest object
    CERTIFICATES = "certificates"  # DER of the certificates used so far, in a CBOR array
    USED = "used"  # SHA-256 of each key that was in use before it
    RECEIPT = "receipt"  # seq under receipt, the signed receipt
    ANCHOR = "anchor"  # size and root of the newest checkpoint found consistent
    NOTE = "note"  # that checkpoint as the collector signed it
    BASE = "base"  # size and root of the anchor in the newest object; empty when it has none
    COSIGNED = "cosigned"  # size of the newest checkpoint cosigned, UTC hour since 1970
    CLOSED = "closed"  # digests of the close requests answered
    TWO_LOGS = "two-logs"  # when it was seen, and the receipt that shows it; empty when it is over
    PROOF = "two-logs-proof"  # the first such receipt ever; never deleted
    TROUBLE = "trouble"  # why nothing gets through, by kind (`edge.trouble`); empty when it does
    BROKER = "broker"  # whether the agent has one (`edge.trouble.Reach`); empty: not tried yet
    SHOWN = "broker-shown"  # life of the certificate that the broker showed last (CBOR array)
    BLOCKED = "way-blocked"  # why nothing leaves a one-way site; empty when it does
    UNANSWERED = "unanswered"  # why the agent's [metrics] answer nobody; empty when they do
    DOUBT = "clock-doubt"  # why the time of readings is in doubt; empty while it is not
    SILENT = "silent"  # which devices answer (`trouble.Answering`); empty: not known yet
    LEFT = "left"  # of a one-way site: the next seq of each pass over the stream (CBOR array)
    CONTINUES = "continues"  # SHA-256 of the replace order this spool began with
    # of sources that deliver once, a key a device and one a mark (`position_key`, `mark_key`)
    POSITION = "position"  # up to where it has delivered
    MARK = "mark"  # what is noted with something that is delivered for ever
    SETTINGS = "settings"  # of a meter: what it said of itself, and what was accepted of that


def position_key(device_id: str) -> str:
    """Key of a device's position; an id holds no "/"."""
    return f"{State.POSITION}/{device_id}"


def mark_key(device_id: str, mark: bytes) -> str:
    """Key of one of a device's marks."""
    return f"{State.MARK}/{device_id}/{mark.hex()}"


def settings_key(device_id: str) -> str:
    """Key of what is known of a meter's settings."""
    return f"{State.SETTINGS}/{device_id}"


@dataclass(frozen=True)
class Stored:
    """One signed object in the spool.

    Attributes:
        seq: its place in the stream.
        typ: what it is.
        sha256: of its bytes.
        data: the bytes, verbatim.
        readings: how many it holds.
        through_ns: last instant it speaks of.
    """

    seq: int
    typ: str
    sha256: bytes
    data: bytes
    readings: int = 0
    through_ns: int = 0


@dataclass(frozen=True)
class Unsigned:
    """A frame, its ticks in it, or a configuration, that waits to be signed.

    Attributes:
        payload: what will be signed.
        readings, through_ns: as of the object it becomes.
        anchor: of its time, as `State.ANCHOR`: it names no later log than its readings knew.
        typ: what it is.
        number: its row.
    """

    payload: bytes
    readings: int
    through_ns: int
    anchor: bytes
    typ: str = TYP_FRAME
    number: int = 0


@dataclass(frozen=True)
class Usage:
    """How full the spool is.

    Attributes:
        objects: waiting for a receipt.
        bytes: of the file's used pages.
        oldest_ns: last instant of the oldest object waiting, or None.
        unsigned: frames and configurations waiting to be signed.
        unsigned_ns: last instant of the oldest of them, or None.
    """

    objects: int
    bytes: int
    oldest_ns: int | None
    unsigned: int = 0
    unsigned_ns: int | None = None


class SpoolReader:
    """A spool to look at. Not thread-safe: one thread opens and uses it."""

    def __init__(self, path: Path) -> None:
        """Open an existing spool without the right to change it.

        Raises:
            SpoolError: there is none, it is no spool, or of another format.
        """
        self._path = path
        if not path.is_file():
            raise SpoolError(f"{path}: no spool here; has the agent ever run?")
        try:
            self._db = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None
            )
        except sqlite3.Error as error:
            raise SpoolError(f"{path}: cannot be opened as a spool: {error}") from error
        try:
            self._check_format()
        except SpoolError:
            self._db.close()
            raise

    def _check_format(self) -> None:
        try:
            version, since = numbers(self._db)
        except sqlite3.Error as error:
            raise SpoolError(f"{self._path}: cannot be read: {error}") from error
        if version == 0:  # SQLite's own before anything is laid out
            raise UnmadeError(self._path)
        if not is_ours(version, since):
            raise OtherFormatError(self._path, version, FORMAT, becomes=can_become_ours(version))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def damage(self) -> str:
        """What is wrong with the whole file, "" when nothing; reads all of it."""
        found = [str(row[0]) for row in self._rows("PRAGMA quick_check(1)")]
        if found != ["ok"]:
            return f"the spool's file is damaged: {found[0]}"
        try:
            first = 0
            while batch := self.objects(first, BATCH):
                first = batch[-1].seq + 1
        except AlteredError as error:
            return str(error)
        return ""

    def owner(self) -> tuple[str, str] | None:
        """Plant and gateway whose stream this is; None before the first configuration."""
        data = self.get(State.CONFIG)
        if data is None:
            return None
        config = cbor.decode(data)
        return config["plant"]["id"], config["gateway"]["id"]

    # -- objects --------------------------------------------------------------------------------

    def open_ticks(self) -> list[bytes]:
        """Ticks not yet in a frame, oldest first."""
        return [row[0] for row in self._rows("SELECT tick FROM open ORDER BY id")]

    def unsigned(self) -> Unsigned | None:
        """The oldest frame or configuration that waits to be signed; None when none does."""
        columns = "payload, readings, through_ns, anchor, typ, id"
        for row in self._rows(f"SELECT {columns} FROM unsigned ORDER BY id LIMIT 1"):  # noqa: S608 - constant
            return Unsigned(*row)
        return None

    def head(self) -> Head:
        """Where the stream stands."""
        value = self.get(State.HEAD)
        if value is None:
            return Head(0, ZERO_HASH)
        return Head(int.from_bytes(value[:8], "big") + 1, value[8:])

    def objects(self, first: int, limit: int) -> list[Stored]:
        """Up to `limit` objects from seq `first` on; those before one the disk has altered.

        Raises:
            AlteredError: the very first is altered.
            SpoolError: unreadable.
        """
        rows = self._rows(
            "SELECT seq, typ, sha256, bytes, readings, through_ns FROM objects "
            "WHERE seq >= ? ORDER BY seq LIMIT ?",
            first,
            limit,
        )
        found = [Stored(*row) for row in rows]
        for number, stored in enumerate(found):
            if hashlib.sha256(stored.data).digest() != stored.sha256:
                if number == 0:
                    raise AlteredError(self._path, stored.seq)
                return found[:number]
        return found

    def oldest_seq(self) -> int | None:
        """Seq of the oldest object waiting for a receipt; None when none is."""
        for row in self._rows("SELECT seq FROM objects ORDER BY seq LIMIT 1"):
            return int(row[0])
        return None

    def span(self, first: int, last: int) -> Iterator[bytes]:
        """The objects from `first` to `last`, a few held at a time."""
        while first <= last:
            found = self.objects(first, min(BATCH, last - first + 1))
            if not found or found[0].seq != first:  # or freed since it was asked for
                raise SpoolError(f"{self._path}: seq {first} is not there")
            for stored in found:
                yield stored.data
            first = found[-1].seq + 1

    def size_of(self, first: int, last: int) -> int:
        """Bytes of the objects from `first` to `last`, as far as they are there."""
        query = "SELECT coalesce(sum(length(bytes)), 0) FROM objects WHERE seq BETWEEN ? AND ?"
        return int(self._rows(query, first, last)[0][0])

    def last_within(self, first: int, bytes_max: int) -> int | None:
        """The seq up to which the objects from `first` on have so many bytes, or all there are.

        None when there are none; at most `SPAN_MAX` objects, and always one.
        """
        query = "SELECT seq, length(bytes) FROM objects WHERE seq >= ? ORDER BY seq LIMIT ?"
        last, size = None, 0
        try:  # row by row: of days that wait all would be read, and ticks wait meanwhile
            with contextlib.closing(self._db.execute(query, (first, SPAN_MAX))) as rows:
                for seq, length in rows:
                    size += length
                    if last is not None and size > bytes_max:
                        break
                    last = int(seq)
        except sqlite3.Error as error:
            raise SpoolError(f"{self._path}: cannot be read: {error}") from error
        return last

    @contextlib.contextmanager
    def one_moment(self) -> Iterator[None]:
        """Everything read inside is of one moment, whatever the agent writes."""
        self._rows("BEGIN")
        try:
            yield
        finally:
            self._rows("COMMIT")

    def hash_at(self, seq: int) -> bytes | None:
        """SHA-256 of the object at `seq`, waiting or freed; None when no longer known."""
        if seq > SEQ_MAX:  # others' messages may name more than SQLite can hold
            return None
        for table in ("objects", "freed"):
            for row in self._rows(f"SELECT sha256 FROM {table} WHERE seq = ?", seq):  # noqa: S608 - two constants
                return bytes(row[0])
        return None

    def receipted_seq(self) -> int:
        """Newest seq under receipt, -1 before the first."""
        value = self.get(State.RECEIPT)
        return -1 if value is None else int.from_bytes(value[:8], "big")

    def receipt(self) -> bytes:
        """The signed receipt that says so; b"" before the first."""
        return (self.get(State.RECEIPT) or b"")[8:]

    # -- state ----------------------------------------------------------------------------------

    def get(self, key: str) -> bytes | None:
        """A state value, None when never put."""
        for row in self._rows("SELECT value FROM state WHERE key = ?", key):
            return bytes(row[0])
        return None

    def marks(self, device_id: str) -> dict[bytes, bytes]:
        """Every mark of a device with its note."""
        prefix = mark_key(device_id, b"")
        query = "SELECT key, value FROM state WHERE key > ? AND key < ?"
        rows = self._rows(query, prefix, f"{prefix}~")  # "~" is after all hex digits
        return {bytes.fromhex(key[len(prefix) :]): bytes(note) for key, note in rows}

    def usage(self) -> Usage:
        """How full it is."""
        ends = [
            self._rows(f"SELECT seq, through_ns FROM objects ORDER BY seq {order} LIMIT 1")  # noqa: S608 - two constants
            for order in ("ASC", "DESC")
        ]
        # counting rows would read the whole backlog at every tick; seqs and ids have no holes
        count, oldest = 0, None
        if ends[0]:
            (first, oldest), (last, _) = ends[0][0], ends[1][0]
            count = last - first + 1
        for waits, since in self._rows(
            "SELECT (SELECT max(id) FROM unsigned) - id + 1, through_ns FROM unsigned "
            "ORDER BY id LIMIT 1"
        ):
            return Usage(count, self._bytes(), oldest, waits, since)
        return Usage(count, self._bytes(), oldest)

    def fill_of(self, bytes_max: int) -> float:
        """Used share of what it may hold by this bound, 0 to 1.

        It may hold less on a disk that is smaller (`edge.kept_room`).
        """
        try:
            used, left = held_and_left(self._db, self._path)
        except (sqlite3.Error, OSError) as error:
            raise SpoolError(f"{self._path}: cannot be read: {error}") from error
        holds = min(bytes_max, used + left)
        return used / holds if used < holds else 1.0

    def disk_free_bytes(self) -> int:
        """What its disk can still take; SpoolError when the disk does not say."""
        try:
            return shutil.disk_usage(self._path.parent).free
        except OSError as error:
            raise SpoolError(f"{self._path}: cannot be read: {error.strerror}") from error

    def _bytes(self) -> int:
        names = ("page_count", "freelist_count", "page_size")
        pages, free, size = (self._rows(f"PRAGMA {name}")[0][0] for name in names)
        return int((pages - free) * size)

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise SpoolError(f"{self._path}: cannot be read: {error}") from error
