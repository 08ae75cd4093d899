"""Steam and water by pressure and temperature, saturated steam, and the flow of a steam meter."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import rounded_text
from edge.calc.errors import InputError
from edge.calc.methods import if97
from edge.calc.methods.if97 import State
from edge.calc.registry import Input, method
from edge.calc.root import root, root_text

STEAM, WATER = "steam", "water"
#: how a meter's reading goes with density: root (orifice, nozzle, Venturi), or as density (vortex)
_METERS: dict[str, Callable[[Fraction], Fraction]] = {
    "differential-pressure": root,
    "volumetric": lambda density: density,
}
_PLACES = 9  # beyond the nine figures that the release verifies itself with
_PA_A_MPA = 10**6
_SOURCE = "IAPWS R7-97(2012), Industrial Formulation 1997 for water and steam"
_PRESSURE = Input("Pa, absolute", low="611.213", high="100000000")
_SATURATION_PRESSURE = Input("Pa, absolute", low="611.213", high="16529164", optional=True)
_TEMPERATURE = Input("°C", low="0", high="800")
_NAME = Input(is_text=True)
_NEAR_K = Fraction("0.001")


@method(
    "steam.properties",
    version=1,
    source=f"{_SOURCE}: Eq. 7, 15-17 (regions 1 and 2), 5, 30-31",
    inputs={"pressure_pa": _PRESSURE, "temperature_c": _TEMPERATURE, "phase": _NAME},
    outputs={"density_kg_m3": "kg/m3", "enthalpy_kj_kg": "kJ/kg",
             "saturation_c": "°C; below 22.064 MPa only"},
)  # fmt: skip
def properties(*, pressure_pa: Fraction, temperature_c: Fraction, phase: str) -> dict[str, Any]:
    """Density and enthalpy of steam or water that is not saturated.

    v [m3/kg] = R × T ÷ p × π × γ_π;  h [kJ/kg] = R × T × τ × γ_τ;  density = 1 ÷ v

    γ: the release's Gibbs energy of region 1 (water) or 2 (steam), π and τ its reduced pressure
    and temperature, R = 0.461526 kJ/(kg K). Pressure is absolute, 611.213 Pa to 100 MPa; 0..800 °C.

    phase: steam or water, what the pipe is known to hold. Where pressure and temperature say the
    other, or lie within 0.001 K of saturation, the inputs are refused: at saturation they do not
    tell how wet the steam is (steam.saturated takes its dryness). A thermometer in a saturated
    line, a tenth of a kelvin too low, would make steam of 5 kg/m3 into water of 900.

    Refused: region 3, above 350 °C and the pressure of Eq. 5 (16.5292 MPa at 350 °C).

    Example: 0.0035 MPa and 700 K (426.85 °C) is 92.3015898 m3/kg, so 0.010834050 kg/m3, and
    3335.68375 kJ/kg; water of 3 MPa and 300 K (26.85 °C) is 0.00100215168 m3/kg and 115.331273
    kJ/kg. Source: IAPWS R7-97(2012) Tables 5 and 15.

    Not confirmed: the release's own text was not read; its coefficients were taken from two public
    programs that agree, and give its printed verification values.
    """
    state, saturation = _state(pressure_pa, temperature_c, phase)
    result = _shown(state)
    if saturation is not None:
        result["saturation_c"] = rounded_text(saturation - if97.ZERO_C, _PLACES)
    return result


@method(
    "steam.saturated",
    version=1,
    source=f"{_SOURCE}: Eq. 30-31 (saturation line), 7, 15-17",
    inputs={
        "pressure_pa": _SATURATION_PRESSURE,
        "temperature_c": Input("°C", low="0", high="350", optional=True),
        "dryness_percent": Input("% of mass that is steam", low="0", high="100"),
    },
    outputs={"density_kg_m3": "kg/m3", "enthalpy_kj_kg": "kJ/kg", "pressure_pa": "Pa, absolute",
             "temperature_c": "°C"},
)  # fmt: skip
def saturated(
    *,
    dryness_percent: Fraction,
    pressure_pa: Fraction | None = None,
    temperature_c: Fraction | None = None,
) -> dict[str, Any]:
    """Density and enthalpy of saturated steam, dry or wet, from its pressure or temperature.

    v [m3/kg] = x × v" + (1 - x) × v';  h [kJ/kg] = x × h" + (1 - x) × h'
    x = dryness [%] ÷ 100;  density = 1 ÷ v

    v", h": of saturated steam (region 2), v', h': of saturated water (region 1), at the saturation
    temperature of the pressure (Eq. 31) or the saturation pressure of the temperature (Eq. 30).
    Give one of the two: with both, one of them would be ignored. 0..350 °C, 611.213 Pa to
    16.529164 MPa; above, the saturated states are region 3. dryness has no default: nothing but a
    separator or a calorimeter tells it, and 5 % of water are 5 % of the density.

    Example: 0.1 MPa saturates at 372.755919 K (99.605919 °C), 300 K at 3536.58941 Pa. Source: IAPWS
    R7-97(2012) Tables 35 and 36.

    Not confirmed: as of steam.properties.
    """
    if (pressure_pa is None) == (temperature_c is None):
        raise InputError(["pressure_pa: give exactly one of it and temperature_c"])
    if pressure_pa is not None:
        mpa = pressure_pa / _PA_A_MPA
        kelvin = if97.saturation_kelvin(mpa)
    else:
        kelvin = if97.ZERO_C + (temperature_c or 0)
        mpa = if97.saturation_mpa(kelvin)
    dry, wet, share = if97.steam(mpa, kelvin), if97.water(mpa, kelvin), dryness_percent / 100
    mixed = State(
        4,
        share * dry.volume + (1 - share) * wet.volume,
        share * dry.enthalpy + (1 - share) * wet.enthalpy,
    )
    return {
        **_shown(mixed),
        "pressure_pa": rounded_text(mpa * _PA_A_MPA, _PLACES),
        "temperature_c": rounded_text(kelvin - if97.ZERO_C, _PLACES),
    }


@method(
    "steam.meter_compensate",
    version=1,
    source=f"ISO 5167-1 (mass flow ~ root of density); density by {_SOURCE}",
    inputs={
        "flow": Input("mass, of the meter, any", low="0"),
        "meter": _NAME,
        "pressure_pa": _PRESSURE,
        "temperature_c": Input("°C; left out: saturated, dry", low="0", high="800", optional=True),
        "design_pressure_pa": _PRESSURE,
        "design_temperature_c": Input("°C; left out: saturated, dry", low="0", high="800",
                                      optional=True),
    },
    outputs={"flow": "as flow", "factor": "1", "density_kg_m3": "kg/m3",
             "design_density_kg_m3": "kg/m3"},
)  # fmt: skip
def meter_compensate(
    *,
    flow: Fraction,
    meter: str,
    pressure_pa: Fraction,
    design_pressure_pa: Fraction,
    temperature_c: Fraction | None = None,
    design_temperature_c: Fraction | None = None,
) -> dict[str, Any]:
    """Mass flow of a steam meter whose steam is not as its design sheet says.

    flow = indicated × √(density [kg/m3] ÷ density of the design), differential-pressure meter
    flow = indicated × density ÷ density of the design, volumetric meter (vortex, turbine)

    indicated, the input `flow`, is the mass flow by the density of the design, the
    root of a pressure difference taken once. meter: differential-pressure or volumetric. Pressures
    are absolute: a gauge's reading plus the barometer. Without a temperature the steam is taken as
    saturated and dry, which is said nowhere by a pressure alone; with one it must be superheated.

    The meter's coefficient and expansibility are taken as constant.

    Example: an orifice plate designed for dry saturated steam of 1 MPa at 0.8 MPa: densities
    5.145386 and 4.160988 kg/m3, factor √(4.160988 ÷ 5.145386) = 0.899268, so 10 t/h are 8.99 t/h
    (by hand, from the densities).

    Not confirmed: ISO 5167's own text could not be read; the proportionality is in all of its
    readers. No published worked example could be read.
    """
    if meter not in _METERS:
        raise InputError([f"meter: {meter!r} unknown; known: {' '.join(_METERS)}"])
    densities = []
    for prefix, pressure, celsius in (
        ("", pressure_pa, temperature_c),
        ("design_", design_pressure_pa, design_temperature_c),
    ):
        try:
            densities.append(1 / _steam(pressure, celsius).volume)
        except InputError as error:
            raise InputError([f"{prefix}{problem}" for problem in error.problems]) from error
    factor = _METERS[meter](densities[0] / densities[1])
    return {
        "flow": root_text(flow * factor),
        "factor": root_text(factor),
        "density_kg_m3": rounded_text(densities[0], _PLACES),
        "design_density_kg_m3": rounded_text(densities[1], _PLACES),
    }


def _shown(state: State) -> dict[str, Any]:
    return {
        "density_kg_m3": rounded_text(1 / state.volume, _PLACES),
        "enthalpy_kj_kg": rounded_text(state.enthalpy, _PLACES),
    }


def _steam(pressure_pa: Fraction, celsius: Fraction | None) -> State:
    """Superheated steam, or dry saturated steam where no temperature is given."""
    if celsius is not None:
        return _state(pressure_pa, celsius, STEAM)[0]
    mpa = pressure_pa / _PA_A_MPA
    if pressure_pa > Fraction(_SATURATION_PRESSURE.high):
        raise InputError([f"pressure_pa: above {_SATURATION_PRESSURE.high} Pa, where saturated "
                          "steam is in region 3"])  # fmt: skip
    return if97.steam(mpa, if97.saturation_kelvin(mpa))


def _state(pressure_pa: Fraction, celsius: Fraction, phase: str) -> tuple[State, Fraction | None]:
    """The state and the temperature of saturation, None above the critical pressure."""
    if phase not in (STEAM, WATER):
        raise InputError([f"phase: {phase!r} unknown; known: {STEAM} {WATER}"])
    mpa, kelvin = pressure_pa / _PA_A_MPA, if97.ZERO_C + celsius
    critical = if97.CRITICAL_MPA
    saturation = if97.saturation_kelvin(mpa) if mpa <= critical else None
    if kelvin > if97.WATER_MAX_K and mpa > if97.boundary_23_mpa(kelvin):
        reason = "it is in region 3 of IF97 (above 350 °C, near critical): not computed"
        raise InputError([f"pressure_pa: with this temperature {reason}"])
    if saturation is not None and abs(kelvin - saturation) < _NEAR_K:
        raise InputError(["temperature_c: is that of saturation, where pressure and temperature do "
                          "not tell steam from water: steam.saturated"])  # fmt: skip
    found = WATER if _is_water(kelvin, saturation) else STEAM
    if found != phase:
        at = (
            f"; it saturates at {rounded_text(saturation - if97.ZERO_C, 3)} °C"
            if saturation is not None
            else ""
        )
        raise InputError([f"phase: at this pressure and temperature it is {found}{at}"])
    return (if97.water if found == WATER else if97.steam)(mpa, kelvin), saturation


def _is_water(kelvin: Fraction, saturation: Fraction | None) -> bool:
    """Of regions 1 and 2: above the critical pressure 350 °C tells them apart."""
    return kelvin <= if97.WATER_MAX_K and (saturation is None or kelvin < saturation)
