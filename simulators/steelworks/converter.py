"""The oxygen converter: hot metal and scrap become steel, their carbon becomes gas. Pure.

What is modelled: the carbon leaves slowly at first, fast in the middle, slowly at the end; most of
it as CO, of which the air at the hood burns some; oxygen is what gas and slag take. In the middle
of the blow the gas is good and, while the holder has room, kept; all else is flared at the shop.
What is not: the heat of burning iron and silicon (it is in none of the energies), dust.
"""

from dataclasses import dataclass

from simulators import chemistry as of
from simulators.gas import Gas, air_with
from simulators.steelworks.figures import ConverterFigures
from simulators.steelworks.heats import Heat, Vessel, heat_of
from simulators.steelworks.matter import (
    NO_GAS,
    NOTHING,
    PPM,
    Matter,
    Stock,
    of_gas,
    percent_of,
    share,
    solid,
)

_UG_T = 10**12


@dataclass(frozen=True)
class Blown:
    """One step.

    Attributes:
        scrap, lime: charged in it.
        hot_metal: taken for it.
        oxygen, air: blown, and drawn in at the hood.
        gas: at the end of the hood, dry.
        is_good: whether the gas is worth keeping.
        lost: heat of what has burnt.
        tapped: heat, steel and slag, in the last step of a tap.
    """

    scrap: Matter = NOTHING
    lime: Matter = NOTHING
    hot_metal: Matter = NOTHING
    oxygen: Matter = NOTHING
    air: Matter = NOTHING
    gas: Gas = NO_GAS
    is_good: bool = False
    lost: Matter = NOTHING
    tapped: tuple[Heat, Matter, Matter] | None = None


class Converter:
    """One vessel."""

    def __init__(self, figures: ConverterFigures, *, step_s: float) -> None:
        self._figures = figures
        self.vessel = Vessel(
            charge_s=figures.charge_s, work_s=figures.blow_s, tap_s=figures.tap_s, step_s=step_s
        )
        self._hot_metal_ug = round(figures.hot_metal_t * _UG_T)

    def step(self, step: int, hot_metal: Stock) -> Blown:
        """One step; a heat is charged when the hot metal for it is there."""
        charged = self._charge(step, hot_metal)
        blown = self._blow(charged)
        return Blown(
            charged.scrap, charged.lime, charged.hot_metal, blown.oxygen, blown.air, blown.gas,
            blown.is_good, blown.lost, self.vessel.next(),
        )  # fmt: skip

    def _charge(self, step: int, hot_metal: Stock) -> Blown:
        if self.vessel.heat is not None or hot_metal.held.mass_ug < self._hot_metal_ug:
            return Blown()
        figures = self._figures
        ladle = hot_metal.take(self._hot_metal_ug)
        scrap = solid(round(figures.scrap_t * _UG_T), figures.scrap_carbon_percent)
        lime = Matter(round(figures.lime_t * _UG_T))
        self.vessel.charge(
            heat_of(
                self.vessel.heats + 1, step, ladle + scrap, lime,
                carbon_percent=figures.steel_carbon_percent,
                oxidised_percent=figures.oxidised_percent,
            )
        )  # fmt: skip
        return Blown(scrap=scrap, lime=lime, hot_metal=ladle)

    def _blow(self, charged: Blown) -> Blown:
        vessel, figures = self.vessel, self._figures
        was, now = vessel.worked()
        if vessel.heat is None or was == now:
            return charged
        heat, steps = vessel.heat, vessel.work_steps
        total = heat.charge.carbon_mmol - heat.steel.carbon_mmol
        whole = _done(steps, steps)
        carbon = total * _done(now, steps) // whole - total * _done(was, steps) // whole
        co = carbon * share(figures.co_percent) // (PPM * 2) * 2
        slag = percent_of(heat.oxidised_ug, figures.slag_oxygen_percent) // of.O2
        into_slag = slag * now // steps - slag * was // steps
        oxygen = vessel.blow(Gas(o2=into_slag + co // 2 + carbon - co))
        off = Gas(co2=carbon - co, co=co)
        vessel.held -= of_gas(off) + Matter(0, 0, carbon * of.C_NJ - off.burning_nj)
        burnt = co * share(figures.hood_percent) // (PPM * 2) * 2
        drawn = air_with(burnt // 2)
        gas = off + drawn + Gas(co2=burnt, co=-burnt, o2=-burnt // 2)
        from_, to = (
            steps * share(percent) // PPM
            for percent in (figures.recover_from_percent, figures.recover_to_percent)
        )
        lost = Matter(0, 0, carbon * of.C_NJ - gas.burning_nj)
        return Blown(
            oxygen=oxygen, air=of_gas(drawn), gas=gas, is_good=from_ <= was < to, lost=lost
        )


def _done(steps: int, of_steps: int) -> int:
    """How far the carbon is gone after so many steps: a rate that rises, stays, and falls."""
    ramp = max(1, of_steps // 5)
    whole = 2 * ramp * (of_steps - ramp)
    if steps <= ramp:
        return steps * steps
    if steps <= of_steps - ramp:
        return ramp * ramp + 2 * ramp * (steps - ramp)
    return whole - (of_steps - steps) ** 2
