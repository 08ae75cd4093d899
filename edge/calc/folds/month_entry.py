"""What the entries of a month's configurations counted, as tables of the statement's input.

An entry of which one totaliser has no reading gives no quantity: half of a difference is none.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from edge.calc.decimal_text import exact_text
from edge.calc.folds.bridging import Bridge, MarkedTotaliser
from edge.calc.folds.counter_meter import CounterMeter, CounterReader, Place
from edge.calc.folds.covered_flow import CoveredFlow
from edge.calc.folds.entries import EntryMeter
from edge.calc.folds.leaps import Leaps
from edge.calc.folds.marks import Marks
from edge.calc.folds.meter import FlowIntegral, Meter
from edge.calc.folds.month_plan import EntryPlan
from edge.calc.folds.totaliser import Totaliser
from edge.calc.inputs import Inputs
from edge.calc.parameter import TYPED
from evidence.points import Point

Reader = Totaliser | FlowIntegral | Leaps | CoveredFlow | CounterReader
AnyMeter = Meter | CounterMeter


class MonthEntry:
    """One entry of one configuration, for as long as it stays the same.

    Attributes:
        plan: what it is.
        meters: its totalisers that make amounts.
        bridge: the one that brings documents to the month, or None.
        read: all of them.
        is_whole: every configuration of the month so far has it.
    """

    def __init__(self, plan: EntryPlan, statement_format: int, *, is_whole: bool) -> None:
        self.plan, self.is_whole = plan, is_whole
        make = Meter if statement_format == 1 else CounterMeter
        self.meters: list[AnyMeter] = [make(meter) for meter in plan.entry.meters]
        self.bridge: Bridge | None = None
        self.read = self.meters
        if (bridge := plan.entry.bridge) is not None:
            self.bridge, read = _bridge(bridge, statement_format)
            self.read = [*self.meters, read]

    @property
    def table(self) -> str:
        """Of the statement's input; "metal" makes several."""
        return self.plan.entry.table

    def read_as(self, inputs: Inputs) -> Iterable[tuple[Place, Reader]]:
        """What is to be fed from where, at the intervals of these inputs."""
        for meter in self.read:
            yield from meter.readers(inputs)

    @property
    def quantities(self) -> dict[str, tuple[AnyMeter, Fraction]]:
        """What each of its totalisers counted, by its key; nothing when one has no reading."""
        read = {
            meter.plan.key: (meter, quantity)
            for meter in self.meters
            if (quantity := meter.quantity) is not None
        }
        return read if len(read) == len(self.meters) else {}

    def row(self) -> dict[str, Any]:
        """It as a row of its table."""
        return {
            **self.plan.entry.words,
            **{key: exact_text(quantity) for key, (_, quantity) in self.quantities.items()},
            "provenance": {key: frames([m.point]) for key, (m, _) in self.quantities.items()},
        }


def _bridge(meter: EntryMeter, statement_format: int) -> tuple[Bridge, AnyMeter]:
    """The meter that brings documents to the month, and what reads it."""
    if statement_format == 1:
        totaliser = MarkedTotaliser()
        old = Meter(meter, totaliser)
        return Bridge(meter.point, meter.amount, totaliser, totaliser.marks), old
    marks = Marks()
    read = CounterMeter(meter, marks)
    return Bridge(meter.point, meter.amount, read.counter, marks), read


def together(entries: Iterable[MonthEntry], table: str) -> tuple[Fraction, dict[str, Any]] | None:
    """The sum of all entries of a table of one totaliser each, and where it comes from."""
    read = [pair for e in entries if e.table == table for pair in e.quantities.values()]
    if not read:
        return None
    return sum((quantity for _, quantity in read), Fraction(0)), frames([m.point for m, _ in read])


def frames(points: Sequence[Point]) -> dict[str, Any]:
    """Provenance of a totaliser's difference, or of the sum of several."""
    told: Mapping[str, str] = {
        "point": " ".join(point.id for point in points),
        "rule": "totaliser",
        "class": class_of([point.provenance.value for point in points]),
    }
    return {"frames": told}


def class_of(provenances: Sequence[str]) -> str:
    """What a figure of several points is called: typed if one of them is."""
    return TYPED if TYPED in provenances else provenances[0]
