"""One step of kiln, calciner, preheater and cooler: what goes in, comes out, and is stored.

What is modelled: full calcination and burn-out; the heat balance with one store, whose temperature
is the calciner's, and the controller that keeps it by the calciner's coal; dust in a circle to the
silo and back; a cooler whose air partly becomes combustion air. What is not: kinetics, CO, free
lime, sulphur and alkali circles, a bypass. Pure; units as in `chemistry`.
"""

from dataclasses import dataclass

from simulators import chemistry as of
from simulators.fuels import Fuel
from simulators.gas import Gas, air, air_with
from simulators.kiln.figures import BurningFigures
from simulators.kiln.materials import RawMeal

_MK = 1000
_REFERENCE_C = 25.0
_NJ_MJ = 10**15

#: The calciner's controller: t/h of coal a kelvin, and seconds in which it takes out what is left.
_GAIN_T_H_K, _RESET_S = 0.2, 600.0


@dataclass(frozen=True)
class Fed:
    """What a step is given, ug: gross raw meal, of it dust, and the three fuels."""

    meal_ug: int
    dust_ug: int
    kiln_coal_ug: int
    calciner_coal_ug: int
    alternative_ug: int


@dataclass(frozen=True)
class Heat:
    """The heat balance of a step, nJ: what came in, what it was used for, what the store gained."""

    fuel: int = 0
    reactions: int = 0
    exit_gas: int = 0
    dust: int = 0
    cooler_air: int = 0
    clinker: int = 0
    walls: int = 0
    stored: int = 0

    def __add__(self, other: "Heat") -> "Heat":
        return Heat(*(getattr(self, n) + getattr(other, n) for n in self.__dataclass_fields__))


@dataclass(frozen=True)
class Made:
    """What a step made.

    Attributes:
        clinker_ug: clinker that left the cooler.
        gas: what left the preheater.
        air_ug: the dry air in it.
        co2_meal, co2_coal, co2_alternative: mmol of its CO2 by where the carbon was.
        meal_water_ug: the meal's free water in it.
        heat: the step's heat balance.
    """

    clinker_ug: int
    gas: Gas
    air_ug: int
    co2_meal: int
    co2_coal: int
    co2_alternative: int
    meal_water_ug: int
    heat: Heat


class Burning:
    """The line's heat store, and what burns in it."""

    def __init__(
        self, figures: BurningFigures, *, meal: RawMeal, coal: Fuel, alternative: Fuel,
        step_s: float,
    ) -> None:  # fmt: skip
        self._figures = figures
        self._meal, self._coal, self._alternative = meal, coal, alternative
        self._step_s = step_s
        self._store_nj = 0
        self._reset_t_h = figures.calciner_coal_t_h

    @property
    def calciner_c(self) -> float:
        """Temperature of the calciner."""
        nj_k = self._figures.heat_mj_k * _NJ_MJ
        return self._figures.calciner_c + self._store_nj / nj_k

    @property
    def exit_c(self) -> float:
        """Temperature of the gas that leaves the preheater; it follows the calciner by a third."""
        return self._figures.exit_c + (self.calciner_c - self._figures.calciner_c) / 3.0

    def calciner_coal_t_h(self) -> float:
        """What the controller wants in this step."""
        off_k = self._figures.calciner_c - self.calciner_c
        self._reset_t_h += _GAIN_T_H_K * off_k * self._step_s / _RESET_S
        return max(0.0, self._reset_t_h + _GAIN_T_H_K * off_k)

    def step(self, fed: Fed) -> Made:
        """One step."""
        meal = self._meal.burn(fed.meal_ug - fed.dust_ug)
        coal = self._coal.burn(fed.kiln_coal_ug + fed.calciner_coal_ug)
        alternative = self._alternative.burn(fed.alternative_ug)
        raw = meal.gas + coal.gas + alternative.gas
        excess = -raw.o2 * round(self._figures.excess_air_percent * 1000) // 100_000
        fresh = air_with(excess - raw.o2)
        gas = raw + fresh
        clinker_ug = meal.solid_ug + coal.solid_ug + alternative.solid_ug
        return Made(
            clinker_ug=clinker_ug,
            gas=gas,
            air_ug=fresh.mass_ug,
            co2_meal=meal.gas.co2,
            co2_coal=coal.gas.co2,
            co2_alternative=alternative.gas.co2,
            meal_water_ug=meal.water_ug,
            heat=self._balance(
                coal.heat_nj + alternative.heat_nj, -meal.heat_nj, gas, fresh, clinker_ug,
                fed.dust_ug,
            ),
        )  # fmt: skip

    def _balance(  # noqa: PLR0917 - the terms of one balance
        self, fuel_nj: int, taken_nj: int, gas: Gas, fresh: Gas, clinker_ug: int, dust_ug: int
    ) -> Heat:
        figures = self._figures
        exit_mk = _above_mk(self.exit_c)
        cooling = int(clinker_ug / 1e9 * figures.cooling_nm3_kg / of.NM3_MMOL)
        exhaust = air(max(0, cooling - fresh.wet_mmol))
        gone = Heat(
            fuel=fuel_nj,
            reactions=taken_nj,
            exit_gas=gas.heat_nj(exit_mk),
            dust=dust_ug * of.CP_SOLID_PJ * exit_mk // 1000,
            cooler_air=exhaust.heat_nj(_above_mk(figures.exhaust_c)),
            clinker=clinker_ug * of.CP_SOLID_PJ * _above_mk(figures.clinker_c) // 1000,
            walls=round(figures.wall_mw * self._step_s * 1e6) * 10**9,
        )
        lost = gone.reactions + gone.exit_gas + gone.dust + gone.cooler_air
        stored = gone.fuel - lost - gone.clinker - gone.walls
        self._store_nj += stored
        return gone + Heat(stored=stored)


def _above_mk(celsius: float) -> int:
    return round((celsius - _REFERENCE_C) * _MK)
