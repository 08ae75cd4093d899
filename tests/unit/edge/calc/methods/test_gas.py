"""Gas volumes and DP flows, against published conversions and by hand."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calc.errors import InputError
from edge.calc.registry import evaluate

NORMAL = {
    "volume_m3": "100", "volume_basis": "wet", "temperature_c": "20", "pressure_pa": "101325",
    "moisture_percent": "5", "reference": "0C-101.325kPa", "reference_basis": "dry",
}  # fmt: skip
METER = {
    "flow": "1000", "flow_kind": "normal-volume", "pressure_pa": "500000", "temperature_c": "40",
    "design_pressure_pa": "600000", "design_temperature_c": "20",
}  # fmt: skip


def volume(**changes: str) -> Decimal:
    return Decimal(evaluate("gas.normalise", {**NORMAL, **changes})["volume_nm3"])


def compensated(**changes: str) -> Decimal:
    return Decimal(evaluate("gas.dp_compensate", {**METER, **changes})["flow"])


def test_the_worked_example() -> None:
    """100 × 273.15 / 293.15 × 0.95 by a pocket calculator."""
    assert round(volume(), 6) == Decimal("88.518676")


@pytest.mark.parametrize(
    ("reference", "molar"),
    [("0C-101.325kPa", "22.4140"), ("15C-101.325kPa", "23.6448"), ("20C-101.325kPa", "24.0551")],
)
def test_the_molar_volumes_of_an_ideal_gas(reference: str, molar: str) -> None:
    """R = 8.314462618 J/(mol K) (CODATA 2018), 1 kmol at 500 kPa and 300 °C, to each reference."""
    at_meter = 1000 * Fraction("8.314462618") * Fraction("573.15") / 500_000
    found = volume(
        volume_m3=f"{float(at_meter):.12f}", volume_basis="dry", temperature_c="300",
        pressure_pa="500000", moisture_percent="0", reference=reference,
    )  # fmt: skip
    assert round(found, 4) == Decimal(molar)


@pytest.mark.parametrize(
    ("celsius", "reference", "scf"),
    [("20", "20C-101.325kPa", "849.5"), ("15.555556", "15C-101.325kPa", "836.6")],
)
def test_molar_volumes_of_40_cfr_98(celsius: str, reference: str, scf: str) -> None:
    """40 CFR 98.176 prints 849.5 scf/kg-mol at 68 °F and 836.6 at 60 °F (1 ft3 = 0.028316847 m3).

    60 °F is 15.56 °C: volumes at 15 °C are another state, and 0.2 % smaller.
    """
    at_zero = "22413.969545"  # 1000 kmol
    back = volume(volume_m3=at_zero, temperature_c="0", volume_basis="dry", reference=reference)
    warmer = (Decimal("273.15") + Decimal(celsius)) / Decimal("273.15")
    feet = Decimal(at_zero) * warmer / Decimal("28.316846592")
    assert round(feet, 1) == Decimal(scf)
    if celsius == "20":
        assert abs(back / Decimal("28.316846592") - feet) < Decimal("1e-9")
    else:
        assert round(back / Decimal("28.316846592") / feet, 3) == Decimal("0.998")


def test_a_published_conversion_with_a_wrong_zero() -> None:
    """Workbook "Gas Flow Basic Conversions" (scribd 390124279): 500,000 m3/h are 222,813.

    At 330 °C, to Nm3/h; barometer 100,702 Pa at 52 m, duct at -10 mbar. The workbook takes 273.16
    K, water's triple point, for 0 °C; with 273.15 K, which is 0 °C, it is 4.5 Nm3/h less.
    """
    found = volume(
        volume_m3="500000", volume_basis="dry", temperature_c="330", pressure_pa="99702",
        moisture_percent="0",
    )  # fmt: skip
    printed = Decimal(500_000) * Decimal("273.16") / Decimal("603.16") * 99702 / 101325
    assert int(printed) == 222_813
    assert round(printed - found, 1) == Decimal("4.5")


def test_a_published_conversion_that_lost_its_water() -> None:
    """Notebook "Stack gas correction" (github scottlynn73/jupyter_notebooks): prints 0.31 m3/s dry.

    0.424 m3/s at 100 °C and 1 atm with 13 % water. It ran on Python 2, where 13/100 is 0: the 0.31
    is the wet flow. The dry one is 0.27.
    """
    stack = {"volume_m3": "0.424", "temperature_c": "100", "moisture_percent": "13"}
    assert round(volume(**stack, reference_basis="wet"), 2) == Decimal("0.31")
    assert round(volume(**stack), 2) == Decimal("0.27")


def test_a_meter_that_does_not_behave_ideally() -> None:
    """Z 0.98 at the meter holds 1/0.98 as much; Z_n of 0.9975 takes 0.25 % away again."""
    ideal = volume()
    assert round(volume(z_actual="0.98") / ideal, 10) == round(1 / Decimal("0.98"), 10)
    assert round(volume(z_reference="0.9975") / ideal, 10) == Decimal("0.9975")


@given(st.integers(0, 95), st.integers(-40, 1500), st.integers(20_000, 2_000_000))
def test_wet_to_dry_and_back_is_the_same_volume(water: int, celsius: int, pascal: int) -> None:
    state = {
        "temperature_c": str(celsius), "pressure_pa": str(pascal), "moisture_percent": str(water),
    }  # fmt: skip
    wet = volume(**state, reference_basis="wet")
    dry = volume(**state)
    assert abs(dry - wet * (100 - water) / 100) < Decimal("1e-9")
    back = {"volume_basis": "dry", "reference_basis": "wet", "moisture_percent": str(water)}
    again = volume(volume_m3=f"{dry:.15f}", temperature_c="0", pressure_pa="101325", **back)
    assert abs(again - wet) < Decimal("1e-9")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"volume_basis": "moist"}, "volume_basis: 'moist' unknown; known: wet dry"),
        ({"reference_basis": ""}, "reference_basis: '' is not a name"),
        ({"reference": "25C"}, "reference: '25C' unknown; known: 0C-101.325kPa 15C-101.325kPa "
                               "20C-101.325kPa"),
        ({"pressure_pa": "0"}, "pressure_pa: 0 is below 10000 Pa, absolute"),
        ({"z_actual": "0"}, "z_actual: 0 is below 0.3 1"),
        ({"moisture_percent": "100"}, "moisture_percent: 100 is above 99.9 vol % of the wet gas"),
    ],
)  # fmt: skip
def test_volumes_that_cannot_be_are_refused(changes: dict[str, str], problem: str) -> None:
    with pytest.raises(InputError) as error:
        volume(**changes)
    assert error.value.problems == (problem,)


def test_the_worked_example_of_a_dp_meter() -> None:
    """1000 × sqrt(500/600 × 293.15/313.15) by a pocket calculator: 883.2388."""
    assert round(compensated(), 4) == Decimal("883.2388")


def test_a_makers_published_example() -> None:
    """Tokyo Keiso, technical note F-0007: an air meter on CO2; 5 × 0.994 = 4.97 m3/h (normal).

    Design air 1.293 kg/m3, 0.2 MPa, 20 °C; CO2 1.977 kg/m3, 0.4 MPa, 50 °C; pressures by gauge. The
    note is of variable-area meters, whose flow goes as the same root of density.
    """
    found = evaluate("gas.dp_compensate", {
        "flow": "5", "flow_kind": "normal-volume", "pressure_pa": "501325", "temperature_c": "50",
        "design_pressure_pa": "301325", "design_temperature_c": "20",
        "molar_mass_kg_kmol": str(Decimal("1.977") * Decimal("22.414")),
        "design_molar_mass_kg_kmol": str(Decimal("1.293") * Decimal("22.414")),
    })  # fmt: skip
    assert round(Decimal(found["factor"]), 3) == Decimal("0.994")
    assert round(Decimal(found["flow"]), 2) == Decimal("4.97")


def test_steam_of_a_table_at_another_pressure() -> None:
    """Mass flow goes as the root of density; by hand with 2.669 and 5.147 kg/m3 (5 and 10 bar).

    Saturated steam is given as a density ratio through Z: P/(Z T) of both is in the ratio of the
    densities. 1000 kg/h shown on a 10 bar design are sqrt(2.669/5.147) × 1000 = 720.1 kg/h.
    """
    ratio = Decimal("2.669") / Decimal("5.147")
    z = Decimal("0.5") * (Decimal("273.15") + 180) / (Decimal("273.15") + 152) / ratio
    found = compensated(
        flow_kind="mass", pressure_pa="500000", temperature_c="152", design_pressure_pa="1000000",
        design_temperature_c="180", z=f"{z:.12f}",
    )  # fmt: skip
    assert round(found, 1) == Decimal("720.1")


@given(st.integers(30_000, 900_000), st.integers(-20, 400), st.integers(10, 60))
def test_the_three_kinds_are_of_one_gas(pascal: int, celsius: int, molar: int) -> None:
    """Mass, normal and actual volume of one gas keep their ratios: m = ρ V and m = ρ_n V_n."""
    state = {
        "pressure_pa": str(pascal), "temperature_c": str(celsius),
        "molar_mass_kg_kmol": str(molar), "design_molar_mass_kg_kmol": "28",
    }  # fmt: skip
    mass, normal, actual = (
        compensated(flow_kind=kind, **state) for kind in ("mass", "normal-volume", "actual-volume")
    )
    density = (
        Decimal(pascal) / 600_000 * Decimal("293.15") / (Decimal("273.15") + celsius) * molar / 28
    )
    assert abs(mass - actual * density) < Decimal("1e-6") * mass
    assert abs(mass - normal * molar / 28) < Decimal("1e-6") * mass


def test_the_design_state_changes_nothing() -> None:
    assert compensated(pressure_pa="600000", temperature_c="20", z="0.9", design_z="0.9") == 1000


@pytest.mark.parametrize("flow", ["500", "510", "490"])
def test_one_square_root_is_right(flow: str) -> None:
    """At a quarter of the pressure difference a meter shows half its span."""
    checked = compensated(flow=flow, flow_span="1000", dp_percent="25")
    assert checked == compensated(flow=flow)


@pytest.mark.parametrize(
    ("flow", "said"),
    [
        ("250", "its root was not extracted"),
        ("707", "its root was extracted twice"),
        ("600", "is not the root of the pressure difference"),
    ],
)
def test_none_or_two_square_roots_are_refused(flow: str, said: str) -> None:
    with pytest.raises(InputError, match=f"flow: .*{said}"):
        compensated(flow=flow, flow_span="1000", dp_percent="25")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"flow_kind": "litres"},
         "flow_kind: 'litres' unknown; known: mass normal-volume actual-volume"),
        ({"molar_mass_kg_kmol": "28"},
         "molar_mass_kg_kmol: give it with design_molar_mass_kg_kmol, or neither"),
        ({"dp_percent": "25"}, "dp_percent: give it with flow_span, or neither"),
        ({"dp_percent": "-1", "flow_span": "1000"},
         "dp_percent: -1 is below 0 % of the span of pressure difference"),
        ({"dp_percent": "25", "flow_span": "0"}, "flow_span: must be above 0"),
        ({"flow": "-5"}, "flow: -5 is below 0 of the meter, any"),
    ],
)  # fmt: skip
def test_flows_that_cannot_be_are_refused(changes: dict[str, str], problem: str) -> None:
    with pytest.raises(InputError) as error:
        compensated(**changes)
    assert error.value.problems == (problem,)
