"""Checks of a counter against its flow and against limits, with the limit's row. Pure.

No figure is moved by one. What is outside, or could not be checked, is a flag of the statement.
FIGURES.md section 2.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text, rounded_text
from edge.calc.factors import Row, rule_set
from edge.calc.folds.counter import Line
from edge.calc.folds.entries import EntryMeter
from edge.calc.folds.leaps import most_per_hour
from edge.calc.folds.papers import Span
from edge.calc.statements.cross_check import NOT_CHECKED, OUTSIDE, WITHIN

TABLE = "counter-checks"
_HOUR_NS, _SECOND_NS = 3_600 * 10**9, 10**9


def _row(name: str) -> Row:
    return rule_set(TABLE).row(name)


def flow_result(meter: EntryMeter, line: Line) -> tuple[Fraction, Fraction, str]:
    """Counted by totaliser and by flow over the same time, in the statement's unit, and result.

    They are apart when they differ by more than a share of what the totaliser counted and by more
    than a share of what could have passed: a gauge near its zero says nothing.
    """
    counted = line.matched * meter.amount
    integral = line.integral * meter.flow_amount / _HOUR_NS
    apart = abs(integral - counted)
    is_outside = apart * 100 > counted * _row("flow_totaliser.percent").value
    most = most_per_hour(meter)
    if most is not None:
        passing = most * meter.amount * Fraction(line.covered_ns, _HOUR_NS)
        is_outside &= apart * 100 > passing * _row("flow_totaliser.full_scale_percent").value
    return counted, integral, OUTSIDE if is_outside else WITHIN


def flow_check(meter: EntryMeter, line: Line, period: Span) -> dict[str, Any]:
    """The integral of a flow against its own totaliser, over time in which both were read."""
    counted, integral, result = flow_result(meter, line)
    covered = Fraction(line.covered_ns * 100, max(period[1] - period[0], 1))
    if covered < _row("flow_totaliser.covered_percent").value:
        result = NOT_CHECKED
    found = {
        "check": "flow-totaliser",
        "point": meter.point.id,
        "flow_point": "" if meter.flow is None else meter.flow.id,
        "totaliser": exact_text(counted),
        "integral": rounded_text(integral, 6),
        "covered_s": exact_text(Fraction(line.covered_ns, _SECOND_NS)),
        "covered_percent": rounded_text(covered, 2),
        "limit_percent": _row("flow_totaliser.percent").text,
        "result": result,
    }
    if counted:
        difference = (integral - counted) / counted * 100
        found["difference_percent"] = rounded_text(difference, 2)
    return found


#: check -> (row of its limit, what is counted)
_COUNTED: Mapping[str, str] = {"totaliser-drops": "drops", "totaliser-spikes": "spikes"}


def counted_too_often(point: str, line: Line) -> Sequence[dict[str, Any]]:
    """Drops and spikes of a counter, where there are more than a meter has in a month."""
    found = []
    for check, name in _COUNTED.items():
        count, row = getattr(line, name), _row(f"{check.replace('-', '_')}.count")
        if count > row.value:
            told = {"count": count, "limit": row.text, "result": OUTSIDE}
            found.append({"check": check, "point": point, **told})
    return found
