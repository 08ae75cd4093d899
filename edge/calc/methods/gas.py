"""Gas volumes at a reference state, and the flow of a differential-pressure meter as it should be.

A volume without its state says nothing: 0 and 20 °C are 7.3 % apart, wet and dry as much as the gas
holds water.
"""

from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.errors import InputError
from edge.calc.methods.cems import DRY, STANDARD_PA, WET, ZERO_C
from edge.calc.registry import Input, method
from edge.calc.root import root, root_text

#: reference states of a point, and their temperature in °C; all at 101.325 kPa
REFERENCES = {"0C-101.325kPa": 0, "15C-101.325kPa": 15, "20C-101.325kPa": 20}
_NAME = Input(is_text=True)
_CELSIUS = Input("°C", low="-50", high="2000")
_PASCAL = Input("Pa, absolute", low="10000", high="20000000")
_Z = Input("1", low="0.3", high="1.5", optional=True)
_MOLAR = Input("kg/kmol", low="2", high="200", optional=True)


@method(
    "gas.normalise",
    version=1,
    source="law of real gases; HJ 75/76 and (EU) 2018/2066 for the reference states",
    inputs={
        "volume_m3": Input("m3 or m3/h, at the meter", low="0"),
        "volume_basis": _NAME,
        "temperature_c": _CELSIUS,
        "pressure_pa": _PASCAL,
        "moisture_percent": Input("vol % of the wet gas", low="0", high="99.9"),
        "reference": _NAME,
        "reference_basis": _NAME,
        "z_actual": _Z,
        "z_reference": _Z,
    },
    outputs={"volume_nm3": "m3 or m3/h, at the reference"},
)
def normalise(
    *,
    volume_m3: Fraction,
    volume_basis: str,
    temperature_c: Fraction,
    pressure_pa: Fraction,
    moisture_percent: Fraction,
    reference: str,
    reference_basis: str,
    z_actual: Fraction = Fraction(1),
    z_reference: Fraction = Fraction(1),
) -> dict[str, Any]:
    """A gas volume, or flow, at a reference state.

    V_n [m3] = V [m3] × P [Pa] ÷ 101325 × (273.15 + T_n) ÷ (273.15 + T [°C]) × Z_n ÷ Z × water
    water = 1 - moisture [%] ÷ 100 from wet to dry, 1 ÷ (1 - moisture ÷ 100) from dry to wet, else 1

    reference: 0C-101.325kPa, 15C-101.325kPa or 20C-101.325kPa; T_n is its temperature.
    volume_basis, reference_basis: wet or dry. P is absolute, 10 kPa to 20 MPa; T -50..2000 °C.
    Z, Z_n: compressibility at the meter and at the reference, 1 when left out; at 5 bar that is
    about 1 % for natural gas, and 0.2 % for combustion gases at a stack.

    Example: 100 m3 wet at 20 °C and 101325 Pa with 5 % water, to 0 °C dry:
    100 × 273.15 ÷ 293.15 × 0.95 = 88.518676… m3 (by hand). Without water, 22.4140 m3 at 0 °C are
    24.0551 m3 at 20 °C, as the molar volumes of an ideal gas are printed.

    Not confirmed: the reference temperature of the Chinese guidelines' Nm3 is nowhere printed in
    what could be read; the rule sets take 0 °C and say so in the row.
    """
    bases = {"volume_basis": volume_basis, "reference_basis": reference_basis}
    wrong = [
        f"{key}: {name!r} unknown; known: {WET} {DRY}"
        for key, name in bases.items()
        if name not in (WET, DRY)
    ]
    if reference not in REFERENCES:
        wrong.append(f"reference: {reference!r} unknown; known: {' '.join(REFERENCES)}")
    if wrong:
        raise InputError(wrong)
    dry = 1 - moisture_percent / 100
    water = {(WET, DRY): dry, (DRY, WET): 1 / dry}.get((volume_basis, reference_basis), 1)
    kelvin, kelvin_n = ZERO_C + temperature_c, ZERO_C + REFERENCES[reference]
    found = volume_m3 * pressure_pa / STANDARD_PA * kelvin_n / kelvin * z_reference / z_actual
    return {"volume_nm3": exact_text(found * water)}


MASS, NORMAL_VOLUME, ACTUAL_VOLUME = "mass", "normal-volume", "actual-volume"
#: how near flow and differential pressure must be to one square root, of the span
_ROOT_WITHIN = Fraction(2, 100)


