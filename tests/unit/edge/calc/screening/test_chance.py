"""Chance levels against printed tables and sums by hand."""

import math

import numpy as np
import pytest

from edge.calc.screening import chance
from edge.calc.screening.ranges import apart

#: percentage points: NIST/SEMATECH e-Handbook 1.3.6.7 (normal, t, chi-squared); Kolmogorov's 5 %
#: point 1.358 (Massey 1951); the binomials summed by hand: 56/1024, 1/8, 1 - (5/6)^4
TABLES = [
    (lambda: chance.normal(1.6449), 0.05),
    (lambda: chance.normal(-1.6449), 0.95),
    (lambda: chance.student(2.228, 10), 0.025),
    (lambda: chance.student(1.699, 29), 0.05),
    (lambda: chance.student(-6.314, 1), 0.95),
    (lambda: chance.chi_squared(16.919, 9), 0.05),
    (lambda: chance.chi_squared(3.841, 1), 0.05),
    (lambda: chance.at_least(8, 10, 0.5), 56 / 1024),
    (lambda: chance.at_least(3, 3, 0.5), 1 / 8),
    (lambda: chance.at_least(1, 4, 1 / 6), 1 - (5 / 6) ** 4),
    (lambda: chance.any_of(1 / 6, 4), 1 - (5 / 6) ** 4),
    (lambda: chance.bridge(1.358), 0.05),
]


@pytest.mark.parametrize(("made", "printed"), TABLES)
def test_tables(made: object, printed: float) -> None:
    assert callable(made)
    assert made() == pytest.approx(printed, rel=4e-3)


def test_months_apart() -> None:
    """Welch's t by hand, and Student's tails for 2 and 4 degrees of freedom in closed form."""
    # both errors squared 1: t² = 6²/2; 2² ÷ (1 + 1) degrees: 1 - t/√(t² + 2)
    assert apart(np.array([0.0, 2.0]), np.array([6.0, 8.0])) == pytest.approx(1 - 0.9**0.5)
    # both 1/3: t² = 24; (2/3)² ÷ (1/18 + 1/18) degrees: 1 - t/√(t² + 4) × (1 + 2/(t² + 4))
    three = apart(np.array([0.0, 1.0, 2.0]), np.array([6.0, 5.0, 4.0]))
    assert three == pytest.approx(1 - (24 / 28) ** 0.5 * (1 + 2 / 28))


def test_ends() -> None:
    assert chance.at_least(0, 10, 0.1) == chance.bridge(0) == chance.student(1, 0) == 1
    assert chance.at_least(500, 501, 0.5) < 1e-90
    assert chance.normal(99) == chance.chi_squared(5000, 9) == chance.LEAST
    assert chance.normal(math.nan) == 1  # what cannot be told stands out nowhere
    with pytest.raises(ValueError, match="odd"):
        chance.chi_squared(1, 2)


def test_discovery_rate_as_its_authors_print_it() -> None:
    """Benjamini and Hochberg 1995, section 4.1: of fifteen, four are found at 5 %."""
    fifteen = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240,
               0.4262, 0.5719, 0.6528, 0.7590, 1.0]  # fmt: skip
    among = chance.adjusted(fifteen)
    assert [one <= 0.05 for one in among] == [True] * 4 + [False] * 11
    assert math.isclose(among[3], 0.0095 * 15 / 4)
