"""Signed objects as datagrams, and datagrams as objects: the same bytes, or nothing. Pure.

One datagram, at most `DATAGRAM_BYTES_MAX` bytes, numbers big-endian:

    magic "SPU1" ‖ run u32 ‖ number u32 ‖ SHA-256 of the object ‖ its length u32 ‖ index u16
    ‖ CRC-32 u32 of all the rest ‖ bytes from index × CHUNK on

Each says by itself which object it is a piece of and where it belongs, so that any order, loss and
repetition is the same. `run` and `number` count the datagrams of one sender's start: they say how
many were lost, and nothing else. Nobody is believed: whoever takes the object in judges its
signature. FORMAT.md does not speak of this: no signed byte depends on it.
"""

import hashlib
import itertools
import struct
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from evidence.cose import OBJECT_BYTES_MAX
from evidence.errors import MalformedError

DATAGRAM_BYTES_MAX = 1_400  # with IPv6's 48 bytes of headers below the 1,500 of an Ethernet frame
MAGIC = b"SPU1"
_HEAD = struct.Struct(">4sII32sIH")
_CRC = struct.Struct(">I")
HEAD_BYTES = _HEAD.size + _CRC.size
CHUNK = DATAGRAM_BYTES_MAX - HEAD_BYTES
COUNT_MAX = 1 << 32

#: what an entry of the tables below takes in memory beside its bytes, rounded up
_PIECE_COSTS, _OBJECT_COSTS = 256, 1_024
REMEMBERED_MAX = 16_384
CANDIDATES_MAX = 4  # of one piece: a stranger's may stand where the true one belongs
_TRIED_AT_ONCE = 16  # ways to put candidates together
#: What may be hashed for a datagram, whoever sends it; of one object so much is saved up.
_HASHED_BYTES, _SAVED_BYTES_MAX = 64 * 1024, OBJECT_BYTES_MAX
RUNS_MAX = 256  # more than a relay has streams


@dataclass(frozen=True, slots=True)
class Fragment:
    """One datagram.

    Attributes:
        run, number: whose start it is of, and how many went before it, modulo 2^32.
        sha256: of the whole object.
        length: of the whole object, 1 to `OBJECT_BYTES_MAX` bytes.
        index: which piece it is, from 0.
        data: the piece.
    """

    run: int
    number: int
    sha256: bytes
    length: int
    index: int
    data: bytes


def fragments(data: bytes, run: int, first: int) -> Iterator[bytes]:
    """The datagrams of an object.

    Args:
        data: the object, 1 to `OBJECT_BYTES_MAX` bytes.
        run: of this sender's start.
        first: number of the first datagram.
    """
    sha256 = hashlib.sha256(data).digest()
    for index in range(count_of(len(data))):
        number = (first + index) % COUNT_MAX
        head = _HEAD.pack(MAGIC, run, number, sha256, len(data), index)
        piece = data[index * CHUNK : (index + 1) * CHUNK]
        yield b"".join([head, _CRC.pack(zlib.crc32(piece, zlib.crc32(head))), piece])


