"""Sixteen-bit words to a number, used only to check a profile's own vectors.

Not the drivers' decoder: that one lives in edge.drivers.modbus and is held to the same vectors,
as is the simulators' encoder. Pure.
"""

import struct
from collections.abc import Sequence

from evidence.points import Dtype


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
