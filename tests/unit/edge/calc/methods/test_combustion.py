"""Fuel combustion: hand-computed figures, defaults, and refusals."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calc.errors import InputError
from edge.calc.registry import evaluate

RULES = "cets-ag-04.01-v01-2024"


def fuel(**inputs: object) -> dict[str, object]:
    return evaluate("combustion.fuel", {"rule_set": RULES, **inputs})


@pytest.mark.parametrize(
    ("kind", "quantity", "expected"),
    [
        # quantity × NCV × CC × OF × 44/12, with plain fractions, 15 decimals
        ("natural-gas", "100", "2165.0151996"),
        ("anthracite", "100", "225.881902913333333"),
        ("diesel", "10", "30.959096373333333"),
        ("coke-oven-gas", "1", "7.636189242"),
    ],
)
def test_defaults_by_hand(kind: str, quantity: str, expected: str) -> None:
    found = Fraction(str(fuel(kind=kind, quantity=quantity)["emission_t"]))
    assert abs(found - Fraction(expected)) < Fraction(1, 10**12)


@pytest.mark.parametrize(
    ("kind", "ncv", "carbon", "oxidation"),
    [
        ("bituminous", "23.076", "0.02618", "98"),
        ("lpg", "50.179", "0.01720", "98"),
        ("blast-furnace-gas", "33.000", "0.07080", "99"),
    ],
)
def test_default_parameters_and_their_basis(
    kind: str, ncv: str, carbon: str, oxidation: str
) -> None:
    parameters = fuel(kind=kind, quantity="1")["parameters"]
    assert isinstance(parameters, dict)
    values = {name: entry["value"] for name, entry in parameters.items()}
    assert values == {"ncv": ncv, "carbon_content": carbon, "oxidation_percent": oxidation}
    assert {entry["basis"] for entry in parameters.values()} == {"default"}


def test_measured_and_default_parameters_mix() -> None:
    """A measured NCV beside a default carbon content: the two are independent choices."""
    found = fuel(kind="anthracite", quantity="100.00", ncv="25.024")
    parameters = found["parameters"]
    assert isinstance(parameters, dict)
    assert {n: p["basis"] for n, p in parameters.items()} == {
        "ncv": "measured", "carbon_content": "default", "oxidation_percent": "default",
    }  # fmt: skip
    # 100 × 25.024 × 0.02749 × 0.98 × 44 ÷ 12
    by_hand = (
        Fraction("100") * Fraction("25.024") * Fraction("0.02749") * Fraction("0.98") * 44 / 12
    )
    assert abs(Fraction(str(found["emission_t"])) - by_hand) < Fraction(1, 10**14)


def test_coal_tar_is_the_steel_guidelines_product_factor() -> None:
    """33.453 × 0.022 × 44/12 = 2.699 tCO2/t, as the steel evidence file prints for tar."""
    found = fuel(kind="coal-tar", quantity="1", oxidation_percent="100")
    assert round(Decimal(str(found["emission_t"])), 3) == Decimal("2.699")


def test_carbon_as_received_takes_the_place_of_heating_value() -> None:
    found = fuel(kind="petroleum-coke", quantity="10", carbon_ar="0.88")
    by_hand = Fraction("8.8") * Fraction("0.98") * 44 / 12  # endless: printed with 15 decimals
    assert abs(Fraction(str(found["emission_t"])) - by_hand) < Fraction(1, 10**14)
    parameters = found["parameters"]
    assert isinstance(parameters, dict)
    assert set(parameters) == {"carbon_ar", "oxidation_percent"}


@pytest.mark.parametrize("other", ["ncv", "carbon_content"])
def test_carbon_as_received_with_a_heating_value_is_refused(other: str) -> None:
    with pytest.raises(InputError, match="carbon_ar: give it alone"):
        fuel(kind="coke", quantity="1", carbon_ar="0.8", **{other: "0.5"})


def test_chinese_names_work() -> None:
    assert fuel(kind="柴油", quantity="10") == fuel(kind="diesel", quantity="10")


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"kind": "hydrogen", "quantity": "1"}, "kind: .* has no fuel 'hydrogen'"),
        ({"kind": "diesel", "quantity": "-1"}, "quantity: -1 is below 0"),
        ({"kind": "diesel"}, "quantity: missing"),
        ({"quantity": "1"}, "kind: missing"),
        ({"kind": "diesel", "quantity": "1", "oxidation_percent": "101"}, "oxidation_percent"),
        ({"kind": "diesel", "quantity": "1", "rule_set": "ipcc-2019"}, "rule_set: .* no fuels"),
        ({"kind": "diesel", "quantity": "1", "rule_set": "nothing"}, "rule_set: .* not in this"),
    ],
)
def test_wrong_inputs_are_named(inputs: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        fuel(**inputs)


@given(
    quantity=st.decimals(0, 10**6, places=2),
    ncv=st.decimals(0, 500, places=3),
    carbon=st.decimals(0, 1, places=5),
    oxidation=st.decimals(0, 100, places=1),
)
def test_equals_a_naive_transcription(
    quantity: Decimal, ncv: Decimal, carbon: Decimal, oxidation: Decimal
) -> None:
    found = fuel(
        kind="anthracite", quantity=quantity, ncv=ncv, carbon_content=carbon,
        oxidation_percent=oxidation,
    )  # fmt: skip
    by_hand = Fraction(quantity) * Fraction(ncv) * Fraction(carbon) * Fraction(oxidation) / 100
    by_hand = by_hand * 44 / 12
    assert abs(Fraction(str(found["emission_t"])) - by_hand) <= Fraction(1, 10**15)
