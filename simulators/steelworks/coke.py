"""The coke ovens: what coal becomes. Pure.

What is modelled: a fixed yield of gas, tar, benzol and water; coke is what is left, of the mass, of
the carbon and of the heating value alike. What is not: single ovens, pushing, ammonia, sulphur.
"""

from dataclasses import dataclass

from simulators import chemistry as of
from simulators.gas import Gas
from simulators.steelworks.figures import CokeFigures
from simulators.steelworks.matter import PPM, Matter, of_gas, percent_of, share

_UG_T = 10**12

#: Carbon (percent) and lower heating value (kJ/kg) of tar and benzol: benzene is 92.3 % carbon,
#: 40.2 MJ/kg; tar is ordinary for its kind, of none in particular.
_TAR, _BENZOL = (92.0, 37_000), (92.3, 40_200)


@dataclass(frozen=True)
class Coked:
    """One step; `lost` is the energy that is in none of the others."""

    coal: Matter
    coke: Matter
    gas: Gas
    tar: Matter
    benzol: Matter
    liquor: Matter
    lost: Matter


class CokeOvens:
    """Coal in; all else out."""

    def __init__(self, figures: CokeFigures) -> None:
        self._figures = figures
        self._gas_mmol_t = round(figures.gas_nm3_t / of.NM3_MMOL)

    def step(self, mass_ug: int) -> Coked:
        """So much coal as charged."""
        figures = self._figures
        carbon = mass_ug * share(figures.carbon_percent) // (PPM * of.C)
        coal = Matter(mass_ug, carbon, mass_ug * round(figures.ncv_kj_kg) * 1000)
        gas = self._gas(mass_ug)
        tar = _organic(percent_of(mass_ug, figures.tar_percent), *_TAR)
        benzol = _organic(percent_of(mass_ug, figures.benzol_percent), *_BENZOL)
        liquor = Matter(percent_of(mass_ug, figures.water_percent + figures.liquor_percent))
        left = coal - of_gas(gas) - tar - benzol - liquor
        coke = Matter(left.mass_ug, left.carbon_mmol, left.carbon_mmol * of.C_NJ)
        return Coked(coal, coke, gas, tar, benzol, liquor, left - coke)

    def _gas(self, mass_ug: int) -> Gas:
        figures = self._figures
        total = mass_ug * self._gas_mmol_t // _UG_T
        h2, ch4, co, co2 = (
            total * share(percent) // PPM
            for percent in (
                figures.h2_percent, figures.ch4_percent, figures.co_percent, figures.co2_percent,
            )
        )  # fmt: skip
        return Gas(co2=co2, n2=total - h2 - ch4 - co - co2, co=co, h2=h2, ch4=ch4)


def _organic(mass_ug: int, carbon_percent: float, ncv_kj_kg: int) -> Matter:
    carbon = mass_ug * share(carbon_percent) // (PPM * of.C)
    return Matter(mass_ug, carbon, mass_ug * ncv_kj_kg * 1000)
