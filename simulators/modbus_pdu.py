"""What a Modbus device answers to a question, from the cells it shows. Pure.

Modbus Application Protocol 1.1b3, sections 6.1 to 6.4 and 7. Reading only: everything else is
refused as a function the device does not have.
"""

import struct
from collections.abc import Mapping

#: Function code -> the table it reads.
TABLES = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}

#: Most cells one question may ask for.
_MOST = {1: 2000, 2: 2000, 3: 125, 4: 125}

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, FAILURE, BUSY = 1, 2, 3, 4, 6
#: a gateway's answer for a unit that is not behind it
NOBODY_THERE = 11

#: Table -> address -> a register 0..65535, or a bit 0 or 1.
Cells = Mapping[str, Mapping[int, int]]


def refusal(code: int, exception: int) -> bytes:
    """The exception answer to a function code."""
    return bytes([code & 0x7F | 0x80, exception])


def answer_of(pdu: bytes, cells: Cells) -> bytes:
    """The answer to a question.

    Args:
        pdu: function code and data, at least one byte.
        cells: what the device shows; a table without cells is one it does not have.
    """
    code = pdu[0]
    table = cells.get(TABLES.get(code, ""))
    if not table:
        return refusal(code, ILLEGAL_FUNCTION)
    address, count = struct.unpack(">HH", pdu[1:]) if len(pdu) == 5 else (0, 0)
    if not 1 <= count <= _MOST[code]:
        return refusal(code, ILLEGAL_VALUE)
    try:
        found = [table[cell] for cell in range(address, address + count)]
    except KeyError:
        return refusal(code, ILLEGAL_ADDRESS)
    data = _packed_bits(found) if code <= 2 else struct.pack(f">{count}H", *found)
    return bytes([code, len(data)]) + data


def shortened(pdu: bytes) -> bytes:
    """The same answer with its last register (of bits: its last byte) left out, else in order."""
    cut = 1 if pdu[0] <= 2 else 2
    if pdu[0] & 0x80 or len(pdu) < 2 + cut:
        return pdu
    return bytes([pdu[0], pdu[1] - cut]) + pdu[2:-cut]


def _packed_bits(bits: list[int]) -> bytes:
    data = bytearray(-(-len(bits) // 8))
    for at, bit in enumerate(bits):
        data[at // 8] |= bit << at % 8
    return bytes(data)
