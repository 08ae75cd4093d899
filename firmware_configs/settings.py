"""One [[setting]] table of a profile: what a meter tells about itself and how it is set. Pure.

Serial number, firmware, transformer ratios, K-factor, span, counters of resets and changes: read
to notice when somebody turns a screw, and never a point.
"""

from dataclasses import replace

from evidence.points import DECIMALS_MAX, Dtype
from firmware_configs.coding import Coding, read_coding
from firmware_configs.fields import Fields
from firmware_configs.model import SETTINGS, Register, Setting
from firmware_configs.rows import Head, bare_register, read_name

#: Registers of the longest text, of which a read can hold 125.
TEXT_WORDS_MAX = 64


def read_setting(fields: Fields, head: Head) -> Setting:
    """The row as a Setting; where the row is wrong a stand-in, and the problem is noted."""
    means = fields.choice("means", SETTINGS)
    name = read_name(fields, head.protocol, default=means)
    if "{n" in name:
        fields.complain("name", "a setting is of the device: {n} is for registers")
    is_text = fields.raw("type") == "text"
    if is_text and head.protocol == "dlt645":
        fields.complain("type", "DL/T 645 settings are numbers here; give the digits' format")
    words = 0
    if is_text:
        coding = Coding(Dtype.U16, is_text=True)
        if head.protocol == "modbus":
            words = fields.integer("length", 1, TEXT_WORDS_MAX)
        for key in ("invalid", "word_order"):
            if fields.has(key):
                fields.complain(key, "is of numbers; this is a text")
    else:
        coding = read_coding(fields, modbus=head.protocol == "modbus")
    register = bare_register(fields, name, head, coding, words)
    register = replace(register, decimals=_decimals(fields, register, is_text=is_text))
    setting = Setting(name, means, fields.text("unit", default=""), register, is_text, words)
    fields.finish()
    return setting


def _decimals(fields: Fields, register: Register, *, is_text: bool) -> int:
    """Of a whole number; those of a DL/T 645 item come from its format."""
    if is_text or register.dtype.is_float:
        return 0
    if register.identifier is not None:
        return register.identifier.decimals
    return fields.integer("decimals", 0, DECIMALS_MAX, default=0)
