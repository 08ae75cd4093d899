"""Reads record files (`evidence.records`) in bounded memory: one record, or all from an offset."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evidence.errors import MalformedError
from evidence.records import HEAD_BYTES, read_records, whole_length

#: read at a time; holds at least two of the largest records
CHUNK_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """One whole record of a file.

    Attributes:
        offset: where it begins.
        data: what it holds.
    """

    offset: int
    data: bytes

    @property
    def end(self) -> int:
        """Offset just after it."""
        return self.offset + HEAD_BYTES + len(self.data)


def size_of(path: Path) -> int:
    """Bytes of a file, 0 when it is absent."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def read_at(path: Path, offset: int, length: int) -> bytes:
    """Up to `length` bytes of a file from an offset; b"" when there is no such file.

    OSError, which names it; a pipe in its place is one, too.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return b""
    try:
        return os.pread(file, length, offset)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        os.close(file)


def whole_records(path: Path, offset: int = 0, stop: int | None = None) -> Iterator[Record]:
    """Every whole record from an offset on; ends quietly at the first byte that is not one.

    Args:
        path: the file; an absent one holds no record.
        offset: where a record begins.
        stop: records that end after this offset are not read.
    """
    while True:
        length = CHUNK_BYTES if stop is None else min(CHUNK_BYTES, stop - offset)
        chunk = read_at(path, offset, max(0, length))
        whole = whole_length(chunk)
        if whole == 0:
            return
        for data in read_records(chunk[:whole]):
            record = Record(offset, data)
            offset = record.end
            yield record


def record_at(path: Path, offset: int, length: int) -> bytes | None:
    """The data of one record of that length, None when none stands there whole."""
    try:
        (data,) = read_records(read_at(path, offset, HEAD_BYTES + length))
    except (MalformedError, ValueError):
        return None
    return data
