"""Modbus TCP packets: a head of seven bytes, function code, data. Pure.

pymodbus makes the questions; the only file that touches it. Answers are taken out of the bytes
heard here, since it checks neither their function code nor their length.

The head (Modbus Messaging on TCP/IP Implementation Guide 1.0b, 3.1.3): the number of the question,
0 for the protocol, how many bytes follow (two bytes each), and the unit, which counts among them.
"""

import struct

from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from edge.drivers.modbus.plan import Read

_QUESTIONS = {
    1: ReadCoilsRequest,
    2: ReadDiscreteInputsRequest,
    3: ReadHoldingRegistersRequest,
    4: ReadInputRegistersRequest,
}
_FRAMER = FramerSocket(DecodePDU(is_server=False))
_HEAD = struct.Struct(">HHHB")
ANY_UNIT = 0  # a question to it may be answered under the device's own number


def request(number: int, unit: int, read: Read) -> bytes:
    """The packet that asks a unit for a read, as question `number` (0..65535)."""
    question = _QUESTIONS[read.code](address=read.address, count=read.count, dev_id=unit)
    question.transaction_id = number
    return _FRAMER.buildFrame(question)


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
