"""Where a row's value stands: a Modbus table and address in the manual's own counting, or a node.

Addresses leave here 0-based, as on the wire. The classic mistakes (one off, the wrong table, a
number of one notation in a file of another) each get a sentence that says what was meant. Pure.
"""

import re
import string
from dataclasses import dataclass

from firmware_configs.fields import Fields
from firmware_configs.model import BIT_TABLES, DIGITS, REGISTER_TABLES

ADDRESS_NOTATIONS = ("0-based", "1-based", "40001")
LAST = 0xFFFF

_TABLES = REGISTER_TABLES + BIT_TABLES
_TABLE_OF = {digit: table for table, digit in DIGITS.items()}
_NODE = re.compile(r"(ns=(\d+|\{ns\});)?[isgb]=.+")
_PAD = re.compile(r"(0\d)?")


@dataclass(frozen=True)
class Place:
    """Where a value stands in a Modbus device.

    Attributes:
        table: holding, input, coil or discrete.
        address: first cell, 0-based as on the wire.
        written: as the file has it.
    """

    table: str
    address: int
    written: int


_FUNCTION_KEYS = ("function_code", "function", "fc")
_CODES = ("1", "2", "3", "4")
_FUNCTIONS = 'table = "coil" is read with FC 1, "discrete" with 2, "holding" with 3, "input" with 4'


def read_place(fields: Fields, notation: str) -> Place:
    """Table and address of a Modbus row; a stand-in, and a complaint, where they are wrong."""
    if notation == "40001":
        return _numbered(fields)
    table = _table(fields)
    first = 1 if notation == "1-based" else 0
    written = fields.raw("address")
    if type(written) is int and not first <= written <= LAST + first:
        fields.complain("address", _beyond(table, written, notation))
        return Place(table, 0, written)
    address = fields.integer("address", first, first + LAST)
    return Place(table, address - first, address)


def _table(fields: Fields) -> str:
    """The table; a function code where its name is due is told by its meaning."""
    for key in _FUNCTION_KEYS:
        if fields.raw(key) is not None:
            fields.complain(key, f"is written as the table: {_FUNCTIONS}")
            return _TABLES[0]
    if str(fields.raw("table")).lstrip("0") in _CODES:
        fields.complain("table", f"{fields.raw('table')!r} is no table's name: {_FUNCTIONS}")
        return _TABLES[0]
    return fields.choice("table", _TABLES)


def check_end(fields: Fields, place: Place, words: int) -> None:
    """The value's last cell is an address too."""
    last = place.address + words - 1
    if last > LAST:
        fields.complain("address", f"ends at {last:#06x}, beyond the last address 0xffff")


def doubt(table: str | None, written: int | None, notation: str) -> str:
    """Why an address may be meant in another notation; "" when nothing speaks for it.

    No more than a doubt: there are makers whose holding registers really stand at 30000 and on.
    """
    if notation not in ("0-based", "1-based") or table is None or written is None:
        return ""
    digit, rest = divmod(written, 10_000)
    if digit not in (3, 4) or rest == 0 or table == _TABLE_OF[digit]:
        return ""
    return (
        f"address {written} stands in table {table} as {notation}; if the manual means 40001 "
        f"notation, it is {_TABLE_OF[digit]} {rest - 1:#06x}"
    )


def _beyond(table: str, written: int, notation: str) -> str:
    first = 1 if notation == "1-based" else 0
    reason = f"{written} is not in {first}..{LAST + first}"
    digit, rest = divmod(written, 100_000)
    if digit and digit in _TABLE_OF and 1 <= rest <= LAST + 1:
        meant = _TABLE_OF[digit]
        other = f", and this row says {table}" if table != meant else ""
        return (
            f"{reason}; in 40001 notation it is {meant} {rest - 1 + first}{other}: write that, or "
            'address_notation = "40001" for the whole file'
        )
    if written == 0:
        return f'{reason}; a manual that counts from 0 is address_notation = "0-based"'
    return reason


def _numbered(fields: Fields) -> Place:
    """40001 notation: the leading digit is the table, the rest counts from 1."""
    number = fields.integer("address", 0, 465_536)
    digit, rest = divmod(number, 100_000 if number > 99_999 else 10_000)
    table = _TABLE_OF.get(digit)
    if table is None or not 1 <= rest <= LAST + 1:
        fields.complain(
            "address",
            f"{number} is no address in 40001 notation: 4xxxx holding, 3xxxx input, "
            f"1xxxx discrete, 0xxxx coil{', each counted from 1' if rest == 0 else ''}",
        )
        return Place("holding", 0, number)
    if fields.has("table"):
        given = fields.choice("table", _TABLES)
        if given != table:
            meant = _numbered_as(given, rest)
            fields.complain(
                "table",
                f"{given} contradicts address {number}, which is {table} {rest - 1:#06x} on the "
                f"wire; {given} {rest - 1:#06x} is written {meant}",
            )
            table = given  # one complaint is enough
    return Place(table, rest - 1, number)


def _numbered_as(table: str, rest: int) -> int:
    """Cell `rest` of a table, counted from 1: with four digits behind the table's, or five."""
    return DIGITS[table] * (10_000 if rest <= 9_999 else 100_000) + rest


def read_node(fields: Fields, name: str) -> tuple[str, str | None]:
    """Node id and namespace URI of an OPC UA row."""
    node = fields.text("node", why='node id, e.g. "ns={ns};s=Line.Current"')
    namespace = fields.optional_text("namespace")
    filled_node = filled(fields, "node", node, {"n", "ns"})
    if filled_node and not _NODE.fullmatch(node):
        fields.complain("node", f"{node!r} is no node id such as ns={{ns}};s=Line.Current")
    if filled_node and ("{ns}" in node) != (namespace is not None):
        fields.complain("namespace", "give the URI that {ns} in node stands for, or leave out both")
    if filled_node and ("{n" in name) != (re.search(r"\{n[}:]", node) is not None):
        fields.complain("node", "{n} must stand in both name and node, or in neither")
    return node, namespace


def filled(fields: Fields, key: str, template: str, allowed: set[str]) -> str:
    """The template with n = 1 and ns = 2; "" when it is no valid template."""
    marks = " and ".join("{" + mark + "}" for mark in sorted(allowed)) or "no braces"
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError:
        fields.complain(key, f"the braces of {template!r} do not match; allowed here: {marks}")
        return ""
    for _, mark, pad, conversion in parts:
        if mark is None:
            continue
        if mark not in allowed or conversion or not _PAD.fullmatch(pad or ""):
            shown = "{" + mark + (f":{pad}" if pad else "") + "}"
            fields.complain(key, f"{template!r} holds {shown}; allowed here: {marks}")
            return ""
    return template.format(n=1, ns=2)
