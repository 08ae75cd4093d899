"""Missing data by rule table, bases that do not go together, and who comes first of two sources."""

from typing import Any

import pytest

from edge.calc.errors import InputError, StatementError
from edge.calc.factors import rule_set, statement_rule_sets
from edge.calc.registry import evaluate
from edge.calc.statements.statement import compute

CEMENT = "cets-ag-02.01-v01-2024"


def burnt(**fuel: Any) -> dict[str, Any]:
    return {"rule_set": CEMENT, "month": "2026-06", "fuel": [{"kind": "bituminous", **fuel}]}


def refused(**fuel: Any) -> list[str]:
    with pytest.raises(StatementError) as caught:
        compute(burnt(**fuel))
    return list(caught.value.problems)


def test_what_is_missing_is_the_rules_default_and_flagged() -> None:
    plain, told = compute(burnt(quantity="1")), compute(burnt(quantity="1", missing=["ncv"]))
    assert plain["totals"] == told["totals"]  # the same figure; but it should have been measured
    assert set(told["flags"]) - set(plain["flags"]) == {
        "missing:fuel.ncv",
        f"unconfirmed:{CEMENT}.ncv",
    }
    assert told["lines"][0]["parameters"]["ncv"]["basis"] == "default"


@pytest.mark.parametrize("rules", [r for r in statement_rule_sets() if r.startswith("cets")])
def test_every_guideline_has_its_rows_and_none_is_called_confirmed(rules: str) -> None:
    rows = rule_set("missing-data").rows
    assert {rows[f"{rules}.{p}"].confidence for p in ("ncv", "carbon_content")} == {"unverified"}
    assert f"{rules}.quantity" not in rows


@pytest.mark.parametrize(
    ("inputs", "value"),
    [
        ({"rule_set": "us-40cfr98-c", "parameter": "carbon_content", "before": "0.80",
          "after": "0.82"}, "0.81"),
        # 98.165(b), 98.285(a): none before, the first after
        ({"rule_set": "us-40cfr98-c", "parameter": "carbon_content", "after": "0.82"}, "0.82"),
        ({"rule_set": "us-40cfr98-c", "parameter": "quantity", "estimate": "120",
          "reason": "purchase records"}, "120"),
        ({"rule_set": CEMENT, "parameter": "ncv", "kind": "烟煤"}, "23.076"),
    ],
)  # fmt: skip
def test_the_value_in_its_place(inputs: dict[str, str], value: str) -> None:
    assert evaluate("missing.substitute", inputs)["value"] == value


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"rule_set": CEMENT, "parameter": "quantity"},
         "parameter: no rule for a missing quantity of cets-ag-02.01-v01-2024 could be read; it "
         "has one for: ncv carbon_content. Give it from a second source"),
        ({"rule_set": "x", "parameter": "ncv"}, "parameter: no rule for a missing ncv of x could"),
        ({"rule_set": CEMENT, "parameter": "ncv"}, "kind: missing: the fuel whose default it is"),
        ({"rule_set": CEMENT, "parameter": "ncv", "kind": "wood"}, "kind: cets-ag-02.01-v01-2024"),
        ({"rule_set": CEMENT, "parameter": "ncv", "kind": "coke", "before": "1"},
         "before: has no part in this rule (table default)"),
        ({"rule_set": "us-40cfr98-c", "parameter": "carbon_content"}, "before: give it, or after"),
        ({"rule_set": "eu-mrr-2018", "parameter": "quantity", "estimate": "1"},
         "reason: missing (conservative substitute by an estimation method"),
    ],
)  # fmt: skip
def test_what_no_rule_puts_in_its_place(inputs: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        evaluate("missing.substitute", inputs)
    assert caught.value.problems[0].startswith(said)


@pytest.mark.parametrize(
    ("fuel", "said"),
    [
        ({"missing": ["ncv"], "ncv": "20"}, "fuel[0].missing: ncv is given, or not needed"),
        ({"missing": ["ncv"], "carbon_ar": "0.5"}, "fuel[0].missing: ncv is given, or not needed"),
        ({"missing": "ncv"}, "fuel[0].missing: must be a list of names of: ncv carbon_content"),
        ({"ncv": "22", "ncv_basis": "ad", "quantity_basis": "ar"},
         "fuel[0].ncv_basis: ncv is air-dried, the quantity as received: they are never "
         "multiplied; make both as received (calc eval coal.ncv_ar, with both moistures)"),
        ({"carbon_ar": "0.6", "carbon_basis": "d", "quantity_basis": "d"},
         "fuel[0].carbon_basis: carbon_ar is carbon as received, by its name"),
        ({"ncv_basis": "ar"}, "fuel[0].quantity_basis: missing beside ncv_basis: how was it"),
        ({"ncv": "24", "heat": "gross"},
         "fuel[0].heat: a gross heating value (HHV) is not the rule's: give the net one"),
        ({"moisture": "wet"}, "fuel[0].reference: bituminous is no gas"),
        ({"kind": "natural-gas", "reference": "20C-101.325kPa"},
         "fuel[0].reference: counted at 20C-101.325kPa, the rule at 0C-101.325kPa: about 7 %"),
        ({"kind": "natural-gas", "moisture": "wet"},
         "fuel[0].moisture: wet gas: only its dry part counts (calc eval gas.normalise)"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_told(fuel: dict[str, Any], said: str) -> None:
    problems = refused(quantity="1", **fuel)
    assert any(problem.startswith(said) for problem in problems), problems


@pytest.mark.parametrize(
    "fuel",
    [
        {"ncv": "22", "ncv_basis": "ar", "quantity_basis": "ar", "heat": "net"},
        {"kind": "natural-gas", "reference": "0C-101.325kPa", "moisture": "dry"},
    ],
)
def test_what_goes_together_changes_nothing(fuel: dict[str, Any]) -> None:
    bases = {"ncv_basis", "quantity_basis", "heat", "reference", "moisture"}
    bare = {key: value for key, value in fuel.items() if key not in bases}
    assert compute(burnt(quantity="1", **fuel)) == compute(burnt(quantity="1", **bare))


def test_a_meter_comes_before_a_record_and_a_record_before_nothing() -> None:
    both = compute(burnt(quantity="100", recorded="107", recorded_by="weighbridge ledger"))
    assert both["lines"][0]["quantity"] == "100"
    assert "check:second-source:fuel.bituminous" in both["flags"]
    assert both["cross_checks"][0]["sentence"] == (
        "Bituminous: weighbridge ledger 107 t against 100 t of the statement: 7.000 %, outside -5 "
        "to 5 (limit unverified)."
    )
    alone = compute(burnt(recorded="107", recorded_by="weighbridge ledger"))
    assert alone["lines"][0]["quantity"] == "107"
    assert alone["lines"][0]["parameters"]["quantity"]["source"] == (
        "recorded: weighbridge ledger; no meter"
    )
    assert "record-only" in alone["flags"]
