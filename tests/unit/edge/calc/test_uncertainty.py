"""First-order propagation against published examples: the GUM's, IPCC's error propagation."""

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal, localcontext
from fractions import Fraction
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calc.errors import InputError
from edge.calc.registry import evaluate
from edge.calc.uncertainty import Contribution, Spread, root_up_text

#: method, inputs, output and as many digits as the source prints of it
PUBLISHED = [
    ("uncertainty.standard", {"stated": "0.40", "means": "limits"}, "standard", "0.23",
     "GUM 4.3.7 example 1: copper's expansion"),
    ("uncertainty.standard", {"stated": "129", "means": "expanded", "k": "2.58"}, "standard", "50",
     "GUM 4.3.4 example: a resistor, in μΩ"),
    ("uncertainty.product",
     {"quantity_percent": "10", "ncv_percent": "10", "carbon_percent": "10"}, "combined_percent",
     "17.3", "GUM 5.1.6, Eq. 12: three factors of 10 %, √3 × 10 %"),
    ("uncertainty.product", {"quantity_percent": "15", "factor_percent": "25"}, "combined_percent",
     "29.155", "Danish inventory of non-road machinery (2006), annex 6: forestry, SO2"),
    ("uncertainty.product", {"quantity_percent": "12", "factor_percent": "8.7"},
     "combined_percent", "15", "GUM 5.1.5: 12 μV and 8.7 μV (a sum: the same squares)"),
    ("uncertainty.repeated",
     {"times": "10", "random_percent": "0", "common_percent": "0.01"}, "sum_percent", "0.01",
     "GUM 5.2.2: ten resistors by one standard, 1 Ω of 10,000 Ω"),
    ("uncertainty.repeated",
     {"times": "10", "random_percent": "0", "common_percent": "0.01"},
     "if_all_were_random_percent", "0.0032", "GUM 5.2.2: 0.32 Ω, 'incorrect'"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "inputs", "output", "printed", "source"), PUBLISHED)
def test_published(
    method: str, inputs: Mapping[str, str], output: str, printed: str, source: str
) -> None:
    found = Decimal(evaluate(method, inputs)[output])
    assert found.quantize(Decimal(printed)) == Decimal(printed), source


def spread(*contributions: tuple[str, str, int | None]) -> Spread:
    """Of (amount, common source or "", degrees of freedom)."""
    return Spread.of(Contribution(Fraction(a), source, dof) for a, source, dof in contributions)


def test_the_gums_end_gauge() -> None:
    """GUM H.1, Table H.1: 32 nm, 16 degrees of freedom (16.7 cut).

    Its components are those of github MSLNZ/GTC, docs/API/GUM_H1.rst: nm and degrees of freedom.
    """
    found = spread(
        ("25", "", 18), ("16.599", "", 2), ("6.7", "", 8), ("5.8", "", 24), ("3.9", "", 5),
        ("2.88679", "", 50),
    )  # fmt: skip
    assert root_up_text(found.square, 0) == "32"
    assert found.dof == 16


def test_ipcc_error_propagation_of_a_printed_inventory() -> None:
    """Danish inventory of non-road machinery (2006), annex 6, NOx: tonnes, combined % -> 18.634 %.

    IPCC Good Practice Guidance Tier 1 (Eq. 3.1 and 3.2 of 2006 Vol. 1): 95 % ranges, independent.
    """
    rows = [
        ("11837", "27.839", "13.689"), ("135", "29.155", "0.163"), ("9899", "30.414", "12.506"),
        ("845", "32.404", "1.138"), ("317", "30.414", "0.401"), ("1040", "32.404", "1.400"),
    ]  # fmt: skip
    total = sum(Fraction(tonnes) for tonnes, *_ in rows)
    assert total == 24073  # printed
    whole = Spread()
    for tonnes, percent, printed in rows:
        part = spread((str(Fraction(tonnes) * Fraction(percent) / 100), "", None))
        share = part.square * 100**2 / total**2
        assert abs(share - Fraction(printed) ** 2) < Fraction("0.001") * 2 * Fraction(printed)
        whole.add(part, 1)
    assert f"{sqrt(whole.square * 100**2 / total**2):.3f}" == "18.634"


def test_common_errors_add_with_their_signs() -> None:
    """By hand: 3 and 4 by one scale are 7 in a sum, 1 in a difference; 5 when independent."""
    one, other = spread(("3", "scale", 9)), spread(("4", "scale", None))
    added, taken = Spread(), Spread()
    for part, sign in ((one, 1), (other, 1)):
        added.add(part, sign)
    for part, sign in ((one, 1), (other, -1)):
        taken.add(part, sign)
    assert (added.square, taken.square) == (49, 1)
    assert spread(("3", "", None), ("4", "", None)).square == 25
    assert added.dof == 9  # all of it by the source's fewest
    assert spread(("3", "a", None), ("4", "b", None)).square == 25
    assert spread(("3", "a", None)).dof is None


@given(st.fractions(0, 10**9, max_denominator=10**6), st.integers(0, 6))
def test_rounding_up_is_decimals_ceiling_of_the_root(square: Fraction, places: int) -> None:
    with localcontext(prec=80):
        exact = (Decimal(square.numerator) / square.denominator).sqrt()
        wanted = exact.quantize(Decimal(1).scaleb(-places), ROUND_CEILING)
    assert Decimal(root_up_text(square, places)) == wanted


@pytest.mark.parametrize(
    ("square", "printed"),
    [("4", "2.00"), ("4.0000000000000001", "2.01"), ("0", "0.00"), ("0.000001", "0.01")],
)
def test_rounded_up(square: str, printed: str) -> None:
    """GUM 7.2.6: 10.47 mΩ might be rounded up to 11 mΩ."""
    assert root_up_text(Fraction(square)) == printed
    assert root_up_text(Fraction("10.47") ** 2, 0) == "11"


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"stated": "1", "means": "roughly"}, "means: 'roughly' unknown"),
        ({"stated": "1", "means": "expanded"}, "k: needed with expanded"),
        ({"stated": "1", "means": "limits", "k": "2"}, "k: needed with expanded, and only there"),
        ({"stated": "1", "means": "expanded", "k": "0.5"}, "k: 0.5 is below 1"),
    ],
)
def test_refusals(inputs: Mapping[str, str], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        evaluate("uncertainty.standard", inputs)
