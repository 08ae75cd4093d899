"""Steel's months by CETS-AG-03.01, against a published month and by hand."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calc.errors import InputError, StatementError
from edge.calc.factors import rule_set
from edge.calc.registry import evaluate
from edge.calc.statements.statement import compute

RULES = "cets-ag-03.01-v01-2024"

# A steel works' monthly evidence for June 2026 as filed on the national platform, sheet
# "enterprise level", printed in a public prototype of a half-year report:
# material, amount, NCV, carbon content, tCO2.
PUBLISHED_FUELS = [
    ("无烟煤", "2317.68", "25.024", "0.02749", "5845.97"),
    ("烟煤", "120188.43", "23.736", "0.02618", "273849.07"),
    ("洗精煤", "300810.90", "26.344", "0.02541", "738331.47"),
    ("焦炭", "66522.44", "28.435", "0.02942", "204049.48"),
    ("焦炉煤气", "920.50", "173.854", "0.0121", "7100.11"),
]
# material, t, tCO2/t, tCO2
PUBLISHED_MATERIALS = [
    ("高碳铬铁", "312.00", "0.348", "108.58"),
    ("微碳锰铁", "1256.54", "0.004", "5.03"),
    ("电炉高碳锰铁", "1301.32", "0.275", "357.86"),
    ("锰硅合金", "6181.94", "0.092", "568.74"),
    ("硅铁", "1798.22", "0.007", "12.59"),
    ("钼铁合金", "20.54", "0.018", "0.37"),
    ("镍铁", "0.00", "0.037", "0.00"),
    ("废钢", "55461.56", "0.037", "2052.08"),
    ("生铁", "9867.76", "0.172", "1697.25"),
    ("电极", "371.22", "3.663", "1359.78"),
    ("白云石", "53361.58", "0.476", "25400.11"),
    ("石灰石", "1891.38", "0.440", "832.21"),
]
PUBLISHED_PRODUCTS = [
    ("粗钢", "595279.00", "0.037", "22025.32"),
    ("粗苯", "1878.22", "3.382", "6352.14"),
    ("煤焦油", "7089.94", "2.699", "19135.75"),
]


def source(**tables: Any) -> dict[str, Any]:
    return {"rule_set": RULES, "month": "2026-06", **tables}


def published() -> dict[str, Any]:
    """Only the coals' heating values were measured; all else is left to the defaults."""
    measured = {"无烟煤", "烟煤"}
    return source(
        fuel=[
            {"kind": kind, "quantity": amount} | ({"ncv": ncv} if kind in measured else {})
            for kind, amount, ncv, _, _ in PUBLISHED_FUELS
        ],
        process=[{"material": m, "quantity": amount} for m, amount, _, _ in PUBLISHED_MATERIALS],
        product=[{"product": p, "quantity": amount} for p, amount, _, _ in PUBLISHED_PRODUCTS],
        output={"crude_steel_t": "595279.00"},
    )


def test_a_published_month_is_reproduced_to_the_cent() -> None:
    found = compute(published())
    printed = [row[-1] for row in PUBLISHED_FUELS + PUBLISHED_MATERIALS + PUBLISHED_PRODUCTS]
    assert [line["emission_t"] for line in found["lines"]] == printed
    assert found["totals"] == {
        "fuel_t": "1229176.10", "process_t": "32394.60", "product_t": "47513.21",
        "total_t": "1214057.49",
    }  # fmt: skip
    assert found["intensity"] == "2.0395"
    assert found["gases"] == {"co2_t": "1214057.49"}


def test_its_printed_factors_are_the_defaults() -> None:
    found = compute(published())["lines"]
    for line, row in zip(found, PUBLISHED_FUELS, strict=False):
        assert Decimal(line["parameters"]["ncv"]["value"]) == Decimal(row[2])
        assert Decimal(line["parameters"]["carbon_content"]["value"]) == Decimal(row[3])
    for line, row in zip(found[5:], PUBLISHED_MATERIALS + PUBLISHED_PRODUCTS, strict=True):
        assert Decimal(line["parameters"]["factor"]["value"]) == Decimal(row[2])
        assert line["parameters"]["factor"]["basis"] == "default"


def test_what_two_sources_do_not_confirm_is_flagged() -> None:
    """Dolomite: 0.476 on the platform, 0.471 in a public tool."""
    flags = compute(source(process=[{"material": "dolomite", "quantity": "1"}]))["flags"]
    assert flags == ["no-fuel", "unconfirmed:process.dolomite.factor"]


