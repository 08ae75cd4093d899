"""A sealed month read by another framework, and why its two PFC figures differ."""

import json
from pathlib import Path
from typing import Any

import pytest

from edge.calc.cli import main
from edge.calc.errors import StatementError
from edge.calc.statements.other_rules import by_other_rules
from edge.calc.statements.pfc_difference import pfc_difference
from edge.calc.statements.statement import compute
from tests.unit.edge.calc.smelter_month import statement

ANODE = {"gross_t": "469.00"}


def sealed(**pfc: Any) -> dict[str, Any]:
    """The small smelter's input: 1000 t, 1/3 AE-min/cell-day, PFPB-M; anodes and a fuel besides."""
    given: dict[str, Any] = statement()["input"]
    given["pfc"]["indicator"] |= pfc
    return {**given, "anode": dict(ANODE), "fuel": [{"kind": "natural-gas", "quantity": "12.50"}]}


@pytest.mark.parametrize(
    ("rule_set", "gwp", "pfc_t", "anode_t"),
    [
        # 1000 × 0.104 × 0.333333333333 × (6.63 + 0.057 × 11.1); 469 × 0.8482 × 0.976 × 44/12
        ("ipcc-2019", "", "251.77", "1423.61"),
        ("eu-cbam-2025", "", "251.77", None),
        ("ipcc-2019", "ar6", "280.34", "1423.61"),  # 34.6667 × (7.38 + 0.057 × 12.4)
        # 1000 × 0.143 × 0.333… × (6.63 + 0.121 × 11.1): point-fed cells are CWPB in 2006
        ("ipcc-2006", "", "380.05", "1423.61"),
        ("us-40cfr98-f", "", "380.05", "1423.61"),
    ],
)
def test_the_same_readings_under_another_rule_set(
    rule_set: str, gwp: str, pfc_t: str, anode_t: str | None
) -> None:
    given = sealed()
    record, other = compute(given), compute(by_other_rules(given, rule_set, gwp))
    assert record["totals"]["pfc_co2e_t"] == "144.81"  # what is sealed does not move
    assert other["totals"]["pfc_co2e_t"] == pfc_t
    assert other["totals"].get("anode_t") == anode_t
    # 12.5 × 10^4 Nm3 × 389.310 GJ (the first rule set's: no other has one by volume) × 56.1 t/TJ
    if rule_set == "us-40cfr98-f":  # by the cubic foot there
        assert "left-out:fuel.natural-gas" in other["flags"]
    else:
        assert other["totals"]["fuel_t"] == "273.00"
        assert "typed:fuel.ncv" in other["flags"]
    assert ("left-out:anode" in other["flags"]) == (anode_t is None)
    assert ("read-as:PFPB-M-as-CWPB" in other["flags"]) == (pfc_t == "380.05")
    if anode_t:
        anode = next(line for line in other["lines"] if line["category"] == "anode")
        loss = anode["parameters"]["loss_percent"]
        assert loss["source"] == "typed: default of cets-ag-04.01-v01-2024"


def test_a_sites_own_slope_goes_with_it() -> None:
    own = {"edition": "site", "slope": "0.0987", "c2f6_fraction": "0.061"}
    told = {key: {"typed": {"source": "report 17"}} for key in ("slope", "c2f6_fraction")}
    other = compute(by_other_rules(sealed(**own, provenance=told), "ipcc-2006"))
    pfc = next(line for line in other["lines"] if line["category"] == "pfc")
    slope = pfc["parameters"]["slope"]
    assert (slope["value"], slope["source"]) == ("0.0987", "typed: report 17")
    assert "typed:pfc.slope" in other["flags"]


def test_measured_analyses_and_losses_are_kept() -> None:
    given = sealed() | {"anode": {"gross_t": "469", "loss_percent": "1.5", "sulfur_percent": "2.1"}}
    other = compute(by_other_rules(given, "ipcc-2006"))
    # 469 × 0.985 × (1 - 0.021 - 0.004) × 44/12
    assert other["totals"]["anode_t"] == "1651.52"
    assert "typed:anode.loss_percent" not in other["flags"]


@pytest.mark.parametrize("name", ["cets-ag-04.01-v01-2024", "cets-ag-02.01-v01-2024"])
def test_only_by_measured_effects(name: str) -> None:
    with pytest.raises(StatementError, match="one that months are sealed by"):
        by_other_rules(sealed(), name)


def test_without_minutes_there_is_nothing_to_read_by() -> None:
    given = sealed()
    del given["pfc"]["indicator"]
    with pytest.raises(StatementError, match="indicator: missing"):
        by_other_rules(given, "ipcc-2006")


def test_the_difference_is_explained_and_adds_up() -> None:
    """By hand: CF4 (34.6667 - 20) × 6.63 = 97.24 t; C2F6 (1.976 - 1.1) × 11.1 = 9.72 t.

    251.77 - 144.81 = 106.96 t; 0.02 ÷ 0.104 = 0.1923.
    """
    found = pfc_difference(compute(sealed()))
    assert found is not None
    parts = (found["cf4_t"], found["c2f6_t"], found["gwp_t"])
    assert parts == ("97.24", "9.72", "0.00")
    assert (found["difference_t"], found["percent"], found["equal_aem"]) == (
        "106.96", "73.9", "0.1923",
    )  # fmt: skip
    assert "0.02 kg CF4/t is what 0.1923 AE-min/cell-day make by slope 0.104" in found["sentence"]
    sar = pfc_difference(compute(sealed(gwp="sar")))
    assert sar is not None
    # 34.67 × (6.5 - 6.63) + 1.976 × (9.2 - 11.1) = -8.26
    assert sar["gwp_t"] == "-8.26"


@pytest.mark.parametrize("rule_set", ["ipcc-2006", "cets-ag-04.01-v01-2024"])
def test_no_difference_where_there_is_one_figure(rule_set: str) -> None:
    given = sealed()
    if rule_set == "ipcc-2006":
        given = by_other_rules(given, rule_set)
    else:
        del given["pfc"]["indicator"]
    assert pfc_difference(compute(given)) is None


def test_at_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "statement.json"
    path.write_text(json.dumps({"format": 1, "input": sealed(), "output": {}}), encoding="utf-8")
    assert main(["statement", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pfc_difference"]["difference_t"] == "106.96"
    assert main(["statement", str(path)]) == 0
    assert "106.96 t from the figure of record" in capsys.readouterr().out
    assert main(["statement", str(path), "--as", "ipcc-2019", "--gwp", "ar4"]) == 0
    assert "PFC figure of record: 280.29 tCO2e" in capsys.readouterr().out
    assert main(["statement", str(path), "--as", "us-40cfr98-f"]) == 0
    assert "NOT ALL IS COUNTED: total and intensity are without fuel.natural-gas\n" in (
        capsys.readouterr().out
    )
    assert main(["statement", str(path), "--gwp", "ar4"]) == 2
    assert "--gwp: only with --as" in capsys.readouterr().err
