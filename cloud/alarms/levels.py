"""A plant's emission rate and its band: given, or learned from the last days' ten-minute means."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

from cloud.alarms.facts import DAY_NS, SECOND_NS, Band, Level, learned_band
from cloud.alarms.store import AlarmStore
from cloud.errors import StoreError
from cloud.live.summary import HEADLINE

STEP_NS = 600 * SECOND_NS
LEARN_NS = 7 * DAY_NS
History = Sequence[tuple[int, float | None]]


class Levels:
    """Means of emission rates, as they are kept for learning."""

    def __init__(self, store: AlarmStore) -> None:
        self._store = store
        self._learned: dict[str, tuple[int, list[tuple[int, float]]]] = {}  # by plant: which step

    def read(self, snapshot: Mapping[str, Any], history: Callable[[str], History]) -> Level | None:
        """The headline's mean, without its band; None where the plant has no headline."""
        points = snapshot["points"]
        point = next((name for name in HEADLINE if name in points), None)
        if point is None:
            return None
        return Level(point, mean_of(history(point)), points[point]["unit"], None)

    def judged(
        self, plant: str, level: Level | None, limits: Mapping[str, float], now_ns: int
    ) -> Level | None:
        """The level with its band; every ten minutes its mean is kept."""
        if level is None:
            return None
        step, (known, rows) = now_ns // STEP_NS, self._learned.get(plant, (-1, []))
        if known != step:
            if level.mean is not None:
                with contextlib.suppress(StoreError):  # one mean less to learn from
                    self._store.note_level(plant, level.point, step * STEP_NS, level.mean)
            rows = [
                row for row in self._store.levels(plant, level.point) if row[0] >= now_ns - LEARN_NS
            ]
            self._learned[plant] = step, rows
        return replace(level, band=band_of(rows, limits, now_ns))


def mean_of(rows: History) -> float | None:
    """Mean of a trace; None when less than half of it is usable, or it is shorter than 5 min."""
    usable = [value for _, value in rows if value is not None]
    is_short = not rows or rows[-1][0] - rows[0][0] < STEP_NS // 2
    return None if is_short or 2 * len(usable) < len(rows) else fmean(usable)


def band_of(
    rows: Sequence[tuple[int, float]], limits: Mapping[str, float], now_ns: int
) -> Band | None:
    """The band that is given, or what was learned; None while that is too little.

    Args:
        rows: (UTC ns, mean) of ten minutes each, oldest first.
        limits: of the rule "emission".
        now_ns: UTC ns.
    """
    if limits["high_t_h"] > 0:
        return Band(limits["low_t_h"], limits["high_t_h"], is_learned=False)
    learn_ns = limits["learn_s"] * SECOND_NS
    enough = 2 * len(rows) * STEP_NS >= learn_ns
    if not rows or not enough or now_ns - rows[0][0] < learn_ns:
        return None
    return learned_band([mean for _, mean in rows], limits["spread_mads"], limits["least_percent"])
