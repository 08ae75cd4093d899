"""Cement by 40 CFR 98 Subpart H: a kiln's clinker, dust and raw material, in short tons."""

from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.errors import InputError
from edge.calc.factors import rule_set
from edge.calc.methods.oxides import OXIDES, oxide_factor, oxide_problems
from edge.calc.parameter import default, given
from edge.calc.registry import Input, method

_RULES = "us-40cfr98-h"
_SHORT_TON = Input("short ton", low="0")


def _percent(of: str, *, optional: bool = False) -> Input:
    return Input(f"% of {of}", low="0", high="100", optional=optional)


@method(
    "cement.part98_clinker",
    version=1,
    source="40 CFR 98.83(d)(2) Eq. H-2 (clinker), (d)(2)(i) Eq. H-3",
    inputs={
        "clinker_short_ton": _SHORT_TON,
        "cao_percent": _percent("clinker"),
        "mgo_percent": _percent("clinker"),
        "cao_noncarbonate_percent": _percent("clinker"),
        "mgo_noncarbonate_percent": _percent("clinker"),
    },
    outputs={"emission_t": "tCO2", "factor": "tCO2/t clinker"},
)
def part98_clinker(*, clinker_short_ton: Fraction, **analysis: Fraction) -> dict[str, Any]:
    """Process CO2 of a kiln's clinker in one month (40 CFR 98 Subpart H).

    EF = ((CaO - CaO non-calcined) × 0.785 + (MgO - MgO non-calcined) × 1.092) ÷ 100
    CO2 [t] = clinker [short ton] × EF [t/t] × 2000/2205

    Oxides in % of the clinker's mass (Part 98 writes weight fractions), monthly. Non-calcined is
    what is still carbonate, and what came into the kiln as no carbonate. EF is a ratio of masses
    and needs no conversion; the clinker does: a short ton is 0.907 t. A year is the sum of its
    months (H-2), a facility that of its kilns and their raw material (H-1).

    Example: 1 short ton with 64.6 % CaO, all of carbonate, no MgO: EF = 0.50711; the EPA and the
    IPCC's guidelines of 1996 print 0.507 t/t for 64.6 %. No published example of H-2 was found.

    Not confirmed: 98.83 was read as far as Eq. H-1 and the names of H-2 to H-5 (equations are
    pictures in every copy, the list of symbols was not stored): 0.785 and 1.092 are recalled of it,
    and are the rounded molar ratios. 2000/2205 was read in other subparts.
    """
    return _of_oxides("clinker", clinker_short_ton, analysis)


@method(
    "cement.part98_dust",
    version=1,
    source="40 CFR 98.83(d)(2) Eq. H-2 (dust), (d)(2)(ii) Eq. H-4",
    inputs={
        "dust_short_ton": _SHORT_TON,
        "cao_percent": _percent("dust"),
        "mgo_percent": _percent("dust"),
        "cao_noncarbonate_percent": _percent("dust", optional=True),
        "mgo_noncarbonate_percent": _percent("dust", optional=True),
    },
    outputs={"emission_t": "tCO2", "factor": "tCO2/t dust", "parameters": ""},
)
def part98_dust(*, dust_short_ton: Fraction, **analysis: Fraction) -> dict[str, Any]:
    """Process CO2 of kiln dust that is not recycled, in one quarter (40 CFR 98 Subpart H).

    EF = ((CaO - CaO non-calcined) × 0.785 + (MgO - MgO non-calcined) × 1.092) ÷ 100
    CO2 [t] = dust [short ton] × EF [t/t] × 2000/2205

    Dust that goes back to the kiln is not counted: its carbonate calcines there. Oxides in % of the
    dust's mass, quarterly. Non-calcined left out is 0, that is a calcination of 1.0: the most that
    the dust can have given.

    Example: 100 short tons with 42 % CaO of which 15 are carbonate still, 2 % MgO: EF = 0.23379;
    100 × 0.23379 × 2000/2205 = 21.2054 t (by hand). No published example was found.

    Not confirmed: as of cement.part98_clinker; that 0 may stand for the non-calcined is recalled.
    """
    rules = rule_set(_RULES)
    told = {}
    for oxide in OXIDES:
        name = f"{oxide}_noncarbonate_percent"
        row = rules.row(f"dust.{name}")
        own = analysis.get(name)
        told[name] = default(row) if own is None else given(own, exact_text(own), "%")
        analysis[name] = told[name].value
    made = _of_oxides("dust", dust_short_ton, analysis)
    return {**made, "parameters": {name: parameter.as_map() for name, parameter in told.items()}}


@method(
    "cement.part98_organic",
    version=1,
    source="40 CFR 98.83(d)(3) Eq. H-5",
    inputs={
        "raw_material_short_ton": _SHORT_TON,
        "carbon_percent": _percent("raw material", optional=True),
    },
    outputs={"emission_t": "tCO2", "parameters": ""},
)
def part98_organic(
    *, raw_material_short_ton: Fraction, carbon_percent: Fraction | None = None
) -> dict[str, Any]:
    """CO2 of the organic carbon of a kiln's raw material (40 CFR 98 Subpart H).

    CO2 [t] = raw material [short ton] × organic carbon [%] ÷ 100 × 44/12 × 2000/2205

    For each raw material, or for the kiln feed as a whole. Carbon of carbonate is not in it: H-2
    counts that. Left out, the organic carbon is 0.2 %.

    Example: 100000 short tons at the default: 100000 × 0.002 × 44/12 × 2000/2205 = 665.15495 t (by
    hand). No published example was found.

    Not confirmed: the 0.2 % is recalled; 98.85 (read) says that a missing analysis is made anew.
    """
    rules = rule_set(_RULES)
    if carbon_percent is None:
        carbon = default(rules.row("organic.carbon_percent"))
    else:
        carbon = given(carbon_percent, exact_text(carbon_percent), "%")
    made = raw_material_short_ton * rules.row("mass.short_ton").value * carbon.value / 100
    return {
        "emission_t": exact_text(made * rules.row("carbon.co2_ratio").value),
        "parameters": {"carbon_percent": carbon.as_map()},
    }


def _of_oxides(what: str, short_ton: Fraction, analysis: dict[str, Fraction]) -> dict[str, Any]:
    if wrong := oxide_problems(analysis):
        raise InputError([f"{key}: {reason} (of {what})" for key, reason in wrong.items()])
    rules = rule_set(_RULES)
    factor = oxide_factor(analysis, {o: rules.row(f"ratio.{o}").value for o in OXIDES})
    emission = short_ton * rules.row("mass.short_ton").value * factor
    return {"emission_t": exact_text(emission), "factor": exact_text(factor)}
