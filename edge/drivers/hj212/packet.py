"""HJ 212 packets: found in a stream of bytes, checked, and the two answers we can write.

`## LLLL <segment> CCCC CR LF`: LLLL is the segment's length in bytes, four decimal digits; CCCC is
its checksum in hexadecimal. Pure: no I/O. HJ 212-2017 and -2025, 6.3.
"""

from collections.abc import Iterator

_HEAD, _TAIL = b"##", b"\r\n"
_HEX = frozenset(b"0123456789ABCDEFabcdef")
#: The standards split what is longer than 1024 bytes. Loggers are told of that do not; what four
#: digits could announce beyond this is noise, and would only hold up the packets behind it.
SEGMENT_BYTES_MAX = 4096
_AROUND = len(_HEAD) + 4 + 4 + len(_TAIL)

ACKS = {"9013": "notice", "9014": "data"}


class Hj212Error(Exception):
    """A packet that is not taken. The sentence holds nothing of its content (PW is a password)."""


def _table() -> tuple[int, ...]:
    entries = []
    for entry in range(256):
        register = entry
        for _ in range(8):
            register = register >> 1 ^ (0xA001 if register & 1 else 0)
        entries.append(register)
    return tuple(entries)


_TABLE = _table()


def crc(segment: bytes) -> int:
    """The checksum of a segment, 0..0xFFFF.

    Not the Modbus CRC, which shares its polynomial: here each byte meets the register's *high*
    byte, and the low one is dropped (HJ 212-2017, appendix A).
    """
    register = 0xFFFF
    for byte in segment:
        register = _TABLE[register >> 8 ^ byte]
    return register


def build_packet(segment: bytes) -> bytes:
    """The packet around a segment of at most 9999 bytes."""
    return _HEAD + b"%04d" % len(segment) + segment + b"%04X" % crc(segment) + _TAIL


class Splitter:
    """Cuts one connection's bytes into packets; never holds more than one packet and a bit.

    Attributes:
        junk: bytes thrown away since the last whole packet.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self.junk = 0

    def feed(self, data: bytes) -> Iterator[bytes | Hj212Error]:
        """Segments that became whole, in order; between them an error for what is no packet."""
        self._held += data
        while (start := self._held.find(_HEAD)) >= 0:
            self._drop(start)
            found = self._first()
            if found is None:
                return
            yield found
        self._drop(len(self._held) - self._held.endswith(b"#"))

    def _first(self) -> bytes | Hj212Error | None:
        """What stands behind the "##" the bytes begin with; None when more must come first."""
        held = self._held
        if len(held) < 6:
            return None
        length = int(held[2:6]) if held[2:6].isdigit() else -1
        if not 0 <= length <= SEGMENT_BYTES_MAX:
            self._drop(1)
            return Hj212Error(f"has no length of 0 to {SEGMENT_BYTES_MAX} behind its ##")
        whole = length + _AROUND
        if len(held) < whole:
            return None
        segment, told = bytes(held[6 : 6 + length]), bytes(held[6 + length : 10 + length])
        if held[whole - 2 : whole] != _TAIL or not _HEX.issuperset(told):
            self._drop(1)  # the length may be wrong: look for a packet inside
            return Hj212Error("has no checksum and line end where its length says")
        is_right = int(told, 16) == crc(segment)
        self._drop(whole)  # its form is right, so nothing else begins inside
        if not is_right:
            return Hj212Error(_wrong_crc(segment))
        self.junk = 0
        return segment

    def _drop(self, count: int) -> None:
        self.junk += count
        del self._held[:count]


def _wrong_crc(segment: bytes) -> str:
    content = segment.partition(b"CP=&&")[2]
    if any(byte < 0x20 for byte in content):
        # SM4 leaves bytes that no text has, GBK included; the checksum is that of the plain text
        return (
            "has content that is no text, and a checksum that does not fit: encrypted "
            "(HJ 212-2025, SM4), which is not read here; have the logger send plain text here"
        )
    return "has a checksum that does not fit its bytes"


def build_ack(kind: str, *, qn: str, pw: str, mn: str, version: int) -> bytes:
    """A 9013 or 9014 to the message with this QN; it asks for no answer and says nothing else."""
    segment = f"QN={qn};ST=91;CN={kind};PW={pw};MN={mn};Flag={version << 2};CP=&&&&"
    return only_acks(build_packet(segment.encode("ascii")))


def only_acks(packet: bytes) -> bytes:
    """The gate everything outgoing passes: one 9013 or 9014 without content, and nothing else.

    Raises:
        RuntimeError: it is anything else.
    """
    found = list(Splitter().feed(packet))
    segment = found[0] if len(found) == 1 and isinstance(found[0], bytes) else b""
    fields = segment.split(b";")
    is_ack = (
        len(packet) == len(segment) + _AROUND
        and len(fields) == 7
        and fields[1] == b"ST=91"
        and fields[2] in {b"CN=" + kind.encode("ascii") for kind in ACKS}
        and fields[6] == b"CP=&&&&"
    )
    if not is_ack:
        raise RuntimeError("nothing but an HJ 212 acknowledgement must ever leave the edge")
    return packet
