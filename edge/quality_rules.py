"""Verdicts on the readings of one tick: what a state says of its device, stale, out of range.

Each rule looks only at what is usable until then, so the first that holds is the reason: a state's
mark explains a value out of its range. FORMAT.md §3 says what the codes mean; what needs more than
one tick is in `edge.quality_history`. Pure.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from evidence.counts import GroupCounts
from evidence.points import MARKS, Point, exact
from evidence.quality import FIRST_BAD, Quality

Rows = npt.NDArray[np.intp]
Int64 = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]

COUNT_LIMIT = 2**62  # no count reaches it (`evidence.counts`)
NO_AGE = int(np.iinfo(np.int64).min)

#: what a state can say of a value, weakest first; a rank is an index into it
_RANKS = np.array([Quality.GOOD, Quality.STATE_UNKNOWN, *[*MARKS.values()][::-1]], dtype=np.uint8)
_UNKNOWN = 1


@dataclass(frozen=True)
class Taken:
    """What one group gave at a tick, while it is judged.

    Attributes:
        raw: [points] in the group's number type.
        quality: [points], as the drivers said; verdicts are written into it.
        age_ms: [points] tick minus source time, rounded down; NO_AGE where the source gave none.
    """

    raw: npt.NDArray[np.generic]
    quality: UInt8
    age_ms: Int64


class _Limits:
    """Range and age of the points of one group that have such limits."""

    def __init__(self, points: Sequence[Point]) -> None:
        ranged = [i for i, p in enumerate(points) if is_ranged(p)]
        self._ranged: Rows = np.array(ranged, dtype=np.intp)
        limited = [points[i] for i in ranged]
        self._counts = GroupCounts(limited) if limited else None
        low = [math.ceil(_limit(p.range_min, p, -COUNT_LIMIT)) for p in limited]
        high = [math.floor(_limit(p.range_max, p, COUNT_LIMIT)) for p in limited]
        self._low: Int64 = np.array(low, dtype=np.int64)
        self._high: Int64 = np.array(high, dtype=np.int64)
        ages = {i: p.rules.stale_after_s for i, p in enumerate(points)}
        oldest = {i: math.floor(exact(s) * 1000) for i, s in ages.items() if s is not None}
        self._aged: Rows = np.array(list(oldest), dtype=np.intp)
        least = [min(age, COUNT_LIMIT) for age in oldest.values()]
        self._oldest_ms: Int64 = np.array(least, dtype=np.int64)

    def judge(self, taken: Taken) -> None:
        if len(self._aged):
            old = taken.age_ms[self._aged] > self._oldest_ms
            _put(taken.quality, self._aged[old], Quality.STALE)
        if self._counts is not None:
            counts, valid = self._counts.counts(taken.raw[self._ranged].reshape(-1, 1))
            counts = counts[:, 0]
            outside = ~valid[:, 0] | (counts < self._low) | (counts > self._high)
            _put(taken.quality, self._ranged[outside], Quality.OUT_OF_RANGE)


def is_ranged(point: Point) -> bool:
    """There is something to hold its values against."""
    return point.range_min is not None or point.range_max is not None


def _limit(text: str | None, point: Point, otherwise: int) -> Fraction:
    """A limit in counts; one that no count can reach is as good as none."""
    limit = otherwise if text is None else exact(text) * 10**point.decimals
    return Fraction(max(-COUNT_LIMIT, min(COUNT_LIMIT, limit)))


def _put(quality: UInt8, rows: Rows, reason: Quality) -> None:
    """Give these rows a reason, where they have no worse one."""
    usable = rows[quality[rows] < FIRST_BAD]
    quality[usable] = reason


class _Marks:
    """What the states of one group say, and of which rows of one other (or the same) group."""

    def __init__(self, states: Sequence[tuple[int, Point]], places: Mapping[str, int]) -> None:
        """Prepare; `places` are the rows of the points of the group spoken of."""
        ranks = {code: rank for rank, code in enumerate(_RANKS.tolist())}
        said, pairs = [], []
        for at, (_, state) in enumerate(states):
            marks = {raw: ranks[code] for raw, code in state.marks}
            named = {raw: 0 for raw, _ in state.states} | marks
            said += [(at, raw, rank) for raw, rank in named.items()]
            pairs += [(at, places[name]) for name in state.speaks_of if name in places]
        self._states: Rows = np.array([row for row, _ in states], dtype=np.intp)
        self._at: Rows = np.array([at for at, _, _ in said], dtype=np.intp)
        self._raw = np.array([raw for _, raw, _ in said], dtype=states[0][1].dtype.numpy_name)
        self._rank: UInt8 = np.array([rank for _, _, rank in said], dtype=np.uint8)
        self._from: Rows = np.array([at for at, _ in pairs], dtype=np.intp)
        self._to: Rows = np.array([row for _, row in pairs], dtype=np.intp)

    def raise_ranks(self, states: Taken, worst: UInt8) -> None:
        """Take what the states say into the ranks of the rows they speak of."""
        raw, quality = states.raw[self._states], states.quality[self._states]
        ranks: UInt8 = np.full(len(self._states), _UNKNOWN, dtype=np.uint8)
        holds = (raw[self._at] == self._raw) & (quality[self._at] < FIRST_BAD)
        ranks[self._at[holds]] = self._rank[holds]
        np.maximum.at(worst, self._to, ranks[self._from])


class TickRules:
    """The rules of a configuration that need one tick only."""

    def __init__(self, groups: Mapping[int, Sequence[Point]]) -> None:
        """Prepare.

        Args:
            groups: of measured points: index -> points in order of rows.
        """
        self._limits = {
            g: _Limits(points)
            for g, points in groups.items()
            if any(is_ranged(p) or p.rules.stale_after_s is not None for p in points)
        }
        # group spoken of -> groups of the states that do, and what they say
        self._marks: dict[int, list[tuple[int, _Marks]]] = {}
        rows = {g: {p.id: i for i, p in enumerate(points)} for g, points in groups.items()}
        for g, points in groups.items():
            states = [(i, p) for i, p in enumerate(points) if p.marks]
            spoken = {name for _, state in states for name in state.speaks_of}
            for to, places in rows.items():
                if not spoken.isdisjoint(places):
                    self._marks.setdefault(to, []).append((g, _Marks(states, places)))

    def judge(self, taken: Mapping[int, Taken]) -> None:
        """Write the verdicts into the qualities of one tick.

        Args:
            taken: index -> what was taken, of all measured groups of one schedule.
        """
        for g, group in taken.items():
            if (speaking := self._marks.get(g)) is not None:
                worst: UInt8 = np.zeros(len(group.quality), dtype=np.uint8)
                for of, marks in speaking:
                    marks.raise_ranks(taken[of], worst)
                told = (worst > 0) & (group.quality < FIRST_BAD)
                group.quality[told] = _RANKS[worst[told]]
        for g, group in taken.items():
            if (limits := self._limits.get(g)) is not None:
                limits.judge(group)
