"""What a value's own bytes already say: good, the device's "no value" pattern, or no number.

Pure. Raw bytes are little-endian in the point's dtype, as they stand in a frame. The rules that
need a configuration or a history (range, stale, ...) are not the drivers' and not here.
"""

import math
import struct

from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.profile import Register

_STRUCTS = {
    dtype: struct.Struct("<" + code)
    for dtype, code in zip(Dtype, "BHIQbhiqfd", strict=True)  # Dtype's own order: U, I, F
}


def pack(number: float, dtype: Dtype) -> bytes:
    """A number as raw bytes; struct.error or OverflowError when the type cannot hold it."""
    return _STRUCTS[dtype].pack(number)


def unpack(raw: bytes, dtype: Dtype) -> int | float:
    """The number that raw bytes stand for."""
    number: int | float = _STRUCTS[dtype].unpack(raw)[0]
    return number


def judge(raw: bytes, register: Register) -> Quality:
    """GOOD, SENTINEL or NOT_A_NUMBER.

    Args:
        raw: the value's bytes.
        register: its dtype and its `invalid` numbers are used.
    """
    number = unpack(raw, register.dtype)
    if register.dtype.is_float and not math.isfinite(number):
        return Quality.NOT_A_NUMBER
    return Quality.SENTINEL if number in register.invalid else Quality.GOOD
