"""Statement inputs that are refused: every wrong key named, all at once."""

from typing import Any

import pytest

from edge.calc.errors import StatementError, UnknownRuleSetError
from edge.calc.statements.statement import compute

RULES = "cets-ag-04.01-v01-2024"
INDICATOR = {
    "technology": "PFPB-M", "edition": "ipcc-2019", "gwp": "ar5", "aem_min_per_cell_day": "0.1",
}  # fmt: skip


def source(**tables: Any) -> dict[str, Any]:
    return {"rule_set": RULES, "month": "2026-06", **tables}


def problems(**tables: Any) -> list[str]:
    """The keys named when an input is refused."""
    with pytest.raises(StatementError) as caught:
        compute(source(**tables))
    return [problem.partition(": ")[0] for problem in caught.value.problems]


def test_a_negative_typed_quantity_is_refused() -> None:
    assert problems(fuel=[{"kind": "coke", "quantity": "-1"}]) == ["fuel[0].quantity"]


def test_minutes_for_the_record_are_refused_under_0401() -> None:
    """04.01 counts PFC by production × factors; minutes belong to the indicator."""
    assert problems(pfc={"metal_t": "1", "aem_min_per_cell_day": "0.1"}) == [
        "pfc.aem_min_per_cell_day"
    ]


@pytest.mark.parametrize(
    ("tables", "keys"),
    [
        ({"fuel": [{"kind": "hydrogen", "quantity": "1"}]}, ["fuel[0].kind"]),
        ({"fuel": [{"quantity": "1"}]}, ["fuel[0].kind"]),
        ({"fuel": [{"kind": "coke"}]}, ["fuel[0].quantity"]),
        ({"fuel": [{"kind": "coke", "quantity": "abc"}]}, ["fuel[0].quantity"]),
        ({"fuel": [{"kind": "coke", "quantity": 1.5}]}, ["fuel[0].quantity"]),
        ({"fuel": [{"kind": "coke", "quantity": "NaN"}]}, ["fuel[0].quantity"]),
        ({"fuel": [{"kind": "coke", "quantity": "1", "opening": "1"}]}, ["fuel[0].quantity"]),
        ({"fuel": [{"kind": "coke", "quantity": "1", "ncv": "0"}]}, ["fuel[0].ncv"]),
        (
            {"fuel": [{"kind": "coke", "quantity": "1", "carbon_ar": "1", "ncv": "2"}]},
            ["fuel[0].carbon_ar"],
        ),
        (
            {"fuel": [{"kind": "coke", "quantity": "1", "oxidation_percent": "101"}]},
            ["fuel[0].oxidation_percent"],
        ),
        ({"fuel": [{"kind": "coke", "quantity": "1", "use": "oven"}]}, ["fuel[0].use"]),
        ({"fuel": [{"kind": "coke", "quantity": "1", "colour": "x"}]}, ["fuel[0].colour"]),
        ({"fuel": {"kind": "coke"}}, ["fuel"]),
        ({"fuel": ["coke"]}, ["fuel[0]", "fuel[0].kind", "fuel[0].quantity"]),
        ({"anode": {"gross_t": "1", "net_t": "1"}}, ["anode.gross_t"]),
        ({"anode": {}}, ["anode.gross_t"]),
        ({"anode": {"net_t": "1", "loss_percent": "1"}}, ["anode.loss_percent"]),
        (
            {"anode": {"net_t": "1", "sulfur_percent": "60", "ash_percent": "41"}},
            ["anode.sulfur_percent"],
        ),
        ({"anode": {"gross_t": "-1"}}, ["anode.gross_t"]),
        ({"pfc": {}}, ["pfc.metal_t"]),
        ({"pfc": {"metal_t": "1", "gwp": "ar7"}}, ["pfc.gwp"]),
        ({"pfc": {"metal_t": "1", "indicator": {}}}, [
            "pfc.indicator.aem_min_per_cell_day", "pfc.indicator.technology",
            "pfc.indicator.edition", "pfc.indicator.gwp",
        ]),
        (
            {"pfc": {"metal_t": "1", "indicator": {**INDICATOR, "technology": "X"}}},
            ["pfc.indicator.technology"],
        ),
        ({"carbonate": [{"kind": "limestone"}]}, ["carbonate[0].quantity"]),
        (
            {"carbonate": [{"kind": "limestone", "quantity": "1", "purity_percent": "120"}]},
            ["carbonate[0].purity_percent"],
        ),
        ({"output": {"aluminium_t": "-5"}}, ["output.aluminium_t"]),
        ({"output": {"crude_steel_t": "5"}}, ["output.crude_steel_t"]),
        ({"auxiliary": [{"kind": "steam", "quantity": "1"}]}, ["auxiliary[0].kind"]),
        ({"auxiliary": [{"kind": "electricity"}]}, ["auxiliary[0].quantity"]),
        ({"process": []}, ["process"]),
        ({"flags": "x"}, ["flags"]),
        ({"closing": "soon"}, ["closing"]),
        ({"pfc": {"metal_t": "1", "provenance": "x"}}, ["pfc.provenance"]),
        ({"pfc": {"metal_t": "1", "provenance": {"metal_t": "x"}}}, ["pfc.provenance.metal_t"]),
    ],
)  # fmt: skip
def test_wrong_keys_are_named(tables: dict[str, Any], keys: list[str]) -> None:
    assert sorted(problems(**tables)) == sorted(keys)


def test_all_problems_come_at_once() -> None:
    keys = problems(
        fuel=[{"kind": "x", "quantity": "-1"}, {"kind": "coke", "quantity": "y"}],
        anode={"gross_t": "z"},
        nonsense=1,
    )
    assert sorted(keys) == [
        "anode.gross_t", "fuel[0].kind", "fuel[0].quantity", "fuel[1].quantity", "nonsense",
    ]  # fmt: skip


@pytest.mark.parametrize("month", ["2026-13", "2026-6", "26-06", "", None, 202606])
def test_a_wrong_month_is_named(month: object) -> None:
    with pytest.raises(StatementError, match="month"):
        compute({"rule_set": RULES, "month": month})


@pytest.mark.parametrize("name", ["cets-ag-04.01-v99", "cets-04.01", "gwp"])
def test_a_rule_set_this_program_lacks_cannot_be_decided(name: str) -> None:
    with pytest.raises(UnknownRuleSetError):
        compute({"rule_set": name, "month": "2026-06"})


def test_a_missing_rule_set_is_named() -> None:
    with pytest.raises(StatementError, match="rule_set: missing"):
        compute({"month": "2026-06"})
