"""The checklist of a month: its days and meters, its documents, and what is owed by whom. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from cloud.closing.log import MonthClose
from cloud.closing.records import MonthTime
from cloud.month.expected import (
    Due,
    Expected,
    Given,
    after_close,
    decisions,
    due_in,
    given,
    open_events,
    standing_of,
    unapproved,
)
from cloud.month.facts import Position, Segment, StreamDay
from cloud.month.tally import Counts, due_on
from cloud.records.papers import Papers
from edge.calc.flags import Flag
from edge.calc.local_time import PlantDays
from evidence.documents.document import COLLECTOR
from evidence.documents.standing import Logged

#: a gateway sends every ten seconds or so: one that is silent for longer needs somebody to look
SILENT_NS = 3_600_000_000_000
#: a configuration may ask for 20,000 points each nanosecond; whoever reads lists has 64 bits
DUE_MAX = 2**63 - 1
OPERATOR, ENGINEER, ACCOUNTANT = "operator", "engineer", "accountant"


@dataclass(frozen=True)
class Owed:
    """One thing that is owed.

    Attributes:
        what: its key in the table of texts, behind "month.owed.".
        by: who owes it: a role, or whom the plan names.
        blocks: the month is not complete without it.
        values: what the text names.
    """

    what: str
    by: str
    blocks: bool
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """A device on a day: what came, and what was due by now."""

    counts: Counts
    due: int


@dataclass(frozen=True)
class DeviceRow:
    """A device of a gateway over the month.

    Attributes:
        stream, device: which.
        cells: day -> its readings, of the days that have begun.
        total: of the month.
        due: of the month, by now.
    """

    stream: str
    device: str
    cells: Mapping[str, Cell]
    total: Counts
    due: int


@dataclass(frozen=True)
class StreamRow:
    """A gateway over the month.

    Attributes:
        stream: which.
        gaps, gap_ns: that it told of.
        days: those with a gap -> nanoseconds.
        reaches_ns: how far its frames go, of any month.
        last_seq: newest object with readings of the month, -1 for none.
        missing: objects of it that are missing at the collector.
    """

    stream: str
    gaps: int
    gap_ns: int
    days: Mapping[str, int]
    reaches_ns: int
    last_seq: int
    missing: int


@dataclass(frozen=True)
class Known:
    """What a checklist is made of.

    Attributes:
        month, zone: "YYYY-MM", and the plant's time zone.
        positions, segments, days: of `Facts`.
        missing: stream -> objects that are missing at the collector.
        expected: what the plan asks for, None without one.
        papers: documents, None where they cannot be read.
        close: the newest close for good.
        flags: those that its statement would carry, as far as they are known.
    """

    month: str
    zone: str
    positions: Mapping[str, Position]
    segments: Mapping[str, Sequence[Segment]]
    days: Sequence[StreamDay]
    missing: Mapping[str, int]
    expected: Sequence[Expected] | None
    papers: Papers | None
    close: MonthClose | None = None
    flags: Sequence[str] = ()


@dataclass(frozen=True)
class Checklist:
    """A month's checklist.

    Attributes:
        month, zone: "YYYY-MM", and the plant's time zone.
        from_ns, to_ns: its first instant and the next one's.
        days: all days of the month.
        streams, devices: rows of gateways and of their devices.
        has_plan: a control plan says which documents are due.
        documents: what there is of those.
        unapproved, events, certificates, after: documents that wait for somebody else, meter events
            that are not over, certificates that end, documents that came after the close.
        late: stream -> newest object with readings that came after the close.
        decisions: who closes it although something is owed, and why.
        owed: what is owed.
        newest_ns: when the newest of what it is made of was logged, 0 for nothing.
        counted: readings of all devices.
        due: readings of all devices that were due by now.
    """

    month: str
    zone: str
    from_ns: int
    to_ns: int
    days: Sequence[str]
    streams: Sequence[StreamRow]
    devices: Sequence[DeviceRow]
    has_plan: bool
    documents: Sequence[Given]
    unapproved: Sequence[Logged]
    events: Sequence[Logged]
    certificates: Sequence[Due]
    after: Sequence[Logged]
    late: Mapping[str, int]
    decisions: Sequence[Logged]
    owed: Sequence[Owed]
    newest_ns: int
    counted: Counts = field(default_factory=Counts)
    due: int = 0

    @property
    def blocking(self) -> list[Owed]:
        """What keeps it from being complete."""
        return [one for one in self.owed if one.blocks]


@lru_cache(512)
def days_of(month: str, zone: str) -> Mapping[str, tuple[int, int]]:
    """Each day of a month -> its first instant and the next one's, UTC nanoseconds."""
    cut, found = PlantDays(zone), dict[str, tuple[int, int]]()
    at_ns, end_ns = cut.month_bounds(month)
    day = date.fromisoformat(f"{month}-01")
    while at_ns < end_ns:
        after_ns = cut.day(at_ns).end_ns
        found[day.isoformat()] = at_ns, after_ns
        at_ns, day = after_ns, day + timedelta(days=1)
    return MappingProxyType(found)


