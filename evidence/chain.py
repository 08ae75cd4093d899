"""A stream's chain: which object may come next. Pure; used by collector and verifier alike."""

from dataclasses import dataclass

from evidence.errors import ChainError
from evidence.frame import Header

ZERO_HASH = bytes(32)


@dataclass(frozen=True)
class Head:
    """Where a stream stands.

    Attributes:
        next_seq: the only seq that continues it.
        hash: SHA-256 of the newest object, zeros before the first.
    """

    next_seq: int = 0
    hash: bytes = ZERO_HASH


def follow(head: Head, header: Header, sha256: bytes) -> Head:
    """The head after one more object.

    Args:
        head: the stream so far.
        header: the object's header.
        sha256: of the whole object.

    Raises:
        ChainError: the object does not continue the stream.
    """
    if header.seq != head.next_seq:
        raise ChainError(f"seq {header.seq} where {head.next_seq} is due")
    if header.prev != head.hash:
        raise ChainError(f"seq {header.seq} does not name the object before it")
    return Head(head.next_seq + 1, sha256)
