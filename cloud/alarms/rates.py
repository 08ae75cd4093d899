"""How many alarms an operator is told of: in ten minutes, an hour, a day. Pure.

The targets are those that secondary sources give of ANSI/ISA-18.2 and EEMUA 191 for one operator:
about one in ten minutes, six an hour, 144 a day; more than ten in ten minutes are a flood.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

SECOND_NS = 1_000_000_000
TEN_MIN_NS, HOUR_NS, DAY_NS = 600 * SECOND_NS, 3_600 * SECOND_NS, 86_400 * SECOND_NS
TARGET_TEN_MIN, TARGET_AN_HOUR, TARGET_A_DAY = 1, 6, 144
FLOOD = 10


@dataclass(frozen=True)
class Rates:
    """New alarms that people were told of.

    Attributes:
        ten_min, hour, day: in the last ten minutes, hour, 24 hours.
        worst: the most within any ten minutes of the 24 hours.
    """

    ten_min: int
    hour: int
    day: int
    worst: int


def rates_of(told_ns: Sequence[int], now_ns: int) -> Rates:
    """Of instants (UTC ns, ascending) of the last 24 hours."""

    def since(lasting_ns: int) -> int:
        return len(told_ns) - bisect_left(told_ns, now_ns - lasting_ns)

    worst = max(
        (bisect_left(told_ns, at_ns + TEN_MIN_NS) - n for n, at_ns in enumerate(told_ns)), default=0
    )
    return Rates(since(TEN_MIN_NS), since(HOUR_NS), len(told_ns), worst)
