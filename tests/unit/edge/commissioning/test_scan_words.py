"""What a person may ask a scan for, and what they are told instead."""

import pytest

from edge.commissioning.scan_hosts import HOSTS_MAX, check_hosts
from edge.commissioning.scan_modbus import Unit, parse_units, with_unit
from edge.commissioning.scan_text import unit_lines


@pytest.mark.parametrize(
    ("text", "units"),
    [("7", [7]), ("1-3", [1, 2, 3]), ("1-3,100,2", [1, 2, 3, 100]), ("0,255", [0, 255])],
)
def test_units(text: str, units: list[int]) -> None:
    assert parse_units(text) == units


@pytest.mark.parametrize("text", ["", "a", "3-1", "256", "1-", "-3", "1-2-3", "1;2"])
def test_no_units(text: str) -> None:
    with pytest.raises(ValueError, match="unit"):
        parse_units(text)


def test_a_line_needs_no_unit_to_be_scanned() -> None:
    line = "modbus+rtu:///dev/ttyS0?baud=9600&parity=E"
    assert with_unit(line) == f"{line}&unit=1"
    assert with_unit("modbus+tcp://10.0.0.7") == "modbus+tcp://10.0.0.7?unit=1"
    assert with_unit("modbus+tcp://10.0.0.7?unit=9") == "modbus+tcp://10.0.0.7?unit=9"


@pytest.mark.parametrize("host", ["10.0.0.0/24", "10.0.0.*", "10.0.0.1-20", "10.0.0.1-10.0.0.9"])
def test_networks_are_not_swept(host: str) -> None:
    with pytest.raises(ValueError, match="networks are not swept"):
        check_hosts([host])


def test_hosts_are_named_one_by_one_and_not_too_many() -> None:
    check_hosts(["plc-1", "10.0.0.7", "fe80::1"])
    with pytest.raises(ValueError, match="too many at once"):
        check_hosts(["10.0.0.7"] * (HOSTS_MAX + 1))


def test_a_server_that_answers_to_everything_is_told_of() -> None:
    same = [Unit(n, "holding 0x0000 is 0x0001", 0.002) for n in (1, 2)]
    text = list(unit_lines(same, "modbus+tcp://10.0.0.7?requests_per_s=4"))
    assert text[0] == "unit   1  holding 0x0000 is 0x0001 (2 ms)"
    assert "often answers to every unit id" in text[2]
    assert text[3] == (
        'next: stackproof edge read "modbus+tcp://10.0.0.7?unit=1&requests_per_s=4" holding:0'
    )


def test_a_unit_without_holding_registers_is_asked_for_input_registers_next() -> None:
    (_, text) = unit_lines(
        [Unit(1, "refused: illegal function (1)", 0.01)], "modbus+tcp://10.0.0.7"
    )
    assert text == 'next: stackproof edge read "modbus+tcp://10.0.0.7?unit=1" input:0'


def test_nobody() -> None:
    assert "nobody answers" in next(unit_lines([], "modbus+tcp://10.0.0.7"))
