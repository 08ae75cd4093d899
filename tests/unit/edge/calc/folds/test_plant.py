"""What the live calculation takes from a plant's statement section: units, factors, meters."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from edge.calc.errors import CalcError, PlantError
from edge.calc.factors import rule_set
from edge.calc.folds.plant import pfc_default_factor, plant_factors, reading_configuration
from evidence.points import Dtype, Point, Quantity, Role

Config = dict[str, Any]
GAS_PER_UNIT = Fraction("389.310") * Fraction("0.01532") * Fraction("0.99") * 44 / 12
DIESEL_PER_T = Fraction("42.652") * Fraction("0.02020") * Fraction("0.98") * 44 / 12


def with_point(config: Config, point: Point) -> Config:
    config["points"].append(point.as_map())
    return config


def fuel_config(config: Config, kind: str, total: Quantity, flow: Quantity | None) -> Config:
    """A plant whose only fuel is metered by these quantities, 2 decimals each."""
    entry = {"kind": kind, "point": "f.total", "rule": "totaliser"}
    with_point(config, Point("f.total", total, Dtype.F64, 2, Role.TOTALISER))
    if flow is not None:
        with_point(config, Point("f.flow", flow, Dtype.F64, 2))
        entry["flow_point"] = "f.flow"
    config["statement"]["fuels"] = [entry]
    return config


def gas(kind: str, unit: str, **changes: str) -> Quantity:
    return Quantity(kind, unit, **{"reference": "0C-101.325kPa", "moisture": "dry", **changes})


@pytest.mark.parametrize(
    ("unit", "per_unit"), [("Nm3", Fraction(1, 10_000)), ("10^4 Nm3", Fraction(1))]
)
def test_gas_totals_become_ten_thousand_nm3(config: Config, unit: str, per_unit: Fraction) -> None:
    config = fuel_config(config, "natural-gas", gas("gas-volume", unit), None)
    (fuel,) = plant_factors(config).of("fuel")
    assert fuel.meters[0].amount == per_unit / 100  # a count is 0.01 of the unit
    assert not fuel.has_flows
    assert fuel.co2_per_unit == GAS_PER_UNIT


@pytest.mark.parametrize(("unit", "per_unit"), [("t", Fraction(1)), ("kg", Fraction(1, 1000))])
def test_liquid_fuel_totals_become_tonnes(config: Config, unit: str, per_unit: Fraction) -> None:
    config = fuel_config(config, "diesel", Quantity("mass", unit), None)
    (fuel,) = plant_factors(config).of("fuel")
    assert fuel.meters[0].amount == per_unit / 100
    assert fuel.co2_per_unit == DIESEL_PER_T


@pytest.mark.parametrize(("unit", "per_unit"), [("t/h", Fraction(1)), ("kg/h", Fraction(1, 1000))])
def test_liquid_fuel_flows(config: Config, unit: str, per_unit: Fraction) -> None:
    config = fuel_config(config, "diesel", Quantity("mass", "t"), Quantity("mass-flow", unit))
    (fuel,) = plant_factors(config).of("fuel")
    assert fuel.meters[0].flow_amount == per_unit / 100


def test_gas_flow(config: Config) -> None:
    config = fuel_config(
        config, "coke-oven-gas", gas("gas-volume", "Nm3"), gas("gas-flow", "Nm3/h")
    )
    (fuel,) = plant_factors(config).of("fuel")
    assert fuel.meters[0].flow_amount == Fraction(1, 1_000_000)


@pytest.mark.parametrize(
    ("kind", "quantity"),
    [
        ("natural-gas", Quantity("mass", "t")),
        ("diesel", gas("gas-volume", "Nm3")),
        ("natural-gas", gas("gas-volume", "m3", reference="actual")),
        ("natural-gas", gas("gas-volume", "Nm3", reference="20C-101.325kPa")),
        ("natural-gas", gas("gas-volume", "Nm3", reference="15C-101.325kPa")),
        ("natural-gas", gas("gas-volume", "Nm3", moisture="wet")),
    ],
)
def test_a_unit_or_state_that_does_not_fit_the_fuel_is_refused(
    config: Config, kind: str, quantity: Quantity
) -> None:
    with pytest.raises(PlantError, match=r"f\.total"):
        plant_factors(fuel_config(config, kind, quantity, None))


def test_a_fuel_by_its_chinese_name(config: Config) -> None:
    config["statement"]["fuels"][0]["kind"] = "天然气"
    (fuel,) = plant_factors(config).of("fuel")
    assert fuel.kind == "natural-gas"


@pytest.mark.parametrize(
    ("unit", "kwh"), [("Wh", Fraction(1, 1000)), ("kWh", Fraction(1)), ("MWh", Fraction(1000))]
)
def test_energy_units(config: Config, unit: str, kwh: Fraction) -> None:
    config = with_point(
        config, Point("e.total", Quantity("energy", unit), Dtype.U32, 1, Role.TOTALISER)
    )
    config["statement"]["auxiliary"] = [{"kind": "electricity", "point": "e.total"}]
    ((meter,),) = [entry.meters for entry in plant_factors(config).of("auxiliary")]
    assert meter.amount == kwh / 10 / 1000  # MWh
    assert meter.flow is None


@pytest.mark.parametrize(
    ("unit", "kw"), [("W", Fraction(1, 1000)), ("kW", Fraction(1)), ("MW", Fraction(1000))]
)
def test_power_units(config: Config, unit: str, kw: Fraction) -> None:
    config = with_point(config, Point("e.power", Quantity("power", unit), Dtype.F32, 3))
    config["statement"]["auxiliary"][0]["power_point"] = "e.power"
    ((meter,),) = [entry.meters for entry in plant_factors(config).of("auxiliary")]
    assert meter.flow_amount == kw / 1000 / 1000  # MWh an hour


def test_other_auxiliaries_are_left_alone(config: Config) -> None:
    config["statement"]["auxiliary"] = [{"kind": "heat", "point": "gas.volume"}]
    assert plant_factors(config).of("auxiliary") == ()


def test_pfc_default_factor_is_0_14481() -> None:
    assert pfc_default_factor(rule_set("cets-ag-04.01-v01-2024")) == Fraction("0.14481")


def test_anode_factor(config: Config) -> None:
    """0.469 × 0.8482 × 0.976 × 44/12 = 1.42361… tCO2/t."""
    factors = plant_factors(config)
    assert factors.anode_co2 is not None
    assert round(float(factors.anode_co2), 5) == 1.42361
    del config["statement"]["anode"]
    assert plant_factors(config).anode_co2 is None


def test_a_plant_without_a_statement_section(config: Config) -> None:
    del config["statement"]
    factors = plant_factors(config)
    assert (factors.entries, factors.anode_co2) == ((), None)


@pytest.mark.parametrize(
    "error", [KeyError("x"), IndexError(), TypeError(), AttributeError(), OverflowError()]
)
def test_what_a_broken_map_does_becomes_a_plant_error(error: Exception) -> None:
    with pytest.raises(PlantError, match="cannot be calculated with"), reading_configuration():
        raise error


def test_our_own_errors_pass_unchanged() -> None:
    own = CalcError("a sentence")
    with pytest.raises(CalcError) as caught, reading_configuration():
        raise own
    assert caught.value is own


def test_a_defect_of_ours_is_not_hidden() -> None:
    with pytest.raises(RuntimeError), reading_configuration():
        raise RuntimeError


def test_make_config_has_any_number_of_pots(make_config: Callable[[int], Config]) -> None:
    assert len(make_config(24)["potlines"][0]["pots"]) == 24