def count_of(length: int) -> int:
    """How many datagrams an object of this length takes."""
    return -(-length // CHUNK)


def parse_fragment(data: bytes) -> Fragment:
    """One datagram, every byte of it checked; MalformedError when it is none of ours."""
    if len(data) > DATAGRAM_BYTES_MAX or len(data) <= HEAD_BYTES:
        raise MalformedError(f"a datagram of {len(data)} bytes")
    magic, run, number, sha256, length, index = _HEAD.unpack_from(data)
    if magic != MAGIC:
        raise MalformedError("not a datagram of this kind")
    if not 0 < length <= OBJECT_BYTES_MAX or index >= count_of(length):
        raise MalformedError(f"piece {index} of an object of {length} bytes")
    piece = data[HEAD_BYTES:]
    if len(piece) != min(CHUNK, length - index * CHUNK):
        raise MalformedError(f"piece {index} of {length} bytes has {len(piece)}")
    if zlib.crc32(piece, zlib.crc32(data[: _HEAD.size])) != _CRC.unpack_from(data, _HEAD.size)[0]:
        raise MalformedError("a datagram fails its checksum")
    return Fragment(run, number, sha256, length, index, piece)


@dataclass(slots=True)
class _Assembly:
    pieces: dict[int, list[bytes]] = field(default_factory=dict)  # candidates, the newest first
    held: int = 0  # bytes
    may_hash: int = 0  # bytes
    is_broken: bool = False
    _ways: Iterator[tuple[bytes, ...]] | None = None  # to put them together, not tried yet

    def put(self, index: int, data: bytes) -> int:
        """Make this the newest candidate of a piece; the bytes that it costs more, or less.

        One that is the newest already changes nothing but what may be hashed: what could not be
        tried yet is tried as the rounds go on.
        """
        self.may_hash = min(self.may_hash + _HASHED_BYTES, _SAVED_BYTES_MAX)
        candidates = self.pieces.setdefault(index, [])
        if candidates[:1] == [data]:
            return 0
        kept = [other for other in candidates if other != data][: CANDIDATES_MAX - 1]
        more = (len(kept) + 1 - len(candidates)) * (len(data) + _PIECE_COSTS)
        candidates[:] = [data, *kept]
        self.held += more
        self._ways = None
        return more

    def tries(self, length: int) -> Iterator[bytes]:
        """What the candidates may be, the newest of each first; as many as may be tried now."""
        most = min(_TRIED_AT_ONCE, self.may_hash // length)
        if self._ways is None:
            pieces = (self.pieces[index] for index in range(len(self.pieces)))
            self._ways = itertools.product(*pieces)
        for way in itertools.islice(self._ways, most):
            self.may_hash -= length
            yield b"".join(way)


class Reassembly:
    """Puts objects together again, within a bound of memory.

    When it is full the object that has waited longest for another piece is given up: it is
    repeated, or named missing. Objects that are held already are not put together again. Who sends
    a piece of his own for a true one keeps no object away by it: others of that piece are tried,
    until the hash is the object's.

    Args:
        bytes_max: of pieces held, with what holding them costs; at least one object's worth.

    Attributes:
        broken: objects of which all pieces were there, and not the true ones, or not these alone.
        given_up: objects left incomplete for want of room.
        bytes: held now.
    """

    def __init__(self, bytes_max: int = 64 * 1024 * 1024) -> None:
        self._bytes_max = bytes_max
        self._open: OrderedDict[tuple[bytes, int], _Assembly] = OrderedDict()
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self.broken = self.given_up = self.bytes = 0

    def take(self, fragment: Fragment) -> bytes | None:
        """Take one piece; the object when it is the last of one."""
        if fragment.sha256 in self._known:
            return None
        key = fragment.sha256, fragment.length
        assembly = self._open.get(key)
        if assembly is None:
            assembly = self._open[key] = _Assembly(held=_OBJECT_COSTS)
            self.bytes += _OBJECT_COSTS
        self._open.move_to_end(key)
        self.bytes += assembly.put(fragment.index, fragment.data)
        if len(assembly.pieces) == count_of(fragment.length):
            for data in assembly.tries(fragment.length):
                if hashlib.sha256(data).digest() == fragment.sha256:
                    self._drop(key)
                    return data
            self.broken += not assembly.is_broken
            assembly.is_broken = True
            if fragment.length <= CHUNK:
                self._drop(key)  # its true piece is the whole of it
        while self.bytes > self._bytes_max:
            self._drop(next(iter(self._open)))
            self.given_up += 1
        return None

    def remember(self, sha256: bytes) -> None:
        """The object is on disk: its repetitions are passed over."""
        self._known[sha256] = None
        if len(self._known) > REMEMBERED_MAX:
            self._known.popitem(last=False)

    def forget(self) -> None:
        """Some of what was remembered is on disk no more: every repetition counts again."""
        self._known.clear()

    def _drop(self, key: tuple[bytes, int]) -> None:
        self.bytes -= self._open.pop(key).held


@dataclass(slots=True)
class _Run:
    first: int
    next: int
    received: int = 0

    @property
    def lost(self) -> int:
        return max(0, (self.next - self.first) % COUNT_MAX - self.received)


class LossCount:
    """How many datagrams came, and how many were lost, by their numbers. Within bounded memory.

    Of each sender's start, as several may send to one port; of the newest `RUNS_MAX` heard. Numbers
    that come late lower the loss again, and so does a network that brings some twice.
    """

    def __init__(self) -> None:
        self._runs: OrderedDict[int, _Run] = OrderedDict()

    @property
    def received(self) -> int:
        """Datagrams of these runs."""
        return sum(run.received for run in self._runs.values())

    @property
    def lost(self) -> int:
        """Numbers of them that did not come, so far."""
        return sum(run.lost for run in self._runs.values())

    def note(self, fragment: Fragment) -> None:
        """Count one datagram."""
        run = self._runs.get(fragment.run)
        if run is None:
            run = self._runs[fragment.run] = _Run(fragment.number, fragment.number)
            if len(self._runs) > RUNS_MAX:
                self._runs.popitem(last=False)
        self._runs.move_to_end(fragment.run)
        run.received += 1
        ahead = (fragment.number - run.next) % COUNT_MAX
        if ahead < COUNT_MAX // 2:
            run.next = (fragment.number + 1) % COUNT_MAX
