"""URLs of devices: what is taken, what is refused, and with which words."""

import pytest

from edge.drivers.address import Address, parse_address
from edge.drivers.base import DeviceError
from edge.drivers.modbus.driver import ModbusDriver
from edge.drivers.opcua.driver import OpcUaDriver
from evidence.points import Dtype
from tests.unit.edge.drivers.specs import register, spec

WORD = register("word", Dtype.U16)
NODE = register("node", Dtype.F32, node="ns=2;s=Node")


def parse(url: str) -> Address:
    return parse_address(spec(url, WORD), port=502, options=("unit", "mode"))


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "options"),
    [
        ("modbus+tcp://10.0.0.7:1502?unit=3", "10.0.0.7", 1502, "", {"unit": "3"}),
        ("modbus+tcp://meter", "meter", 502, "", {}),
        ("modbus+tcp://meter:502/", "meter", 502, "/", {}),
        ("modbus+tcp://[::1]:1502", "::1", 1502, "", {}),
        ("opc.tcp://gw:4840/a/b?mode=read", "gw", 4840, "/a/b", {"mode": "read"}),
        ("modbus+tcp://meter?unit=", "meter", 502, "", {"unit": ""}),
    ],
)
def test_the_parts_of_a_url(
    url: str, host: str, port: int, path: str, options: dict[str, str]
) -> None:
    address = parse(url)
    assert (address.host, address.port, address.path) == (host, port, path)
    assert address.options == options


def test_an_address_is_written_as_people_write_it() -> None:
    assert str(parse("modbus+tcp://meter:1502")) == "meter:1502"
    assert str(parse("modbus+tcp://[::1]:1502")) == "[::1]:1502"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("modbus+tcp://", "names no host"),
        ("modbus+tcp://:502", "names no host"),
        ("modbus+tcp:///path", "names no host"),
        ("modbus+tcp://a b:502", "names no host"),
        ("modbus+tcp://meter:0", "port 0 is not in 1..65535"),
        ("modbus+tcp://meter:65536", "out of range 0-65535"),
        ("modbus+tcp://meter:abc", "write scheme://host:port"),
        ("modbus+tcp://a..b:502", "write scheme://host:port"),
        ("modbus+tcp://" + "x" * 70 + ":502", "write scheme://host:port"),
        ("modbus+tcp://[::1:502", "write scheme://host:port"),
        ("modbus+tcp://user:secret@meter:502", "no user name or password"),
        ("modbus+tcp://meter:502?slave=1", "unknown option 'slave'; known: unit mode"),
        ("modbus+tcp://meter:502?unit=1&unit=2", "option 'unit' stands there twice"),
        ("modbus+tcp://meter:502#unit=1", "'#unit=1', which means nothing here"),
    ],
)
def test_a_wrong_url_is_named_and_not_retried(url: str, reason: str) -> None:
    with pytest.raises(DeviceError) as caught:
        parse(url)
    assert reason in str(caught.value)
    assert str(caught.value).startswith("device dev: url ")
    assert caught.value.retry is False


def test_a_secret_in_a_url_is_refused_by_every_driver() -> None:
    with pytest.raises(DeviceError, match="secrets are never part of a url"):
        ModbusDriver(spec("modbus+tcp://u:p@meter", WORD))
    with pytest.raises(DeviceError, match="secrets are never part of a url"):
        OpcUaDriver(spec("opc.tcp://u:p@server", NODE))


@pytest.mark.parametrize("unit", ["256", "-1", "x", "", "1.0", "٣"])
def test_the_modbus_unit_must_be_a_byte(unit: str) -> None:
    with pytest.raises(DeviceError, match=r"is not in 0\.\.255") as caught:
        ModbusDriver(spec(f"modbus+tcp://meter?unit={unit}", WORD))
    assert caught.value.retry is False


def test_a_modbus_url_takes_no_path() -> None:
    with pytest.raises(DeviceError, match="takes no path '/unit/1'"):
        ModbusDriver(spec("modbus+tcp://meter:502/unit/1", WORD))


def test_the_opc_ua_mode_must_be_known() -> None:
    with pytest.raises(DeviceError, match="mode 'push' is not one of read subscribe"):
        OpcUaDriver(spec("opc.tcp://server?mode=push", NODE))


def test_a_register_of_the_other_protocol_is_refused() -> None:
    with pytest.raises(DeviceError, match=r"dev\.node: register node .* no Modbus table") as one:
        ModbusDriver(spec("modbus+tcp://meter", NODE))
    with pytest.raises(DeviceError, match=r"dev\.word: register word .* has no node") as two:
        OpcUaDriver(spec("opc.tcp://server", WORD))
    assert (one.value.retry, two.value.retry) == (False, False)


def test_a_value_longer_than_the_devices_longest_read_is_refused() -> None:
    row = register("wide", Dtype.F64, address=8)
    with pytest.raises(DeviceError, match="value of 4 cells does not fit") as caught:
        ModbusDriver(spec("modbus+tcp://meter", row, max_registers_per_read=2))
    assert caught.value.retry is False


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        ("ns={ns};s=Pot{n:02}.V", "the point gives nothing for 'n'"),
        ("ns={ns};s={other}", "the point gives nothing for 'other'"),
        ("ns=2", "ns=2"),
        ("ns=two;s=V", "ns=two;s=V"),
        ("ns={ns;s=V", "ns={ns;s=V"),
    ],
)
def test_a_node_that_cannot_work_is_named_before_connecting(node: str, reason: str) -> None:
    row = register("volt", Dtype.F32, node=node, namespace="urn:x")
    with pytest.raises(DeviceError) as caught:
        OpcUaDriver(spec("opc.tcp://server", row))
    assert reason in str(caught.value)
    assert "point dev.volt" in str(caught.value)
    assert caught.value.retry is False
