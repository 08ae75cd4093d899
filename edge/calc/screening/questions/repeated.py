"""Does a stretch of a month come again, step for step?"""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from edge.calc.screening.chance import any_of
from edge.calc.screening.month import ScreenedMonth
from edge.calc.screening.prints import patterned
from edge.calc.screening.quarters import HOUR_QUARTERS, QUARTER_NS
from edge.calc.screening.question import Plot, Result, question

_Prints = npt.NDArray[np.uint64]
#: alike for six hours before it is told: heats of one recipe are alike for three;
#: a print that comes so often is a habit of the meter
_LEAST, _HABIT = 6 * HOUR_QUARTERS, 40
#: where one quarter repeats another, the chance that the next does too: what is thought of it
#: before any is seen, and how many stretches that is worth
_GOES_ON, _PRIOR = 0.01, 20


@question(
    "repeated-blocks",
    source="this program's own; exact fingerprints of the steps in a quarter-hour, chance by "
    "how often a repeated quarter is followed by another",
)
def repeated(month: ScreenedMonth) -> Iterator[Result]:
    """Each point: the longest stretch whose steps are those of another stretch."""
    for row in month.measured:
        prints = patterned(month, row)
        count = int((prints != 0).sum())
        if count < 4 * HOUR_QUARTERS:
            continue
        length, first, other, runs, longer = _longest(prints)
        goes_on = (longer + _PRIOR * _GOES_ON) / (runs + _PRIOR)
        chance = any_of(goes_on ** (length - 1), runs) if length >= _LEAST else 1.0
        point = month.quarters.points[row]
        yield Result(
            "repeated-blocks", month.plant, month.month, point.id, f"{length / 4:g} h", chance,
            facts={
                "hours": f"{length / 4:g}", "first": _at(month, first), "other": _at(month, other)
            },
            plot=Plot(
                point.quantity.unit, month.from_ns, QUARTER_NS, month.drawn(month.levels[row]),
                [(first, first + length), (other, other + length)],
            ) if length >= _LEAST else None,
        )  # fmt: skip


def _longest(prints: _Prints) -> tuple[int, int, int, int, int]:
    """Length, place and other place of the longest stretch; stretches, and those longer than 1."""
    places: dict[int, list[int]] = defaultdict(list)
    for at, print_ in enumerate(prints.tolist()):
        if print_:
            places[print_].append(at)
    alike = {
        (a, b)
        for at in places.values()
        if 1 < len(at) <= _HABIT
        for i, a in enumerate(at)
        for b in at[i + 1 :]
    }
    best, longer = (0, 0, 0), 0
    begins = [(a, b) for a, b in alike if (a - 1, b - 1) not in alike]
    for a, b in begins:
        length = 1
        while (a + length, b + length) in alike and a + length < b:
            length += 1
        longer += length > 1
        best = max(best, (length, a, b))
    return (*best, len(begins), longer)


def _at(month: ScreenedMonth, quarter: int) -> str:
    """How many days into the month, as people count them, and at which hour."""
    day, rest = divmod(quarter, 96)
    return f"{month.month}-{day + 1:02} {rest // 4:02}:{rest % 4 * 15:02}"
