"""What a shift emitted: differences of what its months had counted. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from cloud.shift.store import CountedTo


@dataclass(frozen=True)
class ShiftEmission:
    """What was counted in a stretch of time that lies in, or just about is, a shift.

    Attributes:
        from_ns, to_ns: which stretch, by the readings' own times, UTC ns.
        total_t: decimal text.
        unit: "tCO2e" or "tCO2".
    """

    from_ns: int
    to_ns: int
    total_t: str
    unit: str


def emitted(counts: Sequence[CountedTo]) -> ShiftEmission | None:
    """The sum of a stretch's differences; None with fewer than two counts.

    A month that begins within it begins with nothing: all that it counted is of the stretch.
    """
    if len(counts) < 2:
        return None
    total = Decimal(0)
    for before, after in pairwise(counts):
        base = Decimal(before.total_t) if before.month == after.month else Decimal(0)
        total += Decimal(after.total_t) - base
    return ShiftEmission(counts[0].at_ns, counts[-1].at_ns, f"{total:f}", counts[-1].unit)
