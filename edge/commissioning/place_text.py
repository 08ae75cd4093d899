"""A Modbus place as a person types it: "holding:3000", or a manual's "43001". Pure."""

import re

from edge.commissioning.orders import type_words
from edge.drivers.modbus.plan import CELLS, TABLES
from firmware_configs.csv_cells import type_name
from firmware_configs.model import BIT_TABLES, DIGITS

_PLACE = re.compile(r"(?P<table>[a-z]+):(?P<address>0x[0-9a-f]{1,4}|[0-9]{1,5})", re.IGNORECASE)
_NUMBERED = re.compile(r"(?P<digit>[0134])(?::|(?<!0)x)?(?P<rest>[0-9]{4,5})", re.IGNORECASE)
FORMS = (
    "write TABLE:ADDRESS as on the wire, from 0 on (holding:3000, input:0x0BB8, coil:0, "
    "discrete:7), or a manual's number in 40001 notation (43001 is holding:3000)"
)


def parse(text: str) -> tuple[str, int]:
    """(table, address as on the wire); ValueError says how a place is written."""
    if numbered := _NUMBERED.fullmatch(text):
        (table,) = (name for name, digit in DIGITS.items() if digit == int(numbered["digit"]))
        address = int(numbered["rest"]) - 1
    elif written := _PLACE.fullmatch(text):
        table, address = written["table"].lower(), int(written["address"], 0)
    else:
        raise ValueError(f"{text!r} is no place in a Modbus device: {FORMS}")
    if table not in TABLES:
        raise ValueError(f"{table!r} is no table of a Modbus device: {FORMS}")
    if not 0 <= address < CELLS:
        raise ValueError(f"{text!r} is no address: tables have {CELLS} cells, from 0 on")
    return table, address


def parse_type(table: str, text: str) -> str:
    """The type that "f32", or a manual's "FLOAT32", names; ValueError says which there are."""
    if table in BIT_TABLES:
        raise ValueError(f"a cell of table {table} is a bit: leave {text!r} out")
    name = type_name(text)
    if name not in type_words():
        raise ValueError(
            f"{text!r} is no type of a register; write one of {' '.join(type_words())}"
        )
    return name
