"""Gas as four amounts, and air and water to put into it. Pure; units as in `chemistry`."""

from dataclasses import dataclass

from simulators.kiln import chemistry as of


@dataclass(frozen=True)
class Gas:
    """Amounts, mmol."""

    co2: int = 0
    h2o: int = 0
    n2: int = 0
    o2: int = 0

    def __add__(self, other: "Gas") -> "Gas":
        return Gas(
            self.co2 + other.co2, self.h2o + other.h2o, self.n2 + other.n2, self.o2 + other.o2
        )

    @property
    def wet_mmol(self) -> int:
        """All of it."""
        return self.co2 + self.h2o + self.n2 + self.o2

    @property
    def dry_mmol(self) -> int:
        """All but its water."""
        return self.co2 + self.n2 + self.o2

    @property
    def mass_ug(self) -> int:
        """Its mass."""
        return self.co2 * of.CO2 + self.h2o * of.H2O + self.n2 * of.N2 + self.o2 * of.O2

    def heat_nj(self, above_mk: int) -> int:
        """Sensible heat at so many mK above 25 degC, water as vapour."""
        each = self.co2 * of.CP_CO2 + self.h2o * of.CP_H2O + self.n2 * of.CP_N2 + self.o2 * of.CP_O2
        return each * above_mk


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
