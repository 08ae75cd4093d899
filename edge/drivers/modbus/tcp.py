"""Modbus TCP packets: a head of seven bytes, function code, data. Pure.

The head (Modbus Messaging on TCP/IP Implementation Guide 1.0b, 3.1.3): the number of the question,
0 for the protocol, how many bytes follow (two bytes each), and the unit, which counts among them.
"""

import struct

from edge.drivers.modbus.plan import Read

_QUESTION, _HEAD = struct.Struct(">HHHBBHH"), struct.Struct(">HHHB")
ANY_UNIT = 0  # a question to it may be answered under the device's own number


def request(number: int, unit: int, read: Read) -> bytes:
    """The packet that asks a unit for a read, as question `number` (0..65535)."""
    return _QUESTION.pack(number, 0, 6, unit, read.code, read.address, read.count)


def find_pdu(heard: bytes, number: int, unit: int) -> bytes:
    """Function code and data of the answer to a question; b"" when it has not come in whole.

    Args:
        heard: packets one after another, as far as they have come in.
        number: of the question.
        unit: that was asked.
    """
    at = 0
    while at + _HEAD.size <= len(heard):
        found, protocol, length, who = _HEAD.unpack_from(heard, at)
        end = at + 6 + length
        is_ours = (found, protocol) == (number, 0) and unit in (who, ANY_UNIT)
        if is_ours and end <= len(heard):
            return heard[at + _HEAD.size : end]
        at = end
    return b""
