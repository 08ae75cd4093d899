"""Do two archives hold the same stretch of readings?"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from edge.calc.screening.chance import any_of
from edge.calc.screening.month import ScreenedMonth
from edge.calc.screening.question import Result, question_of_all
from edge.calc.screening.questions.repeated import patterned

#: of all fingerprints one in so many is compared, the same ones in every archive
SAMPLED = np.uint64(8)
_LEAST = 4


@question_of_all(
    "same-in-two",
    source="this program's own; exact fingerprints as of repeated-blocks, an eighth of them, that "
    "two archives share at one lag; Poisson tail over all lags",
)
def same_in_two(months: Sequence[ScreenedMonth]) -> Iterator[Result]:
    """Each two archives: the two points that have most quarter-hours in common."""
    prints = [_sample(month) for month in months]
    for i, month in enumerate(months):
        for j in range(i + 1, len(months)):
            lags: Counter[tuple[str, str, int]] = Counter()
            for one in prints[i].keys() & prints[j].keys():
                (here, at), (there, other_at) = prints[i][one], prints[j][one]
                lags[here, there, other_at - at] += 1
            (here, there, _), count = max(
                lags.items(), key=lambda item: (item[1], item[0]), default=(("–", "–", 0), 0)
            )
            chance = _chance(count, lags.total(), month.quarter_count)
            other = months[j]
            hours = count * int(SAMPLED) / 4
            yield Result(
                "same-in-two", month.plant, month.month, f"{here} = {other.plant}/{there}",
                f"{hours:g} h", chance,
                facts={
                    "hours": f"{hours:g}", "here": here, "there": there, "plant": other.plant,
                    "month": other.month,
                },
            )  # fmt: skip


def _chance(count: int, shared: int, quarters: int) -> float:
    """Of so many of the shared prints at one lag, if each were at any lag: Poisson, over all."""
    if count < _LEAST:
        return 1.0
    lags = 2 * quarters
    log_each = count * math.log((shared + 1) / lags) - math.lgamma(count + 1)
    return any_of(math.exp(max(log_each, -200)), lags)


def _sample(month: ScreenedMonth) -> dict[int, tuple[str, int]]:
    """Fingerprint -> point and quarter, of those compared; a habit of a meter is not one."""
    found: dict[int, tuple[str, int]] = {}
    habits: set[int] = set()
    for row in month.measured:
        prints = patterned(month, row)
        for at in np.flatnonzero((prints != 0) & (prints % SAMPLED == 0)).tolist():
            one = int(prints[at])
            if one in found and found[one][0] == month.quarters.points[row].id:
                habits.add(one)
            found[one] = month.quarters.points[row].id, at
    return {one: place for one, place in found.items() if one not in habits}
