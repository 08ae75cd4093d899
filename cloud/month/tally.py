"""How many readings came on each day, of each device, and how good they are. Pure.

A frame is counted without decoding its numbers: its form says how many readings it holds, its runs
of quality how many of them are reserved or bad. What was due is reckoned from the configurations
that were in force.
"""

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from edge.calc.local_time import PlantDays, clock_of
from evidence.frame import Body, CodedSection, Section
from evidence.quality import FIRST_BAD

SECOND_NS = 1_000_000_000
#: what stands for points that no device has: counters of the gateway itself
NO_DEVICE = "-"
#: days of one gap that are counted: one that began in 1970 tells of a clock
GAP_DAYS_MAX = 1_000


@dataclass(frozen=True)
class Layout:
    """What counting needs of a configuration.

    Attributes:
        zone: the plant's time zone.
        devices: ids, each once; computed points are of none and are not counted.
        rates: of each device: (interval in nanoseconds, points read at it).
        rows: of each group: index into `devices` of each of its points; none when computed.
    """

    zone: str
    devices: tuple[str, ...]
    rates: tuple[tuple[tuple[int, int], ...], ...]
    rows: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Layout":
        """Of a signed configuration."""
        points, devices = config["points"], dict[str, int]()
        rates, rows = list[dict[int, int]](), list[tuple[int, ...]]()
        for group in config["groups"]:
            if group["computed"]:
                rows.append(())
                continue
            interval_ns, row = config["schedules"][group["schedule"]]["interval_ns"], list[int]()
            for point in group["points"]:
                name = points[point].get("device", NO_DEVICE)
                index = devices.setdefault(name, len(devices))
                if index == len(rates):
                    rates.append({})
                rates[index][interval_ns] = rates[index].get(interval_ns, 0) + 1
                row.append(index)
            rows.append(tuple(row))
        sorted_rates = tuple(tuple(sorted(rate.items())) for rate in rates)
        return cls(config["plant"]["time_zone"], tuple(devices), sorted_rates, tuple(rows))

    def without_devices(self) -> "Layout":
        """The same where nothing is counted of any, and nothing is due."""
        return Layout(self.zone, (), (), ())

    def due(self, from_ns: int, to_ns: int) -> dict[str, int]:
        """Device -> readings due from one instant until before another."""
        return {
            device: sum(
                (-(-to_ns // step) - -(-from_ns // step)) * points for step, points in rates
            )
            for device, rates in zip(self.devices, self.rates, strict=True)
        }


@dataclass
class Counts:
    """Readings of one device on one day; all of them are in `readings`."""

    readings: int = 0
    reserved: int = 0
    bad: int = 0

    def add(self, other: "Counts") -> None:
        """Some more."""
        self.readings += other.readings
        self.reserved += other.reserved
        self.bad += other.bad


@dataclass
class DayTally:
    """What came of one stream on one plant-local day.

    Attributes:
        devices: device -> its readings.
        gaps, gap_ns: that the gateway told of: nanoseconds of this day; each gap is counted on the
            last day of it, and of each month that it is of.
        last_seq: newest object with readings of the day.
        log_index: of its entry in the log.
    """

    devices: dict[str, Counts] = field(default_factory=dict)
    gaps: int = 0
    gap_ns: int = 0
    last_seq: int = -1
    log_index: int = -1


class Tally:
    """Counts a stream's frames, in their order.

    Attributes:
        days: "YYYY-MM-DD" in the plant's zone -> what was counted.
        figures: of a device on a day, and days.
    """

    def __init__(self) -> None:
        self.days: dict[str, DayTally] = {}
        self.figures = 0
        self._days: dict[str, _Calendar] = {}

    def take(self, layout: Layout, body: Body, seq: int, log_index: int) -> None:
        """One more frame.

        Args:
            layout: of the configuration it names.
            body: what it says.
            seq: of the object.
            log_index: of its entry in the log.
        """
        calendar = self._days.get(layout.zone)
        if calendar is None:
            calendar = self._days[layout.zone] = _Calendar(layout.zone)
        for section in body.sections:
            for name, first, stop in calendar.pieces(section):
                day = self._day(name)
                day.last_seq, day.log_index = seq, log_index
                for device, counts in _counted(layout, section, first, stop):
                    self.figures += device not in day.devices
                    day.devices.setdefault(device, Counts()).add(counts)
        if body.gap is not None:
            for name, ns, is_last in calendar.spans(body.gap.from_ns, body.gap.to_ns):
                day = self._day(name)
                day.gaps += is_last
                day.gap_ns += ns

    def _day(self, name: str) -> DayTally:
        self.figures += name not in self.days
        return self.days.setdefault(name, DayTally())


class _Calendar:
    """Names days; most frames are of the day of the one before."""

    def __init__(self, zone: str) -> None:
        self._cut, self._clock = PlantDays(zone), clock_of(zone)
        self._from_ns = self._to_ns = 0
        self._name = ""

    def day(self, at_ns: int) -> str:
        """The day an instant lies in."""
        if not self._from_ns <= at_ns < self._to_ns:
            day = self._cut.day(at_ns)
            self._from_ns, self._to_ns = day.start_ns, day.end_ns
            middle_s = (day.start_ns + day.end_ns) // 2 // SECOND_NS
            shown = datetime.fromtimestamp(middle_s, UTC).astimezone(self._clock)
            self._name = shown.date().isoformat()
        return self._name

    def spans(self, from_ns: int, to_ns: int) -> list[tuple[str, int, bool]]:
        """(day, nanoseconds of it, is it the last of its month) of a gap, its newest days."""
        found, end_ns, month = list[tuple[str, int, bool]](), to_ns, ""
        while end_ns > from_ns and len(found) < GAP_DAYS_MAX:
            name = self.day(end_ns - 1)
            begin_ns = max(from_ns, self._from_ns)
            found.append((name, end_ns - begin_ns, name[:7] != month))
            end_ns, month = begin_ns, name[:7]
        return found

    def pieces(self, section: Section | CodedSection) -> Iterator[tuple[str, int, int]]:
        """(day, first tick, tick after the last) of a section, cut at midnight."""
        first = 0
        while first < section.ticks:
            name = self.day(section.first_ns + first * section.step_ns)
            left = -(-(self._to_ns - section.first_ns) // section.step_ns)
            stop = min(section.ticks, left)
            yield name, first, stop
            first = stop


def _counted(
    layout: Layout, section: Section | CodedSection, first: int, stop: int
) -> Iterator[tuple[str, Counts]]:
    """Readings of ticks first..stop-1 by device."""
    ticks, many = stop - first, len(layout.devices)
    for group in section.groups:
        rows = layout.rows[group.group] if group.group < len(layout.rows) else ()
        if not rows or len(rows) != group.rows:
            continue  # computed; or misformed, and the month's figures say so
        readings = np.bincount(rows, minlength=many) * ticks
        marks = getattr(group, "marks", group.quality)
        reserved = bad = np.zeros(many, np.int64)
        if marks is not None:
            part = marks[:, first:stop]
            bad = _by_device(rows, part >= FIRST_BAD, many)
            reserved = _by_device(rows, part > 0, many) - bad
        for index in sorted(set(rows)):
            counts = int(readings[index]), int(reserved[index]), int(bad[index])
            yield layout.devices[index], Counts(*counts)


def _by_device(rows: tuple[int, ...], marked: Any, many: int) -> Any:  # noqa: ANN401 - numpy arrays
    return np.bincount(rows, marked.sum(axis=1), many).astype(np.int64)


def due_on(segments: Sequence[tuple[int, Layout]], from_ns: int, to_ns: int) -> dict[str, int]:
    """Device -> readings due from one instant until before another.

    Args:
        segments: (from when on a configuration is in force, it), oldest first; before the first
            nothing is due.
        from_ns: first instant of the day.
        to_ns: of the next.
    """
    found: dict[str, int] = {}
    starts = [start for start, _ in segments]
    for i in range(max(0, bisect_right(starts, from_ns) - 1), len(segments)):
        begin = max(from_ns, starts[i])
        end = min(to_ns, starts[i + 1]) if i + 1 < len(starts) else to_ns
        if begin >= end:
            continue
        for device, count in segments[i][1].due(begin, end).items():
            found[device] = found.get(device, 0) + count
    return found


def layout_text(layout: Layout) -> str:
    """JSON of a layout, as `Facts` keeps it."""
    return json.dumps(asdict(layout))


def kept_layout(text: str) -> Layout:
    """A layout as `Facts` keeps it, in JSON."""
    held = json.loads(text)
    return Layout(
        held["zone"],
        tuple(held["devices"]),
        tuple(tuple((step, points) for step, points in rates) for rates in held["rates"]),
        tuple(tuple(row) for row in held["rows"]),
    )
