"""CF4 and C2F6 from metal and default factors: CETS-AG-04.01's figure of record, and Tier 1."""

from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.errors import InputError
from edge.calc.factors import RuleSet, gwp_row, gwp_sets
from edge.calc.factors import rule_set as load
from edge.calc.parameter import default
from edge.calc.registry import Input, method

#: rule set -> whether its factors differ by cell technology
RULES = {"cets-ag-04.01-v01-2024": False, "ndrc-2013-aluminium": False, "ipcc-2006-tier1": True}
TECHNOLOGIES = ("CWPB", "SWPB", "VSS", "HSS")
_KG_A_TONNE = 1000
_TEXT = Input(is_text=True)
_OPTIONAL = Input(is_text=True, optional=True)


@method(
    "pfc.default_factors",
    version=1,
    source="CETS-AG-04.01 (metal × default factors); NDRC 2013 aluminium guideline; IPCC 2006 "
    "Vol. 3 Eq. 4.25, Table 4.15",
    inputs={"rule_set": _TEXT, "metal_t": Input("t", low="0"), "technology": _OPTIONAL,
            "gwp": _OPTIONAL},
    outputs={"cf4_kg": "kg", "c2f6_kg": "kg", "co2e_t": "tCO2e", "parameters": ""},
)  # fmt: skip
def default_factors(
    *, rule_set: str, metal_t: Fraction, technology: str = "", gwp: str = ""
) -> dict[str, Any]:
    """PFC by metal and default factors, without anode-effect data.

    CF4 [kg] = metal [t] × EF_CF4 [kg/t];  C2F6 [kg] = metal [t] × EF_C2F6 [kg/t]
    CO2e [t] = (CF4 × GWP_CF4 + C2F6 × GWP_C2F6) ÷ 1000

    rule_set: cets-ag-04.01-v01-2024 (0.02 and 0.0011 kg/t, GWP of AR5), ndrc-2013-aluminium (0.034
    and 0.0034, SAR) or ipcc-2006-tier1, which needs technology: CWPB, SWPB, VSS or HSS. gwp: sar,
    ar4, ar5, ar6; the rule set's when left out. The factors do not move with the anode effects of a
    month: the measured estimate (pfc.slope) stands beside it and is never added.

    Example: 1000 t by cets-ag-04.01-v01-2024: 20 kg CF4, 1.1 kg C2F6, 20 × 6.63 + 1.1 × 11.1 =
    144.81 tCO2e (by hand). A research note quotes the draft of March 2024 with 0.1454 tCO2e/t, 0.4
    % more.

    Not confirmed: the guideline's Appendix A could not be read; its factors were seen in one
    program. C2F6 of NDRC 2013 is 0.0034 in one source and 0.034, a slip, in another.
    """
    rules = _rules(rule_set, technology)
    name = gwp or rules.gwp
    if name not in gwp_sets():
        raise InputError([f"gwp: {gwp!r} unknown; known: {' '.join(gwp_sets())}"])
    stem = f"pfc.{technology}." if technology else "pfc."
    used = {f"{gas}_kg_t": default(rules.row(f"{stem}{gas}_kg_t")) for gas in ("cf4", "c2f6")}
    used |= {f"gwp_{gas}": default(gwp_row(name, gas)) for gas in ("cf4", "c2f6")}
    masses = {gas: metal_t * used[f"{gas}_kg_t"].value for gas in ("cf4", "c2f6")}
    co2e = sum((masses[gas] * used[f"gwp_{gas}"].value for gas in masses), Fraction(0))
    return {
        "cf4_kg": exact_text(masses["cf4"]),
        "c2f6_kg": exact_text(masses["c2f6"]),
        "co2e_t": exact_text(co2e / _KG_A_TONNE),
        "parameters": {key: parameter.as_map() for key, parameter in used.items()},
    }


def _rules(name: str, technology: str) -> RuleSet:
    if name not in RULES:
        raise InputError([f"rule_set: {name!r} has no PFC factors; known: {' '.join(RULES)}"])
    if RULES[name] and technology not in TECHNOLOGIES:
        raise InputError([f"technology: {technology!r} unknown; known: {' '.join(TECHNOLOGIES)}"])
    if technology and not RULES[name]:
        raise InputError([f"technology: {name} has one factor for all cells: leave it out"])
    return load(name)
