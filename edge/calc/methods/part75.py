"""40 CFR Part 75, Appendix F: CO2 mass, CO2 from oxygen, heat input. A second opinion, no line.

Each hour is rounded as the rule stores it: to 0.1, halves away from zero. Volumes are standard
cubic feet at 68 °F, masses short tons: nothing here is at 0 °C, and K differs from 40 CFR 98's
5.18e-7 t by 0.17 %. F-factors speak of carbon and heat of one burnt fuel: where a process gives
CO2 or the fuel is a by-product gas they are wrong by tens of percent, and are refused.
"""

from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text, rounded_text
from edge.calc.errors import InputError
from edge.calc.factors import rule_set
from edge.calc.parameter import default
from edge.calc.registry import Input, method

SHORT_TON_T = Fraction("0.90718474")
FUEL, PROCESS, BY_PRODUCT = "fuel", "process", "by-product"
REFUSED = {
    PROCESS: "CO2 of a process (clinker, electrodes, ore) has no heat: an F-factor of the fuel "
    "would miss it; measure CO2 and use part75.co2_mass",
    BY_PRODUCT: "gas of a blast furnace, converter or coke oven has no F-factor in Appendix F; "
    "measure CO2 and use part75.co2_mass",
}
_NAME = Input(is_text=True)
_FLOW = Input("scfh, wet, 68 °F", low="0")
_MOISTURE = Input("vol % of the wet gas", low="0", high="99.9", optional=True)
_FC = Input("scf CO2/mmBtu, HHV", low="900", high="3000", optional=True)
_FD = Input("dscf/mmBtu, HHV", low="8000", high="12000", optional=True)
_OXYGEN = Input("vol %", low="0", high="20.9")
_SOURCE = "read from EPA's ECMPS check engine (github US-EPA-CAMD/easey-quartz-scheduler fd028c25)"


@method(
    "part75.co2_mass",
    version=1,
    source=f"40 CFR 75 App. F Eq. F-11 and F-2, {_SOURCE}: HOURCV19",
    inputs={
        "equation": _NAME,
        "co2_percent": Input("vol %", low="0", high="100"),
        "flow_scfh": _FLOW,
        "moisture_percent": _MOISTURE,
    },
    outputs={"co2_short_ton_h": "short ton/h, not rounded", "reported_short_ton_h": "short ton/h",
             "co2_t_h": "t/h, not rounded", "parameters": ""},
)  # fmt: skip
def co2_mass(
    *,
    equation: str,
    co2_percent: Fraction,
    flow_scfh: Fraction,
    moisture_percent: Fraction | None = None,
) -> dict[str, Any]:
    """CO2 mass of an hour from measured CO2 and flow.

    F-11: CO2 [short ton/h] = 5.7e-7 × CO2_wet [%] × flow [scfh]
    F-2:  CO2 [short ton/h] = 5.7e-7 × CO2_dry [%] × flow [scfh] × (100 - H2O [%]) ÷ 100

    flow is wet, at 68 °F and 1 atm; CO2 wet (F-11, which takes no moisture) or dry (F-2, which
    needs it). reported_short_ton_h is rounded to 0.1; co2_t_h is the unrounded mass in tonnes of
    0.90718474 t. It holds for any stack: nothing but what was measured is in it.

    Example: 12 % wet, 40,000,000 scfh: 5.7e-7 × 12 × 40000000 = 273.6 short ton/h, 248.206 t/h (by
    hand; EPA publishes the equation and no example).

    Not confirmed: the equations were read in EPA's program; the rule's own are drawings.
    """
    dry = _dry(equation, {"F-11": False, "F-2": True}, moisture_percent)
    row = rule_set("us-part-75").row("co2.mass")
    mass = row.value * co2_percent * flow_scfh * dry
    return {
        "co2_short_ton_h": exact_text(mass),
        "reported_short_ton_h": rounded_text(mass, 1),
        "co2_t_h": exact_text(mass * SHORT_TON_T),
        "parameters": {row.id: default(row).as_map()},
    }


@method(
    "part75.co2_by_oxygen",
    version=1,
    source=f"40 CFR 75 App. F Eq. F-14A and F-14B, {_SOURCE}: HOURCV4",
    inputs={
        "equation": _NAME,
        "gas_of": _NAME,
        "o2_percent": _OXYGEN,
        "fc": Input(_FC.unit, _FC.low, _FC.high),
        "fd": Input(_FD.unit, _FD.low, _FD.high),
        "moisture_percent": _MOISTURE,
    },
    outputs={"co2_percent": "vol %, not rounded", "reported_percent": "vol %", "parameters": ""},
)
def co2_by_oxygen(
    *,
    equation: str,
    gas_of: str,
    o2_percent: Fraction,
    fc: Fraction,
    fd: Fraction,
    moisture_percent: Fraction | None = None,
) -> dict[str, Any]:
    """CO2 concentration estimated from oxygen.

    F-14A: CO2 [%, dry] = 100 × Fc ÷ Fd × (20.9 - O2_dry [%]) ÷ 20.9
    F-14B: CO2 [%, wet] = 100 ÷ 20.9 × Fc ÷ Fd × (20.9 × (100 - H2O [%]) ÷ 100 - O2_wet [%])

    Below 0 it is 0. reported_percent is rounded to 0.1. gas_of: fuel; process and by-product are
    refused, as the F-factors hold for the products of one fuel's combustion only. Fc 900..3000,
    Fd 8000..12000, of the fuel's gross heat; for natural gas 1040 and 8710.

    Example: natural gas, 3 % oxygen dry: 100 × 1040 ÷ 8710 × 17.9 ÷ 20.9 = 10.2264… %, reported
    10.2 % (by hand; EPA publishes the equation and no example).

    Not confirmed: the equations were read in EPA's program; the rule's own are drawings. The bounds
    of the F-factors are the program's.
    """
    _of_fuel(gas_of)
    dry = _dry(equation, {"F-14A": False, "F-14B": True}, moisture_percent)
    row = rule_set("us-part-75").row("oxygen.air")
    found = co2_percent_by_oxygen(o2_percent, fc / fd, dry)
    return {
        "co2_percent": exact_text(found),
        "reported_percent": rounded_text(found, 1),
        "parameters": {row.id: default(row).as_map()},
    }


