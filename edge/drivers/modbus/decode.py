"""Modbus answers to raw values in frame order.

Pure: no I/O, no Modbus library. Plain integers and floats are only moved, never converted, so the
bits of a NaN survive and no rounding can happen. Bit fields and BCD become the whole number they
hold, which is exact too.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from edge.drivers.base import Sample
from edge.drivers.raw import judge_of
from edge.drivers.setting_text import number_text, plain_text
from evidence.quality import Quality
from firmware_configs.profile import Register, Setting

#: What the cells hold, least significant byte first, to a sample.
Taking = Callable[[bytes], Sample]


@dataclass(frozen=True, slots=True)
class Value:
    """What decoding needs to know of a register, worked out once.

    Attributes:
        cells: 16-bit registers or bits it takes.
        judge: raw bytes to quality, for a plain number.
        is_packed_big: each word is written high byte first before the value is cut out.
        step: -1 when the value's bytes are then turned around, else 1.
        take: for what is no plain number (bit fields, BCD); None for a plain one.
    """

    cells: int
    judge: Callable[[bytes], Quality]
    is_packed_big: bool
    step: int
    take: Taking | None = None

    @classmethod
    def of(cls, register: Register) -> "Value":
        """The value of a register row."""
        # A value's words are wanted last word first and each word low byte first. Writing every
        # word of the answer with one byte order and then turning (or not) the bytes of each value
        # does that for all four orders: turning reverses words and bytes at once, so it is due
        # when the words are big, and the words are written big when the two orders agree.
        return cls(
            register.words,
            judge_of(register),
            register.word_order == register.byte_order,
            -1 if register.word_order == "big" else 1,
            _taking(register),
        )


#: (first cell of the value in the answer, the value)
Place = tuple[int, Value]


def decode_words(words: Sequence[int], places: Iterable[Place]) -> list[Sample]:
    """Samples out of one answer of 16-bit registers.

    Args:
        words: the answer, each 0..65535, in address order.
        places: where the values stand in the answer.

    Returns:
        One sample a place, in the order given.
    """
    packed: dict[bool, bytes] = {}
    samples = []
    for first, value in places:
        data = packed.get(value.is_packed_big)
        if data is None:
            data = struct.pack(f"{'>' if value.is_packed_big else '<'}{len(words)}H", *words)
            packed[value.is_packed_big] = data
        raw = data[2 * first : 2 * (first + value.cells)][:: value.step]
        taken = Sample(raw, value.judge(raw)) if value.take is None else value.take(raw)
        samples.append(taken)
    return samples


def _taking(register: Register) -> Taking | None:
    invalid = frozenset(register.invalid)
    if register.is_bcd:
        return lambda held: _bcd(held, invalid)
    if register.bits is None:
        return None
    low, mask, size = register.bits.low, (1 << register.bits.width) - 1, register.dtype.size

    def take_bits(held: bytes) -> Sample:
        pattern = int.from_bytes(held, "little")
        part = (pattern >> low & mask).to_bytes(size, "little")
        return Sample(part, Quality.SENTINEL if pattern in invalid else Quality.GOOD)

    return take_bits


def _bcd(held: bytes, invalid: frozenset[int]) -> Sample:
    """Four bits a digit; what is no number keeps the pattern the wire gave."""
    if int.from_bytes(held, "little") in invalid:
        return Sample(held, Quality.SENTINEL)
    digits = held[::-1].hex()
    if not digits.isdecimal():
        return Sample(held, Quality.NOT_A_NUMBER)
    return Sample(int(digits).to_bytes(len(held), "little"), Quality.GOOD)


def decode_setting(words: Sequence[int], setting: Setting) -> str | Quality:
    """What a meter says of itself, as text.

    Args:
        words: the setting's registers, each 0..65535, in address order.
        setting: of the profile, in a table of 16-bit registers.

    Returns:
        The text without its padding, or the number in decimal; the quality of what says nothing:
        not ASCII, the meter's "no value" pattern, no decimal digits, NaN.
    """
    register = setting.register
    if setting.is_text:
        data = struct.pack(f"{'>' if register.byte_order == 'big' else '<'}{len(words)}H", *words)
        return plain_text(data.decode("latin-1")) if data.isascii() else Quality.WRONG_ANSWER
    (sample,) = decode_words(words, [(0, Value.of(register))])
    return number_text(sample, register)


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
