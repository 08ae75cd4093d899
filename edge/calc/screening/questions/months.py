"""Is one month of a plant unlike its other months?"""

from collections.abc import Iterator, Sequence

import numpy as np

from edge.calc.factors import rule_set
from edge.calc.screening.month import Floats, ScreenedMonth
from edge.calc.screening.quarters import DAY_QUARTERS, QUARTER_NS
from edge.calc.screening.question import Plot, Result, question_of_all
from edge.calc.screening.ranges import DAYS_LEAST, apart
from edge.calc.screening.relations import relations


@question_of_all(
    "ratio-of-months",
    source="Welch's t of a month's daily ratios against those of the plant's other months, moved "
    "towards them by the limit first, two-sided",
)
def ratio_of_months(months: Sequence[ScreenedMonth]) -> Iterator[Result]:
    """Each ratio of each month against the same ratio of the plant's other months."""
    limit = float(rule_set("screening").row("ratio.percent").value) / 100
    for month, others in _beside(months):
        elsewhere = {(r.name, r.where): r.known for o in others for r in relations(o)}
        for name in elsewhere:
            parts = [r.known for o in others for r in relations(o) if (r.name, r.where) == name]
            elsewhere[name] = np.concatenate(parts)
        for relation in relations(month):
            own, other = relation.known, elsewhere.get((relation.name, relation.where))
            if other is None or min(len(own), len(other)) < DAYS_LEAST:
                continue
            mean, usual = float(own.mean()), float(other.mean())
            percent = 100 * (mean / usual - 1) if usual else 0.0
            yield Result(
                "ratio-of-months", month.plant, month.month, relation.where, f"{percent:+.1f} %",
                _chance(own, other, limit * abs(usual)),
                facts={
                    "relation": relation.name, "unit": relation.unit, "mean": f"{mean:.4g}",
                    "usual": f"{usual:.4g}", "percent": f"{percent:+.1f}",
                    "months": str(len(others)),
                },
                plot=Plot(
                    relation.unit, month.from_ns, DAY_QUARTERS * QUARTER_NS,
                    month.drawn(relation.ratios), levels=(usual,),
                ),
            )  # fmt: skip


@question_of_all(
    "noise-of-months",
    source="Welch's t of the logarithms of a month's daily mean squares of steps against those of "
    "the plant's other months, moved towards them by the limit first, two-sided",
)
def noise_of_months(months: Sequence[ScreenedMonth]) -> Iterator[Result]:
    """Each gauge: how much it moves from reading to reading, against the plant's other months."""
    limit = 2 * float(np.log(float(rule_set("screening").row("noise.factor").value)))
    for month, others in _beside(months):
        for row in month.gauges:
            point = month.quarters.points[row]
            own = _noise(month, row)
            known = [_noise(o, r) for o in others if (r := o.row(point.id)) is not None]
            other = np.concatenate(known) if known else np.empty(0)
            if min(len(own), len(other)) < DAYS_LEAST:
                continue
            factor = float(np.exp((own.mean() - other.mean()) / 2))
            yield Result(
                "noise-of-months", month.plant, month.month, point.id, f"× {factor:.2f}",
                _chance(own, other, limit),
                facts={"factor": f"{factor:.2f}", "months": str(len(others))},
            )  # fmt: skip


def _chance(own: Floats, other: Floats, limit: float) -> float:
    """Chance when a difference up to the limit is no matter."""
    difference = float(own.mean() - other.mean())
    if abs(difference) <= limit:
        return 1.0
    return apart(own - np.sign(difference) * limit, other)


def _noise(month: ScreenedMonth, row: int) -> Floats:
    """Logarithm of each day's mean square of a step; days on which it did not move are none."""
    whole = month.quarter_count // DAY_QUARTERS
    cut = slice(0, whole * DAY_QUARTERS)
    squares = month.kept.squares[row, cut].reshape(whole, -1).sum(axis=1, dtype=np.float64)
    pairs = month.kept.pairs[row, cut].reshape(whole, -1).sum(axis=1, dtype=np.int64)
    known = (squares > 0) & (pairs > 0)
    result: Floats = np.log(squares[known] / pairs[known])
    return result


def _beside(
    months: Sequence[ScreenedMonth],
) -> Iterator[tuple[ScreenedMonth, list[ScreenedMonth]]]:
    """Each month with the other months of its plant, where there are any."""
    for month in months:
        others = [o for o in months if o.plant == month.plant and o.month != month.month]
        if others:
            yield month, others
