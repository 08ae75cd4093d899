"""RTU frames: the CRC against published frames and another library, answers found and refused."""

import asyncio
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU

from edge.drivers.modbus import rtu, rtu_wire
from edge.drivers.modbus.endpoint import Host
from edge.drivers.modbus.plan import Read
from edge.drivers.modbus.rtu import answers_in, crc16, is_whole, request
from tests.integration.drivers.rtu_line import framed


@pytest.mark.parametrize(
    ("frame", "source"),
    [
        ("02 07 41 12", "Modbus over serial line 1.02, 6.2.2: CRC 1241 is sent low byte first"),
        ("11 03 00 6b 00 03 76 87", "simplymodbus.ca, FC03 request"),
        ("11 03 06 ae 41 56 52 43 40 49 ad", "simplymodbus.ca, FC03 answer"),
    ],
)
def test_published_frames_are_whole(frame: str, source: str) -> None:
    assert is_whole(bytes.fromhex(frame)), source


@given(st.binary(min_size=2, max_size=254))
def test_the_crc_is_the_one_pymodbus_makes(data: bytes) -> None:
    assert crc16(data) == FramerRTU.compute_CRC(data).to_bytes(2, "big")


@given(st.binary(min_size=2, max_size=254), st.data())
def test_a_frame_with_any_single_bit_turned_is_not_whole(data: bytes, draw: st.DataObject) -> None:
    frame = bytearray(data + crc16(data))
    bit = draw.draw(st.integers(0, 8 * len(frame) - 1))
    frame[bit // 8] ^= 1 << bit % 8
    assert not is_whole(bytes(frame))


@pytest.mark.parametrize("frame", [b"", b"\x01", b"\xff\xff", b"\x01\x02\x03"])
def test_less_than_four_bytes_are_no_frame(frame: bytes) -> None:
    assert not is_whole(frame)


def test_a_request_is_the_published_one() -> None:
    read = Read("holding", 0x006B, 3, ())
    assert request(0x11, read) == bytes.fromhex("1103006b00037687")


@pytest.mark.parametrize(
    ("table", "code"), [("coil", 1), ("discrete", 2), ("holding", 3), ("input", 4)]
)
def test_each_table_is_asked_with_its_function(table: str, code: int) -> None:
    frame = request(7, Read(table, 0x1234, 5, ()))
    assert struct.unpack(">BBHH", frame[:6]) == (7, code, 0x1234, 5)
    assert is_whole(frame)


def find_answer(heard: bytes, unit: int) -> bytes | None:
    """The first of them."""
    return next(iter(answers_in(heard, unit)[0]), None)


ANSWER = framed(bytes.fromhex("01 03 04 00 07 00 08"))


def test_an_answer_is_its_function_and_data() -> None:
    assert find_answer(ANSWER, 1) == bytes.fromhex("03 04 00 07 00 08")


def test_a_refusal_is_found_too() -> None:
    assert find_answer(framed(bytes([1, 0x83, 2])), 1) == bytes([0x83, 2])


@pytest.mark.parametrize("length", range(len(ANSWER)))
def test_an_answer_not_yet_complete_is_none(length: int) -> None:
    assert find_answer(ANSWER[:length], 1) is None


@pytest.mark.parametrize(
    "noise", [b"\x00", b"\xff", b"\x55\xaa", b"\x01", b"\x01\x01", b"\x01\x83\x02\x00\x00"]
)
def test_noise_before_an_answer_is_passed_over(noise: bytes) -> None:
    assert find_answer(noise + ANSWER, 1) == bytes.fromhex("03 04 00 07 00 08")


def test_another_units_answer_before_it_is_passed_over() -> None:
    other = framed(bytes.fromhex("02 03 04 de ad be ef"))
    assert find_answer(other, 1) is None
    assert find_answer(other + ANSWER, 1) == bytes.fromhex("03 04 00 07 00 08")


def test_what_stands_inside_an_answer_that_is_not_complete_is_not_looked_at() -> None:
    inner = framed(bytes([1, 0x83, 2]))
    outer = framed(bytes([1, 3, 2 + len(inner) + 3]) + b"\x00\x00" + inner + b"\x00\x00\x00")
    for length in range(len(outer)):
        assert find_answer(outer[:length], 1) is None
    assert find_answer(outer, 1) == outer[1:-2]


def test_all_of_a_units_answers_are_given_in_order() -> None:
    other = framed(bytes.fromhex("02 03 02 de ad"))
    refusal = framed(bytes([1, 0x83, 2]))
    heard = ANSWER + b"\x00" + other + refusal + ANSWER + ANSWER[:-1]
    data = bytes.fromhex("03 04 00 07 00 08")
    assert answers_in(heard, 1) == ([data, bytes([0x83, 2]), data], ANSWER[:-1])


@given(st.binary(max_size=300))
def test_random_bytes_raise_nothing(heard: bytes) -> None:
    found = find_answer(heard, 1)
    assert found is None or found[0] & 0x7F in (1, 2, 3, 4)


async def test_what_comes_behind_all_that_fits_is_not_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All that was kept was looked through again at each byte that came: 9 ms."""
    looked = []
    monkeypatch.setattr(
        rtu_wire, "answers_in", lambda heard, _: looked.append(len(heard)) or ([], b"")
    )
    wire = rtu_wire.RtuWire(Host("127.0.0.1", 502))
    wire._answer = asyncio.get_running_loop().create_future()
    for _ in range(3):
        wire.hear(b"\x01\x03\xff" * 683)
    assert looked == [rtu_wire.HEARD_MAX]


async def test_noise_in_small_pieces_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """2,048 bytes one at a time took 8 s of the loop, as each was looked at with all before it."""
    looked = []
    monkeypatch.setattr(rtu, "is_whole", lambda frame: looked.append(1) or is_whole(frame))
    wire = rtu_wire.RtuWire(Host("127.0.0.1", 502))
    wire._answer, wire._unit = asyncio.get_running_loop().create_future(), 1
    for byte in b"\x01\x03\xff" * 683:
        wire.hear(bytes([byte]))
    assert len(looked) <= 683
    assert not wire._answer.done()


async def test_an_echo_and_an_answer_in_small_pieces() -> None:
    read = Read("holding", 0, 2, ())
    for heard in (request(1, read) + ANSWER, ANSWER, b"\x01" + ANSWER, ANSWER[:1] + ANSWER):
        wire = rtu_wire.RtuWire(Host("127.0.0.1", 502))
        wire._answer = answer = asyncio.get_running_loop().create_future()
        wire._unit, wire._question = 1, request(1, read)
        for byte in heard:
            wire.hear(bytes([byte]))
        assert answer.result() == bytes.fromhex("03 04 00 07 00 08")
