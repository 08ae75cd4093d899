"""Raw wire values to exact fixed-point counts, and counts to decimal text.

A count is an int64 in units of 10^-decimals of the point's unit. A reading is rounded to its
count once, half away from zero; from there on integers are added, so a sum does not depend on
order, batching or CPU. Rounding rules (also in FIGURES.md, "Counts"):

- integer dtypes: exact rational arithmetic, count = round_half_away(raw × num / den + shift);
- float dtypes: y = float64(raw) × m + s with m, s the float64 nearest to factor × 10^decimals and
  shift × 10^decimals; count = sign(y) × floor(|y| + 0.5). NaN, infinity and |y| ≥ 2^62 have no
  count: they come back as bad.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from evidence.points import Point

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

_LIMIT = 2**62


def to_counts(raw: npt.NDArray[np.generic], point: Point) -> tuple[Counts, Mask]:
    """Fixed-point counts of raw values.

    Args:
        raw: any shape, of the point's dtype.
        point: its scaling and decimals are used.

    Returns:
        (counts, valid), both of raw's shape; counts is 0 where valid is False.
    """
    step = 10**point.decimals
    factor, shift = point.scaling.factor * step, point.scaling.shift * step
    if point.dtype.is_float:
        return _float_counts(raw, float(factor), float(shift))
    return _integer_counts(raw, factor, shift)


def _float_counts(
    raw: npt.NDArray[np.generic], factor: Floats | float, shift: Floats | float
) -> tuple[Counts, Mask]:
    with np.errstate(all="ignore"):
        scaled = raw.astype(np.float64)
        scaled *= factor
        scaled += shift
        # one look at the extremes spares looking at every number; NaN fails every comparison
        least, most = scaled.min(initial=0.0), scaled.max(initial=0.0)
        if least > -_LIMIT and most < _LIMIT:
            return _rounded(scaled, least), np.ones(raw.shape, dtype=bool)
        valid = np.isfinite(scaled) & (np.abs(scaled) < _LIMIT)
        return _rounded(np.where(valid, scaled, 0.0), -1.0), valid


def _rounded(scaled: Floats, least: float) -> Counts:
    """sign(y) × floor(|y| + 0.5): half of y's own sign is added, then what is no whole is cut."""
    scaled += 0.5 if least >= 0 else np.copysign(0.5, scaled)
    return scaled.astype(np.int64)


