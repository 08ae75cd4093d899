"""The table of drivers: schemes, lazy imports, errors that say what is known."""

import subprocess
import sys

import pytest

from edge.drivers import DRIVERS, open_driver
from edge.drivers.base import DeviceError
from edge.drivers.modbus.driver import ModbusDriver
from edge.drivers.modbus.overhear import ListenDriver
from edge.drivers.opcua.driver import OpcUaDriver
from evidence.points import Dtype
from firmware_configs.model import Register
from tests.unit.edge.drivers.specs import register, spec

WORD = register("word", Dtype.U16)
NODE = register("node", Dtype.F32, node="ns=2;s=Node")


def test_the_table_holds_the_published_schemes() -> None:
    assert DRIVERS == {
        "dlt645+serial": "edge.drivers.dlt645.driver:Dlt645Driver",
        "dlt645+tcp": "edge.drivers.dlt645.driver:Dlt645Driver",
        "hj212": "edge.drivers.hj212.driver:Hj212Driver",
        "modbus+tcp": "edge.drivers.modbus.driver:ModbusDriver",
        "modbus+rtu-tcp": "edge.drivers.modbus.driver:ModbusDriver",
        "modbus+rtu": "edge.drivers.modbus.driver:ModbusDriver",
        "modbus+listen": "edge.drivers.modbus.overhear:ListenDriver",
        "opc.tcp": "edge.drivers.opcua.driver:OpcUaDriver",
        "sqlite+ro": "edge.drivers.table.driver:TableDriver",
        "postgresql+ro": "edge.drivers.table.driver:TableDriver",
        "mysql+ro": "edge.drivers.table.driver:TableDriver",
        "oracle+ro": "edge.drivers.table.driver:TableDriver",
        "mssql+ro": "edge.drivers.table.driver:TableDriver",
        "folder": "edge.drivers.folder.driver:FolderDriver",
    }


@pytest.mark.parametrize(
    ("url", "row", "kind"),
    [
        ("modbus+tcp://127.0.0.1:1502?unit=1", WORD, ModbusDriver),
        ("MODBUS+TCP://127.0.0.1:1502", WORD, ModbusDriver),
        ("modbus+rtu-tcp://127.0.0.1:4001?unit=1", WORD, ModbusDriver),
        ("modbus+rtu:///dev/ttyS0?unit=1&baud=9600&parity=E", WORD, ModbusDriver),
        ("modbus+listen:///dev/ttyS0?unit=1&baud=9600&parity=E", WORD, ListenDriver),
        ("opc.tcp://127.0.0.1:4840/plant", NODE, OpcUaDriver),
    ],
)
def test_the_scheme_picks_the_driver(url: str, row: Register, kind: type) -> None:
    assert isinstance(open_driver(spec(url, row)), kind)


@pytest.mark.parametrize("url", ["profinet://127.0.0.1", "127.0.0.1:502", "", "modbus://h:1"])
def test_an_unknown_scheme_names_the_known_ones_and_is_not_retried(url: str) -> None:
    with pytest.raises(DeviceError, match=r"known: dlt645\+serial:// .*opc\.tcp://") as caught:
        open_driver(spec(url, WORD))
    assert caught.value.retry is False
    assert "device dev" in str(caught.value)


def test_importing_the_table_loads_no_protocol_library() -> None:
    script = (
        "import sys, edge.drivers; "
        "print([m for m in ('pymodbus', 'asyncua', 'cryptography') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_modbus_device_does_not_load_the_opc_ua_library() -> None:
    script = (
        "import sys, edge.drivers, importlib; "
        "importlib.import_module(edge.drivers.DRIVERS['modbus+tcp'].partition(':')[0]); "
        "print('pymodbus' in sys.modules, 'asyncua' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True False"
