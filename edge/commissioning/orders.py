"""The same 16-bit words under every number type of their width and every order of bytes. Pure.

Which of them is right is what a manual says least clearly, and the wrong one is often a believable
number. They are put side by side so that a person can hold them against the meter's own display.
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from edge.drivers.raw import unpack
from evidence.points import Dtype
from firmware_configs.model import Register

#: (word order, byte order): of one word only the second says anything
ORDERS = (("big", "big"), ("little", "big"), ("big", "little"), ("little", "little"))
ORDERS_OF_ONE = (("big", "big"), ("big", "little"))

#: number of words -> types that take them
TYPES: dict[int, tuple[Dtype, ...]] = {
    1: (Dtype.U16, Dtype.I16),
    2: (Dtype.U32, Dtype.I32, Dtype.F32),
    4: (Dtype.U64, Dtype.I64, Dtype.F64),
}

#: what a bare place is looked at as, where no type was asked for, at the addresses beside it
USUAL = ("u16", "u32", "f32")


@dataclass(frozen=True)
class Taking:
    """One way to take words as a number.

    Attributes:
        type: "u32", "f32", "bcd32".
        word_order, byte_order: "big" (most significant first) or "little".
        value: the number, before any scaling; None where the words are none of that type.
    """

    type: str
    word_order: str
    byte_order: str
    value: int | float | None

    @property
    def words(self) -> int:
        """How many it takes."""
        return int(self.type.lstrip("abcdefgiu")) // 16

    @property
    def order(self) -> str:
        """As people write it, "CDAB"."""
        return letters(self.words, self.word_order, self.byte_order)


def type_words() -> dict[str, int]:
    """Every type by name, "f32" or "bcd32", and how many words it takes."""
    return {
        name: words
        for words, dtypes in TYPES.items()
        for name in (*(dtype.name.lower() for dtype in dtypes), f"bcd{16 * words}")
    }


def takings_as(words: Sequence[int], types: Sequence[str]) -> list[Taking]:
    """The words from the first on as each of these types under every order, as far as there are.

    Args:
        words: as on the wire, one or more.
        types: of `type_words`.
    """
    known = type_words()
    return [
        taking
        for name in types
        if known[name] <= len(words)
        for taking in takings(words[: known[name]])
        if taking.type == name
    ]


def letters(words: int, word_order: str, byte_order: str) -> str:
    """An order as people write it, "CDAB": A is the most significant byte."""
    pairs = ["ABCDEFGH"[at : at + 2] for at in range(0, 2 * words, 2)]
    if word_order == "little":
        pairs.reverse()
    return "".join(pair if byte_order == "big" else pair[::-1] for pair in pairs)


def little_endian(words: Sequence[int], word_order: str, byte_order: str) -> bytes:
    """The bytes of words as on the wire (0..65535 each), least significant first."""
    first_last = words if word_order == "little" else words[::-1]
    form = "<H" if byte_order == "big" else ">H"
    return b"".join(struct.pack(form, word) for word in first_last)


def takings(words: Sequence[int]) -> list[Taking]:
    """Every type of this width under every order, type by type; [] when no type has this width."""
    if len(words) not in TYPES:
        return []
    orders = ORDERS_OF_ONE if len(words) == 1 else ORDERS
    found: list[Taking] = []
    for dtype in TYPES[len(words)]:
        for word_order, byte_order in orders:
            number = unpack(little_endian(words, word_order, byte_order), dtype)
            is_number = not isinstance(number, float) or math.isfinite(number)
            found.append(
                Taking(dtype.name.lower(), word_order, byte_order, number if is_number else None)
            )
    for word_order, byte_order in orders:
        digits = little_endian(words, word_order, byte_order)[::-1].hex()
        value = int(digits) if digits.isdecimal() else None
        found.append(Taking(f"bcd{16 * len(words)}", word_order, byte_order, value))
    return found


def is_taken(taking: Taking, register: Register) -> bool:
    """True of the one that a profile's row takes.

    A bit field is taken out of the unsigned number of its cells; the order of a single word's
    only word does not matter.
    """
    held = f"u{8 * register.holder.size}" if register.bits else register.type_name
    word_order = "big" if register.words == 1 else register.word_order
    return (taking.type, taking.word_order, taking.byte_order) == (
        held,
        word_order,
        register.byte_order,
    )
