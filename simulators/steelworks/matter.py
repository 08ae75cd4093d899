"""What moves through the works: mass, the carbon in it, and what it would give off when it burns.

Pure; units as in `simulators.chemistry`. Whatever is split is split in whole numbers and the rest
stays where it was, so nothing is lost to rounding.
"""

from dataclasses import dataclass

from simulators import chemistry as of
from simulators.gas import Gas

PPM = 10**6


@dataclass(frozen=True, slots=True)
class Matter:
    """Mass in ug, carbon in mmol, lower heating value in nJ; of an energy alone, 0, 0 and nJ."""

    mass_ug: int = 0
    carbon_mmol: int = 0
    energy_nj: int = 0

    def __add__(self, other: "Matter") -> "Matter":
        return Matter(
            self.mass_ug + other.mass_ug, self.carbon_mmol + other.carbon_mmol,
            self.energy_nj + other.energy_nj,
        )  # fmt: skip

    def __sub__(self, other: "Matter") -> "Matter":
        return Matter(
            self.mass_ug - other.mass_ug, self.carbon_mmol - other.carbon_mmol,
            self.energy_nj - other.energy_nj,
        )  # fmt: skip


NOTHING = Matter()
NO_GAS = Gas()


def of_gas(gas: Gas) -> Matter:
    """A gas, its vapour included."""
    return Matter(gas.mass_ug, gas.carbon_mmol, gas.burning_nj)


def solid(mass_ug: int, carbon_percent: float) -> Matter:
    """Coke, iron or scrap: all that burns in it is reckoned as carbon."""
    carbon = mass_ug * share(carbon_percent) // (PPM * of.C)
    return Matter(mass_ug, carbon, carbon * of.C_NJ)


def share(percent: float) -> int:
    """Percent as parts per million."""
    return round(percent * 10_000)


def percent_of(mass_ug: int, percent: float) -> int:
    """So much of a mass."""
    return mass_ug * share(percent) // PPM


class Stock:
    """What lies or stands between two shops, well mixed; what burns in it is reckoned as carbon."""

    def __init__(self, held: Matter) -> None:
        self.held = held

    def put(self, matter: Matter) -> None:
        """More of it."""
        self.held += matter

    def take(self, mass_ug: int) -> Matter:
        """So much of it, or what there is."""
        held = self.held
        if mass_ug >= held.mass_ug:
            taken = held
        else:
            carbon = held.carbon_mmol * mass_ug // held.mass_ug
            taken = Matter(mass_ug, carbon, carbon * of.C_NJ)
        self.held = held - taken
        return taken
