"""The electric arc furnace: scrap, power and a little carbon become steel. Pure.

What is modelled: carbon leaves evenly and is CO2 at the stack, with the oxygen that is blown and
the air that is drawn in. What is not: burners, hot heels, foaming slag.
"""

from dataclasses import dataclass

from simulators import chemistry as of
from simulators.amounts import heat_nj
from simulators.gas import Gas, air
from simulators.steelworks.figures import ArcFurnaceFigures
from simulators.steelworks.heats import Heat, Vessel, heat_of
from simulators.steelworks.matter import NO_GAS, NOTHING, Matter, of_gas, percent_of, solid

_UG_T = 10**12
_UG_KG = 10**9


@dataclass(frozen=True)
class Melted:
    """One step; `power_nj` is what the arc took, `lost` that and the heat of the carbon."""

    scrap: Matter = NOTHING
    lime: Matter = NOTHING
    coal: Matter = NOTHING
    electrodes: Matter = NOTHING
    oxygen: Matter = NOTHING
    air: Matter = NOTHING
    stack: Gas = NO_GAS
    power_nj: int = 0
    lost: Matter = NOTHING
    tapped: tuple[Heat, Matter, Matter] | None = None


class ArcFurnace:
    """One furnace."""

    def __init__(self, figures: ArcFurnaceFigures, *, step_s: float) -> None:
        self._figures = figures
        self._step_s = step_s
        self.vessel = Vessel(
            charge_s=figures.charge_s, work_s=figures.melt_s, tap_s=figures.tap_s, step_s=step_s
        )
        self._oxygen = round(figures.oxygen_nm3 / of.NM3_MMOL)
        self._air = round(figures.air_nm3_h / 3600.0 * step_s / of.NM3_MMOL)
        self._mw = figures.energy_mwh * 3600.0 / figures.melt_s

    def step(self, step: int, pace: float) -> Melted:
        """One step; `pace` is of the arc, 1 the usual."""
        figures, vessel = self._figures, self.vessel
        scrap = lime = coal = electrodes = Matter()
        if vessel.heat is None:
            scrap = solid(round(figures.scrap_t * _UG_T), figures.scrap_carbon_percent)
            lime = Matter(round(figures.lime_t * _UG_T))
            coal = solid(round(figures.coal_t * _UG_T), figures.coal_carbon_percent)
            electrodes = solid(
                round(figures.electrode_kg * _UG_KG), figures.electrode_carbon_percent
            )
            vessel.charge(
                heat_of(
                    vessel.heats + 1, step, scrap, lime + coal + electrodes,
                    carbon_percent=figures.steel_carbon_percent,
                    oxidised_percent=figures.oxidised_percent,
                )
            )  # fmt: skip
        melted = self._melt(pace)
        return Melted(
            scrap, lime, coal, electrodes, melted.oxygen, melted.air, melted.stack,
            melted.power_nj, melted.lost, vessel.next(),
        )  # fmt: skip

    def _melt(self, pace: float) -> Melted:
        vessel, figures = self.vessel, self._figures
        was, now = vessel.worked()
        if vessel.heat is None or was == now:
            return Melted()
        heat, steps = vessel.heat, vessel.work_steps
        total = heat.charge.carbon_mmol - heat.steel.carbon_mmol
        slag = percent_of(heat.oxidised_ug, figures.slag_oxygen_percent) // of.O2
        carbon, into_slag, blown = (
            amount * now // steps - amount * was // steps for amount in (total, slag, self._oxygen)
        )
        drawn = air(self._air)
        oxygen = vessel.blow(Gas(o2=blown))
        stack = drawn + Gas(co2=carbon, o2=blown - carbon - into_slag)
        power_nj = heat_nj(self._mw * pace, self._step_s)
        burnt = Matter(0, 0, carbon * of.C_NJ)
        vessel.held += of_gas(drawn) - of_gas(stack) - burnt
        lost = burnt + Matter(0, 0, power_nj)
        return Melted(oxygen=oxygen, air=of_gas(drawn), stack=stack, power_nj=power_nj, lost=lost)
