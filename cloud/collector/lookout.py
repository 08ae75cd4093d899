"""The process that looks at objects ahead of the collector: a batch in, what it has seen out.

    python -m cloud.collector.lookout

It holds no private key, opens no file and decides nothing; it ends when the collector hangs up.
"""

import itertools
import signal
import socket
import struct
from collections.abc import Sequence
from typing import Any

from cloud.collector.seen import Seen, Span, see
from evidence import cbor
from evidence.errors import MalformedError
from evidence.frame import TYP_FRAME, Gap, Header

#: an object, and the SubjectPublicKeyInfo of the key that it is likely signed with
Likely = tuple[bytes, bytes]

_HELLO = b"+"
_LENGTH, _PAIR = struct.Struct("<I"), struct.Struct("<II")
#: of an answer: what is seen of a frame has 17 parts at most, three of them lists
_ANSWER_BYTES_MAX = 1024 * 1024


def hear_hello(line: socket.socket) -> None:
    """It is ready; OSError or EOFError when it has ended."""
    _exactly(line, len(_HELLO))


def ask(line: socket.socket, batch: Sequence[Likely]) -> None:
    """Give objects to look at; OSError when nobody takes them."""
    lengths = [_PAIR.pack(len(data), len(key)) for data, key in batch]
    parts = itertools.chain(lengths, itertools.chain.from_iterable(batch))
    line.sendall(b"".join((_LENGTH.pack(len(batch)), *parts)))


def _asked(line: socket.socket) -> list[Likely]:
    """What `ask` gave; EOFError when the collector has hung up."""
    (count,) = _LENGTH.unpack(_exactly(line, _LENGTH.size))
    lengths = _PAIR.iter_unpack(_exactly(line, count * _PAIR.size))
    return [(_exactly(line, data), _exactly(line, key)) for data, key in lengths]


def answered(line: socket.socket, count: int) -> list[Seen | None]:
    """What was seen of the batch that was given first, of `count` objects.

    Raises:
        OSError, EOFError: the other process has ended, or does not answer in time.
        EvidenceError: its answer is none.
    """
    (length,) = _LENGTH.unpack(_exactly(line, _LENGTH.size))
    if length > _ANSWER_BYTES_MAX:
        raise MalformedError(f"an answer of {length} bytes")
    answer = cbor.decode(_exactly(line, length))
    if not isinstance(answer, list) or len(answer) != count:
        raise MalformedError(f"not the answer for {count} objects")
    return [None if one is None else _seen(*one) for one in answer]


def _written(seen: Seen | None) -> list[Any] | None:
    if seen is None:
        return None
    head, span = seen.header, seen.span
    gap = None if span.gap is None else [span.gap.from_ns, span.gap.to_ns, span.gap.reason]
    anchor = None if head.anchor is None else list(head.anchor)
    place = [head.plant, head.stream, head.iat_s, head.seq, head.prev, anchor, head.cfg]
    body = [span.t0_ns, span.first_ns, span.newest_ns, span.readings, gap]
    return [place, [seen.kid, seen.sha256, seen.key], body]


def _seen(place: Sequence[Any], signed: Sequence[Any], body: Sequence[Any]) -> Seen:
    plant, stream, iat_s, seq, prev, anchor, cfg = place
    kid, sha256, key = signed
    t0_ns, first_ns, newest_ns, readings, gap = body
    known = None if anchor is None else (anchor[0], anchor[1])
    header = Header(TYP_FRAME, plant, stream, iat_s, seq, prev, known, cfg)
    told = None if gap is None else Gap(*gap)
    return Seen(header, kid, sha256, key, Span(t0_ns, first_ns, newest_ns, readings, told))


def _exactly(line: socket.socket, count: int) -> bytes:
    data, at = bytearray(count), 0
    view = memoryview(data)
    while at < count:
        came = line.recv_into(view[at:])
        if not came:
            raise EOFError("it has hung up")
        at += came
    return bytes(data)


def _looked(data: bytes, key: bytes) -> Seen | None:
    try:
        return see(data, key)
    except Exception:  # noqa: BLE001 - whoever judges it meets the same, and logs it
        return None


def main() -> None:
    """Look at batches until the collector hangs up."""
    for name in (signal.SIGINT, signal.SIGTERM):  # sent to all; the collector has work left to do
        signal.signal(name, signal.SIG_IGN)
    with socket.socket(fileno=0) as line:
        line.sendall(_HELLO)
        while True:
            try:
                answer = cbor.encode([_written(_looked(*likely)) for likely in _asked(line)])
                line.sendall(_LENGTH.pack(len(answer)) + answer)
            except (EOFError, OSError):  # the collector has ended, whichever way
                return


if __name__ == "__main__":
    main()
