"""A simulated DL/T 645 meter's bytes, worked out by hand from the standard (5.2, annex A)."""

import math

import pytest

from firmware_configs.profile import load_profile
from simulators.dlt645_meter import Dlt645Frames, Dlt645Meter
from simulators.frames import Question
from simulators.manner import Manner

PROFILE = load_profile("stackproof/dlt645-meter")
#: read 00010000 of meter 123456789012: 00 00 01 00 plus 33 each; the sum by hand:
#: 68+12+90+78+56+34+12+68+11+04+33+33+34+33 = 368h
QUESTION = bytes.fromhex("68 12 90 78 56 34 12 68 11 04 33 33 34 33 68 16")
NOW = {register.name: 1.0 for register in PROFILE.registers}


def meter() -> Dlt645Meter:
    return Dlt645Meter(
        PROFILE, host="127.0.0.1", port=0, address="123456789012", ratios={}
    )  # fmt: skip


def said(of: Dlt645Meter, di: str, control: int = 0x11) -> str:
    question = Question(bytes.fromhex("129078563412"), control, bytes.fromhex(di))
    answer = of._answer(question)
    assert answer is not None
    return answer.hex(" ")


def test_a_question_after_noise_and_in_pieces() -> None:
    assert sum(QUESTION[:-2]) % 256 == QUESTION[-2]
    frames, found = Dlt645Frames(), []
    for byte in b"\xfe\xfe\x68\x01" + QUESTION:
        found += frames.feed(bytes([byte]))
    assert found == [Question(bytes.fromhex("129078563412"), 0x11, bytes.fromhex("00000100"))]
    spoilt = QUESTION[:-2] + b"\x69\x16"
    assert Dlt645Frames().feed(spoilt) == []


def test_an_answer_as_it_goes_out() -> None:
    """91, 8 bytes: 4 of the identifier, 4 of 00 00 12 34 -> 34 12 00 00, plus 33 each."""
    frames = Dlt645Frames()
    (question,) = frames.feed(QUESTION)
    sent = frames.frame(question, bytes.fromhex("91 00000100 34120000"))
    head = bytes.fromhex("68 12 90 78 56 34 12 68 91 08 33 33 34 33 67 45 33 33")
    assert sent == head + bytes([sum(head) % 256, 0x16])


async def test_digits_stand_lowest_byte_first() -> None:
    """12345.67 kWh of XXXXXX.XX is 01 23 45 67; -1.5 A of XXX.XXX is 00 15 00 with its top bit."""
    of = meter()
    await of.publish({**NOW, "energy_import": 12345.67, "current_a": -1.5}, 0)
    assert said(of, "00000100") == "91 00 00 01 00 67 45 23 01"
    assert said(of, "00010202") == "91 00 01 02 02 00 15 80"


async def test_no_value_is_filled_and_what_is_not_there_refused() -> None:
    of = meter()
    await of.publish({**NOW, "frequency": math.nan}, 0)
    assert said(of, "02008002") == "91 02 00 80 02 ff ff"
    assert said(of, "99999999") == "d1 02"
    assert said(of, "00000100", control=0x14) == "d1 02"  # a write
    assert of._answer(Question(b"\x01" * 6, 0x11, bytes(4))) is None  # another meter


async def test_faults() -> None:
    of = meter()
    await of.publish(NOW, 0)
    of.behave(Manner(is_short=True))
    assert said(of, "02008002") == "91 02 00 80 02 00"
    of.behave(Manner(exception=4))
    assert said(of, "02008002") == "d1 04"


@pytest.mark.parametrize(
    ("name", "value", "digits"),
    [
        ("voltage_a", 1e6, "99 99"),  # XXX.X, unsigned
        ("current_a", 1e6, "99 99 79"),  # XXX.XXX, signed: the top bit is the sign
        ("current_a", -1e6, "99 99 f9"),
    ],
)
async def test_beyond_the_digits_under_a_fault_it_is_their_end(
    name: str, value: float, digits: str
) -> None:
    of = meter()
    of.behave(Manner(bounded=frozenset([name])))
    await of.publish({**NOW, name: value}, 0)
    di = {"voltage_a": "00010102", "current_a": "00010202"}[name]
    assert (said(of, di)).endswith(digits)
