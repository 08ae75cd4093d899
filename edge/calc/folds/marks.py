"""Readings of a totaliser at whole minutes, each with the total until then: 24 bytes a minute."""

from array import array
from bisect import bisect_right

import numpy as np

from edge.calc.blocks import Int64

MINUTE_NS = 60 * 10**9
Mark = tuple[int, int, int]  # of a reading: tick, its count, the total until then


class Marks:
    """The newest reading at or before each whole minute."""

    def __init__(self) -> None:
        """None yet."""
        self._ticks, self._counts, self._totals = (array("q") for _ in range(3))

    def keep(self, ticks_ns: Int64, counts: Int64, shift: int | Int64) -> None:
        """Take n readings; the total at each is its count and `shift`."""
        minutes = -(-ticks_ns // MINUTE_NS)
        newest = np.flatnonzero(np.append(minutes[1:] != minutes[:-1], True))
        totals = counts + shift
        for i in newest.tolist():
            self._keep(int(ticks_ns[i]), int(counts[i]), int(totals[i]))

    def cut(self, tick_ns: int, count: int, total: int) -> None:
        """Forget what is later than a reading that was kept once."""
        while self._ticks and self._ticks[-1] >= tick_ns:
            self._pop()
        self._keep(tick_ns, count, total)

    def at(self, instant_ns: int) -> Mark | None:
        """The newest reading at or before a whole minute."""
        i = bisect_right(self._ticks, instant_ns) - 1
        return None if i < 0 else (self._ticks[i], self._counts[i], self._totals[i])

    def _keep(self, tick_ns: int, count: int, total: int) -> None:
        if self._ticks and -(-self._ticks[-1] // MINUTE_NS) == -(-tick_ns // MINUTE_NS):
            self._pop()
        self._ticks.append(tick_ns)
        self._counts.append(count)
        self._totals.append(total)

    def _pop(self) -> None:
        for kept in (self._ticks, self._counts, self._totals):
            kept.pop()
