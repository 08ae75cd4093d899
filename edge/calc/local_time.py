"""The plant's own days and months.

Day counters start at plant-local midnight and a month's statement at its first midnight. Pure:
the time zone comes from the zone database, instants are given by the caller.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from edge.calc.blocks import Block
from edge.calc.errors import PlantError

_SECOND_NS = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Day:
    """One plant-local calendar day.

    Attributes:
        start_ns: UTC nanoseconds of its midnight.
        end_ns: of the next midnight.
        month: "YYYY-MM".
    """

    start_ns: int
    end_ns: int
    month: str


class PlantDays:
    """Cuts time at plant-local midnights."""

    def __init__(self, time_zone: str) -> None:
        try:
            self._zone = ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a folder of zones is one
            raise PlantError(f"plant.time_zone: {time_zone!r} is not a known zone") from error

    def day(self, instant_ns: int) -> Day:
        """The day an instant lies in."""
        local = (_EPOCH + timedelta(seconds=instant_ns // _SECOND_NS)).astimezone(self._zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        following = (midnight + timedelta(days=1)).replace(fold=0)
        return Day(_ns(midnight), _ns(following), f"{local.year:04}-{local.month:02}")

    def month_bounds(self, month: str) -> tuple[int, int]:
        """UTC nanoseconds of the first midnight of "YYYY-MM" and of the month after it."""
        year, number = int(month[:4]), int(month[5:7])
        first = datetime(year, number, 1, tzinfo=self._zone)
        after = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=self._zone)
        return _ns(first), _ns(after)


def _ns(local: datetime) -> int:
    # aware datetimes of one zone subtract by wall clock; going through UTC counts real seconds
    since = local.astimezone(UTC) - _EPOCH
    return (since.days * 86_400 + since.seconds) * _SECOND_NS


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
