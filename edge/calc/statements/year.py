"""Year to date: months of one plant and year put together, as they were printed, to the cent.

Emissions are sums of the printed lines and totals, never computed anew from a year's quantities. A
factor of a year is the mean of the months', weighted with what it is multiplied by (`weights`), and
only informative.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from edge.calc.decimal_text import exact_text, parse_decimal, rounded_text
from edge.calc.errors import StatementError
from edge.calc.statements.statement import compute, output_key
from edge.calc.statements.statement_uncertainty import INCOMPLETE
from edge.calc.statements.weights import FACTORS, weight_of
from edge.calc.statements.year_uncertainty import of_lines, of_totals
from edge.calc.uncertainty import COVERAGE

_MORE_PLACES = 2  # of a mean beyond the most its months have


def year_to_date(sources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The months of one year, in any order.

    Args:
        sources: inputs of `statement.compute`, one a month.

    Returns:
        "year", "months" (month, rule set, total), "lines" (category, kind, unit, lines, quantity,
        quantity_unit, emission_t, factors), "totals", "units", "gases", "output_t" and "intensity"
        when every month has its output, "uncertainty" where a month assesses any
        (`year_uncertainty`), "flags": month-missing:<month>, rule-set-changed:<month>,
        output-missing:<month>, lines-twice:<month>, not-whole:<month>, and the months' own.

    Raises:
        StatementError: no month, one twice, another year or plant; and as `compute` raises.
    """
    statements = [compute(source) for source in sources]
    order = sorted(range(len(sources)), key=lambda i: statements[i]["month"])
    sources, statements = [sources[i] for i in order], [statements[i] for i in order]
    _refuse(statements)
    totals: dict[str, Fraction] = {}
    gases: dict[str, Fraction] = {}
    units: dict[str, dict[str, Fraction]] = {}
    for statement in statements:
        _add(totals, statement["totals"])
        _add(gases, statement["gases"])
        for unit, sums in statement["units"].items():
            _add(units.setdefault(unit, {}), sums)
    flags = _flags(statements)
    result: dict[str, Any] = {
        "year": statements[0]["month"][:4],
        "months": [
            {"month": s["month"], "rule_set": s["rule_set"], "total_t": s["totals"]["total_t"]}
            for s in statements
        ],
        "lines": _lines(statements, flags),
        "totals": {key: rounded_text(value, 2) for key, value in totals.items()},
        "units": {
            unit: {key: rounded_text(value, 2) for key, value in sums.items()}
            for unit, sums in sorted(units.items())
        },
        "gases": {
            key: rounded_text(v, 2) if key == "co2_t" else exact_text(v) for key, v in gases.items()
        },
    }
    if sure := of_totals(statements):
        result["uncertainty"] = {"k": str(COVERAGE), "totals": sure}
        if any(len(total["months"]) < len(statements) for total in sure.values()):
            flags.add(INCOMPLETE)
    output = _output(sources, statements, flags)
    if output is not None:
        result["output_t"] = exact_text(output)
        result["intensity"] = rounded_text(totals["total_t"] / output, 4)
    return {**result, "flags": sorted(flags)}


def _refuse(statements: Sequence[Mapping[str, Any]]) -> None:
    if not statements:
        raise StatementError(["months: none given"])
    months = [statement["month"] for statement in statements]
    problems = [
        f"month: {month} is given {months.count(month)} times: which one counts?"
        for month in dict.fromkeys(months)
        if months.count(month) > 1
    ]
    if len({month[:4] for month in months}) > 1:
        problems.append(f"month: {months[0]} and {months[-1]} are of different years")
    plants = list(dict.fromkeys(str(s["plant"]) for s in statements if "plant" in s))
    if len(plants) > 1:
        problems.append(f"plant: {' '.join(plants)} are different plants")
    if len({output_key(statement["rule_set"]) for statement in statements}) > 1:
        problems.append("rule_set: the months are of different sectors")
    if problems:
        raise StatementError(problems)


