"""AGA8 DETAIL against the values that NIST prints and those of a program we did not write."""

from decimal import Decimal

import pytest

from edge.calc.errors import InputError
from edge.calc.methods.aga8 import solve
from edge.calc.methods.aga8_rows import COMPONENTS
from edge.calc.registry import evaluate

#: NIST's Detail_test_01.cpp, in the order of its components, mol %
NIST = dict(zip(
    COMPONENTS,
    ("77.824", "2", "6", "8", "3", "0.15", "0.3", "0.05", "0.165", "0.215", "0.088", "0.024",
     "0.015", "0.009", "0.4", "0.5", "0.2", "0.01", "0.25", "0.7", "0.1"),
    strict=True,
))  # fmt: skip
#: ISO 12213-2 Annex C, gas 1
GAS_1 = {
    "methane": "96.5", "ethane": "1.8", "propane": "0.45", "isobutane": "0.1", "n_butane": "0.1",
    "isopentane": "0.05", "n_pentane": "0.03", "hexane": "0.07", "carbon_dioxide": "0.6",
    "nitrogen": "0.3",
}  # fmt: skip
#: as a coking plant's, but with enough methane: hydrogen and carbon monoxide meet all pairs
RICH = {"methane": "50", "hydrogen": "30", "carbon_monoxide": "10", "nitrogen": "5", "helium": "5"}


def computed(gas: dict[str, str], pascal: str, celsius: str) -> dict[str, str]:
    percents = {f"{name}_percent": share for name, share in gas.items()}
    return evaluate(
        "gas.compressibility",
        {**percents, "pressure_pa": pascal, "temperature_c": celsius, "reference": "0C-101.325kPa"},
    )


def test_nists_printed_values() -> None:
    """Detail_test_01.cpp: 400 K, 50 MPa; D 12.80792403648801, Z 1.173801364147326, to its 1e-8."""
    shares = {name: Decimal(share) / 100 for name, share in NIST.items()}
    state = solve(shares, Decimal(400), Decimal(50_000))
    assert abs(state.density - Decimal("12.80792403648801")) < Decimal("1e-11")
    assert abs(state.z - Decimal("1.173801364147326")) < Decimal("1e-12")
    assert state.molar_mass == Decimal("20.54333051")
    found = computed(NIST, "50000000", "126.85")
    assert found["z_actual"] == "1.173801364"
    assert found["molar_mass_kg_kmol"] == "20.543330510"


@pytest.mark.parametrize(  # Python package pyaga8 0.1.18 (Equinor): Detail.calc_properties
    ("gas", "pascal", "celsius", "z"),
    [(GAS_1, "6000000", "-3.15", "0.840527455"), (GAS_1, "6000000", "6.85", "0.861993379"),
     (GAS_1, "12000000", "56.85", "0.883830870"), (GAS_1, "101325", "0", "0.997413279"),
     (RICH, "3000000", "20", "0.991167347")],
)  # fmt: skip
def test_another_program(gas: dict[str, str], pascal: str, celsius: str, z: str) -> None:
    assert computed(gas, pascal, celsius)["z_actual"] == z


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"reference": "25C"}, "reference: '25C' unknown"),
        ({"methane_percent": "90"}, r"all components are 93\.500 %, not 100"),
        ({"methane_percent": "44", "nitrogen_percent": "52.8"}, "below 45 %, no natural gas"),
        ({"methane_percent": "46", "n_butane_percent": "50.6"}, "would condense"),
        ({"xenon_percent": "1"}, "xenon_percent: not an input"),
    ],
)
def test_refusals(changes: dict[str, str], sentence: str) -> None:
    percents = {f"{name}_percent": share for name, share in GAS_1.items()}
    plain = {"pressure_pa": "6000000", "temperature_c": "6.85", "reference": "0C-101.325kPa"}
    with pytest.raises(InputError, match=sentence):
        evaluate("gas.compressibility", {**percents, **plain, **changes})


def test_what_a_chromatograph_rounds_is_divided_out() -> None:
    """Twice of everything is the same gas, but not within 0.1 of 100; 100.05 is."""
    more = {**GAS_1, "methane": "96.55"}
    assert computed(more, "6000000", "6.85")["z_actual"] != computed(GAS_1, "6000000", "6.85")
    assert computed(more, "6000000", "6.85")["z_actual"].startswith("0.86")
