"""What is so of an object by its bytes alone: its form, its signature, what a frame holds. Pure.

`look` finds it out when it is asked for. Of a frame that is whole and well signed it can be known
before (`see`, in another process): then it is not looked for again.
"""

import functools
import hashlib
from dataclasses import dataclass
from functools import cached_property

from evidence import cose
from evidence.custody import GatewayKey
from evidence.errors import EvidenceError
from evidence.frame import TYP_FRAME, Body, Gap, Header, decode_body, header_of
from evidence.public_key import load_key
from evidence.suites import PublicKey, has_two_ways, lower

#: keys kept as read: more than one collector has gateways
_KEYS_MAX = 4_096
#: names in a header can be as long as an object; what is seen is to be small
_NAMES_MAX = 256


@dataclass(frozen=True, slots=True)
class Span:
    """What a collector needs to know of a frame's body.

    Attributes:
        t0_ns: earliest instant it speaks of.
        first_ns: its first tick, None without any.
        newest_ns: its newest tick, 0 without any.
        readings: how many it holds.
        gap: that it tells of.
    """

    t0_ns: int
    first_ns: int | None
    newest_ns: int
    readings: int
    gap: Gap | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A frame whose form is good, and whose signature is under one key.

    Attributes:
        header: its place in its stream.
        kid: key id that it names.
        sha256: of the object.
        key: `key_sha256` of the key that it verifies with.
        span: of its body.
    """

    header: Header
    kid: bytes
    sha256: bytes
    key: bytes
    span: Span


class Look:
    """An object; each property is found out when it is first asked for.

    Args:
        data: the object.
        seen: what was seen of these bytes before; None for nothing.
    """

    def __init__(self, data: bytes, seen: Seen | None = None) -> None:
        self._data, self._seen = data, seen
        self.length = len(data)

    @cached_property
    def envelope(self) -> cose.Envelope:
        """MalformedError, LimitError or UnsupportedError where it is none."""
        return cose.parse(self._data)

    @cached_property
    def header(self) -> Header:
        """Its place; MalformedError or UnsupportedError where it names none."""
        return header_of(self.envelope) if self._seen is None else self._seen.header

    @cached_property
    def kid(self) -> bytes:
        """Key id that it names."""
        return self.envelope.kid if self._seen is None else self._seen.kid

    @cached_property
    def sha256(self) -> bytes:
        """Of the object."""
        return hashlib.sha256(self._data).digest() if self._seen is None else self._seen.sha256

    def verify(self, key: GatewayKey) -> None:
        """SignatureError unless it is signed with this key."""
        if self._seen is None or self._seen.key != key.sha256:
            cose.verify(self.envelope, key.key)

    def is_higher(self, key: GatewayKey) -> bool:
        """Its signature under this key is not written as signers of ours do."""
        return has_two_ways(key.key) and self.envelope.signature != lower(self.envelope.signature)

    @cached_property
    def span(self) -> Span:
        """Of a frame; raises what `decode_body` does."""
        return _span(decode_body(self.envelope.payload)) if self._seen is None else self._seen.span


def see(data: bytes, spki: bytes) -> Seen | None:
    """Look at an object ahead.

    Args:
        data: anything.
        spki: SubjectPublicKeyInfo, DER, of the key that it is likely signed with.

    Returns:
        None for all that is not a whole frame under that key: whoever judges finds out why.
    """
    look = Look(data)
    try:
        header = look.header
        if header.typ != TYP_FRAME or len(header.plant) + len(header.stream) > _NAMES_MAX:
            return None
        cose.verify(look.envelope, _key(spki))
        span = look.span
    except EvidenceError:
        return None
    return Seen(look.header, look.kid, look.sha256, hashlib.sha256(spki).digest(), span)


def _span(body: Body) -> Span:
    return Span(
        body.t0_ns,
        min((s.first_ns for s in body.sections), default=None),
        max((s.last_ns for s in body.sections), default=0),
        body.readings,
        body.gap,
    )


@functools.lru_cache(_KEYS_MAX)
def _key(spki: bytes) -> PublicKey:
    return load_key(spki)
