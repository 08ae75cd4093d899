"""Velocity of a stack's gas by pitot tube, and its moisture by two oxygen readings."""

from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text, rounded_text
from edge.calc.errors import InputError
from edge.calc.factors import rule_set
from edge.calc.methods.cems import STANDARD_PA
from edge.calc.parameter import default, given
from edge.calc.registry import Input, method
from edge.calc.root import root, root_text

_ZERO = 273  # K at 0 °C, as the source prints it
_SECONDS = 3600
_DENSITY_UNIT = "kg/m3"


@method(
    "stack.pitot_velocity",
    version=1,
    source="Bernoulli's equation, as a public CEMS program prints it; 40 CFR 60 App. A-1 Method 2 "
    "Eq. 2-7 in substance",
    inputs={
        "pitot_coefficient": Input("1", low="0.5", high="1.5"),
        "dp_pa": Input("Pa", low="0", high="10000"),
        "temperature_c": Input("°C", low="-50", high="2000"),
        "barometer_pa": Input("Pa, absolute", low="50000", high="110000"),
        "static_pressure_pa": Input("Pa, against the barometer", low="-20000", high="20000"),
        "density_kg_m3": Input("kg/m3, wet gas at 0 °C and 101.325 kPa", low="0.5", high="3",
                               optional=True),
        "area_m2": Input("m2", low="0", high="1000", optional=True),
        "velocity_field_factor": Input("1", low="0.5", high="1.5", optional=True),
    },
    outputs={"velocity_m_s": "m/s", "flow_m3_h": "m3/h at the stack; with area_m2 only",
             "parameters": ""},
)  # fmt: skip
def pitot_velocity(
    *,
    pitot_coefficient: Fraction,
    dp_pa: Fraction,
    temperature_c: Fraction,
    barometer_pa: Fraction,
    static_pressure_pa: Fraction,
    density_kg_m3: Fraction | None = None,
    area_m2: Fraction | None = None,
    velocity_field_factor: Fraction | None = None,
) -> dict[str, Any]:
    """Velocity of a stack's gas by pitot tube, and its flow.

    v [m/s] = K × √((T [°C] + 273) ÷ 273 × 101325 ÷ (P_a + P_s) [Pa]
                    × 2 × ΔP [Pa] ÷ density [kg/m3])
    flow [m3/h] = v × Kv × area [m2] × 3600

    K: the tube's coefficient (S type about 0.84). ΔP: its pressure difference, 0..10000 Pa; below 0
    the tube stands the wrong way round, or its lines are exchanged, and is refused. P_a: the
    barometer; P_s: static pressure against it. density: of the wet gas at 0 °C and 101.325 kPa, air
    when left out. Kv: mean velocity of the section over the velocity at the tube, 1 when left out.

    The root belongs to each reading: a mean of ΔP gives no mean velocity. 273 for 273.15 K, as
    printed, moves v by less than 0.02 %. The flow is wet, at the stack's own state;
    cems.co2_mass and gas.normalise take it from there.

    Example: K 0.84, ΔP 100 Pa, 120 °C, barometer 101325 Pa, static pressure 0, air:
    0.84 × √(393 ÷ 273 × 200 ÷ 1.2928) = 12.5356 m/s (by hand). Published: a workbook "Gas Flow
    Basic Conversions" has 9.66 m/s for 4.53 mm H2O at 99 °C, factor 0.995, density 1.293.

    Not confirmed: the Chinese standard's own equation could not be read. Kv's range is ours.
    """
    row = rule_set("stack-flow").row("gas.density")
    density = (
        default(row)
        if density_kg_m3 is None
        else given(density_kg_m3, exact_text(density_kg_m3), _DENSITY_UNIT)
    )
    warmer = (temperature_c + _ZERO) / _ZERO
    thinner = STANDARD_PA / (barometer_pa + static_pressure_pa)
    velocity = pitot_coefficient * root(warmer * thinner * 2 * dp_pa / density.value)
    result: dict[str, Any] = {"velocity_m_s": root_text(velocity)}
    if area_m2 is not None:
        field = velocity_field_factor if velocity_field_factor is not None else Fraction(1)
        result["flow_m3_h"] = root_text(velocity * field * area_m2 * _SECONDS)
    elif velocity_field_factor is not None:
        raise InputError(["velocity_field_factor: has no meaning without area_m2"])
    return {**result, "parameters": {"density": density.as_map()}}


@method(
    "stack.moisture_by_oxygen",
    version=1,
    source="40 CFR 75 App. F Eq. F-31, read from EPA's ECMPS check engine (HOURCV1)",
    inputs={
        "o2_dry_percent": Input("vol %, dry", low="0", high="20.9"),
        "o2_wet_percent": Input("vol %, wet", low="0", high="20.9"),
    },
    outputs={"moisture_percent": "vol % of the wet gas", "reported_percent": "vol %, 1 decimal"},
)
def moisture_by_oxygen(*, o2_dry_percent: Fraction, o2_wet_percent: Fraction) -> dict[str, Any]:
    """Moisture of a stack's gas from oxygen measured dry and wet.

    H2O [%] = 100 × (O2_dry - O2_wet) ÷ O2_dry

    O2 0..20.9 %, dry above 0 and not below wet. reported_percent is rounded to 0.1, halves away
    from zero, as the rule stores it; moisture_percent is not rounded.

    What is wrong with either reading is magnified by 100 ÷ O2_dry: at 5 % oxygen 0.1 points are 2
    points of moisture.

    Example: O2 dry 6.0 %, wet 5.4 %: 100 × 0.6 ÷ 6.0 = 10 % (by hand; EPA publishes the equation
    and no example).

    Not confirmed: the equation was read in EPA's program, not in the rule's own (drawn) equation.
    """
    if o2_dry_percent == 0:
        raise InputError(
            ["o2_dry_percent: must be above 0; a gas without oxygen has no such ratio"]
        )
    if o2_wet_percent > o2_dry_percent:
        raise InputError(["o2_wet_percent: above o2_dry_percent; are the two exchanged?"])
    found = 100 * (o2_dry_percent - o2_wet_percent) / o2_dry_percent
    return {"moisture_percent": exact_text(found), "reported_percent": rounded_text(found, 1)}
