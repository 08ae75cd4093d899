"""Questions out of the bytes of a connection or a serial line, and answers into bytes. Pure.

Modbus Messaging on TCP/IP 1.0b, 3.1.3; Modbus over Serial Line 1.02, 2.5.1. Written apart from
the driver's on purpose, and held to pymodbus and libmodbus as clients.
"""

import struct

from simulators.frames import NonsenseError, Question

_LENGTHS = {15: 9, 16: 9}  # with so many bytes beside the data


class TcpFrames:
    """Modbus TCP."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[Question]:
        """The questions these bytes complete; NonsenseError for what is none."""
        self._held += data
        found = []
        while len(self._held) >= 8:
            protocol, length = struct.unpack(">HH", self._held[2:6])
            if protocol or not 2 <= length <= 254:
                raise NonsenseError(self._held[:8].hex(" "))
            if len(self._held) < 6 + length:
                break
            whole, self._held = self._held[: 6 + length], self._held[6 + length :]
            found.append(Question(whole[:2], whole[6], whole[7:]))
        return found

    def frame(self, question: Question, pdu: bytes) -> bytes:
        """The answer with its header."""
        return question.mark + struct.pack(">HHB", 0, len(pdu) + 1, question.unit) + pdu


class RtuFrames:
    """Modbus RTU; the end of a question is told by its length, not by silence.

    Bytes that begin no whole question are passed over one by one, as noise.
    """

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[Question]:
        """The questions these bytes complete."""
        self._held += data
        found = []
        while len(self._held) >= 8:
            length = self._length()
            if len(self._held) < length <= 256:
                break
            whole = self._held[:length]
            if crc(whole[:-2]) == whole[-2:]:
                found.append(Question(b"", whole[0], whole[1:-2]))
                self._held = self._held[length:]
            else:
                self._held = self._held[1:]
        return found

    def frame(self, question: Question, pdu: bytes) -> bytes:
        """The answer with unit and CRC."""
        head = bytes([question.unit]) + pdu
        return head + crc(head)

    def _length(self) -> int:
        beside = _LENGTHS.get(self._held[1])
        return 8 if beside is None else beside + self._held[6]


def crc(data: bytes) -> bytes:
    """CRC-16 as RTU sends it, low byte first: 0xA001 reflected, from 0xFFFF (2.5.1.2)."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value.to_bytes(2, "little")
