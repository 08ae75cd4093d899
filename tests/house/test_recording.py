"""The suite's own watch over what servers were asked: it fails a run, and it hears every protocol.

Frames and chunks are written by hand from the standards.
"""

import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests import recorded_wires
from tests.recorded_wires import NO_REQUEST, Dlt645, Mbap, Reader, Rtu, UaTcp
from tests.recording import ALLOWED, Record, note_postgresql

ROOT = Path(__file__).resolve().parents[2]

#: a test that sends what a server of the suite records; PDU and MBAP of 1.1b3, 6.3 and 6.6
SENDS = """
import asyncio
from tests.integration.drivers.modbus_responder import Responder

async def test_it_passes_by_itself():
    async with Responder() as device:
        reader, writer = await asyncio.open_connection("127.0.0.1", device.port)
        writer.write(bytes.fromhex("000100000006 01 {code} 0000 0001"))
        await reader.read(9)
        writer.close()
        await asyncio.sleep(0.01)
"""


def run_with(code: str, folder: Path) -> tuple[int, str, str]:
    """A run in which a Modbus server is sent this function code; status, output, tally."""
    (folder / "test_it.py").write_text(SENDS.format(code=code))
    shutil.copy(ROOT / "tests/conftest.py", folder)
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    tally = folder / "tally"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", str(folder)],
        cwd=folder, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT), "STACKPROOF_TALLY": str(tally)},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr, tally.read_text()


def test_a_run_in_which_a_server_saw_a_write_fails(tmp_path: Path) -> None:
    code, said, tally = run_with("06", tmp_path)
    assert code == 1, said
    assert "1 passed" in said
    assert "READ-ONLY BROKEN: Modbus FC 6 reached a server, first in test_it.py::test_it" in said
    assert tally == "1 1 0\n"  # passed, failed, skipped: `./run test` adds these up


def test_a_run_in_which_servers_saw_reads_only_passes(tmp_path: Path) -> None:
    code, said, tally = run_with("03", tmp_path)
    assert code == 0, said
    assert "requests seen by servers: Modbus 1" in said
    assert tally == "1 0 0\n"


def test_what_is_allowed_changes_nothing() -> None:
    services = ALLOWED["OPC UA"]
    assert not {
        "WriteRequest", "CallRequest", "HistoryUpdateRequest", "AddNodesRequest",
        "AddReferencesRequest", "DeleteNodesRequest", "DeleteReferencesRequest",
    } & services  # fmt: skip
    assert ALLOWED["Modbus"] == {f"FC {code}" for code in range(1, 5)}
    assert ALLOWED["DL/T 645"] == {"11H", "12H"}


def test_an_unknown_protocol_is_allowed_nothing() -> None:
    record = Record()
    assert record.complaints() == []
    record.note("S7", "read")
    assert len(record.complaints()) == 1


def test_few_tests_send_on_purpose_what_no_driver_may() -> None:
    files = {
        path.name
        for path in (ROOT / "tests").rglob("*.py")
        if re.search(r"RECORD\.on_purpose|BEHIND_THE_GATE\b", path.read_text(encoding="utf-8"))
    }
    assert files - {"recording.py", "test_recording.py"} == {
        "test_modbus_bus.py", "test_table_refusals.py", "test_table_postgresql.py",
    }  # fmt: skip


def test_what_is_sent_on_purpose_is_not_noted_and_what_follows_is(seen: Record) -> None:
    with seen.on_purpose():
        Mbap().feed(bytes.fromhex("000200000006 01 06 0000 0002"))
    assert seen.complaints() == []
    Mbap().feed(bytes.fromhex("000200000006 01 06 0000 0002"))
    assert len(seen.complaints()) == 1


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Record:
    record = Record()
    monkeypatch.setattr(recorded_wires, "RECORD", record)
    monkeypatch.setattr("tests.recording.RECORD", record)
    return record


def heard(seen: Record, reader: Reader, sent: bytes) -> dict[str, list[str]]:
    """What a reader notes, fed whole and byte by byte, which must be the same."""
    reader.feed(sent)
    whole = dict(seen.counts)
    for byte in sent:
        reader.feed(bytes([byte]))
    assert dict(seen.counts) == {name: 2 * count for name, count in whole.items()}
    return {protocol: list(found) for protocol, found in seen.seen.items()}


def test_modbus_tcp_is_heard(seen: Record) -> None:
    read = bytes.fromhex("000100000006 01 03 0000 0002")
    write = bytes.fromhex("000200000006 01 06 0000 0002")
    several = bytes.fromhex("00030000000b 01 10 0000 0002 04 0001 0002")
    assert heard(seen, Mbap(), read + write + several) == {"Modbus": ["FC 3", "FC 6", "FC 16"]}
    Mbap().feed(b"GET / HTTP/1.1\r\n")
    assert NO_REQUEST in seen.seen["Modbus"]


