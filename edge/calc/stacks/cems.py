"""What a CEMS is, and one hour of it.

A CEMS sees stacks, and their gas is of something: fuel, a process, by-product gas. It measures; it
makes no line of a statement under the Chinese rule sets, but is held against the lines.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from edge.calc.errors import InputError
from edge.calc.methods.cems import DRY, WET, co2_density_kg_m3, dry_flow_m3_h
from edge.calc.methods.part75 import REFUSED, co2_percent_by_oxygen
from edge.calc.methods.substitution import HJ_2007, HJ_2017, MRR, PART_75
from edge.calc.methods.validity import HJ

RULES = (HJ_2017, HJ_2007, MRR, PART_75)
#: whose minutes make an hour valid, by the rules that fill the others
VALIDITY = {HJ_2017: HJ, HJ_2007: HJ, MRR: MRR, PART_75: PART_75}
GASES = ("fuel", "process", "by-product")
REFERENCES_C = (0, 15, 20, 25)
CO2, OXYGEN, FLOW = "co2_percent", "o2_percent", "flow_m3_h"
_PERCENT = 100
_KG_A_TONNE = 1000

Values = Mapping[str, Fraction | None]


@dataclass(frozen=True)
class Cems:
    """A CEMS as its plant declares it.

    Attributes:
        rules: one of `RULES`.
        stacks: which stacks it sees, for people.
        basis, flow_basis: "wet" or "dry", as each instrument measures.
        gas_of: what makes the gas, one of `GASES`.
        reference_c: of the flow that is told, in °C; the mass does not move with it.
        fc, fd: F-factors of the one fuel, where CO2 is made of oxygen (scf CO2, dscf a mmBtu, HHV).
    """

    rules: str
    stacks: str
    basis: str
    flow_basis: str
    gas_of: str
    reference_c: int = 0
    fc: Fraction | None = None
    fd: Fraction | None = None

    def __post_init__(self) -> None:
        """Refuse what does not go together: InputError names each key."""
        choices = {"rules": RULES, "basis": (WET, DRY), "flow_basis": (WET, DRY), "gas_of": GASES}
        problems = [
            f"{key}: {getattr(self, key)!r} unknown; known: {' '.join(known)}"
            for key, known in choices.items()
            if getattr(self, key) not in known
        ]
        if self.reference_c not in REFERENCES_C:
            problems.append(f"reference_c: one of {' '.join(map(str, REFERENCES_C))}")
        if not self.stacks.strip():
            problems.append("stacks: missing: which stacks does it see?")
        if (self.fc is None) != (self.fd is None):
            problems.append("fc: give fc and fd, or neither")
        if self.by_oxygen and self.gas_of in REFUSED:
            problems.append(f"gas_of: {REFUSED[self.gas_of]}")
        if problems:
            raise InputError(problems)

    @property
    def by_oxygen(self) -> bool:
        """CO2 is made of oxygen and F-factors, not measured."""
        return self.fc is not None

    @property
    def needed(self) -> tuple[str, ...]:
        """Columns without whose values an hour has no mass."""
        moist = ("moisture_percent",) if WET in {self.basis, self.flow_basis} else ()
        return (OXYGEN if self.by_oxygen else CO2, *self.carriers, *moist)

    @property
    def carriers(self) -> tuple[str, ...]:
        """Columns of the gas that carries the CO2, without its moisture."""
        return (FLOW, "temperature_c", "pressure_pa")

    def co2_percent(self, values: Values) -> Fraction | None:
        """CO2 as its instrument measures it (or as oxygen makes it), None without a value."""
        if not self.by_oxygen:
            return values.get(CO2)
        oxygen, moisture = values.get(OXYGEN), values.get("moisture_percent")
        if oxygen is None or self.fc is None or self.fd is None:
            return None
        if self.basis == WET and moisture is None:
            return None
        dry = 1 - moisture / _PERCENT if self.basis == WET and moisture is not None else Fraction(1)
        return co2_percent_by_oxygen(oxygen, self.fc / self.fd, dry)

    def carrier(self, values: Values) -> Fraction | None:
        """t/h of CO2 a percent of CO2 as measured; None where a value is missing."""
        given = {key: values.get(key) for key in self.needed[1:]}
        known = {key: value for key, value in given.items() if value is not None}
        if len(known) < len(given):
            return None
        dry = 1 - known.get("moisture_percent", Fraction(0)) / _PERCENT
        flow = self.flow_nm3_h(values)
        if flow is None:
            return None
        percent = Fraction(1, _PERCENT) / (dry if self.basis == WET else 1)
        return self.mass_t_h(flow) * percent

    def mass_t_h(self, flow_nm3_h: Fraction) -> Fraction:
        """Of a dry flow at the reference state, were it all CO2."""
        return flow_nm3_h * co2_density_kg_m3(Fraction(self.reference_c)) / _KG_A_TONNE

    def flow_nm3_h(self, values: Values) -> Fraction | None:
        """Dry flow at `reference_c` and 101.325 kPa; None where a value is missing."""
        flow, kelvin_c, pressure = (values.get(key) for key in self.carriers)
        moisture = values.get("moisture_percent")
        if flow is None or kelvin_c is None or pressure is None:
            return None
        if self.flow_basis == WET:
            if moisture is None:
                return None
            flow *= 1 - moisture / _PERCENT
        return dry_flow_m3_h(flow, kelvin_c, pressure, Fraction(self.reference_c))


@dataclass(frozen=True)
class HourReading:
    """One hour of a CEMS as its logger gives it.

    Attributes:
        at: beginning of the hour, by the plant's clock.
        minutes: sixty data marks of HJ 212, of the gas analyser.
        flow_minutes: likewise of the flow monitor.
        values: means of the hour's valid minutes, by column; None where there is none.
    """

    at: datetime
    minutes: str
    flow_minutes: str
    values: Values
