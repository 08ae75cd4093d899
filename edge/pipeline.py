"""From samples to ticks to a frame's body: quality rules, live calculation, batching. Pure.

`Assembler` turns what the drivers gave at one instant into a `Tick` (rows of every group);
`Batch` collects ticks until a frame is due and makes its body. Both take times as arguments and do
no I/O, so `sim month` and the tests run the very code the agent runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.calc.blocks import Block, GroupBlock
from edge.calc.folds.live import PlantCalc
from edge.calc.inputs import Rows as Index
from edge.calc.inputs import as_rows
from edge.drivers.base import Sample
from edge.drivers.samples import NO_TIME, Samples
from edge.quality_history import History
from edge.quality_rules import NO_AGE, Taken, TickRules
from evidence import cbor
from evidence.errors import MalformedError
from evidence.frame import (
    FLAG_SIMULATED,
    NO_LAG,
    NO_SOURCE_TIME,
    Body,
    Clock,
    Gap,
    Section,
)
from evidence.groups import Group
from evidence.points import Dtype, Point
from evidence.quality import Quality

NS_PER_MS = 1_000_000
FRAME_NS_MAX = 10_000_000_000
FRAME_BYTES_MAX = 48 * 1024
QUARTER_HOUR_NS = 900 * 1_000_000_000

#: A source clock further off than this many milliseconds does not fit the frame's 32 bits.
_SOURCE_MS_MAX = 2**31 - 1


@dataclass(frozen=True)
class Rows:
    """One group's values at one tick: raw in the dtype, quality, source age; each [points]."""

    raw: npt.NDArray[np.generic]
    quality: npt.NDArray[np.uint8]
    source_ms: npt.NDArray[np.int32]


@dataclass(frozen=True)
class Tick:
    """What one schedule gave at one instant.

    Attributes:
        schedule: its index.
        tick_ns: the instant, UTC nanoseconds, on the schedule's grid.
        rows: group index -> values; computed groups included once calculated.
        lag_ms: int32 [devices of the schedule], NO_LAG where no answer came.
    """

    schedule: int
    tick_ns: int
    rows: Mapping[int, Rows]
    lag_ms: npt.NDArray[np.int32]

    @property
    def raw_bytes(self) -> int:
        """Of its readings with their quality."""
        return sum(r.raw.nbytes + r.quality.nbytes for r in self.rows.values())

    def encode(self) -> bytes:
        """Bytes for the spool's table of open ticks."""
        groups = [
            [g, r.raw.tobytes(), r.quality.tobytes(), r.source_ms.tobytes()]
            for g, r in sorted(self.rows.items())
        ]
        return cbor.encode([self.schedule, self.tick_ns, groups, self.lag_ms.tobytes()])


@dataclass(frozen=True)
class _GroupPlan:
    schedule: int
    dtype: Dtype
    computed: bool
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Places:
    """Where the points of one read stand.

    Attributes:
        sizes: bytes of each point's number.
        parts: group index -> (rows of the group, which samples of the read stand there).
    """

    sizes: tuple[int, ...]
    parts: Mapping[int, tuple[Index | slice, Index | slice]]


#: What one device gave: where its points stand, and a sample for each of them.
Given = tuple[Places, Sequence[Sample]]


class Layout:
    """Where every point stands in groups and rows, and which devices a schedule polls."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Prepare from a signed configuration; ValueError or KeyError when it is none."""
        self.points = tuple(Point.from_map(fields) for fields in config["points"])
        self.intervals_ns = tuple(int(s["interval_ns"]) for s in config["schedules"])
        self.groups = tuple(self._group(fields) for fields in config["groups"])
        self.place = {
            self.points[index].id: (g, row)
            for g, fields in enumerate(config["groups"])
            for row, index in enumerate(fields["points"])
        }
        self.devices = tuple(
            tuple(i for i, d in enumerate(config["devices"]) if d["schedule"] == s)
            for s in range(len(self.intervals_ns))
        )
        self.device_index = {d["id"]: i for i, d in enumerate(config["devices"])}
        self.simulated = bool(config["plant"]["simulated"])
        self.rules = TickRules({g: plan.points for g, plan in self._measured().items()})

    def _group(self, fields: Mapping[str, Any]) -> _GroupPlan:
        points = tuple(self.points[i] for i in fields["points"])
        return _GroupPlan(fields["schedule"], Dtype(fields["dtype"]), fields["computed"], points)

    def history(self) -> History:
        """What is known of the readings before: nothing yet."""
        return History(
            {g: (p.points, self.intervals_ns[p.schedule]) for g, p in self._measured().items()}
        )

    def _measured(self) -> dict[int, _GroupPlan]:
        return {g: plan for g, plan in enumerate(self.groups) if not plan.computed}

    def places(self, point_ids: Sequence[str]) -> Places:
        """Where these points stand, read together in this order."""
        found: dict[int, tuple[list[int], list[int]]] = {}
        for at, point_id in enumerate(point_ids):
            g, row = self.place[point_id]
            rows, samples = found.setdefault(g, ([], []))
            rows.append(row)
            samples.append(at)
        sizes = tuple(self.groups[self.place[point_id][0]].dtype.size for point_id in point_ids)
        parts = {g: (as_rows(rows), as_rows(samples)) for g, (rows, samples) in found.items()}
        return Places(sizes, parts)

    def of_schedule(self, schedule: int, *, computed: bool) -> list[int]:
        """Group indices of a schedule."""
        return [
            g
            for g, plan in enumerate(self.groups)
            if plan.schedule == schedule and plan.computed == computed
        ]


