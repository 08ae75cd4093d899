"""A whole smelter: the potline and its services, step by step, with its ground truth.

Pure: no I/O, no clock. The caller steps it, asks for readings when it wants to show some, and is
handed every line of the truth in the order things happen (`TRUTH.md` has the schema).
"""

import math
from collections.abc import Callable
from decimal import Decimal

import numpy as np

from simulators.played import TruthLine
from simulators.potline import PRODUCING, Happening, Potline
from simulators.scenario import Scenario
from simulators.served import Readings
from simulators.services import Electricity, Gas
from simulators.waves import Floats, SlowWave

TRUTH_FORMAT = 1

#: Device serial numbers of the simulated meters, read by a driver's probe.
SERIALS = {"ac-1": 10_482_201, "gas-1": 20_771_934}

#: The line a voltage must cross to count as an anode effect in this plant's truth.
THRESHOLD_V = "8"


class Smelter:
    """A smelter that is played from a scenario and a seed."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        pots: int,
        seed: int,
        record: Callable[[TruthLine], None],
    ) -> None:
        self.scenario = scenario
        self.pots = pots
        self._record = record
        self._step_s = float(scenario.step_s)
        self._totals_steps = max(1, round(scenario.totals_s / scenario.step_s))
        line_seed, pots_seed, power_seed, gas_seed = np.random.SeedSequence(seed).spawn(4)
        line = scenario.line
        self._deviation = SlowWave(
            np.random.default_rng(line_seed),
            low=-line.variation,
            high=line.variation,
            period_steps=round(line.variation_period_s / self._step_s),
        )
        self.potline = Potline(scenario, pots=pots, seed=pots_seed, happened=self._happened)
        self.electricity = Electricity(scenario.electricity, step_s=self._step_s, seed=power_seed)
        self.gas = Gas(scenario.gas, step_s=self._step_s, seed=gas_seed)
        self._dc_kwh = 0.0
        self._head(seed)

    @property
    def step_s(self) -> Decimal:
        """Seconds a physical step."""
        return self.scenario.step_s

    @property
    def publish_steps(self) -> int:
        """Servers show every so manyeth step."""
        return self.scenario.publish_steps

    @property
    def step_number(self) -> int:
        """Physical steps made so far; step n is n × step_s after the start."""
        return self.potline.step_number

    def step(self) -> None:
        """One physical step of everything; the truth of this step is recorded before it ends."""
        self._dc_kwh += self.potline.current_ka * self.potline.line_voltage_v * self._hours
        self.potline.step(self._deviation.next())
        self.electricity.step()
        self.gas.step()
        if self.step_number % self._totals_steps == 0:
            self._record({"type": "totals", **self._totals()})

    def finish(self) -> None:
        """The last line of the truth, with what is still running."""
        running = [
            {
                "pot": self._pot(pot),
                "effect": effect.number,
                "start_s": self._t_s(effect.start_step),
                "peak_v": f"{effect.peak_v:.3f}",
            }
            for pot, effect in sorted(self.potline.effects.items())
        ]
        self._record({"type": "end", **self._totals(), "running": running})

    def readings(self) -> dict[str, Readings]:
        """What each device shows now, by device id."""
        line = self.potline
        gateway: dict[str, float | Decimal] = {
            "line_current": line.current_ka,
            "line_voltage": line.line_voltage_v,
            "metal_tapped": Decimal(line.tapping.tapped_kg) / 1000,
        }
        for pot, (voltage_v, state) in enumerate(
            zip(line.voltage_v.tolist(), line.state.tolist(), strict=True), start=1
        ):
            gateway[f"pot-{pot:02}.voltage"] = voltage_v
            gateway[f"pot-{pot:02}.state"] = state
        return {
            "ac-1": {"serial": SERIALS["ac-1"], **self.electricity.readings()},
            "gas-1": {"serial": SERIALS["gas-1"], **self.gas.readings()},
            "pot-gateway": gateway,
        }

    @property
    def _hours(self) -> float:
        return self._step_s / 3600.0

    def _pot(self, index: int) -> str:
        return f"{index + 1:02}"

    def _t_s(self, step: int) -> str:
        return str(Decimal(step) * self.scenario.step_s)

    def _head(self, seed: int) -> None:
        self._record(
            {
                "type": "scenario",
                "format": TRUTH_FORMAT,
                "scenario": self.scenario.name,
                "seed": seed,
                "pots": self.pots,
                "step_s": str(self.scenario.step_s),
                "rules": {"effect_above_v": THRESHOLD_V, "producing_state": PRODUCING},
            }
        )
        for pot, state in enumerate(self.potline.state.tolist()):
            self._record({"type": "state", "t_s": "0.0", "pot": self._pot(pot), "state": state})
        self._record({"type": "totals", **self._totals()})

    def _totals(self) -> dict[str, object]:
        line = self.potline
        return {
            "t_s": self._t_s(self.step_number),
            "metal_made_kg": _kg(line.metal_kg),
            "metal_tapped_kg": str(self.potline.tapping.tapped_kg),
            "metal_held_kg": _kg(line.tapping.held_kg),
            "alumina_fed_kg": _kg(line.fed_kg),
            "alumina_kg": _kg(line.alumina_kg),
            "dc_energy_kwh": f"{self._dc_kwh:.3f}",
            "ac_energy_kwh": f"{self.electricity.energy_kwh:.3f}",
            "gas_volume_nm3": f"{self.gas.volume_nm3:.3f}",
            "effects_started": line.effects_started,
            "pot_metal_made_kg": {
                self._pot(pot): f"{kg:.3f}" for pot, kg in enumerate(line.metal_kg.tolist()) if kg
            },
        }

    def _happened(self, event: Happening) -> None:
        line: dict[str, object] = {
            "type": event.kind, "t_s": self._t_s(event.step), "pot": self._pot(event.pot)
        }  # fmt: skip
        if event.kind == "effect-end":
            start = int(event.figures["start_step"])
            line["effect"] = event.figures["effect"]
            line["start_s"] = self._t_s(start)
            line["duration_s"] = self._t_s(event.step - start)
            line["peak_v"] = f"{event.figures['peak_v']:.3f}"
        elif event.kind == "tap":
            line["metal_kg"] = str(event.figures["metal_kg"])
            line["metal_tapped_kg"] = str(self.potline.tapping.tapped_kg)
            line["pot_metal_made_kg"] = f"{float(self.potline.metal_kg[event.pot]):.3f}"
        else:
            line.update(event.figures)
        self._record(line)


def _kg(pots: Floats) -> str:
    """The sum over all pots, exact before it is rounded: the order of adding has no part in it."""
    return f"{math.fsum(pots.tolist()):.3f}"