def checklist(known: Known, now_ns: int) -> Checklist:
    """A month's checklist at a time."""
    days = days_of(known.month, known.zone)
    from_ns, to_ns = PlantDays(known.zone).month_bounds(known.month)
    time = MonthTime(known.month, from_ns, to_ns)
    papers, has_papers = known.papers, known.papers is not None
    standing = standing_of(papers, time) if papers is not None else []
    over = {
        day: MonthTime(known.month, *bounds) for day, bounds in days.items() if bounds[1] <= now_ns
    }
    documents = given(papers, standing, known.expected or (), over) if papers is not None else []
    waiting = unapproved(papers, standing) if papers is not None else []
    streams = _streams(known)
    certificates = due_in(papers, known.month) if papers is not None else []
    events, close = open_events(standing, now_ns), known.close
    after = after_close(papers, time, close.index) if papers is not None and close else []
    decided = decisions(papers, known.month) if papers is not None else []
    late = {
        row.stream: row.last_seq
        for row in streams
        if close is not None
        and row.stream in close.streams
        and row.last_seq > close.streams[row.stream].last
    }
    owed = [
        *_owed_by_meters(known, streams, (from_ns, to_ns), now_ns),
        *_owed_papers(documents, waiting, certificates, events),
        *owed_flags(known.flags),
        *([] if has_papers else [Owed("papers", OPERATOR, blocks=True)]),
    ]
    newest_ns = max(
        [one.received_ns for one in known.days] + [one.received_ns for one in standing], default=0
    )
    return Checklist(
        known.month, known.zone, from_ns, to_ns, list(days), streams, _devices(known, days, now_ns),
        known.expected is not None, documents, waiting, events, certificates, after, late,
        decided, owed if close is None else [], newest_ns,
    )  # fmt: skip


def _streams(known: Known) -> list[StreamRow]:
    found = []
    for stream, at in sorted(known.positions.items()):
        tallies = {one.day: one.tally for one in known.days if one.stream == stream}
        found.append(
            StreamRow(
                stream,
                sum(of.gaps for of in tallies.values()),
                sum(of.gap_ns for of in tallies.values()),
                {day: of.gap_ns for day, of in tallies.items() if of.gap_ns},
                at.at_ns,
                max((of.last_seq for of in tallies.values()), default=-1),
                known.missing.get(stream, 0),
            )
        )
    return found


