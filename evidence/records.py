"""Record files: how signed objects and log entries stand on disk and in archives. Pure.

One record = magic "SPR1" ‖ length (uint32 LE) ‖ crc32 (uint32 LE, of the bytes) ‖ bytes. A file is
records one after another. When a writer dies the last record may be torn; a reader cuts it and
says so, and never guesses.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator

from evidence.errors import MalformedError

MAGIC = b"SPR1"
RECORD_BYTES_MAX = 1024 * 1024
_HEAD = struct.Struct("<4sII")
HEAD_BYTES = _HEAD.size


def encode_record(data: bytes) -> bytes:
    """One record around the data (1 byte to `RECORD_BYTES_MAX`)."""
    if not 0 < len(data) <= RECORD_BYTES_MAX:
        raise ValueError(f"a record holds 1 to {RECORD_BYTES_MAX} bytes, not {len(data)}")
    return _HEAD.pack(MAGIC, len(data), zlib.crc32(data)) + data


def read_records(data: bytes) -> Iterator[bytes]:
    """Every record's bytes; MalformedError at the first byte that is not a whole, true record."""
    return records_in((data,))


def records_in(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """As `read_records`, of a file that comes in pieces; holds one piece and one record."""
    held, begins = b"", 0
    for chunk in chunks:
        held = held + chunk if held else chunk
        at = 0
        while (end := _end_of(held, at, begins)) is not None:
            yield _checked(held, at, end, begins)
            at = end
        held, begins = held[at:], begins + at
    if held:
        raise MalformedError(f"record at byte {begins} is cut")


def whole_length(data: bytes) -> int:
    """How many bytes from the start are whole, true records: where a torn tail begins."""
    at = 0
    while True:
        try:
            end = _end_of(data, at, 0)
            if end is None:
                break
            _checked(data, at, end, 0)
        except MalformedError:
            break
        at = end
    return at


def _end_of(data: bytes, at: int, begins: int) -> int | None:
    """Where the record at `at` ends; None when not all of it is there."""
    if len(data) - at < HEAD_BYTES:
        return None
    magic, length, _ = _HEAD.unpack_from(data, at)
    if magic != MAGIC:
        raise MalformedError(f"no record at byte {begins + at}")
    if not 0 < length <= RECORD_BYTES_MAX:
        raise MalformedError(f"record at byte {begins + at} is cut or too long")
    end = at + HEAD_BYTES + length
    return end if end <= len(data) else None


def _checked(data: bytes, at: int, end: int, begins: int) -> bytes:
    record = data[at + HEAD_BYTES : end]
    if zlib.crc32(record) != _HEAD.unpack_from(data, at)[2]:
        raise MalformedError(f"record at byte {begins + at} fails its checksum")
    return record
