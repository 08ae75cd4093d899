"""CO2 in a stack's gas: what a CEMS measures, as mass."""

from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.errors import InputError
from edge.calc.factors import rule_set
from edge.calc.parameter import default
from edge.calc.registry import Input, method

WET, DRY = "wet", "dry"
ZERO_C = Fraction("273.15")  # in K
STANDARD_PA = 101_325
_BASIS = Input(is_text=True)
_ROWS = ("co2.molar_mass", "gas.molar_volume")


@method(
    "cems.co2_mass",
    version=1,
    source="HJ 75/76 (dry flow at standard state); ideal gas, CODATA 2018",
    inputs={
        "co2_percent": Input("vol %", low="0", high="100"),
        "basis": _BASIS,
        "flow_m3_h": Input("m3/h", low="0"),
        "flow_basis": _BASIS,
        "temperature_c": Input("°C", low="-50", high="2000"),
        "pressure_pa": Input("Pa, absolute", low="50000", high="200000"),
        "moisture_percent": Input("vol %", low="0", high="99.9"),
        "reference_c": Input("°C", low="0", high="25"),
    },
    outputs={"emission_t_h": "tCO2/h", "flow_nm3_h": "m3/h, dry, at reference_c and 101.325 kPa",
             "parameters": ""},
)  # fmt: skip
def co2_mass(
    *,
    co2_percent: Fraction,
    basis: str,
    flow_m3_h: Fraction,
    flow_basis: str,
    temperature_c: Fraction,
    pressure_pa: Fraction,
    moisture_percent: Fraction,
    reference_c: Fraction,
) -> dict[str, Any]:
    """CO2 mass flow of a stack.

    dry = 1 - moisture ÷ 100 for what is measured wet, 1 for what is measured dry
    flow [m3/h, dry, reference] = flow × dry × (273.15 + reference) ÷ (273.15 + temperature)
        × pressure ÷ 101325
    CO2 [%, dry] = CO2 ÷ (1 - moisture ÷ 100) when measured wet
    E [t/h] = CO2 ÷ 100 × flow × 44.009 ÷ 22.413969545 × 273.15 ÷ (273.15 + reference) ÷ 1000

    basis and flow_basis: wet or dry, each as its instrument measures. pressure_pa is absolute:
    barometer plus static pressure. flow_m3_h is at the stack's temperature and pressure.
    moisture is the water in the wet gas.

    Concentrations corrected to a reference oxygen must not come in: the correction belongs to
    limits, not to mass. An estimate of CO2 by an oxygen reading is another method.

    Example: 100,000 m3/h wet at 120 °C, 100,000 Pa, 10 % water, 0 °C reference; CO2 12 % dry:
    dry flow 100000 × 0.9 × 273.15 ÷ 393.15 × 100000 ÷ 101325 = 61711.89 m3/h;
    E = 0.12 × 61711.89 × 1.963463… ÷ 1000 = 14.5403 t/h (computed by hand; no published example
    was found).

    Not confirmed: the equation follows from the gas law; the texts of DL/T 2376 and T/CAEPI 47,
    which print one for China, could not be read. The gas is taken as ideal.
    """
    dry = {WET: 1 - moisture_percent / 100, DRY: Fraction(1)}
    given = {"basis": basis, "flow_basis": flow_basis}
    wrong = [f"{key}: {v!r} unknown; known: wet dry" for key, v in given.items() if v not in dry]
    if wrong:
        raise InputError(wrong)
    flow = dry_flow_m3_h(flow_m3_h * dry[flow_basis], temperature_c, pressure_pa, reference_c)
    share = co2_percent / 100 / dry[basis]
    if share > 1:
        raise InputError(["co2_percent: more than the dry gas; is it on a dry basis already?"])
    rows = {name: default(rule_set("stack-gas").row(name)) for name in _ROWS}
    return {
        "emission_t_h": exact_text(share * flow * co2_density_kg_m3(reference_c) / 1000),
        "flow_nm3_h": exact_text(flow),
        "parameters": {name: row.as_map() for name, row in rows.items()},
    }


def dry_flow_m3_h(
    flow_m3_h: Fraction, temperature_c: Fraction, pressure_pa: Fraction, reference_c: Fraction
) -> Fraction:
    """A dry flow at the stack's state, at `reference_c` and 101.325 kPa."""
    warmer = (ZERO_C + reference_c) / (ZERO_C + temperature_c)
    return flow_m3_h * warmer * pressure_pa / STANDARD_PA


def co2_density_kg_m3(reference_c: Fraction) -> Fraction:
    """Of pure CO2 as an ideal gas at 101.325 kPa."""
    mass, volume = (rule_set("stack-gas").row(name).value for name in _ROWS)
    return mass / volume * ZERO_C / (ZERO_C + reference_c)
