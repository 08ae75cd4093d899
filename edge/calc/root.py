"""Square roots without binary floats: exact where they are, else to 30 decimals of the fraction."""

from fractions import Fraction
from math import isqrt

from edge.calc.decimal_text import UNROUNDED_PLACES, rounded_text

_SCALE = 10**30


def root(value: Fraction) -> Fraction:
    """The square root of a value >= 0: exact if it is a fraction, else at most 1e-30 too low.

    Raises:
        ValueError: a negative value.
    """
    over, under = value.numerator * value.denominator, value.denominator
    whole = isqrt(over)
    if whole * whole == over:
        return Fraction(whole, under)
    return Fraction(isqrt(over * _SCALE * _SCALE), under * _SCALE)


def root_text(value: Fraction) -> str:
    """What a root went into, with `UNROUNDED_PLACES` decimals and no trailing zeros."""
    return rounded_text(value, UNROUNDED_PLACES).rstrip("0").rstrip(".")
