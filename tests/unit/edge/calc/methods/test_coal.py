"""Coal as received, by hand."""

from decimal import Decimal

import pytest

from edge.calc.errors import InputError
from edge.calc.registry import evaluate

WATER = {"moisture_total_percent": "10", "moisture_ad_percent": "2"}


def test_carbon_by_hand() -> None:
    """0.60 × 90 / 98 = 0.5510204081… tC/t."""
    found = evaluate("coal.c_ar", {"c_ad": "0.60", **WATER})
    assert round(Decimal(found["c_ar"]), 10) == Decimal("0.5510204082")


def test_heating_value_by_hand() -> None:
    """(24 + 0.046) × 90 / 98 = 22.0830612…, less 0.23."""
    found = evaluate("coal.ncv_ar", {"ncv_ad": "24", **WATER})
    assert round(Decimal(found["ncv_ar"]), 7) == Decimal("21.8530612")


def test_heating_value_agrees_with_the_form_in_kilocalories() -> None:
    """A plant program's form, 6 kcal/kg (25 kJ/kg) a percent of water from the gross value.

    Gross 6000 kcal/kg air-dried: 6000 × 90 / 98 + 6 × 2 - 6 × 10 = 5462.2 kcal/kg. With 23 J/g
    instead of 6 kcal/kg the net value differs by less than 15 kcal/kg, as it must.
    """
    gross = Decimal(6000) * Decimal("0.0041868")
    ncv_ad = gross - Decimal("0.023") * 2
    found = evaluate("coal.ncv_ar", {"ncv_ad": str(ncv_ad), **WATER})
    kcal = Decimal(found["ncv_ar"]) / Decimal("0.0041868")
    assert abs(kcal - Decimal("5462.2")) < 15


@pytest.mark.parametrize("method", ["coal.c_ar", "coal.ncv_ar"])
def test_the_same_moisture_changes_nothing(method: str) -> None:
    key = {"coal.c_ar": "c_ad", "coal.ncv_ar": "ncv_ad"}[method]
    same = {"moisture_total_percent": "7.5", "moisture_ad_percent": "7.5"}
    (value,) = evaluate(method, {key: "0.7", **same}).values()
    assert value == "0.7"


@pytest.mark.parametrize("method", ["coal.c_ar", "coal.ncv_ar"])
def test_exchanged_moistures_are_refused(method: str) -> None:
    key = {"coal.c_ar": "c_ad", "coal.ncv_ar": "ncv_ad"}[method]
    swapped = {"moisture_total_percent": "2", "moisture_ad_percent": "10"}
    with pytest.raises(InputError, match="are the two exchanged"):
        evaluate(method, {key: "0.6", **swapped})
