"""BCD of a DL/T 645 data item to a sample; exact or not at all. Pure: no I/O.

The raw value is the number the digits spell, without the point: 123456.78 kWh is 12345678.
"""

import struct

from edge.drivers.base import Sample
from edge.drivers.raw import judge_of, pack
from evidence.quality import Quality
from firmware_configs.model import Identifier, Register

_SIGN = 0x80  # top bit of the highest byte, where the standard gives the item a sign


class Value:
    """What decoding needs to know of a register, worked out once."""

    def __init__(self, register: Register, identifier: Identifier) -> None:
        self._dtype = register.dtype
        self._is_signed = register.dtype.name.startswith("I")
        self._bytes = identifier.digits // 2
        self._judge = judge_of(register)

    def sample(self, content: bytes) -> Sample:
        """The sample of a data item's bytes, lowest first."""
        if len(content) != self._bytes:
            return Sample(None, Quality.WRONG_ANSWER)
        if content == b"\xff" * self._bytes:
            return Sample(None, Quality.SENTINEL)  # how meters fill what they do not have
        digits = content[::-1]
        is_negative = self._is_signed and bool(digits[0] & _SIGN)
        if is_negative:
            digits = bytes([digits[0] & ~_SIGN]) + digits[1:]
        spelt = digits.hex()
        if not spelt.isdecimal():  # a nibble above 9
            return Sample(None, Quality.WRONG_ANSWER)
        try:
            raw = pack(-int(spelt) if is_negative else int(spelt), self._dtype)
        except (struct.error, OverflowError):
            return Sample(None, Quality.WRONG_ANSWER)
        return Sample(raw, self._judge(raw))
