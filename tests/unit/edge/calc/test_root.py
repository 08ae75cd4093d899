"""Square roots of fractions."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calc.root import root, root_text


@pytest.mark.parametrize(("value", "found"), [("0", "0"), ("4/9", "2/3"), ("6.25", "2.5")])
def test_exact_roots_are_exact(value: str, found: str) -> None:
    assert root(Fraction(value)) == Fraction(found)


def test_the_root_of_two_as_printed_everywhere() -> None:
    assert root_text(root(Fraction(2))) == "1.414213562373095"
    assert root_text(root(Fraction(2, 10**12))) == "0.000001414213562"


@given(st.fractions(0, 10**12))
def test_squared_it_is_the_value(value: Fraction) -> None:
    found = root(value)
    assert 0 <= value - found * found <= 2 * (found + 1) / 10**30


def test_a_negative_value_has_none() -> None:
    with pytest.raises(ValueError, match="nonnegative"):
        root(Fraction(-1))
