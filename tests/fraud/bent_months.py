"""A plant that falsifies its own month before it signs: simulated readings, bent hour by hour.

The archive is as good as any other: it is signed by the plant's own keys and verifies.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evidence.quality import Quality
from simulators.month_plant import Hour, MonthPlant, MonthSource
from simulators.played import TruthLine

#: what is done to the readings of a point: minutes of an hour, its number, and what was shown last
Bend = Callable[["Bending", np.ndarray[Any, Any], np.ndarray[Any, Any]], None]


@dataclass
class Bending:
    """The falsifier's memory.

    Attributes:
        hour: since the month began.
        kept: hours that are put by.
    """

    hour: int = 0
    kept: dict[int, np.ndarray[Any, Any]] | None = None


def hold_peaks(now: Bending, raw: np.ndarray[Any, Any], quality: np.ndarray[Any, Any]) -> None:
    """Every third hour that begins with much gas, the meter shows its first value throughout."""
    del quality
    if now.hour % 3 == 0 and raw[0] > 1000:
        raw[:] = raw[0]


def mark_peaks(now: Bending, raw: np.ndarray[Any, Any], quality: np.ndarray[Any, Any]) -> None:
    """Every few hours, a high quarter-hour is said to be maintenance."""
    quarters = raw.reshape(4, -1).mean(axis=1)
    if now.hour % 4 == 0 and quarters.max() > 1010:
        at = int(quarters.argmax()) * 15
        quality[at : at + 15] = Quality.MAINTENANCE


def copy_day(now: Bending, raw: np.ndarray[Any, Any], quality: np.ndarray[Any, Any]) -> None:
    """The ninth day is the third."""
    del quality
    now.kept = now.kept or {}
    if 48 <= now.hour < 72:
        now.kept[now.hour] = raw.copy()
    if 192 <= now.hour < 216:
        raw[:] = now.kept[now.hour - 144]


@dataclass(frozen=True)
class BentPlant:
    """A `MonthPlant` of which one point's readings are bent.

    Attributes:
        plant: honest.
        point: whose readings.
        bend: what is done to them.
        called: another id of the plant.
    """

    plant: MonthPlant
    point: str
    bend: Bend
    called: str = ""

    @property
    def name(self) -> str:
        """The plant's id."""
        return self.called or self.plant.name

    @property
    def seed(self) -> int:
        """Of all readings."""
        return self.plant.seed

    @property
    def interval_s(self) -> int:
        """Seconds between two readings."""
        return self.plant.interval_s

    def configuration(self, collector_sha256: bytes) -> dict[str, Any]:
        """The map the gateway signs."""
        config = self.plant.configuration(collector_sha256)
        return config | {"plant": config["plant"] | {"id": self.name}}

    def begin(self, first_ns: int) -> "BentSource":
        """Its source, bent."""
        place = place_of(self.plant.configuration(bytes(32)), self.point)
        return BentSource(self.plant.begin(first_ns), place, self.bend)


def place_of(config: Mapping[str, Any], point: str) -> tuple[int, int]:
    """Group and row of a point's readings."""
    return next(
        (g, at)
        for g, group in enumerate(config["groups"])
        for at, i in enumerate(group["points"])
        if config["points"][i]["id"] == point
    )


class BentSource:
    """A `MonthSource` that bends each hour."""

    def __init__(self, source: MonthSource, place: tuple[int, int], bend: Bend) -> None:
        self._source, self._place, self._bend, self._now = source, place, bend, Bending()

    def hour(self) -> Hour:
        """The next hour."""
        hour = self._source.hour()
        group, row = self._place
        raw, quality = [one.copy() for one in hour.raw], [one.copy() for one in hour.quality]
        self._bend(self._now, raw[group][row], quality[group][row])
        self._now.hour += 1
        return replace(hour, raw=tuple(raw), quality=tuple(quality))

    def finish(self) -> Sequence[TruthLine]:
        """The last lines of the truth."""
        return self._source.finish()
