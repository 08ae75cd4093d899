"""How many usable readings each measured point has: FIGURES.md "completeness". Pure.

A reading is usable when its quality is and it has a count.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.calc.blocks import Block, Bool, GroupBlock, Int64
from evidence.counts import Countable
from evidence.points import Point
from evidence.quality import FIRST_BAD


@dataclass(frozen=True)
class _Group:
    """The measured points of a group, and what is counted of them.

    Attributes:
        points: in order of rows.
        countable: says which raw numbers have a count.
        found: usable readings [points].
    """

    points: list[Point]
    countable: Countable
    found: Int64


class UsableReadings:
    """Counts by configuration, sums by point."""

    def __init__(self) -> None:
        self._groups: dict[int, _Group] = {}
        self._by_point: Counter[str] = Counter()

    def configure(self, config: Mapping[str, Any]) -> None:
        """Count by this configuration from now on; it can be calculated with."""
        self.by_point()
        self._groups = {
            g: _group([Point.from_map(config["points"][i]) for i in group["points"]])
            for g, group in enumerate(config["groups"])
            if not group["computed"]
        }

    def feed(self, blocks: Iterable[Block]) -> None:
        """Count what is usable in these blocks."""
        for block in blocks:
            for group in block.groups:
                if (known := self._groups.get(group.group)) is not None:
                    usable = _usable(group, known)
                    # all usable is the rule, and seen far faster than it is counted
                    known.found[:] += len(block.ticks_ns) if usable.all() else usable.sum(axis=1)

    def by_point(self) -> Mapping[str, int]:
        """Usable readings of all configurations, by point id."""
        for group in self._groups.values():
            for point, count in zip(group.points, group.found.tolist(), strict=True):
                self._by_point[point.id] += count
            group.found[:] = 0
        return self._by_point


def _group(points: list[Point]) -> _Group:
    return _Group(points, Countable(points), np.zeros(len(points), dtype=np.int64))


def _usable(group: GroupBlock, known: _Group) -> Bool:
    usable: Bool = group.quality < FIRST_BAD
    counted = known.countable.where(group.raw)
    return usable if counted is None else usable & counted
