"""What is known of months without reading the log: a file beside the evidence (SQLite).

A projection: it follows from the log alone, and what does not fit the log is made again. How far
the log was counted, and what was counted, change in one transaction. Beside it stand the closings
that were ordered and are not done, so that a start goes on with them. Any thread; one at a time.
"""

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from threading import Lock

from cloud.closing.log import MonthClose, month_close
from cloud.errors import OtherVersionError, StoreError
from cloud.kept_file import opened
from cloud.month.tally import Counts, DayTally, Layout, kept_layout, layout_text
from evidence.log import decode_entry

FILE = "months.db"
FORMAT = 1

_SCHEMA = """
CREATE TABLE stream (
    plant TEXT, stream TEXT, next_seq INTEGER, head BLOB, at_ns INTEGER,
    PRIMARY KEY (plant, stream)
) WITHOUT ROWID;
CREATE TABLE segment (
    plant TEXT, stream TEXT, from_ns INTEGER, cfg BLOB, layout TEXT,
    PRIMARY KEY (plant, stream, from_ns)
) WITHOUT ROWID;
CREATE TABLE day (
    plant TEXT, day TEXT, stream TEXT, gaps INTEGER, gap_ns INTEGER, last_seq INTEGER,
    received_ns INTEGER, PRIMARY KEY (plant, day, stream)
) WITHOUT ROWID;
CREATE TABLE device_day (
    plant TEXT, day TEXT, stream TEXT, device TEXT, readings INTEGER, reserved INTEGER,
    bad INTEGER, PRIMARY KEY (plant, day, stream, device)
) WITHOUT ROWID;
CREATE TABLE log (plant TEXT PRIMARY KEY, size INTEGER) WITHOUT ROWID;
CREATE TABLE closed (
    plant TEXT, log_index INTEGER, entry BLOB, PRIMARY KEY (plant, log_index)
) WITHOUT ROWID;
CREATE TABLE archive (
    plant TEXT, name TEXT, month TEXT, replaced INTEGER, bytes INTEGER, mtime_ns INTEGER,
    sha256 TEXT, statement BLOB, PRIMARY KEY (plant, name)
) WITHOUT ROWID;
CREATE TABLE ordered (
    plant TEXT, month TEXT, amend INTEGER, reason TEXT, by TEXT, at_ns INTEGER,
    PRIMARY KEY (plant, month)
) WITHOUT ROWID;
"""
_OF_THE_LOG = ("stream", "segment", "day", "device_day", "log", "closed")


@dataclass(frozen=True)
class Position:
    """How far a stream was counted.

    Attributes:
        next_seq: the first object that was not.
        head: SHA-256 of the one before, b"" before the first.
        at_ns: t0 of the newest frame, 0 before the first.
    """

    next_seq: int = 0
    head: bytes = b""
    at_ns: int = 0


@dataclass(frozen=True)
class Segment:
    """From when on a configuration is in force."""

    from_ns: int
    cfg: bytes
    layout: Layout


@dataclass(frozen=True)
class Ordered:
    """A closing for good that was ordered by somebody and is not done yet."""

    plant: str
    month: str
    amend: bool
    reason: str
    by: str
    at_ns: int


@dataclass(frozen=True)
class Archive:
    """An archive that stands in the archive folder.

    Attributes:
        name: of the file.
        month: "YYYY-MM".
        is_replaced: a later one stands in its place.
        size, mtime_ns: bytes and time of the file, as it was when it was looked at.
        sha256: hex, of the file.
        statement: SHA-256 of its statement; b"" where it cannot be read.
    """

    name: str
    month: str
    is_replaced: bool
    size: int
    mtime_ns: int
    sha256: str
    statement: bytes


@dataclass(frozen=True)
class StreamDay:
    """What came of a stream on a day; `received_ns` is when the newest of it was logged."""

    day: str
    stream: str
    tally: DayTally
    received_ns: int


