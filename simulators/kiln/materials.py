"""Raw meal: what a mass of it becomes. Pure; units as in `chemistry`.

As of fuels, a mass is split into whole millimoles, and what is left over goes into the clinker.
"""

from dataclasses import dataclass

from simulators import chemistry as of
from simulators.fuels import Burnt
from simulators.gas import Gas

_PPM = 10**6


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
