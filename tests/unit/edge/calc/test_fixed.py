"""Exact rounding of counts, on both of its paths."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calc.fixed import ratio, scale


def by_hand(value: Fraction) -> int:
    """Round half away from zero, written once more with floor division."""
    sign = -1 if value < 0 else 1
    return sign * int((abs(value) * 2 + 1) // 2)


@pytest.mark.parametrize(
    ("count", "factor", "expected"),
    [
        (1, Fraction(1, 2), 1),  # half goes away from zero
        (-1, Fraction(1, 2), -1),
        (3, Fraction(1, 2), 2),
        (-3, Fraction(1, 2), -2),
        (1, Fraction(1, 3), 0),
        (2, Fraction(1, 3), 1),
        (0, Fraction(7, 3), 0),
        (10, Fraction(-1, 4), -3),
        (7, Fraction(0), 0),
    ],
)
def test_scale_rounds_half_away_from_zero(count: int, factor: Fraction, expected: int) -> None:
    assert scale(np.array([count], dtype=np.int64), factor).tolist() == [expected]


@given(
    counts=st.lists(st.integers(-(2**40), 2**40), max_size=8),
    num=st.integers(-(2**20), 2**20),
    den=st.integers(1, 2**60),
)
def test_scale_is_exact_whatever_path_it_takes(counts: list[int], num: int, den: int) -> None:
    factor = Fraction(num, den)
    found = scale(np.array(counts, dtype=np.int64), factor)
    assert found.dtype == np.int64
    assert found.tolist() == [by_hand(c * factor) for c in counts]


def test_scale_near_the_limit_takes_the_slow_path_and_is_still_exact() -> None:
    counts = np.array([2**61, -(2**61) + 1, 1], dtype=np.int64)
    assert scale(counts, Fraction(3, 4)).tolist() == [
        by_hand(int(c) * Fraction(3, 4)) for c in counts
    ]


def test_a_result_that_does_not_fit_is_refused() -> None:
    with pytest.raises(OverflowError):
        scale(np.array([2**62], dtype=np.int64), Fraction(4))


def test_scale_keeps_the_shape() -> None:
    assert scale(np.ones((2, 3), dtype=np.int64), Fraction(5)).tolist() == [[5] * 3] * 2
    assert scale(np.ones((0,), dtype=np.int64), Fraction(5)).shape == (0,)


@given(pairs=st.lists(st.tuples(st.integers(-(2**62), 2**62), st.integers(1, 2**62)), max_size=6))
def test_ratio_is_exact(pairs: list[tuple[int, int]]) -> None:
    above = np.array([a for a, _ in pairs], dtype=np.int64)
    below = np.array([b for _, b in pairs], dtype=np.int64)
    expected = [by_hand(Fraction(a, b)) for a, b in pairs]
    assert ratio(above, below).tolist() == expected


@given(
    pairs=st.lists(st.tuples(st.integers(-(2**30), 2**30), st.integers(1, 2**30)), max_size=6),
    num=st.integers(-(2**40), 2**40),
    den=st.integers(1, 2**40),
)
def test_ratio_is_exact_whatever_path_it_takes(
    pairs: list[tuple[int, int]], num: int, den: int
) -> None:
    above = np.array([a for a, _ in pairs], dtype=np.int64)
    below = np.array([b for _, b in pairs], dtype=np.int64)
    factor = Fraction(num, den)
    expected = [by_hand(Fraction(a, b) * factor) for a, b in pairs]
    if any(abs(value) >= 2**63 for value in expected):
        with pytest.raises(OverflowError):
            ratio(above, below, factor)
    else:
        assert ratio(above, below, factor).tolist() == expected


@given(
    pairs=st.lists(st.tuples(st.integers(-(2**30), 2**30), st.integers(1, 2**30)), max_size=6),
    num=st.integers(-(2**40), 2**40),
)
def test_ratio_of_times_in_whole_seconds_is_exact(pairs: list[tuple[int, int]], num: int) -> None:
    above = np.array([a * 10**9 for a, _ in pairs], dtype=np.int64)
    below = np.array([b * 10**9 for _, b in pairs], dtype=np.int64)
    factor = Fraction(num, 10**6)
    expected = [by_hand(Fraction(a, b) * factor) for a, b in pairs]
    assert ratio(above, below, factor).tolist() == expected


def test_just_below_and_above_a_half_where_64_bits_do_not_hold_the_steps() -> None:
    """By hand: 2 × (2^61 ∓ 1) is 2^62 ∓ 2, less or more than 2^62 + 1; their sums pass 2^63."""
    above, below = [2**61 - 1, 2**61 + 1, 1 - 2**61, -1 - 2**61], 2**62 + 1
    whole = np.array(above, dtype=np.int64)
    assert ratio(whole, np.full_like(whole, below)).tolist() == [0, 1, 0, -1]
    small = np.array([2**60, 1], dtype=np.int64)
    assert ratio(small, np.array([below, below + 1])).tolist() == [0, 0]
    one = np.array([1, -1], dtype=np.int64)
    assert ratio(3 * one, np.ones_like(one), Fraction(1, below)).tolist() == [0, 0]
    assert scale(one, Fraction(2**61 - 1, 2**62 + 3)).tolist() == [0, 0]
    assert scale(one, Fraction(2**61 + 2, 2**62 + 3)).tolist() == [1, -1]


def test_a_factor_beyond_64_bits_of_nothing_is_nothing() -> None:
    nothing = np.zeros(2, dtype=np.int64)
    assert scale(nothing, Fraction(2**80)).tolist() == [0, 0]
    assert ratio(nothing, nothing + 1, Fraction(2**80, 3)).tolist() == [0, 0]


def test_ratio_with_a_factor() -> None:
    # 3 effects in 24 producing pot-hours are 3 per cell-day, in ten-thousandths
    above = np.array([3], dtype=np.int64)
    below = np.array([86_400 * 10**9], dtype=np.int64)
    assert ratio(above, below, Fraction(10**4 * 86_400 * 10**9)).tolist() == [30_000]
