"""Engineering values to what a simulated device shows: the mirror image of the drivers' decoding.

Written apart from the drivers on purpose, and held to the profiles' hand-computed vectors: a
mistake on one side would otherwise be undone by the same mistake on the other. Pure.
"""

import math
import struct
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from evidence.counts import round_half_away
from evidence.points import Dtype, Role, exact
from firmware_configs.profile import Profile, Register, Setting


class EncodeError(Exception):
    """A value the register cannot hold; names profile, register and value."""


def raw_number(
    profile: Profile,
    register: Register,
    value: float | Decimal,
    ratios: Mapping[str, str],
    *,
    is_bounded: bool = False,
) -> int | float:
    """The raw number a device shows for an engineering value.

    Args:
        profile: says whether the device reports secondary values.
        register: the profile's row.
        value: primary engineering units; taken as exactly the number it is, so what must not
            lose a count on its way is given as Decimal. NaN is the number that means "no value".
        ratios: the installation's ratios by name, e.g. {"ct_ratio": "800/5"}; a missing one is 1.
        is_bounded: a value beyond the type is shown as the type's end.

    Returns:
        A whole number for integer types (gauges rounded, totalisers cut off and rolled over at
        the type's end or the maker's, as meters do), a float for float types.

    Raises:
        EncodeError: the value is beyond the type, or there is no number for "no value".
    """
    if math.isnan(value):
        if not can_say_nothing(register):
            raise EncodeError(f"{profile.id} {register.name} has no number that means no value")
        return math.nan if register.dtype.is_float else register.invalid[0]
    shown = _installed(profile, register, Fraction(value), ratios)
    if (register.offset, register.scale) != ("0", "1"):  # few have any, and months encode millions
        shown = (shown - exact(register.offset)) / exact(register.scale)
    if register.dtype.is_float:
        return float(shown)
    counts = shown * 10**register.decimals
    low, high = ends_of(register)
    if register.role is Role.TOTALISER:
        whole: int = counts.numerator // counts.denominator
        numbers = high + 1 if register.identifier is not None else high - low + 1
        return whole % (register.rolls_at or numbers)
    raw = round_half_away(counts)
    if is_bounded:
        return min(max(raw, low), high)
    if not low <= raw <= high:
        raise EncodeError(
            f"{profile.id} {register.name}: {value} {register.quantity.unit} is raw {raw}, "
            f"beyond {register.bits or register.type_name}; check the ratios of the scenario"
        )
    return raw


def can_say_nothing(register: Register) -> bool:
    """Whether there is a raw number that means "no value": NaN, or one the profile names."""
    is_plain = register.bits is None and not register.is_bcd
    # DL/T 645: all FF; HJ 212: no number
    is_filled = register.identifier is not None or register.item is not None
    return register.dtype.is_float or is_filled or (is_plain and bool(register.invalid))


def ends_of(register: Register) -> tuple[int, int]:
    """Least and greatest raw number an integer register can show."""
    is_signed = register.dtype.name.startswith("I")
    if register.identifier is not None:  # a sign takes the top bit of the first digit
        digits = register.identifier.digits
        most = 8 * 10 ** (digits - 1) - 1 if is_signed else 10**digits - 1
        return (-most if is_signed else 0), most
    if register.bits is not None:
        return 0, (1 << register.bits.width) - 1
    if register.is_bcd:
        return 0, int(10 ** (4 * register.words)) - 1  # four digits a register
    size = 1 << 8 * register.dtype.size
    return (-(size // 2), size // 2 - 1) if is_signed else (0, size - 1)


def _installed(
    profile: Profile, register: Register, value: Fraction, ratios: Mapping[str, str]
) -> Fraction:
    """The value before transformers and pulse weight, which is what the device itself sees."""
    for name in register.applies:
        if name == "pulse_weight" or profile.reports == "secondary":
            value /= exact(ratios.get(name, "1"))
    return value


def register_words(register: Register, raw: int | float) -> tuple[int, ...]:
    """The 16-bit words of a register's raw number, in address order.

    Those of a bit field have all other bits 0: fields of one register are laid over each other.

    Args:
        register: in a table of 16-bit registers.
        raw: as `raw_number` gives it.
    """
    if register.is_bcd:
        raw = int(str(raw), 16)  # each decimal digit is written as one hexadecimal digit
    elif register.bits is not None:
        raw = int(raw) * 2**register.bits.low
    return words_of(raw, register.holder, register.word_order, register.byte_order)


def text_words(text: str, count: int, byte_order: str) -> tuple[int, ...]:
    """The `count` words of an ASCII text, two characters each, filled up with NUL.

    Raises:
        EncodeError: it is longer, or not ASCII.
    """
    if not text.isascii() or len(text) > 2 * count:
        raise EncodeError(f"{text!r} is not ASCII of at most {2 * count} characters")
    filled = text.ljust(2 * count, "\0")
    high, low = (0, 1) if byte_order == "big" else (1, 0)
    return tuple(
        ord(filled[at + high]) * 256 + ord(filled[at + low]) for at in range(0, 2 * count, 2)
    )


def setting_words(setting: Setting, text: str) -> tuple[int, ...]:
    """The 16-bit words of a setting's value, in address order.

    Raises:
        EncodeError: the setting cannot say that.
    """
    register = setting.register
    if setting.is_text:
        return text_words(text, setting.text_words, register.byte_order)
    try:
        shown = exact(text) * 10**register.decimals
        raw = float(shown) if register.dtype.is_float else int(shown)
        if raw == shown and (raw >= 0 or not register.dtype.name.startswith("U")):
            return register_words(register, raw)
    except (ValueError, OverflowError):
        pass
    raise EncodeError(f"setting {setting.name} cannot be {text!r}")


def words_of(raw: int | float, dtype: Dtype, word_order: str, byte_order: str) -> tuple[int, ...]:
    """The 16-bit words of a raw number, in address order.

    Args:
        raw: fits the type.
        dtype: 16 bits or longer.
        word_order: "big" puts the most significant word first.
        byte_order: "big" puts the most significant byte of a word first.
    """
    if dtype.is_float:
        data = struct.pack(">f" if dtype is Dtype.F32 else ">d", raw)
    else:
        data = int(raw).to_bytes(dtype.size, "big", signed=raw < 0)
    words = [
        int.from_bytes(data[at : at + 2], "big" if byte_order == "big" else "little")
        for at in range(0, len(data), 2)
    ]
    return tuple(words if word_order == "big" else reversed(words))
