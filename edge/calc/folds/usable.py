"""How many usable readings each measured point has, with what reservation, how many are due. Pure.

FIGURES.md "completeness", "reservations". A reading is usable when its quality is and it has a
count.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.calc.blocks import Block, Bool, GroupBlock, Int64, UInt8
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
        reserved: those of them that are not good [points].
    """

    points: list[Point]
    countable: Countable
    found: Int64
    reserved: Int64


class UsableReadings:
    """Counts by configuration, sums by point; reservations also by code."""

    def __init__(self) -> None:
        self._groups: dict[int, _Group] = {}
        self._by_point: Counter[str] = Counter()
        self._reserved: Counter[str] = Counter()
        self._by_code = np.zeros(FIRST_BAD, dtype=np.int64)

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
                    if group.quality.any():
                        self._reserve(group.quality, usable, known)

    def _reserve(self, quality: UInt8, usable: Bool, known: _Group) -> None:
        reserved = usable & (quality > 0)
        known.reserved[:] += reserved.sum(axis=1)
        self._by_code += np.bincount(quality[reserved], minlength=FIRST_BAD)

    def reserved(self, point_id: str) -> int:
        """Usable readings of a point that are not good; as of the last `by_point`."""
        return self._reserved[point_id]

    def by_code(self) -> dict[str, int]:
        """Usable readings that are not good, of all points, by quality code."""
        return {str(code): int(self._by_code[code]) for code in np.flatnonzero(self._by_code)}

    def by_point(self) -> Mapping[str, int]:
        """Usable readings of all configurations, by point id."""
        for group in self._groups.values():
            for point, count in zip(group.points, group.found.tolist(), strict=True):
                self._by_point[point.id] += count
            for point, count in zip(group.points, group.reserved.tolist(), strict=True):
                self._reserved[point.id] += count
            group.found[:] = 0
            group.reserved[:] = 0
        return self._by_point


class DueReadings:
    """How many readings of each point the schedules ask for.

    A configuration's are due from its first tick until that of the next one, the first one's from
    the period's beginning. Of all between the first and the last, sums by point are kept.
    """

    def __init__(self) -> None:
        self._first: tuple[Mapping[str, int], int] | None = None  # steps by point, until when
        self._between: Counter[str] = Counter()
        self._steps: Mapping[str, int] = {}  # by point, of the configuration in force
        self._since_ns = 0
        self._next: Mapping[str, int] | None = None  # of one that has had no tick yet

    def configure(self, config: Mapping[str, Any]) -> None:
        """Readings are due by this configuration from the next tick on."""
        self._next = {
            config["points"][i]["id"]: int(config["schedules"][group["schedule"]]["interval_ns"])
            for group in config["groups"]
            for i in ([] if group["computed"] else group["points"])
        }

    def feed(self, blocks: Iterable[Block]) -> None:
        """Take the ticks of blocks, none of which is empty."""
        ticks = [int(block.ticks_ns[0]) for block in blocks]
        if self._next is None or not ticks:
            return
        if self._first is not None:
            for point_id, step in self._steps.items():
                self._between[point_id] += _multiples(self._since_ns, min(ticks), step)
        elif self._steps:
            self._first = self._steps, min(ticks)
        self._steps, self._since_ns, self._next = self._next, min(ticks), None

    def of(self, point_id: str, from_ns: int, to_ns: int) -> int:
        """Due of a point in a period that ends after the last tick."""
        since_ns, due = from_ns, self._between[point_id]
        if self._first is not None:
            steps, until_ns = self._first
            since_ns = self._since_ns
            due += _multiples(from_ns, until_ns, steps.get(point_id))
        return due + _multiples(since_ns, to_ns, self._steps.get(point_id))


def _multiples(from_ns: int, to_ns: int, step: int | None) -> int:
    """Multiples of a step from an instant until before another; none of no step."""
    return max(0, -(-to_ns // step) - (-(-from_ns // step))) if step else 0


def _group(points: list[Point]) -> _Group:
    found, reserved = (np.zeros(len(points), dtype=np.int64) for _ in range(2))
    return _Group(points, Countable(points), found, reserved)


def _usable(group: GroupBlock, known: _Group) -> Bool:
    usable: Bool = group.quality < FIRST_BAD
    counted = known.countable.where(group.raw)
    return usable if counted is None else usable & counted
