"""A calendar year as it is reported: twelve months, the threshold, and how far figures are apart.

Built on `year.year_to_date`. The difference rate is the platform's: |figure - annual| ÷ |annual|.
Its threshold is set each year by whoever verifies; none is in this program. Pure.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text, parse_decimal, rounded_text
from edge.calc.errors import StatementError
from edge.calc.factors import rule_set
from edge.calc.statements.weights import FACTORS
from edge.calc.statements.year import weighted_mean, year_to_date

YEAR_RULES = "cets-year"
#: flags of what belongs to the emission and is not in it; "missing:" has the rule's value instead
_LACKS, _OF_INDICATORS = "no-", frozenset({"no-producing-time"})
RATE_PLACES = 2  # of a difference rate, in percent
WITHIN, ABOVE, UNJUDGED = "within", "above", "no-threshold"
_GIVEN = ("annual", "verified")


def annual_statement(
    months: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
    reported: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The statement of a year.

    Args:
        months: (input, output) of each month's statement, in any order.
        reported: "annual" and "verified", tables of figures as `figures` names them, nested or
            with dots; "threshold_percent".

    Returns:
        What `year_to_date` gives, and "months_lacking" (of all twelve), "is_whole" (twelve final
        months), "figures" (id -> value), "key_entity", and "differences" where something was
        reported.

    Raises:
        StatementError: as `year_to_date`; and names each reported figure that the year has not.
    """
    result = year_to_date([given for given, _ in months])
    year = result["year"]
    there = {month["month"] for month in result["months"]}
    lacking = [f"{year}-{n:02}" for n in range(1, 13) if f"{year}-{n:02}" not in there]
    partial = any(flag.startswith("not-whole:") for flag in result["flags"])
    is_whole = not lacking and not partial
    found = figures(result, [made for _, made in months])
    return {
        **result,
        "months_lacking": lacking,
        "is_whole": is_whole,
        "figures": found,
        "key_entity": _key_entity(Fraction(result["totals"]["total_t"]), is_whole=is_whole),
        **({"differences": _differences(found, reported)} if reported else {}),
    }


def figures(year: Mapping[str, Any], made: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Each figure of a year by its id: total_t, output_t, intensity, fuel.diesel.ncv and others.

    Lines about one material are one here, as on the platform, in whatever unit they stand.

    Args:
        year: of `year_to_date`.
        made: outputs of its months' statements.
    """
    result = dict(year["totals"])
    result |= {key: year[key] for key in ("output_t", "intensity") if key in year}
    materials: dict[str, list[Mapping[str, Any]]] = {}
    for output in made:
        for line in output["lines"]:
            materials.setdefault(f"{line['category']}.{line['kind']}", []).append(line)
    for name, lines in materials.items():
        quantity, emission = (
            sum((Fraction(line[key]) for line in lines), Fraction(0))
            for key in ("quantity", "emission_t")
        )
        result[f"{name}.quantity"] = exact_text(quantity)
        result[f"{name}.emission_t"] = rounded_text(emission, 2)
        for factor in FACTORS:
            if mean := weighted_mean(lines, factor):
                result[f"{name}.{factor}"] = mean["value"]
    return result


def lacking_in(flags: Sequence[str]) -> list[str]:
    """Those of a statement's flags that say a part of the emission is not in it."""
    return [flag for flag in flags if flag.startswith(_LACKS) and flag not in _OF_INDICATORS]


def difference_rate(figure: Fraction, annual: Fraction) -> Fraction | None:
    """|figure - annual| ÷ |annual| in percent; None of an annual figure of 0."""
    return abs(figure - annual) / abs(annual) * 100 if annual else None


def _key_entity(total_t: Fraction, *, is_whole: bool) -> dict[str, Any]:
    row = rule_set(YEAR_RULES).row("entity.threshold_t")
    state = "reached" if total_t >= row.value else "below" if is_whole else "not-yet"
    return {
        "threshold_t": row.text, "state": state, "confidence": row.confidence, "source": row.source,
    }  # fmt: skip


def _differences(found: Mapping[str, str], reported: Mapping[str, Any]) -> list[dict[str, Any]]:
    problems = [
        f"{key}: unknown; known: annual verified threshold_percent"
        for key in reported.keys() - {*_GIVEN, "threshold_percent"}
    ]
    threshold = _number("threshold_percent", reported.get("threshold_percent"), problems)
    given = {name: _flat(reported.get(name, {}), name, problems) for name in _GIVEN}
    rows = []
    for key in dict.fromkeys(key for table in given.values() for key in table):
        if key not in found:
            problems.append(f"{key}: the months have no such figure; they have {' '.join(found)}")
            continue
        months = Fraction(found[key])
        annual = given["annual"].get(key, months)
        row: dict[str, Any] = {"figure": key, "months": found[key], "annual": exact_text(annual)}
        row |= _judged(difference_rate(months, annual), threshold)
        if key in given["verified"]:
            verified = given["verified"][key]
            rate = _judged(difference_rate(verified, annual), threshold)
            row["verified"] = {"value": exact_text(verified), **rate}
        rows.append(row)
    if problems:
        raise StatementError(problems)
    return rows


def _judged(rate: Fraction | None, threshold: Fraction | None) -> dict[str, str]:
    """The exact rate is compared, the rounded one is shown."""
    if rate is None:
        return {"state": UNJUDGED}
    state = UNJUDGED if threshold is None else ABOVE if rate > threshold else WITHIN
    told = {"rate_percent": rounded_text(rate, RATE_PLACES), "state": state}
    return told if threshold is None else {**told, "threshold_percent": exact_text(threshold)}


def _flat(table: object, name: str, problems: list[str]) -> dict[str, Fraction]:
    """Nested tables as dotted names."""
    if not isinstance(table, Mapping):
        problems.append(f"{name}: must be a table")
        return {}
    found: dict[str, Fraction] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            inner = _flat(value, f"{name}.{key}", problems)
            found |= {f"{key}.{rest}": number for rest, number in inner.items()}
        elif (number := _number(f"{name}.{key}", value, problems)) is not None:
            found[str(key)] = number
    return found


def _number(key: str, value: object, problems: list[str]) -> Fraction | None:
    if value is None:
        return None
    try:
        return parse_decimal(value)
    except ValueError as error:
        problems.append(f"{key}: {error}")
        return None
