"""Modbus answers to raw values: the register words' bits, unchanged, in frame order.

Pure: no I/O, no Modbus library. Integers and floats alike are only moved, never converted, so
the bits of a NaN survive and no rounding can happen.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from edge.drivers.base import Sample
from edge.drivers.raw import judge_of
from evidence.quality import Quality
from firmware_configs.profile import Register


@dataclass(frozen=True, slots=True)
class Value:
    """What decoding needs to know of a register, worked out once.

    Attributes:
        cells: 16-bit registers or bits it takes.
        judge: raw bytes to quality.
    """

    cells: int
    judge: Callable[[bytes], Quality]

    @classmethod
    def of(cls, register: Register) -> "Value":
        """The value of a register row."""
        return cls(register.words, judge_of(register))


#: (first cell of the value in the answer, the value)
Place = tuple[int, Value]


def decode_words(
    words: Sequence[int],
    places: Iterable[Place],
    *,
    word_order: str,
    byte_order: str,
) -> list[Sample]:
    """Samples out of one answer of 16-bit registers.

    Args:
        words: the answer, each 0..65535, in address order.
        places: where the values stand in the answer.
        word_order: "big" when a value's first word is its most significant.
        byte_order: "big" when a word's first byte on the wire is its most significant (Modbus).

    Returns:
        One sample a place, in the order given.
    """
    # A value's words are wanted last word first and each word low byte first. Writing every word
    # of the answer with one byte order and then turning (or not) the bytes of each value does
    # that for all four orders: turning reverses words and bytes at once, so it is due when the
    # words are big, and the words are written big exactly when the two orders agree.
    data = struct.pack(f"{'>' if word_order == byte_order else '<'}{len(words)}H", *words)
    step = -1 if word_order == "big" else 1
    samples = []
    for first, value in places:
        raw = data[2 * first : 2 * (first + value.cells)][::step]
        samples.append(Sample(raw, value.judge(raw)))
    return samples


def decode_bits(bits: Sequence[bool], places: Iterable[Place]) -> list[Sample]:
    """Samples out of one answer of coils or discrete inputs: u8, 0 or 1.

    Args:
        bits: the answer in address order.
        places: where the bits stand in the answer.
    """
    samples = []
    for first, value in places:
        raw = b"\x01" if bits[first] else b"\x00"
        samples.append(Sample(raw, value.judge(raw)))
    return samples


def find_pdu(packets: bytes, transaction: int) -> bytes:
    """The function code and data of a transaction's packet, as they came; b"" when it is not there.

    Args:
        packets: Modbus TCP packets one after another, as far as they have come in. Each opens
            with transaction, protocol, length (2 bytes each) and the unit, which length counts.
        transaction: 0..65535.
    """
    at = 0
    while at + 7 <= len(packets):
        found, _, length = struct.unpack_from(">HHH", packets, at)
        if found == transaction:
            return packets[at + 7 : at + 6 + length]
        at += 6 + length
    return b""
