"""Fuels: what a mass of one becomes. Pure; units as in `chemistry`.

A mass is split into whole millimoles of what reacts; what is left over is solid. So nothing is lost
to rounding, whatever the composition.
"""

from dataclasses import dataclass

from simulators import chemistry as of
from simulators.gas import Gas
from simulators.scenario import figure

_PPM = 10**6
PPM_PERCENT = 10_000


@dataclass(frozen=True)
class FuelFigures:
    """A fuel as fired, percent by mass; the rest is ash.

    Attributes:
        carbon_percent, hydrogen_percent, oxygen_percent, nitrogen_percent, water_percent: of it.
        biogenic_percent: of its carbon.
        ncv_kj_kg: lower heating value as fired.
    """

    carbon_percent: float = figure(10, 95)
    hydrogen_percent: float = figure(0, 15)
    oxygen_percent: float = figure(0, 40)
    nitrogen_percent: float = figure(0, 5)
    water_percent: float = figure(0, 50)
    biogenic_percent: float = figure(0, 100)
    ncv_kj_kg: float = figure(5000, 40000)


@dataclass(frozen=True)
class Burnt:
    """What a mass became.

    Attributes:
        gas: what it gives off; the oxygen a fuel takes stands as a negative amount.
        solid_ug: what stays.
        heat_nj: given off (a fuel: its lower heating value), negative when taken up.
        water_ug: free water that went into the gas.
    """

    gas: Gas
    solid_ug: int
    heat_nj: int
    water_ug: int


@dataclass(frozen=True)
class Fuel:
    """As fired, parts per million by mass; the rest is ash, with its sulphur, and stays solid.

    Attributes:
        carbon, hydrogen, oxygen, nitrogen, water: elements of the dry part, and free water.
        biogenic: parts per million of the carbon that are biogenic.
        ncv_kj_kg: lower heating value as fired.
    """

    carbon: int
    hydrogen: int
    oxygen: int
    nitrogen: int
    water: int
    biogenic: int
    ncv_kj_kg: int

    def burn(self, mass_ug: int) -> Burnt:
        """Burnt out, all carbon to CO2."""
        carbon = mass_ug * self.carbon // (_PPM * of.C)
        pairs = mass_ug * self.hydrogen // (_PPM * 2 * of.H)  # of hydrogen: a water each
        oxygen = mass_ug * self.oxygen // (_PPM * of.O2)
        nitrogen = mass_ug * self.nitrogen // (_PPM * of.N2)
        free = mass_ug * self.water // (_PPM * of.H2O)
        if pairs % 2:
            pairs -= 1  # two pairs take one O2: kept whole
        gas = Gas(co2=carbon, h2o=pairs + free, n2=nitrogen, o2=oxygen - carbon - pairs // 2)
        flown = carbon * of.C + pairs * 2 * of.H + oxygen * of.O2 + nitrogen * of.N2
        water_ug = free * of.H2O
        # 1 kJ/kg is 1 J/g, so a microgram gives a microjoule, which is 1000 nJ
        heat_nj = mass_ug * self.ncv_kj_kg * 1000
        return Burnt(gas, mass_ug - flown - water_ug, heat_nj, water_ug)

    def biogenic_mmol(self, carbon_mmol: int) -> int:
        """How much of so much carbon is biogenic."""
        return carbon_mmol * self.biogenic // _PPM


def fuel_of(figures: FuelFigures) -> Fuel:
    """A fuel in parts per million."""
    carbon, hydrogen, oxygen, nitrogen, water, biogenic = (
        round(percent * PPM_PERCENT)
        for percent in (
            figures.carbon_percent, figures.hydrogen_percent, figures.oxygen_percent,
            figures.nitrogen_percent, figures.water_percent, figures.biogenic_percent,
        )
    )  # fmt: skip
    return Fuel(carbon, hydrogen, oxygen, nitrogen, water, biogenic, round(figures.ncv_kj_kg))
