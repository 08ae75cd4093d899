"""Producing time per pot: the cell-days under every anode-effect rate.

An interval between two consecutive usable samples counts when the pot produced at the earlier
one and they are at most the merge time apart; nothing is assumed about longer silences.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from edge.calc.blocks import Bool, Int64

_NEVER = -(2**62)  # as a last tick: every interval from it is too long to count


class ProducingTime:
    """Accumulates producing nanoseconds.

    Attributes:
        total_ns: [pots] since the last reset.
    """

    def __init__(self, pots: int, longest_ns: int) -> None:
        self._longest_ns = longest_ns
        self.total_ns: Int64 = np.zeros(pots, dtype=np.int64)
        self._last_ns: Int64 = np.full(pots, _NEVER, dtype=np.int64)
        self._last_producing: Bool = np.zeros(pots, dtype=bool)

    def feed(self, ticks_ns: Int64, usable: Bool, producing: Bool) -> Int64:
        """Advance by n ticks; returns the producing time added at each, summed over the pots."""
        if not len(ticks_ns):
            return np.zeros(0, dtype=np.int64)
        if usable.all():
            return self._feed_whole(ticks_ns, producing)
        before_ns, before_producing = self._before(ticks_ns, usable, producing)
        dt = ticks_ns - before_ns
        counts = usable & before_producing & (dt > 0) & (dt <= self._longest_ns)
        added = np.where(counts, dt, 0)
        self.total_ns += added.sum(axis=1)
        last_ns = np.where(usable[:, -1], ticks_ns[-1], before_ns[:, -1])
        self._last_producing = np.where(usable[:, -1], producing[:, -1], before_producing[:, -1])
        self._last_ns = last_ns
        return np.asarray(added.sum(axis=0), dtype=np.int64)

    def _feed_whole(self, ticks_ns: Int64, producing: Bool) -> Int64:
        """As `feed` where every sample is usable, which is the rule: all pots share the times."""
        first = ticks_ns[0] - self._last_ns
        first[~(self._last_producing & (first > 0) & (first <= self._longest_ns))] = 0
        dt, before = np.diff(ticks_ns), producing[:, :-1]
        dt[(dt <= 0) | (dt > self._longest_ns)] = 0
        self.total_ns += first + _time_of_each(before, dt)
        self._last_ns = np.full_like(self._last_ns, ticks_ns[-1])
        self._last_producing = producing[:, -1].copy()
        added: Int64 = np.concatenate([[first.sum()], over_pots(before) * dt])
        return added

    def _before(self, ticks_ns: Int64, usable: Bool, producing: Bool) -> tuple[Int64, Bool]:
        """Tick and state of the usable sample before each sample, [pots][n]."""
        pots, n = usable.shape
        before_ns = np.empty((pots, n), dtype=np.int64)
        before_producing = np.empty((pots, n), dtype=bool)
        before_ns[:, 0], before_producing[:, 0] = self._last_ns, self._last_producing
        before_ns[:, 1:], before_producing[:, 1:] = ticks_ns[:-1], producing[:, :-1]
        if not usable[:, :-1].all():
            # column j holds sample j-1; where that one is unusable take the last usable column
            column = np.where(usable[:, :-1], np.arange(1, n), 0)
            column = np.maximum.accumulate(column, axis=1)
            before_ns[:, 1:] = np.take_along_axis(before_ns, column, axis=1)
            before_producing[:, 1:] = np.take_along_axis(before_producing, column, axis=1)
        return before_ns, before_producing

    def reset(self) -> None:
        """Start from nothing (month boundary)."""
        self.total_ns = np.zeros_like(self.total_ns)
        self._last_ns = np.full_like(self._last_ns, _NEVER)
        self._last_producing = np.zeros_like(self._last_producing)

    def snapshot(self) -> dict[str, Any]:
        """The state as lists of integers."""
        return {
            "total": self.total_ns.tolist(),
            "last": self._last_ns.tolist(),
            "producing": [int(x) for x in self._last_producing],
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Take over the state of a snapshot."""
        self.total_ns = np.array(snapshot["total"], dtype=np.int64)
        self._last_ns = np.array(snapshot["last"], dtype=np.int64)
        self._last_producing = np.array(snapshot["producing"], dtype=bool)


def over_pots(flags: Bool) -> Int64:
    """How many of [pots][n] are true at each tick."""
    if flags.all():  # the rule, and seen far faster than it is counted
        return np.full(flags.shape[1], flags.shape[0], dtype=np.int64)
    if not flags.any():
        return np.zeros(flags.shape[1], dtype=np.int64)
    counted: Int64 = flags.sum(axis=0, dtype=np.int64)
    return counted


def _time_of_each(producing: Bool, dt: Int64) -> Int64:
    """Sum of the intervals in which each pot produces."""
    if producing.all():
        return np.full(len(producing), dt.sum(), dtype=np.int64)
    time: Int64 = producing @ dt
    return time
