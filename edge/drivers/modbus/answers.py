"""What can become of a question, and the check that an answer fits it. Pure."""

import struct
from collections.abc import Sequence

from edge.drivers.modbus.plan import Read
from evidence.quality import Quality

#: Exception codes, Modbus Application Protocol 1.1b3, section 7.
_EXCEPTIONS = {
    1: "illegal function", 2: "illegal data address", 3: "illegal data value",
    4: "server device failure", 5: "acknowledge", 6: "server device busy",
    8: "memory parity error", 10: "gateway path unavailable",
    11: "gateway target device failed to respond",
}  # fmt: skip

GAVE_UP = 11  # a gateway on its device: that one may answer yet
#: Two exceptions speak of a device behind a gateway that was never asked or never answered.
_GATEWAY_QUALITY = {10: Quality.NOT_CONNECTED, GAVE_UP: Quality.NO_ANSWER}

#: Registers as 0..65535, or bits as 0 and 1, in address order.
Cells = Sequence[int]


class WrongAnswerError(Exception):
    """The device answered something else than what was asked."""


class RefusedError(Exception):
    """The device answered with an exception code.

    Attributes:
        code: the exception code, 0..255.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"refused: {_EXCEPTIONS.get(code, 'unknown exception')} ({code})")
        self.code = code


def refusal_quality(code: int) -> Quality:
    """What an exception code says of the value that was asked for."""
    return _GATEWAY_QUALITY.get(code, Quality.DEVICE_REFUSED)


def is_of_gateway(code: int) -> bool:
    """True when an exception says that a gateway answers, and has a line behind it."""
    return code in _GATEWAY_QUALITY


def data_bytes(read: Read) -> int:
    """How many bytes of data the answer to a read carries."""
    return -(-read.count // 8) if read.code <= 2 else 2 * read.count


def cells_of(pdu: bytes, read: Read) -> Cells:
    """The cells an answer holds.

    Args:
        pdu: function code and data, exactly as they came.
        read: what was asked.

    Raises:
        RefusedError: it is an exception answer to this function.
        WrongAnswerError: it answers another function, or with another number of bytes.
    """
    code = pdu[0] if pdu else 0
    if code & 0x7F != read.code:
        raise WrongAnswerError(f"answered function {code} to {read.code}")
    if code != read.code:
        if len(pdu) != 2:
            raise WrongAnswerError(f"answered an exception of {len(pdu)} bytes, 2 were due")
        raise RefusedError(pdu[1])
    due = data_bytes(read)
    if len(pdu) != 2 + due or pdu[1] != due:  # function code, number of bytes, the bytes
        raise WrongAnswerError(f"answered {len(pdu) - 2} bytes, {due} were due")
    if read.code <= 2:
        return [pdu[2 + i // 8] >> (i % 8) & 1 for i in range(read.count)]
    return struct.unpack_from(f">{read.count}H", pdu, 2)
