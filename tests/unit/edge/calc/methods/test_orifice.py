"""Orifice plates against a program we did not write, by hand, and at the standard's limits."""

from decimal import Decimal

import pytest

from edge.calc.errors import InputError
from edge.calc.registry import evaluate

WATER = {
    "pipe_mm": "73.66", "bore_mm": "50", "taps": "d-d/2", "dp_pa": "17000",
    "pressure_pa": "200000", "density_kg_m3": "999.1", "viscosity_pa_s": "0.0011",
    "isentropic_exponent": "1.33",
}  # fmt: skip
GAS = {
    "dp_pa": "10000", "pressure_pa": "600000", "density_kg_m3": "4.2", "viscosity_pa_s": "0.000011",
    "isentropic_exponent": "1.31",
}  # fmt: skip


def computed(base: dict[str, str], **changes: str) -> dict[str, Decimal]:
    return {k: Decimal(v) for k, v in evaluate("gas.orifice_flow", {**base, **changes}).items()}


@pytest.mark.parametrize(  # Python package fluids 1.3.1: differential_pressure_meter_solver,
    # C_Reader_Harris_Gallagher, orifice_expansibility
    ("taps", "pipe", "bore", "printed"),
    [
        ("corner", "100", "50", ["0.353660957", "0.604588717", "0.995275206"]),
        ("d-d/2", "300", "180", ["4.768448580", "0.606290957", "0.994903411"]),
        ("flange", "100", "60", ["0.530132754", "0.606640127", "0.994903411"]),
        ("flange", "60", "30", ["0.127529492", "0.605593282", "0.995275206"]),
    ],
)
def test_another_program(taps: str, pipe: str, bore: str, printed: list[str]) -> None:
    found = computed(GAS, taps=taps, pipe_mm=pipe, bore_mm=bore)
    assert [str(found[k]) for k in ("flow_kg_s", "coefficient", "expansibility")] == printed


def test_its_documented_example() -> None:
    """The package prints 7.702338035732167."""
    assert computed(WATER)["flow_kg_s"] == Decimal("7.702338036")


def test_a_liquid_does_not_expand_and_flow_goes_as_the_root() -> None:
    liquid = {key: value for key, value in WATER.items() if key != "isentropic_exponent"}
    low, high = computed(liquid), computed(liquid, dp_pa="68000")
    assert low["expansibility"] == 1
    assert low["expansibility_u_percent"] == 0
    ratio = high["flow_kg_s"] / low["flow_kg_s"]
    assert ratio / 2 == pytest.approx(high["coefficient"] / low["coefficient"])
    by_hand = 4 * float(low["flow_kg_s"]) / (3.14159265 * 0.07366 * 0.0011)
    assert float(low["reynolds"]) == pytest.approx(by_hand)


@pytest.mark.parametrize(  # ISO 5167-2:2003 5.3.3, by hand
    ("pipe", "bore", "percent"),
    [("200", "100", "0.5"), ("200", "30", "0.55"), ("200", "140", "0.6669"),
     ("60", "30", "0.5985")],
)  # fmt: skip
def test_how_sure_the_coefficient_is(pipe: str, bore: str, percent: str) -> None:
    """0.7 - 0.15; 1.667 × 0.7 - 0.5; 0.5 + 0.9 × 0.25 × (2.8 - 60 ÷ 25.4)."""
    found = computed(GAS, taps="corner", pipe_mm=pipe, bore_mm=bore)
    assert abs(found["coefficient_u_percent"] - Decimal(percent)) < Decimal("0.00005")
    assert round(found["expansibility_u_percent"], 4) == Decimal("0.0445")  # 3.5 × 10 ÷ 600 ÷ 1.31


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"taps": "vena"}, "taps: 'vena' unknown"),
        ({"pipe_mm": "49", "bore_mm": "30"}, "pipe_mm: below 50 mm"),
        ({"bore_mm": "60"}, "bore_mm: bore ÷ pipe is 0.815"),
        ({"dp_pa": "51000"}, "dp_pa: above a quarter of the pressure"),
        ({"dp_pa": "0"}, "dp_pa: no flow"),
        ({"dp_pa": "1"}, "dp_pa: Reynolds number [0-9]+ is below 7372"),
        ({"dp_pa": "1", "taps": "flange"}, "Reynolds number [0-9]+ is below 5770"),
        ({"dp_pa": "-1"}, "dp_pa: -1 is below 0"),
    ],
)
def test_refusals(changes: dict[str, str], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        evaluate("gas.orifice_flow", {**WATER, **changes})
