"""The sinter strand: fines, limestone and breeze become sinter; the breeze burns in its air. Pure.

What is not modelled: returns, the state of the iron, CO.
"""

from dataclasses import dataclass

from simulators import chemistry as of
from simulators.gas import Gas, air, water
from simulators.steelworks.figures import SinterFigures
from simulators.steelworks.matter import Matter, of_gas, percent_of

_UG_T = 10**12


@dataclass(frozen=True)
class Sintered:
    """One step; `stack` without what the ignition adds, `lost` the breeze's heat."""

    ore: Matter
    limestone: Matter
    air: Matter
    sinter: Matter
    stack: Gas
    lost: Matter


class SinterStrand:
    """Ore and breeze in, sinter and gas out."""

    def __init__(self, figures: SinterFigures) -> None:
        self._figures = figures
        self._air_mmol_t = round(figures.air_nm3_t / of.NM3_MMOL)

    def breeze_ug(self, ore_ug: int) -> int:
        """How much breeze goes with so much ore."""
        return percent_of(ore_ug, self._figures.breeze_percent)

    def step(self, ore_ug: int, breeze: Matter) -> Sintered:
        """One step."""
        figures = self._figures
        stone_ug = percent_of(ore_ug, figures.limestone_percent)
        calcite = stone_ug // of.CACO3
        drawn = air(ore_ug * self._air_mmol_t // _UG_T)
        vapour, _ = water(percent_of(ore_ug, figures.water_percent))
        burnt = Gas(co2=calcite + breeze.carbon_mmol, o2=-breeze.carbon_mmol)
        ore, limestone = Matter(ore_ug), Matter(stone_ug, calcite)
        stack = drawn + vapour + burnt
        sinter = ore + limestone + breeze + of_gas(drawn) - of_gas(stack)
        lost = Matter(0, 0, sinter.energy_nj)
        return Sintered(ore, limestone, of_gas(drawn), sinter - lost, stack, lost)
