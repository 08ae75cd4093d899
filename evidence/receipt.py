"""Receipts and close requests: what the collector signs and sends down to a gateway.

They stand outside the gateway's chain. The gateway's answer to a close request is a close object
in its chain (`evidence.frame`). FORMAT.md "Receipts" and "Closing a month". Pure.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evidence import cbor, cose
from evidence.blocks import compress, content
from evidence.errors import MalformedError
from evidence.keys import Signer
from evidence.suites import PublicKey

TYP_RECEIPT = "stackproof-receipt+cbor"
TYP_CLOSE_REQUEST = "stackproof-close-request+cbor"
PATH_MAX = 128  # hashes: twice the levels of the largest tree there can be


@dataclass(frozen=True)
class Receipt:
    """The collector has, on disk, every object of a stream up to and including `seq`.

    Attributes:
        plant, stream: whose.
        seq: newest object held; all earlier ones are held too.
        head: SHA-256 of that object.
        log_index: index of its log entry.
        received_ns: when it was taken.
        checkpoint: signed note of a tree that includes it.
        since: size in the anchor of the object at `seq`; 0 where it has none.
        path: consistency proof from that size to the checkpoint's (RFC 6962 §2.1.2), at most
            `PATH_MAX` hashes; empty when `since` is 0 or the checkpoint's own size.
    """

    plant: str
    stream: str
    seq: int
    head: bytes
    log_index: int
    received_ns: int
    checkpoint: str
    since: int = 0
    path: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class CloseRequest:
    """The collector's proposal to close a period, for the gateway to compare with its spool.

    Attributes:
        plant, stream: whose.
        month: "YYYY-MM" in the plant's time zone.
        closing: "interim" or "final".
        statement_sha256: SHA-256 of statement.json.
        seq: newest object of the stream in the period.
        head: its SHA-256.
        log_size: entries of the log at closing, the month-close entry included.
        log_root: their root.
    """

    plant: str
    stream: str
    month: str
    closing: str
    statement_sha256: bytes
    seq: int
    head: bytes
    log_size: int
    log_root: bytes


def encode_receipt(receipt: Receipt, signer: Signer) -> bytes:
    """Signed bytes of a receipt."""
    return _encode(TYP_RECEIPT, {**vars(receipt), "path": list(receipt.path)}, signer)


def decode_receipt(data: bytes, key: PublicKey) -> Receipt:
    """A verified receipt; MalformedError or SignatureError otherwise."""
    fields = _decode(TYP_RECEIPT, data, key, {**Receipt.__annotations__, "path": list})
    path = fields.pop("path")
    if len(path) > PATH_MAX or not all(isinstance(h, bytes) and len(h) == 32 for h in path):
        raise MalformedError("field path is no list of SHA-256 hashes")
    return Receipt(**fields, path=tuple(path))


def encode_close_request(request: CloseRequest, signer: Signer) -> bytes:
    """Signed bytes of a close request."""
    return _encode(TYP_CLOSE_REQUEST, vars(request), signer)


def decode_close_request(data: bytes, key: PublicKey) -> CloseRequest:
    """A verified close request; MalformedError or SignatureError otherwise."""
    return CloseRequest(**_decode(TYP_CLOSE_REQUEST, data, key, CloseRequest.__annotations__))


def encode_close(request: CloseRequest) -> bytes:
    """Payload of a gateway's close object: it signs exactly the request it agreed to."""
    return compress(cbor.encode(dict(vars(request))))


def decode_close(payload: bytes) -> CloseRequest:
    """The request that a close object's payload agrees to."""
    return CloseRequest(**_fields(content(payload), CloseRequest.__annotations__))


def _encode(typ: str, fields: Mapping[str, Any], signer: Signer) -> bytes:
    return cose.sign(signer, {cose.TYP: typ}, compress(cbor.encode(dict(fields))))


def _decode(typ: str, data: bytes, key: PublicKey, shape: Mapping[str, Any]) -> dict[str, Any]:
    envelope = cose.parse(data)
    cose.verify(envelope, key)
    if envelope.typ != typ or set(envelope.header) != {cose.ALG, cose.KID, cose.TYP}:
        raise MalformedError(f"expected {typ}, got {envelope.typ}")
    return _fields(content(envelope.payload), shape)


def _fields(value: Any, shape: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(shape):
        raise MalformedError("object has unknown or missing fields")
    for name, kind in shape.items():
        if type(value[name]) is not kind:
            raise MalformedError(f"field {name} is not of type {kind.__name__}")
        if kind is bytes and len(value[name]) != hashlib.sha256().digest_size:
            raise MalformedError(f"field {name} is not a SHA-256 hash")
        if kind is int and value[name] < 0:
            raise MalformedError(f"field {name} is negative")
    return value
