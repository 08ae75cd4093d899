"""Does a series come back, again and again, to exactly its greatest value?"""

from collections.abc import Iterator

from edge.calc.screening.chance import at_least
from edge.calc.screening.month import ScreenedMonth
from edge.calc.screening.question import Result, question
from evidence.counts import count_to_text
from evidence.points import Provenance

_LEAST = 10


@question(
    "pinned-at-limit",
    source="this program's own; of the two greatest values the greater is the rarer in any tail "
    "that falls off, so arrivals at it are at most a fair coin's: binomial tail",
)
def pinned(month: ScreenedMonth) -> Iterator[Result]:
    """Each gauge that came to its two greatest values ten times and more."""
    for row in month.gauges:
        point = month.quarters.points[row]
        if point.provenance is Provenance.VIA_CONTROL_SYSTEM:
            continue  # controllers have limits of their own, and come back to them exactly
        top, second = (int(n) for n in month.quarters.extremes.arrivals[row])
        if top + second < _LEAST:
            continue
        value = count_to_text(int(month.quarters.extremes.values[row, 0]), point.decimals)
        yield Result(
            "pinned-at-limit", month.plant, month.month, point.id,
            f"{value} {point.quantity.unit}", at_least(top, top + second, 0.5),
            facts={
                "value": value, "unit": point.quantity.unit, "times": str(top),
                "next": str(second), "limit": point.range_max or "–",
            },
        )  # fmt: skip
