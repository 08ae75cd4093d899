"""The greatest value and the next below it, and how often a series came to each. Pure."""

from typing import Any

import numpy as np
import numpy.typing as npt

from edge.calc.blocks import Bool, Int64

_NONE = np.iinfo(np.int64).min


class Extremes:
    """Of several points.

    Attributes:
        values: [points][2] the greatest count and the next; the least int64 where there is none.
        arrivals: [points][2] how often the series came to it, from another value.
    """

    def __init__(self, points: int) -> None:
        self.values = np.full((points, 2), _NONE, dtype=np.int64)
        self.arrivals = np.zeros((points, 2), dtype=np.int64)

    def grow(self, more: int) -> None:
        """So many points more."""
        other = Extremes(more)
        self.values = np.concatenate([self.values, other.values])
        self.arrivals = np.concatenate([self.arrivals, other.arrivals])

    def feed(self, rows: npt.NDArray[np.intp], counts: Int64, arrived: Bool) -> None:
        """Readings [points][ticks]; `arrived` where the value is another than the one before."""
        seen = np.where(arrived, counts, _NONE)
        values, arrivals = [self.values[rows]], [self.arrivals[rows]]
        for _ in range(2):
            top = seen.max(axis=1, initial=_NONE)[:, None]
            at = (seen == top) & (top != _NONE)
            values.append(top)
            arrivals.append(at.sum(axis=1)[:, None])
            seen = np.where(at, _NONE, seen)
        self.values[rows], self.arrivals[rows] = _two(
            np.concatenate(values, axis=1), np.concatenate(arrivals, axis=1)
        )


def _two(values: Int64, arrivals: Int64) -> tuple[Any, Any]:
    """The two greatest of a few values in each row, equal ones taken together."""
    chosen, counted = [], []
    for _ in range(2):
        top = values.max(axis=1)[:, None]
        at = values == top
        chosen.append(top)
        counted.append(np.where(at, arrivals, 0).sum(axis=1)[:, None])
        values = np.where(at, _NONE, values)
    return np.concatenate(chosen, axis=1), np.concatenate(counted, axis=1)