def test_modbus_rtu_is_heard(seen: Record) -> None:
    # Modbus over serial line 1.02 has no frames; these CRCs are those of any public calculator
    read = bytes.fromhex("01 03 0000 0002 c40b")
    write = bytes.fromhex("01 06 0001 0003 980b")
    assert heard(seen, Rtu(), read + write) == {"Modbus": ["FC 3", "FC 6"]}
    Rtu().feed(bytes.fromhex("01 10 0000 0002 04 0001 0002 0000 0000 0000"))
    assert NO_REQUEST in seen.seen["Modbus"]


def test_dlt645_is_heard(seen: Record) -> None:
    def framed(control: int, data: bytes) -> bytes:
        body = bytes.fromhex("68 129078563412 68") + bytes([control, len(data)]) + data
        return body + bytes([sum(body) % 256, 0x16])

    read = b"\xfe" * 4 + framed(0x11, b"\x33\x33\x34\x33")
    write = framed(0x14, b"\x33" * 12)
    assert heard(seen, Dlt645(), read + write) == {"DL/T 645": ["11H", "14H"]}
    Dlt645().feed(b"anything but a frame")
    assert NO_REQUEST in seen.seen["DL/T 645"]


NO_SECURITY = b"http://opcfoundation.org/UA/SecurityPolicy#None"
SECURITY = b"http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256"


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + 8).to_bytes(4, "little") + body


def opening(policy: bytes) -> bytes:
    return chunk(b"OPNF", bytes(4) + len(policy).to_bytes(4, "little") + policy + bytes(60))


def message(number: int, node_id: bytes, kind: bytes = b"MSGF") -> bytes:
    """Channel, token, sequence number, request number, then the body (Part 6, 6.7.2)."""
    return chunk(kind, struct.pack("<4I", 1, 1, number, number) + node_id + bytes(20))


# ids of the encodings, NodeIds.csv of Part 6: ReadRequest 631, WriteRequest 673, CallRequest 712
READ, WRITE = b"\x01\x00" + (631).to_bytes(2, "little"), b"\x01\x00" + (673).to_bytes(2, "little")
CALL = b"\x02\x00\x00" + (712).to_bytes(4, "little")


def test_opc_ua_is_heard(seen: Record) -> None:
    hello = chunk(b"HELF", bytes(24))
    close = chunk(b"CLOF", bytes(20))
    messages = message(2, READ) + message(3, WRITE) + message(4, CALL)
    assert heard(seen, UaTcp(), hello + opening(NO_SECURITY) + messages + close) == {
        "OPC UA": [
            "OpenSecureChannelRequest", "ReadRequest", "WriteRequest", "CallRequest",
            "CloseSecureChannelRequest",
        ]
    }  # fmt: skip
    assert "OPC UA CallRequest" in " ".join(seen.complaints())


def test_opc_ua_of_several_chunks_is_one_request(seen: Record) -> None:
    sent = message(5, READ, b"MSGC") + message(5, b"\x99" * 4, b"MSGC") + message(5, b"\x98" * 4)
    assert heard(seen, UaTcp(), sent) == {"OPC UA": ["ReadRequest"]}


def test_opc_ua_under_security_is_not_guessed_at(seen: Record) -> None:
    assert heard(seen, UaTcp(), opening(SECURITY) + message(2, WRITE)) == {
        "OPC UA": ["OpenSecureChannelRequest"]
    }


def test_opc_ua_that_is_none(seen: Record) -> None:
    UaTcp().feed(b"GET / HTTP/1.1\r\n")
    UaTcp().feed(message(2, b"\x01\x07" + (631).to_bytes(2, "little")))
    assert list(seen.seen["OPC UA"]) == [NO_REQUEST, f"{NO_REQUEST}: type 7:631"]


def test_postgresql_tells_what_one_program_had_it_do(seen: Record) -> None:
    log = (
        "stackproof edge|LOG:  statement: BEGIN READ ONLY\n"
        "stackproof edge|LOG:  execute <unnamed>: SELECT * FROM (SELECT 1) AS source_rows\n"
        "psql|LOG:  statement: DROP TABLE pot_log\n"
        "stackproof edge|LOG:  statement: DELETE FROM pot_log\n"
        "stackproof edge|DETAIL:  parameters: $1 = '1'\n"
    )
    note_postgresql(log, "stackproof edge")
    assert list(seen.seen["SQL"]) == ["BEGIN READ ONLY", "SELECT", "DELETE FROM pot_log"]
    assert len(seen.complaints()) == 1
