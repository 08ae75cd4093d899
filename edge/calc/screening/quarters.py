"""A month's readings reduced to quarter-hours, in one pass; memory does not grow with the readings.

Fifty points keep four MB of a month, whether they are read once a minute or once a second.
Pure: no I/O, no clock.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.calc.blocks import Block, Bool, GroupBlock, Int64
from edge.calc.screening.extremes import Extremes
from evidence.counts import GroupCounts
from evidence.points import Point, Role
from evidence.quality import FIRST_BAD, Quality

QUARTER_NS = 900 * 10**9
DAY_QUARTERS, HOUR_QUARTERS = 96, 4
#: a month has 31 days, and a piece of a clock's hour
QUARTERS_MAX = 31 * DAY_QUARTERS + 8
#: those that figures are made of come first
POINTS_MAX = 1_000
#: steps of so many units of the last digit make it independent of the digit before
WIDE = 10

_MARKED = (Quality.MAINTENANCE, Quality.CALIBRATION)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_UInt64 = npt.NDArray[np.uint64]


@dataclass
class Kept:
    """What is kept of the points, [points][quarters] unless said.

    Attributes:
        taken: readings there should be, bad ones included.
        good: readings with a usable value.
        reserved: usable, with a reservation (quality 1..127).
        marked: maintenance or calibration.
        pairs, equal: readings that follow a good one in the quarter; those with the same value.
        sum: of a gauge's values, or what a totaliser rose; in the point's unit.
        squares: of the steps from reading to reading, in units squared.
        print: fingerprint of the steps in the quarter, 0 without any.
        digits: [points][10] how often each last digit was, of readings at least `WIDE` of its
            units from the one before and the one after.
    """

    taken: npt.NDArray[np.uint16]
    good: npt.NDArray[np.uint16]
    reserved: npt.NDArray[np.uint16]
    marked: npt.NDArray[np.uint16]
    pairs: npt.NDArray[np.uint16]
    equal: npt.NDArray[np.uint16]
    sum: npt.NDArray[np.float64]
    squares: npt.NDArray[np.float32]
    print: _UInt64
    digits: Int64

    @classmethod
    def empty(cls, points: int, quarters: int) -> "Kept":
        """Nothing was read yet."""
        shape = points, quarters

        def small() -> npt.NDArray[np.uint16]:
            return np.zeros(shape, dtype=np.uint16)

        return cls(
            taken=small(), good=small(), reserved=small(), marked=small(), pairs=small(),
            equal=small(), sum=np.zeros(shape), squares=np.zeros(shape, dtype=np.float32),
            print=np.zeros(shape, dtype=np.uint64), digits=np.zeros((points, 10), dtype=np.int64),
        )  # fmt: skip


@dataclass
class _Group:
    """A group of the present configuration."""

    rows: npt.NDArray[np.intp]  # of our points
    among: npt.NDArray[np.intp]  # rows in the group
    counts: GroupCounts
    unit: npt.NDArray[np.float64]  # of a count, in the point's unit, [points][1]
    totalisers: Bool  # [points][1]
    wire_digits: bool  # the last digit is that of the number on the wire
    interval_ns: int
    last_quarter: int = -1  # of the newest reading


class Quarters:
    """One plant's month.

    Attributes:
        points: what is kept, by row.
        kept: of them.
        from_ns, quarters: where the month begins, and how many quarter-hours it has.
        left_out: measured points beyond `POINTS_MAX`.
    """

    def __init__(self, from_ns: int, to_ns: int) -> None:
        """Nothing yet; the period is at most a month long."""
        self.from_ns = from_ns
        self.quarters = max(0, min(QUARTERS_MAX, -(-(to_ns - from_ns) // QUARTER_NS)))
        self.points: list[Point] = []
        self.kept = Kept.empty(0, self.quarters)
        self.extremes = Extremes(0)
        self.left_out = 0
        self._row: dict[str, int] = {}
        self._spans: list[tuple[int, int]] = []
        self._reached = 0  # quarters until the newest reading
        self._groups: dict[int, _Group] = {}
        self._last = np.zeros(0, dtype=np.int64)  # last good count
        self._has_last = np.zeros(0, dtype=bool)

    def configure(self, config: Mapping[str, Any], used: Sequence[str]) -> None:
        """Read the next blocks by this configuration; `used` are the points figures are made of.

        What a point's readings mean can change here, so no step is taken across it.
        """
        measured = [
            index for group in config["groups"] if not group["computed"]
            for index in group["points"]
        ]  # fmt: skip
        points = {i: Point.from_map(config["points"][i]) for i in measured}
        first = {id_: n for n, id_ in enumerate(used)}
        order = sorted(
            points, key=lambda i: (first.get(points[i].id, len(first)), measured.index(i))
        )
        for index in order:
            self._add(points[index])
        self._span({point.id for point in points.values()})
        self._groups = {
            g: self._group(config, group, points)
            for g, group in enumerate(config["groups"])
            if not group["computed"]
        }
        self._has_last[:] = False

    def _add(self, point: Point) -> None:
        if point.id in self._row or point.role is Role.STATE:
            return
        if len(self.points) >= POINTS_MAX:
            self.left_out += 1
            return
        self._row[point.id] = len(self.points)
        self._spans.append((self._reached, self.quarters))
        self.points.append(point)
        self._grow(len(self.points))

    def _span(self, present: Set[str]) -> None:
        """Whether points are still read, or again."""
        for id_, row in self._row.items():
            first, last = self._spans[row]
            if id_ in present:
                self._spans[row] = first, self.quarters
            elif last == self.quarters:
                self._spans[row] = first, self._reached

    def due(self, row: int) -> tuple[int, int]:
        """(first, last) quarter of a point's readings, last exclusive: as configurations have it.

        A meter that was exchanged for another point owes nothing before and after.
        """
        return self._spans[row]

    def _grow(self, points: int) -> None:
        """Room for so many, and for more, as growing costs a copy."""
        room = len(self._last)
        if points <= room:
            return
        more = max(64, room)
        new = Kept.empty(more, self.quarters)
        for name in self.kept.__dataclass_fields__:
            both = getattr(self.kept, name), getattr(new, name)
            setattr(self.kept, name, np.concatenate(both))
        self.extremes.grow(more)
        self._last = np.concatenate([self._last, np.zeros(more, dtype=np.int64)])
        self._has_last = np.concatenate([self._has_last, np.zeros(more, dtype=bool)])

    def _group(
        self, config: Mapping[str, Any], group: Mapping[str, Any], points: Mapping[int, Point]
    ) -> _Group:
        chosen = [
            (at, points[index])
            for at, index in enumerate(group["points"])
            if points[index].id in self._row
        ]
        members = [point for _, point in chosen]
        return _Group(
            rows=np.array([self._row[p.id] for p in members], dtype=np.intp),
            among=np.array([at for at, _ in chosen], dtype=np.intp),
            counts=GroupCounts(members) if members else GroupCounts([points[group["points"][0]]]),
            unit=np.array([[10.0**-p.decimals] for p in members]).reshape(-1, 1),
            totalisers=np.array([[p.role is Role.TOTALISER] for p in members]).reshape(-1, 1),
            wire_digits=bool(members) and not members[0].dtype.is_float,
            interval_ns=int(config["schedules"][group["schedule"]]["interval_ns"]),
        )

    def feed(self, blocks: Sequence[Block]) -> None:
        """Blocks later than all before; ticks outside the period are not looked at."""
        for block in blocks:
            at = (block.ticks_ns - self.from_ns) // QUARTER_NS
            first, last = np.searchsorted(at, (0, self.quarters))
            inside = block.between(int(first), int(last))
            if inside.ticks_ns.size:
                self._reached = max(self._reached, int(at[last - 1]) + 1)
            for group in inside.groups if inside.ticks_ns.size else ():
                known = self._groups.get(group.group)
                if known is not None and known.rows.size:
                    self._feed(group, known, inside.ticks_ns, at[first:last])

    def _feed(self, group: GroupBlock, known: _Group, ticks_ns: Int64, at: Int64) -> None:
        raw, quality = group.raw[known.among], group.quality[known.among]
        counts, ok = known.counts.counts(raw)
        ok &= quality < FIRST_BAD
        before, has_before = self._before(known.rows, counts, ok)
        step = np.where(has_before & ok, counts - before, 0)
        begins = np.flatnonzero(np.diff(at, prepend=at[0] - 1))
        inside = has_before & ok
        # the step into a quarter is no part of its own pattern
        inside[:, begins[1:] if at[0] == known.last_quarter else begins] = False
        known.last_quarter = int(at[-1])
        moved = inside & (step != 0)
        kept, rows, cells = self.kept, known.rows, at[begins]
        where = np.ix_(rows, cells)

        def count(name: str, mask: Bool) -> None:
            getattr(kept, name)[where] += np.add.reduceat(
                mask.astype(np.uint16), begins, axis=1, dtype=np.uint16
            )

        count("taken", np.ones_like(ok))
        count("good", ok)
        count("reserved", ok & (quality > 0))
        count("marked", np.isin(quality, _MARKED))
        count("pairs", inside)
        count("equal", inside & ~moved)
        values = np.where(known.totalisers, np.maximum(step, 0), np.where(ok, counts, 0))
        kept.sum[where] += np.add.reduceat(values * known.unit, begins, axis=1)
        squares = (np.where(inside, step, 0) * known.unit) ** 2
        kept.squares[where] += np.add.reduceat(squares, begins, axis=1).astype(np.float32)
        number = ((ticks_ns - self.from_ns) % QUARTER_NS // known.interval_ns).astype(np.uint64)
        prints = np.where(inside, _mixed(step, number), np.uint64(0))
        kept.print[where] += np.add.reduceat(prints, begins, axis=1)
        self._digits(known, raw if known.wire_digits else counts, ok, inside)
        self.extremes.feed(rows, counts, ok & ((step != 0) | ~has_before))

    def _before(self, rows: npt.NDArray[np.intp], counts: Int64, ok: Bool) -> tuple[Int64, Bool]:
        """The good count before each reading, and whether there is one; remembers the last."""
        n = counts.shape[1]
        at = np.where(ok, np.arange(n), -1)
        newest = np.maximum.accumulate(at, axis=1)
        before = np.concatenate([np.full((len(rows), 1), -1), newest[:, :-1]], axis=1)
        held = np.take_along_axis(counts, np.maximum(before, 0), axis=1)
        last, has_last = self._last[rows][:, None], self._has_last[rows][:, None]
        result = np.where(before < 0, last, held)
        has = (before >= 0) | has_last
        newest_at = newest[:, -1]
        found = newest_at >= 0
        self._last[rows[found]] = counts[found, newest_at[found]]
        self._has_last[rows] |= found
        return result, has

    def _digits(self, known: _Group, numbers: npt.NDArray[Any], ok: Bool, inside: Bool) -> None:
        whole = np.abs(numbers.astype(np.int64))
        step = (np.abs(np.diff(whole, axis=1)) >= WIDE) & inside[:, 1:]
        wide = np.zeros_like(ok)  # into it and out of it: a value that is kept is not counted
        wide[:, 1:-1] = step[:, :-1] & step[:, 1:]
        of = np.arange(len(known.rows))[:, None] * 10 + whole % 10
        found = np.bincount(of[wide], minlength=10 * len(known.rows))
        self.kept.digits[known.rows] += found.reshape(-1, 10)


def _mixed(step: Int64, number: _UInt64) -> _UInt64:
    """A step at its place in the quarter as 64 bits whose sum is the quarter's fingerprint."""
    x = step.view(np.uint64) + (number + np.uint64(1)) * _MULTIPLIER
    x ^= x >> np.uint64(30)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return x
