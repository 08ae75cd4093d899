"""The figures of a month's statement, one by one and added up as the platform asks for them. Pure.

A line of the platform is a material: lines of the statement about one material (in several units)
are one there. Amounts are added, a factor is the mean weighted as `edge.calc.statements.weights`
says. A figure is rounded once, half up, to the places its layout names; what has fewer is left as
it is, so that it is the same string everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import UNROUNDED_PLACES, exact_text, parse_decimal, rounded_text
from edge.calc.factors import Kind, RuleSet
from edge.calc.statements.weights import weight_of

EMISSION = "emission_t"
CALCULATED = "calculated"

#: parameters that are amounts: those of several lines are added
AMOUNTS = frozenset(
    {EMISSION, "quantity", "opening", "purchased", "closing", "output", "gross_t", "net_t",
     "metal_t"}
)  # fmt: skip


@dataclass(frozen=True)
class Value:
    """One figure as it stands in a paper.

    Attributes:
        text: decimal string, rounded as asked.
        sealed: as the statement has it, or its exact sum or mean.
        basis: "measured", "default" or "calculated".
        direct: a meter was read directly; None where that is no question.
        source: where it came from, as the statement says.
    """

    text: str
    sealed: str
    basis: str
    direct: bool | None = None
    source: str = ""


def decimals(text: str) -> int:
    """How many places a decimal string has."""
    return len(text.partition(".")[2])


def rounded(text: str, places: int | None) -> str:
    """A decimal string with at most so many places, half up; None leaves it as it is."""
    if places is None or decimals(text) <= places:
        return text
    return rounded_text(parse_decimal(text), places)


def parameter_value(lines: Sequence[Mapping[str, Any]], name: str, places: int | None) -> Value:
    """A parameter of the lines about one material.

    Args:
        lines: of a statement's output.
        name: of the parameter, or `EMISSION`.
        places: decimals to round to.

    Raises:
        KeyError: not every line has it.
    """
    if name == EMISSION:
        total = sum((parse_decimal(line[EMISSION]) for line in lines), Fraction(0))
        text = lines[0][EMISSION] if len(lines) == 1 else rounded_text(total, 2)
        return Value(rounded(text, places), text, CALCULATED)
    found = [line["parameters"][name] for line in lines]
    text = found[0]["value"]
    if any(parameter["value"] != text for parameter in found) or (
        name in AMOUNTS and len(found) > 1
    ):
        text = _together(lines, [parameter["value"] for parameter in found], name)
    bases = {parameter["basis"] for parameter in found}
    return Value(
        text=rounded(text, places),
        sealed=text,
        basis=bases.pop() if len(bases) == 1 else CALCULATED,
        direct=all(_is_direct(parameter.get("provenance")) for parameter in found),
        source="; ".join(dict.fromkeys(str(parameter["source"]) for parameter in found)),
    )


def _together(lines: Sequence[Mapping[str, Any]], texts: Sequence[str], name: str) -> str:
    values = [parse_decimal(text) for text in texts]
    if name in AMOUNTS:
        return rounded_text(sum(values, Fraction(0)), max(map(decimals, texts)))
    weights = [weight_in(line, name) for line in lines]
    total = sum(weights, Fraction(0))
    if not total:
        return exact_text(sum(values, Fraction(0)) / len(values))
    mean = sum((v * w for v, w in zip(values, weights, strict=True)), Fraction(0)) / total
    return rounded_text(mean, UNROUNDED_PLACES)


def weight_in(line: Mapping[str, Any], name: str) -> Fraction:
    """What a line's factor counts in a mean of several; of an amount, the line's own."""
    weight = weight_of(line, name)
    return parse_decimal(line["quantity"]) if weight is None else weight


def _is_direct(provenance: Mapping[str, Any] | None) -> bool:
    """All its readings came from the meter itself, and nobody typed any part of it."""
    if not provenance or set(provenance) != {"frames"}:
        return False
    frames = provenance["frames"]
    return isinstance(frames, Mapping) and frames.get("class") == "meter-direct"


def year_text(
    values: Sequence[Value], weights: Sequence[Fraction], *, is_amount: bool, places: int | None
) -> str:
    """A year's figure from its months as they are printed.

    Args:
        values: one a month.
        weights: what each counts in a mean.
        is_amount: the year is their sum; else their weighted mean.
        places: decimals of a mean that is none of its months' values.
    """
    texts = [value.text for value in values]
    numbers = [parse_decimal(text) for text in texts]
    if is_amount:
        return rounded_text(sum(numbers, Fraction(0)), max(map(decimals, texts)))
    if len(set(texts)) == 1:
        return texts[0]
    total = sum(weights, Fraction(0))
    if not total:
        return ""
    mean = sum((n * w for n, w in zip(numbers, weights, strict=True)), Fraction(0)) / total
    return rounded_text(mean, UNROUNDED_PLACES if places is None else places)


def kinds_of(rules: RuleSet, category: str) -> Mapping[str, Kind]:
    """What lines of a category may be about."""
    return rules.carbonates if category == "carbonate" else rules.kinds(category)


def name_of(rules: RuleSet, category: str, kind: str) -> str:
    """The Chinese name of a line's kind; its id where the rule set gives none."""
    kinds = kinds_of(rules, category)
    return kinds[kind].zh if kind in kinds else kind


def figure_at(month: Mapping[str, Any], path: str) -> str | None:
    """A statement's own decimal string by its dotted path; None when it has none."""
    found: Any = month
    for key in path.split("."):
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return found if isinstance(found, str) else None
