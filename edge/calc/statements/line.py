"""One line of a statement: what, how much, which emission, from which parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import rounded_text
from edge.calc.parameter import Parameter
from edge.calc.uncertainty import Assessment
from evidence.counts import round_half_away

#: category -> (the total it belongs to, its sign there, its sign in the sum of all)
COUNTS = {
    "fuel": ("fuel_t", 1, 1),
    "process": ("process_t", 1, 1),
    "product": ("product_t", 1, -1),
    "anode": ("anode_t", 1, 1),
    "pfc": ("pfc_co2e_t", 1, 1),
    "carbonate": ("carbonate_t", 1, 1),
    "clinker": ("clinker_t", 1, 1),
    "substitute": ("clinker_t", -1, -1),
    "dust": ("clinker_t", 1, 1),
    "organic": ("clinker_t", 1, 1),
}
EMISSION_PLACES = 2  # 修约: every CO2 amount to 2 decimals, half up, then summed


@dataclass(frozen=True)
class Model:
    """How a line's emission is made of its parameters.

    Attributes:
        emission: exact t; in each input alone, the others held, a straight line.
        counted: names of the inputs that are amounts, the parts where there are any.
        factors: names of all other inputs. What is in neither is made of others, or told beside.
    """

    emission: Callable[[Mapping[str, Parameter]], Fraction]
    counted: tuple[str, ...]
    factors: tuple[str, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        """Everything the emission is made of, each once."""
        return self.counted + self.factors


@dataclass(frozen=True)
class Line:
    """One emission source of a month.

    Attributes:
        category: one of `COUNTS`.
        kind: kind id.
        quantity: activity data as text.
        emission: exact tCO2(e); of a category that is subtracted, what is subtracted.
        parameters: everything that entered, by name.
        unit: process unit id, "" when the line has none.
        notes: flags of the line itself.
        model: how the emission is made; None where no uncertainty can be carried to it.
        assessment: its uncertainty, as far as one was given.
    """

    category: str
    kind: str
    quantity: str
    emission: Fraction
    parameters: Mapping[str, Parameter]
    unit: str = ""
    notes: tuple[str, ...] = ()
    model: Model | None = None
    assessment: Assessment | None = None

    @property
    def rounded(self) -> Fraction:
        """The emission as the statement counts it."""
        step = 10**EMISSION_PLACES
        return Fraction(round_half_away(self.emission * step), step)

    @property
    def counted(self) -> Fraction:
        """`rounded` with the sign it has in the sum of all lines."""
        return COUNTS[self.category][2] * self.rounded

    @property
    def flags(self) -> list[str]:
        """The line's flags and those of its parameters."""
        result = list(self.notes)
        for name, parameter in self.parameters.items():
            result += parameter.flags
            if parameter.is_typed:
                result.append(f"typed:{self.category}.{name}")
        return result

    def as_map(self) -> dict[str, Any]:
        """The line in a statement; "uncertainty" stays empty until it is assessed."""
        result: dict[str, Any] = {
            "category": self.category,
            "kind": self.kind,
            "quantity": self.quantity,
            "emission_t": rounded_text(self.emission, EMISSION_PLACES),
            "parameters": {name: p.as_map() for name, p in self.parameters.items()},
            "uncertainty": {},
        }
        if self.unit:
            result["unit"] = self.unit
        return result
