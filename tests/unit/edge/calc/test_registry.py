"""The methods registry: documented, bounded, and every problem named."""

import re

import pytest

from edge.calc.errors import InputError
from edge.calc.registry import Input, evaluate, methods


def test_the_methods_there_are() -> None:
    assert list(methods()) == [
        "allowance.project",
        "aluminium.anode_baking",
        "aluminium.dc_energy",
        "aluminium.missing_carbon_data",
        "aluminium.prebaked_anodes",
        "aluminium.soderberg_paste",
        "carbonate.ipcc",
        "cement.clinker_oxides",
        "cement.clinker_stocktaking",
        "cement.ipcc_cement",
        "cement.ipcc_clinker",
        "cement.part98_clinker",
        "cement.part98_dust",
        "cement.part98_organic",
        "cems.co2_mass",
        "cems.hour_validity",
        "cems.month_validity",
        "cems.substitute",
        "coal.c_ar",
        "coal.ncv_ar",
        "combustion.fuel",
        "combustion.net_energy",
        "combustion.part98",
        "gas.compressibility",
        "gas.dp_compensate",
        "gas.network_balance",
        "gas.normalise",
        "gas.orifice_flow",
        "hj212.crc",
        "missing.substitute",
        "part75.co2_by_oxygen",
        "part75.co2_mass",
        "part75.control_state",
        "part75.daily_calibration",
        "part75.heat_input",
        "period.bridge",
        "pfc.default_factors",
        "pfc.overvoltage",
        "pfc.slope",
        "stack.moisture_by_oxygen",
        "stack.pitot_velocity",
        "steam.meter_compensate",
        "steam.properties",
        "steam.saturated",
        "steel.ipcc_tier1",
        "steel.part98_bof",
        "steel.part98_coke",
        "steel.part98_decarburization",
        "steel.part98_dri",
        "steel.part98_eaf",
        "steel.part98_gas",
        "steel.part98_sinter",
        "steel.part98_taconite",
        "totaliser.difference",
        "uncertainty.product",
        "uncertainty.repeated",
        "uncertainty.standard",
    ]


@pytest.mark.parametrize("name", list(methods()))
def test_every_method_documents_itself(name: str) -> None:
    found = methods()[name]
    assert found.version >= 1
    assert found.source
    assert "Example" in found.text
    assert "=" in found.text  # the formula
    assert re.search(r"\[[^\]]+\]", found.text)  # units in brackets
    assert found.outputs


@pytest.mark.parametrize("name", list(methods()))
def test_every_number_has_a_unit_and_every_name_is_text(name: str) -> None:
    for spec in methods()[name].inputs.values():
        assert spec.is_text or spec.unit


def test_an_unknown_method_names_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"pfc\.slope"):
        evaluate("pfc.guess", {})


def test_all_problems_come_at_once() -> None:
    with pytest.raises(InputError) as caught:
        evaluate("pfc.slope", {"metal_t": "x", "aem_min_per_cell_day": "-1", "color": "red"})
    keys = [problem.partition(":")[0] for problem in caught.value.problems]
    assert keys == ["color", "metal_t", "aem_min_per_cell_day", "technology", "edition", "gwp"]


@pytest.mark.parametrize("wrong", ["", None, 5, "x" * 65])
def test_names_are_short_strings(wrong: object) -> None:
    with pytest.raises(ValueError, match="not a name"):
        Input(is_text=True).read(wrong)


@pytest.mark.parametrize(("value", "fits"), [("0", True), ("10", True), ("10.001", False)])
def test_range_includes_its_ends(value: str, fits: bool) -> None:
    spec = Input("t", low="0", high="10")
    if fits:
        spec.read(value)
    else:
        with pytest.raises(ValueError, match="above 10 t"):
            spec.read(value)
