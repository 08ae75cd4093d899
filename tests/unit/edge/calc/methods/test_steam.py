"""Steam and water against IAPWS-IF97's own verification tables, and what must be refused."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest

from edge.calc.errors import InputError
from edge.calc.methods import if97
from edge.calc.registry import evaluate

#: region function, K, MPa, v in m3/kg and h in kJ/kg as printed: Tables 5 and 15
STATES = [
    (if97.water, "300", "3", "0.100215168e-2", "0.115331273e3"),
    (if97.water, "300", "80", "0.971180894e-3", "0.184142828e3"),
    (if97.water, "500", "3", "0.120241800e-2", "0.975542239e3"),
    (if97.steam, "300", "0.0035", "0.394913866e2", "0.254991145e4"),
    (if97.steam, "700", "0.0035", "0.923015898e2", "0.333568375e4"),
    (if97.steam, "700", "30", "0.542946619e-2", "0.263149474e4"),
]


def nine(value: Fraction) -> str:
    """Nine significant figures, as the release prints them."""
    return f"{Decimal(value.numerator) / Decimal(value.denominator):.8e}"


@pytest.mark.parametrize(("region", "kelvin", "mpa", "volume", "enthalpy"), STATES)
def test_the_releases_states(
    region: Callable[[Fraction, Fraction], if97.State],
    kelvin: str,
    mpa: str,
    volume: str,
    enthalpy: str,
) -> None:
    found = region(Fraction(mpa), Fraction(kelvin))
    assert nine(found.volume) == f"{Decimal(volume):.8e}"
    assert nine(found.enthalpy) == f"{Decimal(enthalpy):.8e}"


@pytest.mark.parametrize(  # Tables 35 and 36
    ("kelvin", "mpa"),
    [("300", "0.353658941e-2"), ("500", "0.263889776e1"), ("600", "0.123443146e2"),
     ("0.372755919e3", "0.1"), ("0.453035632e3", "1"), ("0.584149488e3", "10")],
)  # fmt: skip
def test_the_releases_saturation_line(kelvin: str, mpa: str) -> None:
    if mpa in ("0.1", "1", "10"):
        assert nine(if97.saturation_kelvin(Fraction(mpa))) == f"{Decimal(kelvin):.8e}"
    else:
        assert nine(if97.saturation_mpa(Fraction(kelvin))) == f"{Decimal(mpa):.8e}"


def test_the_releases_boundary_between_regions_2_and_3() -> None:
    """Section 4: 623.15 K is 16.5291643 MPa; there the saturation line meets it."""
    assert nine(if97.boundary_23_mpa(Fraction("623.15")))[:10] == "1.65291643"
    assert nine(if97.saturation_mpa(Fraction("623.15")))[:9] == "1.6529164"


@pytest.mark.parametrize("celsius", [1, 100, 200, 300, 349])
def test_both_directions_of_the_saturation_line_agree(celsius: int) -> None:
    """R7-97 section 8: Eq. 31 is Eq. 30 solved; here as far as its temperatures are kept."""
    kelvin = if97.ZERO_C + celsius
    assert abs(if97.saturation_kelvin(if97.saturation_mpa(kelvin)) - kelvin) < Fraction(2, 10**9)


@pytest.mark.parametrize(  # saturation tables of any textbook that uses IF97, 6 figures
    ("pascal", "celsius", "rho_steam", "h_steam", "h_water"),
    [("100000", "99.606", 1 / 1.69402, 2674.95, 417.44),
     ("1000000", "179.886", 1 / 0.194349, 2777.12, 762.68)],
)  # fmt: skip
def test_saturated_steam(
    pascal: str, celsius: str, rho_steam: float, h_steam: float, h_water: float
) -> None:
    dry = evaluate("steam.saturated", {"pressure_pa": pascal, "dryness_percent": "100"})
    wet = evaluate("steam.saturated", {"pressure_pa": pascal, "dryness_percent": "0"})
    assert f"{float(dry['temperature_c']):.3f}" == celsius
    assert float(dry["density_kg_m3"]) == pytest.approx(rho_steam, rel=3e-6)
    assert float(dry["enthalpy_kj_kg"]) == pytest.approx(h_steam, abs=0.005)
    assert float(wet["enthalpy_kj_kg"]) == pytest.approx(h_water, abs=0.005)


def test_wet_steam_is_mixed_by_mass() -> None:
    """Volumes and enthalpies mix by mass, densities do not: 1 MPa, 90 % dry, by hand."""
    found = evaluate("steam.saturated", {"pressure_pa": "1000000", "dryness_percent": "90"})
    assert float(found["density_kg_m3"]) == pytest.approx(1 / (0.9 * 0.194349 + 0.1 * 0.00112723))
    assert float(found["enthalpy_kj_kg"]) == pytest.approx(0.9 * 2777.12 + 0.1 * 762.683, abs=0.01)


def test_a_meter_reads_by_the_root_or_by_the_density() -> None:
    """Saturated at 0.8 MPa against a design of 1 MPa: v" 0.240328 and 0.194349 m3/kg (tables)."""
    values = {"flow": "10", "pressure_pa": "800000", "design_pressure_pa": "1000000"}
    ratio = 0.194349 / 0.240328
    orifice = evaluate("steam.meter_compensate", {**values, "meter": "differential-pressure"})
    vortex = evaluate("steam.meter_compensate", {**values, "meter": "volumetric"})
    assert float(orifice["flow"]) == pytest.approx(10 * ratio**0.5, rel=1e-5)
    assert float(vortex["flow"]) == pytest.approx(10 * ratio, rel=1e-5)


