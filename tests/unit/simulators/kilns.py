"""Kiln lines for tests: played without any clock, with everything that happened kept."""

from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any, Generic, TypeVar

from simulators.kiln.figures import KilnScenario
from simulators.kiln.plant import Kiln
from simulators.plants import load_any
from simulators.played import TruthLine
from simulators.truth import line_text


def _kiln() -> KilnScenario:
    found = load_any("kiln")
    assert isinstance(found, KilnScenario)
    return found


KILN = _kiln()


_P = TypeVar("_P")


@dataclass
class Burnt(Generic[_P]):
    """A played plant and its truth."""

    plant: _P
    lines: list[TruthLine] = field(default_factory=list)

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """The truth lines of one type."""
        return [dict(line) for line in self.lines if line["type"] == kind]

    def text(self) -> str:
        """The truth as it would stand in the file."""
        return "".join(line_text(line) for line in self.lines)

    @property
    def end(self) -> dict[str, Any]:
        """The last line."""
        return dict(self.lines[-1])


def kiln(steps: int, scenario: KilnScenario = KILN, *, seed: int = 1) -> Burnt[Kiln]:
    """A kiln line that has ended after so many steps."""
    lines: list[TruthLine] = []
    made = Burnt(Kiln(scenario, seed=seed, record=lines.append), lines)
    for _ in range(steps):
        made.plant.step()
    made.plant.finish()
    return made


@cache
def half_an_hour(seed: int) -> Burnt[Kiln]:
    """Long enough for seven rounds of the mill; not to be changed."""
    return kiln(9000, seed=seed)


def kg(line: dict[str, Any], name: str) -> Decimal:
    """A mass of a totals line."""
    return Decimal(str(line[f"{name}_kg"]))
