"""The plant's purchased energy: the auxiliary substation and the natural-gas line.

Each counter is the integral of the power or flow it stands beside, step by step, and starts at a
figure that is not zero, as counters in a plant do. Pure: no I/O, no clock.
"""

from decimal import Decimal

import numpy as np

from simulators.scenario import ElectricityFigures, GasFigures
from simulators.waves import SlowWave

#: Each phase's share of the load and of the mean voltage: no substation is quite balanced.
_PHASES = ((0.332, 0.999), (0.335, 1.0), (0.333, 1.001))


class Electricity:
    """Three-phase auxiliary load, primary values."""

    def __init__(
        self, figures: ElectricityFigures, *, step_s: float, seed: np.random.SeedSequence
    ) -> None:
        self._figures = figures
        self._step_s = step_s
        load, grid, beat = (np.random.default_rng(child) for child in seed.spawn(3))
        steps = round(figures.period_s / step_s)
        self._load = SlowWave(
            load, low=figures.power_least_kw, high=figures.power_most_kw, period_steps=steps
        )
        self._grid = SlowWave(grid, low=0.994, high=1.006, period_steps=steps)
        self._beat = SlowWave(beat, low=49.97, high=50.03, period_steps=steps)
        self.energy_kwh = figures.start_kwh
        self._show()

    def step(self) -> None:
        """One step: the counter takes what the power of the step before has moved."""
        self.energy_kwh += self.power_kw * self._step_s / 3600.0
        self._show()

    def _show(self) -> None:
        self.power_kw = self._load.next()
        self._voltage_v = self._figures.voltage_v * self._grid.next()
        self._frequency_hz = self._beat.next()

    def readings(self) -> dict[str, float | Decimal]:
        """By register name of the AC meter's profile, primary values."""
        return three_phase(
            self.power_kw, self.energy_kwh, voltage_v=self._voltage_v,
            frequency_hz=self._frequency_hz, power_factor=self._figures.power_factor,
        )  # fmt: skip


def three_phase(
    power_kw: float, energy_kwh: float | Decimal, *, voltage_v: float, frequency_hz: float,
    power_factor: float,
) -> dict[str, float | Decimal]:  # fmt: skip
    """A load by register name of the AC meter's profile, primary values; volts to neutral."""
    result: dict[str, float | Decimal] = {
        "power": power_kw, "energy_import": energy_kwh, "frequency": frequency_hz,
    }  # fmt: skip
    for phase, (share, level) in enumerate(_PHASES, start=1):
        watts, volts = power_kw * 1000.0 * share, voltage_v * level
        result[f"voltage_l{phase}"] = volts
        result[f"current_l{phase}"] = watts / (volts * power_factor)
    return result


class Gas:
    """Natural gas to the burners; normal cubic metres, dry."""

    def __init__(self, figures: GasFigures, *, step_s: float, seed: np.random.SeedSequence) -> None:
        self._step_s = step_s
        flow, warm, press = (np.random.default_rng(child) for child in seed.spawn(3))
        steps = round(figures.period_s / step_s)
        self._flow = SlowWave(
            flow, low=figures.flow_least_nm3_h, high=figures.flow_most_nm3_h, period_steps=steps
        )
        self._warm = SlowWave(warm, low=18.0, high=24.0, period_steps=10 * steps)
        self._press = SlowWave(press, low=395.0, high=405.0, period_steps=steps)
        self.volume_nm3 = figures.start_nm3
        self._show()

    def step(self) -> None:
        """One step: the counter takes what the flow of the step before has moved."""
        self.volume_nm3 += self.flow_nm3_h * self._step_s / 3600.0
        self._show()

    def _show(self) -> None:
        self.flow_nm3_h = self._flow.next()
        self._temperature_c = self._warm.next()
        self._pressure_kpa = self._press.next()

    def readings(self) -> dict[str, float]:
        """By register name of the gas meter's profile."""
        return {"flow": self.flow_nm3_h, "volume": self.volume_nm3,
                "temperature": self._temperature_c, "pressure": self._pressure_kpa}  # fmt: skip
