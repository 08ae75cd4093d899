"""40 CFR 98's fuels: table and measured heat, and bases that are not mixed. Products: published."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calc.errors import InputError
from edge.calc.factors import rule_set
from edge.calc.registry import evaluate

KINDS = sorted({row_id.partition(".")[0] for row_id in rule_set("us-40cfr98-c").rows})


@given(st.sampled_from(KINDS), st.decimals(0, 10**9, places=2))
def test_table_heat_is_a_naive_product(kind: str, quantity: Decimal) -> None:
    rows = rule_set("us-40cfr98-c").rows
    heat, factor = (Fraction(rows[f"{kind}.{name}"].text) for name in ("heat", "factor"))
    found = evaluate("combustion.part98", {"kind": kind, "quantity": quantity})
    assert Fraction(found["emission_t"]) == Fraction(quantity) * heat * factor / 1000
    assert {p["basis"] for p in found["parameters"].values()} == {"default"}


def test_measured_heat_takes_the_tables_place() -> None:
    """Tier 2: 10 short tons × 25 mmBtu × 93.28 ÷ 1000 = 23.32 t."""
    found = evaluate(
        "combustion.part98", {"kind": "bituminous", "quantity": "10", "heat_hhv": "25"}
    )
    assert found["emission_t"] == "23.32"
    assert found["parameters"]["heat_hhv"]["basis"] == "measured"
    assert found["parameters"]["factor"]["basis"] == "default"


def test_measured_heat_of_nothing_is_nothing_and_no_default() -> None:
    found = evaluate("combustion.part98", {"kind": "coke", "quantity": "10", "heat_hhv": "0"})
    assert found["emission_t"] == "0"


def test_gross_and_net_heat_of_one_coal_give_one_carbon() -> None:
    """93.28 kg/mmBtu gross is 88.4 kg/GJ; at a net value 5 % lower, 93.1 kg/GJ.

    Ireland's SEAI prints 94.6 kg/GJ net for coal: mixed up, the two are 7 % apart.
    """
    gross = Fraction("93.28") / Fraction("1.05505585262")
    assert round(float(gross), 1) == 88.4
    assert round(float(Fraction("94.6") / gross), 2) == 1.07


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"kind": "peat", "quantity": "1"}, "kind: us-40cfr98-c has no fuel 'peat'; it has: "),
        ({"kind": "coke", "quantity": "-1"}, "quantity: -1 is below 0"),
        ({"kind": "coke", "quantity": "1", "ncv": "28"}, "ncv: not an input"),
    ],
)
def test_what_cannot_be_is_refused(inputs: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        evaluate("combustion.part98", inputs)


def test_the_table_is_no_rule_set_of_net_heat() -> None:
    """combustion.fuel, which multiplies net heat, does not take it."""
    with pytest.raises(InputError, match="rule_set: us-40cfr98-c has no fuels"):
        evaluate("combustion.fuel", {"rule_set": "us-40cfr98-c", "kind": "coke", "quantity": "1"})
