"""What a simulated Modbus device says, byte by byte; the examples are the specification's own."""

import pytest
from pymodbus.framer import FramerRTU

from simulators.frames import NonsenseError, Question
from simulators.modbus_frames import RtuFrames, TcpFrames, crc
from simulators.modbus_pdu import answer_of, refusal, shortened

CELLS = {
    # Modbus Application Protocol 1.1b3, 6.1: outputs 27-20 are CD, 35-28 are 6B, 38-36 are 5
    "coil": {
        0x13 + i: (0xCD | 0x6B << 8 | 0x05 << 16) >> i & 1 for i in range(19)
    },
    # 6.3: registers 108 to 110 hold 555, 0, 100
    "holding": {0x6B: 0x022B, 0x6C: 0, 0x6D: 0x64},
    # 6.4: input register 9 holds 10
    "input": {8: 0x0A},
    "discrete": {},
}  # fmt: skip


def said(question: str) -> str:
    return answer_of(bytes.fromhex(question), CELLS).hex(" ")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("01 0013 0013", "01 03 cd 6b 05"),
        ("03 006B 0003", "03 06 02 2b 00 00 00 64"),
        ("04 0008 0001", "04 02 00 0a"),
        ("03 006B 0004", "83 02"),  # one beyond
        ("03 006B 0000", "83 03"),
        ("03 006B 007E", "83 03"),  # 126 registers
        ("03 006B", "83 03"),  # cut
        ("02 0000 0001", "82 01"),  # a table it has not
        ("06 006B 0001", "86 01"),  # a write
        ("2B 0E 01 00", "ab 01"),
    ],
)
def test_answers(question: str, answer: str) -> None:
    assert said(question) == answer


@pytest.mark.parametrize(
    ("answer", "short"),
    [
        ("03 06 022B 0000 0064", "03 04 02 2b 00 00"),
        ("01 03 CD 6B 05", "01 02 cd 6b"),
        ("83 02", "83 02"),
    ],
)
def test_shortened_is_in_order_but_for_what_is_missing(answer: str, short: str) -> None:
    assert shortened(bytes.fromhex(answer)).hex(" ") == short


def test_crc() -> None:
    """Modbus over Serial Line 1.02, 6.2.2: of 02 07 it is 1241, sent 41 12."""
    assert crc(bytes.fromhex("0207")).hex() == "4112"


def test_tcp_questions_come_in_any_pieces() -> None:
    """The Messaging Guide's example: transaction 15 01, unit FF, read register 5."""
    data = bytes.fromhex("1501 0000 0006 FF 03 0004 0001 1502 0000 0006 FF 03 0004 0001")
    frames, found = TcpFrames(), []
    for at in range(0, len(data), 5):
        found += frames.feed(data[at : at + 5])
    assert [(q.mark.hex(), q.unit, q.pdu.hex()) for q in found] == [
        ("1501", 255, "0300040001"), ("1502", 255, "0300040001"),
    ]  # fmt: skip
    answer = frames.frame(found[0], bytes.fromhex("03020005"))
    assert answer.hex(" ", 1) == "15 01 00 00 00 05 ff 03 02 00 05"


@pytest.mark.parametrize(
    "junk", ["4745 5420 2f20 4854", "0001 0000 0001 01 03", "0001 0000 0FFF 01 03"]
)
def test_what_is_no_modbus_is_told(junk: str) -> None:
    with pytest.raises(NonsenseError):
        TcpFrames().feed(bytes.fromhex(junk))


def test_rtu_passes_over_noise() -> None:
    question = bytes.fromhex("0103006B0003")
    frames = RtuFrames()
    found = frames.feed(b"\x00\xff\x55" + question + crc(question)[:1])
    found += frames.feed(crc(question)[1:])
    assert found == [Question(b"", 1, bytes.fromhex("03006B0003"))]
    head = bytes.fromhex("018302")
    assert frames.frame(found[0], refusal(3, 2)) == head + FramerRTU.compute_CRC(head).to_bytes(2)


def test_rtu_hears_a_write_of_several_whole() -> None:
    write = bytes.fromhex("0110000100020400 0A0102")
    found = RtuFrames().feed(write + crc(write))
    assert [q.pdu for q in found] == [write[1:]]
