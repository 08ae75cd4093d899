"""What a meter may well show when nothing is known but its profile. Pure.

The figures are ordinary ones for practice, of no plant: a value within the row's unit that moves,
so that a wrong address, order or scale is seen. None of them is used in any calculation.
"""

from collections.abc import Mapping
from fractions import Fraction

from evidence.points import Role, exact
from firmware_configs.model import BIT_TABLES, Profile, Register
from simulators.encode import ends_of

#: (kind, unit) -> least and greatest of what a gauge moves between, in that unit.
_GAUGES: Mapping[tuple[str, str], tuple[float, float]] = {
    ("voltage", "V"): (225, 235), ("voltage", "mV"): (200, 300),
    ("current", "A"): (80, 160), ("current", "kA"): (0.8, 1.6),
    ("power", "W"): (30e3, 60e3), ("power", "kW"): (30, 60), ("power", "MW"): (3, 6),
    ("reactive-power", "var"): (9e3, 18e3), ("reactive-power", "kvar"): (9, 18),
    ("reactive-power", "Mvar"): (0.9, 1.8), ("apparent-power", "VA"): (32e3, 63e3),
    ("apparent-power", "kVA"): (32, 63), ("apparent-power", "MVA"): (3.2, 6.3),
    ("liquid-volume", "m3"): (20, 80), ("liquid-volume", "L"): (200, 800),
    ("liquid-flow", "m3/h"): (18, 24), ("liquid-flow", "L/h"): (800, 1200),
    ("density", "kg/m3"): (840, 860),
    ("mass", "kg"): (200, 800), ("mass", "t"): (20, 80),
    ("mass-flow", "kg/h"): (800, 1200), ("mass-flow", "t/h"): (18, 24),
    ("gas-volume", "m3"): (500, 900), ("gas-volume", "Nm3"): (500, 900),
    ("gas-flow", "m3/h"): (700, 1100), ("gas-flow", "Nm3/h"): (700, 1100),
    ("heating-value", "GJ/t"): (22, 26), ("heating-value", "MJ/kg"): (22, 26),
    ("heating-value", "MJ/Nm3"): (34, 37), ("heating-value", "GJ/10^4 Nm3"): (340, 370),
    ("concentration", "vol%"): (8, 14), ("concentration", "mg/Nm3"): (40, 120),
    ("concentration", "ppm"): (60, 180),
    ("temperature", "degC"): (18, 32), ("temperature", "K"): (291, 305),
    ("pressure", "Pa"): (98e3, 104e3), ("pressure", "kPa"): (380, 420),
    ("pressure", "MPa"): (0.38, 0.42), ("pressure", "bar"): (3.8, 4.2),
    ("frequency", "Hz"): (49.95, 50.05),
    ("ratio", "1"): (0.88, 0.97), ("ratio", "%"): (30, 60),
    ("duration", "s"): (10, 50), ("duration", "min"): (10, 50), ("duration", "h"): (10, 50),
    ("emission", "kg"): (200, 800), ("emission", "t"): (20, 80), ("emission", "tCO2e"): (20, 80),
    ("emission-flow", "kg/h"): (800, 1200), ("emission-flow", "t/h"): (18, 24),
    ("emission-flow", "tCO2e/h"): (18, 24),
}  # fmt: skip

#: A meter behind transformers sees these: 100 V between phases, up to 5 A.
_BEHIND_TRANSFORMERS = {
    "V": (57.0, 58.5), "A": (1.5, 4.5), "W": (300, 700), "kW": (0.3, 0.7), "var": (100, 200),
    "kvar": (0.1, 0.2), "VA": (320, 730), "kVA": (0.32, 0.73),
}  # fmt: skip

#: unit -> what a totaliser gains an hour; any other unit gains one.
_GAINS = {
    "Wh": 90e3, "kWh": 90, "MWh": 4.5, "varh": 27e3, "kvarh": 27, "Mvarh": 1.35,
    "kg": 1000, "t": 21, "L": 1000, "m3": 900, "Nm3": 900, "10^4 Nm3": 0.09, "tCO2e": 21,
    "s": 3600, "min": 60,
}  # fmt: skip

#: Names of states that would make a bad first impression.
_ODD = ("unknown", "reserved", "off", "stopped")


def band_of(profile: Profile, register: Register, ratios: Mapping[str, str]) -> tuple[float, float]:
    """What a gauge moves between, primary engineering units: what is ordinary and can be shown.

    Where nothing ordinary can be shown, the middle fifth of what can.
    """
    kind, unit = register.quantity.kind, register.quantity.unit
    low, high = _GAUGES.get((kind, unit), (0.0, 1.0))
    if profile.reports == "secondary" and register.applies and unit in _BEHIND_TRANSFORMERS:
        low, high = _BEHIND_TRANSFORMERS[unit]
    factor = _ratio(profile, register, ratios)
    least, most = limits_of(profile, register, ratios)
    low, high = max(low * factor, least), min(high * factor, most)
    if low < high:
        return low, high
    return least + 0.4 * (most - least), least + 0.6 * (most - least)


def limits_of(
    profile: Profile, register: Register, ratios: Mapping[str, str]
) -> tuple[float, float]:
    """Least and greatest primary value that the register can show and its range allows."""
    factor = _ratio(profile, register, ratios)
    if register.dtype.is_float:
        least, most = -1e9, 1e9
    else:
        low, high = _raw_limits(register)
        ends = sorted(
            float((Fraction(raw, 10**register.decimals)) * exact(register.scale)
                  + exact(register.offset)) * factor
            for raw in (low, high)
        )  # fmt: skip
        least, most = ends
    if register.range_min is not None:
        least = max(least, float(exact(register.range_min)))
    if register.range_max is not None:
        most = min(most, float(exact(register.range_max)))
    return least, most


def gain_of(profile: Profile, register: Register, ratios: Mapping[str, str]) -> float:
    """What a totaliser gains an hour, primary units."""
    return _GAINS.get(register.quantity.unit, 1.0) * _ratio(profile, register, ratios)


def state_of(register: Register) -> int:
    """A state in which nothing is wrong: 0 of a bit, else the first that marks nothing, not odd."""
    if register.item is not None and register.item.field == "Flag":
        return ord("N")
    marked = {raw for raw, _ in register.marks}
    is_bit = register.table in BIT_TABLES or (
        register.bits is not None and register.bits.width == 1
    )
    if is_bit and 0 not in marked:
        return 0
    plain = [(raw, name) for raw, name in register.states if raw not in marked]
    good = [raw for raw, name in plain if not name.lower().startswith(_ODD)]
    return good[0] if good else plain[0][0] if plain else 0


def _ratio(profile: Profile, register: Register, ratios: Mapping[str, str]) -> float:
    factor = Fraction(1)
    for name in register.applies:
        if name == "pulse_weight" or profile.reports == "secondary":
            factor *= exact(ratios.get(name, "1"))
    return float(factor)


def _raw_limits(register: Register) -> tuple[int, int]:
    """Least and greatest raw number; the outermost of whole words often mean "no value"."""
    if register.table in BIT_TABLES:
        return 0, 1
    if register.role is Role.TOTALISER and register.rolls_at:
        return 0, register.rolls_at - 1
    low, high = ends_of(register)
    is_whole = register.bits is None and not register.is_bcd and register.identifier is None
    return (low + 2 * (low < 0), high - 1) if is_whole else (low, high)
