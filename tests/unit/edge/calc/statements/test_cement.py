"""Cement's months by CETS-AG-02.01, by hand."""

from decimal import Decimal
from typing import Any

import pytest

from edge.calc.errors import StatementError
from edge.calc.factors import rule_set
from edge.calc.statements.statement import compute

RULES = "cets-ag-02.01-v01-2024"
# tCO2 deducted per t, as a public accounting tool's table has them (thirty rows in ten lines)
DEDUCTIONS = {
    "0.600": ["脱硫粉剂（氢氧化钙）", "熟石灰"],
    "0.480": ["电石渣", "镁渣"],
    "0.375": ["造纸白泥", "氟化钙污泥", "磷渣"],
    "0.305": ["钒钛渣", "氮渣", "飞灰", "铁合金炉渣"],
    "0.245": ["脱硫石膏", "磷石膏", "钛石膏", "氟石膏", "硼石膏", "模型石膏", "柠檬酸渣"],
    "0.215": ["钢渣", "镍渣"],
    "0.135": ["锰渣", "锌渣", "锡渣"],
    "0.055": ["市政污泥", "铝渣", "硫酸渣", "铜渣", "铅锌渣", "粉煤灰", "赤泥"],
}


def source(**tables: Any) -> dict[str, Any]:
    return {"rule_set": RULES, "month": "2026-06", **tables}


def coal(**fields: str) -> dict[str, Any]:
    """100 t of 25 GJ/t and 0.026 tC/GJ: 65 t of carbon."""
    return {"kind": "bituminous", "quantity": "100", "ncv": "25", "carbon_content": "0.026",
            **fields}  # fmt: skip


def test_a_whole_cement_month_by_hand() -> None:
    found = compute(
        source(
            fuel=[coal(unit="kiln-1")],
            clinker={"kind": "portland", "quantity": "1000.00", "unit": "kiln-1"},
            substitute=[{"kind": "carbide-slag", "quantity": "50.00", "unit": "kiln-1"},
                        {"kind": "steel-slag", "quantity": "20.00"}],
            output={"clinker_t": "1000.00"},
        )
    )  # fmt: skip
    # coal 65 × 0.99 × 44/12 = 235.95; clinker 1000 × 0.535; slags 50 × 0.480 and 20 × 0.215
    assert [line["emission_t"] for line in found["lines"]] == ["235.95", "535.00", "24.00", "4.30"]
    assert found["totals"] == {"fuel_t": "235.95", "clinker_t": "506.70", "total_t": "742.65"}
    assert found["units"] == {
        "kiln-1": {"fuel_t": "235.95", "clinker_t": "511.00", "total_t": "746.95"}
    }
    assert found["intensity"] == "0.7427"  # 0.74265 rounds half up
    assert found["gases"] == {"co2_t": "742.65"}


@pytest.mark.parametrize(
    ("use", "oxidation", "emission"),
    [
        ({}, "99", "235.95"),
        ({"use": "kiln"}, "99", "235.95"),
        ({"use": "power-boiler"}, "95", "226.42"),  # 65 × 0.95 × 44/12 = 226.4166…
        ({"use": "industrial-boiler"}, "85", "202.58"),  # 65 × 0.85 × 44/12 = 202.5833…
        ({"use": "other"}, "99", "235.95"),
        ({"use": "industrial-boiler", "oxidation_percent": "90"}, "90", "214.50"),
    ],
)
def test_how_much_burns_depends_on_where(
    use: dict[str, str], oxidation: str, emission: str
) -> None:
    (line,) = compute(source(fuel=[coal(**use)]))["lines"]
    assert line["parameters"]["oxidation_percent"]["value"] == oxidation
    assert line["emission_t"] == emission


def test_other_uses_have_no_source_and_say_so() -> None:
    flags = compute(source(fuel=[coal(use="other")]))["flags"]
    assert flags == ["no-clinker", "unconfirmed:fuel.solid.other.oxidation_percent"]


def test_liquids_and_gases_do_not_ask_where() -> None:
    diesel = {"kind": "diesel", "quantity": "1", "use": "industrial-boiler"}
    gas = {"kind": "natural-gas", "quantity": "1"}
    lines = compute(source(fuel=[diesel, gas]))["lines"]
    shares = [line["parameters"]["oxidation_percent"]["value"] for line in lines]
    assert shares == ["98", "99"]


@pytest.mark.parametrize(
    ("kind", "factor"),
    [("portland", "0.535"), ("white", "0.550"), ("sulphoaluminate", "0.413"),
     ("aluminate", "0.292"), ("硅酸盐水泥熟料", "0.535")],
)  # fmt: skip
def test_clinker_factors(kind: str, factor: str) -> None:
    (line,) = compute(source(clinker={"kind": kind, "quantity": "1000"}))["lines"]
    assert Decimal(line["emission_t"]) == Decimal(factor) * 1000


def test_several_clinkers() -> None:
    found = compute(
        source(clinker=[{"kind": "portland", "quantity": "1"}, {"kind": "white", "quantity": "1"}])
    )
    assert found["totals"]["clinker_t"] == "1.09"  # 0.54 (0.535 half up) + 0.55


def test_the_thirty_substitutes() -> None:
    kinds = rule_set(RULES).substitutes
    assert len(kinds) == 30
    found = {
        kind.zh: rule_set(RULES).row(f"substitute.{kind.id}.factor").text for kind in kinds.values()
    }
    assert found == {name: value for value, names in DEDUCTIONS.items() for name in names}


def test_the_two_ashes_are_told_apart() -> None:
    for name, factor in (("fly-ash", "0.305"), ("coal-ash", "0.055"), ("粉煤灰", "0.055")):
        (line,) = compute(source(substitute=[{"kind": name, "quantity": "1000"}]))["lines"]
        assert Decimal(line["emission_t"]) == Decimal(factor) * 1000


@pytest.mark.parametrize(
    ("tables", "problem"),
    [
        ({"clinker": {"kind": "pink", "quantity": "1"}}, "clinker.kind: cets"),
        ({"clinker": {"kind": "portland"}}, "clinker.quantity: missing"),
        ({"clinker": 3}, "clinker: must be a list of tables"),
        ({"substitute": [{"kind": "slag", "quantity": "1"}]}, "substitute[0].kind: cets"),
        ({"process": []}, "process: cets-ag-02.01-v01-2024 (cement) has none"),
        ({"pfc": {"metal_t": "1"}}, "pfc: cets-ag-02.01-v01-2024 (cement) has none"),
    ],
)
def test_every_wrong_key_is_named(tables: dict[str, Any], problem: str) -> None:
    with pytest.raises(StatementError) as error:
        compute(source(**tables))
    assert any(said.startswith(problem) for said in error.value.problems), error.value.problems
