"""Counts with their qualities: when a computed value is given, and how several make one. Pure."""

from collections.abc import Sequence

import numpy as np

from edge.calc.blocks import Bool, Int64, UInt8
from evidence.quality import Quality

Values = tuple[Int64, UInt8]  # counts and their quality codes


def given(ok: Bool) -> UInt8:
    """GOOD where the inputs are there, NO_INPUT elsewhere; same shape."""
    if ok.all():  # the rule, and seen far faster than it is written one by one
        return np.full(ok.shape, Quality.GOOD, dtype=np.uint8)
    return np.where(ok, np.uint8(Quality.GOOD), np.uint8(Quality.NO_INPUT))


def total(parts: Sequence[Values], n: int) -> Values:
    """The sum, as good as its worst part; codes grow with what is missing."""
    counts, quality = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.uint8)
    for values, codes in parts:
        counts = counts + values
        quality = np.maximum(quality, codes)
    return counts, quality
