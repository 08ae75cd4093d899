"""Steelworks for tests: played without any clock, with everything that happened kept."""

from functools import cache

from simulators.plants import load_any
from simulators.played import TruthLine
from simulators.steelworks.figures import SteelworksScenario
from simulators.steelworks.plant import Steelworks
from tests.unit.simulators.kilns import Burnt


def _works() -> SteelworksScenario:
    found = load_any("steelworks")
    assert isinstance(found, SteelworksScenario)
    return found


WORKS = _works()


def works(steps: int, scenario: SteelworksScenario = WORKS, *, seed: int = 1) -> Burnt[Steelworks]:
    """Works that have ended after so many steps."""
    lines: list[TruthLine] = []
    made = Burnt(Steelworks(scenario, seed=seed, record=lines.append), lines)
    for _ in range(steps):
        made.plant.step()
    made.plant.finish()
    return made


@cache
def ten_minutes(seed: int) -> Burnt[Steelworks]:
    """A heat of each shop, the boilers once off, a flare; not to be changed."""
    return works(3000, seed=seed)
