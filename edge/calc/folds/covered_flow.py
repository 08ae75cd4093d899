"""A flow's integral at each of its readings, for the totaliser read at the same ticks. Pure.

An interval stands for its earlier reading. One longer than `longest_ns` is not integrated, and
what lies on both sides of it are two stretches: only within one are flow and totaliser compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.calc.blocks import Bool, Int64


@dataclass(frozen=True)
class Beside:
    """The flow at n ticks of a totaliser.

    Attributes:
        there: [n] the flow has a usable reading at that tick.
        sums: [n] its integral until then, count·ns beyond `base`; int64, or Python integers.
        stretch: [n] number of the stretch that the reading is of.
        base: of all sums.
    """

    there: Bool
    sums: Any
    stretch: Int64
    base: int

    def of(self, at: Int64) -> "Beside":
        """That of some of the ticks."""
        return Beside(self.there[at], self.sums[at], self.stretch[at], self.base)


class CoveredFlow:
    """The integral of one flow.

    Attributes:
        longest_ns: intervals that are integrated; it may change between two feeds.
        total: the integral, count·ns.
        stretch: number of the present stretch.
    """

    def __init__(self) -> None:
        """Nothing was read yet."""
        self.longest_ns = 0
        self.total = 0
        self.stretch = 0
        self._last: tuple[int, int] | None = None
        self._newest: tuple[Int64, Any, Int64, int] | None = None

    def feed(self, ticks_ns: Int64, counts: Int64, ok: Bool) -> None:
        """Take n readings, later than all before, those that are ok."""
        ticks, flows = ticks_ns[ok], counts[ok]
        self._newest = None
        if not ticks.size:
            return
        first = (int(ticks[0]), 0) if self._last is None else self._last
        times = np.diff(ticks, prepend=np.int64(first[0]))
        is_hole = (times <= 0) | (times > self.longest_ns)
        is_hole[0] &= self._last is not None
        times[is_hole] = 0
        earlier = np.concatenate([np.array([first[1]], dtype=np.int64), flows[:-1]])
        sums: Any
        if int(np.abs(earlier).max()) * int(times.sum()) < 2**62:
            sums = np.cumsum(earlier * times)
        else:
            sums = np.cumsum(earlier.astype(object) * times.astype(object))
        stretch = np.cumsum(is_hole) + self.stretch
        self._newest = ticks, sums, stretch, self.total
        self._last = int(ticks[-1]), int(flows[-1])
        self.total += int(sums[-1])
        self.stretch = int(stretch[-1])

    def at(self, ticks_ns: Int64) -> Beside | None:
        """The flow at the ticks of a totaliser, of the readings of the newest feed."""
        if self._newest is None or not len(ticks_ns):
            return None
        ticks, sums, stretch, base = self._newest
        place = np.minimum(np.searchsorted(ticks, ticks_ns), len(ticks) - 1)
        there = ticks[place] == ticks_ns
        return Beside(there, sums[place], stretch[place], base) if there.any() else None

    def snapshot(self) -> list[Any]:
        """The state as integers and lists; not the interval."""
        return [self.total, self.stretch, list(self._last) if self._last else None]

    def restore(self, snapshot: Sequence[Any]) -> None:
        """Take over the state of a snapshot."""
        self.total, self.stretch, last = snapshot
        self._last = (last[0], last[1]) if last else None
        self._newest = None
