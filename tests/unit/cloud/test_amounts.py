"""Figures and units as pages write them: every digit stays, thousands are set apart."""

import pytest

from cloud.api.amounts import amount, figure, size, unit


@pytest.mark.parametrize(
    ("value", "of", "written"),
    [
        ("1214057.49", "tCO2", "1,214,057.49 t CO₂"),
        ("-22025.320", "tCO2(e)/t", "-22,025.320 t CO₂(e)/t"),
        ("12", "10^4 Nm3", "12 × 10⁴ Nm³"),
        ("173.854", "GJ/10^4 Nm3", "173.854 GJ/10⁴ Nm³"),
        (999, "Nm3/h", "999 Nm³/h"),
        ("0.5", "1", "0.5"),
        ("–", "degC", "– °C"),
    ],
)
def test_amounts(value: object, of: str, written: str) -> None:
    assert amount(value, of) == written


def test_what_is_no_number_or_has_no_unit() -> None:
    assert [figure(text) for text in ("44/12", "", "1e6")] == ["44/12", "", "1e6"]
    assert unit("1") == "–"


def test_sizes_are_never_nothing() -> None:
    counts = (0, 999, 1_000, 49_250, 999_949, 1_000_000, 2_310_400_000)
    written = ["0 B", "999 B", "1.0 kB", "49.2 kB", "999.9 kB", "1.0 MB", "2,310.4 MB"]
    assert [size(count) for count in counts] == written
