"""Which plant a month is made of, by its scenario and what was asked for. Pure."""

from dataclasses import dataclass
from typing import Any

from simulators.month_config import configuration
from simulators.month_plant import MonthPlant
from simulators.month_played import PlayedMonth
from simulators.month_signals import Signals
from simulators.month_smelter import Mix, described
from simulators.plants import AnyScenario
from simulators.scenario import Scenario

SMELTER_POINTS = 500


@dataclass(frozen=True)
class SmelterMonth:
    """A `MonthPlant`: signals instead of physics, because a second's pace is what it is for.

    Attributes:
        scenario: whose figures the readings follow.
        mix: the points.
        seed, interval_s: as of every plant of a month.
    """

    scenario: Scenario
    mix: Mix
    seed: int
    interval_s: int

    @property
    def name(self) -> str:
        """The plant's id."""
        return self.scenario.name

    def configuration(self, collector_sha256: bytes) -> dict[str, Any]:
        """The map the gateway signs."""
        return configuration(described(self.mix, self.name, self.interval_s), collector_sha256)

    def begin(self, first_ns: int) -> Signals:
        """At the instant of its first reading; they are the same in every month."""
        del first_ns
        return Signals(self.scenario, self.mix, self.seed, self.interval_s)


def month_plant(
    scenario: AnyScenario, *, points: int | None, pots: int | None, seed: int | None,
    interval_s: int,
) -> MonthPlant:  # fmt: skip
    """The plant of a month.

    Args:
        scenario: any.
        points: of a smelter only; None: 500.
        pots: of a smelter only; None: as many as its scenario says.
        seed: instead of the scenario's.
        interval_s: seconds between two readings.

    Raises:
        ValueError: another plant was given points or pots, or they do not fit.
    """
    seed = scenario.seed if seed is None else seed
    if not isinstance(scenario, Scenario):
        if points or pots:
            raise ValueError(f"{scenario.name} has the points of its devices, and no pots")
        return PlayedMonth(scenario, seed, interval_s)
    mix = Mix.fit(points or SMELTER_POINTS, pots or scenario.pots)
    return SmelterMonth(scenario, mix, seed, interval_s)
