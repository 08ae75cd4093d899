"""From blocks of raw readings to the counts a calculation needs.

Decodes only the points asked for, all rows of one scaling at once, and lays the points of slower
schedules onto schedule 0's ticks: the latest reading not after the tick holds, if it is good and
not older than two of its own intervals. A bad reading is never replaced by an earlier good one.
"""

from collections.abc import Container, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.calc.blocks import Block, Bool, GroupBlock, Int64
from edge.calc.errors import PlantError
from evidence.counts import to_counts
from evidence.points import Point
from evidence.quality import FIRST_BAD

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Readings:
    """Counts of several points at the same ticks.

    Attributes:
        ticks_ns: [n].
        counts: [K][n] fixed-point counts, 0 where not ok.
        ok: [K][n] True where there is a usable value.
    """

    ticks_ns: Int64
    counts: Int64
    ok: Bool


@dataclass(frozen=True)
class _Bundle:
    """Points of one group that share one scaling, decoded in one go."""

    group: int
    point: Point
    source: Rows | slice  # rows in the group
    target: Rows | slice  # rows in the schedule's readings
    key: Hashable  # of what the group's rows give under that scaling

    def decode(self, group: GroupBlock) -> tuple[Int64, Bool]:
        """Counts and where they are usable, [points][n]; made once for all who ask."""
        if (known := group.decoded.get(self.key)) is not None:
            return known
        values, valid = to_counts(group.raw[self.source], self.point)
        valid &= group.quality[self.source] < FIRST_BAD
        made = values if valid.all() else np.where(valid, values, 0), valid
        group.decoded[self.key] = made
        return made


