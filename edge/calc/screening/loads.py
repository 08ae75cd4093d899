"""Whether a pattern of quarter-hours falls on high load more than chance would have it. Pure.

The load of a point is its own level; where it has none, that of the point whose level goes with it
most closely, scaled to it, or else what it was just before and after. The null hypothesis keeps the
pattern and the load as they are, with all their persistence, and only shifts one against the other
around the month.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.calc.blocks import Bool
from edge.calc.screening.chance import normal
from edge.calc.screening.month import Floats, ScreenedMonth

#: a stand-in goes closely with a point
_CLOSELY = 0.8
#: before a pattern is looked at: stretches of it, and the share of the month it may cover
_STRETCHES, _SHARE_MOST = 3, 0.4
_BESIDE = 4  # quarter-hours to either side


@dataclass(frozen=True)
class Concentration:
    """What was found.

    Attributes:
        rank: mean rank of the load where the pattern is: 0 lowest, 0.5 as chance has it, 1 highest.
        chance: of this or more.
        quarters: of the pattern.
        load: the load that was looked at.
    """

    rank: float
    chance: float
    quarters: int
    load: Floats


def concentration(month: ScreenedMonth, row: int, pattern: Bool) -> Concentration | None:
    """Of a pattern of one point; None where there is too little, or too much, of it."""
    begins = int((np.diff(pattern.astype(np.int8), prepend=0) == 1).sum())
    share = float(pattern.mean())
    if begins < _STRETCHES or share > _SHARE_MOST:
        return None
    load = _load(month, row, pattern)
    known = np.isfinite(load)
    if known.mean() < 0.9 or np.ptp(load[known]) == 0:
        return None
    ranks = np.full(len(load), 0.5)
    order = np.argsort(np.argsort(load[known], kind="stable"), kind="stable")
    ranks[known] = (order + 0.5) / len(order)
    mask = (pattern & known).astype(np.float64)
    if not mask.sum():
        return None
    shifted = np.fft.irfft(np.fft.rfft(ranks) * np.conj(np.fft.rfft(mask)), n=len(ranks))
    means = shifted / mask.sum()
    spread = float(means.std())
    if spread == 0:
        return None
    rank = float(means[0])
    z = (rank - float(means.mean())) / spread
    return Concentration(rank, normal(z), int(pattern.sum()), load)


def _load(month: ScreenedMonth, row: int, pattern: Bool) -> Floats:
    own = np.where(pattern & (month.kept.marked[row] > 0), np.nan, month.levels[row])
    lacking = np.isnan(own)
    if not lacking.any():
        return own
    filled = own.copy()
    stand_in = _stand_in(month, row, own)
    if stand_in is not None:
        filled[lacking] = stand_in[lacking]
    for at in np.flatnonzero(np.isnan(filled)).tolist():
        beside = own[max(0, at - _BESIDE) : at + _BESIDE + 1]
        if np.isfinite(beside).any():
            filled[at] = np.nanmean(beside)
    return filled


def _stand_in(month: ScreenedMonth, row: int, own: Floats) -> Floats | None:
    """The closest other point, scaled to this one."""
    rows = np.array([r for r in month.measured if r != row], dtype=np.intp)
    known = np.isfinite(own)
    if not rows.size or known.sum() < 100:
        return None
    others = month.levels[rows]
    usable: npt.NDArray[np.bool_] = np.isfinite(others)
    both = usable & known
    n = both.sum(axis=1).clip(1)
    a, b = np.where(both, own, 0.0), np.where(both, others, 0.0)
    mean_a, mean_b = a.sum(axis=1) / n, b.sum(axis=1) / n
    da = np.where(both, own - mean_a[:, None], 0.0)
    db = np.where(both, others - mean_b[:, None], 0.0)
    cross, var_a, var_b = (da * db).sum(axis=1), (da**2).sum(axis=1), (db**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.nan_to_num(cross / np.sqrt(var_a * var_b))
    # it must have readings where this one has none
    r = np.where((usable & ~known).sum(axis=1) >= (~known).sum() // 2 + 1, r, 0)
    best = int(np.abs(r).argmax())
    if abs(r[best]) < _CLOSELY:
        return None
    slope = cross[best] / var_b[best]
    result: Floats = mean_a[best] + slope * (others[best] - mean_b[best])
    return result
