"""Slow, bounded, smooth random curves, and noise drawn in blocks.

Only sums and products are used, no sine or exponential of a mathematics library: the same seed
then gives the same bits on every processor. Pure.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_BLOCK_STEPS = 64


class SlowWave:
    """A curve through random turning points in low..high, flat at each of them."""

    def __init__(
        self, rng: np.random.Generator, *, low: float, high: float, period_steps: int
    ) -> None:
        self._rng = rng
        self._low, self._high = low, high
        self._period = max(1, period_steps)
        self._at = 0
        self._from, self._to = self._draw(), self._draw()

    def _draw(self) -> float:
        return float(self._rng.uniform(self._low, self._high))

    def next(self) -> float:
        """The value at the next step; the first call gives the first turning point."""
        if self._at == self._period:
            self._at = 0
            self._from, self._to = self._to, self._draw()
        part = self._at / self._period
        self._at += 1
        smooth = part * part * (3.0 - 2.0 * part)
        return self._from + (self._to - self._from) * smooth


class BlockNoise:
    """A row of independent numbers a step, drawn many steps at once because that is quicker."""

    def __init__(self, rng: np.random.Generator, width: int, *, kind: str) -> None:
        """`kind` is "normal" (mean 0, deviation 1) or "uniform" (-1..1)."""
        self._rng = rng
        self._width = width
        self._normal = kind == "normal"
        self._at = _BLOCK_STEPS
        self._block: Floats = np.empty((0, width))

    def next(self) -> Floats:
        """The numbers of the next step; a view, do not write to it."""
        if self._at == _BLOCK_STEPS:
            size = (_BLOCK_STEPS, self._width)
            self._block = (
                self._rng.standard_normal(size) if self._normal else self._rng.uniform(-1, 1, size)
            )
            self._at = 0
        row: Floats = self._block[self._at]
        self._at += 1
        return row
