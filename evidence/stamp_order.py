"""Puts the sets of a time stamp response in DER's order, which CMS does not ask for. Pure.

RFC 5652 asks DER of the signed attributes alone. OpenSSL and public authorities send certificates
in the order of their chain, and the library that reads responses takes DER's order only (X.690
§11.6). No signature covers that order, and no length changes with it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evidence.errors import MalformedError

_SEQUENCE, _SET, _CERTIFICATES, _REVOKED = 0x30, 0x31, 0xA0, 0xA1
_MEMBERS_MAX = 1_000


@dataclass(frozen=True)
class _Value:
    """One DER value within a response: where it begins, its contents begin, and it ends."""

    tag: int
    begin: int
    inside: int
    end: int


def in_order(response: bytes) -> bytes:
    """The response with digest algorithms, certificates and revocation lists in DER's order.

    Raises:
        MalformedError: it is no response that holds signed data.
    """
    whole = _one(_values(response, 0, len(response)), 0)
    if len(list(_values(response, whole.inside, whole.end))) == 1:
        return response  # a refusal holds its status alone
    token = _one(_values(response, whole.inside, whole.end), 1)
    wrapped = _one(_values(response, token.inside, token.end), 1)
    data = _one(_values(response, wrapped.inside, wrapped.end), 0)
    if (whole.tag, token.tag, wrapped.tag, data.tag) != (_SEQUENCE, _SEQUENCE, 0xA0, _SEQUENCE):
        raise MalformedError("the time stamp holds no signed data")
    made = bytearray(response)
    # version, digest algorithms, content, maybe certificates and lists; the signers are one
    for one in list(_values(response, data.inside, data.end))[1:-1]:
        if one.tag in (_SET, _CERTIFICATES, _REVOKED):
            parts = (response[m.begin : m.end] for m in _values(response, one.inside, one.end))
            made[one.inside : one.end] = b"".join(sorted(parts))
    return bytes(made)


def _one(values: Iterator[_Value], index: int) -> _Value:
    found: Sequence[_Value] = list(values)
    if index >= len(found):
        raise MalformedError("the time stamp holds no signed data")
    return found[index]


def _values(data: bytes, at: int, end: int) -> Iterator[_Value]:
    """The DER values that fill data from `at` to `end`."""
    for _ in range(_MEMBERS_MAX):
        if at == end:
            return
        length_at = at + 2
        if data[at] & 0x1F == 0x1F or length_at > end:
            break
        length = data[at + 1]
        if length & 0x80:
            length_at += length & 0x7F
            length = int.from_bytes(data[at + 2 : length_at], "big")
        # of longer and of indefinite lengths the library that reads it says what is wrong
        if length_at > end or length_at + length > end or data[at + 1] == 0x80:
            break
        yield _Value(data[at], at, length_at, length_at + length)
        at = length_at + length
    raise MalformedError("the time stamp is no DER")