def _integer_counts(
    raw: npt.NDArray[np.generic], factor: Fraction, shift: Fraction
) -> tuple[Counts, Mask]:
    den = factor.denominator * shift.denominator
    num, add = factor.numerator * shift.denominator, shift.numerator * factor.denominator
    if num == den and add == 0 and raw.dtype.itemsize < 8:
        return raw.astype(np.int64), np.ones(raw.shape, dtype=bool)
    peak = int(max(abs(int(raw.max())), abs(int(raw.min())))) if raw.size else 0
    if 2 * (max(peak, 1) * num + abs(add)) + den < _LIMIT:
        twice = 2 * (raw.astype(np.int64) * num + add)
        counts = np.sign(twice) * ((np.abs(twice) + den) // (2 * den))
        return counts.astype(np.int64), np.ones(raw.shape, dtype=bool)
    exact = [round_half_away(Fraction(int(r) * num + add, den)) for r in raw.ravel()]
    valid = np.array([abs(c) < _LIMIT for c in exact], dtype=bool).reshape(raw.shape)
    counts = np.array([c if abs(c) < _LIMIT else 0 for c in exact], dtype=np.int64)
    return counts.reshape(raw.shape), valid


def round_half_away(value: Fraction) -> int:
    """The nearest integer, halves away from zero (四舍五入)."""
    doubled = 2 * abs(value)
    magnitude = (doubled.numerator + doubled.denominator) // (2 * doubled.denominator)
    return magnitude if value >= 0 else -magnitude


def count_to_text(count: int, decimals: int) -> str:
    """The decimal string of a count, always with `decimals` places, never an exponent."""
    if not decimals:
        return str(count)
    digits = str(abs(count)).zfill(decimals + 1)
    return f"{'-' if count < 0 else ''}{digits[:-decimals]}.{digits[-decimals:]}"


class GroupCounts:
    """`to_counts` for all points of a group at once, with the per-point numbers prepared."""

    def __init__(self, points: Sequence[Point]) -> None:
        """Prepare.

        Args:
            points: the group's points, in row order, all of one dtype.
        """
        self._points = tuple(points)
        self._is_float = points[0].dtype.is_float
        parts = []
        for point in points:
            step = 10**point.decimals
            parts.append((point.scaling.factor * step, point.scaling.shift * step))
        self._factor = np.array([[float(f)] for f, _ in parts])
        self._shift = np.array([[float(s)] for _, s in parts])
        dens = [f.denominator * s.denominator for f, s in parts]
        nums = [f.numerator * s.denominator for f, s in parts]
        adds = [s.numerator * f.denominator for f, s in parts]
        self._widest = max(max(nums), max(abs(a) for a in adds), max(dens))
        small = self._widest < _LIMIT
        self._den = np.array([[d] for d in dens], dtype=np.int64) if small else None
        self._num = np.array([[n] for n in nums], dtype=np.int64) if small else None
        self._add = np.array([[a] for a in adds], dtype=np.int64) if small else None

    def counts(self, raw: npt.NDArray[np.generic]) -> tuple[Counts, Mask]:
        """Counts and validity of raw [points][ticks]; equal to `to_counts` row by row."""
        if self._is_float:
            return _float_counts(raw, self._factor, self._shift)
        if self._num is not None and self._add is not None and self._den is not None:
            peak = int(max(abs(int(raw.max())), abs(int(raw.min())))) if raw.size else 0
            if 2 * (peak + 1) * self._widest + self._widest < _LIMIT:
                twice = 2 * (raw.astype(np.int64) * self._num + self._add)
                whole = np.sign(twice) * ((np.abs(twice) + self._den) // (2 * self._den))
                return whole, np.ones(raw.shape, dtype=bool)
        rows = [to_counts(row, point) for row, point in zip(raw, self._points, strict=True)]
        return np.stack([c for c, _ in rows]), np.stack([v for _, v in rows])


class Countable:
    """Which raw numbers of a group have a count, without making the counts."""

    def __init__(self, points: Sequence[Point]) -> None:
        """Prepare.

        Args:
            points: the group's points, in row order, all of one dtype.
        """
        self._is_float = points[0].dtype.is_float
        parts = [
            (p.scaling.factor * 10**p.decimals, p.scaling.shift * 10**p.decimals) for p in points
        ]
        if self._is_float:
            self._factor = np.array([[float(factor)] for factor, _ in parts])
            self._shift = np.array([[float(shift)] for _, shift in parts])
            room = min((_LIMIT - 1 - abs(shift)) / factor for factor, shift in parts)
            # a margin far above the rounding of binary64, far below what a plant measures
            self._sure = float(room) * (1 - 2.0**-30)
            return
        kind = np.iinfo(points[0].dtype.numpy_name)
        # its count is below the limit where the exact number is half a step below it
        room = _LIMIT - Fraction(1, 2)
        spans = [(-(room + s) / f, (room - s) / f) for f, s in parts]
        lows = [max(math.floor(low) + 1, kind.min) for low, _ in spans]
        highs = [min(math.ceil(high) - 1, kind.max) for _, high in spans]
        self._all = max(lows) == kind.min and min(highs) == kind.max
        none = [low > high for low, high in zip(lows, highs, strict=True)]
        self._low = np.array([[1 if n else v] for n, v in zip(none, lows, strict=True)], kind.dtype)
        self._high = np.array(
            [[0 if n else v] for n, v in zip(none, highs, strict=True)], kind.dtype
        )

    def where(self, raw: npt.NDArray[np.generic]) -> Mask | None:
        """Which of raw [points][ticks] have one; None for all, which is quickly seen."""
        if not raw.size:
            return None
        if not self._is_float:
            return None if self._all else (raw >= self._low) & (raw <= self._high)
        # NaN fails every comparison
        if float(raw.min()) >= -self._sure and float(raw.max()) <= self._sure:
            return None
        with np.errstate(all="ignore"):
            valid: Mask = np.abs(raw.astype(np.float64) * self._factor + self._shift) < _LIMIT
        return valid
