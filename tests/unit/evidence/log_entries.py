"""Log entries of the small plant, and what they say."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import serialization

from evidence import merkle
from evidence.errors import UnsupportedError
from evidence.keys import key_sha256
from evidence.log import Entry, Kind, decode_entry, encode_entry
from tests.unit.evidence.small_plant import SECOND, START_NS, STREAM, Keys, keys


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def entry(kind: Kind, data: bytes, index: int, after_ns: int = 0, **fields: Any) -> bytes:
    """A log entry about some bytes, received ten seconds an index after the start, or later."""
    given: dict[str, Any] = {
        "stream": STREAM, "seq": None, "epoch": 1, "sha256": sha256(data), "length": len(data),
        **fields,
    }  # fmt: skip
    at = max(START_NS + index * 10 * SECOND, after_ns)
    return encode_entry(Entry(kind=kind, received_ns=at, **given))


def received_ns(data: bytes) -> int:
    """When a log entry was received; at the start when it is newer than the program."""
    try:
        return decode_entry(data).received_ns
    except UnsupportedError:
        return START_NS


def enrolment(stream: str = STREAM, by: Keys | None = None) -> bytes:
    """The first entry: a gateway is enrolled."""
    who = by or keys()
    certificate = who.certificates["gateway"].public_bytes(serialization.Encoding.DER)
    told = {"role": "gateway", "name": stream, "certificate_sha256": sha256(certificate)}
    return encode_entry(
        Entry(
            kind=Kind.ENROL, received_ns=START_NS, epoch=1, stream=stream, seq=None,
            sha256=key_sha256(who.gateway.public_key), length=len(certificate), detail=told,
        )
    )  # fmt: skip


def closed_on(close: bytes) -> str:
    """The day in Shanghai, eight hours ahead, on which a month-close entry was received."""
    at = received_ns(close) // SECOND + 8 * 3600
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def tree_of(entries: Iterable[bytes]) -> merkle.CompactRange:
    tree = merkle.CompactRange()
    for data in entries:
        tree = tree.append(merkle.leaf_hash(data))
    return tree
