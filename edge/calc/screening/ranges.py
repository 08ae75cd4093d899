"""A ratio of every day, against the range it should be in, and against itself. Pure."""

import math
from dataclasses import dataclass

import numpy as np

from edge.calc.factors import Row
from edge.calc.screening.chance import bridge, student
from edge.calc.screening.month import Floats

#: days that a mean and its spread are made of
DAYS_LEAST = 5


@dataclass(frozen=True)
class Relation:
    """What should stay in proportion, day by day.

    Attributes:
        name: a key of "relations" in the texts.
        where: points it is made of.
        unit: of the ratio.
        ratios: [days], NaN where a day cannot be used.
        low, high: rows of the table of ranges; None where there is no such limit.
    """

    name: str
    where: str
    unit: str
    ratios: Floats
    low: Row | None = None
    high: Row | None = None

    @property
    def known(self) -> Floats:
        """Ratios of the days that can be used."""
        return self.ratios[np.isfinite(self.ratios)]

    @property
    def confidence(self) -> str:
        """How sure the limits are."""
        unsure = {row.confidence for row in (self.low, self.high) if row} - {"confirmed"}
        return ", ".join(sorted(unsure)) or "confirmed"


def outside(days: Floats, low: float | None, high: float | None) -> float:
    """Chance of such days if their true mean were in the range: Student's t, one-sided."""
    mean, error = float(days.mean()), _error(days)
    beyond = max((low - mean) if low is not None else 0.0, (mean - high) if high is not None else 0)
    if beyond <= 0:
        return 1.0
    return student(beyond / error, len(days) - 1)


def moved(days: Floats, limit: float) -> tuple[float, int]:
    """Chance that a ratio whose level changes by no more than the limit seems to change so much.

    Cumulative sums of the days' distances from their mean, less what a step of the limit makes of
    them, against a Brownian bridge; and how many days are before it.
    """
    n, spread = len(days), _noise(days)
    sums = np.abs(np.cumsum(days - days.mean()))[:-1]  # all of them together are no distance
    at = int(sums.argmax())
    no_matter = limit * (at + 1) * (n - at - 1) / n
    return bridge(max(0.0, float(sums[at]) - no_matter) / (spread * math.sqrt(n))), at + 1


def apart(one: Floats, other: Floats) -> float:
    """Chance that two months' days lie so far apart: Welch's t, two-sided."""
    a, b = _error(one) ** 2, _error(other) ** 2
    t = abs(float(one.mean() - other.mean())) / math.sqrt(a + b)
    freedom = (a + b) ** 2 / (a**2 / (len(one) - 1) + b**2 / (len(other) - 1))
    return min(1.0, 2 * student(t, freedom))


def _error(days: Floats) -> float:
    """Standard error of the mean; never less than what the numbers' own digits give."""
    floor = max(1e-9, abs(float(days.mean())) * 1e-6)
    return max(float(days.std(ddof=1)) / math.sqrt(len(days)), floor)


def _noise(days: Floats) -> float:
    """Spread of the days from one to the next, which a change of level hardly touches."""
    floor = max(1e-9, abs(float(days.mean())) * 1e-6)
    steps = np.diff(days)
    return max(float(math.sqrt((steps**2).mean() / 2)), floor)
