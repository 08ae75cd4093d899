"""Fuels by 40 CFR 98: gross heat, US units. A comparison, never a line of a Chinese statement."""

from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.errors import InputError
from edge.calc.factors import rule_set
from edge.calc.parameter import default, given
from edge.calc.registry import Input, method

_RULES = "us-40cfr98-c"
_KG_A_TONNE = 1000


@method(
    "combustion.part98",
    version=1,
    source="40 CFR 98.33(a)(1)(i) Eq. C-1 and (a)(2) Eq. C-2a; Table C-1",
    inputs={
        "kind": Input(is_text=True),
        "quantity": Input("short ton, US gallon or scf, by kind", low="0"),
        "heat_hhv": Input("mmBtu per unit of quantity, HHV", low="0", optional=True),
    },
    outputs={"emission_t": "tCO2", "parameters": ""},
)
def part98(*, kind: str, quantity: Fraction, heat_hhv: Fraction | None = None) -> dict[str, Any]:
    """CO2 from burning one fuel by gross heat (40 CFR 98, Tier 1 and 2).

    CO2 [t] = 0.001 × quantity [unit] × HHV [mmBtu/unit] × EF [kgCO2/mmBtu]

    kind: a fuel of the table us-40cfr98-c. quantity: solids in short tons (0.90718474 t), liquids
    in US gallons, gases in standard cubic feet. HHV is gross heat: left out it is the table's (Tier
    1), given it is measured (Tier 2). A net heating value is too low by 5 to 10 percent here, and
    the factors of CETS-AG or IPCC belong to net heat: the two are never mixed.

    Example: 1 short ton of bituminous coal: 0.001 × 24.93 × 93.28 = 2.3254704 t; EPA's Emission
    Factors Hub prints 2,325 kg per short ton.

    Not confirmed: high heat values of liquids and of blast-furnace and coke-oven gas were seen in
    one source. The table's state of gases (60 or 68 °F) could not be read beside it.
    """
    rules = rule_set(_RULES)
    kinds = sorted({row_id.partition(".")[0] for row_id in rules.rows})
    if kind not in kinds:
        raise InputError([f"kind: {rules.id} has no fuel {kind!r}; it has: {' '.join(kinds)}"])
    row = rules.row(f"{kind}.heat")
    heat = given(heat_hhv, exact_text(heat_hhv), row.unit) if heat_hhv is not None else default(row)
    factor = default(rules.row(f"{kind}.factor"))
    return {
        "emission_t": exact_text(quantity * heat.value * factor.value / _KG_A_TONNE),
        "parameters": {"heat_hhv": heat.as_map(), "factor": factor.as_map()},
    }
