"""Entries of a plant's log: what was accepted, refused, enrolled, closed, and when. Pure.

The log is append-only; leaf i of its Merkle tree (`evidence.merkle`) is entry i. FORMAT.md "Log".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from evidence import cbor
from evidence.errors import MalformedError, UnsupportedError

ENTRY_VERSION = 1


class Kind(IntEnum):
    """What an entry is about. Numbers are part of the format and never change their meaning."""

    FRAME = 1
    CONFIG = 2
    ENROL = 3
    ROTATE = 4
    REVOKE = 5
    REPLACE = 6
    GAP = 7
    RECORD = 8
    REVIEW = 9
    REJECT = 10
    MONTH_CLOSE = 11
    COSIGNATURE = 12
    PLANT_CLOSE = 13


@dataclass(frozen=True)
class Entry:
    """One entry.

    Attributes:
        kind: what it is about.
        received_ns: collector's UTC nanoseconds when it took it; never goes backwards in a log.
        epoch: the collector's lease epoch (which take-over of the slice wrote it).
        stream: gateway id, or "" when the entry is the plant's.
        seq: seq of the object, or None.
        sha256: of the object's (or certificate's, statement's) bytes.
        length: bytes of the object.
        certificate: `key_sha256` of the key that verified it, or None.
        verdict: "accepted", or the reason for a reject.
        second_hash: room for another hash of the object (reserved for SM3), or None.
        detail: text-keyed facts of the kind.
    """

    kind: Kind
    received_ns: int
    epoch: int
    stream: str
    seq: int | None
    sha256: bytes
    length: int
    certificate: bytes | None = None
    verdict: str = "accepted"
    second_hash: bytes | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def encode_entry(entry: Entry) -> bytes:
    """Deterministic CBOR of an entry: the leaf's bytes."""
    return cbor.encode(
        [
            ENTRY_VERSION, int(entry.kind), entry.received_ns, entry.epoch, entry.stream,
            entry.seq, entry.sha256, entry.length, entry.certificate, entry.verdict,
            entry.second_hash, dict(entry.detail),
        ]
    )  # fmt: skip


def decode_entry(data: bytes) -> Entry:
    """The entry of a leaf's bytes.

    Raises:
        MalformedError: not an entry.
        UnsupportedError: a newer version or an unknown kind.
    """
    parts = cbor.decode(data)
    if not isinstance(parts, list) or not parts:
        raise MalformedError("a log entry is an array")
    if type(parts[0]) is not int or parts[0] < 1:
        raise MalformedError("a log entry begins with its version")
    if parts[0] != ENTRY_VERSION:
        raise UnsupportedError(f"log entry version {parts[0]!r} unknown to this program")
    if len(parts) != 12:
        raise MalformedError("a log entry has twelve parts")
    _, kind, received, epoch, stream, seq, sha256, length, certificate, verdict, second, detail = (
        parts
    )
    numbers = all(type(n) is int and n >= 0 for n in (kind, received, epoch, length))
    texts = isinstance(stream, str) and isinstance(verdict, str) and isinstance(detail, dict)
    if not numbers or not texts or not (seq is None or (type(seq) is int and seq >= 0)):
        raise MalformedError("log entry fields misformed")
    if not (_hash(sha256) and (certificate is None or _hash(certificate))):
        raise MalformedError("log entry hashes misformed")
    if not (second is None or isinstance(second, bytes)):
        raise MalformedError("log entry second hash misformed")
    if any(not isinstance(key, str) for key in detail):
        raise MalformedError("log entry detail must have text keys")
    try:
        known = Kind(kind)
    except ValueError:
        raise UnsupportedError(f"log entry kind {kind} unknown to this program") from None
    return Entry(
        known, received, epoch, stream, seq, sha256, length, certificate, verdict, second, detail
    )


def _hash(value: Any) -> bool:
    return isinstance(value, bytes) and len(value) == 32
