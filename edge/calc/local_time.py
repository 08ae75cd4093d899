"""The plant's own days and months.

Day counters start at plant-local midnight and a month's statement at its first midnight: at the
first instant at which the clock there shows that date or a later one, also where it skips midnight
or is set back over it (FORMAT.md §5). Pure: the rules of time zones are those of the zone
database, instants are given by the caller.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from edge.calc.blocks import Block
from edge.calc.errors import PlantError
from evidence.time_zones import time_zone

_SECOND_NS = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Day:
    """One plant-local calendar day.

    Attributes:
        start_ns: UTC nanoseconds of its first instant.
        end_ns: of the next day's.
        month: "YYYY-MM".
    """

    start_ns: int
    end_ns: int
    month: str


def clock_of(name: str) -> ZoneInfo:
    """The clock of an IANA time zone; ValueError says what to write."""
    return time_zone(name)


class PlantDays:
    """Cuts time at plant-local midnights."""

    def __init__(self, name: str) -> None:
        try:
            self._zone = time_zone(name)
        except ValueError as error:
            raise PlantError(f"plant.time_zone: {error}") from error

    def day(self, instant_ns: int) -> Day:
        """The day an instant lies in."""
        today = self._date(instant_ns // _SECOND_NS)
        following = self._start_ns(today + _DAY)
        if following <= instant_ns:  # the clock was set back over midnight
            today, following = today + _DAY, self._start_ns(today + 2 * _DAY)
        return Day(self._start_ns(today), following, f"{today.year:04}-{today.month:02}")

    def month_bounds(self, month: str) -> tuple[int, int]:
        """UTC nanoseconds of the first instant of "YYYY-MM" and of the month after it."""
        year, number = int(month[:4]), int(month[5:7])
        first, after = date(year, number, 1), date(year + number // 12, number % 12 + 1, 1)
        return self._start_ns(first), self._start_ns(after)

    def date_text(self, instant_ns: int) -> str:
        """The date that the clock there shows, "YYYY-MM-DD"."""
        return self._date(instant_ns // _SECOND_NS).isoformat()

    def _date(self, at_s: int) -> date:
        """What the clock there shows."""
        return (_EPOCH + timedelta(seconds=at_s)).astimezone(self._zone).date()

    def _start_ns(self, day: date) -> int:
        """First instant of a day."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=self._zone)
        # of a midnight that comes twice, fold 0 is the first; one that is skipped lies, counted
        # by the clock before, not before the leap, and counted by the clock after it, before it
        first, before = (_seconds(midnight.replace(fold=fold)) for fold in (0, 1))
        while first - before > 1:
            middle = (first + before) // 2
            first, before = (middle, before) if self._date(middle) >= day else (first, middle)
        return first * _SECOND_NS


def _seconds(local: datetime) -> int:
    """Since 1970."""
    # aware datetimes of one zone subtract by wall clock; going through UTC counts real seconds
    since = local.astimezone(UTC) - _EPOCH
    return since.days * 86_400 + since.seconds


def cut(blocks: Sequence[Block], at_ns: int) -> tuple[list[Block], list[Block]]:
    """The blocks before an instant and from it on; blocks without ticks are left out."""
    before: list[Block] = []
    after: list[Block] = []
    for block in blocks:
        split = int(np.searchsorted(block.ticks_ns, at_ns))
        if split:
            before.append(block if split == len(block.ticks_ns) else block.between(0, split))
        if split < len(block.ticks_ns):
            after.append(block.between(split, len(block.ticks_ns)) if split else block)
    return before, after


def by_day(days: PlantDays, blocks: Sequence[Block]) -> Iterator[tuple[Day, list[Block]]]:
    """The blocks cut at plant-local midnights, in time order."""
    rest = [block for block in blocks if len(block.ticks_ns)]
    while rest:
        day = days.day(min(int(block.ticks_ns[0]) for block in rest))
        part, rest = cut(rest, day.end_ns)
        yield day, part