class Inputs:
    """The readings of chosen points.

    Attributes:
        row: a point's row; in the order in which a configuration's groups read them.
    """

    def __init__(self, config: Mapping[str, Any], point_ids: Sequence[str]) -> None:
        every = plant_points(config, only=set(point_ids))
        missing = sorted({p for p in point_ids if p not in every})
        if missing:
            raise PlantError(f"points not in the configuration: {' '.join(missing)}")
        asked = dict.fromkeys(point_ids)
        read = [
            config["points"][index]["id"]
            for group in config["groups"]
            if not group["computed"]
            for index in group["points"]
        ]
        chosen = dict.fromkeys(point_id for point_id in read if point_id in asked)
        if lost := [point_id for point_id in asked if point_id not in chosen]:
            raise PlantError(f"points in no group, so never read: {' '.join(lost)}")
        self.row = {point_id: row for row, point_id in enumerate(chosen)}
        self._intervals = [int(s["interval_ns"]) for s in config["schedules"]]
        if min(self._intervals) <= 0:
            raise PlantError("schedules: interval_ns must be above zero")
        self._bundles: dict[int, list[_Bundle]] = {}
        self._rows: dict[int, list[int]] = {}  # schedule -> our row of each of its readings
        self._plan(config, every)
        self._places = {
            row: (schedule, at)
            for schedule, rows in self._rows.items()
            for at, row in enumerate(rows)
        }
        # where all are read on schedule 0, as in most plants, `align` has nothing to lay out
        self._rows_as_read = self._rows.get(0) == list(self.row.values())
        self._held: dict[int, tuple[int, Int64, Bool]] = {}

    def _plan(self, config: Mapping[str, Any], every: Mapping[str, Point]) -> None:
        wanted: dict[tuple[int, int, Any], tuple[Point, list[int], list[int]]] = {}
        for number, group in enumerate(config["groups"]):
            if group["computed"]:
                continue
            if group["schedule"] not in range(len(self._intervals)):
                raise PlantError(f"groups[{number}].schedule: no such schedule")
            rows = self._rows.setdefault(group["schedule"], [])
            for source, index in enumerate(group["points"]):
                point_id = config["points"][index]["id"]
                if point_id not in self.row:
                    continue
                point = every[point_id]
                key = (group["schedule"], number, (point.scaling, point.decimals))
                _, sources, targets = wanted.setdefault(key, (point, [], []))
                sources.append(source)
                targets.append(len(rows))
                rows.append(self.row[point.id])
        for (schedule, number, scaled), (point, sources, targets) in wanted.items():
            which = scaled, tuple(sources)
            bundle = _Bundle(number, point, as_rows(sources), as_rows(targets), which)
            self._bundles.setdefault(schedule, []).append(bundle)

    @property
    def groups(self) -> frozenset[int]:
        """Groups that any of the points is in: no other is looked at."""
        return frozenset(bundle.group for each in self._bundles.values() for bundle in each)

    def schedule_of(self, point_id: str) -> int:
        """The schedule a point is read on."""
        return self._places[self.row[point_id]][0]

    def place(self, point_id: str) -> tuple[int, int]:
        """(schedule, row in that schedule's readings) of a point."""
        return self._places[self.row[point_id]]

    def interval_ns(self, schedule: int) -> int:
        """Nominal distance of a schedule's ticks."""
        return self._intervals[schedule]

    def decode(self, blocks: Sequence[Block]) -> dict[int, Readings]:
        """Each schedule's readings at its own ticks; rows as `place` says.

        Raises:
            ValueError: two blocks of one schedule, or ticks that do not increase.
        """
        result: dict[int, Readings] = {}
        for block in blocks:
            if block.schedule in result:
                raise ValueError(f"two blocks of schedule {block.schedule} in one feed")
            n = len(block.ticks_ns)
            if n > 1 and not bool((block.ticks_ns[1:] > block.ticks_ns[:-1]).all()):
                raise ValueError(f"ticks of schedule {block.schedule} do not increase")
            rows = len(self._rows.get(block.schedule, ()))
            counts = np.zeros((rows, n), dtype=np.int64)
            ok = np.zeros((rows, n), dtype=bool)
            given = {g.group: g for g in block.groups}
            for bundle in self._bundles.get(block.schedule, ()):
                if (group := given.get(bundle.group)) is None:
                    continue
                counts[bundle.target], ok[bundle.target] = bundle.decode(group)
            result[block.schedule] = Readings(block.ticks_ns, counts, ok)
        return result

    def align(self, decoded: Mapping[int, Readings]) -> Readings:
        """All chosen points on schedule 0's ticks, rows as `row` says.

        Holds the last tick of each slower schedule for the next call, so one call must be given
        everything that was read in its span of time.
        """
        base = decoded.get(0)
        if base is not None and self._rows_as_read:
            return base
        ticks = base.ticks_ns if base is not None else np.empty(0, dtype=np.int64)
        counts = np.zeros((len(self.row), len(ticks)), dtype=np.int64)
        ok = np.zeros((len(self.row), len(ticks)), dtype=bool)
        if base is not None:
            counts[self._rows.get(0, [])] = base.counts
            ok[self._rows.get(0, [])] = base.ok
        for schedule, rows in self._rows.items():
            if schedule == 0 or not rows:
                continue
            known = self._with_held(schedule, decoded.get(schedule))
            if known is None:
                continue
            at = np.searchsorted(known.ticks_ns, ticks, side="right") - 1
            young = (at >= 0) & (ticks - known.ticks_ns[at] <= 2 * self._intervals[schedule])
            ok[rows] = known.ok[:, at] & young
            counts[rows] = np.where(ok[rows], known.counts[:, at], 0)
            last = (int(known.ticks_ns[-1]), known.counts[:, -1], known.ok[:, -1])
            self._held[schedule] = last
        return Readings(ticks, counts, ok)

    def _with_held(self, schedule: int, new: Readings | None) -> Readings | None:
        held = self._held.get(schedule)
        if held is None:
            return new if new is not None and len(new.ticks_ns) else None
        tick, counts, ok = held
        before = Readings(np.array([tick], dtype=np.int64), counts[:, None], ok[:, None])
        if new is None or not len(new.ticks_ns):
            return before
        if int(new.ticks_ns[0]) <= tick:  # the clock was set back: what was held is the future
            return new
        return Readings(
            np.concatenate([before.ticks_ns, new.ticks_ns]),
            np.concatenate([before.counts, new.counts], axis=1),
            np.concatenate([before.ok, new.ok], axis=1),
        )

    def reset(self) -> None:
        """Forget the held readings."""
        self._held.clear()

    def snapshot(self) -> dict[str, Any]:
        """The held readings as plain lists of integers."""
        return {
            str(schedule): [tick, counts.tolist(), [int(x) for x in ok]]
            for schedule, (tick, counts, ok) in sorted(self._held.items())
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Take the held readings of a snapshot."""
        self._held = {
            int(schedule): (tick, np.array(counts, dtype=np.int64), np.array(ok, dtype=bool))
            for schedule, (tick, counts, ok) in snapshot.items()
        }


def plant_points(config: Mapping[str, Any], only: Container[str] | None = None) -> dict[str, Point]:
    """The points of a configuration by id, every one or only these; thousands take a while."""
    return {
        fields["id"]: Point.from_map(fields)
        for fields in config["points"]
        if only is None or fields["id"] in only
    }


def as_rows(rows: Sequence[int]) -> Rows | slice:
    """A slice when the rows stand side by side (no copy), else the index array."""
    if list(rows) == list(range(rows[0], rows[0] + len(rows))):
        return slice(rows[0], rows[0] + len(rows))
    return np.array(rows, dtype=np.intp)