def _devices(known: Known, days: Mapping[str, tuple[int, int]], now_ns: int) -> list[DeviceRow]:
    found = list[DeviceRow]()
    begun = {day: bounds for day, bounds in days.items() if bounds[0] <= now_ns}
    counted = {(one.stream, one.day): one.tally.devices for one in known.days}
    for stream, segments in sorted(known.segments.items()):
        layouts = [(segment.from_ns, segment.layout) for segment in segments]
        due = {day: due_on(layouts, at, min(end, now_ns)) for day, (at, end) in begun.items()}
        devices = {name for of in due.values() for name, count in of.items() if count}
        devices |= {name for day in begun for name in counted.get((stream, day), {})}
        for device in sorted(devices):
            cells, total = dict[str, Cell](), Counts()
            for day in begun:
                counts = counted.get((stream, day), {}).get(device, Counts())
                cells[day] = Cell(counts, due[day].get(device, 0))
                total.add(counts)
            whole = sum(cell.due for cell in cells.values())
            found.append(DeviceRow(stream, device, cells, total, whole))
    return found


def due_in_all(
    segments: Mapping[str, Sequence[Segment]], month: str, zone: str, now_ns: int
) -> int:
    """Readings of all devices that were due in a month by now, `DUE_MAX` at most."""
    from_ns, to_ns = PlantDays(zone).month_bounds(month)
    layouts = [[(one.from_ns, one.layout) for one in of] for of in segments.values()]
    due = sum(sum(due_on(of, from_ns, min(to_ns, now_ns)).values()) for of in layouts)
    return min(due, DUE_MAX)


def _owed_by_meters(
    known: Known, streams: Sequence[StreamRow], bounds: tuple[int, int], now_ns: int
) -> Iterable[Owed]:
    """What gateways have still to bring: an object of the next month shows that all came."""
    to_ns = bounds[1]
    if not any(one.tally.last_seq >= 0 for one in known.days):
        yield Owed("no-readings", OPERATOR, blocks=now_ns >= to_ns)
        return
    if len(streams) > 1:
        yield Owed("gateways", ENGINEER, blocks=True, values={"count": len(streams)})
    for row in streams:
        if row.missing:
            values = {"gateway": row.stream, "count": row.missing}
            yield Owed("missing", OPERATOR, blocks=True, values=values)
        if row.reaches_ns < (to_ns if now_ns >= to_ns else now_ns - SILENT_NS):
            values = {"gateway": row.stream, "at_ns": row.reaches_ns}
            yield Owed("silent", OPERATOR, blocks=now_ns >= to_ns, values=values)


def owed_flags(flags: Iterable[str]) -> Iterable[Owed]:
    """Of a statement's flags those that somebody has to explain."""
    for flag in map(Flag, flags):
        if flag.row is not None and flag.row.owed_by:
            values = {"flag": flag.text}
            yield Owed("flag", flag.row.owed_by, blocks=flag.row.blocks_close, values=values)


def _owed_papers(
    documents: Iterable[Given],
    waiting: Iterable[Logged],
    certificates: Iterable[Due],
    events: Iterable[Logged],
) -> Iterable[Owed]:
    for one in documents:
        if one.is_missing:
            row = one.expected
            values: dict[str, Any] = {
                "parameter": row.parameter,
                "kind": row.kind,
                "about": row.about,
            }
            what = "daily" if one.missing_days else "document"
            if one.missing_days:
                values |= {"count": len(one.missing_days)}
            yield Owed(what, row.responsible, blocks=True, values=values)
    for logged in waiting:
        document = logged.document
        role = COLLECTOR if logged.signer is None else logged.signer.role
        values = {
            "kind": document.kind, "about": document.about, "person": document.person, "role": role,
        }  # fmt: skip
        by = ENGINEER if document.kind.startswith("meter-") else ACCOUNTANT
        yield Owed("approval", by, blocks=True, values=values)
    for due in certificates:
        values = {"device": due.device, "number": due.number, "due": due.due}
        yield Owed("certificate", ENGINEER, blocks=False, values=values)
    for logged in events:
        document = logged.document
        values = {"device": document.about, "event": str(document.body["event"])}
        yield Owed("event", ENGINEER, blocks=True, values=values)
