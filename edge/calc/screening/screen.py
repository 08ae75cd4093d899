"""All questions to all months, and what of the answers stands out, ranked. Pure."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from edge.calc.screening.chance import adjusted
from edge.calc.screening.month import ScreenedMonth
from edge.calc.screening.question import Result, questions

#: so rarely does anything stand out of a month without anything unusual, if the chances are right
LEVEL = 0.01
#: a result at its limit, which has no chance, ranks as one of a chance of a thousandth
_AT_LIMIT = 3.0


@dataclass(frozen=True)
class Answer:
    """A result among all others of its month.

    Attributes:
        result: it.
        among: its chance as it counts among all of the month; None where it has none.
        strength: by which answers are ranked: minus the logarithm of `among`, or three times how
            often it is its limit.
        stands_out: `among` is at most the level, or the limit is exceeded.
    """

    result: Result
    among: float | None
    strength: float
    stands_out: bool


def screen(
    months: Sequence[ScreenedMonth],
    *,
    more: Iterable[Result] = (),
    level: float = LEVEL,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Answer]:
    """Ask everything.

    Args:
        months: archives that lie beside each other, of one plant or several.
        more: results that were made elsewhere, to be ranked with them.
        level: false discovery rate of a month; Benjamini and Hochberg 1995.
        progress: told what is asked.

    Returns:
        All answers, the strongest first.
    """
    results = list(more)
    for name, asked in questions().items():
        progress(name)
        if asked.of_month is not None:
            for month in months:
                results += asked.of_month(month)
        if asked.of_months is not None:
            results += asked.of_months(months)
    families: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        families[result.plant, result.month].append(result)
    answers = [one for family in families.values() for one in _of_family(family, level)]
    return sorted(answers, key=_order)


def by_chance(result: Result, among: float, level: float) -> Answer:
    """A result with its chance as it counts among all others."""
    return Answer(result, among, -math.log10(among), among <= level)


def _of_family(results: Sequence[Result], level: float) -> list[Answer]:
    told = [result for result in results if result.chance is not None]
    among = adjusted([result.chance or 0.0 for result in told])
    answers = [by_chance(result, chance, level) for result, chance in zip(told, among, strict=True)]
    answers += [
        Answer(result, None, _AT_LIMIT * result.beyond, result.beyond > 1)
        for result in results
        if result.chance is None
    ]
    return answers


def _order(answer: Answer) -> tuple[float, str, str, str, str]:
    result = answer.result
    return -answer.strength, result.plant, result.month, result.question, result.where
