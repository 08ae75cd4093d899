"""Exact arithmetic on int64 fixed-point counts.

Every result is the nearest integer, halves away from zero (四舍五入), of an exact rational: the
same on every CPU, for one tick or for a month. int64 is used where it provably cannot overflow,
Python integers elsewhere; the result does not tell which.
"""

from fractions import Fraction

import numpy as np

from edge.calc.blocks import Int64

_LIMIT = 2**62


def scale(counts: Int64, factor: Fraction) -> Int64:
    """round(counts × factor), any shape.

    Raises:
        OverflowError: a result does not fit int64.
    """
    num, den = factor.numerator, factor.denominator
    peak = int(np.abs(counts).max(initial=1))
    if 2 * peak * abs(num) + den < _LIMIT:
        twice = 2 * num * counts
        rounded: Int64 = np.sign(twice) * ((np.abs(twice) + den) // (2 * den))
        return rounded
    return ratio(counts, np.ones_like(counts), factor)


def ratio(above: Int64, below: Int64, factor: Fraction = Fraction(1)) -> Int64:
    """round(above ÷ below × factor), elementwise; below > 0.

    Raises:
        OverflowError: a result does not fit int64.
    """
    # times are whole seconds in ns: without what they have in common they mostly fit int64
    above_by, below_by = _common(above), _common(below)
    factor *= Fraction(above_by, below_by)
    above, below = above // above_by, below // below_by
    num, den = 2 * factor.numerator, factor.denominator
    largest = int(np.abs(above).max(initial=1)) * abs(num)
    if largest + 2 * int(below.max(initial=1)) * den < _LIMIT:
        twice, whole = num * above, den * below
        quotients: Int64 = np.sign(twice) * ((np.abs(twice) + whole) // (2 * whole))
        return quotients
    pairs = zip(above.ravel().tolist(), below.ravel().tolist(), strict=True)
    rounded = [_round(a * num, b * den) for a, b in pairs]
    return np.array(rounded, dtype=np.int64).reshape(above.shape)


def _common(counts: Int64) -> int:
    """The greatest divisor that all of them have in common, 1 where there is none."""
    return int(np.gcd.reduce(counts, axis=None)) or 1


def _round(twice: int, den: int) -> int:
    magnitude = (abs(twice) + den) // (2 * den)
    return magnitude if twice >= 0 else -magnitude
