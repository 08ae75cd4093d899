"""Fingerprints of quarter-hours, an even share of them, and where many months have the same. Pure.

Of all fingerprints the same share is taken in every month, so that two months that hold one stretch
of readings have its fingerprints in common.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.calc.screening.chance import any_of
from edge.calc.screening.month import ScreenedMonth, resolution
from edge.calc.screening.quarters import POINTS_MAX, QUARTERS_MAX
from evidence.points import Role

#: of all fingerprints one in so many is compared, the same ones in every month
SAMPLED = 8
#: fingerprints alike at one distance in time before they are told
LEAST = 4
#: a month that has a fingerprint is held against the next so many that have it too: work grows
#: with the months, and what more months share than that is seen at some of them
BESIDE = 15
#: months compared together
MONTHS_MAX = 1 << 14
PRINT = np.dtype([("print", "<u8"), ("row", "<u2"), ("quarter", "<u2")])
#: how a pair of points and a distance in time are one number: months, rows and quarters fit
_ROW_BITS, _LAG_BITS, _MONTH_BITS = 10, 13, 14
_PAIR = 2 * _ROW_BITS + _LAG_BITS
#: at a time a part of all fingerprints is looked at
_PARTS = 16
#: steps in a quarter-hour, and bits in their pattern, that tell it from others
_PAIRS_LEAST, _BITS_LEAST = 8, 40
_Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Prints:
    """Of one month.

    Attributes:
        points: ids, by row.
        quarters: quarter-hours of the month.
        one_in: which share of all these are: one in so many.
        of: array of `PRINT`, sorted by print, each print once.
    """

    points: tuple[str, ...]
    quarters: int
    one_in: int
    of: npt.NDArray[np.void]

    def check(self) -> None:
        """ValueError where these are no fingerprints that `alike` can take."""
        rows, prints = self.of["row"], self.of["print"]
        if self.one_in < SAMPLED or not 0 < self.quarters <= QUARTERS_MAX:
            raise ValueError("no share of a month")
        if len(self.points) > 1 << _ROW_BITS or (rows >= len(self.points)).any():
            raise ValueError("a fingerprint of no point")
        if (self.of["quarter"] >= QUARTERS_MAX).any() or (prints[1:] <= prints[:-1]).any():
            raise ValueError("fingerprints stand once each, in order, in a quarter of the month")


@dataclass(frozen=True)
class Alike:
    """Two months, and the two points of theirs that have most in common.

    Attributes:
        first, other: places of the months.
        here, there: ids of the points.
        hours: about so many.
        chance: of this by chance alone.
    """

    first: int
    other: int
    here: str
    there: str
    hours: float
    chance: float


def patterned(month: ScreenedMonth, row: int) -> _Keys:
    """Fingerprints of the quarters whose steps differ enough to be told apart, 0 elsewhere.

    Two steps drawn from a normal distribution of standard deviation s are the same number of the
    meter's own steps with a chance of 1 / (2 √π s): so many bits a step.
    """
    kept, point = month.kept, month.quarters.points[row]
    pairs = kept.pairs[row].astype(np.int64)
    with np.errstate(divide="ignore", invalid="ignore"):
        square = kept.squares[row].astype(np.float64) / pairs
        if point.role is Role.TOTALISER:
            square -= (kept.sum[row] / pairs) ** 2
        deviation = np.sqrt(np.maximum(square, 0)) / resolution(point)
        bits = pairs * np.log2(np.maximum(2 * np.sqrt(np.pi) * deviation, 1))
    told = (pairs >= _PAIRS_LEAST) & (2 * kept.equal[row] <= pairs) & (bits >= _BITS_LEAST)
    result: _Keys = np.where(told, kept.print[row], np.uint64(0))
    return result


def sampled(month: ScreenedMonth) -> Prints:
    """A month's fingerprints; what a point has twice is a habit of the meter, and left out."""
    parts = [np.zeros(0, PRINT)]
    for row in month.measured:
        prints = patterned(month, row)
        at = np.flatnonzero((prints != 0) & (prints % np.uint64(SAMPLED) == 0))
        part = np.zeros(len(at), PRINT)
        part["print"], part["row"], part["quarter"] = prints[at], row, at
        parts.append(part)
    of = np.sort(np.concatenate(parts), order=["print", "row"])
    again = (of[1:]["print"] == of[:-1]["print"]) & (of[1:]["row"] == of[:-1]["row"])
    of = of[~np.isin(of["print"], of[1:]["print"][again])]
    last = np.append(of[1:]["print"] != of[:-1]["print"], True)[: len(of)]
    points = tuple(point.id for point in month.quarters.points)
    return Prints(points, month.quarter_count, SAMPLED, of[last])


