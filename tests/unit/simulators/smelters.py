"""Smelters for tests: played without any clock, with everything that happened kept."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from simulators.plant import Smelter, TruthLine
from simulators.scenario import Scenario, load_scenario
from simulators.truth import line_text

QUICK = load_scenario("smelter")
NORMAL = load_scenario("smelter-normal")


@dataclass
class Played:
    """A played smelter: its truth and, step by step, what its instruments would have shown.

    Attributes:
        plant: after the last step.
        lines: the truth.
        voltage_v: [step, pot], step 0 included.
        current_ka: [step].
    """

    plant: Smelter
    lines: list[TruthLine]
    voltage_v: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))
    current_ka: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """The truth lines of one type."""
        return [dict(line) for line in self.lines if line["type"] == kind]

    def text(self) -> str:
        """The truth as it would stand in the file."""
        return "".join(line_text(line) for line in self.lines)


def smelter(scenario: Scenario = QUICK, *, pots: int = 24, seed: int = 1) -> Played:
    """A smelter at step 0."""
    lines: list[TruthLine] = []
    return Played(Smelter(scenario, pots=pots, seed=seed, record=lines.append), lines)


def played(steps: int, scenario: Scenario = QUICK, *, pots: int = 24, seed: int = 1) -> Played:
    """A smelter after so many steps, every voltage and current kept."""
    result = smelter(scenario, pots=pots, seed=seed)
    line = result.plant.potline
    voltages, currents = [line.voltage_v.copy()], [line.current_ka]
    for _ in range(steps):
        result.plant.step()
        voltages.append(line.voltage_v.copy())
        currents.append(line.current_ka)
    result.voltage_v, result.current_ka = np.array(voltages), np.array(currents)
    return result
