"""Decimal strings in and out."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calc.decimal_text import exact_text, parse_decimal, rounded_text


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        ("0", Fraction(0)),
        ("12.50", Fraction(25, 2)),
        ("-0.1", Fraction(-1, 10)),
        ("+3", Fraction(3)),
        (7, Fraction(7)),
        (Decimal("0.143"), Fraction(143, 1000)),
        (Decimal("1E+2"), Fraction(100)),
    ],
)
def test_numbers_are_read_exactly(given_value: object, expected: Fraction) -> None:
    assert parse_decimal(given_value) == expected


@pytest.mark.parametrize(
    "wrong",
    [
        "", "abc", "1e3", "1.", ".5", "1,5", "1 000", "nan", "inf", "NaN", "0x10", "１２", "--1",
        "1" * 31, "0." + "1" * 16, 0.1, True, None, [], Decimal("NaN"), Decimal("Infinity"),
        Decimal("1E+400"), Decimal("1E-400"), "1\n",
    ],
)  # fmt: skip
def test_anything_else_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="not a decimal number"):
        parse_decimal(wrong)


@pytest.mark.parametrize(
    ("value", "places", "expected"),
    [
        (Fraction(1, 200), 2, "0.01"),  # 0.005: half goes up
        (Fraction(-1, 200), 2, "-0.01"),
        (Fraction(1, 201), 2, "0.00"),
        (Fraction(14_481, 100), 2, "144.81"),
        (Fraction(2675, 1000), 2, "2.68"),  # a binary float says 2.67
        (Fraction(1005, 1000), 2, "1.01"),  # a binary float says 1.00
        (Fraction(5), 0, "5"),
        (Fraction(5), 3, "5.000"),
        (Fraction(10**20 + 1), 1, "100000000000000000001.0"),
        (Fraction(-1, 1000), 2, "0.00"),  # no minus zero
    ],
)
def test_rounding_is_half_up_and_never_an_exponent(
    value: Fraction, places: int, expected: str
) -> None:
    assert rounded_text(value, places) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Fraction(0), "0"),
        (Fraction(35_750, 1000), "35.75"),
        (Fraction(1, 8), "0.125"),
        (Fraction(100), "100"),
        (Fraction(-3, 2), "-1.5"),
        (Fraction(1, 3), "0.333333333333333"),
        (Fraction(2, 3), "0.666666666666667"),
        (Fraction(1, 10**18), "0.000000000000000001"),
        (Fraction(1, 3 * 10**20), "0"),
    ],
)
def test_unrounded_text(value: Fraction, expected: str) -> None:
    assert exact_text(value) == expected


@given(st.integers(-(10**12), 10**12), st.integers(0, 15))
def test_what_is_printed_unrounded_reads_back(count: int, places: int) -> None:
    value = Fraction(count, 10**places)
    assert parse_decimal(exact_text(value)) == value


@given(st.fractions(min_value=-1000, max_value=1000), st.integers(0, 6))
def test_rounding_is_never_off_by_more_than_half_a_unit(value: Fraction, places: int) -> None:
    printed = parse_decimal(rounded_text(value, places))
    assert abs(printed - value) <= Fraction(1, 2 * 10**places)
