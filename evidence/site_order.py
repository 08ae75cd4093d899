"""A site order: the plant's root gives a gateway another site file. Pure.

Not evidence, and in no stream or archive: what a gateway reads with the file stands in its signed
configuration, as after any change by hand (ADR 0051). A typ of its own, so that no other thing the
root has signed can be taken for one, and this for none of them.
"""

from dataclasses import dataclass
from typing import Any

from evidence import cbor, cose
from evidence.blocks import compress, content
from evidence.errors import MalformedError, UnsupportedError
from evidence.keys import Signer
from evidence.orders import REASON_MAX
from evidence.points import NAME_ID
from evidence.suites import PublicKey

TYP_SITE_ORDER = "stackproof-site-order+cbor"
SITE_BYTES_MAX = 1024 * 1024
NUMBER_MAX = 2**53 - 1


@dataclass(frozen=True)
class SiteOrder:
    """Another site file for one gateway.

    Attributes:
        plant, stream: whose; the stream is the gateway's id.
        number: 1 to `NUMBER_MAX`, higher than of any order before; each counts once.
        site: the file's bytes, UTF-8 TOML, at most `SITE_BYTES_MAX`.
        reason: for people, 1 to `REASON_MAX` characters.
    """

    plant: str
    stream: str
    number: int
    site: bytes
    reason: str


def encode_site_order(order: SiteOrder, root: Signer) -> bytes:
    """The signed bytes; MalformedError for a field that is not as it must be."""
    _check(dict(vars(order)))
    payload = compress(cbor.encode(dict(vars(order))))
    return cose.sign(root, {cose.TYP: TYP_SITE_ORDER}, payload)


def decode_site_order(data: bytes, root: PublicKey) -> SiteOrder:
    """A verified order.

    Raises:
        SignatureError, UnknownSuiteError: not signed by the plant's root.
        UnsupportedError: of another type.
        MalformedError, LimitError: not a site order.
    """
    envelope = cose.parse(data)
    cose.verify(envelope, root)
    if envelope.typ != TYP_SITE_ORDER:
        raise UnsupportedError(f"it is of type {envelope.typ!r}, not a site order")
    if set(envelope.header) != {cose.ALG, cose.KID, cose.TYP}:
        raise MalformedError("the site order's header has labels beside 1, 4 and 16")
    fields = content(envelope.payload)
    _check(fields)
    return SiteOrder(**fields)


def _check(fields: Any) -> None:
    if not isinstance(fields, dict) or set(fields) != set(SiteOrder.__annotations__):
        raise MalformedError("the site order has unknown or missing fields")
    for name in ("plant", "stream"):
        if not isinstance(fields[name], str) or not NAME_ID.fullmatch(fields[name]):
            raise MalformedError(f"the site order's {name} is no id")
    number, reason, site = (fields[name] for name in ("number", "reason", "site"))
    if type(number) is not int or not 1 <= number <= NUMBER_MAX:
        raise MalformedError(f"the site order's number must be 1 to {NUMBER_MAX}")
    if not isinstance(reason, str) or not 1 <= len(reason) <= REASON_MAX:
        raise MalformedError(f"the site order's reason must have 1 to {REASON_MAX} characters")
    if not isinstance(site, bytes) or not 1 <= len(site) <= SITE_BYTES_MAX:
        raise MalformedError(f"the site order's file must have 1 to {SITE_BYTES_MAX} bytes")
