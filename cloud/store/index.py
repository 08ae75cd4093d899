"""The index of a stream: one fixed record an object, found by its seq. Rebuildable.

Record, little-endian, 88 bytes: hour (u32, since 1970) · offset in the segment (u64) · length
(u32) · log kind (u8) · 3 zero bytes · SHA-256 · log index (u64) · received_ns (i64) · at_ns (i64)
· through_ns (i64) · CRC-32 of what stands before it.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cloud.errors import StoreError
from cloud.store.record_file import read_at
from evidence.errors import MalformedError
from evidence.log import Kind
from evidence.records import HEAD_BYTES

_FIELDS = struct.Struct("<IQIB3x32sQqqq")
_CRC = struct.Struct("<I")
PLACE_BYTES = _FIELDS.size + _CRC.size
_BLOCK = 1024
_KINDS = frozenset(Kind)
_REMEDY = "stop the collector and run: stackproof cloud rebuild CLOUD.toml"


@dataclass(frozen=True, slots=True)
class Place:
    """Where one object stands, and what is needed of it without reading it.

    Attributes:
        hour: of its segment, hours since 1970 UTC; 0 before the stream's first frame.
        offset: of its record in the segment.
        length: bytes of the object.
        kind: of its log entry.
        sha256: of the object.
        log_index: of its log entry.
        received_ns: of its log entry.
        at_ns: t0 of the frame, or of the frame before it, 0 before the first.
        through_ns: newest tick of the stream so far, 0 before the first.
    """

    hour: int
    offset: int
    length: int
    kind: Kind
    sha256: bytes
    log_index: int
    received_ns: int
    at_ns: int
    through_ns: int

    @property
    def end(self) -> int:
        """Offset in the segment just after its record."""
        return self.offset + HEAD_BYTES + self.length


def encode_place(place: Place) -> bytes:
    """The index record of a place."""
    fields = _FIELDS.pack(
        place.hour, place.offset, place.length, place.kind, place.sha256, place.log_index,
        place.received_ns, place.at_ns, place.through_ns,
    )  # fmt: skip
    return fields + _CRC.pack(zlib.crc32(fields))


def decode_place(data: bytes) -> Place:
    """The place of an index record; MalformedError when it is torn, altered or of a newer kind."""
    if len(data) != PLACE_BYTES or _CRC.unpack(data[_FIELDS.size :])[0] != zlib.crc32(
        data[: _FIELDS.size]
    ):
        raise MalformedError("index record is torn or altered")
    hour, offset, length, kind, *rest = _FIELDS.unpack(data[: _FIELDS.size])
    if kind not in _KINDS:
        raise MalformedError(f"index record of kind {kind}, which this program does not know")
    return Place(hour, offset, length, Kind(kind), *rest)


class IndexFile:
    """Reads a stream's index."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def place(self, seq: int) -> Place:
        """The place of an object; StoreError when the index does not hold it."""
        return next(self.places(seq, seq + 1))

    def places(self, first: int, stop: int) -> Iterator[Place]:
        """Places of seqs first..stop-1; StoreError where the index does not hold them."""
        while first < stop:
            count = min(_BLOCK, stop - first)
            block = read_at(self.path, first * PLACE_BYTES, count * PLACE_BYTES)
            try:
                for at in range(0, count * PLACE_BYTES, PLACE_BYTES):
                    yield decode_place(block[at : at + PLACE_BYTES])
                    first += 1
            except MalformedError as error:
                sentence = f"{self.path}: seq {first}: {error}; {_REMEDY}"
                raise StoreError(sentence) from error

    def first_at(self, at_ns: int, stop: int) -> int:
        """The first seq below `stop` with a place at or after an instant; `stop` when none."""
        low, high = 0, stop
        while low < high:
            middle = (low + high) // 2
            if self.place(middle).at_ns < at_ns:
                low = middle + 1
            else:
                high = middle
        return low
