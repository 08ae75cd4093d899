"""The container: POSIX ustar with one possible form for a given list of files.

Common tar readers ignore padding and most header fields, so a flipped bit can hide there. This
reader rebuilds every header and every padding byte from what it parsed and compares: whatever is
not exactly what the writer would have written is refused. Regular files only: no links, no
directories, no extensions, so nothing can point outside.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from evidence.errors import LimitError, MalformedError

BLOCK = 512
FILES_MAX = 100_000
SIZE_MAX = 8 * 1024**3 - 1  # eleven octal digits

_END = bytes(2 * BLOCK)


@dataclass(frozen=True)
class Member:
    """One file in a container.

    Attributes:
        name: its path.
        offset: where its bytes begin.
        size: how many.
    """

    name: str
    offset: int
    size: int


def header(name: str, size: int) -> bytes:
    """The only header of a file of this name and size; ValueError when it has none."""
    if not 0 <= size <= SIZE_MAX:
        raise ValueError(f"{name}: size {size} does not fit a ustar header")
    prefix, short = _split(name)
    fields = (
        short.ljust(100, b"\0")
        + b"0000644\0"
        + b"0000000\0" * 2
        + b"%011o\0" % size
        + b"%011o\0" % 0
        + b" " * 8
        + b"0"
        + bytes(100)
        + b"ustar\x0000"
        + bytes(32)
        + bytes(32)
        + b"0000000\0" * 2
        + prefix.ljust(155, b"\0")
        + bytes(12)
    )
    checksum = b"%06o\0 " % sum(fields)
    return fields[:148] + checksum + fields[156:]


def padding(size: int) -> bytes:
    """Zeros up to the next block."""
    return bytes(-size % BLOCK)


def _split(name: str) -> tuple[bytes, bytes]:
    encoded = name.encode("ascii")
    parts = name.split("/")
    if not name or any(part in ("", ".", "..") for part in parts) or "\0" in name:
        raise ValueError(f"{name!r} is not a relative path")
    if len(encoded) <= 100:
        return b"", encoded
    cut = encoded.rfind(b"/", 0, 156)
    if cut < 0 or len(encoded) - cut - 1 > 100:
        raise ValueError(f"{name!r} is too long for ustar")
    return encoded[:cut], encoded[cut + 1 :]


class Writer:
    """Writes a container front to back."""

    def __init__(self, file: BinaryIO) -> None:
        """Begin at the file's present position."""
        self._file = file

    def add(self, name: str, size: int, chunks: Iterable[bytes]) -> None:
        """Add one file; ValueError when the chunks are not `size` bytes."""
        self._file.write(header(name, size))
        written = 0
        for chunk in chunks:
            self._file.write(chunk)
            written += len(chunk)
        if written != size:
            raise ValueError(f"{name}: {written} bytes given where {size} were announced")
        self._file.write(padding(size))

    def finish(self) -> None:
        """Write the end mark."""
        self._file.write(_END)


def members(file: BinaryIO) -> list[Member]:
    """Every file of a container, checked down to the last padding byte.

    Raises:
        MalformedError: anything the writer would not have written.
        LimitError: more than `FILES_MAX` files.
    """
    length = file.seek(0, 2)
    found: list[Member] = []
    at = 0
    while True:
        file.seek(at)
        block = file.read(BLOCK)
        if block == bytes(BLOCK):
            rest = file.read(BLOCK + 1)
            if rest != bytes(BLOCK):
                what = "is cut inside" if len(rest) < BLOCK else "goes on after"
                raise MalformedError(f"archive {what} its end mark, at byte {at + BLOCK}")
            return found
        member = _member(block, at, length)
        file.seek(member.offset + member.size)
        if file.read(-member.size % BLOCK) != padding(member.size):
            raise MalformedError(f"{member.name}: padding after the file is not zero")
        if found and member.name <= found[-1].name:
            raise MalformedError(f"{member.name}: out of order or twice in the archive")
        if len(found) == FILES_MAX:
            raise LimitError(f"more than {FILES_MAX} files in the archive")
        found.append(member)
        at = member.offset + member.size + (-member.size % BLOCK)


def _member(block: bytes, at: int, length: int) -> Member:
    if len(block) < BLOCK:
        raise MalformedError(f"archive is cut at byte {at + len(block)}")
    try:
        short = block[:100].rstrip(b"\0").decode("ascii")
        prefix = block[345:500].rstrip(b"\0").decode("ascii")
        name = f"{prefix}/{short}" if prefix else short
        size = int(block[124:135].decode("ascii"), 8)
        rebuilt = header(name, size)
    except ValueError as error:  # UnicodeError is one
        raise MalformedError(f"file header at byte {at} is not readable: {error}") from error
    if rebuilt != block:
        raise MalformedError(f"file header at byte {at} ({name!r}) is altered")
    if at + BLOCK + size > length:
        raise MalformedError(f"{name}: archive is cut inside this file")
    return Member(name, at + BLOCK, size)
