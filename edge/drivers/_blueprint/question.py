"""The blueprint's protocol: lines of text over TCP. Pure: no I/O, no clock, no library.

    READ name          is answered by          VALUE name 123.5      or      ERROR name reason

What frames a question and what an answer means stand here, so that both are tested with bytes that
no device should send. The gate stands here too: it knows the whole of what may leave.
"""

import re
import struct

from edge.drivers.base import Sample
from edge.drivers.raw import judge_of, pack
from evidence.quality import Quality
from firmware_configs.profile import Register

ANSWER_BYTES_MAX = 200  # a device that sends more sends something else

_NUMBER = re.compile(rb"-?[0-9]{1,40}(\.[0-9]{1,40})?")  # float() and int() take more: 1_0, nan
_QUESTION = re.compile(rb"READ [a-z0-9_.-]{1,60}\n")


def build_question(name: str) -> bytes:
    """What asks for a value."""
    return only_reads(f"READ {name}\n".encode("ascii"))


def only_reads(question: bytes) -> bytes:
    """The gate everything outgoing passes: one READ, and nothing else.

    Raises:
        RuntimeError: it is anything else; that is a defect of this program.
    """
    if not _QUESTION.fullmatch(question):
        raise RuntimeError("nothing but one READ must ever leave the edge")
    return question


def is_answer_to(name: str, answer: bytes) -> bool:
    """False of a line that belongs to another question, such as one that was given up."""
    return answer.split()[1:2] == [name.encode("ascii")]


def decode_answer(answer: bytes, register: Register) -> Sample:
    """What an answer says of a point; whatever the bytes are, a sample and never an error.

    The value's own bytes are kept: rounding to the point's decimals is the edge's, not ours.
    This protocol puts no time on a value, so `source_ns` stays None; one that does is decoded here.
    """
    words = answer.split()
    if words[:1] == [b"ERROR"]:
        return Sample(None, Quality.DEVICE_REFUSED)
    if len(words) != 3 or words[0] != b"VALUE" or not _NUMBER.fullmatch(words[2]):
        return Sample(None, Quality.WRONG_ANSWER)
    try:
        number = float(words[2]) if register.dtype.is_float else int(words[2])
        raw = pack(number, register.dtype)
    except (ValueError, OverflowError, struct.error):
        return Sample(None, Quality.WRONG_ANSWER)
    return Sample(raw, judge_of(register)(raw))  # GOOD, or SENTINEL: the profile's "no value"
