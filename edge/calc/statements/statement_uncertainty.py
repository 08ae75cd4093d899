"""Uncertainty of a statement's lines and totals, shown beside the figures and never in them.

A total tells which share of its emission was assessed: in full (every input of the line), in part,
or not at all. What is missing is never zero: tonnes and percent are of the assessed lines alone,
whose emission stands beside them as `of_t`.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import rounded_text
from edge.calc.factors import RuleSet
from edge.calc.statements.line import COUNTS, EMISSION_PLACES, Line
from edge.calc.statements.line_uncertainty import spread_map
from edge.calc.statements.mrr_tiers import activity_map
from edge.calc.uncertainty import PLACES, Spread

INCOMPLETE = "uncertainty-incomplete"
TOTAL = "total_t"


def line_map(line: Line, rules: RuleSet) -> dict[str, Any]:
    """What a line's "uncertainty" holds in a statement that assesses any."""
    assessment = line.assessment
    if assessment is None:
        inputs = line.model.inputs if line.model is not None else tuple(line.parameters)
        return {"assessed": [], "not_assessed": list(inputs)}
    shown = spread_map(assessment.spread, line.emission) if assessment.assessed else {}
    result = {
        **shown,
        "assessed": list(assessment.assessed),
        "not_assessed": list(assessment.not_assessed),
        "by_convention": list(assessment.by_convention),
        "components": [dict(component) for component in assessment.components],
    }
    activity = activity_map(line, rules)
    return result if activity is None else {**result, "activity": activity}


def totals_map(lines: Sequence[Line], totals: Mapping[str, str]) -> dict[str, Any]:
    """Of every total that a statement or a process unit has."""
    return {
        key: _total_map([(line, sign) for line in lines if (sign := _sign(line, key))])
        for key in totals
    }


def _sign(line: Line, key: str) -> int:
    """How a line counts in a total; 0 where it does not."""
    mine, sign, sign_in_all = COUNTS[line.category]
    if key == TOTAL:
        return sign_in_all
    return sign if key == mine else 0


def _total_map(signs: Sequence[tuple[Line, int]]) -> dict[str, Any]:
    spread, of, weights = Spread(), Fraction(0), dict.fromkeys(("full", "part", "none"), Fraction())
    for line, sign in signs:
        weights[_how_far(line)] += abs(line.rounded)
        if line.assessment is not None and line.assessment.assessed:
            spread.add(line.assessment.spread, sign)
            of += sign * line.rounded
    result: dict[str, Any] = _shares(weights)
    if of or spread.square:
        result |= {"of_t": rounded_text(of, EMISSION_PLACES), **spread_map(spread, of)}
    return result


def _how_far(line: Line) -> str:
    if line.assessment is None:
        return "none"
    if line.assessment.is_complete:
        return "full"
    return "part" if line.assessment.assessed else "none"


def _shares(weights: Mapping[str, Fraction]) -> dict[str, str]:
    """Percent of the lines' emission, whatever their sign; none when there is no emission.

    Assessed in full is rounded down and not assessed up: the rest, in part, may be too little.
    """
    total, step = sum(weights.values(), Fraction(0)), 10**PLACES
    if not total:
        return {}
    full = Fraction(weights["full"] * 100 * step // total, step)
    none = Fraction(-(-weights["none"] * 100 * step // total), step)
    shares = {"assessed": full, "partly_assessed": 100 - full - none, "not_assessed": none}
    return {f"{name}_percent": rounded_text(share, PLACES) for name, share in shares.items()}


def is_incomplete(lines: Sequence[Line]) -> bool:
    """Some line's uncertainty is assessed in part or not at all."""
    return any(_how_far(line) != "full" for line in lines)
