"""Gas as amounts of what it consists of, and air and water to put into it. Pure.

Units as in `chemistry`.
"""

from dataclasses import dataclass, fields

from simulators import chemistry as of


@dataclass(frozen=True, slots=True)
class Gas:
    """Amounts, mmol."""

    co2: int = 0
    h2o: int = 0
    n2: int = 0
    o2: int = 0
    co: int = 0
    h2: int = 0
    ch4: int = 0

    def __add__(self, other: "Gas") -> "Gas":
        return Gas(
            self.co2 + other.co2, self.h2o + other.h2o, self.n2 + other.n2, self.o2 + other.o2,
            self.co + other.co, self.h2 + other.h2, self.ch4 + other.ch4,
        )  # fmt: skip

    def __sub__(self, other: "Gas") -> "Gas":
        return Gas(
            self.co2 - other.co2, self.h2o - other.h2o, self.n2 - other.n2, self.o2 - other.o2,
            self.co - other.co, self.h2 - other.h2, self.ch4 - other.ch4,
        )  # fmt: skip

    def amounts(self) -> dict[str, int]:
        """By name."""
        return {name: getattr(self, name) for name in COMPONENTS}

    @property
    def wet_mmol(self) -> int:
        """All of it."""
        return self.dry_mmol + self.h2o

    @property
    def dry_mmol(self) -> int:
        """All but its water."""
        return self.co2 + self.n2 + self.o2 + self.co + self.h2 + self.ch4

    @property
    def carbon_mmol(self) -> int:
        """Its carbon."""
        return self.co2 + self.co + self.ch4

    @property
    def mass_ug(self) -> int:
        """Its mass."""
        inert = self.co2 * of.CO2 + self.h2o * of.H2O + self.n2 * of.N2 + self.o2 * of.O2
        return inert + self.co * of.CO + self.h2 * of.H2 + self.ch4 * of.CH4

    def heat_nj(self, above_mk: int) -> int:
        """Sensible heat at so many mK above 25 degC, water as vapour."""
        each = self.co2 * of.CP_CO2 + self.h2o * of.CP_H2O + self.n2 * of.CP_N2 + self.o2 * of.CP_O2
        each += self.co * of.CP_CO + self.h2 * of.CP_H2 + self.ch4 * of.CP_CH4
        return each * above_mk

    @property
    def burning_nj(self) -> int:
        """What it gives off when it burns: its lower heating value."""
        return self.co * of.CO_NJ + self.h2 * of.H2_NJ + self.ch4 * of.CH4_NJ

    def part(self, share: int, whole: int) -> "Gas":
        """So much of it, each amount cut off to an even number, as `burnt` needs them."""
        return Gas(*(getattr(self, name) * share // (2 * whole) * 2 for name in COMPONENTS))

    def burnt(self, excess_percent: float) -> "tuple[Gas, Gas]":
        """What becomes of it with so much more air than it needs; and that air.

        Raises:
            ValueError: CO and H2 are odd together: half a mmol of oxygen there is not.
        """
        if (self.co + self.h2) % 2:
            raise ValueError(f"{self.co} CO and {self.h2} H2 take half a mmol of oxygen")
        need = (self.co + self.h2) // 2 + 2 * self.ch4
        fresh = air_with(need + need * round(excess_percent * 1000) // 100_000)
        made = Gas(
            co2=self.carbon_mmol, h2o=self.h2o + self.h2 + 2 * self.ch4, n2=self.n2,
            o2=self.o2 - need,
        )  # fmt: skip
        return made + fresh, fresh


COMPONENTS = tuple(item.name for item in fields(Gas))


def air(mmol: int) -> Gas:
    """So much dry air."""
    oxygen = mmol * of.AIR_O2 // of.AIR_PARTS
    return Gas(n2=mmol - oxygen, o2=oxygen)


def air_with(oxygen_mmol: int) -> Gas:
    """The air that brings so much oxygen."""
    nitrogen = oxygen_mmol * (of.AIR_PARTS - of.AIR_O2) // of.AIR_O2
    return Gas(n2=nitrogen, o2=oxygen_mmol)


def water(mass_ug: int) -> tuple[Gas, int]:
    """So much water as vapour, to whole mmol; and the mass it then is."""
    mmol = mass_ug // of.H2O
    return Gas(h2o=mmol), mmol * of.H2O
