"""Year to date, projection and what-if: to the cent, by hand and by other arithmetic."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calc.errors import InputError, StatementError
from edge.calc.methods.allowance import elapsed_days, whole_days
from edge.calc.registry import evaluate
from edge.calc.statements.statement import compute
from edge.calc.statements.what_if import what_if
from edge.calc.statements.year import year_to_date

STEEL, METAL = "cets-ag-03.01-v01-2024", "cets-ag-04.01-v01-2024"


def steel(month: str, coal: str, ncv: str = "", **more: Any) -> dict[str, Any]:
    fuel = {"kind": "anthracite", "quantity": coal, **({"ncv": ncv} if ncv else {})}
    return {"rule_set": STEEL, "month": month, "fuel": [fuel], **more}


def metal(month: str, gross: str, loss: str, rules: str = METAL) -> dict[str, Any]:
    return {"rule_set": rules, "month": month, "anode": {"gross_t": gross, "loss_percent": loss},
            "pfc": {"metal_t": "1000"}, "output": {"aluminium_t": "1000"}}  # fmt: skip


def test_months_are_summed_as_printed_and_factors_weighted() -> None:
    months = [
        steel("2026-02", "200.00", "24.000", output={"crude_steel_t": "150"}),
        steel("2026-01", "100.00", "25.500", output={"crude_steel_t": "100.5"}),
    ]
    found = year_to_date(months)
    # Jan 100 × 25.5 × 0.02749 × 44/12 = 257.0315; Feb 200 × 24 × 0.02749 × 44/12 = 483.8240
    assert [m["total_t"] for m in found["months"]] == ["257.03", "483.82"]
    assert found["totals"] == {"fuel_t": "740.85", "total_t": "740.85"}
    (line,) = found["lines"]
    assert (line["quantity"], line["emission_t"], line["lines"]) == ("300", "740.85", "2")
    # (100 × 25.5 + 200 × 24) ÷ 300 = 24.5, two places beyond the months' three
    assert line["factors"] == {
        "ncv": {"value": "24.50000", "unit": "GJ/t", "basis": "measured"},
        "carbon_content": {"value": "0.02749", "unit": "tC/GJ", "basis": "default"},
    }
    assert (found["output_t"], found["intensity"]) == ("250.5", "2.9575")  # 740.85 ÷ 250.5
    assert found["flags"] == []


def test_a_loss_is_weighted_with_what_it_is_a_loss_of() -> None:
    found = year_to_date([metal("2026-01", "400", "10"), metal("2026-02", "100", "20")])
    factors = found["lines"][0]["factors"]
    assert factors["loss_percent"]["value"] == "12.00"  # (400 × 10 + 100 × 20) ÷ 500
    assert found["gases"] == {"co2_t": found["totals"]["anode_t"], "cf4_kg": "40", "c2f6_kg": "2.2"}


@given(
    st.lists(st.decimals(0, 10**5, places=2), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
def test_a_year_is_the_sum_of_what_was_printed_in_any_order(
    coal: list[Decimal], shuffle: Any
) -> None:
    months = [steel(f"2026-{n:02}", f"{q:f}") for n, q in enumerate(coal, 1)]
    printed = sum(Decimal(compute(m)["totals"]["total_t"]) for m in months)
    wanted = year_to_date(months)
    shuffle.shuffle(months)
    assert year_to_date(months) == wanted
    assert Decimal(wanted["totals"]["total_t"]) == printed
    assert sum(Decimal(line["emission_t"]) for line in wanted["lines"]) == printed


def test_what_a_year_must_say() -> None:
    old = steel("2026-05", "1")
    months = [
        steel("2026-02", "1", closing="interim", output={"crude_steel_t": "1"}),
        {**old, "fuel": [*old["fuel"], {"kind": "anthracite", "quantity": "2", "unit": "k"},
                         {"kind": "anthracite", "quantity": "2", "unit": "k"}]},
    ]  # fmt: skip
    found = year_to_date(months)
    assert found["flags"] == [
        "lines-twice:2026-05", "month-missing:2026-01", "month-missing:2026-03",
        "month-missing:2026-04", "not-whole:2026-02", "output-missing:2026-05",
        "unconfirmed:fuel.anthracite.ncv",
    ]  # fmt: skip
    assert "intensity" not in found
    assert found["units"] == {"k": {"fuel_t": "9.22", "total_t": "9.22"}}  # twice 2 t: 4.61


def test_a_change_of_rule_set_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sector has two editions here yet: the first month's is renamed on its way."""

    def renamed(source: dict[str, Any]) -> dict[str, Any]:
        older = {"rule_set": "cets-ag-04.01-v00"} if source["month"] == "2026-01" else {}
        return {**compute(source), **older}

    monkeypatch.setattr("edge.calc.statements.year.compute", renamed)
    monkeypatch.setattr("edge.calc.statements.year.output_key", lambda _: "aluminium_t")
    found = year_to_date([metal("2026-01", "1", "0"), metal("2026-02", "1", "0")])
    assert "rule-set-changed:2026-02" in found["flags"]
    assert [month["rule_set"] for month in found["months"]] == ["cets-ag-04.01-v00", METAL]


