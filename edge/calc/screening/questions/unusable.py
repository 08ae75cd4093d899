"""Is more of a figure's readings without a usable value than should be?"""

from collections.abc import Iterator

import numpy as np

from edge.calc.factors import rule_set
from edge.calc.screening.month import ScreenedMonth
from edge.calc.screening.quarters import DAY_QUARTERS
from edge.calc.screening.question import Result, question
from edge.calc.screening.ranges import DAYS_LEAST, outside


@question(
    "unusable-share",
    source="Student's t of the days' shares against the limit, one-sided",
)
def unusable(month: ScreenedMonth) -> Iterator[Result]:
    """Each measured point: readings without a value, of those that were due."""
    limit = float(rule_set("screening").row("unusable.percent").value)
    kept = month.kept
    for row in month.measured:
        first, last = month.quarters.due(row)
        begin, end = -(-first // DAY_QUARTERS), last // DAY_QUARTERS
        if end - begin < DAYS_LEAST:
            continue
        cut = slice(begin * DAY_QUARTERS, end * DAY_QUARTERS)
        due = int(np.median(kept.taken[row, cut]))
        if not due:
            continue
        good = kept.good[row, cut].reshape(-1, DAY_QUARTERS).sum(axis=1, dtype=np.int64)
        shares = 100 * (1 - good / (due * DAY_QUARTERS))
        mean = float(shares.mean())
        yield Result(
            "unusable-share", month.plant, month.month, month.quarters.points[row].id,
            f"{mean:.1f} %", outside(shares, None, limit),
            facts={"percent": f"{mean:.1f}", "limit": f"{limit:g}"},
        )  # fmt: skip
