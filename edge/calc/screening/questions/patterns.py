"""Do marks, gaps and still readings stand where the load is high?"""

from collections.abc import Callable, Iterator

import numpy as np

from edge.calc.blocks import Bool
from edge.calc.screening.loads import concentration
from edge.calc.screening.month import ScreenedMonth
from edge.calc.screening.quarters import QUARTER_NS
from edge.calc.screening.question import Plot, Result, question
from edge.calc.screening.still import stillness
from edge.calc.screening.stretches import stretches

#: a quarter-hour that lacks so much of its readings is a gap
_PERCENT_LEAST = 20
_SHIFTED = (
    "mean rank of the load under {what} against all its circular shifts (time-shifted surrogates: "
    "R. Andrzejak et al., Phys. Rev. E 68 (2003) 066202, recalled, not read), normal tail, "
    "one-sided"
)


@question("marks-at-load", source=_SHIFTED.format(what="the marks"))
def marks_at_load(month: ScreenedMonth) -> Iterator[Result]:
    """Each point with marks of maintenance or calibration, or reservations, now and then."""
    kept = month.kept
    yield from _at_load(
        "marks-at-load", month, month.measured,
        lambda row: (kept.marked[row] > 0) | (kept.reserved[row] > 0),
    )  # fmt: skip


@question("gaps-at-load", source=_SHIFTED.format(what="the gaps"))
def gaps_at_load(month: ScreenedMonth) -> Iterator[Result]:
    """Each point that now and then has no readings, or none that can be used."""
    kept = month.kept

    def lacking(row: int) -> Bool:
        there = kept.good[row].astype(np.int64) + kept.marked[row]
        first, last = month.quarters.due(row)
        due = int(np.median(kept.taken[row, first:last])) if last > first else 0
        short: Bool = 100 * (due - there) >= max(1, _PERCENT_LEAST * due)
        short[:first] = short[last:] = False
        return short

    yield from _at_load("gaps-at-load", month, month.measured, lacking)


@question("still-at-load", source=_SHIFTED.format(what="the still quarter-hours"))
def still_at_load(month: ScreenedMonth) -> Iterator[Result]:
    """Each gauge that now and then stands still, also by its nature."""
    yield from _at_load(
        "still-at-load", month, month.gauges, lambda row: stillness(month, row).stuck
    )


def _at_load(
    name: str, month: ScreenedMonth, rows: list[int], pattern_of: Callable[[int], Bool]
) -> Iterator[Result]:
    for row in rows:
        pattern = pattern_of(row)
        found = concentration(month, row, pattern)
        if found is None:
            continue
        point = month.quarters.points[row]
        yield Result(
            name, month.plant, month.month, point.id, f"rank {found.rank:.2f}", found.chance,
            facts={"hours": f"{found.quarters / 4:g}", "rank": f"{100 * found.rank:.0f}"},
            plot=Plot(
                point.quantity.unit, month.from_ns, QUARTER_NS, month.drawn(found.load),
                stretches(pattern),
            ),
        )  # fmt: skip
