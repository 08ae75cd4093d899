"""A gateway whose key was stolen signs any configuration: the page's hub takes none of it amiss."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.front.shapes import PLANTS, Overview
from cloud.live.hub import LiveHub
from tests.unit.cloud.live_examples import (
    GATEWAY,
    PLANT,
    ManualClock,
    configuration,
    message,
    payload,
    values,
)  # fmt: skip

#: what CBOR can hold
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.text(max_size=8),
    st.binary(max_size=4),
    st.just("N" * 5_000),
    st.sampled_from(["Asia", "../../etc/passwd", "", "\x00", "1/0", "1e9", "nan", 0, -1]),
    st.just([]),
    st.just({}),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a tree of maps and lists."""
    rows = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, child in rows:
        found.append((*path, key))
        if isinstance(child, dict | list):
            found += places(child, (*path, key))
    return found


def require_shown(hub: LiveHub) -> None:
    """A front takes what a collector tells of this plant: else it shows none of that collector."""
    own = {"id": PLANT}  # the collector takes no configuration of another plant
    facts, told = hub.facts(PLANT), hub.summary(PLANT)
    PLANTS.validate_python([facts | own])
    Overview.model_validate({"plants": [told | {"plant": told["plant"] | own}]})


@pytest.mark.parametrize(
    "more",
    [
        {"tick_ns": 0, "sent_ns": 2**63 - 1},
        {"tick_ns": 2**63 - 1, "sent_ns": 0},
        {"values": values() | {"plant.co2e_t_h": ["-" + "9" * 20 + "." + "9" * 30, 0, None]}},
        {"values": values() | {"plant.co2e_t_h": [None, 255, 2**63 - 1]}},
    ],
)
def test_no_message_of_one_gateway_hides_a_collectors_plants(more: dict[str, Any]) -> None:
    """Nobody signs them: one of the first kind had a front refuse all plants of a collector."""
    clock = ManualClock()
    hub = LiveHub(clock)
    hub.on_config(PLANT, GATEWAY, configuration())
    hub.on_live(PLANT, GATEWAY, json.dumps(message(0) | more).encode())
    assert not hub.refused
    clock.now_ns += 3_600 * 10**9
    require_shown(hub)


@pytest.mark.parametrize("name", ["", "L" * 41, "=1+1", "a/b"])
def test_a_potline_or_pot_whose_id_is_none_is_refused(name: str) -> None:
    """It would stand in alarms, lists and tables for spreadsheets."""
    for change in ("line", "pot"):
        config = copy.deepcopy(dict(configuration()))
        (line,) = config["potlines"]
        (line if change == "line" else line["pots"][0])["id"] = name
        hub = LiveHub(ManualClock())
        hub.on_config(PLANT, GATEWAY, config)
        assert (hub.plants(), hub.refused["config"]) == ([], 1)


def test_a_long_name_is_cut() -> None:
    hub = LiveHub(ManualClock())
    hub.on_config(PLANT, GATEWAY, configuration(name="N" * 5_000, sector="S" * 5_000))
    assert hub.facts(PLANT)["name"] == "N" * 200
    require_shown(hub)


def test_a_devices_id_is_one_short_line_where_alarms_are_about_it() -> None:
    config = copy.deepcopy(dict(configuration()))
    config["points"][0]["device"] = "a\nb" + "d" * 5_000
    hub = LiveHub(ManualClock())
    hub.on_config(PLANT, GATEWAY, config)
    assert hub.snapshot(PLANT)["points"]["p.current"]["device"] == "a b" + "d" * 197


@pytest.mark.parametrize("interval_ns", [0, -1, 2**63])
def test_an_interval_that_is_none_is_refused(interval_ns: int) -> None:
    config = copy.deepcopy(dict(configuration()))
    config["schedules"][0]["interval_ns"] = interval_ns
    hub = LiveHub(ManualClock())
    hub.on_config(PLANT, GATEWAY, config)
    assert (hub.plants(), hub.refused["config"]) == ([], 1)


@pytest.mark.parametrize("zone", ["Asia", "", "../UTC", "/etc/passwd", "Nowhere", "a\0b"])
def test_a_time_zone_that_is_none_is_refused(zone: str) -> None:
    """Asia is a folder of the zone database."""
    config = copy.deepcopy(dict(configuration()))
    config["plant"]["time_zone"] = zone
    hub = LiveHub(ManualClock())
    hub.on_config(PLANT, GATEWAY, config)
    assert (hub.plants(), hub.refused["config"]) == ([], 1)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_no_configuration_raises(data: st.DataObject) -> None:
    config = copy.deepcopy(dict(configuration()))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(places(config)))
        parent: Any = config
        for key in path[:-1]:
            parent = parent[key]
        parent[path[-1]] = data.draw(LEAVES)
    hub = LiveHub(ManualClock())
    hub.on_config(PLANT, GATEWAY, config)
    hub.on_live(PLANT, GATEWAY, payload(0))
    hub.on_live(PLANT, GATEWAY, payload(1))
    hub.on_sealed(PLANT, GATEWAY, 1, 1, 1)
    if hub.plants():
        assert hub.snapshot(PLANT)["seq"] == 1
        require_shown(hub)
    else:
        assert hub.refused["config"] == 1