class Facts:
    """Months' facts of all plants of a collector.

    Args:
        folder: the file goes there.

    Raises:
        StoreError: it cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._path, self._lock = folder / FILE, Lock()
        self._layouts: dict[bytes, Layout] = {}
        self._changes: Counter[tuple[str, str]] = Counter()
        self._at: dict[str, dict[str, Position]] = {}
        self._closes: dict[str, Sequence[MonthClose]] = {}
        #: what was looked at for closes and is not written: that it held none is seen again soon
        self._looked: dict[str, int] = {}
        try:
            with opened(self._path) as self._sql:
                (found,) = self._sql.execute("PRAGMA user_version").fetchone()
                if found not in (0, FORMAT):
                    raise OtherVersionError(self._path, found, FORMAT, is_remade=True)
                self._sql.execute("PRAGMA journal_mode = WAL")
                with self._changing(lasts=True) as sql:
                    if found == 0:
                        for statement in _SCHEMA.split(";\n"):
                            sql.execute(statement)
                        sql.execute(f"PRAGMA user_version = {FORMAT}")
        except sqlite3.Error as error:
            what = "it follows from the log: moved away, it is made again"
            raise StoreError(f"{self._path} cannot be used: {error}; {what}") from error

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._sql.close()

    @contextlib.contextmanager
    def _changing(self, *, lasts: bool = False) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it or nothing.

        What follows from the log is counted again after a power cut; what does not has to last.
        """
        with self._lock:
            try:
                self._sql.execute(f"PRAGMA synchronous = {'FULL' if lasts else 'NORMAL'}")
                self._sql.execute("BEGIN IMMEDIATE")
                try:
                    yield self._sql
                except BaseException:
                    self._sql.execute("ROLLBACK")
                    raise
                self._sql.execute("COMMIT")
            except sqlite3.Error as error:
                raise StoreError(f"{self._path} cannot be written: {error}") from error

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """All that is asked meanwhile is of one moment."""
        with self._lock:
            try:
                yield self._sql
            except sqlite3.Error as error:
                raise StoreError(f"{self._path} cannot be read: {error}") from error

    def _rows(self, asked: str, *values: object) -> list[tuple[object, ...]]:
        with self._reading() as sql:
            return sql.execute(asked, values).fetchall()

    # -- what the log says ------------------------------------------------------------------------

    def position(self, plant: str, stream: str) -> Position:
        """How far a stream was counted."""
        return self.positions(plant).get(stream, Position())

    def positions(self, plant: str) -> Mapping[str, Position]:
        """Stream -> how far it was counted."""
        held = self._at.get(plant)
        if held is None:
            of = "SELECT stream, next_seq, head, at_ns FROM stream WHERE plant = ?"
            with self._reading() as sql:  # what is read is kept before anything is counted on
                rows = sql.execute(of, (plant,))
                held = self._at[plant] = {str(name): Position(*rest) for name, *rest in rows}
        return held

    def add(
        self, plant: str, stream: str, position: Position, segments: Iterable[Segment],
        days: Iterable[StreamDay],
    ) -> None:  # fmt: skip
        """What was counted up to a position, in one transaction."""
        with self._changing() as sql:
            at = (plant, stream, position.next_seq, position.head, position.at_ns)
            sql.execute("INSERT OR REPLACE INTO stream VALUES (?, ?, ?, ?, ?)", at)
            told = [(s.from_ns, s.cfg, layout_text(s.layout)) for s in segments]
            put = "INSERT OR REPLACE INTO segment VALUES (?, ?, ?, ?, ?)"
            sql.executemany(put, [(plant, stream, *segment) for segment in told])
            held = list(days)
            for one in held:
                _add_day(sql, plant, one)
            if (size := self._looked.get(plant)) is not None:
                sql.execute("INSERT OR REPLACE INTO log VALUES (?, ?)", (plant, size))
        self._looked.pop(plant, None)
        if (known := self._at.get(plant)) is not None:  # another: who asked goes through theirs
            self._at[plant] = {**known, stream: position}
        self._changes.update({(plant, one.day[:7]) for one in held})

    def changes(self, plant: str, month: str) -> tuple[int, int]:
        """Another value whenever something of a month was counted since this process began."""
        return self._changes[plant, ""], self._changes[plant, month]

    def newest_cfg(self, plant: str, stream: str) -> bytes:
        """The configuration that came into force last, b"" before any."""
        of = "SELECT cfg FROM segment WHERE plant = ? AND stream = ? ORDER BY from_ns"
        rows = self._rows(of, plant, stream)
        return bytes(rows[-1][0]) if rows else b""  # type: ignore[call-overload] # BLOB

    def segments(self, plant: str) -> Mapping[str, list[Segment]]:
        """Stream -> its configurations that were in force, oldest first."""
        found: dict[str, list[Segment]] = {}
        rows = self._rows(
            "SELECT stream, from_ns, cfg, layout FROM segment WHERE plant = ? ORDER BY from_ns",
            plant,
        )
        for stream, from_ns, named, layout in rows:
            cfg = bytes(named)  # type: ignore[call-overload] # BLOB
            if cfg not in self._layouts:
                self._layouts[cfg] = kept_layout(str(layout))
            segment = Segment(int(str(from_ns)), cfg, self._layouts[cfg])
            found.setdefault(str(stream), []).append(segment)
        return found

    def days(self, plant: str, month: str, *, devices: bool = True) -> list[StreamDay]:
        """What came of a month, by day and stream; of each device only where it is asked for."""
        of = (plant, f"{month}-01", f"{month}-31")
        with self._reading() as sql:
            in_all = sql.execute(
                "SELECT day, stream, gaps, gap_ns, last_seq, received_ns FROM day"
                " WHERE plant = ? AND day BETWEEN ? AND ? ORDER BY day, stream", of
            ).fetchall()  # fmt: skip
            of_each = [] if not devices else sql.execute(
                "SELECT day, stream, device, readings, reserved, bad FROM device_day"
                " WHERE plant = ? AND day BETWEEN ? AND ?", of
            ).fetchall()  # fmt: skip
        found: dict[tuple[str, str], StreamDay] = {}
        for day, stream, *rest, received_ns in in_all:
            one = StreamDay(str(day), str(stream), DayTally({}, *rest), int(received_ns))
            found[one.day, one.stream] = one
        for day, stream, device, *counts in of_each:
            found[str(day), str(stream)].tally.devices[str(device)] = Counts(*counts)
        return list(found.values())

    def days_of(self, plant: str, stream: str) -> int:
        """Days of which something of a stream was counted."""
        of = "SELECT count(*) FROM day WHERE plant = ? AND stream = ?"
        return int(str(self._rows(of, plant, stream)[0][0]))

    def counted(self, plant: str, month: str) -> Counts:
        """Readings of all devices of a month."""
        ((readings, reserved, bad),) = self._rows(
            "SELECT total(readings), total(reserved), total(bad) FROM device_day"
            " WHERE plant = ? AND day BETWEEN ? AND ?", plant, f"{month}-01", f"{month}-31"
        )  # fmt: skip
        return Counts(int(float(str(readings))), int(float(str(reserved))), int(float(str(bad))))

    def first_month(self, plant: str) -> str | None:
        """The month of the first reading, None while there is none."""
        ((day,),) = self._rows("SELECT min(day) FROM day WHERE plant = ? AND last_seq >= 0", plant)
        return None if day is None else str(day)[:7]

    def log_size(self, plant: str) -> int:
        """Entries of the log that were looked at for closes."""
        if plant in self._looked:
            return self._looked[plant]
        found = self._rows("SELECT size FROM log WHERE plant = ?", plant)
        return int(str(found[0][0])) if found else 0

    def add_closes(self, plant: str, size: int, closes: Iterable[tuple[int, bytes]]) -> None:
        """Month-close entries (index, bytes) of the log up to `size`."""
        rows = [(plant, index, data) for index, data in closes]
        if not rows:
            self._looked[plant] = size
            return
        with self._changing() as sql:
            sql.execute("INSERT OR REPLACE INTO log VALUES (?, ?)", (plant, size))
            sql.executemany("INSERT OR REPLACE INTO closed VALUES (?, ?, ?)", rows)
            self._closes.pop(plant, None)
        self._looked.pop(plant, None)

    def closes(self, plant: str) -> Sequence[MonthClose]:
        """All closes, in the log's order."""
        held = self._closes.get(plant)
        if held is None:
            of = "SELECT log_index, entry FROM closed WHERE plant = ? ORDER BY log_index"
            with self._reading() as sql:  # what is read is kept before another is put in
                rows = sql.execute(of, (plant,)).fetchall()
                held = tuple(month_close(at, decode_entry(bytes(data))) for at, data in rows)
                self._closes[plant] = held
        return held

    def forget(self, plant: str) -> None:
        """The log is another one than was counted: count it again."""
        with self._changing() as sql:
            for table in _OF_THE_LOG:
                sql.execute(f"DELETE FROM {table} WHERE plant = ?", (plant,))  # noqa: S608 - our own names
            self._closes.pop(plant, None)
        self._looked.pop(plant, None)
        self._at.pop(plant, None)
        self._changes[plant, ""] += 1

    # -- archives ---------------------------------------------------------------------------------

    def archives(self, plant: str) -> list[Archive]:
        """Archives of a plant that were looked at, by name."""
        rows = self._rows(
            "SELECT name, month, replaced, bytes, mtime_ns, sha256, statement FROM archive"
            " WHERE plant = ? ORDER BY name", plant
        )  # fmt: skip
        return [
            Archive(str(name), str(month), bool(replaced), *rest)  # type: ignore[arg-type] # columns
            for name, month, replaced, *rest in rows
        ]

    def put_archives(self, plant: str, archives: Iterable[Archive]) -> None:
        """All archives of a plant that stand there now."""
        with self._changing() as sql:
            sql.execute("DELETE FROM archive WHERE plant = ?", (plant,))
            rows = [(plant, *astuple(one)) for one in archives]
            sql.executemany("INSERT INTO archive VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    # -- closings that were ordered ---------------------------------------------------------------

    def order(self, ordered: Ordered) -> None:
        """Remember a closing until it is done; on disk when this returns."""
        with self._changing(lasts=True) as sql:
            row = (ordered.plant, ordered.month, ordered.amend)
            said = (ordered.reason, ordered.by, ordered.at_ns)
            sql.execute("INSERT OR REPLACE INTO ordered VALUES (?, ?, ?, ?, ?, ?)", row + said)

    def done(self, plant: str, month: str) -> None:
        """A closing is done, or was refused."""
        with self._changing(lasts=True) as sql:
            sql.execute("DELETE FROM ordered WHERE plant = ? AND month = ?", (plant, month))

    def ordered(self) -> list[Ordered]:
        """Closings that were begun and not ended, oldest first."""
        rows = self._rows("SELECT * FROM ordered ORDER BY at_ns")
        return [
            Ordered(str(plant), str(month), bool(amend), str(reason), str(by), int(str(at_ns)))
            for plant, month, amend, reason, by, at_ns in rows
        ]


def _add_day(sql: sqlite3.Connection, plant: str, one: StreamDay) -> None:
    tally = one.tally
    sql.execute(
        "INSERT INTO day VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " gaps = gaps + excluded.gaps, gap_ns = gap_ns + excluded.gap_ns,"
        " last_seq = max(last_seq, excluded.last_seq),"
        " received_ns = max(received_ns, excluded.received_ns)",
        (
            plant, one.day, one.stream, tally.gaps, tally.gap_ns, tally.last_seq, one.received_ns,
        ),
    )  # fmt: skip
    sql.executemany(
        "INSERT INTO device_day VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " readings = readings + excluded.readings, reserved = reserved + excluded.reserved,"
        " bad = bad + excluded.bad",
        [
            (plant, one.day, one.stream, device, of.readings, of.reserved, of.bad)
            for device, of in tally.devices.items()
        ],
    )
