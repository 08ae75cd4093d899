"""Are readings lacking where the load is high?"""

from collections.abc import Iterator

import numpy as np

from edge.calc.screening.loads import concentration
from edge.calc.screening.month import ScreenedMonth
from edge.calc.screening.question import Plot, Result, question
from edge.calc.screening.quarters import QUARTER_NS
from edge.calc.screening.stretches import stretches

_PERCENT_LEAST = 20


@question(
    "gaps-at-load",
    source="as marks-at-load, over quarter-hours that lack a fifth of their readings and more",
)
def gaps_at_load(month: ScreenedMonth) -> Iterator[Result]:
    """Each point that now and then has no readings, or none that can be used."""
    kept = month.kept
    for row in month.measured:
        good = kept.good[row].astype(np.int64) + kept.marked[row]
        due = int(np.median(kept.taken[row]))
        pattern = 100 * (due - good) >= _PERCENT_LEAST * due
        found = concentration(month, row, pattern) if due else None
        if found is None:
            continue
        point = month.quarters.points[row]
        yield Result(
            "gaps-at-load", month.plant, month.month, point.id, f"rank {found.rank:.2f}",
            found.chance,
            facts={"hours": f"{found.quarters / 4:g}", "rank": f"{100 * found.rank:.0f}"},
            plot=Plot(
                point.quantity.unit, month.from_ns, QUARTER_NS, month.drawn(found.load),
                stretches(pattern),
            ),
        )  # fmt: skip
