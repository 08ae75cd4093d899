"""`[[device.stated]]`: what a meter's settings are, and why, from site file to signed bytes."""

from pathlib import Path

import pytest

from evidence import cbor
from evidence.blocks import compress
from evidence.configuration import decode_configuration
from tests.unit.edge.sites import AC, HEAD, config_of, problems, site_of

STATED = """\
[[device.stated]]
setting = "ct_primary"
value = "800"
reason = "type plate"
[[device.stated]]
setting = "ct_primary"
value = "400"
reason = "transformers replaced, work order 4711"
"""
TCP = "modbus+tcp://127.0.0.1:15020?unit=1"
LISTEN = AC.replace(TCP, "modbus+listen:///dev/ttyS0?unit=1&baud=9600&parity=E&stop_bits=1")
STATEMENT = "[statement]\n"


def test_they_are_signed_in_order_beside_the_rows(tmp_path: Path) -> None:
    config = config_of(site_of(tmp_path, HEAD + STATEMENT + AC + STATED))
    (device,) = config["devices"]
    assert list(device["meter"]) == [
        "serial", "firmware", "ct_primary", "ct_secondary", "totaliser_resets",
        "parameter_changes",
    ]  # fmt: skip
    assert device["meter"]["ct_primary"]["stated"] == [
        ["800", "type plate"], ["400", "transformers replaced, work order 4711"]
    ]  # fmt: skip
    assert "stated" not in device["meter"]["serial"]
    assert decode_configuration(compress(cbor.encode(config)))["devices"] == config["devices"]


def test_a_driver_that_reads_none_signs_none(tmp_path: Path) -> None:
    (device,) = config_of(site_of(tmp_path, HEAD + STATEMENT + LISTEN))["devices"]
    assert "meter" not in device


@pytest.mark.parametrize(
    ("text", "key", "part"),
    [
        (STATED.replace("ct_primary", "ct_ratio"), "stated[0].setting", "is no setting of"),
        (STATED.replace('"800"', "800"), "stated[0].value", "must be text"),
        (STATED.replace('"800"', f'"{"8" * 129}"'), "stated[0].value", "at most 128 characters"),
        (STATED.replace('reason = "type plate"\n', ""), "stated[0].reason", "is missing: who says"),
        (STATED.replace("type plate", "x" * 201), "stated[0].reason", "has 201 characters"),
        (STATED + STATED, "stated[2].reason", "stands there already"),
        (STATED + "because = 1\n", "stated[1].because", "unknown key"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_one(tmp_path: Path, text: str, key: str, part: str) -> None:
    found = problems(tmp_path, HEAD + STATEMENT + AC + text)
    assert any(at == f"device[0].{key}" and part in reason for at, reason in found), found


def test_of_a_device_whose_settings_are_not_read(tmp_path: Path) -> None:
    found = problems(tmp_path, HEAD + STATEMENT + LISTEN + STATED)
    assert any(at == "device[0].stated" and "no effect" in reason for at, reason in found), found


def test_a_blank_value_may_be_stated(tmp_path: Path) -> None:
    blank = STATED.replace('"400"', '""')
    (device,) = config_of(site_of(tmp_path, HEAD + STATEMENT + AC + blank))["devices"]
    assert device["meter"]["ct_primary"]["stated"][1][0] == ""
