"""What the page learns from a signed configuration, and what it does not."""

import json
from typing import Any

import pytest

from cloud.live.facts import FactsError, gateway_facts
from tests.unit.cloud.live_examples import NS, configuration, point


def test_points_carry_unit_decimals_role_provenance_and_their_own_interval() -> None:
    facts = gateway_facts("edge-1", configuration())
    volts = facts.points["p.01.voltage"]
    assert volts["unit"] == "V"
    assert volts["decimals"] == 2
    assert volts["provenance"] == "meter-direct"
    assert volts["role"] == "gauge"
    assert volts["gateway"] == "edge-1"
    assert volts["interval_ns"] == NS
    assert volts["computed"] is False
    assert facts.points["ac.energy"]["interval_ns"] == 10 * NS
    assert facts.points["plant.co2e_t_h"]["computed"] is True
    assert facts.points["p.01.state"]["states"] == [[1, "producing"], [3, "start-up"]]


def test_plant_and_simulated_mark() -> None:
    assert gateway_facts("g", configuration()).plant == {
        "id": "mini", "name": "Mini", "sector": "aluminium", "time_zone": "Asia/Shanghai",
        "rule_set": "rules-1", "simulated": False,
    }  # fmt: skip
    assert gateway_facts("g", configuration(simulated=True)).plant["simulated"] is True


def test_inputs_of_the_month_are_its_meters_and_the_pots_of_each_line() -> None:
    meter, line = gateway_facts("g", configuration()).inputs
    assert (meter.id, meter.points, meter.interval_ns) == ("ac.energy", ("ac.energy",), 10 * NS)
    assert (line.id, line.points) == ("line-1", ("p.01.voltage", "p.02.voltage"))
    assert line.states == ("p.01.state", "p.02.state")
    assert line.producing == {"1"}


def test_what_came_and_what_left_are_inputs_too() -> None:
    config = configuration()
    config["statement"] = {
        "fuels": [{"kind": "coke", "purchased": "p.01.voltage", "output": "p.02.voltage"}],
        "output": {"point": "ac.energy"},
    }
    inputs = gateway_facts("g", config).inputs
    assert [row.id for row in inputs[:3]] == ["p.01.voltage", "p.02.voltage", "ac.energy"]


def test_recorded_are_pot_voltages_and_the_emission_rate() -> None:
    facts = gateway_facts("g", configuration())
    assert facts.recorded == {"p.01.voltage", "p.02.voltage", "plant.co2e_t_h"}
    assert facts.totalisers == {"ac.energy"}


def test_addresses_and_settings_never_reach_the_page() -> None:
    config = configuration()
    config["devices"] = [{"id": "d", "url": "modbus+tcp://10.0.0.7:502", "settings": {"pin": "1"}}]
    config["points"][0]["source"] = "holding 0x0BB8"
    facts = gateway_facts("g", config)
    text = json.dumps([facts.plant, facts.points, facts.potlines, facts.statement])
    assert "10.0.0.7" not in text
    assert "0x0BB8" not in text


def test_a_plant_without_potlines_or_statement_is_fine() -> None:
    config = configuration()
    del config["potlines"], config["statement"]
    facts = gateway_facts("g", config)
    assert facts.potlines == ()
    assert facts.inputs == ()
    assert facts.statement == {"metal": None, "fuels": [], "auxiliary": []}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("plant",), None),
        (("plant", "time_zone"), "Mars/Olympus"),
        (("plant", "time_zone"), "../etc/passwd"),
        (("points",), [{"id": "x"}]),
        (("points",), 7),
        (("schedules",), [{}]),
        (("groups",), [{"schedule": 9, "points": [0]}]),
        (("groups",), [{"schedule": 0, "points": [99]}]),
        (("potlines",), [{"id": "line-1"}]),
        (("statement",), {"auxiliary": [{"kind": "electricity", "point": "nowhere"}]}),
    ],
)
def test_a_configuration_of_another_form_is_one_error_naming_the_gateway(
    path: tuple[str, ...], value: Any
) -> None:
    config = configuration()
    inner: Any = config
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    with pytest.raises(FactsError, match="configuration of gateway edge-9"):
        gateway_facts("edge-9", config)


def test_a_pot_that_names_a_point_that_is_not_there_is_refused() -> None:
    config = configuration()
    config["potlines"][0]["pots"][0]["voltage"] = "p.99.voltage"
    with pytest.raises(FactsError, match=r"p\.99\.voltage"):
        gateway_facts("g", config)


@pytest.mark.parametrize(
    ("row", "is_name"),
    [
        (point("gas-1.serial", "count", "1", 0), True),
        (point("feeder.serial_number", "count", "1", 0), True),
        (point("uniflo.meter_number", "count", "1", 0), True),
        (point("cems.analyser_version_code", "count", "1", 0), True),
        (point("scale.weighings", "count", "1", 0), False),
        (point("gas-1.serial", "energy", "kWh", 0), False),  # a quantity, whatever it is called
        (point("counter.serial", "count", "1", 0, role="totaliser"), False),
    ],
)
def test_numbers_that_are_names_are_told_apart(row: dict[str, Any], is_name: bool) -> None:
    config = configuration()
    config["points"].append(row)
    assert gateway_facts("g", config).points[row["id"]]["identifier"] is is_name
