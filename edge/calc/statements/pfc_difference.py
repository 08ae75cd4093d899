"""Why the measured PFC differs from a figure of record that is made by default factors.

Beside the statement, made from its output; nothing of it is sealed.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text, rounded_text
from edge.calc.statements.line import EMISSION_PLACES

_KG_A_TONNE = 1000
_PLACES_AEM = 4


def pfc_difference(statement: Mapping[str, Any]) -> dict[str, str] | None:
    """The indicator less the figure of record, and what it is made of.

    Args:
        statement: an output whose record is metal × factors.

    Returns:
        "difference_t", "percent" of the record; its parts in t by the record's potentials,
        "cf4_t" and "c2f6_t", and "gwp_t", the rest, of other potentials; "equal_aem": minutes that
        would make the record's CF4; "sentence". None without an indicator, or of no metal.
    """
    pfc = statement.get("pfc", {})
    lines = [line for line in statement["lines"] if line["category"] == "pfc"]
    if "indicator" not in pfc or len(lines) != 1:
        return None
    indicator, record = pfc["indicator"], _values(lines[0]["parameters"])
    metal, made = record["metal_t"], _values(indicator["parameters"])
    if not metal or not record["cf4_kg_t"]:
        return None
    cf4 = made["slope"] * made["aem_min_per_cell_day"]
    parts = {
        "cf4": (cf4 - record["cf4_kg_t"]) * record["gwp_cf4"],
        "c2f6": (cf4 * made["c2f6_fraction"] - record["c2f6_kg_t"]) * record["gwp_c2f6"],
    }
    texts = {f"{gas}_t": _tonnes(metal * kg / _KG_A_TONNE) for gas, kg in parts.items()}
    by_record = sum(
        (record[f"{gas}_kg_t"] * record[f"gwp_{gas}"] for gas in parts), Fraction(0)
    ) * metal / _KG_A_TONNE  # fmt: skip
    difference = Fraction(indicator["co2e_t"]) - by_record
    rest = Fraction(_tonnes(difference)) - sum(map(Fraction, texts.values()), Fraction(0))
    equal = rounded_text(record["cf4_kg_t"] / made["slope"], _PLACES_AEM)
    percent = rounded_text(difference / by_record * 100, 1) if by_record else ""
    sentence = (
        f"Measured effects make {_tonnes(Fraction(indicator['co2e_t']))} tCO2e, "
        f"{_tonnes(difference)} t from the figure of record: the default of "
        f"{exact_text(record['cf4_kg_t'])} kg CF4/t is what {equal} AE-min/cell-day make by slope "
        f"{exact_text(made['slope'])}, the month had {exact_text(made['aem_min_per_cell_day'])}. "
        f"Of it {texts['cf4_t']} t are CF4, {texts['c2f6_t']} t C2F6, {_tonnes(rest)} t other "
        "global warming potentials."
    )
    return {
        "difference_t": _tonnes(difference), "percent": percent, **texts, "gwp_t": _tonnes(rest),
        "equal_aem": equal, "sentence": sentence,
    }  # fmt: skip


def _values(parameters: Mapping[str, Mapping[str, Any]]) -> dict[str, Fraction]:
    return {name: Fraction(entry["value"]) for name, entry in parameters.items()}


def _tonnes(value: Fraction) -> str:
    return rounded_text(value, EMISSION_PLACES)
