"""Meters by DL/T 645 and loggers by HJ 212 in the site file: their points, and what is signed."""

from pathlib import Path

import pytest

from evidence import cbor
from evidence.blocks import compress
from evidence.configuration import decode_configuration
from tests.unit.edge.sites import (
    METERS,
    config_of,
    problems,
    replaced,
    site_of,
)

MN = "010000A8900016F000169DC0"
METER = """\
[[device]]
id = "grid"
url = "dlt645+serial:///dev/ttyS0?address=123456789012"
profile = "stackproof/dlt645-meter"
provenance = "meter-direct"
ct_ratio = "800/5"
vt_ratio = "10000/100"
interval_s = "3"
"""
LOGGER = f"""\
[[device]]
id = "stack"
url = "hj212://127.0.0.1:9212?mn={MN}"
profile = "stackproof/cems-logger"
provenance = "via-control-system"
interval_s = "30"
points = ["co2", "co2_minutes", "co2_mark"]
"""
SITE = METERS.replace("provenance", 'interval_s = "3"\nprovenance') + METER + LOGGER


def test_their_points_stand_in_the_signed_configuration(tmp_path: Path) -> None:
    config = config_of(site_of(tmp_path, SITE))
    points = {point["id"]: point for point in config["points"]}
    energy = points["grid.energy_import"]
    assert energy["source"] == "DI 00010000 XXXXXX.XX"
    assert energy["scaling"] == {
        "raw_decimals": 2, "ct_ratio": "800/5", "vt_ratio": "10000/100",
    }  # fmt: skip
    assert points["grid.voltage_a"]["scaling"] == {"raw_decimals": 1, "vt_ratio": "10000/100"}
    assert points["grid.frequency"]["scaling"] == {"raw_decimals": 2}
    assert points["stack.co2"]["source"] == "a05001-Rtd of CN 2011"
    assert points["stack.co2_minutes"]["source"] == "a05001-Avg of CN 2051"
    assert ["77", "M: maintenance"] in [
        [str(value), name] for value, name in points["stack.co2_mark"]["states"]
    ]
    assert {p for p in points if p.startswith("stack.")} == {
        "stack.co2", "stack.co2_minutes", "stack.co2_mark",
    }  # fmt: skip
    urls = {device["id"]: device["url"] for device in config["devices"]}
    assert urls["stack"] == f"hj212://127.0.0.1:9212?mn={MN}"
    assert urls["grid"] == "dlt645+serial:///dev/ttyS0?address=123456789012"


def test_a_meter_whose_line_is_too_slow_for_its_interval_is_a_problem(tmp_path: Path) -> None:
    """Ten data items at 2400 baud, 11 bits a character: 4 FE and 16 bytes ask for one; answers have
    20 for the energies and 18 or 19 for the others: 1.78 s; and 20 ms before each answer: 1.98 s
    each second.
    """  # noqa: D205 - one sum
    ((key, reason),) = problems(tmp_path, SITE.replace('interval_s = "3"', 'interval_s = "1"'))
    assert key == "device[2].interval_s"
    assert "/dev/ttyS0 would be busy 198% of its time" in reason


def test_a_reader_takes_that_configuration(tmp_path: Path) -> None:
    config = config_of(site_of(tmp_path, SITE))
    assert decode_configuration(compress(cbor.encode(config)))["points"] == config["points"]


@pytest.mark.parametrize(
    ("old", "new", "key", "reason"),
    [
        (f"?mn={MN}", "", "device[3].url", "gives no mn="),
        ("127.0.0.1:9212", "0.0.0.0:9212", "device[3].url", "name the logger's address"),
        ("123456789012", "AAAAAAAAAAAA", "device[2].url", "A stands for any meter"),
        (
            "dlt645+serial:///dev/ttyS0",
            "modbus+tcp://h:1",
            "device[2].profile",
            "that speaks dlt645, and modbus+tcp:// is modbus",
        ),
        (
            '"stackproof/cems-logger"',
            '"stackproof/gas-meter"',
            "device[3].profile",
            "speaks modbus, and hj212:// is hj212",
        ),
        (
            "stackproof/dlt645-meter",
            "stackproof/ac-meter",
            "device[2].profile",
            "speaks modbus, and dlt645+serial:// is dlt645",
        ),
    ],
)
def test_mistakes(old: str, new: str, key: str, reason: str, tmp_path: Path) -> None:
    found = problems(tmp_path, replaced(SITE, {old: new}))
    assert any(k == key and reason in r for k, r in found), found
