"""How a number stands in its registers: type, bit field, BCD and orders of a profile's row. Pure.

What it becomes is always one of the number types a point may have: a bit field the shortest
unsigned one that holds it, BCD the unsigned one of the same length.
"""

import re
from dataclasses import dataclass

from evidence.points import Dtype
from firmware_configs.fields import Fields
from firmware_configs.model import BIT_TABLES, REGISTER_TABLES, Bits

ORDERS = ("big", "little")

_BCD = {"bcd16": Dtype.U16, "bcd32": Dtype.U32, "bcd64": Dtype.U64}
_HOLDERS = (Dtype.U16, Dtype.U32, Dtype.U64)
#: shortest first: what a bit field may become
_PARTS = (Dtype.U8, Dtype.U16, Dtype.U32)
_BITS = re.compile(r"(\d{1,2})(?:-(\d{1,2}))?", re.ASCII)


@dataclass(frozen=True)
class Coding:
    """One row's type, as read.

    Attributes:
        dtype: of the point.
        bits: the part of a register it is, or None.
        is_bcd: each four bits are a decimal digit.
        is_text: ASCII; dtype is the type of one of its registers.
    """

    dtype: Dtype
    bits: Bits | None = None
    is_bcd: bool = False
    is_text: bool = False

    @property
    def holder(self) -> Dtype:
        """Type of all cells together."""
        return self.bits.holder if self.bits else self.dtype

    @property
    def name(self) -> str:
        """For a sentence: "u32", "bcd32", "bits 0-3 of u16"."""
        if self.bits or self.is_text:
            return str(self.bits or "text")
        return f"bcd{8 * self.dtype.size}" if self.is_bcd else self.dtype.name.lower()

    @property
    def numbers(self) -> tuple[int, int]:
        """Least and greatest whole number it can be, as far as the type holds it exactly."""
        if self.bits:
            return 0, 2**self.bits.width - 1
        if self.is_bcd:
            return 0, 10 ** (2 * self.dtype.size) - 1
        return limits(self.dtype)

    @property
    def patterns(self) -> tuple[int, int]:
        """Least and greatest of what can stand for "no value"."""
        return limits(self.holder)


#: of the row whose type is wrong; it causes the fewest complaints further on
_STAND_IN = Coding(Dtype.I64)


def limits(dtype: Dtype) -> tuple[int, int]:
    """Least and greatest whole number the type holds exactly."""
    if dtype.is_float:
        most = 2**24 if dtype is Dtype.F32 else 2**53
        return -most, most
    bits = 8 * dtype.size
    if dtype.name.startswith("I"):
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return 0, 2**bits - 1


def read_coding(fields: Fields, *, modbus: bool) -> Coding:
    """The row's `type` and `bits`; a stand-in, and a complaint, where they are wrong."""
    text = fields.text("type", why="number type, e.g. u16 i32 f32")
    if modbus and text in _BCD:
        if fields.raw("bits") is not None:
            fields.complain("bits", f"are of a plain register; {text} holds decimal digits")
        return Coding(_BCD[text], is_bcd=True)
    dtype = _dtype(fields, text, modbus=modbus)
    if modbus and fields.raw("bits") is not None and dtype is not None:
        return _bit_field(fields, dtype)
    return _STAND_IN if dtype is None else Coding(dtype)


def _dtype(fields: Fields, text: str, *, modbus: bool) -> Dtype | None:
    """The number type called so; None, and a complaint, when there is none."""
    if text == "text":
        fields.complain("type", "a text is no point; write it as a [[setting]]")
    elif text in _BCD:
        fields.complain("type", f"{text} is for protocol modbus only")
    elif text:
        try:
            return Dtype.named(text)
        except ValueError as error:
            fields.complain("type", f"{error} {' '.join(_BCD)}" if modbus else str(error))
    return None


def _bit_field(fields: Fields, holder: Dtype) -> Coding:
    text = fields.text("bits")
    match = _BITS.fullmatch(text)
    if holder not in _HOLDERS:
        fields.complain("type", f"bits are taken of u16, u32 or u64, not of {holder.name.lower()}")
    elif text and match is None:
        fields.complain("bits", f'{text!r} is no bit such as "3" and no range such as "0-3"')
    elif match is not None:
        low, high = int(match[1]), int(match[2] or match[1])
        last = 8 * holder.size - 1
        if not low <= high <= last:
            of_type = f"{holder.name.lower()} has bits 0 (the lowest) to {last}"
            fields.complain("bits", f"{text!r}: {of_type}, written from low to high")
        elif high - low >= 32:
            fields.complain("bits", f"{text!r} are {high - low + 1} bits; a field has at most 32")
        else:
            bits = Bits(holder, low, high)
            return Coding(next(d for d in _PARTS if 8 * d.size >= bits.width), bits)
    return _STAND_IN


def check_table(fields: Fields, table: str, coding: Coding) -> None:
    """A bit table holds single bits, a register table nothing shorter than a register."""
    if table in BIT_TABLES and (coding.dtype is not Dtype.U8 or coding.bits):
        fields.complain("type", f"{coding.name} cannot be in table {table}: a bit is u8")
    if table in REGISTER_TABLES and coding.holder.size < 2:
        fields.complain(
            "type",
            f"{coding.name} cannot be in table {table}: a register has 16 bits, use u16",
        )


def read_orders(
    fields: Fields, table: str | None, words: int, head: tuple[str, str]
) -> tuple[str, str]:
    """Word and byte order of a row: its own where the meter mixes them, else the file's.

    Args:
        fields: the row.
        table: where it stands; None in OPC UA.
        words: registers it takes.
        head: (word_order, byte_order) of the file.
    """
    if table not in REGISTER_TABLES:
        return "big", "big"  # nothing to order: an own order is an unknown key
    word_order = fields.choice("word_order", ORDERS, default=head[0])
    if fields.has("word_order") and words == 1:
        fields.complain("word_order", "has no effect: the value is one register")
    return word_order, fields.choice("byte_order", ORDERS, default=head[1])