def co2_percent_by_oxygen(o2_percent: Fraction, ratio: Fraction, dry: Fraction) -> Fraction:
    """F-14A (dry = 1) or F-14B: CO2 from oxygen, in percent on the basis of the oxygen; >= 0.

    Args:
        o2_percent: vol %.
        ratio: Fc ÷ Fd of the fuel.
        dry: share of dry gas in what the oxygen is measured in.
    """
    air = rule_set("us-part-75").row("oxygen.air").value
    return max(100 / air * ratio * (air * dry - o2_percent), Fraction(0))


@method(
    "part75.heat_input",
    version=1,
    source=f"40 CFR 75 App. F Eq. F-15 to F-18, {_SOURCE}: HOURCV7",
    inputs={
        "equation": _NAME,
        "gas_of": _NAME,
        "flow_scfh": _FLOW,
        "co2_percent": Input("vol %", low="0", high="100", optional=True),
        "o2_percent": Input("vol %", low="0", high="20.9", optional=True),
        "fc": _FC,
        "fd": _FD,
        "moisture_percent": _MOISTURE,
    },
    outputs={"heat_mmbtu_h": "mmBtu/h, HHV, not rounded", "reported_mmbtu_h": "mmBtu/h, HHV"},
)
def heat_input(
    *,
    equation: str,
    gas_of: str,
    flow_scfh: Fraction,
    co2_percent: Fraction | None = None,
    o2_percent: Fraction | None = None,
    fc: Fraction | None = None,
    fd: Fraction | None = None,
    moisture_percent: Fraction | None = None,
) -> dict[str, Any]:
    """Heat that the fuel brought in an hour, from the gas it left.

    F-15: HI [mmBtu/h] = flow [scfh] × CO2_wet [%] ÷ (100 × Fc)
    F-16: HI [mmBtu/h] = flow [scfh] × (100 - H2O [%]) × CO2_dry [%] ÷ (10000 × Fc)
    F-17: HI [mmBtu/h] = flow [scfh] ÷ Fd × (0.209 × (100 - H2O [%]) - O2_wet [%]) ÷ 20.9
    F-18: HI [mmBtu/h] = flow [scfh] × (100 - H2O [%]) × (20.9 - O2_dry [%]) ÷ (2090 × Fd)

    Give what the equation names and nothing else. The heat is gross (HHV), never a net value.
    reported_mmbtu_h is rounded to 0.1 and never below 1.0, as EPA's program has it. gas_of: fuel;
    process and by-product are refused, as in part75.co2_by_oxygen.

    Example: F-15 with 40,000,000 scfh, 12 % wet, Fc 1800: 40000000 × 12 ÷ 180000 = 2666.6… mmBtu/h,
    reported 2666.7 (by hand; EPA publishes the equation and no example).

    Not confirmed: the equations were read in EPA's program; the rule's own are drawings.
    """
    _of_fuel(gas_of)
    by_carbon, wants = equation in ("F-15", "F-16"), ("co2_percent", "fc")
    if not by_carbon:
        wants = ("o2_percent", "fd")
    given = {"co2_percent": co2_percent, "o2_percent": o2_percent, "fc": fc, "fd": fd}
    dry = _dry(
        equation, {"F-15": False, "F-16": True, "F-17": True, "F-18": True}, moisture_percent
    )
    problems = [f"{key}: missing, {equation} needs it" for key in wants if given[key] is None]
    problems += [
        f"{key}: {equation} takes none"
        for key, value in given.items()
        if value is not None and key not in wants
    ]
    if problems:
        raise InputError(problems)
    share, factor = (given[key] or Fraction(0) for key in wants)
    air = rule_set("us-part-75").row("oxygen.air").value
    if by_carbon:
        heat = flow_scfh * dry * share / (100 * factor)
    elif equation == "F-17":
        heat = flow_scfh / factor * (air * dry - share) / air
    else:
        heat = flow_scfh / factor * dry * (air - share) / air
    return {
        "heat_mmbtu_h": exact_text(heat),
        "reported_mmbtu_h": rounded_text(max(heat, Fraction(1)), 1),
    }


def _dry(equation: str, takes_moisture: dict[str, bool], moisture: Fraction | None) -> Fraction:
    """The dry share of the wet gas; 1 where the equation has no moisture in it."""
    if equation not in takes_moisture:
        known = " ".join(takes_moisture)
        raise InputError([f"equation: {equation!r} unknown here; known: {known}"])
    if takes_moisture[equation] != (moisture is not None):
        what = "missing, {} needs it" if takes_moisture[equation] else "{} takes none"
        raise InputError([f"moisture_percent: {what.format(equation)}"])
    return 1 - moisture / 100 if moisture is not None else Fraction(1)


def _of_fuel(gas_of: str) -> None:
    if gas_of == FUEL:
        return
    known = f"{gas_of!r} unknown; known: {FUEL} {PROCESS} {BY_PRODUCT}"
    raise InputError([f"gas_of: {REFUSED.get(gas_of, known)}"])
