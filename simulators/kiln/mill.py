"""The raw mill behind the preheater: what it does to meal, gas and stack. Pure."""

from dataclasses import dataclass

from simulators.amounts import mass_ug
from simulators.gas import Gas, air, water
from simulators.kiln.figures import MillFigures
from simulators.rhythm import OFF, ON, Rhythm


@dataclass(frozen=True)
class Milled:
    """One step.

    Attributes:
        meal_ug: made.
        gas: at the stack.
        air_ug: dry air drawn in on the way.
        water_ug: dried out of the raw material, or sprayed into the gas.
    """

    meal_ug: int
    gas: Gas
    air_ug: int
    water_ug: int


class Mill:
    """Runs and stands by its rhythm; it runs at the start."""

    def __init__(self, figures: MillFigures, *, step_s: float) -> None:
        self._figures = figures
        self._step_s = step_s
        self._rhythm = Rhythm(on_s=figures.on_s, off_s=figures.off_s, step_s=step_s)
        self.state = ON
        self.meal_t_h = figures.rate_t_h

    def step(self, step: int, gas: Gas) -> Milled:
        """What becomes of the preheater's gas in this step."""
        figures = self._figures
        is_on = self._rhythm.is_on(step)
        self.state = ON if is_on else OFF
        self.meal_t_h = figures.rate_t_h if is_on else 0.0
        meal_ug = mass_ug(self.meal_t_h, self._step_s)
        leak = figures.leak_on_percent if is_on else figures.leak_off_percent
        drawn = air(gas.wet_mmol * round(leak * 1000) // 100_000)
        wet = figures.moisture_percent / (100.0 - figures.moisture_percent)
        water_t_h = self.meal_t_h * wet if is_on else figures.spray_t_h
        vapour, water_ug = water(mass_ug(water_t_h, self._step_s))
        return Milled(meal_ug, gas + drawn + vapour, drawn.mass_ug, water_ug)

    @property
    def stack_c(self) -> float:
        """Temperature of the stack."""
        return self._figures.stack_on_c if self.state == ON else self._figures.stack_off_c
