"""Water vapour of a gas that has been washed: it is saturated, so its temperature says how much.

Saturation pressure by W. Wagner and A. Pruss, the equation of IAPWS release SR1-86(1992), from
which the steam tables are made: ln(p/pc) = Tc/T (a1 x + a2 x^1.5 + a3 x^3 + a4 x^3.5 + a5 x^4 +
a6 x^7.5) with x = 1 - T/Tc. In decimal arithmetic, whose exp and square root are rounded correctly
everywhere, so the same seed gives the same bits on every machine. Ideal mixture (no enhancement
factor: half a percent of the vapour at these pressures). Pure.
"""

from dataclasses import replace
from decimal import Decimal, localcontext
from functools import lru_cache

from simulators.gas import Gas

_TC_K, _PC_MPA_MILLI = Decimal("647.096"), Decimal("22.064e9")  # K, millipascal
_A = tuple(
    map(Decimal, ("-7.85951783", "1.84408259", "-11.7866497", "22.6807411", "-15.9618719",
                  "1.80122502"))
)  # fmt: skip
_ZERO_C_MK = 273_150

#: J/(mol K), CODATA 2018 (exact).
R = 8.31446261815324


@lru_cache(maxsize=1024)
def saturation_mpa(temperature_mk: int) -> int:
    """Saturation pressure in whole millipascals; `temperature_mk` in thousandths of a degC."""
    with localcontext() as context:
        context.prec = 28
        kelvin = Decimal(_ZERO_C_MK + temperature_mk) / 1000
        x = 1 - kelvin / _TC_K
        root = x.sqrt()
        terms = (x, x * root, x**3, x**3 * root, x**4, x**7 * root)
        power = sum((a * term for a, term in zip(_A, terms, strict=True)), Decimal())
        return round(_PC_MPA_MILLI * (_TC_K / kelvin * power).exp())


def saturated(gas: Gas, *, temperature_mk: int, pressure_mpa: int) -> Gas:
    """The gas with as much vapour as it holds at this temperature and pressure (absolute)."""
    vapour = saturation_mpa(temperature_mk)
    return replace(gas, h2o=gas.dry_mmol * vapour // (pressure_mpa - vapour))


def actual_m3(mmol: int, *, temperature_mk: int, pressure_mpa: int) -> float:
    """The volume of an ideal gas as it is."""
    kelvin = (_ZERO_C_MK + temperature_mk) / 1000.0
    return mmol * R * kelvin / pressure_mpa


def most_mmol(m3: float, *, temperature_mk: int, pressure_mpa: int) -> int:
    """How much has room there."""
    kelvin = (_ZERO_C_MK + temperature_mk) / 1000.0
    return int(m3 * pressure_mpa / (R * kelvin))
