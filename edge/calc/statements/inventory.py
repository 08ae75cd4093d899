"""An ISO 14064-1 inventory of sealed months: the same lines, in that standard's categories. Pure.

The standard prescribes no factors, so the lines are those that were sealed, with the factors of
their rule set. Gases are weighed by one GWP set that is named. What the plant's evidence does not
answer is listed, and never zero. Clause numbers are recalled, not read: they are not told.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text, parse_decimal, rounded_text
from edge.calc.errors import InputError
from edge.calc.factors import gwp_row, gwp_sets
from edge.calc.statements.annual import lacking_in
from edge.calc.statements.line import COUNTS

#: category of the statement -> what it is in category 1
SUBCATEGORIES = {
    "fuel": "combustion", "process": "process", "product": "process", "anode": "process",
    "pfc": "process", "carbonate": "process", "clinker": "process", "substitute": "process",
    "dust": "process", "organic": "process",
}  # fmt: skip
#: what no month of evidence answers, by id of a sentence that pages and papers have
UNANSWERED = (
    "mobile", "fugitive", "other-gases", "biogenic", "heat", "transport", "products-used",
    "products-from", "other-indirect", "removals", "entity-boundary",
)  # fmt: skip
_GAS_KEYS = {"cf4": "cf4_kg", "c2f6": "c2f6_kg"}


def inventory(
    year: Mapping[str, Any],
    outputs: Sequence[Mapping[str, Any]],
    gwp: str,
    given: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The inventory of a year.

    Args:
        year: of `annual.annual_statement`.
        outputs: of its months' statements.
        gwp: a GWP set, "ar5" or another.
        given: "electricity_factor" (tCO2/MWh) with "electricity_source"; "base_year" with
            "base_year_t" (tCO2e).

    Returns:
        "category_1" (by subcategory, and by gas with its GWP), "category_2" (electricity: MWh, and
        tCO2 where a factor is given), "total_t" of category 1, "sealed_total_t" (by the rule set's
        own GWPs), "biogenic", "uncertainty", "base_year", "left_out" (flags of what is missing),
        "unanswered".

    Raises:
        InputError: no such GWP set; a factor without its source.
    """
    if gwp not in gwp_sets():
        raise InputError([f"gwp: {gwp!r} is no set; known: {' '.join(gwp_sets())}"])
    asked = dict(given or {})
    parts: dict[str, Fraction] = {}
    for output in outputs:
        for line in output["lines"]:
            if line["category"] != "pfc":
                name = SUBCATEGORIES[line["category"]]
                counted = COUNTS[line["category"]][2] * Fraction(line["emission_t"])
                parts[name] = parts.get(name, Fraction(0)) + counted
    gases = _gases(year["gases"], gwp)
    others = sum((Fraction(gas["co2e_t"]) for gas in gases if gas["gas"] != "co2"), Fraction(0))
    if others:
        parts["process"] = parts.get("process", Fraction(0)) + others
    total = sum(parts.values(), Fraction(0))
    result: dict[str, Any] = {
        "framework": "ISO 14064-1:2018",
        "year": year["year"],
        "gwp_set": gwp,
        "category_1": {
            "total_t": rounded_text(total, 2),
            "subcategories": {name: rounded_text(value, 2) for name, value in parts.items()},
            "gases": gases,
        },
        "category_2": _electricity(outputs, asked),
        "sealed_total_t": year["totals"]["total_t"],
        "biogenic": {"co2_t": None, "state": "not-answered"},
        "base_year": _base_year(asked, total),
        "unanswered": list(UNANSWERED),
        "left_out": lacking_in(year["flags"]),
        "is_whole": year["is_whole"],
        "months_lacking": year["months_lacking"],
    }
    if "uncertainty" in year:
        result["uncertainty"] = year["uncertainty"]
    return result


def _gases(masses: Mapping[str, str], gwp: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"gas": "co2", "mass_t": masses["co2_t"], "gwp": "1", "co2e_t": masses["co2_t"],
         "confidence": "confirmed", "source": "by definition"},
    ]  # fmt: skip
    for gas, key in _GAS_KEYS.items():
        if key in masses:
            row, mass_t = gwp_row(gwp, gas), Fraction(masses[key]) / 1000
            rows.append(
                {"gas": gas, "mass_t": exact_text(mass_t), "gwp": row.text,
                 "co2e_t": rounded_text(mass_t * row.value, 2), "confidence": row.confidence,
                 "source": row.source}
            )  # fmt: skip
    return rows


def _electricity(outputs: Sequence[Mapping[str, Any]], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Electricity that the months measured; what it emitted only by a factor somebody gives."""
    mwh, months = electricity(outputs)
    result: dict[str, Any] = {"electricity_mwh": exact_text(mwh), "months": months}
    if not months:
        return {"state": "not-measured"}
    factor = factor_of(asked)
    if factor is None:
        return {**result, "state": "no-factor"}
    told = {"factor_t_mwh": exact_text(factor), "source": str(asked["electricity_source"])}
    return {**result, **told, "state": "given", "co2_t": rounded_text(mwh * factor, 2)}


def electricity(outputs: Sequence[Mapping[str, Any]]) -> tuple[Fraction, list[str]]:
    """(MWh, the months that have any) of the months' auxiliary figures."""
    total, months = Fraction(0), []
    for output in outputs:
        read = [e["quantity"]["value"] for e in output["auxiliary"] if e["kind"] == "electricity"]
        total += sum(map(Fraction, read), Fraction(0))
        months += [output["month"]] if read else []
    return total, months


def factor_of(asked: Mapping[str, Any]) -> Fraction | None:
    """The electricity's factor in tCO2/MWh, which whoever asks gives with its source.

    Raises:
        InputError: it is none, or has no source.
    """
    if asked.get("electricity_factor") is None:
        return None
    if not asked.get("electricity_source"):
        raise InputError(["electricity_source: a factor needs its source and year"])
    try:
        return parse_decimal(asked["electricity_factor"])
    except ValueError as error:
        raise InputError([f"electricity_factor: {error}"]) from error


def _base_year(asked: Mapping[str, Any], total: Fraction) -> dict[str, Any]:
    if asked.get("base_year") is None or asked.get("base_year_t") is None:
        return {"state": "not-given"}
    try:
        base = parse_decimal(asked["base_year_t"])
    except ValueError as error:
        raise InputError([f"base_year_t: {error}"]) from error
    change = {"change_percent": rounded_text((total - base) / base * 100, 2)} if base else {}
    told = {"year": str(asked["base_year"]), "total_t": rounded_text(base, 2)}
    return {"state": "given", **told, **change}
