"""What is given of the uncertainty of one line's parameters, and what it makes of its emission."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from edge.calc.parameter import Parameter
from edge.calc.statements.line import Line, Model
from edge.calc.statements.statement_table import Table
from edge.calc.uncertainty import (
    COVERAGE,
    EXPANDED,
    MEANINGS,
    Assessment,
    Contribution,
    Spread,
    root_up_text,
    standard,
)

CONVENTION = "convention"
_PERCENT_MAX = 100  # beyond, a first order says nothing
_K_MAX = 4
_DOF_MAX = 1_000_000


@dataclass(frozen=True)
class Stated:
    """One entry of a line's `uncertainty` list, read.

    Attributes:
        parameter: whose.
        said: the entry as given, for the statement.
        amount: stated uncertainty, in percent or absolute; None for a convention.
        relative: the amount is in percent of the parameter.
        means, k: see `uncertainty.standard`.
        source: common source, "" for none.
        dof: degrees of freedom, None when not given.
    """

    parameter: str
    said: Mapping[str, str]
    amount: Fraction | None = None
    relative: bool = True
    means: str = CONVENTION
    k: Fraction | None = None
    source: str = ""
    dof: int | None = None


def read_stated(table: Table) -> list[Stated]:
    """The `uncertainty` list of a line's table; the table notes what is wrong in it."""
    read = (_stated(entry) for entry in table.subtables("uncertainty"))
    return [stated for stated in read if stated is not None]


def _stated(entry: Table) -> Stated | None:
    parameter = entry.text("parameter")
    means = entry.text("means", (*MEANINGS, CONVENTION))
    source, told = entry.text("common") or "", entry.text("source") or ""
    numbers = {
        "percent": entry.number("percent", "%", high=_PERCENT_MAX, above_zero=True),
        "absolute": entry.number("absolute", "", above_zero=True),
        "k": entry.number("k", "", high=_K_MAX, above_zero=True),
        "dof": entry.number("dof", "", high=_DOF_MAX, above_zero=True),
    }
    entry.end()
    for key in ("parameter", "means"):
        if not entry.has(key):
            entry.problem(key, "missing")
    if means is not None:
        _fitting(entry, means)
    dof = numbers["dof"]
    if dof is not None and dof.value.denominator != 1:
        entry.problem("dof", "must be a whole number")
        return None
    if parameter is None or means is None:
        return None
    amount = numbers["percent"] or numbers["absolute"]
    given = {key: number.text for key, number in numbers.items() if number is not None}
    names = {"common": source, "source": told}
    said = {"parameter": parameter, "means": means, **given}
    return Stated(
        parameter=parameter,
        said={**said, **{key: name for key, name in names.items() if name}},
        amount=amount.value if amount is not None else None,
        relative=numbers["percent"] is not None,
        means=means,
        k=numbers["k"].value if numbers["k"] is not None else None,
        source=source,
        dof=int(dof.value) if dof is not None else None,
    )


def _fitting(entry: Table, means: str) -> None:
    """Note the keys that this meaning needs and has not, or has and does not take."""
    if means == CONVENTION:
        for key in ("percent", "absolute", "k", "dof", "common"):
            if entry.has(key):
                entry.problem(key, "a convention has none: it is what the rule says it is")
        return
    if entry.has("percent") == entry.has("absolute"):
        entry.problem("percent", "give exactly one of percent and absolute")
    if (means == EXPANDED) != entry.has("k"):
        why = "missing: by what was it expanded?" if means == EXPANDED else "only expanded has it"
        entry.problem("k", why)


def assess(line: Line, stated: list[Stated], table: Table) -> Line:
    """The line with its uncertainty; unchanged when none is stated or something is wrong."""
    if not stated:
        return line
    if line.model is None:
        table.problem("uncertainty", f"of {line.category} lines is not computed")
        return line
    inputs, counted = line.model.inputs, set(line.model.counted)
    if not all([_is_input(line, line.model, each, table) for each in stated]):
        return line
    conventions = {each.parameter for each in stated if each.amount is None}
    contributions = [
        (each, _contribution(line, each)) for each in stated if each.amount is not None
    ]
    known = {each.parameter for each, _ in contributions}
    if both := sorted(conventions & known):
        table.problem("uncertainty", f"{' '.join(both)}: a convention, and uncertain besides?")
        return line
    activity = [found for each, found in contributions if each.parameter in counted]
    made = Assessment(
        spread=Spread.of(found for _, found in contributions),
        activity=Spread.of(activity) if counted <= known else None,
        assessed=tuple(name for name in inputs if name in known),
        not_assessed=tuple(name for name in inputs if name not in known | conventions),
        by_convention=tuple(name for name in inputs if name in conventions),
        components=tuple(
            {**each.said, "u_t": root_up_text(found.amount**2)} for each, found in contributions
        ),
    )
    return replace(line, assessment=made)


def _is_input(line: Line, model: Model, stated: Stated, table: Table) -> bool:
    """Note an entry that fits no input of the line."""
    name, inputs = stated.parameter, model.inputs
    reason = ""
    if name in line.parameters and name not in inputs:
        reason = f"{name} is made of others, or told beside: give theirs ({' '.join(inputs)})"
    elif name not in inputs:
        reason = f"the line has no {name!r}; it has: {' '.join(inputs)}"
    elif stated.amount is None and name in model.counted:
        reason = f"{name} is no convention: somebody measured it"
    elif stated.amount is not None and stated.relative and not line.parameters[name].value:
        reason = f"{name} is 0, and a percentage of it nothing: give absolute"
    if reason:
        table.problem("uncertainty", reason)
    return not reason


def _contribution(line: Line, stated: Stated) -> Contribution:
    parameter = line.parameters[stated.parameter]
    amount = stated.amount or Fraction(0)
    if stated.relative:
        amount *= parameter.value / 100
    moved = sensitivity(line, stated.parameter, parameter)
    return Contribution(moved * standard(amount, stated.means, stated.k), stated.source, stated.dof)


def sensitivity(line: Line, name: str, parameter: Parameter) -> Fraction:
    """How much the emission moves with a parameter, exactly: by it alone it is a straight line."""
    if line.model is None:
        return Fraction(0)
    beside = {**line.parameters, name: replace(parameter, value=parameter.value + 1)}
    return line.model.emission(beside) - line.model.emission(line.parameters)


def spread_map(spread: Spread, of: Fraction) -> dict[str, Any]:
    """A spread in a statement: tonnes, and percent of `of` unless that is 0."""
    square, wide = spread.square, COVERAGE**2
    result: dict[str, Any] = {
        "k": str(COVERAGE),
        "u_t": root_up_text(square),
        "random_t": root_up_text(spread.random),
        "common_t": {
            source: ("-" if amount < 0 else "") + root_up_text(amount**2)
            for source, amount in sorted(spread.common.items())
        },
        "expanded_t": root_up_text(square * wide),
    }
    if of:
        result["u_percent"] = percent_up(square, of)
        result["expanded_percent"] = percent_up(square * wide, of)
    if spread.dof is not None:
        result["dof"] = str(spread.dof)
    return result


def percent_up(square: Fraction, of: Fraction) -> str:
    """The root of a square as a percentage, rounded up."""
    return root_up_text(square * 100**2 / of**2)
