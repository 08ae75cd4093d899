"""What identifies a value in protocols that send items instead of registers: HJ 212, DL/T 645.

Pure. Both write numbers as decimal digits, so a register of theirs is an integer of 10^-decimals:
a float could not hold what the wire said.
"""

import re

from evidence.points import Dtype
from firmware_configs.fields import Fields
from firmware_configs.model import Identifier, Item

FIELDS = ("Rtd", "Min", "Avg", "Max", "Cou", "Flag")
#: CN of HJ 212 messages that carry values, and the fields each has
COMMANDS = {
    2011: ("Rtd", "Flag"),
    2051: ("Min", "Avg", "Max", "Cou", "Flag"),
    2061: ("Min", "Avg", "Max", "Cou", "Flag"),
    2031: ("Min", "Avg", "Max", "Cou", "Flag"),
}
_FACTOR = re.compile(r"[A-Za-z0-9]{1,12}")
_DI = re.compile(r"[0-9A-F]{8}")
_FORMAT = re.compile(r"X{1,16}(\.X{1,9})?")


def read_item(fields: Fields, dtype: Dtype) -> Item:
    """Factor, field and command of a row of an HJ 212 profile."""
    _want_integer(fields, dtype)
    factor = fields.text("factor", why='code of what is measured, e.g. factor = "a05001"')
    if factor and not _FACTOR.fullmatch(factor):
        fields.complain("factor", f"{factor!r} must match {_FACTOR.pattern}")
    field = fields.choice("field", FIELDS)
    command = fields.integer("command", 2000, 2999)
    if command != 2000 and command not in COMMANDS:  # 2000 stands in for what was complained of
        known = "2011 real time, 2051 minutes, 2061 hour, 2031 day"
        fields.complain("command", f"{command} is none of {known}")
    elif command in COMMANDS and field not in COMMANDS[command]:
        fields.complain("field", f"{field} is not in CN {command}: {' '.join(COMMANDS[command])}")
    return Item(factor, field, command)


def read_identifier(fields: Fields, dtype: Dtype) -> Identifier:
    """Data identifier and format of a row of a DL/T 645 profile."""
    _want_integer(fields, dtype)
    di = fields.text("di", why='data identifier, DI3 first, e.g. di = "00010000"')
    if di and not _DI.fullmatch(di):
        fields.complain("di", f"{di!r} is not eight hexadecimal digits in capitals")
        di = ""
    written = fields.text("format", why='as the standard writes it, e.g. format = "XXXXXX.XX"')
    identifier = Identifier(int(di or "0", 16), written)
    if written and (not _FORMAT.fullmatch(written) or identifier.digits % 2):
        fields.complain(
            "format", f"{written!r} is no even number of X with a point, such as XXXXXX.XX"
        )
    elif identifier.digits > _digits(dtype):
        holds = f"{dtype.name.lower()} holds {_digits(dtype)} digits"
        fields.complain("type", f"{written} has {identifier.digits} digits, {holds}")
    return identifier


def _want_integer(fields: Fields, dtype: Dtype) -> None:
    if dtype.is_float:
        fields.complain("type", "the wire has decimal digits, which an integer holds exactly: i64")


def _digits(dtype: Dtype) -> int:
    """Decimal digits that every value of the type's size surely has room for."""
    bits = 8 * dtype.size - (1 if dtype.name.startswith("I") else 0)
    return len(str(2**bits)) - 1