def thinned(prints: Prints, most: int) -> Prints:
    """At most so many: an even share again, and the same one in every month."""
    one_in, of = prints.one_in, prints.of
    while len(of) > most:
        one_in *= 2
        of = of[of["print"] % np.uint64(one_in) == 0]
    return Prints(prints.points, prints.quarters, one_in, of)


def alike(months: Sequence[Prints]) -> list[Alike]:
    """Every two months that have fingerprints in common, in the order of months.

    Raises:
        ValueError: more than `MONTHS_MAX` months.
    """
    if len(months) > MONTHS_MAX:
        raise ValueError(f"{len(months)} months: at most {MONTHS_MAX} are compared together")
    keys, counts = np.zeros(0, np.uint64), np.zeros(0, np.int64)
    for part in _parts(months):
        found, times = np.unique(_pairs(part), return_counts=True)
        keys, inverse = np.unique(np.concatenate([keys, found]), return_inverse=True)
        counts = np.bincount(
            inverse, np.concatenate([counts, times]), minlength=len(keys)
        ).astype(np.int64)  # fmt: skip
    pairs, begins = np.unique(keys >> np.uint64(_PAIR), return_index=True)
    shared = np.add.reduceat(counts, begins) if len(begins) else counts
    best = np.lexsort((keys, -counts, keys >> np.uint64(_PAIR)))[begins]
    return [
        _alike(months, int(pair), int(keys[at]), int(counts[at]), int(all_))
        for pair, at, all_ in zip(pairs, best, shared, strict=True)
    ]


def _alike(months: Sequence[Prints], pair: int, key: int, count: int, shared: int) -> Alike:
    first, other = pair >> _MONTH_BITS, pair & ((1 << _MONTH_BITS) - 1)
    rows = (1 << _ROW_BITS) - 1
    here, there = key >> (_ROW_BITS + _LAG_BITS) & rows, key >> _LAG_BITS & rows
    one, two = months[first], months[other]
    return Alike(
        first, other, one.points[here], two.points[there],
        count * max(one.one_in, two.one_in) / 4, _chance(count, shared, one.quarters),
    )  # fmt: skip


def _chance(count: int, shared: int, quarters: int) -> float:
    """Of so many of the shared prints at one lag, if each were at any lag: Poisson, over all."""
    if count < LEAST:
        return 1.0
    lags = 2 * quarters
    log_each = count * math.log((shared + 1) / lags) - math.lgamma(count + 1)
    return any_of(math.exp(min(0.0, max(log_each, -200))), lags)


def _parts(months: Sequence[Prints]) -> Iterator[list[npt.NDArray[np.void]]]:
    """All fingerprints, part by part; what is alike is in one part."""
    edges = np.arange(1, _PARTS, dtype=np.uint64) << np.uint64(60)
    cuts = [np.searchsorted(month.of["print"], edges) for month in months]
    for n in range(_PARTS):
        yield [
            month.of[cut[n - 1] if n else 0 : cut[n] if n < _PARTS - 1 else None]
            for month, cut in zip(months, cuts, strict=True)
        ]


def _pairs(part: Sequence[npt.NDArray[np.void]]) -> _Keys:
    """Of each fingerprint that two months have: months, points and distance in time, as a key."""
    whole = np.concatenate([np.zeros(0, PRINT), *part])
    month = np.repeat(np.arange(len(part)), [len(one) for one in part]).astype(np.uint64)
    order = np.argsort(whole["print"], kind="stable")  # months stay in their order
    whole, month = whole[order], month[order]
    found = [np.zeros(0, np.uint64)]
    for step in range(1, BESIDE + 1):
        here = np.flatnonzero(whole["print"][step:] == whole["print"][:-step])
        if not len(here):
            break
        found.append(_keys(whole, month, here, here + step))
    return np.concatenate(found)


def _keys(
    whole: npt.NDArray[np.void], month: _Keys, here: npt.NDArray[np.intp],
    there: npt.NDArray[np.intp],
) -> _Keys:  # fmt: skip
    lag = whole["quarter"][there].astype(np.int64) - whole["quarter"][here] + (1 << _LAG_BITS - 1)
    key: _Keys = month[here]
    for bits, more in (
        (_MONTH_BITS, month[there]), (_ROW_BITS, whole["row"][here]),
        (_ROW_BITS, whole["row"][there]), (_LAG_BITS, lag),
    ):  # fmt: skip
        key = key << np.uint64(bits) | more.astype(np.uint64)
    return key


if POINTS_MAX > 1 << _ROW_BITS or QUARTERS_MAX > 1 << _LAG_BITS - 1:
    raise AssertionError("points and quarters must fit into a key")
