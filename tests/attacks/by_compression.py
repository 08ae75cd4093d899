"""Payloads that two decoders read as two things: windows of Zstandard, and levels of CBOR.

Gateway and collector agree on each of them. Where a frame's matches reach further back than its own
window, libzstd gives an error or the bytes that are meant, by the size of its buffers, and fzstd
gave other bytes.
"""

import functools
import random
import sys
from collections.abc import Callable, Mapping
from typing import Any

from evidence import cbor
from evidence.blocks import decompress
from tests.attacks.by_both import BAD_FRAME, payload
from tests.attacks.forging import Kind, kind
from tests.unit.evidence import sealed_month as sm

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: RFC 8878 §3.1.1.1.2: an exponent in the upper five bits of this byte, eighths in the lower three
WINDOW_AT = 5
KIB_64, KIB_128, MIB_8, MIB_9, MIB_16, GIB_2 = (
    6 << 3,
    7 << 3,
    13 << 3,
    13 << 3 | 1,
    14 << 3,
    21 << 3,
)
FRAME = 2
NOTE = {"kind": "note", "at_ns": 1, "text": random.Random(7).randbytes(150).hex()}
#: the second note is a match 400,000 bytes back
FAR: list[Any] = [NOTE, {"kind": "pad", "at_ns": 1, "zeros": bytes(400_000)}, NOTE]


@functools.cache
def body() -> Mapping[int, Any]:
    """What an honest frame says."""
    found: Mapping[int, Any] = cbor.decode(decompress(sm.items()[FRAME].payload))
    return found


def framed(events: list[Any], window: int) -> bytes:
    """The honest frame with these events, as Zstandard that says this window."""
    data = cbor.encode({**body(), 7: events})
    options = {
        zstd.CompressionParameter.window_log: 19,
        zstd.CompressionParameter.compression_level: 19,
    }
    packer = zstd.ZstdCompressor(options=options)
    made = packer.compress(data, zstd.ZstdCompressor.FLUSH_BLOCK)
    made += packer.compress(b"", zstd.ZstdCompressor.FLUSH_FRAME)
    assert not made[4] & 32, "a single segment has no window of its own"
    return b"\1" + made[:WINDOW_AT] + bytes([window]) + made[WINDOW_AT + 1 :]


def sized(window: int) -> bytes:
    """The honest frame as Zstandard that says its size, too: decoders skip their bound then."""
    made = framed([NOTE], window)
    size = len(cbor.encode({**body(), 7: [NOTE]})).to_bytes(4, "little")
    return made[:5] + bytes([0x80]) + made[6:7] + size + made[7:]


def month(data: bytes) -> Callable[[], bytes]:
    return lambda: sm.build(sm.contents(sm.make_month(payload(FRAME, data))))


def nested(levels: int) -> bytes:
    """The honest frame with so many arrays and maps in one another, the innermost empty."""
    event = cbor.encode({"kind": "note", "at_ns": 1, "x": 0})
    inner = b"\x81" * (levels - 4) + b"\x80"  # three levels are around them
    whole = cbor.encode({**body(), 7: [0]})
    assert whole.endswith(b"\x07\x81\x00")
    assert event[:4] == b"\xa3\x61\x78\x00"
    return b"\0" + whole[:-1] + event[:3] + inner + event[4:]


#: (name, story, payload, codes)
_PAYLOADS: list[tuple[str, str, bytes, set[str]]] = [
    ("matches beyond the window", "A frame is written so that two readers see two things in it.",
     framed(FAR, KIB_128), set()),
    ("an honest window of 8 MiB", "Nobody: another program writes with the largest window.",
     framed([NOTE], MIB_8), set()),
    ("a window of 9 MiB", "A frame is written that only some readers take.",
     framed([NOTE], MIB_9), BAD_FRAME),
    ("a window of 16 MiB", "A frame is written that only some readers take.",
     framed([NOTE], MIB_16), BAD_FRAME),
    ("a window of 64 KiB", "Blocks are longer than some readers take under this window.",
     framed(FAR, KIB_64), BAD_FRAME),
    ("a window of 2 GiB beside the size", "Readers take it, or not, by the size of their buffers.",
     sized(GIB_2), BAD_FRAME),
    ("12 levels", "Nobody: an event is nested as deep as it may be.", nested(12), set()),
    ("13 levels, the innermost empty", "Readers that count what is in them count 12 levels.",
     nested(13), BAD_FRAME),
]  # fmt: skip

KINDS: list[Kind] = [
    kind(f"compression: {name}", story, month(data), *codes)
    for name, story, data, codes in _PAYLOADS
]
