"""What to write for a unit that no point has: manuals have kg/s, m³/h and kVAr. Pure.

Only what is exact is proposed. A value in kg/s becomes one in kg/h by `scale = "3600"`, where
everybody sees it; what is signed is then in the unit of the point.
"""

from evidence.points import KINDS

UNITS = frozenset().union(*(units for units, _ in KINDS.values()))

#: other spellings, in lower case, with ordinary digits for raised ones
_SPELT = {unit.lower(): unit for unit in sorted(UNITS)} | {
    "c": "degC", "°c": "degC", "deg c": "degC", "kelvin": "K", "ton": "t", "tonne": "t",
    "ton/h": "t/h", "cbm": "m3", "m^3": "m3", "m^3/h": "m3/h", "nm^3": "Nm3",
    "nm^3/h": "Nm3/h", "vol.%": "vol%", "vol-%": "vol%", "%vol": "vol%", "percent": "%",
    "volt": "V", "volts": "V", "amps": "A", "ampere": "A", "watt": "W", "watts": "W",
    "sec": "s", "litre": "L", "liter": "L", "none": "1", "-": "1",
}  # fmt: skip

#: unit, in lower case -> (unit of a point, scale)
_TIMES = {
    "kg/s": ("kg/h", "3600"), "kg/min": ("kg/h", "60"), "g/s": ("kg/h", "3.6"),
    "g/h": ("kg/h", "0.001"), "t/min": ("t/h", "60"), "kt/h": ("t/h", "1000"),
    "m3/s": ("m3/h", "3600"), "m3/min": ("m3/h", "60"), "l/s": ("L/h", "3600"),
    "l/min": ("L/h", "60"), "nm3/s": ("Nm3/h", "3600"), "nm3/min": ("Nm3/h", "60"),
    "g": ("kg", "0.001"), "kt": ("t", "1000"), "hl": ("L", "100"),
    "kv": ("V", "1000"), "ma": ("A", "0.001"), "gwh": ("MWh", "1000"), "gw": ("MW", "1000"),
    "mbar": ("Pa", "100"), "hpa": ("Pa", "100"), "g/cm3": ("kg/m3", "1000"),
    "kg/l": ("kg/m3", "1000"), "g/l": ("kg/m3", "1"), "t/m3": ("kg/m3", "1000"),
    "g/nm3": ("mg/Nm3", "1000"), "ppb": ("ppm", "0.001"),
}  # fmt: skip
#: prefixes whose letter alone tells them from others: mW is no MW
_TWO_READINGS = frozenset({"mw", "mwh", "mva", "mvar", "mvarh", "mpa", "mv", "mhz", "ml", "k"})


def spelling(unit: str) -> str:
    """The unit as points have it, where it is only spelt otherwise; else as it is."""
    if unit in UNITS:
        return unit
    plain = _plain(unit)
    return unit if plain in _TWO_READINGS else _SPELT.get(plain, unit)


def instead(unit: str) -> str:
    """What to write for a unit that no point has, as a sentence; "" where nothing is known."""
    if (spelt := spelling(unit)) != unit:
        return f"write {spelt}"
    plain = _plain(unit)
    if plain in _TIMES:
        other, scale = _TIMES[plain]
        times = "" if scale == "1" else f' with scale = "{scale}"'
        return f"write unit {other}{times}"
    return ""


def _plain(unit: str) -> str:
    return unit.strip().lower().replace("³", "3").replace("m^3", "m3")