def assemble(
    layout: Layout,
    schedule: int,
    tick_ns: int,
    given: Sequence[Given],
    lag_ms: Mapping[str, int],
    *,
    in_doubt: bool = False,
) -> Tick:
    """One tick of a schedule from what its devices gave, judged by the rules that need no more.

    Args:
        layout: of the configuration in force.
        schedule: which one.
        tick_ns: the instant.
        given: by its devices; a point without a sample was not sampled.
        lag_ms: device id -> milliseconds from the tick to its complete answer.
        in_doubt: the instant is in doubt, which good readings say.
    """
    reads = [
        (places, read if isinstance(read, Samples) else Samples.of(places.sizes, read))
        for places, read in given
    ]
    taken = {
        g: _taken(
            layout.groups[g],
            tick_ns,
            [(*places.parts[g], read) for places, read in reads if g in places.parts],
        )
        for g in layout.of_schedule(schedule, computed=False)
    }
    layout.rules.judge(taken)
    for group in taken.values() if in_doubt else ():
        group.quality[group.quality == Quality.GOOD] = Quality.TIME_IN_DOUBT
    rows = {g: Rows(t.raw, t.quality, _source_ms(t.age_ms)) for g, t in taken.items()}
    devices = layout.devices[schedule]
    lags = np.full(len(devices), NO_LAG, dtype=np.int32)
    for device_id, lag in lag_ms.items():
        lags[devices.index(layout.device_index[device_id])] = lag
    return Tick(schedule, tick_ns, rows, lags)


def _taken(
    plan: _GroupPlan, tick_ns: int, parts: Sequence[tuple[Index | slice, Index | slice, Samples]]
) -> Taken:
    count, size = len(plan.points), plan.dtype.size
    raw = np.zeros((count, size), dtype=np.uint8)
    quality = np.full(count, Quality.NOT_SAMPLED, dtype=np.uint8)
    age_ms = np.full(count, NO_AGE, dtype=np.int64)
    for rows, at, read in parts:
        raw[rows] = read.raw[at, :size]
        quality[rows] = read.quality[at]
        if read.source_ns is not None:
            age_ms[rows] = _ages_ms(tick_ns, read.source_ns[at])
    return Taken(raw.view(plan.dtype.numpy_name)[:, 0], quality, age_ms)


