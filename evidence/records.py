"""Record files: how signed objects and log entries stand on disk and in archives. Pure.

One record = magic "SPR1" ‖ length (uint32 LE) ‖ crc32 (uint32 LE, of the bytes) ‖ bytes. A file is
records one after another. When a writer dies the last record may be torn; a reader cuts it and
says so, and never guesses.
"""

import struct
import zlib
from collections.abc import Iterator

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
    at = 0
    while at < len(data):
        record, at = _record_at(data, at)
        yield record


def whole_length(data: bytes) -> int:
    """How many bytes from the start are whole, true records: where a torn tail begins."""
    at = 0
    while at < len(data):
        try:
            _, at = _record_at(data, at)
        except MalformedError:
            break
    return at


def _record_at(data: bytes, at: int) -> tuple[bytes, int]:
    if len(data) - at < HEAD_BYTES:
        raise MalformedError(f"record head cut at byte {at}")
    magic, length, crc = _HEAD.unpack_from(data, at)
    if magic != MAGIC:
        raise MalformedError(f"no record at byte {at}")
    start, end = at + HEAD_BYTES, at + HEAD_BYTES + length
    if not 0 < length <= RECORD_BYTES_MAX or end > len(data):
        raise MalformedError(f"record at byte {at} is cut or too long")
    record = data[start:end]
    if zlib.crc32(record) != crc:
        raise MalformedError(f"record at byte {at} fails its checksum")
    return record, end
