"""The [[vector]] tables of a profile: words that somebody worked out by hand, and what they mean.

They are what holds loader, driver and simulator to the manual instead of to each other. Pure.
"""

import itertools
import math
from collections.abc import Set as AbstractSet
from dataclasses import replace
from fractions import Fraction

from evidence.points import DECIMALS_MAX, exact
from firmware_configs.coding import ORDERS
from firmware_configs.fields import Fields, is_decimal
from firmware_configs.model import REGISTER_TABLES, Profile, Register, Setting, Vector
from firmware_configs.words import nearest_float, raw_of_words, text_of_words

#: a printed value may differ so much from what its words hold: four digits are enough to know it
ROUNDED = 1e-3


def read_vector(fields: Fields) -> Vector:
    """The row as a Vector; what it names and means is checked later."""
    setting = fields.optional_text("setting") or ""
    why = "name of the register the words stand in"
    register = fields.text("register", default="" if setting else None, why=why)
    fields.label = setting or register
    if setting and register:
        fields.complain("register", "is one thing too many beside setting")
    words: list[int] = []
    for word in fields.sequence("words"):
        if isinstance(word, bool) or not isinstance(word, int) or not 0 <= word <= 0xFFFF:
            fields.complain("words", f"{word} is not a 16-bit word (0..0xffff)")
            word = 0
        words.append(word)
    if not fields.has("words"):
        fields.complain("words", "is missing: the 16-bit words in address order")
    value = fields.text("value", why="decimal text, what the words mean")
    fields.finish()
    return Vector(register, setting, tuple(words), value)


def check_vector(row: Fields, vector: Vector, profile: Profile, flawed: AbstractSet[str]) -> None:
    """The words are as many as the type takes, and mean the value.

    Args:
        row: the vector's own table.
        vector: what was read of it.
        profile: all of the file.
        flawed: names of the rows with a complaint; vectors of these are left alone.
    """
    setting = _setting(profile, vector.setting)
    key = "setting" if vector.setting else "register"
    names = {r.name for r in (profile.settings if vector.setting else profile.registers)}
    if (vector.setting or vector.register) not in names:
        row.complain(key, f"is no {key} of this profile")
        return
    register = setting.register if setting else profile.register(vector.register)
    if register.name in flawed or profile.protocol != "modbus":
        return
    if register.table not in REGISTER_TABLES:
        row.complain(key, f"is in table {register.table}; vectors are for 16-bit registers")
        return
    due = setting.words if setting else register.words
    if len(vector.words) != due:
        of_type = f"{_type_of(register, setting)} takes {due}"
        row.complain("words", f"there are {len(vector.words)}, but {of_type}")
    elif setting and setting.is_text:
        _check_text(row, vector, register.byte_order)
    elif is_decimal(vector.value, "value", row):
        _check_number(row, vector, register)


def unproven_types(profile: Profile) -> list[str]:
    """Types longer than one word without a vector: their order is only claimed."""
    used = {_way(profile, r) for r in profile.registers if _is_long(r, None)}
    used |= {_way(profile, s.register, s) for s in profile.settings if _is_long(s.register, s)}
    proven = set()
    for vector in profile.vectors:
        setting = _setting(profile, vector.setting)
        register = setting.register if setting else profile.register(vector.register)
        proven.add(_way(profile, register, setting))
    return sorted(used - proven)


def _is_long(register: Register, setting: Setting | None) -> bool:
    long = (setting is not None and setting.is_text) or register.words > 1
    return long and register.table in REGISTER_TABLES


def _way(profile: Profile, register: Register, setting: Setting | None = None) -> str:
    """A type with the orders it is taken in, as far as they are not the profile's."""
    own = [
        f"{key} {order}"
        for key, order, usual in (
            ("word_order", register.word_order, profile.word_order),
            ("byte_order", register.byte_order, profile.byte_order),
        )
        if order != usual
    ]
    return " with ".join(filter(None, [_type_of(register, setting), " and ".join(own)]))


def _type_of(register: Register, setting: Setting | None) -> str:
    return "text" if setting is not None and setting.is_text else register.type_name


def _setting(profile: Profile, name: str) -> Setting | None:
    return next((s for s in profile.settings if name and s.name == name), None)


def _check_text(row: Fields, vector: Vector, byte_order: str) -> None:
    try:
        text = text_of_words(vector.words, byte_order)
    except ValueError as error:
        row.complain("words", f"are no ASCII text (byte_order {byte_order}): {error}")
        return
    if text != vector.value:
        row.complain("value", f"the words are {text!r} (byte_order {byte_order}), "
                              f"which is not {vector.value!r}")  # fmt: skip


def _check_number(row: Fields, vector: Vector, register: Register) -> None:
    raw = raw_of_words(vector.words, register)
    orders = f"word_order {register.word_order}, byte_order {register.byte_order}"
    if raw is None:
        row.complain("words", f"are no decimal digits ({orders})")
    elif not _means(raw, register, vector.value):
        other = _order_that_fits(vector, register) or _all_digits(raw, register, vector.value)
        scaled = f", scale {register.scale}" if register.scale != "1" else ""
        reason = f"the words are raw {raw} ({orders}{scaled}), which is not {vector.value}{other}"
        row.complain("value", reason)


def _all_digits(raw: int | float, register: Register, value: str) -> str:
    """What to write where a manual prints a float rounded, or before its scale; or ""."""
    if not isinstance(raw, float) or not math.isfinite(raw):
        return ""
    meant = float(Fraction(raw) * exact(register.scale) + exact(register.offset))
    said = float(exact(value))
    if math.isclose(said, meant, rel_tol=ROUNDED):
        how = "rounded"
    elif math.isclose(said, raw, rel_tol=ROUNDED):
        how = "before its scale"
    else:
        return ""
    texts = (f"{meant:.{decimals}f}" for decimals in range(DECIMALS_MAX + 1))
    whole = next((text for text in texts if _means(raw, register, text)), "")
    return f"; if that is printed {how}, write {whole}" if whole else ""


def _order_that_fits(vector: Vector, register: Register) -> str:
    """The order in which the words would mean what the vector says, or ""."""
    for word_order, byte_order in itertools.product(ORDERS, ORDERS):
        swapped = replace(register, word_order=word_order, byte_order=byte_order)
        raw = raw_of_words(vector.words, swapped)
        if raw is not None and _means(raw, swapped, vector.value):
            return f"; it is with word_order {word_order}, byte_order {byte_order}"
    return ""


def _means(raw: int | float, register: Register, value: str) -> bool:
    wanted = (exact(value) - exact(register.offset)) / exact(register.scale)
    if not isinstance(raw, float):
        return Fraction(raw, 10**register.decimals) == wanted
    try:
        return raw == nearest_float(float(wanted), register.dtype)
    except OverflowError:
        return False