@method(
    "gas.dp_compensate",
    version=1,
    source="ISO 5167-1 (mass flow of a differential-pressure meter ~ root of pressure difference "
    "times density)",
    inputs={
        "flow": Input("of the meter, any", low="0"),
        "flow_kind": _NAME,
        "pressure_pa": _PASCAL,
        "temperature_c": _CELSIUS,
        "design_pressure_pa": _PASCAL,
        "design_temperature_c": _CELSIUS,
        "z": _Z,
        "design_z": _Z,
        "molar_mass_kg_kmol": _MOLAR,
        "design_molar_mass_kg_kmol": _MOLAR,
        "flow_span": Input("as flow", low="0", optional=True),
        "dp_percent": Input("% of the span of pressure difference", low="0", high="110",
                            optional=True),
    },
    outputs={"flow": "as flow", "factor": "1"},
)  # fmt: skip
def dp_compensate(
    *,
    flow: Fraction,
    flow_kind: str,
    pressure_pa: Fraction,
    temperature_c: Fraction,
    design_pressure_pa: Fraction,
    design_temperature_c: Fraction,
    z: Fraction = Fraction(1),
    design_z: Fraction = Fraction(1),
    molar_mass_kg_kmol: Fraction | None = None,
    design_molar_mass_kg_kmol: Fraction | None = None,
    flow_span: Fraction | None = None,
    dp_percent: Fraction | None = None,
) -> dict[str, Any]:
    """Flow of a differential-pressure meter whose gas is not as its design sheet says.

    density ~ P × M ÷ (Z × T);  r = density ÷ density of the design
    mass: flow × √r;  normal-volume: flow × √r × M_design ÷ M;  actual-volume: flow × √(1 ÷ r)

    flow is what the meter gives with its design's density, the root of the pressure difference
    taken once, in the transmitter or behind it. flow_kind: mass, normal-volume (at a reference
    state), actual-volume. P absolute; T in kelvin, 273.15 + T [°C]; Z 1 and M equal when left out;
    both molar masses or none. The meter's coefficient and expansibility are taken as constant.

    The root is never taken a second time here. With flow_span and dp_percent together the meter's
    own root is checked: flow ÷ flow_span must be √(dp_percent ÷ 100) within 0.02. Where it is
    dp_percent ÷ 100 itself the root was not extracted, where it is the fourth root it was
    extracted twice; both are refused, and so is a pressure difference below 0.

    Example: 1000 Nm3/h, designed for 600 kPa and 20 °C, at 500 kPa and 40 °C, all absolute:
    √(500 ÷ 600 × 293.15 ÷ 313.15) = 0.883239…, so 883.24 Nm3/h (by hand). Published: an air meter
    of 0.2 MPa and 20 °C that shows 5 Nm3/h on CO2 of 0.4 MPa and 50 °C has 5 × 0.994 = 4.97 Nm3/h
    (Tokyo Keiso, technical note F-0007; variable-area meters, the same root).

    Not confirmed: ISO 5167's own text could not be read; the proportionality is in all of its
    readers.
    """
    molar = (molar_mass_kg_kmol, design_molar_mass_kg_kmol)
    wrong = _kind_problems(flow_kind, molar)
    if (flow_span is None) != (dp_percent is None):
        wrong.append("dp_percent: give it with flow_span, or neither")
    if wrong:
        raise InputError(wrong)
    if flow_span is not None and dp_percent is not None:
        _one_root(flow, flow_span, dp_percent)
    heavier = molar[0] / molar[1] if molar[0] is not None and molar[1] is not None else Fraction(1)
    kelvin, design_kelvin = ZERO_C + temperature_c, ZERO_C + design_temperature_c
    density = pressure_pa / design_pressure_pa * design_kelvin / kelvin * design_z / z * heavier
    factor = {
        MASS: root(density),
        NORMAL_VOLUME: root(density / heavier**2),
        ACTUAL_VOLUME: root(1 / density),
    }[flow_kind]
    return {"flow": root_text(flow * factor), "factor": root_text(factor)}


def _kind_problems(flow_kind: str, molar: tuple[Fraction | None, Fraction | None]) -> list[str]:
    problems = []
    kinds = (MASS, NORMAL_VOLUME, ACTUAL_VOLUME)
    if flow_kind not in kinds:
        problems.append(f"flow_kind: {flow_kind!r} unknown; known: {' '.join(kinds)}")
    if (molar[0] is None) != (molar[1] is None):
        problems.append("molar_mass_kg_kmol: give it with design_molar_mass_kg_kmol, or neither")
    return problems


def _one_root(flow: Fraction, span: Fraction, dp_percent: Fraction) -> None:
    """Refuse a flow that is not one square root of its pressure difference."""
    if span == 0:
        raise InputError(["flow_span: must be above 0"])
    share, dp = flow / span, dp_percent / 100
    once = root(dp)
    if abs(share - once) <= _ROOT_WITHIN:
        return
    if abs(share - dp) <= _ROOT_WITHIN:
        reason = "goes as the pressure difference itself: its root was not extracted"
    elif abs(share - root(once)) <= _ROOT_WITHIN:
        reason = "goes as the fourth root of the pressure difference: its root was extracted twice"
    else:
        reason = "is not the root of the pressure difference, by more than 0.02 of the span"
    raise InputError([f"flow: {reason}"])
