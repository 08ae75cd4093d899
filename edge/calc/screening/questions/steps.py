"""Does a point's level step where something was changed or calibrated?"""

from collections.abc import Iterator

import numpy as np

from edge.calc.screening.chance import student
from edge.calc.screening.month import Change, Floats, ScreenedMonth
from edge.calc.screening.quarters import DAY_QUARTERS, QUARTER_NS
from edge.calc.screening.question import Plot, Result, question

_KNOWN_LEAST = DAY_QUARTERS // 2
#: of a month, differences of days that do not overlap
_FREEDOM_LEAST = 5


@question(
    "step-at-change",
    source="difference of the means of a day before and a day after, against the same difference "
    "everywhere else in the month; Student's t with as many degrees of freedom as there are pairs "
    "of days that do not overlap, two-sided, the smallest of all changes by Bonferroni",
)
def step_at_change(month: ScreenedMonth) -> Iterator[Result]:
    """Each point that a change speaks of: the change with the largest step."""
    changes = [change for change in month.changes if _is_inside(month, change)]
    for row in month.measured:
        point = month.quarters.points[row]
        mine = [c for c in changes if not c.points or point.id in c.points]
        if not mine:
            continue
        differences = _differences(month.levels[row])
        at = [month.quarter_of(change.at_ns) for change in mine]
        quiet = np.isfinite(differences)
        for one in at:
            quiet[max(0, one - DAY_QUARTERS) : one + DAY_QUARTERS] = False
        freedom = int(quiet.sum()) // (2 * DAY_QUARTERS)
        known = [(i, one) for i, one in enumerate(at) if np.isfinite(differences[one])]
        if freedom < _FREEDOM_LEAST or not known:
            continue
        spread = max(float(differences[quiet].std()), 1e-12)
        which, place = max(known, key=lambda pair: abs(differences[pair[1]]))
        t = abs(float(differences[place])) / spread
        before = float(np.nanmean(month.levels[row, place - DAY_QUARTERS : place]))
        percent = 100 * float(differences[place]) / before if before else float("inf")
        yield Result(
            "step-at-change", month.plant, month.month, point.id, f"{percent:+.1f} %",
            min(1.0, 2 * len(known) * student(t, freedom)),
            facts={
                "percent": f"{percent:+.1f}", "kind": mine[which].kind, "what": mine[which].what,
                "usual": f"{100 * spread / abs(before):.1f}" if before else "–",
            },
            plot=Plot(
                point.quantity.unit, month.from_ns, QUARTER_NS, month.drawn(month.levels[row]),
                [(place, place + 1)],
            ),
        )  # fmt: skip


def _is_inside(month: ScreenedMonth, change: Change) -> bool:
    return DAY_QUARTERS <= month.quarter_of(change.at_ns) <= month.quarter_count - DAY_QUARTERS


def _differences(level: Floats) -> Floats:
    """At each quarter: the mean of the day from it on less that of the day before."""
    known = np.isfinite(level)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, level, 0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    result = np.full(len(level), np.nan)
    if len(level) <= 2 * DAY_QUARTERS:
        return result
    at = np.arange(DAY_QUARTERS, len(level) - DAY_QUARTERS + 1)
    after_n = counts[at + DAY_QUARTERS] - counts[at]
    before_n = counts[at] - counts[at - DAY_QUARTERS]
    with np.errstate(divide="ignore", invalid="ignore"):
        after = (sums[at + DAY_QUARTERS] - sums[at]) / after_n
        before = (sums[at] - sums[at - DAY_QUARTERS]) / before_n
    enough = np.minimum(after_n, before_n) >= _KNOWN_LEAST
    result[at[: len(level) - DAY_QUARTERS]] = np.where(enough, after - before, np.nan)
    return result
