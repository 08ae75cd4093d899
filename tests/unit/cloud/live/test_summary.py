"""A plant in one line."""

import pytest

from cloud.live.facts import gateway_facts
from cloud.live.message import parse_live
from cloud.live.state import PlantState
from cloud.live.summary import summary
from tests.unit.cloud.live_examples import (
    GATEWAY,
    NS,
    PLANT,
    T0,
    configuration,
    effect,
    payload,
    values,
)  # fmt: skip


@pytest.fixture
def state() -> PlantState:
    fresh = PlantState(PLANT)
    fresh.configure(GATEWAY, gateway_facts(GATEWAY, configuration()))
    return fresh


def feed(state: PlantState, **more: object) -> None:
    state.apply(GATEWAY, parse_live(payload(0, **more), PLANT, GATEWAY), T0 + 40)


def test_before_anything_came(state: PlantState) -> None:
    told = summary(state, T0)
    assert told["plant"]["name"] == "Mini"
    assert told["headline"] == {
        "point": "plant.co2e_t_h", "unit": "tCO2e/h", "value": None, "quality": None,
        "age_ns": None, "grade": "none",
    }  # fmt: skip
    assert told["beside"] == []
    assert told["trusted"] is None
    assert told["gateways"] == {"all": 1, "offline": 1, "silent": 0}


def test_a_value_grows_old_and_a_bad_one_is_no_value(state: PlantState) -> None:
    feed(state, effects=[effect(0)])
    now = summary(state, T0 + 2 * NS)
    assert (now["headline"]["value"], now["headline"]["grade"]) == ("5.861", "good")
    assert now["headline"]["age_ns"] == 2 * NS - 40 + 5  # its way here is not counted twice
    running = {"potline": "line-1", "pot": "01", "start_ns": T0}
    assert now["effects"] == [{**running, "heard": True}]
    assert now["trusted"]["lowest"] == "line-1"
    assert now["gateways"] == {"all": 1, "offline": 0, "silent": 0}
    later = summary(state, T0 + 6 * NS)
    assert later["headline"]["grade"] == "stale"
    assert later["gateways"]["silent"] == 1
    assert later["effects"] == [{**running, "heard": False}]  # it may have ended
    state.set_online(GATEWAY, online=False)
    assert summary(state, T0 + 6 * NS)["gateways"] == {"all": 1, "offline": 1, "silent": 0}
    state.configure(GATEWAY, gateway_facts(GATEWAY, configuration()))
    bad = {**values(), "plant.co2e_t_h": [None, 138, None]}
    state.apply(GATEWAY, parse_live(payload(1, values=bad), PLANT, GATEWAY), T0 + NS)
    told = summary(state, T0 + NS)["headline"]
    assert (told["value"], told["quality"], told["grade"]) == (None, 138, "bad")
    assert told["why"] == {"en": "an input of the calculation is missing", "zh": "计算输入缺失"}


def test_another_view_of_the_same_emission_stands_beside_and_is_no_headline() -> None:
    """Steel's: what leaves by the stacks, and what the month counts."""
    said = configuration(sector="steel")
    said["points"][6]["id"] = "plant.now_co2_t_h"
    month = said["points"][6] | {"id": "plant.month_co2_t_h"}
    said["points"].append(month)
    said["groups"][2]["points"].append(7)
    steel = PlantState(PLANT)
    steel.configure(GATEWAY, gateway_facts(GATEWAY, said))
    feed(steel, values={"plant.now_co2_t_h": ["7.5", 0, None],
                        "plant.month_co2_t_h": [None, 138, None]})  # fmt: skip
    told = summary(steel, T0 + NS)
    assert (told["headline"]["point"], told["headline"]["value"]) == ("plant.now_co2_t_h", "7.5")
    (beside,) = told["beside"]
    assert (beside["point"], beside["value"], beside["grade"]) == (
        "plant.month_co2_t_h", None, "bad",
    )  # fmt: skip


def test_a_dead_meter_that_the_month_does_not_use_is_told(state: PlantState) -> None:
    """The small plant's meters, all but one with a value; computed points are not counted."""
    points = gateway_facts(GATEWAY, configuration()).points
    measured = [point for point, row in points.items() if not row["computed"]]
    feed(state)
    missing = [i for i in measured if i not in values()]
    assert summary(state, T0 + 40)["points"]["without"] == len(missing)
    dead = {**values(), "p.01.voltage": [None, 128, None]}
    state.apply(GATEWAY, parse_live(payload(1, values=dead), PLANT, GATEWAY), T0 + NS + 40)
    first = min([*missing, "p.01.voltage"])
    assert summary(state, T0 + NS + 40)["points"] == {
        "measured": len(measured),
        "without": len(missing) + 1,
        "first": first,
    }
