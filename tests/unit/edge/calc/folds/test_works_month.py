"""Small months of a kiln and a steelworks from their meters; every figure worked by hand."""

from typing import Any

import pytest

from edge.calc.errors import PlantError
from edge.calc.folds.month import MonthFold
from edge.calc.statements.statement import compute
from tests.unit.edge.calc.small_works import (
    KILN,
    STEELWORKS,
    Config,
    kiln,
    month,
    steelworks,
    with_clinker,
)

BAD = [140, 140]


def emissions(output: Config) -> dict[str, str]:
    return {f"{line['category']} {line['kind']}": line["emission_t"] for line in output["lines"]}


def test_a_kiln_without_a_clinker_meter_says_so() -> None:
    given = month(kiln(), KILN)
    frames = {"frames": {"point": "coal.total", "rule": "totaliser", "class": "meter-direct"}}
    assert given["fuel"] == [{
        "kind": "bituminous", "quantity": "100", "use": "kiln", "unit": "kiln-1",
        "provenance": {"quantity": frames},
    }]  # fmt: skip
    assert given["substitute"][0]["purchased"] == "50"
    assert (given["clinker"], "output" in given, "anode" in given) == ([], False, False)
    output = compute(given)
    # coal 100 t × 23.076 GJ/t × 0.02618 tC/GJ = 60.412968 tC; × 0.99 × 44/12 = 219.29907…
    # carbide slag 50 t × 0.480 = 24.00, subtracted
    assert emissions(output) == {"fuel bituminous": "219.30", "substitute carbide-slag": "24.00"}
    assert output["totals"] == {"fuel_t": "219.30", "clinker_t": "-24.00", "total_t": "195.30"}
    assert output["units"] == {"kiln-1": {"fuel_t": "219.30", "total_t": "219.30"}}
    assert {"no-clinker", "stock-incomplete"} <= set(output["flags"])
    assert "intensity" not in output


def test_a_kiln_with_a_clinker_weigher() -> None:
    output = compute(month(with_clinker(kiln()), KILN))
    assert emissions(output)["clinker portland"] == "535.00"  # 1000 t × 0.535
    # 219.30 + 535.00 - 24.00; by 1000 t: 0.7303
    assert (output["totals"]["total_t"], output["intensity"]) == ("730.30", "0.7303")
    assert "no-clinker" not in output["flags"]


def test_a_steelworks_balances_what_came_and_what_left() -> None:
    given = month(steelworks(), STEELWORKS)
    assert [entry.get("output") for entry in given["fuel"]] == [None, "100"]
    output = compute(given)
    # coal 1000 t × 26.344 × 0.02541 = 669.40104 tC × 44/12 = 2454.47048
    # coke -100 t × 28.435 × 0.02942 = -83.65577 tC × 44/12 = -306.73782
    # electrodes 10 × 3.663; steel 2000 × 0.037, subtracted
    assert emissions(output) == {
        "fuel washed-coal": "2454.47", "fuel coke": "-306.74", "process electrode": "36.63",
        "product crude-steel": "74.00",
    }  # fmt: skip
    # 2454.47 - 306.74 + 36.63 - 74.00 = 2110.36; by 2000 t 1.05518
    assert (output["totals"]["total_t"], output["intensity"]) == ("2110.36", "1.0552")
    assert {"net-output", "stock-incomplete"} <= set(output["flags"])
    assert "blast-furnace-gas" not in str(output["lines"]), "what burns is no line"


def test_every_totaliser_and_every_flow_is_told() -> None:
    given = month(steelworks(), STEELWORKS)
    assert [meter["point"] for meter in given["totalisers"]] == [
        "coal.bought", "coke.sold", "rods.total", "steel.total", "steel.total",
    ]  # fmt: skip
    assert [check["flow_point"] for check in given["checks"]] == [
        "coal.flow", "coke.flow", "rods.flow", "steel.flow",
    ]  # fmt: skip


@pytest.mark.parametrize("lost", ["purchased", "output"])
def test_half_of_a_difference_is_none(lost: str) -> None:
    config = steelworks()
    config["statement"]["fuels"] = [{
        "kind": "coke", "rule": "totaliser", "purchased": "coal.bought", "output": "coke.sold",
    }]  # fmt: skip
    point = config["statement"]["fuels"][0][lost]
    given = month(config, STEELWORKS, {point: BAD})
    assert given["fuel"] == []
    assert f"no-reading:{point}" in given["flags"]
    assert "no-fuel" in compute(given)["flags"]


def test_an_entry_that_changes_begins_anew_with_both_its_meters() -> None:
    config, fold = steelworks(), MonthFold()
    config["statement"]["fuels"] = [{
        "kind": "coke", "rule": "totaliser", "purchased": "coal.bought", "output": "coke.sold",
    }]  # fmt: skip
    fold.configure(config)
    changed = {**config, "statement": {**config["statement"]}}
    changed["statement"]["fuels"] = [{**config["statement"]["fuels"][0], "unit": "coke-1"}]
    fold.configure(changed)
    points = [meter["point"] for meter in fold.result(0, 1, "interim")["totalisers"]]
    assert points[:2] == ["coal.bought", "coke.sold"]
    assert points[-2:] == ["coal.bought", "coke.sold"]


def _put(config: Config, part: str, value: Any) -> Config:
    config["statement"][part] = value
    return config


def _coke(**other: str) -> Config:
    return _put(kiln(), "fuels", [{"kind": "coke", **other}])


TOTAL = {"point": "coal.total", "rule": "totaliser"}


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (_put(kiln(), "metal", TOTAL), "metal: .* has none"),
        (_put(kiln(), "process", []), "process: cets-ag-02.01-v01-2024 .cement. has none"),
        (_put(steelworks(), "kiln_feed", {}), "kiln_feed: .* has none"),
        ({**kiln(), "potlines": [{}]}, "potlines: .* has none"),
        (_coke(point="coal.flow"), "does not fit coke"),
        (_coke(point="coal.total", use="car"), "use must"),
        (_coke(point="coal.total", unit="A B"), "unit 'A B' must match"),
        (_coke(), "has none of point purchased output"),
        (_put(steelworks(), "process", [{"material": "peat", "point": "coal.bought"}]), "no proc"),
        (_put(steelworks(), "burnt", [{"kind": "coke", "flow_point": "ng.flow"}]), "does not fit"),
        (_put(kiln(), "kiln_feed", {"kind": "portland", "flow_point": "meal.feed",
                                    "meal_per_clinker": "0"}), "must be above zero"),
    ],
)  # fmt: skip
def test_what_cannot_be_counted_is_refused(config: Config, says: str) -> None:
    with pytest.raises(PlantError, match=says):
        MonthFold().configure(config)


def test_coal_weighed_dry_is_refused() -> None:
    """The defaults are of fuel as received; four points of moisture are 4 % of the emission."""
    config = kiln()
    quantity = {"kind": "solid-fuel-mass", "unit": "t", "fuel_basis": "d"}
    config["points"][0]["quantity"] = quantity
    with pytest.raises(PlantError, match="counted at d; bituminous needs ar"):
        MonthFold().configure(config)
