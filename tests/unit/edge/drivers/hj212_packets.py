"""HJ 212 packets written from the standard's words, independent of the driver's own code.

The checksum is the loop of HJ 212-2017, appendix A, bit by bit.
"""

from datetime import datetime, timedelta
from typing import Any

MN = "010000A8900016F000169DC0"
START = datetime(2026, 6, 1, 8, 0, 0)  # noqa: DTZ001 - a logger's clock has no zone


def checksum(segment: bytes) -> str:
    register = 0xFFFF
    for byte in segment:
        register = (register >> 8) ^ byte
        for _ in range(8):
            check = register & 0x0001
            register >>= 1
            if check == 0x0001:
                register ^= 0xA001
    return f"{register:04X}"


def packet(segment: bytes | str) -> bytes:
    data = segment.encode("ascii") if isinstance(segment, str) else segment
    return f"##{len(data):04d}".encode() + data + checksum(data).encode() + b"\r\n"


def stamp(second: float) -> str:
    """DataTime so many seconds after START."""
    return (START + timedelta(seconds=second)).strftime("%Y%m%d%H%M%S")


def segment(
    content: str,
    *,
    cn: int = 2011,
    flag: int = 4,
    second: float = 0,
    milli: int = 223,
    mn: str = MN,
    extra: str = "",
    pw: str = "123456",
) -> str:
    """A segment sent so many seconds after START; `extra` stands between Flag and CP."""
    return (
        f"QN={stamp(second)}{milli:03d};ST=31;CN={cn};PW={pw};MN={mn};Flag={flag};{extra}"
        f"CP=&&{content}&&"
    )


def rtd(values: str, *, second: float = 0, **given: Any) -> str:
    """A real-time message of this second."""
    return segment(f"DataTime={stamp(second)};{values}", second=second, **given)
