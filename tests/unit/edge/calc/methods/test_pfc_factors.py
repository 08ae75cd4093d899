"""PFC by default factors: the figure of record, and what it is compared with."""

from decimal import Decimal

import pytest

from edge.calc.errors import InputError
from edge.calc.registry import evaluate
from edge.calc.statements.statement import compute

CETS = "cets-ag-04.01-v01-2024"


def pfc(rule_set: str, **changes: str) -> dict[str, str]:
    return evaluate("pfc.default_factors", {"rule_set": rule_set, "metal_t": "1000", **changes})


@pytest.mark.parametrize(
    ("rule_set", "changes", "cf4", "c2f6", "co2e"),
    [
        # metal × factors, then GWP, by hand
        (CETS, {}, "20", "1.1", "144.81"),
        (CETS, {"gwp": "ar6"}, "20", "1.1", "161.24"),
        ("ndrc-2013-aluminium", {}, "34", "3.4", "252.28"),
        ("ipcc-2006-tier1", {"technology": "CWPB"}, "400", "40", "2968"),
        ("ipcc-2006-tier1", {"technology": "SWPB", "gwp": "ar5"}, "1600", "400", "15048"),
        ("ipcc-2006-tier1", {"technology": "VSS"}, "800", "40", "5568"),
        ("ipcc-2006-tier1", {"technology": "HSS"}, "400", "30", "2876"),
    ],
)
def test_by_hand(rule_set: str, changes: dict[str, str], cf4: str, c2f6: str, co2e: str) -> None:
    found = pfc(rule_set, **changes)
    assert (found["cf4_kg"], found["c2f6_kg"], found["co2e_t"]) == (cf4, c2f6, co2e)


def test_it_is_the_statements_figure_of_record() -> None:
    statement = compute({"rule_set": CETS, "month": "2026-06", "pfc": {"metal_t": "1234.56"}})
    found = pfc(CETS, metal_t="1234.56")
    assert statement["gases"]["cf4_kg"] == found["cf4_kg"]
    assert statement["gases"]["c2f6_kg"] == found["c2f6_kg"]
    assert Decimal(statement["pfc"]["record"]["co2e_t"]) == round(Decimal(found["co2e_t"]), 2)


def test_the_drafts_quoted_figure_is_near_and_not_the_same() -> None:
    """A note of 2024-06-25 quotes the draft with 0.1454 tCO2e/t: 0.4 % above the final factors."""
    per_tonne = Decimal(pfc(CETS)["co2e_t"]) / 1000
    assert round((Decimal("0.1454") / per_tonne - 1) * 100, 1) == Decimal("0.4")


def test_unconfirmed_factors_say_so() -> None:
    parameters = evaluate(
        "pfc.default_factors", {"rule_set": "ndrc-2013-aluminium", "metal_t": "1"}
    )["parameters"]
    assert parameters["cf4_kg_t"]["confidence"] == "confirmed"
    assert parameters["c2f6_kg_t"]["confidence"] == "conflicting"


@pytest.mark.parametrize(
    ("rule_set", "changes", "said"),
    [
        ("ipcc-2019", {}, "rule_set: 'ipcc-2019' has no PFC factors"),
        ("ipcc-2006-tier1", {}, "technology: '' unknown"),
        ("ipcc-2006-tier1", {"technology": "PFPB-M"}, "technology: 'PFPB-M' unknown"),
        (CETS, {"technology": "CWPB"}, "technology: .* one factor for all cells"),
        (CETS, {"gwp": "ar7"}, "gwp: 'ar7' unknown"),
    ],
)
def test_what_cannot_be_is_refused(rule_set: str, changes: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        pfc(rule_set, **changes)
