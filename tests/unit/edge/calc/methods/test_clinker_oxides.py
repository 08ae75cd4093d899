"""Clinker by its oxides, against the values IPCC prints and by hand."""

from decimal import Decimal

import pytest

from edge.calc.errors import InputError
from edge.calc.registry import evaluate

BASE = {
    "clinker_t": "1000", "cao_percent": "65", "mgo_percent": "2",
    "cao_noncarbonate_percent": "0", "mgo_noncarbonate_percent": "0",
}  # fmt: skip


@pytest.mark.parametrize(("cao", "printed"), [("60", "0.47"), ("65", "0.51"), ("67", "0.53")])
def test_ipcc_prints_these_factors(cao: str, printed: str) -> None:
    """IPCC 2006 Vol. 3 p. 2.12: CaO of carbonates only, 44/56 of it, no MgO."""
    found = evaluate("cement.clinker_oxides", {**BASE, "cao_percent": cao, "mgo_percent": "0"})
    assert round(Decimal(found["factor"]), 2) == Decimal(printed)


def test_by_hand_with_deductions() -> None:
    """(65 - 3) × 44/56 + (2 - 0.5) × 44/40 = 48.714285… + 1.65 = 50.364285…, in percent."""
    found = evaluate(
        "cement.clinker_oxides",
        {**BASE, "cao_noncarbonate_percent": "3", "mgo_noncarbonate_percent": "0.5"},
    )
    assert round(Decimal(found["emission_t"]), 6) == Decimal("503.642857")
    assert round(Decimal(found["factor"]), 9) == Decimal("0.503642857")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"cao_noncarbonate_percent": "66"}, "cao_noncarbonate_percent: more than cao_percent"),
        ({"mgo_noncarbonate_percent": "3"}, "mgo_noncarbonate_percent: more than mgo_percent"),
        ({"cao_percent": "99"}, "cao_percent: with mgo_percent more than the clinker"),
        ({"cao_percent": "101"}, "cao_percent: 101 is above 100"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, str], problem: str) -> None:
    with pytest.raises(InputError) as error:
        evaluate("cement.clinker_oxides", {**BASE, **changes})
    assert error.value.problems[0].startswith(problem)
