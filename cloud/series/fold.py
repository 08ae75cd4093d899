"""Readings of frames to minutes, many ticks at once. Pure: a configuration, bodies, arrays."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from cloud.series.bucket import MINUTE_NS, Series
from cloud.series.columns import Columns, Running
from edge.calc.blocks import GroupBlock
from evidence.counts import GroupCounts
from evidence.errors import MalformedError
from evidence.frame import Body
from evidence.frame_form import FrameForm
from evidence.points import Point
from evidence.quality import FIRST_BAD, Quality
from evidence.recompute import joined_blocks
from evidence.waiting import Waiting

Int64 = npt.NDArray[np.int64]
_INFO = np.iinfo(np.int64)
#: minutes by points of one step: nine hours of 500, however few frames they are in
STEP_BUCKETS = 2**18


class Form:
    """What a configuration says of its groups.

    Attributes:
        zone: the plant's time zone.
        many: its points.
    """

    def __init__(self, config: Mapping[str, Any], plant: str, gateway: str) -> None:
        """Of a decoded configuration; LookupError, TypeError or ValueError where it is none."""
        points = [Point.from_map(one) for one in config["points"]]
        self.zone, self.many = str(config["plant"]["time_zone"]), len(points)
        self._series: dict[int, tuple[Series, ...]] = {}
        self._counts: list[GroupCounts] = []
        self._frames: FrameForm | None = None  # where it gives frames no form
        with suppress(MalformedError):
            self._frames = FrameForm(config)
        for group in config["groups"]:
            of = [points[index] for index in group["points"]]
            more = tuple(Series.of(plant, gateway, point) for point in of)
            self._series[group["schedule"]] = (*self._series.get(group["schedule"], ()), *more)
            self._counts.append(GroupCounts(of))

    def fits(self, body: Body) -> bool:
        """Does a frame fit the configuration, as a month is made of it?"""
        return self._frames is not None and self._frames.fits(body)

    def minutes(self, bodies: Sequence[Body], from_ns: int, to_ns: int) -> Iterator[Columns]:
        """Minutes of fitting bodies' ticks with from_ns <= tick < to_ns.

        Args:
            bodies: consecutive ones of this form.
            from_ns: a whole minute, UTC nanoseconds.
            to_ns: another.

        Yields:
            In the order of time, a minute once for each schedule in it.
        """
        for block in joined_blocks(bodies) if bodies else ():
            first, stop = np.searchsorted(block.ticks_ns, (from_ns, to_ns))
            ticks = block.ticks_ns[first:stop]
            if not len(ticks):
                continue
            minute = ticks // MINUTE_NS
            starts = np.flatnonzero(np.diff(minute, prepend=minute[0] - 1))
            columns = [column.T for column in self._reduced(block.groups, first, stop, starts)]
            for n, begin in enumerate((minute[starts] * MINUTE_NS).tolist()):
                yield Columns(begin, self._series[block.schedule], *(c[n] for c in columns))

    def _reduced(
        self, groups: Sequence[GroupBlock], first: int, stop: int, starts: npt.NDArray[np.intp]
    ) -> tuple[npt.NDArray[Any], ...]:
        """Columns [series of the schedule][pieces] of ticks number first to stop - 1."""
        parts = [self._counts[group.group].counts(group.raw[:, first:stop]) for group in groups]
        quality = np.concatenate([group.quality[:, first:stop] for group in groups])
        counts = np.concatenate([numbers for numbers, _ in parts])
        has_count = np.concatenate([valid for _, valid in parts])
        ok = has_count & (quality < FIRST_BAD)
        if not has_count.all():  # NaN that was signed as good is as bad as any other
            quality = np.where(has_count | (quality >= FIRST_BAD), quality, Quality.NOT_A_NUMBER)
        worst = np.maximum.reduceat(quality, starts, axis=1).astype(np.int64)
        return (*_columns(counts, ok, starts), worst)


class Room:
    """How far a step goes: to an instant at most, and not far where points are many.

    Attributes:
        to_ns: a whole minute.
    """

    def __init__(self, to_ns: int) -> None:
        self.to_ns = self._end_ns = to_ns
        self._form: Form | None = None  # of the frames that wait
        self._from_ns, self._left = 0, STEP_BUCKETS

    def take(self, form: Form, body: Body, from_ns: int) -> None:
        """A frame waits; what is before an instant is not made of it."""
        if form is self._form or not body.sections:
            return
        first_ns = max(from_ns, min(section.first_ns for section in body.sections))
        first_ns -= first_ns % MINUTE_NS
        if self._form is not None:
            self._left -= (first_ns - self._from_ns) // MINUTE_NS * self._form.many
        minutes = max(1, self._left // max(1, form.many))
        self._form, self._from_ns = form, first_ns
        self.to_ns = min(self._end_ns, first_ns + minutes * MINUTE_NS)

    def fold(self, waiting: Waiting, from_ns: int, into: dict[int, Running]) -> None:
        """Add the minutes of frames that waited; one that another part of them has grows."""
        if self._form is None or not waiting.bodies:
            return
        for columns in self._form.minutes(waiting.bodies, from_ns, self.to_ns):
            into.setdefault(columns.from_ns, Running(columns.from_ns)).add(columns)


def _columns(
    counts: Int64, ok: npt.NDArray[np.bool_], starts: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[Any], ...]:
    """count, low, high, last and total of each piece of each row; all 0 where none is ok."""
    ticks = np.arange(counts.shape[1])
    if ok.all():
        stops = np.append(starts[1:], counts.shape[1])
        many = np.broadcast_to(stops - starts, (len(counts), len(starts)))
        low = np.minimum.reduceat(counts, starts, axis=1)
        high = np.maximum.reduceat(counts, starts, axis=1)
        return many, low, high, counts[:, stops - 1], _sums(counts, starts)
    many = np.add.reduceat(ok, starts, axis=1, dtype=np.int64)
    low = np.minimum.reduceat(np.where(ok, counts, _INFO.max), starts, axis=1)
    high = np.maximum.reduceat(np.where(ok, counts, _INFO.min), starts, axis=1)
    newest = np.maximum.reduceat(np.where(ok, ticks, 0), starts, axis=1)
    last = np.take_along_axis(counts, newest, axis=1)
    total = _sums(np.where(ok, counts, 0), starts)
    none = many == 0
    for column in (low, high, last, total):
        column[none] = 0
    return many, low, high, last, total


def _sums(counts: Int64, starts: npt.NDArray[np.intp]) -> npt.NDArray[Any]:
    """Exact sums of pieces; as Python's integers where 64 bits might not do."""
    peak = max(abs(int(counts.max())), abs(int(counts.min())))
    if peak * counts.shape[1] > _INFO.max:
        return np.add.reduceat(counts.astype(object), starts, axis=1)
    return np.add.reduceat(counts, starts, axis=1)
