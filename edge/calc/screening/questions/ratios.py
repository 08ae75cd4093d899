"""Do quantities that belong together keep their proportion, within its range and over the month?"""

from collections.abc import Iterator

import numpy as np

from edge.calc.factors import rule_set
from edge.calc.screening.month import ScreenedMonth
from edge.calc.screening.quarters import DAY_QUARTERS, QUARTER_NS
from edge.calc.screening.question import Plot, Result, question
from edge.calc.screening.ranges import DAYS_LEAST, Relation, moved, outside
from edge.calc.screening.relations import TOTALISER, relations


@question(
    "totaliser-integral",
    source="Student's t of the days' ratios against the limit, one-sided",
)
def totaliser_integral(month: ScreenedMonth) -> Iterator[Result]:
    """Each totaliser against the integral of the rate of the same meter."""
    for relation in relations(month):
        if relation.name == TOTALISER:
            yield from _in_range("totaliser-integral", month, relation)


@question(
    "ratio-range",
    source="Student's t of the days' ratios against the nearest end of the range, one-sided",
)
def ratio_range(month: ScreenedMonth) -> Iterator[Result]:
    """Each ratio of energy, material or carbon for which there is a range."""
    for relation in relations(month):
        if relation.name != TOTALISER and (relation.low or relation.high):
            yield from _in_range("ratio-range", month, relation)


@question(
    "ratio-moved",
    source="greatest cumulative sum of the days' distances from their mean, less what the limit "
    "makes of it, against a Brownian bridge (Kolmogorov's limit), spread from day to day (von "
    "Neumann 1941)",
)
def ratio_moved(month: ScreenedMonth) -> Iterator[Result]:
    """Each ratio: whether its level changed within the month."""
    limit = float(rule_set("screening").row("ratio.percent").value) / 100
    for relation in relations(month):
        days = relation.known
        if len(days) < 2 * DAYS_LEAST:
            continue
        chance, at = moved(days, limit * abs(float(days.mean())))
        last = int(np.flatnonzero(np.isfinite(relation.ratios))[at - 1])  # days may be missing
        before, after = float(days[:at].mean()), float(days[at:].mean())
        percent = 100 * (after / before - 1) if before else 0.0
        yield Result(
            "ratio-moved", month.plant, month.month, relation.where, f"{percent:+.1f} %", chance,
            facts={
                "relation": relation.name, "unit": relation.unit, "day": str(last + 1),
                "before": f"{before:.4g}", "after": f"{after:.4g}", "percent": f"{percent:+.1f}",
            },
            plot=_plot(month, relation),
        )  # fmt: skip


def _in_range(name: str, month: ScreenedMonth, relation: Relation) -> Iterator[Result]:
    days = relation.known
    if len(days) < DAYS_LEAST:
        return
    low, high = (float(row.value) if row else None for row in (relation.low, relation.high))
    if name == "totaliser-integral" and high is not None:
        low, high = 1 - high / 100, 1 + high / 100
    elif relation.unit == "%" and low is None and high is not None and high < 50:
        low = -high  # so much either way
    mean = float(days.mean())
    yield Result(
        name, month.plant, month.month, relation.where,
        f"{mean:.4g}" if relation.unit == "1" else f"{mean:.4g} {relation.unit}",
        outside(days, low, high),
        facts={
            "relation": relation.name, "unit": relation.unit, "mean": f"{mean:.4g}",
            "low": f"{low:g}" if low is not None else "–",
            "high": f"{high:g}" if high is not None else "–",
            "confidence": relation.confidence,
        },
        plot=_plot(month, relation, tuple(end for end in (low, high) if end is not None)),
    )  # fmt: skip


def _plot(month: ScreenedMonth, relation: Relation, levels: tuple[float, ...] = ()) -> Plot:
    return Plot(
        relation.unit, month.from_ns, DAY_QUARTERS * QUARTER_NS, month.drawn(relation.ratios),
        levels=levels,
    )  # fmt: skip
