"""The plants there are: which kind a scenario is of, how it is read and made."""

from collections.abc import Callable, Mapping
from pathlib import Path

from firmware_configs.fields import Fields
from simulators.kiln.figures import KilnScenario
from simulators.kiln.load import kiln_scenario
from simulators.kiln.plant import Kiln
from simulators.plant import Smelter
from simulators.played import Played, TruthLine
from simulators.scenario import Scenario, read_scenario, smelter_scenario
from simulators.steelworks.figures import SteelworksScenario
from simulators.steelworks.load import steelworks_scenario
from simulators.steelworks.plant import Steelworks

AnyScenario = Scenario | KilnScenario | SteelworksScenario

_READERS: Mapping[str, Callable[[str, Fields], AnyScenario]] = {
    "kiln": kiln_scenario,
    "steelworks": steelworks_scenario,
}


def load_any(name: str, *, folder: Path | None = None) -> AnyScenario:
    """A scenario of any kind of plant; ScenarioError as `load_scenario`."""
    return read_scenario(name, _read, folder=folder)


def make(
    scenario: AnyScenario, *, pots: int | None, seed: int, record: Callable[[TruthLine], None]
) -> Played:
    """The plant of a scenario, at step 0; `pots` is of a smelter only."""
    if isinstance(scenario, KilnScenario):
        return Kiln(scenario, seed=seed, record=record)
    if isinstance(scenario, SteelworksScenario):
        return Steelworks(scenario, seed=seed, record=record)
    return Smelter(scenario, pots=pots or scenario.pots, seed=seed, record=record)


def _read(name: str, fields: Fields) -> AnyScenario:
    # what is no other plant's is read as a smelter's, which then says what it is not
    return _READERS.get(str(fields.raw("plant")), smelter_scenario)(name, fields)
