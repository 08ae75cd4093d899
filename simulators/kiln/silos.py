"""Silos, and the day on which somebody lets down a tape into them. Pure; steps are counted.

A kiln has no clinker meter: clinker is what the tapes say, with a depth read to so many centimetres
on a surface that is a cone, times a density that somebody once measured.
"""

import calendar
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from simulators.kiln.figures import SiloFigures

_UG_T = 10**12


@dataclass(frozen=True)
class Tape:
    """One silo as it was taped.

    Attributes:
        silo: 1 or 2.
        depth_m: from the roof to the clinker, as read.
        taped_t: what was reckoned from it.
        true_ug: what was in it.
    """

    silo: int
    depth_m: float
    taped_t: float
    true_ug: int


class Silos:
    """The meal silo and two of clinker: the kiln fills one, trucks empty the other.

    The kiln begins with the first. When the other is empty, the two change roles.
    """

    def __init__(
        self, figures: SiloFigures, *, local_start: datetime, seed: np.random.SeedSequence
    ) -> None:
        self._figures = figures
        self._rng = np.random.default_rng(seed)
        self.meal_ug = round(figures.meal_t * _UG_T)
        self.clinker_ug = [round(t * _UG_T) for t in (figures.clinker_1_t, figures.clinker_2_t)]
        self._filled = 0
        self._start = local_start
        self._tape_at = _tape_after(local_start, int(figures.day), int(figures.hour))

    def step(self, *, meal_ug: int, clinker_ug: int, despatch_ug: int) -> int:
        """Put in (meal: net, may be negative) and drawn out; what could be drawn out."""
        self.meal_ug += meal_ug
        emptied = 1 - self._filled
        self.clinker_ug[self._filled] += clinker_ug
        drawn = min(despatch_ug, self.clinker_ug[emptied])
        self.clinker_ug[emptied] -= drawn
        if drawn < despatch_ug:
            self._filled = emptied
        return drawn

    def local(self, elapsed: timedelta) -> datetime:
        """Local time of the scenario."""
        return self._start + elapsed

    def tapes(self, elapsed: timedelta) -> list[Tape]:
        """The tapes, if it is their moment; once a month."""
        if self.local(elapsed) < self._tape_at:
            return []
        at, figures = self._tape_at, self._figures
        self._tape_at = _tape_after(at + timedelta(seconds=1), int(figures.day), int(figures.hour))
        return [self._tape(number) for number in (1, 2)]

    def _tape(self, number: int) -> Tape:
        figures = self._figures
        true_ug = self.clinker_ug[number - 1]
        bulk = figures.bulk_t_m3 * (1.0 + figures.bulk_error_percent / 100.0)
        filled_m = true_ug / _UG_T / bulk / figures.area_m2
        off_m = float(self._rng.uniform(-figures.tape_error_m, figures.tape_error_m))
        depth_m = round(figures.height_m - filled_m + off_m, 2)
        taped_t = (figures.height_m - depth_m) * figures.area_m2 * figures.bulk_t_m3
        return Tape(number, depth_m, taped_t, true_ug)


def _tape_after(at: datetime, day: int, hour: int) -> datetime:
    """The next such day and hour, not before `at`; in a short month its last day."""
    year, month = at.year, at.month
    while True:
        last = calendar.monthrange(year, month)[1]
        found = datetime(year, month, min(day, last), hour)  # noqa: DTZ001 - a local calendar
        if found >= at:
            return found
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
