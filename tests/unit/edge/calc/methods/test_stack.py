"""Pitot velocity and moisture by oxygen, against published figures and by hand."""

from decimal import Decimal
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calc.errors import InputError
from edge.calc.registry import evaluate

TUBE = {
    "pitot_coefficient": "0.84", "dp_pa": "100", "temperature_c": "120", "barometer_pa": "101325",
    "static_pressure_pa": "0",
}  # fmt: skip
MM_WATER, MM_MERCURY = Decimal("9.80665"), Decimal("133.322387415")  # Pa


def pitot(**changes: str) -> dict[str, str]:
    return evaluate("stack.pitot_velocity", {**TUBE, **changes})


def test_the_worked_example() -> None:
    assert round(Decimal(pitot()["velocity_m_s"]), 4) == Decimal("12.5356")


def test_a_published_velocity_and_flow() -> None:
    """Workbook "Gas Flow Basic Conversions" (scribd 390124279): 9.66 m/s and 46,169 m3/h.

    4.53 mm H2O, factor 0.995, 99.0 °C, 10,260 mm H2O absolute, density 1.293, duct of 1300 mm. The
    velocity agrees to its last digit; the flow to 0.02 %, for the workbook prints neither the
    pressure difference nor the velocity with the digits it computes with.
    """
    static = Decimal("10260") * MM_WATER - 101325
    found = pitot(
        pitot_coefficient="0.995", dp_pa=str(Decimal("4.53") * MM_WATER), temperature_c="99.0",
        static_pressure_pa=str(static), density_kg_m3="1.293",
        area_m2="1.3273228961",  # π ÷ 4 × 1.3²
    )  # fmt: skip
    assert round(Decimal(found["velocity_m_s"]), 2) == Decimal("9.66")
    assert abs(Decimal(found["flow_m3_h"]) / 46169 - 1) < Decimal("0.0002")


@given(st.integers(1, 200), st.integers(-20, 900), st.integers(600, 800), st.integers(20, 44))
def test_agrees_with_epa_method_2(mm_water: int, celsius: int, mm_mercury: int, molar: int) -> None:
    """40 CFR 60 App. A-1, Method 2, Eq. 2-7 with its printed constant Kp = 34.97 in metric units.

    v = Kp × Cp × sqrt(Δp [mm H2O] × Ts [K] ÷ (Ps [mm Hg] × Ms [g/mol])).
    """
    theirs = 34.97 * 0.84 * sqrt(mm_water * (celsius + 273) / (mm_mercury * molar))
    found = pitot(
        dp_pa=str(mm_water * MM_WATER), temperature_c=str(celsius), barometer_pa="90000",
        static_pressure_pa=str(mm_mercury * MM_MERCURY - 90_000),
        density_kg_m3=str(round(Decimal(molar) / Decimal("22.414"), 12)),
    )  # fmt: skip
    assert abs(float(found["velocity_m_s"]) / theirs - 1) < 5e-4


def test_flow_is_velocity_times_area_times_the_field() -> None:
    found = pitot(area_m2="10", velocity_field_factor="0.9")
    assert round(Decimal(found["flow_m3_h"]), 1) == round(
        Decimal(found["velocity_m_s"]) * 9 * 3600, 1
    )


def test_a_mean_of_pressure_differences_gives_no_mean_velocity() -> None:
    """Half the time 0, half 400 Pa: the mean velocity is half, the root of the mean is not."""
    still, fast, mean = (Decimal(pitot(dp_pa=dp)["velocity_m_s"]) for dp in ("0", "400", "200"))
    assert still == 0
    assert round(mean / ((still + fast) / 2), 4) == Decimal("1.4142")


def test_density_of_air_is_said_to_be_a_default() -> None:
    parameters = evaluate("stack.pitot_velocity", TUBE)["parameters"]
    assert parameters["density"]["basis"] == "default"
    given_one = evaluate("stack.pitot_velocity", {**TUBE, "density_kg_m3": "1.34"})["parameters"]
    assert given_one["density"]["basis"] == "measured"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"dp_pa": "-3"}, "dp_pa: -3 is below 0 Pa"),
        ({"velocity_field_factor": "1"}, "velocity_field_factor: has no meaning without area_m2"),
        ({"barometer_pa": "1013"}, "barometer_pa: 1013 is below 50000 Pa, absolute"),
    ],
)
def test_tubes_that_cannot_be_are_refused(changes: dict[str, str], problem: str) -> None:
    with pytest.raises(InputError) as error:
        pitot(**changes)
    assert error.value.problems == (problem,)


@pytest.mark.parametrize(
    ("dry", "wet", "exact", "reported"),
    [
        # 100 × (dry - wet) ÷ dry by hand
        ("6.0", "5.4", "10", "10.0"),
        ("8", "7", "12.5", "12.5"),
        ("8.0", "7.004", "12.45", "12.5"),  # half goes away from zero
        ("6.6", "6.6", "0", "0.0"),
        ("3", "2.9", "3.333333333333333", "3.3"),
    ],
)
def test_moisture_by_hand(dry: str, wet: str, exact: str, reported: str) -> None:
    found = evaluate("stack.moisture_by_oxygen", {"o2_dry_percent": dry, "o2_wet_percent": wet})
    assert found == {"moisture_percent": exact, "reported_percent": reported}


@pytest.mark.parametrize(
    ("dry", "wet", "said"),
    [("0", "0", "must be above 0"), ("5", "6", "exchanged"), ("21", "5", "above 20.9")],
)
def test_oxygen_that_cannot_be_is_refused(dry: str, wet: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        evaluate("stack.moisture_by_oxygen", {"o2_dry_percent": dry, "o2_wet_percent": wet})
