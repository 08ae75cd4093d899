"""Steel is made in heats: charged, worked, tapped. What converter and arc furnace share. Pure."""

from dataclasses import dataclass

from simulators import chemistry as of
from simulators.gas import Gas
from simulators.steelworks.matter import PPM, Matter, percent_of, share

#: What the energy centre's profile names these.
WAITING, CHARGING, WORKING, TAPPING = 1, 2, 3, 4


@dataclass(frozen=True)
class Heat:
    """A heat as it was charged: what will become of it is settled then.

    Attributes:
        number: counts from 1.
        start_step: the step of its charge.
        metal: hot metal and scrap.
        charge: all that was charged.
        steel: what will be tapped.
        oxidised_ug: metal that goes into the slag.
    """

    number: int
    start_step: int
    metal: Matter
    charge: Matter
    steel: Matter
    oxidised_ug: int


def heat_of(
    number: int, step: int, metal: Matter, others: Matter, *, carbon_percent: float,
    oxidised_percent: float,
) -> Heat:  # fmt: skip
    """The heat of so much metal and other things (lime, coal)."""
    carbon = metal.mass_ug * share(carbon_percent) // (PPM * of.C)
    oxidised_ug = percent_of(metal.mass_ug, oxidised_percent)
    steel_ug = metal.mass_ug - oxidised_ug - (metal.carbon_mmol - carbon) * of.C
    steel = Matter(steel_ug, carbon, carbon * of.C_NJ)
    return Heat(number, step, metal, metal + others, steel, oxidised_ug)


class Vessel:
    """What stands in a furnace, and how far it is; the first heat is charged at once."""

    def __init__(self, *, charge_s: float, work_s: float, tap_s: float, step_s: float) -> None:
        self._charge, self.work_steps, self._tap = (
            max(1, round(seconds / step_s)) for seconds in (charge_s, work_s, tap_s)
        )
        self._at = 0
        self.heat: Heat | None = None
        self.held = Matter()
        self.heats = 0
        self.oxygen_ug = 0  # blown in this heat

    @property
    def state(self) -> int:
        """One of the four."""
        if self.heat is None:
            return WAITING
        if self._at < self._charge:
            return CHARGING
        return WORKING if self._at < self._charge + self.work_steps else TAPPING

    def charge(self, heat: Heat) -> None:
        """A new heat; the vessel is empty."""
        self.heat, self._at, self.held, self.oxygen_ug = heat, 0, heat.charge, 0
        self.heats += 1

    def worked(self) -> tuple[int, int]:
        """Steps of work before and after this step."""
        done = self._at - self._charge
        return (done, done + 1) if 0 <= done < self.work_steps else (0, 0)

    def blow(self, oxygen: Gas) -> Matter:
        """Oxygen into the bath."""
        blown = Matter(oxygen.mass_ug)
        self.oxygen_ug += blown.mass_ug
        self.held += blown
        return blown

    def next(self) -> tuple[Heat, Matter, Matter] | None:
        """The step is over; the heat with its steel and slag when it was the last of the tap."""
        if self.heat is None:
            return None
        self._at += 1
        if self._at < self._charge + self.work_steps + self._tap:
            return None
        heat, self.heat = self.heat, None
        slag = self.held - heat.steel
        self.held = Matter()
        return heat, heat.steel, slag
