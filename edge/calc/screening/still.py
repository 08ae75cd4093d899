"""Quarter-hours in which a meter stands still, and those of them in which it should not. Pure."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.calc.blocks import Bool
from edge.calc.screening.month import ScreenedMonth
from edge.calc.screening.stretches import stretches
from evidence.points import Provenance

_PAIRS_LEAST = 8
#: fewer still quarter-hours may be the turn of a slow wave
_TOGETHER = 3


@dataclass(frozen=True)
class Stillness:
    """Of one gauge.

    Attributes:
        pairs, equal: [quarters] readings after another; those with the same value.
        enough: quarters with readings enough to tell.
        moving: those in which the value moved, and in whose neighbours it did.
        stuck: those in which it stood still, for three quarter-hours and more, and not as a
            machine at rest or at a stop does.
    """

    pairs: npt.NDArray[np.int64]
    equal: npt.NDArray[np.int64]
    enough: Bool
    moving: Bool
    stuck: Bool


def stillness(month: ScreenedMonth, row: int) -> Stillness:
    """Of a gauge by its row."""
    pairs = month.kept.pairs[row].astype(np.int64)
    equal = month.kept.equal[row].astype(np.int64)
    enough = pairs >= max(_PAIRS_LEAST, int(pairs.max(initial=0)) // 2)
    still = enough & (pairs == equal)
    near = np.convolve(still, (1, 1, 1), mode="same") > 0  # it may have begun or ended there
    return Stillness(pairs, equal, enough, enough & ~near, _stuck(month, row, still))


def _stuck(month: ScreenedMonth, row: int, still: Bool) -> Bool:
    """Still quarters, but for those of a machine that stands.

    A machine at rest shows nothing, or, where the whole plant stands, whatever its meter shows
    then. One at a stop, or a holder that is full, comes back to one value, the least or greatest;
    a controller comes back to its own limits: a stuck meter does not.
    """
    level = month.levels[row]
    stuck: Bool = still & (level != 0) & ~month.rests
    for first, last in stretches(stuck):
        stuck[first:last] = last - first >= _TOGETHER
    runs = stretches(stuck)
    if not runs:
        return stuck
    ends = float(np.nanmin(level)), float(np.nanmax(level))
    controls = month.quarters.points[row].provenance is Provenance.VIA_CONTROL_SYSTEM
    for first, last in runs:
        value = float(level[first])
        again = sum(_same(float(level[other]), value) for other, _ in runs) > 1
        if again and (controls or any(_same(value, end) for end in ends)):
            stuck[first:last] = False
    return stuck


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-9 * max(1.0, abs(other))
