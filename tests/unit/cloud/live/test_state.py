"""The live state of a plant: values, effects, delivery, shares; what a delta holds."""

from typing import Any

import pytest

from cloud.live.facts import gateway_facts
from cloud.live.message import parse_live
from cloud.live.state import EFFECTS_SHOWN, PlantState
from tests.unit.cloud.live_examples import (
    CFG,
    GATEWAY,
    NS,
    PLANT,
    T0,
    configuration,
    effect,
    message,
    payload,
    values,
)


@pytest.fixture
def state() -> PlantState:
    fresh = PlantState(PLANT)
    fresh.configure(GATEWAY, gateway_facts(GATEWAY, configuration()))
    return fresh


def feed(state: PlantState, second: int, **more: Any) -> int | None:
    parsed = parse_live(payload(second, **more), PLANT, GATEWAY)
    return state.apply(GATEWAY, parsed, T0 + second * NS + 40)


def shares(state: PlantState, second: int) -> dict[str, float | None]:
    return {row["id"]: row["share"] for row in state.snapshot(T0 + second * NS)["trusted"]}


def test_before_anything_arrives_everything_is_there_and_nothing_has_a_value(
    state: PlantState,
) -> None:
    got = state.snapshot(T0)
    assert got["values"] == {}
    assert got["effects"] == []
    assert got["server_ns"] == T0
    assert set(got["points"]) == {p["id"] for p in configuration()["points"]}
    assert got["potlines"][0]["gateway"] == GATEWAY
    assert got["qualities"]["134"] == ["sensor or device fault", "传感器或设备故障"]
    (gateway,) = got["gateways"]
    assert gateway["online"] is None
    assert gateway["tick_ns"] is None
    assert gateway["sealed_through_ns"] is None
    assert shares(state, 0) == {"ac.energy": None, "line-1": None}


def test_values_carry_quality_and_both_times(state: PlantState) -> None:
    assert feed(state, 3) == 0
    got = state.snapshot(T0 + 4 * NS)
    assert got["values"]["p.01.voltage"] == ["4.21", 0, T0 + 3 * NS, T0]
    assert got["values"]["plant.co2e_t_h"] == ["5.861", 0, T0 + 3 * NS, None]


def test_a_value_under_a_bad_quality_is_never_shown(state: PlantState) -> None:
    feed(state, 0, values={"p.01.voltage": ["4.21", 135, None]})
    assert state.snapshot(T0)["values"]["p.01.voltage"] == [None, 135, T0, None]


def test_a_reserved_quality_keeps_its_value(state: PlantState) -> None:
    feed(state, 0, values={"p.01.voltage": ["4.21", 127, None]})
    assert state.snapshot(T0)["values"]["p.01.voltage"] == ["4.21", 127, T0, None]


def test_points_that_are_not_configured_are_dropped_and_counted(state: PlantState) -> None:
    assert feed(state, 0, values=values() | {"other.point": ["1", 0, None]}) == 1
    assert "other.point" not in state.snapshot(T0)["values"]


def test_the_gateways_own_words_arrive(state: PlantState) -> None:
    feed(state, 2)
    (gateway,) = state.snapshot(T0)["gateways"]
    assert gateway["online"] is True
    assert (gateway["tick_ns"], gateway["received_ns"]) == (T0 + 2 * NS, T0 + 2 * NS + 40)
    assert gateway["spool"] == message()["spool"]
    assert gateway["clock"] == {"source": "ntp", "error_ms": 3}
    assert gateway["cfg"] == CFG


def test_an_alarm_stands_from_its_first_message_until_one_without_it(state: PlantState) -> None:
    for second, names in ((0, []), (1, ["disk-low"]), (2, ["disk-low", "spool-full"])):
        feed(state, second, alarms=names)
    state.alarms = [{"gateway": "", "reason": "fork", "count": 1, "newest_ns": T0, "sentence": ""}]
    fork, *standing = state.snapshot(T0 + 3 * NS)["alarms"]
    assert fork == {"gateway": "", "reason": "fork", "count": 1, "newest_ns": T0}
    assert standing == state.take_delta(T0 + 3 * NS)["alarms"][1:]
    assert standing == [
        {"gateway": GATEWAY, "reason": "edge.disk-low", "since_ns": T0 + NS},
        {"gateway": GATEWAY, "reason": "edge.spool-full", "since_ns": T0 + 2 * NS},
    ]
    feed(state, 4, alarms=["spool-full"])
    assert state.snapshot(T0 + 4 * NS)["alarms"][1:] == standing[1:]
    feed(state, 5)
    assert state.snapshot(T0 + 5 * NS)["alarms"][1:] == []


def test_a_late_message_is_ignored_but_a_clock_set_back_is_not(state: PlantState) -> None:
    feed(state, 10)
    assert feed(state, 10) is None
    assert feed(state, 8, values=values("9.99")) is None
    assert state.snapshot(T0)["values"]["p.01.voltage"][0] == "4.21"
    assert feed(state, 1, values=values("4.33")) == 0  # 9 s back: the clock was set
    assert state.snapshot(T0)["values"]["p.01.voltage"] == ["4.33", 0, T0 + NS, T0]


