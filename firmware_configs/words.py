"""Sixteen-bit words to a number or text, used only to check a profile's own vectors.

Not the drivers' decoder: that one lives in edge.drivers.modbus and is held to the same vectors,
as is the simulators' encoder. Pure.
"""

import struct
from collections.abc import Sequence
from typing import Literal

from evidence.points import Dtype
from firmware_configs.model import Register


def raw_of_words(words: Sequence[int], register: Register) -> int | float | None:
    """The raw number that words in address order stand for.

    Args:
        words: each 0..65535; as many as the register takes.
        register: in a table of 16-bit registers.

    Returns:
        None when it is BCD and one of the digits is none.
    """
    number = number_of_words(words, register.holder, register.word_order, register.byte_order)
    if register.is_bcd:
        digits = f"{number:x}"
        return int(digits) if digits.isdecimal() else None
    if register.bits is not None:
        return int(number) >> register.bits.low & (1 << register.bits.width) - 1
    return number


def text_of_words(words: Sequence[int], byte_order: str) -> str:
    """The text of words in address order, two ASCII characters each, without its padding.

    Padding is spaces and NULs behind, which makers use alike.

    Raises:
        ValueError: what is left is not all printable ASCII.
    """
    order: Literal["big", "little"] = "big" if byte_order == "big" else "little"
    text = b"".join(word.to_bytes(2, order) for word in words).rstrip(b" \0").decode("ascii")
    if not text.isprintable():
        raise ValueError(f"{text!r} is not all printable")
    return text


def number_of_words(
    words: Sequence[int], dtype: Dtype, word_order: str, byte_order: str
) -> int | float:
    """The raw number that words in address order stand for.

    Args:
        words: each 0..65535; as many as the type takes.
        dtype: a 16-bit type or longer (u8 and i8 do not fill a register).
        word_order: "big" when the first word is the most significant.
        byte_order: "big" when the first byte of a word is the most significant.
    """
    ordered = words if word_order == "big" else tuple(reversed(words))
    data = b"".join(
        word.to_bytes(2, "big" if byte_order == "big" else "little") for word in ordered
    )
    if dtype.is_float:
        number: float = struct.unpack(">f" if dtype is Dtype.F32 else ">d", data)[0]
        return number
    return int.from_bytes(data, "big", signed=dtype.name.startswith("I"))


def nearest_float(value: float, dtype: Dtype) -> float:
    """The value as a float of this type holds it (f32 loses digits, f64 none).

    Raises:
        OverflowError: the value is beyond the type.
    """
    code = ">f" if dtype is Dtype.F32 else ">d"
    number: float = struct.unpack(code, struct.pack(code, value))[0]
    return number
