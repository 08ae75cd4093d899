"""Reading is all this driver can do: its source names no write, its gate lets none through."""

import ast
from pathlib import Path

import pytest

import edge.drivers.modbus.driver as module
from edge.drivers.modbus.driver import _only_reads
from edge.drivers.modbus.plan import TABLES

SOURCE = Path(module.__file__)
FOLDER = SOURCE.parent


def attributes(path: Path) -> set[str]:
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }


def test_the_tables_are_the_four_reading_functions_of_the_standard() -> None:
    # Modbus Application Protocol 1.1b3: 6.1 coils 0x01, 6.2 discrete inputs 0x02,
    # 6.3 holding registers 0x03, 6.4 input registers 0x04
    codes = {table: code for table, (code, _) in TABLES.items()}
    assert codes == {"coil": 1, "discrete": 2, "holding": 3, "input": 4}


def test_the_driver_names_only_reading_methods_of_the_client() -> None:
    named = attributes(SOURCE)
    reading = {n for n in named if n.startswith("read_")}
    assert reading == {
        "read_coils", "read_discrete_inputs", "read_holding_registers", "read_input_registers",
    }  # fmt: skip
    assert "trace_packet=self._passing" in SOURCE.read_text(
        encoding="utf-8"
    )  # the gate is in place
    forbidden = {"execute", "pdu_send", "mask_write_register", "low_level_send", "send"}
    assert not {n for n in named if "write" in n}
    assert not named & forbidden


def test_only_one_file_touches_pymodbus() -> None:
    for path in FOLDER.parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        touches = "import pymodbus" in text or "from pymodbus" in text
        assert touches == (path == SOURCE), path


def packet(code: int) -> bytes:
    return bytes.fromhex("0001 0000 0006 01") + bytes([code]) + bytes.fromhex("0000 0001")


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_the_gate_lets_reads_pass_unchanged(code: int) -> None:
    assert _only_reads(packet(code)) == packet(code)


@pytest.mark.parametrize("code", [c for c in range(256) if c not in (1, 2, 3, 4)])
def test_the_gate_stops_everything_else(code: int) -> None:
    with pytest.raises(RuntimeError, match=f"function code {code} must never leave the edge"):
        _only_reads(packet(code))
