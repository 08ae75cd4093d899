"""What a month's frames hold hour by hour: totalisers' readings, usable readings. Pure.

For plots and ledgers, beside the figures: no figure of a statement comes from here. Frames end at
every quarter hour of UTC, and time zones differ from it by quarter hours, so a section lies in one
hour of the plant, which is counted from the beginning of the plant's day.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edge.calc.local_time import Day, PlantDays
from evidence.counts import count_to_text, to_counts
from evidence.frame import Body
from evidence.points import Point
from evidence.quality import FIRST_BAD
from evidence.verifier.completeness import rates_of

HOUR_NS = 3_600 * 1_000_000_000


@dataclass(frozen=True)
class Meter:
    """A totaliser's readings.

    Attributes:
        point: its id.
        unit: of the readings.
        decimals: of the readings.
        hours: start of an hour of the plant, UTC ns -> (first, last) usable count in it.
    """

    point: str
    unit: str
    decimals: int
    hours: dict[int, tuple[int, int]] = field(default_factory=dict)

    def text(self, count: int | None) -> str:
        """A reading, or a difference of two, as a decimal string; "" for none."""
        return "" if count is None else count_to_text(count, self.decimals)

    def reading(self, before_ns: int) -> int | None:
        """The last usable count of an hour that begins before an instant, None for none."""
        last = max((hour for hour in self.hours if hour < before_ns), default=None)
        return None if last is None else self.hours[last][1]

    def first(self) -> int | None:
        """The month's first usable count."""
        return self.hours[min(self.hours)][0] if self.hours else None

    def is_read(self, from_ns: int, to_ns: int) -> bool:
        """It has a usable reading between two instants."""
        return any(from_ns <= hour < to_ns for hour in self.hours)

    def counted(self, from_ns: int, to_ns: int) -> int | None:
        """What it counted between two instants; None where it has no reading, or went back."""
        if not self.is_read(from_ns, to_ns):
            return None
        begin = self.reading(from_ns)
        begin = self.first() if begin is None else begin
        end = self.reading(to_ns)
        if begin is None or end is None or end < begin:
            return None
        return end - begin


@dataclass(frozen=True)
class DayKept:
    """How much of a plant-local day is here.

    Attributes:
        day: which.
        usable: readings of measured points whose quality is usable.
        due: readings that the schedules ask for within the statement's period.
    """

    day: Day
    usable: int
    due: int


class HourFold:
    """Folds the frames of a month, in any order of streams.

    Attributes:
        calendar: the month's plant-local days.
        meters: the totalisers that had readings, by point id.
    """

    def __init__(self, points: Iterable[str], days: Sequence[Day]) -> None:
        """`points`: totalisers to follow; `days`: of the month, in order."""
        self._wanted, self.calendar = set(points), days
        self.meters: dict[str, Meter] = {}
        self._usable: Counter[int] = Counter()
        self._rates: dict[int, list[tuple[int, int]]] = {}
        self._config: Mapping[str, Any] = {}
        self._rows: dict[int, list[tuple[int, Point]]] = {}
        self._computed: set[int] = set()

    def feed(self, config: Mapping[str, Any], body: Body) -> None:
        """Take one frame with the configuration it names."""
        if config is not self._config:
            self._configure(config)
        for section in body.sections:
            day = self._day(section.first_ns)
            if day is None:
                continue
            self._rates[day] = rates_of(config)
            begun_ns = self.calendar[day].start_ns
            hour = section.first_ns - (section.first_ns - begun_ns) % HOUR_NS
            for group in section.groups:
                if group.group not in self._computed:
                    self._usable[day] += int((group.quality < FIRST_BAD).sum())
                for row, point in self._rows.get(group.group, ()):
                    counts, valid = to_counts(group.raw[row], point)
                    good = np.flatnonzero(valid & (group.quality[row] < FIRST_BAD))
                    if good.size:
                        self._take(point, hour, int(counts[good[0]]), int(counts[good[-1]]))

    def finish(self) -> None:
        """No frame follows: what only reading needs is let go, so that it can be handed on."""
        self._config, self._rows, self._computed = {}, {}, set()

    def days(self, from_ns: int, to_ns: int) -> list[DayKept]:
        """Each day of the month, for the statement's period."""
        kept, rates = [], list[tuple[int, int]]()
        for n, day in enumerate(self.calendar):
            rates = self._rates.get(n, rates)
            begin, end = max(day.start_ns, from_ns), min(day.end_ns, to_ns)
            due = sum(max(-(-end // step) + (-begin // step), 0) * points for step, points in rates)
            kept.append(DayKept(day, self._usable[n], due))
        return kept

    def _day(self, at_ns: int) -> int | None:
        return next(
            (n for n, d in enumerate(self.calendar) if d.start_ns <= at_ns < d.end_ns), None
        )

    def _configure(self, config: Mapping[str, Any]) -> None:
        self._config, self._rows = config, {}
        self._computed = {g for g, group in enumerate(config["groups"]) if group["computed"]}
        for g, group in enumerate(config["groups"]):
            for row, index in enumerate(group["points"]):
                if config["points"][index]["id"] in self._wanted:
                    point = Point.from_map(config["points"][index])
                    self._rows.setdefault(g, []).append((row, point))

    def _take(self, point: Point, hour: int, first: int, last: int) -> None:
        if point.id not in self.meters:
            self.meters[point.id] = Meter(point.id, point.quantity.unit, point.decimals)
        meter = self.meters[point.id]
        before = meter.hours.get(hour)
        meter.hours[hour] = (first if before is None else before[0], last)


def month_days(time_zone: str, month: str) -> list[Day]:
    """The plant-local days of "YYYY-MM"."""
    zone = PlantDays(time_zone)
    at, end = zone.month_bounds(month)
    days = []
    while at < end:
        days.append(zone.day(at))
        at = days[-1].end_ns
    return days


def points_of(output: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Ids of the totalisers that a statement's figures came from, in its order."""
    found: dict[str, None] = {}
    maps: list[Any] = [output["lines"], output["auxiliary"], given.get("output", {})]
    while maps:
        value = maps.pop(0)
        if isinstance(value, Mapping):
            if value.get("rule") == "totaliser" and isinstance(value.get("point"), str):
                found |= dict.fromkeys(value["point"].split())
            maps[:0] = value.values()
        elif isinstance(value, list):
            maps[:0] = value
    return list(found)
