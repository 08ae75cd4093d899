"""What the plant's root, or a key itself, decides about keys: revoke, replace, rotate. Pure.

A revoke and a replace are orders: signed by the root, outside any stream. A rotate is an object in
the gateway's stream, signed by the key that hands over; here is its payload. FORMAT.md "Keys".
`evidence.custody` says which key counts where.
"""

from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from evidence import cbor, cose
from evidence.blocks import compress, content
from evidence.errors import MalformedError, UnsupportedError
from evidence.keys import CERTIFICATE_BYTES_MAX, Signer, certificate_from_der
from evidence.points import NAME_ID
from evidence.suites import PublicKey

TYP_REVOKE = "stackproof-revoke+cbor"
TYP_REPLACE = "stackproof-replace+cbor"
REASON_MAX = 200


@dataclass(frozen=True)
class Revoke:
    """A key is good no further than an object of its stream.

    Attributes:
        plant, stream: whose key.
        key: its `key_sha256`.
        through: seq of the last object it may have signed; None for none at all.
        reason: for people, 1 to `REASON_MAX` characters.
    """

    plant: str
    stream: str
    key: bytes
    through: int | None
    reason: str


@dataclass(frozen=True)
class Replace:
    """A new device continues the stream of one that is lost.

    Attributes:
        plant, stream: whose.
        old: `key_sha256` of the lost device's key; it is good through `seq`.
        certificate: of the new device's key, DER.
        seq: last object of the lost device that the collector holds.
        head: SHA-256 of that object; the next one names it in prev.
        through_ns: newest tick of the stream up to there, UTC nanoseconds.
        reason: for people, 1 to `REASON_MAX` characters.
    """

    plant: str
    stream: str
    old: bytes
    certificate: bytes
    seq: int
    head: bytes
    through_ns: int
    reason: str


Order = Revoke | Replace

_TYPES: dict[str, type[Revoke] | type[Replace]] = {TYP_REVOKE: Revoke, TYP_REPLACE: Replace}
_HASHES = ("key", "old", "head")
_NUMBERS = ("seq", "through", "through_ns")


def encode_order(order: Order, root: Signer) -> bytes:
    """The signed bytes of an order; MalformedError when a field is not as it must be."""
    typ = next(typ for typ, kind in _TYPES.items() if isinstance(order, kind))
    fields = dict(vars(order))
    _check(_TYPES[typ], fields)
    return cose.sign(root, {cose.TYP: typ}, compress(cbor.encode(fields)))


def decode_order(data: bytes, root: PublicKey) -> Order:
    """A verified order.

    Raises:
        SignatureError, UnknownSuiteError: not signed by the plant's root.
        UnsupportedError: of a type, or a compression, newer than this program.
        MalformedError, LimitError: not an order.
    """
    envelope = cose.parse(data)
    cose.verify(envelope, root)
    kind = _TYPES.get(envelope.typ)
    if kind is None:
        raise UnsupportedError(f"order type {envelope.typ!r} is unknown to this program")
    if set(envelope.header) != {cose.ALG, cose.KID, cose.TYP}:
        raise MalformedError("the order's header has labels beside 1, 4 and 16")
    fields = content(envelope.payload)
    _check(kind, fields)
    return kind(**fields)


def is_order(data: bytes) -> bool:
    """True for bytes that claim to be an order; MalformedError for what is no signed object."""
    return cose.parse(data).typ in _TYPES


def encode_rotate(certificate: x509.Certificate) -> bytes:
    """Payload of a rotate object: the next key's certificate."""
    return compress(cbor.encode({"certificate": certificate.public_bytes(Encoding.DER)}))


def decode_rotate(payload: bytes) -> x509.Certificate:
    """The next key's certificate; MalformedError when the payload is no rotate."""
    return certificate_from_der(handed_over(payload))


def handed_over(payload: bytes) -> bytes:
    """What a rotate gives as certificate, DER; MalformedError when the payload is no rotate."""
    fields = content(payload)
    if not isinstance(fields, dict) or set(fields) != {"certificate"}:
        raise MalformedError("a rotate holds a certificate and nothing else")
    if not isinstance(fields["certificate"], bytes):
        raise MalformedError("a rotate's certificate must be a byte string")
    return bytes(fields["certificate"])


def _check(kind: type[Revoke] | type[Replace], fields: Any) -> None:
    if not isinstance(fields, dict) or set(fields) != set(kind.__annotations__):
        raise MalformedError("the order has unknown or missing fields")
    for name in ("plant", "stream"):
        if not isinstance(fields[name], str) or not NAME_ID.fullmatch(fields[name]):
            raise MalformedError(f"the order's {name} is no id")
    reason = fields["reason"]
    if not isinstance(reason, str) or not 1 <= len(reason) <= REASON_MAX:
        raise MalformedError(f"the order's reason must have 1 to {REASON_MAX} characters")
    _check_values(fields)
    if kind is Replace:
        certificate = fields["certificate"]
        if not isinstance(certificate, bytes) or len(certificate) > CERTIFICATE_BYTES_MAX:
            raise MalformedError("the order's certificate must be a byte string")
        certificate_from_der(certificate)


def _check_values(fields: dict[str, Any]) -> None:
    for name in fields.keys() & set(_HASHES):
        if not isinstance(fields[name], bytes) or len(fields[name]) != 32:
            raise MalformedError(f"the order's {name} is no SHA-256 hash")
    for name in fields.keys() & set(_NUMBERS):
        none_allowed = name == "through" and fields[name] is None
        if not none_allowed and not (type(fields[name]) is int and 0 <= fields[name] < 2**63):
            raise MalformedError(f"the order's {name} is no number from 0 on")
