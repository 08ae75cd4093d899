"""Units of manuals that points do not have: what to write instead is exact, or nothing is said."""

from fractions import Fraction

import pytest

from evidence.points import exact
from firmware_configs.units import _TIMES, UNITS, instead, spelling

#: SI: grams, cubic metres and so on in a unit; 1 L = 0.001 m3, 1 bar = 100,000 Pa, 1 h = 3,600 s
_AMOUNT = {
    "g": 1, "kg": 1_000, "t": 10**6, "kt": 10**9, "mg": Fraction(1, 1_000),
    "m3": 1, "nm3": 1, "Nm3": 1, "l": Fraction(1, 1_000), "L": Fraction(1, 1_000),
    "hl": Fraction(1, 10), "cm3": Fraction(1, 10**6), "kv": 1_000, "V": 1, "ma": Fraction(1, 1_000),
    "A": 1, "gwh": 10**9, "MWh": 10**6, "gw": 10**9, "MW": 10**6, "mbar": 100, "hpa": 100, "Pa": 1,
    "ppb": Fraction(1, 10**9), "ppm": Fraction(1, 10**6), "s": 1, "min": 60, "h": 3_600,
}  # fmt: skip


def size(unit: str) -> Fraction:
    amount, _, per = unit.partition("/")
    return Fraction(_AMOUNT[amount]) / Fraction(_AMOUNT[per] if per else 1)


def test_every_scale_is_the_quotient_of_the_units() -> None:
    told = {unit: (other, scale) for unit, (other, scale) in _TIMES.items() if instead(unit)}
    assert len(told) >= 25
    for unit, (other, scale) in told.items():
        assert other in UNITS
        assert size(unit) / size(other) == exact(scale), unit


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("kg/s", 'write unit kg/h with scale = "3600"'),
        ("m³/s", 'write unit m3/h with scale = "3600"'),
        ("g/L", "write unit kg/m3"), ("°C", "write degC"), ("kVAr", "write kvar"),
        ("m³/h", "write m3/h"), ("KWH", "write kWh"), ("furlong", ""), ("kWh", ""),
        # mW and MW, mPa and MPa, ml and Ml: a letter that may be meant in two ways says nothing
        ("mW", ""), ("MWH", ""), ("mPa", ""), ("ML", ""), ("k", ""),
    ],
)  # fmt: skip
def test_what_to_write_instead(unit: str, said: str) -> None:
    assert instead(unit) == said


def test_a_unit_of_a_point_is_left_as_it_is() -> None:
    assert [unit for unit in UNITS if spelling(unit) != unit] == []
