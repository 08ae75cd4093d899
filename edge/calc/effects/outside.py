"""Time that pots spend outside production, by state: what stands in no rate, listed. Pure.

Baking, start-up, abnormal, bridged and stopped pots are in neither numerator nor denominator of an
anode-effect rate. That nobody hides pots there shows only where their time is told. It is that of
the state alone: a stopped pot may have no voltage. An interval between two consecutive usable
states counts for the earlier one if they are at most the merge time apart, as in producing time.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from edge.calc.blocks import Bool, Int64

#: state of a raw value that the configuration gives no name
UNNAMED = "unnamed"


class OutsideTime:
    """Accumulates it for each state point of a potline; several pots may share one."""

    def __init__(self, names: Sequence[Mapping[int, str]], longest_ns: int) -> None:
        """Begin with nothing.

        Args:
            names: of each state point's raw values.
            longest_ns: between two states, for their interval to count.
        """
        self._names, self._longest_ns = names, longest_ns
        self._last: dict[int, tuple[int, int]] = {}  # of those outside: last tick, raw value
        self._total_ns: Counter[tuple[int, str]] = Counter()

    def feed(self, ticks_ns: Int64, states: Int64, ok: Bool, at_work: Bool) -> None:
        """Advance by n ticks.

        Args:
            ticks_ns: [n].
            states: [points][n] raw values.
            ok: [points][n] there is a usable one.
            at_work: [points][n] it is a producing one.
        """
        if at_work.all() and not self._last:  # the rule, and seen at a glance
            return
        outside = ok & ~at_work
        seen = outside.any(axis=1)
        for point in sorted({*np.flatnonzero(seen).tolist(), *self._last}):
            usable = np.flatnonzero(ok[point])
            if len(usable):
                row = ticks_ns[usable], states[point, usable], outside[point, usable]
                self._feed_point(point, *row)

    def _feed_point(self, point: int, ticks_ns: Int64, states: Int64, outside: Bool) -> None:
        """Take the usable states of one point."""
        if (last := self._last.pop(point, None)) is not None:
            ticks_ns = np.concatenate([[last[0]], ticks_ns])
            states = np.concatenate([[last[1]], states])
            outside = np.concatenate([[True], outside])
        apart_ns = np.diff(ticks_ns)
        counts = outside[:-1] & (apart_ns > 0) & (apart_ns <= self._longest_ns)
        raw, time_ns = states[:-1][counts], apart_ns[counts]
        for value in np.unique(raw).tolist():
            name = self._names[point].get(value, UNNAMED)
            self._total_ns[point, name] += int(time_ns[raw == value].sum())
        if outside[-1]:
            self._last[point] = int(ticks_ns[-1]), int(states[-1])

    def of(self, point: int) -> list[tuple[str, int]]:
        """(name, ns) of each state that a point was in, in the configuration's order."""
        names = dict.fromkeys([*self._names[point].values(), UNNAMED])
        found = ((name, self._total_ns[point, name]) for name in names)
        return [(name, time_ns) for name, time_ns in found if time_ns]
