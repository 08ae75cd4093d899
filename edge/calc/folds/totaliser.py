"""What a totaliser counted: last good reading minus first good reading.

A reading lower than the one before (meter reset, roll-over or exchange) starts a new piece; the
pieces are added and every drop is kept for the statement to flag. What passed between the last
reading before a drop and the first after it is unknown and not invented.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.calc.blocks import Bool, Int64

DROPS_KEPT = 20  # of a thousand meters they fit into a statement; the number is still exact


@dataclass(frozen=True)
class Drop:
    """A reading lower than the one before it; counts."""

    tick_ns: int
    before: int
    after: int


class Totaliser:
    """One totaliser over one period.

    Attributes:
        total: counts added since the first good reading.
        first, last: (tick_ns, count) of the first and last good reading, None before any.
        drops: the first `DROPS_KEPT` drops; drop_count counts all.
    """

    def __init__(self) -> None:
        self.total = 0
        self.first: tuple[int, int] | None = None
        self.last: tuple[int, int] | None = None
        self.drops: list[Drop] = []
        self.drop_count = 0

    def feed(self, ticks_ns: Int64, counts: Int64, ok: Bool) -> Int64:
        """Advance by n ticks; returns the total at each (held where the reading is not ok)."""
        at = np.flatnonzero(ok)
        if not at.size:
            return np.full(len(ticks_ns), self.total, dtype=np.int64)
        values = counts[at]
        before = self.last[1] if self.last is not None else int(values[0])
        steps = np.diff(values, prepend=np.int64(before))
        for j in np.flatnonzero(steps < 0).tolist():
            self._drop(int(ticks_ns[at[j]]), int(values[j] - steps[j]), int(values[j]))
        added = np.zeros(len(ticks_ns), dtype=np.int64)
        added[at] = np.maximum(steps, 0)
        totals = np.cumsum(added) + self.total
        if self.first is None:
            self.first = (int(ticks_ns[at[0]]), int(values[0]))
        self.last = (int(ticks_ns[at[-1]]), int(values[-1]))
        self.total = int(totals[-1])
        return np.asarray(totals, dtype=np.int64)

    def _drop(self, tick_ns: int, before: int, after: int) -> None:
        self.drop_count += 1
        if len(self.drops) < DROPS_KEPT:
            self.drops.append(Drop(tick_ns, before, after))

    def snapshot(self) -> dict[str, Any]:
        """The state as integers and lists."""
        return {
            "total": self.total,
            "first": list(self.first) if self.first else None,
            "last": list(self.last) if self.last else None,
            "drops": [[d.tick_ns, d.before, d.after] for d in self.drops],
            "drop_count": self.drop_count,
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Take over the state of a snapshot."""
        self.total = snapshot["total"]
        self.first = tuple(snapshot["first"]) if snapshot["first"] else None
        self.last = tuple(snapshot["last"]) if snapshot["last"] else None
        self.drops = [Drop(*fields) for fields in snapshot["drops"]]
        self.drop_count = snapshot["drop_count"]
