"""What is known of months without reading the log. I/O: the database.

A projection: it follows from the log alone, and what does not fit the log is made again. How far
the log was counted, and what was counted, change in one transaction. Beside it stand the closings
that were ordered and are not done, so that a start goes on with them. Any thread; a plant's facts
are written by the collector that serves it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from threading import Lock

from sqlalchemy import ColumnElement, delete, func, insert, select

from cloud.closing.log import MonthClose, month_close
from cloud.database import schema_kept as kept
from cloud.database.engine import Database
from cloud.database.put import put_added, put_over
from cloud.month.tally import Counts, DayTally, Layout, kept_layout, layout_text
from evidence.log import decode_entry

#: what follows from the log of a plant
_OF_THE_LOG = (
    kept.counted_stream, kept.counted_segment, kept.counted_day, kept.counted_device,
    kept.counted_log, kept.counted_close,
)  # fmt: skip
_DAY, _DEVICE = kept.counted_day.c, kept.counted_device.c


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
    """Facts of months of a collector's plants; a call raises StoreError when its database does."""

    def __init__(self, database: Database) -> None:
        self._database = database
        #: what is read is kept before anything is counted on
        self._lock = Lock()
        self._layouts: dict[bytes, Layout] = {}
        self._changes: Counter[tuple[str, str]] = Counter()
        self._at: dict[str, dict[str, Position]] = {}
        self._closes: dict[str, Sequence[MonthClose]] = {}
        #: what was looked at for closes and is not written: that it held none is seen again soon
        self._looked: dict[str, int] = {}

    # -- what the log says ------------------------------------------------------------------------

    def position(self, plant: str, stream: str) -> Position:
        """How far a stream was counted."""
        return self.positions(plant).get(stream, Position())

    def positions(self, plant: str) -> Mapping[str, Position]:
        """Stream -> how far it was counted."""
        with self._lock:
            held = self._at.get(plant)
            if held is None:
                of = kept.counted_stream.c
                asked = select(of.stream, of.next_seq, of.head, of.at_ns).where(of.plant == plant)
                with self._database.reading() as connection:
                    rows = connection.execute(asked)
                    held = self._at[plant] = {name: Position(*rest) for name, *rest in rows}
            return held

    def add(
        self, plant: str, stream: str, position: Position, segments: Iterable[Segment],
        days: Iterable[StreamDay],
    ) -> None:  # fmt: skip
        """What was counted up to a position, in one transaction."""
        named, held = {"plant": plant, "stream": stream}, list(days)
        of_days = [_day_row(plant, one) for one in held]
        of_devices = [row for one in held for row in _device_rows(plant, one)]
        told = [
            {**named, "from_ns": one.from_ns, "cfg": one.cfg, "layout": layout_text(one.layout)}
            for one in segments
        ]
        with self._lock, self._database.writing(lasts=False) as connection:
            put_over(connection, kept.counted_stream, [{**named, **asdict(position)}])
            put_over(connection, kept.counted_segment, told)
            put_added(connection, kept.counted_day, of_days, newest=("last_seq", "received_ns"))
            put_added(connection, kept.counted_device, of_devices)
            if (size := self._looked.get(plant)) is not None:
                put_over(connection, kept.counted_log, [{"plant": plant, "size": size}])
        self._looked.pop(plant, None)
        if (known := self._at.get(plant)) is not None:  # another: who asked goes through theirs
            self._at[plant] = {**known, stream: position}
        self._changes.update({(plant, one.day[:7]) for one in held})

    def changes(self, plant: str, month: str) -> tuple[int, int]:
        """Another value whenever something of a month was counted since this process began."""
        return self._changes[plant, ""], self._changes[plant, month]

    def newest_cfg(self, plant: str, stream: str) -> bytes:
        """The configuration that came into force last, b"" before any."""
        of = kept.counted_segment.c
        asked = select(of.cfg).where(of.plant == plant, of.stream == stream)
        with self._database.reading() as connection:
            return connection.scalar(asked.order_by(of.from_ns.desc()).limit(1)) or b""

    def segments(self, plant: str) -> Mapping[str, list[Segment]]:
        """Stream -> its configurations that were in force, oldest first."""
        of, found = kept.counted_segment.c, dict[str, list[Segment]]()
        asked = select(kept.counted_segment).where(of.plant == plant).order_by(of.from_ns)
        with self._database.reading() as connection:
            rows = connection.execute(asked).all()
        for row in rows:
            if row.cfg not in self._layouts:
                self._layouts[row.cfg] = kept_layout(row.layout)
            segment = Segment(row.from_ns, row.cfg, self._layouts[row.cfg])
            found.setdefault(row.stream, []).append(segment)
        return found

    def days(self, plant: str, month: str, *, devices: bool = True) -> list[StreamDay]:
        """What came of a month, by day and stream; of each device only where it is asked for."""
        in_all = select(kept.counted_day).where(*_in_month(_DAY.plant, _DAY.day, plant, month))
        mine = _in_month(_DEVICE.plant, _DEVICE.day, plant, month)
        of_each = select(kept.counted_device).where(*mine)
        found: dict[tuple[str, str], StreamDay] = {}
        with self._database.reading() as connection:
            for row in connection.execute(in_all.order_by(_DAY.day, _DAY.stream)):
                tally = DayTally({}, row.gaps, row.gap_ns, row.last_seq)
                found[row.day, row.stream] = StreamDay(row.day, row.stream, tally, row.received_ns)
            for row in connection.execute(of_each) if devices else ():
                if (one := found.get((row.day, row.stream))) is not None:  # else: of just now
                    counts = Counts(row.readings, row.reserved, row.bad)
                    one.tally.devices[row.device] = counts
        return list(found.values())

    def days_of(self, plant: str, stream: str) -> int:
        """Days of which something of a stream was counted."""
        asked = select(func.count(_DAY.day)).where(_DAY.plant == plant, _DAY.stream == stream)
        with self._database.reading() as connection:
            return connection.scalar(asked) or 0

    def counted(self, plant: str, month: str) -> Counts:
        """Readings of all devices of a month."""
        every = [func.sum(one) for one in (_DEVICE.readings, _DEVICE.reserved, _DEVICE.bad)]
        asked = select(*every).where(*_in_month(_DEVICE.plant, _DEVICE.day, plant, month))
        with self._database.reading() as connection:
            return Counts(*(int(count or 0) for count in connection.execute(asked).one()))

    def first_month(self, plant: str) -> str | None:
        """The month of the first reading, None while there is none."""
        asked = select(func.min(_DAY.day)).where(_DAY.plant == plant, _DAY.last_seq >= 0)
        with self._database.reading() as connection:
            day = connection.scalar(asked)
        return None if day is None else day[:7]

    def log_size(self, plant: str) -> int:
        """Entries of the log that were looked at for closes."""
        if plant in self._looked:
            return self._looked[plant]
        of = kept.counted_log.c
        with self._database.reading() as connection:
            return connection.scalar(select(of.size).where(of.plant == plant)) or 0

    def add_closes(self, plant: str, size: int, closes: Iterable[tuple[int, bytes]]) -> None:
        """Month-close entries (index, bytes) of the log up to `size`."""
        rows = [{"plant": plant, "log_index": index, "entry": data} for index, data in closes]
        if not rows:
            self._looked[plant] = size
            return
        with self._lock, self._database.writing(lasts=False) as connection:
            put_over(connection, kept.counted_log, [{"plant": plant, "size": size}])
            put_over(connection, kept.counted_close, rows)
        self._closes.pop(plant, None)
        self._looked.pop(plant, None)

    def closes(self, plant: str) -> Sequence[MonthClose]:
        """All closes, in the log's order."""
        with self._lock:
            held = self._closes.get(plant)
            if held is None:
                of = kept.counted_close.c
                asked = select(of.log_index, of.entry).where(of.plant == plant)
                with self._database.reading() as connection:
                    rows = connection.execute(asked.order_by(of.log_index)).all()
                held = tuple(month_close(at, decode_entry(data)) for at, data in rows)
                self._closes[plant] = held
            return held

    def forget(self, plant: str) -> None:
        """The log is another one than was counted: count it again."""
        with self._lock, self._database.writing() as connection:
            for table in _OF_THE_LOG:
                connection.execute(delete(table).where(table.c.plant == plant))
        self._closes.pop(plant, None)
        self._looked.pop(plant, None)
        self._at.pop(plant, None)
        self._changes[plant, ""] += 1

    # -- archives ---------------------------------------------------------------------------------

    def archives(self, plant: str) -> list[Archive]:
        """Archives of a plant that were looked at, by name."""
        of = kept.archive.c
        asked = select(kept.archive).where(of.plant == plant).order_by(of.name)
        with self._database.reading() as connection:
            return [Archive(*row[1:]) for row in connection.execute(asked)]

    def put_archives(self, plant: str, archives: Iterable[Archive]) -> None:
        """All archives of a plant that stand there now."""
        rows = [{"plant": plant, **asdict(one)} for one in archives]
        with self._database.writing(lasts=False) as connection:
            connection.execute(delete(kept.archive).where(kept.archive.c.plant == plant))
            if rows:
                connection.execute(insert(kept.archive), rows)

    # -- closings that were ordered ---------------------------------------------------------------

    def order(self, ordered: Ordered) -> None:
        """Remember a closing until it is done; on disk when this returns."""
        with self._database.writing() as connection:
            put_over(connection, kept.closing_order, [asdict(ordered)])

    def done(self, plant: str, month: str) -> None:
        """A closing is done, or was refused."""
        of = kept.closing_order.c
        with self._database.writing() as connection:
            mine = of.plant == plant, of.month == month
            connection.execute(delete(kept.closing_order).where(*mine))

    def ordered(self) -> list[Ordered]:
        """Closings that were begun and not ended, oldest first."""
        asked = select(kept.closing_order).order_by(kept.closing_order.c.at_ns)
        with self._database.reading() as connection:
            return [Ordered(*row) for row in connection.execute(asked)]


def _in_month(
    of: ColumnElement[str], day: ColumnElement[str], plant: str, month: str
) -> tuple[ColumnElement[bool], ...]:
    return of == plant, day.between(f"{month}-01", f"{month}-31")


def _day_row(plant: str, one: StreamDay) -> dict[str, object]:
    tally, named = one.tally, {"plant": plant, "day": one.day, "stream": one.stream}
    counts = {"gaps": tally.gaps, "gap_ns": tally.gap_ns, "last_seq": tally.last_seq}
    return {**named, **counts, "received_ns": one.received_ns}


def _device_rows(plant: str, one: StreamDay) -> list[dict[str, object]]:
    named = {"plant": plant, "day": one.day, "stream": one.stream}
    return [{**named, "device": device, **asdict(of)} for device, of in one.tally.devices.items()]
