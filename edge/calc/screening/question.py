"""A named question to sealed months, and what it gives: a statistic and how likely chance gives it.

`@question` registers a function; what people read of it stands in `evidence/screen/texts.json`
under the same name. A published name keeps its meaning.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.calc.screening.month import ScreenedMonth

#: every module in it is read
_PACKAGE = "edge.calc.screening.questions"


@dataclass(frozen=True)
class Plot:
    """A series that shows it, and where in it to look.

    Attributes:
        unit: of the values.
        from_ns, step_ns: first value's instant, and from value to value.
        values: None where there is none.
        marked: (first, last) places that the result speaks of, last exclusive.
        levels: horizontal lines: limits, means.
    """

    unit: str
    from_ns: int
    step_ns: int
    values: Sequence[float | None]
    marked: Sequence[tuple[int, int]] = ()
    levels: Sequence[float] = ()


@dataclass(frozen=True)
class Result:
    """What a question found at one place, usual or not.

    Attributes:
        question: its name.
        month: "YYYY-MM", the first where it is about several.
        plant: plant id.
        where: point, figure or document.
        statistic: the number, with its unit, as people read it.
        chance: of this or more by chance alone; None where there is no chance about it.
        beyond: without a chance: how many times its limit it is; above 1 it stands out.
        facts: what fills the places of the question's sentence.
        plot: of what can be drawn.
    """

    question: str
    plant: str
    month: str
    where: str
    statistic: str
    chance: float | None
    beyond: float = 0.0
    facts: Mapping[str, str] = field(default_factory=dict)
    plot: Plot | None = None


OfMonth = Callable[["ScreenedMonth"], Iterator[Result]]
OfMonths = Callable[[Sequence["ScreenedMonth"]], Iterator[Result]]


@dataclass(frozen=True)
class Question:
    """A registered one.

    Attributes:
        name: of it.
        source: method and where it is published, or that it is this program's own.
        of_month: asks one month; or
        of_months: asks all months given together.
    """

    name: str
    source: str
    of_month: OfMonth | None = None
    of_months: OfMonths | None = None


_QUESTIONS: dict[str, Question] = {}


def question(name: str, *, source: str) -> Callable[[OfMonth], OfMonth]:
    """Register a question to one month."""

    def register(function: OfMonth) -> OfMonth:
        _QUESTIONS[name] = Question(name, source, of_month=function)
        return function

    return register


def question_of_all(name: str, *, source: str) -> Callable[[OfMonths], OfMonths]:
    """Register a question to several months at once, of one plant or of many."""

    def register(function: OfMonths) -> OfMonths:
        _QUESTIONS[name] = Question(name, source, of_months=function)
        return function

    return register


def questions() -> Mapping[str, Question]:
    """All of them by name."""
    for module in iter_modules(import_module(_PACKAGE).__path__):
        import_module(f"{_PACKAGE}.{module.name}")
    return dict(sorted(_QUESTIONS.items()))