def test_sealed_never_goes_back_but_a_receipt_is_always_the_last(state: PlantState) -> None:
    state.seal(GATEWAY, 5, T0 + 50 * NS, T0 + 52 * NS)
    state.seal(GATEWAY, 4, T0 + 40 * NS, T0 + 53 * NS)
    (gateway,) = state.snapshot(T0)["gateways"]
    assert gateway["sealed_seq"] == 5
    assert gateway["sealed_through_ns"] == T0 + 50 * NS
    assert gateway["receipt_ns"] == T0 + 53 * NS


def test_a_delta_holds_what_changed_and_is_then_empty(state: PlantState) -> None:
    feed(state, 0, values={"p.01.voltage": ["4.21", 0, None]}, effects=[effect(0)])
    first = state.take_delta(T0)
    assert set(first["values"]) == {"p.01.voltage"}
    assert [row["pot"] for row in first["effects"]] == ["01"]
    again = state.take_delta(T0 + NS)
    assert again["values"] == {}
    assert again["effects"] == []
    assert again["server_ns"] == T0 + NS
    assert again["gateways"][0]["tick_ns"] == T0


def test_two_messages_between_deltas_leave_each_point_its_own_tick(state: PlantState) -> None:
    feed(state, 0, values={"p.01.voltage": ["4.21", 0, None]})
    feed(state, 1, values={"p.02.voltage": ["4.19", 0, None]})
    assert state.take_delta(T0)["values"] == {
        "p.01.voltage": ["4.21", 0, T0, None],
        "p.02.voltage": ["4.19", 0, T0 + NS, None],
    }


def test_an_unchanged_effect_is_not_sent_again_and_a_changed_one_is(state: PlantState) -> None:
    feed(state, 0, effects=[effect(0)])
    state.take_delta(T0)
    feed(state, 1, effects=[effect(0)])
    assert state.take_delta(T0)["effects"] == []
    feed(state, 2, effects=[effect(0, 2, v_max="33.0", flags=[])])
    (row,) = state.take_delta(T0)["effects"]
    assert (row["v_max"], row["end_ns"], row["lost"]) == ("33.0", T0 + 2 * NS, False)


def test_a_running_effect_that_is_heard_of_no_more_is_lost_not_running(state: PlantState) -> None:
    feed(state, 0, effects=[effect(0)])
    feed(state, 700, effects=[])
    (row,) = state.take_delta(T0)["effects"]
    assert row["lost"] is True
    assert row["end_ns"] is None
    feed(state, 701, effects=[effect(0, 5)])  # heard of again after all
    (row,) = state.take_delta(T0)["effects"]
    assert (row["lost"], row["end_ns"]) == (False, T0 + 5 * NS)


def test_an_ended_effect_stays_after_the_gateway_stops_telling(state: PlantState) -> None:
    feed(state, 0, effects=[effect(0, 1)])
    feed(state, 700, effects=[])
    (row,) = state.snapshot(T0)["effects"]
    assert (row["end_ns"], row["lost"]) == (T0 + NS, False)


def test_only_the_newest_effects_are_kept_newest_first(state: PlantState) -> None:
    for second in range(EFFECTS_SHOWN + 10):
        feed(state, second, effects=[effect(second, second + 1)])
    starts = [row["start_ns"] for row in state.snapshot(T0)["effects"]]
    assert starts == [T0 + s * NS for s in range(EFFECTS_SHOWN + 9, 9, -1)]
    assert len(state.take_delta(T0)["effects"]) == EFFECTS_SHOWN + 10


def test_history_of_pots_and_emission_but_of_nothing_else(state: PlantState) -> None:
    feed(state, 0)
    feed(state, 1, values=values(None))
    now_ns = T0 + NS
    assert state.history("p.01.voltage", now_ns) == [(T0, 4.21), (T0 + NS, None)]
    assert state.history("plant.co2e_t_h", now_ns) == [(T0, 5.861), (T0 + NS, 5.861)]
    assert state.history("p.01.state", now_ns) == []
    assert state.history("nowhere", now_ns) == []
    assert state.history("p.01.voltage", T0 + 601 * NS) == [(T0 + NS, None)]


def test_half_the_pots_without_a_value_halve_the_lines_share(state: PlantState) -> None:
    feed(state, 0, values=values(None))
    assert shares(state, 0)["line-1"] == 0.5


def test_a_pot_that_does_not_produce_stands_outside_the_share(state: PlantState) -> None:
    feed(state, 0, values=values(None) | {"p.01.state": ["3", 0, None]})
    assert shares(state, 0)["line-1"] == 1.0