@pytest.mark.parametrize(
    ("months", "said"),
    [
        ([], ["months: none given"]),
        ([steel("2026-01", "1"), steel("2026-01", "2")],
         ["month: 2026-01 is given 2 times: which one counts?"]),
        ([steel("2025-12", "1"), steel("2026-01", "2")],
         ["month: 2025-12 and 2026-01 are of different years"]),
        ([steel("2026-01", "1", plant="a"), steel("2026-02", "2", plant="b")],
         ["plant: a b are different plants"]),
        ([steel("2026-01", "1"), metal("2026-02", "1", "0")],
         ["rule_set: the months are of different sectors"]),
    ],
)  # fmt: skip
def test_months_that_are_no_year(months: list[dict[str, Any]], said: list[str]) -> None:
    with pytest.raises(StatementError) as caught:
        year_to_date(months)
    assert list(caught.value.problems) == said


def test_a_net_output_has_no_mean() -> None:
    months = [steel("2026-01", "1"), steel("2026-02", "1")]
    months[1]["fuel"] = [{"kind": "anthracite", "opening": "0", "closing": "5", "ncv": "20"}]
    line = year_to_date(months)["lines"][0]
    assert "ncv" not in line["factors"]
    assert line["quantity"] == "-4"


PROJECTED = {"emission_t": "30000", "elapsed_days": "10", "whole_days": "30"}


@pytest.mark.parametrize(
    ("more", "printed"),
    [
        # 30000 × 3 = 90000; 20000 × 3 × 1.6 = 96000
        ({"output_t": "20000", "benchmark_t_t": "1.6"}, ("90000", "96000", "6000")),
        ({"allowance_t": "80000"}, ("90000", "80000", "-10000")),
        ({"allowance_t": "30000", "elapsed_days": "30"}, ("30000", "30000", "0")),
    ],
)
def test_a_projection(more: dict[str, str], printed: tuple[str, ...]) -> None:
    found = evaluate("allowance.project", {**PROJECTED, **more})
    assert tuple(found.values()) == printed


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "allowance_t: give exactly one"),
        ({"allowance_t": "1", "benchmark_t_t": "1", "output_t": "1"}, "allowance_t: give exactly"),
        ({"benchmark_t_t": "1"}, "output_t: a benchmark is per tonne"),
        ({"allowance_t": "1", "elapsed_days": "0"}, "elapsed_days: must be above zero"),
        ({"allowance_t": "1", "elapsed_days": "31"}, "elapsed_days: must be above zero and at"),
    ],
)
def test_a_projection_that_cannot_be_made(more: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        evaluate("allowance.project", {**PROJECTED, **more})


def test_days() -> None:
    assert [whole_days(f"2028-{m}") for m in ("02", "12")] == [29, 31]
    assert [whole_days(f"{y}-05", is_year=True) for y in (2026, 2028)] == [365, 366]
    period = {"from": "2026-05-31T16:00:00Z", "to": "2026-06-16T04:00:00Z"}
    interim = steel("2026-06", "1", closing="interim", period=period)
    assert (elapsed_days(interim), elapsed_days(steel("2026-06", "1"))) == (Decimal("15.5"), 30)
    with pytest.raises(InputError, match="period: an interim month"):
        elapsed_days(steel("2026-06", "1", closing="interim"))


def test_what_if_line_by_line() -> None:
    source = steel("2026-06", "100", product=[{"product": "crude-steel", "quantity": "1000"}])
    found = what_if(source, {"fuel[0].ncv": "25.5", "product[0].quantity": "900"})
    # default 22.867: 230.49; 25.5: 257.03; products 37.00 -> 33.30, which are subtracted
    assert found["changes"][0] == {"path": "fuel[0].ncv", "from": "", "to": "25.5"}
    assert found["lines"] == [
        {"category": "fuel", "kind": "anthracite", "before": "230.49", "after": "257.03",
         "difference": "26.54"},
        {"category": "product", "kind": "crude-steel", "before": "37.00", "after": "33.30",
         "difference": "3.70"},
    ]  # fmt: skip
    assert found["totals"]["total_t"] == {
        "before": "193.49", "after": "223.73", "difference": "30.24"
    }  # fmt: skip
    assert found["sentence"] == "The total would be 223.73 t, 30.24 t more than 193.49 t."
    assert source["fuel"][0] == {"kind": "anthracite", "quantity": "100"}  # untouched


@given(st.decimals(0, 10**4, places=3))
def test_differences_of_lines_add_up_to_the_totals(quantity: Decimal) -> None:
    found = what_if(metal("2026-06", "469", "10"), {"anode.gross_t": f"{quantity:f}",
                                                   "pfc.metal_t": f"{quantity:f}"})  # fmt: skip
    total = found["totals"].get("total_t", {"difference": "0"})["difference"]
    assert sum(Decimal(line["difference"]) for line in found["lines"]) == Decimal(total)


@pytest.mark.parametrize(
    "path", ["month", "fuel[1].ncv", "fuel.ncv", "fuel[0]", "nothing.ncv", "fuel[0].missing.x", ""]
)
def test_what_if_of_what_is_not_there(path: str) -> None:
    source = steel("2026-06", "1")
    source["fuel"][0]["missing"] = ["ncv"]
    with pytest.raises(InputError, match=r"has no table|must lead to one value"):
        what_if(source, {path: "1"})