def _ages_ms(tick_ns: int, source_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How old each was at the tick; NO_AGE where nobody knows."""
    is_known = source_ns != NO_TIME
    ages = (tick_ns - np.where(is_known, source_ns, tick_ns)) // NS_PER_MS
    return np.where(is_known, ages, NO_AGE)


def _source_ms(age_ms: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """Ages as a frame holds them."""
    fits = (age_ms >= -_SOURCE_MS_MAX) & (age_ms <= _SOURCE_MS_MAX)
    return np.where(fits, age_ms, NO_SOURCE_TIME).astype(np.int32)


def judge(history: History, ticks: Sequence[Tick]) -> Sequence[Tick]:
    """The ticks of one instant, judged by the readings before; they are known from now on."""
    if history.is_idle:
        return ticks
    return [
        Tick(t.schedule, t.tick_ns, {g: _judged(history, g, t) for g in t.rows}, t.lag_ms)
        for t in ticks
    ]


def _judged(history: History, group: int, tick: Tick) -> Rows:
    rows = tick.rows[group]
    quality = history.judge(group, tick.tick_ns, rows.raw, rows.quality)
    return Rows(rows.raw, quality, rows.source_ms)


def calculate(layout: Layout, calc: PlantCalc, ticks: Sequence[Tick]) -> list[Tick]:
    """The ticks of one instant with computed rows added to schedule 0's.

    Args:
        layout: of the configuration in force.
        calc: its state moves on by this instant.
        ticks: all schedules that ticked at the instant, by schedule.
    """
    blocks = [
        Block(
            tick.schedule,
            np.array([tick.tick_ns], dtype=np.int64),
            tuple(
                GroupBlock(g, rows.raw.reshape(-1, 1), rows.quality.reshape(-1, 1))
                for g, rows in sorted(tick.rows.items())
            ),
        )
        for tick in ticks
    ]
    computed = calc.feed(blocks)
    groups = layout.of_schedule(0, computed=True)
    if not groups or not len(computed.ticks_ns):
        return list(ticks)
    no_source = np.full(len(computed.counts), NO_SOURCE_TIME, dtype=np.int32)
    rows = Rows(computed.counts[:, 0].astype("<i8"), computed.quality[:, 0], no_source)
    return [
        Tick(t.schedule, t.tick_ns, {**t.rows, groups[0]: rows}, t.lag_ms) if t.schedule == 0 else t
        for t in ticks
    ]


def without_computed(layout: Layout, tick: Tick) -> Tick:
    """The tick as the meters gave it."""
    rows = {g: r for g, r in tick.rows.items() if not layout.groups[g].computed}
    return Tick(tick.schedule, tick.tick_ns, rows, tick.lag_ms)


def decode_tick(layout: Layout, data: bytes) -> Tick:
    """Undo `Tick.encode`; MalformedError when the bytes do not fit the layout."""
    parts = cbor.decode(data)
    try:
        schedule, tick_ns, groups, lag = parts
        rows = {
            g: Rows(
                np.frombuffer(raw, dtype=layout.groups[g].dtype.numpy_name),
                np.frombuffer(quality, dtype=np.uint8),
                np.frombuffer(source, dtype="<i4"),
            )
            for g, raw, quality, source in groups
        }
        lag_ms = np.frombuffer(lag, dtype="<i4")
        whole = all(len(r.raw) == len(layout.groups[g].points) for g, r in rows.items())
    except (TypeError, ValueError, IndexError) as error:
        raise MalformedError(f"open tick does not fit the configuration: {error}") from error
    if not whole or type(schedule) is not int or type(tick_ns) is not int:
        raise MalformedError("open tick does not fit the configuration")
    return Tick(schedule, tick_ns, rows, lag_ms)


@dataclass
class Batch:
    """Ticks since the last frame, and when the next is due."""

    layout: Layout
    ticks: list[Tick] = field(default_factory=list)
    raw_bytes: int = 0

    def add(self, tick: Tick) -> None:
        """Take one more tick; its instant is not before the last one's."""
        self.ticks.append(tick)
        self.raw_bytes += tick.raw_bytes

    def takes(self, ticks: Sequence[Tick]) -> bool:
        """True when these ticks of an instant may join: each the next of its schedule's grid.

        Those that fill a frame by themselves get one of their own: what readers take of one object
        has its bounds.
        """
        if self.ticks and sum(tick.raw_bytes for tick in ticks) > FRAME_BYTES_MAX:
            return False
        return all(self._follows(tick) for tick in ticks)

    def _follows(self, tick: Tick) -> bool:
        before = [t.tick_ns for t in self.ticks if t.schedule == tick.schedule]
        interval = self.layout.intervals_ns[tick.schedule]
        return not before or tick.tick_ns == before[-1] + interval

    def is_due(self, next_ns: int) -> bool:
        """True when the frame must close before a tick at `next_ns` joins it."""
        if not self.ticks:
            return False
        first = self.ticks[0].tick_ns
        return (
            next_ns - first >= FRAME_NS_MAX
            or next_ns // QUARTER_HOUR_NS != first // QUARTER_HOUR_NS
            or self.raw_bytes >= FRAME_BYTES_MAX
        )

    def body(
        self, *, now_ns: int, clock: Clock, gap: Gap | None, events: Sequence[Mapping[str, Any]]
    ) -> Body:
        """The frame's body; the batch is empty afterwards. Without ticks it speaks of `now_ns`."""
        ticks, self.ticks, self.raw_bytes = self.ticks, [], 0
        sections = tuple(
            self._section(s, [t for t in ticks if t.schedule == s])
            for s in sorted({t.schedule for t in ticks})
        )
        return Body(
            t0_ns=min((s.first_ns for s in sections), default=now_ns),
            clock=clock,
            flags=FLAG_SIMULATED if self.layout.simulated else 0,
            sections=sections,
            gap=gap,
            events=tuple(events),
        )

    def _section(self, schedule: int, ticks: Sequence[Tick]) -> Section:
        groups = []
        for g in sorted(ticks[0].rows):
            rows = [t.rows[g] for t in ticks]
            source = np.stack([r.source_ms for r in rows], axis=1)
            groups.append(
                Group(
                    g,
                    self.layout.groups[g].dtype,
                    np.stack([r.raw for r in rows], axis=1),
                    np.stack([r.quality for r in rows], axis=1),
                    source if (source != NO_SOURCE_TIME).any() else None,
                )
            )
        return Section(
            schedule,
            ticks[0].tick_ns,
            self.layout.intervals_ns[schedule],
            len(ticks),
            tuple(groups),
            np.stack([t.lag_ms for t in ticks], axis=1),
            self.layout.devices[schedule],
        )
