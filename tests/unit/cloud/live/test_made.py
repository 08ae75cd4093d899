"""How live figures are made: what is told multiplies out to what the edge computes."""

from fractions import Fraction
from math import prod

import pytest

from cloud.live.facts import gateway_facts
from cloud.live.made import made
from evidence.points import exact
from simulators.month_plants import month_plant
from simulators.plants import load_any
from tests.e2e.fake_plant import config
from tests.unit.cloud.live_examples import configuration

PERCENT = Fraction(1, 100)


def by_id(rows: list[dict[str, object]]) -> dict[str, dict[str, object]]:
    return {str(row["id"]): row for row in rows}


def values(row: dict[str, object]) -> dict[str, Fraction]:
    return {f["id"]: exact(f["value"]) for f in row["factors"]}  # type: ignore[attr-defined] # of JSON


def test_a_smelters_total_is_its_parts_and_each_has_factors_with_a_source() -> None:
    rows = by_id(made(config()))
    total = rows["plant.co2e_t_h"]
    assert total["of"] == [
        ["line-1.pfc_record_tco2e_h", 1], ["line-1.anode_co2_t_h", 1], ["plant.gas_co2_t_h", 1],
    ]  # fmt: skip
    assert next(iter(rows)) == "plant.co2e_t_h"  # what it adds up comes after it
    for row in rows.values():
        for factor in row["factors"]:  # type: ignore[attr-defined] # of JSON
            typed = factor["confidence"] == "typed"
            assert typed or (factor["source"] and factor["from"]), factor
            assert all(factor["name"].values())


def test_factors_that_are_told_make_the_figure() -> None:
    """10^4 Nm3 of natural gas: 389.310 × 0.01532 × 0.99 × 44/12 t, as combustion.fuel's example."""
    rows = by_id(made(config()))
    gas = values(rows["plant.gas_co2_t_h"])
    burnt = gas.pop("fuel.gas.oxidation_percent") * PERCENT
    assert float(prod(gas.values()) * burnt) == pytest.approx(21.650151996, abs=1e-12)
    pfc = values(rows["line-1.pfc_record_tco2e_h"])  # (0.02 × 6630 + 0.0011 × 11100) / 1000
    cf4, c2f6 = pfc["pfc.cf4_kg_t"] * pfc["ar5.cf4"], pfc["pfc.c2f6_kg_t"] * pfc["ar5.c2f6"]
    assert float((cf4 + c2f6) / 1000) == pytest.approx(0.14481, abs=1e-12)
    assert rows["line-1.pfc_record_tco2e_h"]["inputs"] == ["line-1.metal_t_h"]
    assert rows["line-1.metal_t_h"]["inputs"] == ["pot-gateway.line_current", "line-1.producing"]


@pytest.mark.parametrize("plant", ["kiln", "steelworks"])
def test_a_works_total_is_made_of_its_flows(plant: str) -> None:
    """Every computed emission of the configuration is told, down to points that are measured."""
    month = month_plant(load_any(plant), points=None, pots=None, seed=1, interval_s=60)
    told = month.configuration(bytes(32))
    rows, points = by_id(made(told)), {p["id"]: p for p in told["points"]}
    emissions = {
        i for i, p in points.items()
        if p["provenance"] == "computed" and p["quantity"]["kind"] == "emission-flow"
    }  # fmt: skip
    assert emissions <= set(rows)
    for row in rows.values():
        below = [*row["inputs"], *(part for part, _ in row["of"])]  # type: ignore[misc, has-type] # of JSON
        assert below
        assert all(one in rows or points[one]["provenance"] != "computed" for one in below)


def test_what_cannot_be_calculated_with_is_told_as_nothing() -> None:
    assert made(configuration()) == []  # a rule set that this program does not know
    facts = gateway_facts("edge-1", config() | {"software": "x" * 99})
    assert len(facts.software) == 64
    assert facts.made
