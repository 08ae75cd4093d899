"""DL/T 645-2007 frames: the two questions that read, and answers checked to the last byte.

`FE… 68 A0..A5 68 C L data CS 16`: address in BCD, lowest first; each data byte has 33H added; CS is
the sum of all bytes from the first 68, mod 256. Pure: no I/O. DL/T 645-2007, 5.2 and 7.
"""

import re
from dataclasses import dataclass

_START, _END, _WAKE, _ADDED = 0x68, 0x16, 0xFE, 0x33
_WAKES = bytes([_WAKE]) * 4  # what the standard wants in front of a question
AROUND = 12  # bytes around the data: 68, address 6, 68, C, L, CS, 16

READ, READ_MORE = 0x11, 0x12
_READ_CODES = frozenset({READ, READ_MORE})
_FROM_METER, _IS_ERROR, _HAS_MORE = 0x80, 0x40, 0x20

#: Follow-up frames of one item: a value of ours needs none, a block some.
FRAMES_MAX = 16
#: The longest frame, and so much noise in front of it that nobody waits for more.
HELD_BYTES_MAX = 4 * (255 + AROUND)

_ADDRESS = re.compile(r"[0-9]{12}")

#: Bits of the error byte, DL/T 645-2007, annex D.
_ERRORS = (
    "other error", "no such data", "wrong password or not authorised", "rate cannot be changed",
    "too many year zones", "too many day slots", "too many tariffs", "reserved",
)  # fmt: skip


class Dlt645Error(Exception):
    """An address or a frame that cannot be."""


class WrongAnswerError(Dlt645Error):
    """The meter's answer to our question is not of the form the standard gives it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame.

    Attributes:
        address: six bytes, lowest digits first, as on the wire.
        control: the control byte.
        data: with 33H taken off again.
    """

    address: bytes
    control: int
    data: bytes


def pack_address(digits: str) -> bytes:
    """Twelve decimal digits as a meter's address on the wire.

    Raises:
        Dlt645Error: it is none. AA stands for any meter and 99… for all: an answer to those proves
            nothing of whose it is.
    """
    if not _ADDRESS.fullmatch(digits):
        raise Dlt645Error(f"{digits!r} is not the meter's twelve digits; A stands for any meter")
    if digits == "9" * 12:
        raise Dlt645Error("999999999999 calls every meter; give one meter's address")
    return bytes.fromhex(digits)[::-1]


def build_question(address: bytes, di: int, follow_up: int | None = None) -> bytes:
    """The frame that reads a data item, or its follow-up with this number (1..255)."""
    content = di.to_bytes(4, "little")
    control = READ
    if follow_up is not None:
        content += bytes([follow_up])
        control = READ_MORE
    body = bytes([_START, *address, _START, control, len(content)])
    body += bytes((byte + _ADDED) & 0xFF for byte in content)
    return only_reads(_WAKES + body + bytes([sum(body) & 0xFF, _END]))


def only_reads(frame: bytes) -> bytes:
    """The gate everything outgoing passes: one reading frame to one meter, and nothing else.

    Raises:
        RuntimeError: it is anything else.
    """
    found, rest = find_frame(frame)
    length = len(frame) - len(_WAKES) - AROUND
    if found is None or rest or length != len(found.data) or not frame.startswith(_WAKES):
        raise RuntimeError("nothing but one DL/T 645 question must ever leave the edge")
    if not found.address.hex().isdecimal() or found.address == b"\x99" * 6:
        raise RuntimeError("a DL/T 645 frame to any or all meters must never leave the edge")
    if found.control not in _READ_CODES:
        raise RuntimeError(f"DL/T 645 control code {found.control:#04x} must never leave the edge")
    return frame


def find_frame(held: bytes) -> tuple[Frame | None, bytes]:
    """The first whole frame, and what is held after it.

    Bytes in front of it are dropped: wake-ups (FE), noise, frames whose checksum or end is wrong.
    None when more bytes must come; then what could still become a frame is held.
    """
    at = held.find(_START)
    waits_from = -1  # where the first frame that may still become whole begins
    while at >= 0:
        frame, length = _frame_at(held, at)
        if frame is not None:
            return frame, held[at + length :]
        if length and waits_from < 0:
            waits_from = at
        at = held.find(_START, at + 1)
    return None, held[waits_from:][-HELD_BYTES_MAX:] if waits_from >= 0 else b""


def _frame_at(held: bytes, at: int) -> tuple[Frame | None, int]:
    """(frame, its length); (None, 0) when none can begin here, (None, more) when one may."""
    if len(held) > at + 7 and held[at + 7] != _START:
        return None, 0
    if len(held) < at + 10:
        return None, AROUND
    length = held[at + 9] + AROUND
    if len(held) < at + length:
        return None, length
    body, tail = held[at : at + length - 2], held[at + length - 2 : at + length]
    if tail != bytes([sum(body) & 0xFF, _END]):
        return None, 0
    data = bytes((byte - _ADDED) & 0xFF for byte in body[10:])
    return Frame(body[1:7], body[8], data), length


@dataclass(frozen=True, slots=True)
class Answer:
    """What a frame says to our question.

    Attributes:
        content: bytes of the data item, lowest first; b"" when refused.
        has_more: follow-up frames are to be read.
        refused: the meter's error in words; "" when it answers.
    """

    content: bytes
    has_more: bool
    refused: str


def judge_answer(
    frame: Frame, address: bytes, di: int, follow_up: int | None = None
) -> Answer | None:
    """The frame as the answer to a question; None when it belongs to another question.

    Another meter's frame, another data item's, another follow-up's, a master's question heard on
    the bus: they are passed over, and the wait goes on.

    Raises:
        WrongAnswerError: it is the answer, and not of the form the standard gives it.
    """
    asked = READ if follow_up is None else READ_MORE
    if frame.address != address or frame.control & ~(_IS_ERROR | _HAS_MORE) != _FROM_METER | asked:
        return None
    if frame.control & _IS_ERROR:
        # an error names no data item: it is taken for ours, as one question is out at a time
        if len(frame.data) != 1:
            raise WrongAnswerError(f"refuses with {len(frame.data)} bytes where one is due")
        return Answer(b"", has_more=False, refused=_in_words(frame.data[0]))
    if frame.data[:4] != di.to_bytes(4, "little"):
        return None
    content = frame.data[4:]
    if follow_up is not None:
        if not content:
            raise WrongAnswerError("is a follow-up without its number")
        if content[-1] != follow_up:
            return None
        content = content[:-1]
    return Answer(content, has_more=bool(frame.control & _HAS_MORE), refused="")


def _in_words(error: int) -> str:
    named = [text for bit, text in enumerate(_ERRORS) if error >> bit & 1]
    return f"{', '.join(named) or 'no reason'} ({error:#04x})"
