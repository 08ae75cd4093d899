"""Uncertainty of a year from that of its months, as they were printed.

What is random in a month is independent of the other months: squares add, and it shrinks beside
the year. What a source has in common it has in all of them (one scale, one laboratory): its parts
add with their signs and do not shrink. Printed parts are rounded up, so the year's is never too
small by that. Months that were not assessed are in `of_t` of none: what is missing is not zero.
Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import rounded_text
from edge.calc.statements.line import EMISSION_PLACES
from edge.calc.statements.line_uncertainty import spread_map
from edge.calc.statements.mrr_tiers import tier_map
from edge.calc.uncertainty import COVERAGE, Spread

#: (uncertainty as a month prints it, its emission in t)
Printed = tuple[Mapping[str, Any], Fraction]


def of_totals(statements: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of every total that a month assessed; nothing where none did."""
    told = [(s["month"], s["uncertainty"]["totals"]) for s in statements if "uncertainty" in s]
    keys = dict.fromkeys(key for _, totals in told for key in totals)
    result = {}
    for key in keys:
        parts = [(t[key], Fraction(t[key]["of_t"])) for _, t in told if "of_t" in t.get(key, {})]
        if parts:
            months = [month for month, totals in told if "of_t" in totals.get(key, {})]
            result[key] = {**_together(parts), "months": months}
    return result


def of_lines(lines: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Of one source's lines, with its quantity against the tiers where every line has that."""
    given = list(lines)
    shown = [(line["uncertainty"], Fraction(line["emission_t"])) for line in given]
    parts = [pair for pair in shown if "u_t" in pair[0]]
    if not parts:
        return {}
    result: dict[str, Any] = {**_together(parts), "lines": str(len(parts))}
    result["not_assessed"] = sorted({n for told, _ in shown for n in told.get("not_assessed", ())})
    activity = [(told["activity"], of) for told, of in parts if "activity" in told]
    if len(activity) == len(given):
        result["activity"] = _activity(activity)
    return result


def _activity(parts: Sequence[Printed]) -> dict[str, Any]:
    """A year's quantity: what the regulation's thresholds are about."""
    of = sum((emission for _, emission in parts), Fraction(0))
    spread = _sum(parts)
    streams = {told.get("mrr_stream") for told, _ in parts}
    result: dict[str, Any] = {}
    if of:
        result["expanded_percent"] = spread_map(spread, of)["expanded_percent"]
        if len(streams) == 1 and (stream := streams.pop()) is not None:
            result |= tier_map(stream, spread.square * COVERAGE**2, of)
    return result


def _together(parts: Sequence[Printed]) -> dict[str, Any]:
    of = sum((emission for _, emission in parts), Fraction(0))
    return {"of_t": rounded_text(of, EMISSION_PLACES), **spread_map(_sum(parts), of)}


def _sum(parts: Sequence[Printed]) -> Spread:
    total = Spread()
    for told, _ in parts:
        common = {source: Fraction(text) for source, text in told["common_t"].items()}
        total.add(Spread(Fraction(told["random_t"]) ** 2, common), 1)
    return total
