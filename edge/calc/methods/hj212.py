"""The checksum of an HJ 212 packet, by hand: what a logger should have sent behind a segment."""

from typing import Any

from edge.calc.errors import InputError
from edge.calc.registry import Input, method

_POLYNOMIAL = 0xA001
SEGMENT_CHARACTERS_MAX = 9999  # LLLL has four digits


@method(
    "hj212.crc",
    version=1,
    source="HJ 212-2017, appendix A; HJ 212-2025, A.1",
    inputs={"segment": Input(is_text=True, length_max=SEGMENT_CHARACTERS_MAX)},
    outputs={"crc": ""},
)
def hj212_crc(segment: str) -> dict[str, Any]:
    """CRC of an HJ 212 data segment.

    register = FFFF; for each byte: register = (register >> 8) xor byte, then eight times
    register = register >> 1, and xor A001 when the bit shifted out was 1. The low byte is dropped
    at each step: this is not the Modbus CRC, which has the same polynomial.

    segment [text]: what stands between length and checksum, from "QN=" to the last "&&"; ASCII,
        as the checksum of other characters depends on how the logger writes them.

    Example (HJ 212-2017, appendix A): QN=20160801085857223;ST=32;CN=1062;PW=100000;
    MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&& in one piece gives crc = 1C80.

    Not confirmed: nothing of this; the printed packets of both editions give their checksums.
    """
    if not segment.isascii():
        raise InputError(["segment: has characters beyond ASCII"])
    register = 0xFFFF
    for byte in segment.encode("ascii"):
        register = (register >> 8) ^ byte
        for _ in range(8):
            register, is_one = register >> 1, register & 1
            if is_one:
                register ^= _POLYNOMIAL
    return {"crc": f"{register:04X}"}