def test_a_pot_of_unknown_state_is_not_excused(state: PlantState) -> None:
    feed(state, 0, values=values(None) | {"p.01.state": [None, 128, None]})
    assert shares(state, 0)["line-1"] == 0.5


def test_a_slow_meter_is_asked_only_when_it_is_read(state: PlantState) -> None:
    for second in range(21):
        row = {"ac.energy": ["100.0", 0, None]} if second % 10 == 0 else {}
        feed(state, second, values=values() | row)
    assert shares(state, 20) == {"ac.energy": 1.0, "line-1": 1.0}


def test_a_dead_meter_loses_its_whole_share(state: PlantState) -> None:
    for second in (0, 10, 20):
        feed(state, second, values={"ac.energy": [None, 128, None]})
    assert shares(state, 20)["ac.energy"] == 0.0


def test_todays_count_follows_the_totaliser(state: PlantState) -> None:
    feed(state, 0, values={"ac.energy": ["100.0", 0, None]})
    feed(state, 10, values={"ac.energy": [None, 128, None]})
    feed(state, 20, values={"ac.energy": ["103.5", 0, None]})
    assert state.snapshot(T0)["today"] == {
        "ac.energy": {"amount": "3.5", "from_ns": T0, "whole": False, "reset": False}
    }


def test_a_new_configuration_forgets_points_it_no_longer_has(state: PlantState) -> None:
    feed(state, 0)
    config = configuration()
    config["points"] = config["points"][:6]
    config["groups"] = config["groups"][:2]
    state.configure(GATEWAY, gateway_facts(GATEWAY, config))
    got = state.snapshot(T0)
    assert "plant.co2e_t_h" not in got["values"]
    assert got["values"]["p.01.voltage"][0] == "4.21"
    assert "plant.co2e_t_h" not in state.take_delta(T0)["values"]


def test_two_gateways_make_one_plant(state: PlantState) -> None:
    second = configuration()
    second["points"] = [dict(second["points"][5], id="gas.volume")]
    second["groups"] = [{"schedule": 0, "dtype": 86, "computed": False, "points": [0]}]
    second["potlines"] = []
    second["statement"] = {"fuels": [{"kind": "natural-gas", "point": "gas.volume"}]}
    state.configure("edge-2", gateway_facts("edge-2", second))
    got = state.snapshot(T0)
    assert [g["id"] for g in got["gateways"]] == [GATEWAY, "edge-2"]
    assert got["points"]["gas.volume"]["gateway"] == "edge-2"
    assert got["statement"]["fuels"] == [{"kind": "natural-gas", "point": "gas.volume"}]
    assert got["statement"]["auxiliary"] == [{"kind": "electricity", "point": "ac.energy"}]
    # a running effect of one gateway is not lost because the other does not speak of it
    feed(state, 0, effects=[effect(0)])
    other = parse_live(
        payload(1, gateway="edge-2", values={"gas.volume": ["1.0", 0, None]}), PLANT, "edge-2"
    )
    assert state.apply("edge-2", other, T0) == 0
    assert state.snapshot(T0)["effects"][0]["lost"] is False


def test_a_gateway_cannot_speak_for_anothers_points(state: PlantState) -> None:
    second = configuration()
    second["points"] = [dict(second["points"][5], id="gas.volume")]
    second["groups"], second["potlines"], second["statement"] = [], [], {}
    state.configure("edge-2", gateway_facts("edge-2", second))
    foreign = parse_live(payload(0, gateway="edge-2"), PLANT, "edge-2")
    assert state.apply("edge-2", foreign, T0) == len(values())
    assert state.snapshot(T0)["values"] == {}


def test_the_newest_gap_of_a_point_is_told(state: PlantState) -> None:
    """Broken from second 2 to 5; then silent from 5 to 20, at a reading each second."""
    voltage = "p.01.voltage"
    for second, volts in ((0, "4.2"), (2, None), (3, None), (5, "4.2")):
        feed(state, second, values=values(volts_1=volts))
        if second == 2:
            assert state.take_delta(T0)["gaps"][voltage] == [T0 + 2 * NS, None]
    assert state.snapshot(T0)["gaps"] == {voltage: [T0 + 2 * NS, T0 + 5 * NS]}
    assert state.take_delta(T0)["gaps"] == {voltage: [T0 + 2 * NS, T0 + 5 * NS]}
    assert state.take_delta(T0)["gaps"] == {}
    feed(state, 20)
    assert state.snapshot(T0)["gaps"][voltage] == [T0 + 5 * NS, T0 + 20 * NS]


def test_effects_are_asked_for_by_pot_and_more_than_a_snapshot_holds(state: PlantState) -> None:
    for second in range(EFFECTS_SHOWN + 10):
        feed(state, second, effects=[effect(second, second + 1, integral_v_s="55.5")])
    assert len(state.effects("line-1", "01")) == EFFECTS_SHOWN + 10
    assert state.effects(pot="01")[0]["integral_v_s"] == "55.5"
    assert state.effects("line-2") == state.effects("line-1", "02") == []