def _flags(statements: Sequence[Mapping[str, Any]]) -> set[str]:
    """What must be said of the months together, and the months' own flags."""
    flags = {flag for statement in statements for flag in statement["flags"]}
    there = {int(statement["month"][5:]) for statement in statements}
    year = statements[0]["month"][:4]
    flags |= {f"month-missing:{year}-{n:02}" for n in range(1, max(there)) if n not in there}
    for before, after in pairwise(statements):
        if before["rule_set"] != after["rule_set"]:
            flags.add(f"rule-set-changed:{after['month']}")
    return flags | {f"not-whole:{s['month']}" for s in statements if s.get("closing") == "interim"}


def _add(sums: dict[str, Fraction], values: Mapping[str, str]) -> None:
    for key, value in values.items():
        sums[key] = sums.get(key, Fraction(0)) + Fraction(value)


def _lines(statements: Sequence[Mapping[str, Any]], flags: set[str]) -> list[dict[str, Any]]:
    """Each source's year: quantities and printed emissions summed, factors as weighted means."""
    found: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for statement in statements:
        seen = set()
        for line in statement["lines"]:
            key = line["category"], line["kind"], line.get("unit", "")
            if key in seen:  # two suppliers of one coal: one source, said
                flags.add(f"lines-twice:{statement['month']}")
            seen.add(key)
            found.setdefault(key, []).append(line)
    return [_line(key, lines) for key, lines in found.items()]


def _line(key: tuple[str, str, str], lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    category, kind, unit = key
    quantity = sum((Fraction(line["quantity"]) for line in lines), Fraction(0))
    emission = sum((Fraction(line["emission_t"]) for line in lines), Fraction(0))
    result: dict[str, Any] = {"category": category, "kind": kind, "lines": str(len(lines))}
    units = [line["parameters"].get("quantity", {}).get("unit", "t") for line in lines]
    result |= {"quantity": exact_text(quantity), "quantity_unit": units[0]}
    result |= {"emission_t": rounded_text(emission, 2)}
    result["factors"] = {
        name: mean for name in FACTORS if (mean := weighted_mean(lines, name)) is not None
    }
    if sure := of_lines(lines):
        result["uncertainty"] = sure
    return {**result, "unit": unit} if unit else result


def weighted_mean(lines: Sequence[Mapping[str, Any]], name: str) -> dict[str, str] | None:
    """The mean of a factor that every line has: value, unit, basis; None where there is none."""
    weights = [weight_of(line, name) for line in lines]
    heavy = [weight for weight in weights if weight is not None and weight >= 0]
    if len(heavy) < len(lines) or not sum(heavy):
        return None  # a mean with negative weights is no mean
    values = [Fraction(line["parameters"][name]["value"]) for line in lines]
    given = [line["parameters"][name] for line in lines]
    bases = sorted({parameter["basis"] for parameter in given})
    if len(set(values)) == 1:
        return {"value": given[0]["value"], "unit": given[0]["unit"], "basis": "+".join(bases)}
    mean = sum((v * w for v, w in zip(values, heavy, strict=True)), Fraction(0)) / sum(heavy)
    places = max(len(p["value"].partition(".")[2]) for p in given) + _MORE_PLACES
    text = rounded_text(mean, places)
    return {"value": text, "unit": given[0]["unit"], "basis": "+".join(bases)}


def _output(
    sources: Sequence[Mapping[str, Any]], statements: Sequence[Mapping[str, Any]], flags: set[str]
) -> Fraction | None:
    """The main product of all months, or None when a month lacks it."""
    total, whole = Fraction(0), True
    for source, statement in zip(sources, statements, strict=True):
        given = source.get("output", {}).get(output_key(statement["rule_set"]))
        if given is None:
            flags.add(f"output-missing:{statement['month']}")
            whole = False
        else:
            total += parse_decimal(given)
    return total if whole and total else None
