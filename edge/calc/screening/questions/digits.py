"""Are the last digits as evenly spread as those of a measurement are?"""

import math
from collections.abc import Iterator

from edge.calc.screening.chance import chi_squared
from edge.calc.screening.month import ScreenedMonth
from edge.calc.screening.question import Result, question
from evidence.points import Dtype

_READINGS_LEAST = 2_000
#: of the steps from reading to reading, at least this share is wide enough to mix the last digit
_WIDE_LEAST = 0.2
#: shares may be so uneven (root of chi-squared over the readings): converters of 12 bits are
_UNEVEN = 0.05
#: a float's own spacing must be a tenth of the last digit at most: bits of its significand
_SPACING, _BITS = 0.1, {Dtype.F32: 23, Dtype.F64: 52}


@question(
    "last-digits",
    source="Pearson's chi-squared against equal shares, its root less what is no matter, 9 "
    "degrees of freedom; last digits as in "
    "S. Dlugosz and U. Mueller-Funk, Adv. Data Anal. Classif. 3 (2009), recalled, not read",
)
def last_digits(month: ScreenedMonth) -> Iterator[Result]:
    """Each gauge that moves by ten of its last digit and more from reading to reading."""
    kept, extremes = month.kept, month.quarters.extremes
    for row in month.gauges:
        point = month.quarters.points[row]
        digits = kept.digits[row]
        total, pairs = int(digits.sum()), int(kept.pairs[row].sum())
        if total < _READINGS_LEAST or total < _WIDE_LEAST * pairs:
            continue
        if point.dtype.is_float:
            greatest = abs(int(extremes.values[row, 0]))
            if greatest / 2 ** _BITS[point.dtype] > _SPACING:
                continue
        expected = total / 10
        statistic = float(((digits - expected) ** 2).sum()) / expected
        most = int(digits.argmax())
        yield Result(
            "last-digits", month.plant, month.month, point.id, f"χ² {statistic:.1f}",
            chi_squared(max(0.0, math.sqrt(statistic) - _UNEVEN * math.sqrt(total)) ** 2, 9),
            facts={
                "readings": f"{total:,}", "digit": str(most),
                "percent": f"{100 * int(digits[most]) / total:.1f}",
            },
        )  # fmt: skip
