"""The blast furnace: what burden, coke and coal become, and how much blast that takes. Pure.

What is modelled: all iron goes into the metal; the carbon that does not becomes gas, of which a
fixed part has burnt to CO2; the blast is what brings the oxygen that is wanting; slag is what is
left of the mass, heat what is left of the energy (top gas, walls, cooling, warmth of metal and
slag). What is not: silicon and the other elements one by one, dust, blast moisture, taps.
"""

from dataclasses import dataclass

from simulators import chemistry as of
from simulators.fuels import Fuel
from simulators.gas import Gas
from simulators.steelworks.figures import BlastFurnaceFigures
from simulators.steelworks.matter import PPM, Matter, of_gas, percent_of, share

#: ug a mmol: IUPAC abridged standard atomic weight 2021.
FE = 55_845


@dataclass(frozen=True)
class Smelted:
    """One step.

    Attributes:
        coal: blown in.
        air, oxygen: the blast, of air and of the oxygen that enriches it.
        gas: top gas as it leaves, with the water it made.
        metal, slag: run off.
        iron: the energy that parted iron from its oxygen, which stays in the iron.
        lost: the rest of the energy.
    """

    coal: Matter
    air: Matter
    oxygen: Matter
    gas: Gas
    metal: Matter
    slag: Matter
    iron: Matter
    lost: Matter


class BlastFurnace:
    """Burden and coke in; the rates follow the metal that the burden makes."""

    def __init__(self, figures: BlastFurnaceFigures, *, coal: Fuel) -> None:
        self._figures = figures
        self._coal = coal

    def metal_ug(self, burden_ug: int) -> int:
        """Hot metal of so much burden."""
        iron_ug = percent_of(burden_ug, self._figures.iron_percent)
        return iron_ug * PPM // share(self._figures.metal_iron_percent)

    def step(self, burden_ug: int, coke: Matter, coal_ug: int, blast_nj: int) -> Smelted:
        """One step; `blast_nj` is the heat of the blast."""
        figures = self._figures
        metal_ug = self.metal_ug(burden_ug)
        carbon = metal_ug * share(figures.metal_carbon_percent) // (PPM * of.C)
        metal = Matter(metal_ug, carbon, carbon * of.C_NJ)
        iron = percent_of(burden_ug, figures.iron_percent) // FE
        pairs = iron * round(figures.oxygen_per_iron * 1000) // 2000  # of O atoms, as O2
        blown = self._coal.burn(coal_ug)
        coal = Matter(coal_ug, blown.gas.co2, blown.heat_nj)
        free = coke.carbon_mmol - carbon
        full = blown.gas + Gas(co2=free, o2=pairs - free)  # were all of it to burn
        co = full.co2 - full.co2 * share(figures.co_used_percent) // PPM
        h2 = full.h2o - full.h2o * share(figures.h2_used_percent) // PPM
        co, h2 = co - co % 2, h2 - h2 % 2
        wanting = -(full.o2 + (co + h2) // 2)
        parts = share(figures.blast_oxygen_percent)
        nitrogen = wanting * (PPM - parts) // parts
        of_air = nitrogen * of.AIR_O2 // (of.AIR_PARTS - of.AIR_O2)
        gas = full + Gas(co2=-co, co=co, h2o=-h2, h2=h2, n2=nitrogen, o2=wanting + (co + h2) // 2)
        air, oxygen = of_gas(Gas(n2=nitrogen, o2=of_air)), of_gas(Gas(o2=wanting - of_air))
        left = (
            Matter(burden_ug, 0, blast_nj) + coke + coal + air + oxygen - of_gas(gas) - metal
        )  # fmt: skip
        parted = Matter(0, 0, 2 * pairs * of.ORE_O_NJ)
        slag = Matter(left.mass_ug)
        return Smelted(coal, air, oxygen, gas, metal, slag, parted, left - slag - parted)