PLAIN = {"pressure_pa": "1000000", "temperature_c": "250", "phase": "steam"}
SATURATED = {"dryness_percent": "100"}
METER = {
    "flow": "1", "meter": "volumetric", "pressure_pa": "1000000", "design_pressure_pa": "1000000"
}  # fmt: skip


@pytest.mark.parametrize(
    ("method", "values", "sentence"),
    [
        ("steam.properties", {**PLAIN, "phase": "ice"}, "phase: 'ice' unknown"),
        ("steam.properties", {**PLAIN, "phase": "water"}, "it is steam; it saturates at 179.886"),
        ("steam.properties", {**PLAIN, "temperature_c": "179.8"}, "phase: .* it is water"),
        ("steam.properties", {**PLAIN, "temperature_c": "179.8859"}, "do not tell steam from wat"),
        (
            "steam.properties",
            {**PLAIN, "pressure_pa": "25000000", "temperature_c": "380"},
            "region 3",
        ),
        ("steam.properties", {**PLAIN, "temperature_c": "801"}, "temperature_c: 801 is above 800"),
        ("steam.saturated", SATURATED, "exactly one"),
        (
            "steam.saturated",
            {**SATURATED, "pressure_pa": "100000", "temperature_c": "99"},
            "exactly one",
        ),
        ("steam.saturated", {**SATURATED, "pressure_pa": "17000000"}, "above 16529164"),
        ("steam.meter_compensate", {**METER, "meter": "coriolis"}, "meter: 'coriolis' unknown"),
        ("steam.meter_compensate", {**METER, "temperature_c": "150"}, "^phase: .* it is water"),
        (
            "steam.meter_compensate",
            {**METER, "design_pressure_pa": "17000000"},
            "^design_pressure_pa: above",
        ),
    ],
)
def test_refusals(method: str, values: dict[str, str], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        evaluate(method, values)


@pytest.mark.parametrize(
    ("pascal", "celsius", "phase", "density"),
    [("30000000", "426.85", "steam", 1 / 0.00542946619), ("25000000", "300", "water", 743.0120778)],
)
def test_above_the_critical_pressure(pascal: str, celsius: str, phase: str, density: float) -> None:
    """R7-97 Table 15, 700 K and 30 MPa; 25 MPa and 300 °C by Python package seuif97 2.3.8."""
    found = evaluate(
        "steam.properties", {"pressure_pa": pascal, "temperature_c": celsius, "phase": phase}
    )
    assert float(found["density_kg_m3"]) == pytest.approx(density, rel=1e-9)
    assert "saturation_c" not in found
