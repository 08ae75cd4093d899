"""Chance levels: upper tails of the usual distributions, and what many tests at once make of them.

Closed forms and continued fractions of Abramowitz and Stegun, Handbook of Mathematical Functions
(1964); absolute error below 1e-10. Pure.
"""

import math
from collections.abc import Sequence

#: below this a chance is not told apart: no model of readings is good for more
LEAST = 1e-99
_TERMS, _TINY, _ENOUGH = 300, 1e-300, 1e-14


def normal(z: float) -> float:
    """Chance that a standard normal number is above z."""
    return _kept(0.5 * math.erfc(z / math.sqrt(2)))


def student(t: float, freedom: float) -> float:
    """Chance that Student's t with so many degrees of freedom is above t (A&S 26.7.1)."""
    if freedom <= 0:
        return 1.0
    half = 0.5 * _beta(freedom / (freedom + t * t), freedom / 2, 0.5)
    return _kept(half if t > 0 else 1 - half)


def chi_squared(x: float, freedom: int) -> float:
    """Chance that chi-squared of an odd number of degrees of freedom is above x (A&S 26.4.4)."""
    if not freedom % 2:
        raise ValueError(f"{freedom} degrees of freedom: only odd numbers")
    root, term, total = math.sqrt(x), math.sqrt(x), 0.0
    for odd in range(1, freedom, 2):
        total += term
        term *= x / (odd + 2)
    density = math.exp(-x / 2) / math.sqrt(2 * math.pi) if x < 1400 else 0.0
    return _kept(math.erfc(root / math.sqrt(2)) + 2 * density * total)


def at_least(seen: int, tries: int, each: float) -> float:
    """Chance of as many as seen, or more, of so many independent tries (A&S 26.5.24)."""
    if seen <= 0:
        return 1.0
    if seen > tries or each <= 0:
        return LEAST
    return _kept(_beta(each, seen, tries - seen + 1))


def any_of(each: float, tries: float) -> float:
    """Chance that one of so many independent tries has what one has by chance `each`."""
    return _kept(-math.expm1(tries * math.log1p(-min(each, 1 - 1e-16))))


def bridge(excursion: float) -> float:
    """Chance that a Brownian bridge goes further than this from zero (Kolmogorov's limit)."""
    if excursion < 0.3:
        return 1.0  # the series is no use there; the chance is above 0.99999
    terms = ((-1) ** (k - 1) * math.exp(-2 * (k * excursion) ** 2) for k in range(1, 50))
    return _kept(2 * sum(terms))


def adjusted(chances: Sequence[float]) -> list[float]:
    """Each chance as it counts among so many: the false discovery rate at which it is found.

    Benjamini and Hochberg, J. R. Statist. Soc. B 57 (1995) 289-300.
    """
    many = len(chances)
    order = sorted(range(many), key=lambda i: chances[i], reverse=True)
    made, least = [1.0] * many, 1.0
    for rank, i in zip(range(many, 0, -1), order, strict=True):
        least = min(least, chances[i] * many / rank)
        made[i] = least
    return made


def _kept(chance: float) -> float:
    if math.isnan(chance):
        return 1.0  # what cannot be told stands out nowhere; `max` would make it the least of all
    return min(1.0, max(LEAST, chance))


def _beta(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function I_x(a, b) (A&S 26.5.8, by Lentz's method)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a)
    log_front = (
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
        + a * math.log(x) + b * math.log1p(-x)
    )  # fmt: skip
    fraction = last = 1.0
    d = 1 / _safe(1 - (a + b) * x / (a + 1))
    fraction, last = d, 1.0
    for m in range(1, _TERMS):
        for up in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _safe(1 + up * d)
            last = _safe(1 + up / last)
            fraction *= d * last
        if abs(d * last - 1) < _ENOUGH:
            break
    return math.exp(log_front) / a * fraction


def _safe(number: float) -> float:
    return number if abs(number) > _TINY else _TINY
