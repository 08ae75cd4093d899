"""Verdicts that need earlier readings: changed too fast, stuck, jumped, came back. Pure.

All four are suspicions: the value stays in use. A reading is judged by the usable readings before
it, of which the newest is at most two intervals old; after a longer silence the history begins
anew, as it does with a configuration. A tick is committed at once, so a spike is told in two parts:
its own reading has JUMPED, and when the next one has returned, that one says CAME_BACK.

Verdicts depend on values and on which of them are usable, and change neither: to judge what was
judged already gives the same, so the open ticks of a spool rebuild the history (`edge.recorder`).
"""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.quality_rules import Int64, Rows, UInt8
from evidence.counts import GroupCounts
from evidence.points import Point, Role, exact
from evidence.quality import FIRST_BAD, Quality

HOLDS_INTERVALS = 2  # as a held value does in the calculation (FIGURES.md §1)

_NS = 10**9
_NO_LIMIT = int(np.iinfo(np.int64).max)
_NEVER = -(2**62)  # as a last tick: too long ago to be known
_INT64S = ("last", "last_ns", "anchor", "since_ns", "before")


def _needs_history(point: Point) -> bool:
    rules = point.rules
    return any(text is not None for text in (rules.rate_per_s, rules.jump, rules.stuck_after_s))


def _most(text: str | None, point: Point, times: Fraction = Fraction(1)) -> int:
    """The largest count within a limit of the point's unit."""
    if text is None:
        return _NO_LIMIT
    limit: Fraction = exact(text) * times * 10**point.decimals
    return min(_NO_LIMIT, math.floor(limit))


class _GroupHistory:
    """What is known of the points of one group that have such rules."""

    def __init__(self, points: Sequence[Point], interval_ns: int) -> None:
        ruled = [(i, p) for i, p in enumerate(points) if _needs_history(p)]
        self._rows: Rows = np.array([i for i, _ in ruled], dtype=np.intp)
        chosen = [p for _, p in ruled]
        self._counts = GroupCounts(chosen)
        self._interval_ns = interval_ns
        self._holds_ns = HOLDS_INTERVALS * interval_ns
        step = Fraction(interval_ns, _NS)
        self._rate = [
            _int64([_most(p.rules.rate_per_s, p, n * step) for p in chosen])
            for n in range(1, HOLDS_INTERVALS + 1)
        ]
        self._is_upward = np.array([p.role is Role.TOTALISER for p in chosen])
        self._jump = _int64([_most(p.rules.jump, p) for p in chosen])
        after = [p.rules.stuck_after_s for p in chosen]
        self._stuck_ns = _int64([_NO_LIMIT if t is None else _nanoseconds(t) for t in after])
        self._tolerance = _int64([_most(p.rules.stuck_tolerance or "0", p) for p in chosen])
        count = len(chosen)
        self._last, self._anchor, self._before = (np.zeros(count, np.int64) for _ in range(3))
        self._last_ns = np.full(count, _NEVER, dtype=np.int64)
        self._since_ns = np.zeros(count, dtype=np.int64)
        self._has_jumped = np.zeros(count, dtype=bool)

    def judge(self, tick_ns: int, raw: npt.NDArray[np.generic], quality: UInt8) -> UInt8:
        """The qualities with the verdicts; the readings are known from now on."""
        codes = quality[self._rows]
        counts, valid = self._counts.counts(raw[self._rows].reshape(-1, 1))
        now, usable = counts[:, 0], valid[:, 0] & (codes < FIRST_BAD)
        age = tick_ns - self._last_ns
        known = usable & (age <= self._holds_ns)
        step = now - self._last
        size = np.abs(step)
        stays = known & (np.abs(now - self._anchor) <= self._tolerance)
        np.copyto(self._anchor, now, where=usable & ~stays)
        np.copyto(self._since_ns, tick_ns, where=usable & ~stays)
        codes[stays & (tick_ns - self._since_ns >= self._stuck_ns)] = Quality.STUCK
        rise = np.where(self._is_upward, step, size)
        limit = np.where(age <= self._interval_ns, *self._rate)
        codes[known & (rise > limit)] = Quality.TOO_FAST
        leaps = known & (size > self._jump)
        back = leaps & self._has_jumped & (np.abs(now - self._before) <= self._jump)
        codes[leaps] = Quality.JUMPED
        codes[back] = Quality.CAME_BACK
        np.copyto(self._has_jumped, leaps & ~back, where=usable)
        np.copyto(self._before, self._last, where=usable)
        np.copyto(self._last, now, where=usable)
        np.copyto(self._last_ns, tick_ns, where=usable)
        judged = quality.copy()
        judged[self._rows] = codes
        return judged

    def snapshot(self) -> list[bytes]:
        """Everything known, as little-endian bytes."""
        arrays = [getattr(self, f"_{name}").astype("<i8").tobytes() for name in _INT64S]
        return [*arrays, np.packbits(self._has_jumped).tobytes()]

    def restore(self, snapshot: Sequence[bytes]) -> None:
        """Take over what a snapshot knows; ValueError when it is of other points."""
        *arrays, bits = snapshot
        count = len(self._rows)
        if len(arrays) != len(_INT64S) or any(len(data) != 8 * count for data in arrays):
            raise ValueError("a snapshot of other points")
        for name, data in zip(_INT64S, arrays, strict=True):
            setattr(self, f"_{name}", np.frombuffer(data, dtype="<i8").astype(np.int64))
        flags = np.unpackbits(np.frombuffer(bits, dtype=np.uint8), count=count)
        self._has_jumped = flags.astype(bool)


def _int64(numbers: Sequence[int]) -> Int64:
    return np.array(numbers, dtype=np.int64)


def _nanoseconds(seconds: str) -> int:
    """The first whole nanosecond that is not less."""
    return min(_NO_LIMIT, math.ceil(exact(seconds) * _NS))


class History:
    """The readings before, of all points of a configuration that are judged by them."""

    def __init__(self, groups: Mapping[int, tuple[Sequence[Point], int]]) -> None:
        """Begin with nothing known.

        Args:
            groups: of measured points: index -> points in order of rows, and their interval in ns.
        """
        self._groups = {
            g: _GroupHistory(points, interval_ns)
            for g, (points, interval_ns) in groups.items()
            if any(_needs_history(point) for point in points)
        }

    @property
    def is_idle(self) -> bool:
        """No point has such a rule."""
        return not self._groups

    def judge(
        self, group: int, tick_ns: int, raw: npt.NDArray[np.generic], quality: UInt8
    ) -> UInt8:
        """The qualities of a group at a tick, later than all before, with the verdicts.

        Args:
            group: its index.
            tick_ns: the instant.
            raw: [points] in the group's number type.
            quality: [points] by all other rules.
        """
        known = self._groups.get(group)
        return quality if known is None else known.judge(tick_ns, raw, quality)

    def snapshot(self) -> dict[str, Any]:
        """The state as plain values."""
        return {str(g): known.snapshot() for g, known in self._groups.items()}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Take over the state of a snapshot of the same configuration."""
        for g, known in self._groups.items():
            known.restore(snapshot[str(g)])
