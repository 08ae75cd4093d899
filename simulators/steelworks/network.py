"""The line of one gas: scrubber, meter, holder, users, flare. Pure.

The gas leaves the scrubber saturated, is metered there, and is saturated still where it is colder,
in the holder: what vapour it cannot hold runs off as condensate. The holder is well mixed; what has
no room in it is flared.
"""

from simulators.gas import Gas
from simulators.steelworks.figures import GasFigures
from simulators.steelworks.vapour import most_mmol, saturated

_MK, _MPA_KPA = 1000, 10**6

#: `Gas.part` cuts off less than two mmol of each of seven amounts.
_CUT_MMOL = 14


class Network:
    """One gas.

    Attributes:
        held: in the holder.
        clean: what left the scrubber in this step, and at which temperature.
        made, used, flared: since the start; with `condensate_mmol` and `gained` they balance.
        drawn: in this step, by user.
        used_nj: since the start, by user.
        flare: what is flared in this step.
    """

    def __init__(self, figures: GasFigures, *, start: Gas) -> None:
        """`start`: of what the holder is full at the start, dry, any amount."""
        self._figures = figures
        self.pressure_mpa = round(figures.line_kpa * _MPA_KPA)
        self.holder_mk = round(figures.holder_c * _MK)
        self.clean_mk = round(figures.clean_most_c * _MK)
        self._most = most_mmol(
            figures.holder_m3, temperature_mk=self.holder_mk, pressure_mpa=self.pressure_mpa
        )
        wet = self._saturated(start)
        self.held = wet.part(round(self._most * figures.start_percent), wet.wet_mmol * 100)
        self.clean = self.flare = self.made = self.used = self.flared = Gas()
        self._first = self.held
        self.drawn: dict[str, Gas] = {}
        self.used_nj: dict[str, int] = {}
        self.condensate_mmol = 0

    @property
    def filled_percent(self) -> float:
        """How full the holder is."""
        return 100.0 * self.held.wet_mmol / self._most

    @property
    def leaving(self) -> Gas:
        """What users and flare burn in this step."""
        return sum(self.drawn.values(), self.flare)

    @property
    def gained(self) -> Gas:
        """What the holder holds more than at the start."""
        return self.held - self._first

    @property
    def has_room(self) -> bool:
        """Whether a shop may still send its gas."""
        return self.held.wet_mmol < self._most

    def put(self, gas: Gas, clean_c: float) -> int:
        """Dry gas of this step through scrubber and meter into the holder; its condensate, mmol."""
        self.clean_mk = round(clean_c * _MK)
        self.clean = saturated(gas, temperature_mk=self.clean_mk, pressure_mpa=self.pressure_mpa)
        self.made += self.clean
        cold = self._saturated(gas)
        condensate = self.clean.h2o - cold.h2o
        self.condensate_mmol += condensate
        self.held += cold
        return condensate

    def draw(self, user: str, energy_nj: int) -> Gas:
        """So much for a user, or what may be taken down to the least filling."""
        least = self._most * round(self._figures.least_percent * 1000) // 100_000
        held_nj, wet = self.held.burning_nj, self.held.wet_mmol
        spare_nj = held_nj * max(0, wet - least) // max(1, wet)
        taken = self.held.part(min(energy_nj, spare_nj), max(1, held_nj))
        self.held -= taken
        self.used += taken
        self.drawn[user] = taken
        self.used_nj[user] = self.used_nj.get(user, 0) + taken.burning_nj
        return taken

    def share_for_power(self) -> float:
        """Which part of what it may the power plant takes: by how full the holder is."""
        least, full = self._figures.least_percent, self._figures.full_from_percent
        return min(1.0, max(0.0, (self.filled_percent - least) / (full - least)))

    def let_off(self) -> Gas:
        """Flare what the holder has no room for, at the end of a step."""
        excess, wet = self.held.wet_mmol - self._most, self.held.wet_mmol
        self.flare = self.held.part(min(wet, excess + _CUT_MMOL), wet) if excess > 0 else Gas()
        self.held -= self.flare
        self.flared += self.flare
        return self.flare

    def _saturated(self, gas: Gas) -> Gas:
        return saturated(gas, temperature_mk=self.holder_mk, pressure_mpa=self.pressure_mpa)
