"""RTU frames: unit, function code, data, CRC (Modbus over serial line 1.02, 2.5.1). Pure."""

import struct

from edge.drivers.modbus.endpoint import ANSWER_HEAD
from edge.drivers.modbus.gate import READ_CODES
from edge.drivers.modbus.plan import Read


def _crc_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ 0xA001 if byte & 1 else byte >> 1
    return byte


_CRCS = tuple(map(_crc_of_byte, range(256)))


def crc16(data: bytes) -> bytes:
    """The two bytes that close a frame, low byte first (serial line 1.02, 6.2.2)."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRCS[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")


def is_whole(frame: bytes) -> bool:
    """True when the last two bytes are the CRC of the others."""
    return len(frame) >= 4 and crc16(frame[:-2]) == frame[-2:]


def request(unit: int, read: Read) -> bytes:
    """The frame that asks a unit for a read."""
    head = struct.pack(">BBHH", unit, read.code, read.address, read.count)
    return head + crc16(head)


def answers_in(heard: bytes, unit: int) -> tuple[list[bytes], bytes]:
    """The whole answers of a unit to reading functions, in order; noise and others are passed over.

    Whether one fits a question is for others to judge: what does not fit must be seen.

    Args:
        heard: all bytes since the question, the question's own echo taken off.
        unit: who was asked.

    Returns:
        Function code and data of each; and the bytes to be looked at once more have come. What
        follows an answer that is not complete yet is among them: it may be that answer's data.
    """
    answers, at = [], 0
    while at + 3 <= len(heard):
        if heard[at] != unit or heard[at + 1] & 0x7F not in READ_CODES:
            at += 1
            continue
        is_refusal = heard[at + 1] & 0x80
        end = at + (ANSWER_HEAD if is_refusal else ANSWER_HEAD + heard[at + 2])
        if end > len(heard):
            break
        if is_whole(heard[at:end]):
            answers.append(heard[at + 1 : end - 2])
            at = end
        else:
            at += 1
    return answers, heard[at:]
