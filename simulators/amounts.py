"""Amounts of a step, and how the truth tells them: exact decimal strings. Pure.

Units as in `chemistry`.
"""

from decimal import Decimal

_UG_T = 10**12


def mass_ug(t_h: float, step_s: float) -> int:
    """What flows in a step."""
    return round(t_h * _UG_T / 3600.0 * step_s)


def heat_nj(megawatts: float, step_s: float) -> int:
    """What a power moves in a step."""
    return round(megawatts * 10**6 * step_s) * 10**9


def kg(ug: int) -> str:
    """Micrograms as kilograms."""
    return f"{Decimal(ug).scaleb(-9):f}"


def mol(mmol: int) -> str:
    """Millimoles as moles."""
    return f"{Decimal(mmol).scaleb(-3):f}"


def mj(nj: int) -> str:
    """Nanojoules as megajoules."""
    return f"{Decimal(nj).scaleb(-15):f}"
