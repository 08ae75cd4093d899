"""Reading is all this driver can do: its source names no write, its gate lets none through."""

import ast
import os
import re
from pathlib import Path

import pytest

import edge.drivers.modbus.tcp_wire as module
from edge.drivers import serial_line
from edge.drivers.modbus.gate import RTU_CODE_AT, TCP_CODE_AT, only_reads
from edge.drivers.modbus.plan import TABLES

TCP_WIRE = Path(module.__file__)
FOLDER = TCP_WIRE.parent
LINE = FOLDER.parent / "serial_line.py"


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


def test_the_tcp_wire_names_only_reading_methods_of_the_client() -> None:
    named = attributes(TCP_WIRE)
    reading = {n for n in named if n.startswith("read_")}
    assert reading == {
        "read_coils", "read_discrete_inputs", "read_holding_registers", "read_input_registers",
    }  # fmt: skip
    text = TCP_WIRE.read_text(encoding="utf-8")
    assert "trace_packet=self._passing" in text  # the gate is in place
    assert "return only_reads(packets, TCP_CODE_AT)" in text
    forbidden = {"execute", "pdu_send", "mask_write_register", "low_level_send", "send"}
    assert not {n for n in named if "write" in n}
    assert not named & forbidden


def test_nothing_is_written_but_through_the_gate() -> None:
    """Every call in the room that can put bytes on a wire stands here, with the gate inside it."""
    calls = [
        (path.name, line.strip())
        for path in [*sorted(FOLDER.glob("*.py")), LINE]
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"\b(write|writelines|sendall|sendto|pwrite|writev)\(", line)
    ]
    assert calls == [
        ("rtu_wire.py", "self._transport.write(only_rtu_reads(frame))"),
        ("serial_line.py", "os.write(self._fd, self._gate(frame))"
                           "  # a free line takes so few bytes whole"),
    ]  # fmt: skip
    assert "self.lost, only_rtu_reads)" in (FOLDER / "rtu_wire.py").read_text(encoding="utf-8")


def test_a_line_that_is_listened_to_is_opened_for_reading_only() -> None:
    assert serial_line.Ear._access == os.O_RDONLY
    assert not hasattr(serial_line.Ear, "send")
    listening = (FOLDER / "overhear.py").read_text(encoding="utf-8")
    assert "Mouth" not in listening
    assert "only_reads" not in listening  # it has nothing to let through


def test_only_one_file_touches_pymodbus() -> None:
    for path in FOLDER.parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        touches = "import pymodbus" in text or "from pymodbus" in text
        assert touches == (path == TCP_WIRE), path


def packet(code: int) -> bytes:
    return bytes.fromhex("0001 0000 0006 01") + bytes([code]) + bytes.fromhex("0000 0001")


def frame(code: int) -> bytes:
    return bytes([17, code]) + bytes.fromhex("0000 0001 aabb")


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_the_gate_lets_reads_pass_unchanged(code: int) -> None:
    assert only_reads(packet(code), TCP_CODE_AT) == packet(code)
    assert only_reads(frame(code), RTU_CODE_AT) == frame(code)


@pytest.mark.parametrize("code", [c for c in range(256) if c not in (1, 2, 3, 4)])
def test_the_gate_stops_everything_else(code: int) -> None:
    for sent, at in ((packet(code), TCP_CODE_AT), (frame(code), RTU_CODE_AT)):
        with pytest.raises(RuntimeError, match=f"function code {code} must never leave the edge"):
            only_reads(sent, at)


@pytest.mark.parametrize("sent", [b"", b"\x01"])
def test_the_gate_stops_what_has_no_function_code(sent: bytes) -> None:
    with pytest.raises(RuntimeError, match="must never leave the edge"):
        only_reads(sent, RTU_CODE_AT)
