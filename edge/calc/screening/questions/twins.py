"""Do two archives hold the same stretch of readings?"""

from collections.abc import Iterator, Sequence

from edge.calc.screening.month import ScreenedMonth
from edge.calc.screening.prints import Alike, alike, sampled
from edge.calc.screening.question import Result, question_of_all

NAME = "same-in-two"
_NOTHING = Alike(0, 0, "–", "–", 0.0, 1.0)


@question_of_all(
    NAME,
    source="this program's own; exact fingerprints as of repeated-blocks, an eighth of them, that "
    "two archives share at one lag; Poisson tail over all lags",
)
def same_in_two(months: Sequence[ScreenedMonth]) -> Iterator[Result]:
    """Each two archives: the two points that have most quarter-hours in common."""
    found = {(one.first, one.other): one for one in alike([sampled(month) for month in months])}
    for i, month in enumerate(months):
        for j in range(i + 1, len(months)):
            other = months[j]
            one = found.get((i, j), _NOTHING)
            yield told((month.plant, month.month), (other.plant, other.month), one)


def told(first: tuple[str, str], other: tuple[str, str], one: Alike) -> Result:
    """What two months, each a plant and "YYYY-MM", have in common, as the question's result."""
    hours = f"{one.hours:g}"
    return Result(
        NAME, *first, f"{one.here} = {other[0]}/{one.there}", f"{hours} h", one.chance,
        facts={
            "hours": hours, "here": one.here, "there": one.there, "plant": other[0],
            "month": other[1],
        },
    )  # fmt: skip
