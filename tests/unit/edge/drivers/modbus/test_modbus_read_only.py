"""Reading is all this driver can do: its source names no write, its gate lets none through."""

import errno
import os
import re
from pathlib import Path

import pytest

from edge.drivers import serial_line
from edge.drivers.modbus.gate import RTU_CODE_AT, TCP_CODE_AT, only_reads
from edge.drivers.modbus.plan import TABLES

LINE = Path(serial_line.__file__)
FOLDER = LINE.parent / "modbus"


def test_the_tables_are_the_four_reading_functions_of_the_standard() -> None:
    # Modbus Application Protocol 1.1b3: 6.1 coils 0x01, 6.2 discrete inputs 0x02,
    # 6.3 holding registers 0x03, 6.4 input registers 0x04
    codes = {table: code for table, (code, _) in TABLES.items()}
    assert codes == {"coil": 1, "discrete": 2, "holding": 3, "input": 4}


def test_each_wire_has_the_gate_of_its_frames() -> None:
    """That nothing else writes is looked at in `tests/unit/edge/drivers/test_read_only.py`."""
    rtu, tcp = ((FOLDER / f"{name}_wire.py").read_text(encoding="utf-8") for name in ("rtu", "tcp"))
    assert "Mouth(self._endpoint, self.hear, self.lost, only_rtu_reads)" in rtu
    assert rtu.count("connect(") == rtu.count("gate=only_rtu_reads") == 1
    assert tcp.count("connect(") == tcp.count("gate=only_tcp_reads") == 1


def test_a_line_that_is_listened_to_is_opened_for_reading_only() -> None:
    assert serial_line.Ear._access == os.O_RDONLY
    assert not hasattr(serial_line.Ear, "send")
    listening = (FOLDER / "overhear.py").read_text(encoding="utf-8")
    assert "Mouth" not in listening
    assert "only_reads" not in listening  # it has nothing to let through


@pytest.mark.parametrize(("number", "is_told"), [(errno.EPERM, True), (errno.EACCES, False)])
async def test_a_line_that_the_unit_keeps_closed_says_so(
    monkeypatch: pytest.MonkeyPatch, number: int, is_told: bool
) -> None:
    """EACCES are the rights of the file, which a group gives: no drop-in helps there."""

    def refused(path: str, _: int) -> int:
        raise PermissionError(number, os.strerror(number), path)

    monkeypatch.setattr(os, "open", refused)
    line = serial_line.SerialLine("/dev/ttyr00", 9600, "E")
    with pytest.raises(serial_line.LineError, match=os.strerror(number)) as caught:
        serial_line.Ear(line, lambda _: None, lambda: None)
    assert str(caught.value).endswith("DeviceAllow=/dev/ttyr00 rw in a drop-in") is is_told


def test_pymodbus_is_taken_for_its_four_reading_questions_only() -> None:
    text = (FOLDER / "tcp.py").read_text(encoding="utf-8")
    named = set(re.findall(r"\b\w+(?:Request|Response)\b", text))
    assert named == {
        "ReadCoilsRequest", "ReadDiscreteInputsRequest", "ReadHoldingRegistersRequest",
        "ReadInputRegistersRequest",
    }  # fmt: skip


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
