"""Modbus TCP packets, by hand from Modbus Messaging on TCP/IP Implementation Guide 1.0b, 3.1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.modbus.plan import Read
from edge.drivers.modbus.tcp import find_pdu, request

A = bytes.fromhex("0007 0000 0005 01 03 02 1234")  # question 7
B = bytes.fromhex("0008 0000 0007 01 03 04 1234 5678")  # question 8
LONG = bytes.fromhex("0009 0000 0006 01 03 03 1234 56")  # question 9, an odd number of bytes
HTTP = b"HTTP/1.1 400 Bad Request\r\n\r\n"


def test_a_question() -> None:
    """The guide's own form: number, 0, six bytes follow, unit 0xFF, function 3, address 4, one."""
    packet = request(0x1501, 0xFF, Read("holding", 4, 1, ()))
    assert packet.hex(" ") == "15 01 00 00 00 06 ff 03 00 04 00 01"


@pytest.mark.parametrize(
    ("heard", "number", "unit", "pdu"),
    [
        (A, 7, 1, "03021234"),
        (A + B, 8, 1, "030412345678"),
        (B + A, 7, 1, "03021234"),
        (A + LONG, 9, 1, "0303123456"),
        (A, 8, 1, ""),
        (A, 7, 2, ""),  # another unit's
        (A, 7, 0, "03021234"),  # whoever is there was asked
        (b"", 7, 1, ""),
        (A[:6], 7, 1, ""),
        (A[:-1], 7, 1, ""),  # not whole yet
        (bytes.fromhex("0006 0000 ffff 01") + A, 7, 1, ""),  # a length beyond what came
        (bytes.fromhex("0007 0000 0000 01"), 7, 1, ""),
        (bytes.fromhex("0007 0001 0005 01 03 02 1234"), 7, 1, ""),  # another protocol
        (HTTP, 0x4854, 0x2F, ""),
    ],
)
def test_the_answer_to_a_question_is_found_among_packets(
    heard: bytes, number: int, unit: int, pdu: str
) -> None:
    assert find_pdu(heard, number, unit).hex() == pdu


@given(st.binary(max_size=300), st.integers(0, 0xFFFF), st.integers(0, 0xFF))
def test_looking_for_an_answer_in_anything_ends(heard: bytes, number: int, unit: int) -> None:
    assert find_pdu(heard, number, unit) in heard