def test_units_are_process_levels_of_their_own() -> None:
    found = compute(
        source(
            fuel=[{"kind": "coke", "quantity": "1", "ncv": "30", "carbon_content": "0.03",
                   "unit": "bf-1"}],
            process=[{"material": "electrode", "quantity": "2", "unit": "eaf-1"}],
            product=[{"product": "pig-iron", "quantity": "3", "unit": "bf-1"}],
        )
    )  # fmt: skip
    # 30 × 0.03 × 44/12 = 3.30; 3 × 0.172 = 0.516; 2 × 3.663 = 7.326
    assert found["units"] == {
        "bf-1": {"fuel_t": "3.30", "product_t": "0.52", "total_t": "2.78"},
        "eaf-1": {"process_t": "7.33", "total_t": "7.33"},
    }
    assert found["totals"]["total_t"] == "10.11"


def test_a_material_by_its_stock() -> None:
    parts = {"opening": "10", "purchased": "5", "closing": "12", "output": "1"}
    (line,) = compute(source(process=[{"material": "scrap", **parts}]))["lines"]
    assert line["parameters"]["quantity"]["value"] == "2"
    assert line["emission_t"] == "0.07"  # 2 × 0.037 = 0.074


def test_more_carbon_sold_than_bought_is_told() -> None:
    found = compute(source(product=[{"product": "crude-steel", "quantity": "100"}]))
    assert found["totals"] == {"product_t": "3.70", "total_t": "-3.70"}
    assert "total-below-zero" in found["flags"]


@given(st.decimals("0", "1000000", places=2), st.sampled_from(sorted(rule_set(RULES).materials)))
def test_a_material_line_is_amount_times_factor(amount: Decimal, material: str) -> None:
    (line,) = compute(source(process=[{"material": material, "quantity": str(amount)}]))["lines"]
    factor = Decimal(rule_set(RULES).row(f"process.{material}.factor").text)
    assert Decimal(line["emission_t"]) == (amount * factor).quantize(Decimal("0.01"), ROUND_HALF_UP)


@pytest.mark.parametrize(
    ("tables", "problem"),
    [
        ({"fuel": [{"kind": "coke", "quantity": "1", "oxidation_percent": "98"}]},
         "fuel[0].oxidation_percent: cets-ag-03.01-v01-2024 balances carbon and has no oxidation"),
        ({"process": [{"material": "gold", "quantity": "1"}]}, "process[0].material: cets"),
        ({"process": [{"quantity": "1"}]}, "process[0].material: missing"),
        ({"process": [{"material": "scrap"}]}, "process[0].quantity: missing (or opening"),
        ({"process": [{"material": "scrap", "quantity": "1", "factor": "5"}]},
         "process[0].factor: 5 is above 4 tCO2/t"),
        ({"process": [{"material": "scrap", "quantity": "-1"}]}, "process[0].quantity: -1 must"),
        ({"product": [{"product": "tar"}]}, "product[0].quantity: missing"),
        ({"product": [{"product": "tar", "opening": "1"}]}, "product[0].opening: unknown key"),
        ({"product": {"product": "tar", "quantity": "1"}}, "product: must be a list of tables"),
        ({"anode": {"gross_t": "1"}},
         "anode: cets-ag-03.01-v01-2024 (steel) has none; it has fuel process product"),
        ({"output": {"aluminium_t": "1"}}, "output.aluminium_t: unknown key"),
    ],
)  # fmt: skip
def test_every_wrong_key_is_named(tables: dict[str, Any], problem: str) -> None:
    with pytest.raises(StatementError) as error:
        compute(source(**tables))
    assert any(said.startswith(problem) for said in error.value.problems), error.value.problems


def test_the_fuel_method_takes_no_oxidation_either() -> None:
    inputs = {"rule_set": RULES, "kind": "coke", "quantity": "66522.44"}
    # 66522.44 × 28.435 × 0.02942 × 44/12 of the published month, unrounded
    assert evaluate("combustion.fuel", inputs)["emission_t"].startswith("204049.4844")
    with pytest.raises(InputError, match="has no oxidation: leave it out"):
        evaluate("combustion.fuel", {**inputs, "oxidation_percent": "98"})
