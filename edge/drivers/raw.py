"""What a value's own bytes already say: good, the device's "no value" pattern, or no number.

Pure. Raw bytes are little-endian in the point's dtype, as they stand in a frame. The rules that
need a configuration or a history (range, stale, ...) are not the drivers' and not here.
"""

import math
import struct
from collections.abc import Callable

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


def judge_of(register: Register) -> Callable[[bytes], Quality]:
    """What judges raw bytes of a register: GOOD, SENTINEL or NOT_A_NUMBER.

    Made once a point, so that judging costs well under a microsecond.

    Args:
        register: its dtype and its `invalid` numbers are used.
    """
    read, invalid = _STRUCTS[register.dtype].unpack, frozenset(register.invalid)
    good, sentinel, no_number = Quality.GOOD, Quality.SENTINEL, Quality.NOT_A_NUMBER

    def judge_float(raw: bytes) -> Quality:
        (number,) = read(raw)
        if not math.isfinite(number):
            return no_number
        return sentinel if number in invalid else good

    def judge_integer(raw: bytes) -> Quality:
        return sentinel if invalid and read(raw)[0] in invalid else good

    return judge_float if register.dtype.is_float else judge_integer
