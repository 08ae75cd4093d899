"""Who burns the gases: stoves, coke ovens, ignition, mill, and boilers that make power. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from simulators import chemistry as of
from simulators.amounts import heat_nj
from simulators.gas import Gas, air
from simulators.rhythm import OFF, ON, Rhythm
from simulators.steelworks.figures import GasFigures, UserFigures
from simulators.steelworks.matter import PPM, Matter, of_gas, share
from simulators.steelworks.network import Network


@dataclass(frozen=True)
class Fired:
    """One user in one step: which air it took, what it let off, and the heat of it."""

    air: Matter
    stack: Gas
    heat_nj: int


def needs_of(figures: UserFigures) -> dict[str, dict[str, float]]:
    """User -> gas -> MW, of all but the power plant; first come, first served."""
    return {
        "stoves": {"blast_furnace_gas": figures.stoves_blast_furnace_mw},
        "coke_ovens": {
            "blast_furnace_gas": figures.ovens_blast_furnace_mw,
            "coke_oven_gas": figures.ovens_coke_oven_mw,
        },
        "sinter": {"coke_oven_gas": figures.ignition_coke_oven_mw},
        "mill": {
            "coke_oven_gas": figures.mill_coke_oven_mw,
            "converter_gas": figures.mill_converter_mw,
        },
    }


class Users:
    """All of them."""

    def __init__(
        self, figures: UserFigures, gases: Mapping[str, GasFigures], *, step_s: float
    ) -> None:
        self._figures = figures
        self._step_s = step_s
        self._needs = needs_of(figures)
        self._most_mw = {name: gas.power_mw for name, gas in gases.items()}
        self._boilers = Rhythm(on_s=figures.power_on_s, off_s=figures.power_off_s, step_s=step_s)
        self._purge = air(round(figures.purge_nm3_h / 3600.0 * step_s / of.NM3_MMOL))
        self.power_state = ON

    def step(self, step: int, networks: Mapping[str, Network]) -> dict[str, Fired]:
        """What each draws and burns."""
        fired = {user: self._fire(user, needs, networks) for user, needs in self._needs.items()}
        self.power_state = ON if self._boilers.is_on(step) else OFF
        needs = {
            name: most_mw * networks[name].share_for_power() if self.power_state == ON else 0.0
            for name, most_mw in self._most_mw.items()
        }
        burnt = self._fire("power", needs, networks)
        fired["power"] = Fired(
            burnt.air + of_gas(self._purge), burnt.stack + self._purge, burnt.heat_nj
        )
        return fired

    def flare(self, gas: Gas) -> Fired:
        """A gas burnt in the open."""
        stack, fresh = gas.burnt(self._figures.excess_air_percent)
        return Fired(of_gas(fresh), stack, gas.burning_nj)

    def blast_nj(self, stoves: Fired) -> int:
        """The heat the stoves give to the blast."""
        return stoves.heat_nj * share(self._figures.stoves_efficiency_percent) // PPM

    def power_nj(self, power: Fired) -> int:
        """The electricity the power plant makes."""
        return power.heat_nj * share(self._figures.power_efficiency_percent) // PPM

    def _fire(
        self, user: str, needs: Mapping[str, float], networks: Mapping[str, Network]
    ) -> Fired:
        gas = Gas()
        for name, megawatts in needs.items():
            gas += networks[name].draw(user, heat_nj(megawatts, self._step_s))
        return self.flare(gas)
