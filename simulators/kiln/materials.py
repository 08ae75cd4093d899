"""Raw meal and fuels: what a mass of them becomes. Pure; units as in `chemistry`.

A mass is split into whole millimoles of what reacts; what is left over is solid and goes into the
clinker. So nothing is lost to rounding, whatever the composition.
"""

from dataclasses import dataclass

from simulators.kiln import chemistry as of
from simulators.kiln.gas import Gas

_PPM = 10**6


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
class RawMeal:
    """Parts per million by mass; what is not named is oxides and other solids.

    Attributes:
        caco3, dolomite: carbonates, all of which lose their CO2.
        sio2: silica that becomes C3S and C2S.
        water: free water.
    """

    caco3: int
    dolomite: int
    sio2: int
    water: int

    def burn(self, mass_ug: int) -> Burnt:
        """Calcined and clinkered."""
        calcite, dolomite, silica, free = (
            mass_ug * ppm // (_PPM * each)
            for ppm, each in (
                (self.caco3, of.CACO3), (self.dolomite, of.DOLOMITE), (self.sio2, of.SIO2),
                (self.water, of.H2O),
            )
        )  # fmt: skip
        co2 = calcite + 2 * dolomite
        taken = (
            calcite * of.CACO3_NJ + dolomite * of.DOLOMITE_NJ + free * of.WATER_NJ
            - silica * of.SIO2_NJ
        )  # fmt: skip
        water_ug = free * of.H2O
        return Burnt(Gas(co2=co2, h2o=free), mass_ug - co2 * of.CO2 - water_ug, -taken, water_ug)


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
