"""What the questions look at: a month's quarters, what happened beside them, and its statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.calc.blocks import Bool
from edge.calc.folds.papers import Paper
from edge.calc.screening.quarters import DAY_QUARTERS, QUARTER_NS, Kept, Quarters
from evidence.points import Point, Role

Floats = npt.NDArray[np.float64]
#: a day counts with nearly all of its quarter-hours
_DAY_LEAST = 80
_A_QUARTER_H = 0.25
#: of its quarter-hours a gauge that moves at times is still in less; from so many gauges a plant's
#: standing is told
_MOVES_AT_TIMES, _GAUGES_LEAST = 0.9, 4
#: numbers that count things or name them are no measurements
_NOT_MEASURED = frozenset({"count", "state"})


@dataclass(frozen=True)
class Change:
    """A change within the month.

    Attributes:
        at_ns: when the first reading under it was taken.
        kind: "configuration", "settings" or "calibration".
        points: whose readings it may change; empty: of all.
        what: in the archive's own words: keys of a configuration, settings of a device.
    """

    at_ns: int
    kind: str
    points: tuple[str, ...] = ()
    what: str = ""


@dataclass(frozen=True)
class Balance:
    """What a reviewer says of a network: points that enter it and leave it, alike in all else."""

    name: str
    enters: tuple[str, ...]
    leaves: tuple[str, ...]


@dataclass
class ScreenedMonth:
    """One sealed month of one plant.

    Attributes:
        plant, month: ids.
        from_ns, to_ns: its period, to exclusive.
        config: the last signed configuration.
        quarters: its readings.
        statement: as sealed, {"input", "output"}.
        changes: in order.
        clock_steps_ns: when the gateway's clock was set.
        papers: documents that stand.
        balances: networks, as the reviewer says.
    """

    plant: str
    month: str
    from_ns: int
    to_ns: int
    config: Mapping[str, Any]
    quarters: Quarters
    statement: Mapping[str, Any]
    changes: Sequence[Change] = ()
    clock_steps_ns: Sequence[int] = ()
    papers: Sequence[Paper] = ()
    balances: Sequence[Balance] = ()
    _row: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._row = {point.id: row for row, point in enumerate(self.quarters.points)}

    @property
    def kept(self) -> Kept:
        """What is kept of the readings."""
        return self.quarters.kept

    @property
    def quarter_count(self) -> int:
        """Quarter-hours of the period."""
        return self.quarters.quarters

    def row(self, point_id: str) -> int | None:
        """Row of a point, None where it is not kept."""
        return self._row.get(point_id)

    @cached_property
    def gauges(self) -> list[int]:
        """Rows of measured gauges."""
        return [row for row, p in enumerate(self.quarters.points) if is_measured(p)]

    @cached_property
    def measured(self) -> list[int]:
        """Rows of measured gauges and totalisers."""
        return [
            row
            for row, p in enumerate(self.quarters.points)
            if p.quantity.kind not in _NOT_MEASURED
        ]

    @cached_property
    def levels(self) -> Floats:
        """[points][quarters] a gauge's mean; what a totaliser rose an hour; NaN without reading."""
        rows = len(self.quarters.points)
        good = self.kept.good[:rows]
        with np.errstate(divide="ignore", invalid="ignore"):
            means = self.kept.sum[:rows] / good
        totals = np.array([p.role is Role.TOTALISER for p in self.quarters.points], dtype=bool)
        result: Floats = np.where(totals.reshape(-1, 1), self.kept.sum[:rows] / _A_QUARTER_H, means)
        return np.where(good > 0, result, np.nan)

    @cached_property
    def rests(self) -> Bool:
        """[quarters] in which the plant stands: half of the gauges that move at times do not."""
        pairs, equal = self.kept.pairs[self.gauges], self.kept.equal[self.gauges]
        enough = pairs > 0
        still = enough & (pairs == equal)
        moves = still.sum(axis=1) < _MOVES_AT_TIMES * enough.sum(axis=1)
        if moves.sum() < _GAUGES_LEAST:
            return np.zeros(self.quarter_count, dtype=bool)
        result: Bool = 2 * still[moves].sum(axis=0) > enough[moves].sum(axis=0)
        return result

    def days(self, row: int) -> Floats:
        """What a point came to each whole day: a gauge's integral over hours, a totaliser's rise.

        NaN where less than 80 of a day's 96 quarter-hours have a reading.
        """
        whole = self.quarter_count // DAY_QUARTERS * DAY_QUARTERS
        level = self.levels[row, :whole].reshape(-1, DAY_QUARTERS)
        known = np.isfinite(level).sum(axis=1)
        total: Floats = np.nansum(level, axis=1) * _A_QUARTER_H
        if self.quarters.points[row].role is not Role.TOTALISER:
            with np.errstate(divide="ignore", invalid="ignore"):
                total = total * DAY_QUARTERS / known
        return np.where(known >= _DAY_LEAST, total, np.nan)

    def quarter_of(self, at_ns: int) -> int:
        """The quarter-hour of an instant."""
        return (at_ns - self.from_ns) // QUARTER_NS

    def drawn(self, values: Floats) -> list[float | None]:
        """A series as a plot has it: four hundred values at most would do, a month has 2,976."""
        return [float(v) if np.isfinite(v) else None for v in values]


def is_measured(point: Point) -> bool:
    """A gauge that measures something."""
    return point.role is Role.GAUGE and point.quantity.kind not in _NOT_MEASURED


def resolution(point: Point) -> float:
    """The least step that a point can take, in its unit."""
    digit = 10.0**-point.decimals
    return digit if point.dtype.is_float else max(digit, float(point.scaling.factor))
