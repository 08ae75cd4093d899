"""CO2 mass of a stack, against published densities and by hand."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calc.errors import InputError
from edge.calc.registry import evaluate

BASE = {
    "co2_percent": "12", "basis": "dry", "flow_m3_h": "100000", "flow_basis": "wet",
    "temperature_c": "120", "pressure_pa": "100000", "moisture_percent": "10", "reference_c": "0",
}  # fmt: skip


def mass(**changes: str) -> tuple[Decimal, Decimal]:
    found = evaluate("cems.co2_mass", {**BASE, **changes})
    return Decimal(found["emission_t_h"]), Decimal(found["flow_nm3_h"])


@pytest.mark.parametrize(("reference", "kg_m3"), [("0", "1.9635"), ("20", "1.8295")])
def test_pure_co2_has_its_printed_density(reference: str, kg_m3: str) -> None:
    """44.0095 kg/kmol in 22.4140 and 24.0551 m3/kmol; US EPA prints 24.055 at 20 °C."""
    tonnes, flow = mass(
        co2_percent="100", flow_m3_h="1000", flow_basis="dry", temperature_c=reference,
        pressure_pa="101325", moisture_percent="0", reference_c=reference,
    )  # fmt: skip
    assert flow == 1000
    assert round(tonnes, 4) == Decimal(kg_m3)


def test_the_worked_example() -> None:
    """By a pocket calculator: 100000 × 0.9 × 273.15 / 393.15 × 100000 / 101325, and so on."""
    tonnes, flow = mass()
    assert round(flow, 2) == Decimal("61711.89")
    assert round(tonnes, 4) == Decimal("14.5403")


@given(st.integers(0, 60), st.integers(1, 30), st.integers(0, 300))
def test_wet_and_dry_readings_of_one_gas_give_one_mass(
    water: int, co2: int, temperature: int
) -> None:
    """The same gas seen by instruments before and behind a cooler."""
    same = {"moisture_percent": str(water), "temperature_c": str(temperature)}
    wet_co2 = Decimal(co2) * (100 - water) / 100
    wet_flow, dry_flow = "50000", str(Decimal(50000) * (100 - water) / 100)
    expected = mass(co2_percent=str(co2), basis="dry", flow_m3_h=dry_flow, flow_basis="dry", **same)
    for changes in (
        {"co2_percent": str(wet_co2), "basis": "wet", "flow_m3_h": wet_flow, "flow_basis": "wet"},
        {"co2_percent": str(co2), "basis": "dry", "flow_m3_h": wet_flow, "flow_basis": "wet"},
        {"co2_percent": str(wet_co2), "basis": "wet", "flow_m3_h": dry_flow, "flow_basis": "dry"},
    ):
        assert mass(**changes, **same) == expected


def test_the_reference_temperature_moves_the_volume_and_not_the_mass() -> None:
    """0 against 20 °C are 7.3 % of volume; printed masses differ in their last digit at most."""
    (at_0, flow_0), (at_20, flow_20) = mass(reference_c="0"), mass(reference_c="20")
    assert abs(at_0 - at_20) <= Decimal("1e-14")
    assert round(flow_20 / flow_0, 3) == Decimal("1.073")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"basis": "damp"}, "basis: 'damp' unknown; known: wet dry"),
        ({"flow_basis": "normal"}, "flow_basis: 'normal' unknown; known: wet dry"),
        ({"pressure_pa": "-500"}, "pressure_pa: -500 is below 50000 Pa, absolute"),
        ({"moisture_percent": "100"}, "moisture_percent: 100 is above 99.9 vol %"),
        ({"basis": "wet", "co2_percent": "95", "moisture_percent": "50"},
         "co2_percent: more than the dry gas; is it on a dry basis already?"),
        ({"reference_c": "60"}, "reference_c: 60 is above 25 °C"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(changes: dict[str, str], problem: str) -> None:
    with pytest.raises(InputError) as error:
        mass(**changes)
    assert error.value.problems == (problem,)
