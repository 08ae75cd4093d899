"""Orders and rotates: bytes by FORMAT.md, every field's shape, and whose signature counts."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from evidence import cbor, cose
from evidence.blocks import compress, decompress
from evidence.errors import EvidenceError, MalformedError, SignatureError, UnsupportedError
from evidence.keys import FileSigner
from evidence.orders import (
    Replace,
    Revoke,
    decode_order,
    decode_rotate,
    encode_order,
    encode_rotate,
    is_order,
)
from tests.unit.evidence.small_plant import keys, signer

ROOT, KEY, HEAD = keys().root, bytes(range(32)), bytes(range(1, 33))
CERTIFICATE = keys().certificates["gateway"]
DER = CERTIFICATE.public_bytes(Encoding.DER)
REVOKE: dict[str, Any] = {
    "plant": "p", "stream": "s", "key": KEY, "through": 7, "reason": "stolen",
}  # fmt: skip
REPLACE: dict[str, Any] = {
    "plant": "p", "stream": "s", "old": KEY, "certificate": DER, "seq": 7, "head": HEAD,
    "through_ns": 10**18, "reason": "burnt",
}  # fmt: skip
TYPES = {"stackproof-revoke+cbor": REVOKE, "stackproof-replace+cbor": REPLACE}
KINDS = pytest.mark.parametrize(("typ", "fields"), TYPES.items())


def signed(typ: str, fields: Any, by: FileSigner = ROOT, **labels: Any) -> bytes:
    """An order as FORMAT.md §6 puts it together."""
    header = {cose.TYP: typ, **{int(k[1:]): v for k, v in labels.items()}}
    return cose.sign(by, header, compress(cbor.encode(fields), 0))


@KINDS
def test_an_order_is_the_map_of_the_format(typ: str, fields: dict[str, Any]) -> None:
    order = Revoke(**fields) if "key" in fields else Replace(**fields)
    assert decode_order(signed(typ, fields), ROOT.public_key) == order
    data = encode_order(order, ROOT)
    envelope = cose.parse(data)
    assert (envelope.typ, set(envelope.header)) == (typ, {1, 4, 16})
    assert cbor.decode(decompress(envelope.payload)) == fields
    assert decode_order(data, ROOT.public_key) == order
    assert is_order(data)


def test_a_key_may_end_before_its_first_object() -> None:
    data = signed("stackproof-revoke+cbor", REVOKE | {"through": None})
    order = decode_order(data, ROOT.public_key)
    assert isinstance(order, Revoke)
    assert order.through is None


@KINDS
def test_the_least_and_the_most_that_a_field_may_be(typ: str, fields: dict[str, Any]) -> None:
    """FORMAT.md §6: a reason has 1 to 200 characters; numbers begin at 0 and end before 2^63."""
    for number in (0, 2**63 - 1):
        numbers = {name: number for name in ("through", "seq", "through_ns") if name in fields}
        for reason in ("x", "y" * 200):
            data = signed(typ, fields | numbers | {"reason": reason})
            assert vars(decode_order(data, ROOT.public_key)) == fields | numbers | {
                "reason": reason
            }


@KINDS
def test_only_the_root_orders(typ: str, fields: dict[str, Any]) -> None:
    for other in (keys().collector, keys().gateway, signer(77)):
        with pytest.raises(SignatureError):
            decode_order(signed(typ, fields, other), ROOT.public_key)


@KINDS
def test_no_bit_of_an_order_can_change(typ: str, fields: dict[str, Any]) -> None:
    data = signed(typ, fields)
    for at in range(len(data)):
        spoilt = bytearray(data)
        spoilt[at] ^= 1 << at % 8
        with pytest.raises(EvidenceError):
            decode_order(bytes(spoilt), ROOT.public_key)


@KINDS
def test_a_header_with_anything_more_is_no_order(typ: str, fields: dict[str, Any]) -> None:
    with pytest.raises(MalformedError, match="labels beside 1, 4 and 16"):
        decode_order(signed(typ, fields, _15={1: "p"}), ROOT.public_key)


@KINDS
def test_every_field_is_there_and_no_other(typ: str, fields: dict[str, Any]) -> None:
    given: list[Any] = [{k: v for k, v in fields.items() if k != name} for name in fields]
    for value in [*given, fields | {"more": 1}, {}, [], 5, None]:
        with pytest.raises(MalformedError, match="unknown or missing fields"):
            decode_order(signed(typ, value), ROOT.public_key)


_ANY = [
    ("plant", "P"), ("plant", ""), ("plant", b"p"), ("stream", "a/b"), ("stream", None),
    ("reason", ""), ("reason", "x" * 201), ("reason", b"x"), ("reason", None),
]  # fmt: skip
_NUMBERS: list[Any] = [-1, 2**63, "7", True, 1 << 64 - 1]


@pytest.mark.parametrize(
    ("name", "value"),
    [*_ANY, *[("through", n) for n in _NUMBERS], ("key", KEY[:31]), ("key", "x" * 32)],
)
def test_a_revokes_field_of_another_shape_is_refused(name: str, value: Any) -> None:
    with pytest.raises(MalformedError, match=name):
        decode_order(signed("stackproof-revoke+cbor", REVOKE | {name: value}), ROOT.public_key)


@pytest.mark.parametrize(
    ("name", "value"),
    [*_ANY, *[(n, v) for n in ("seq", "through_ns") for v in [*_NUMBERS, None]],
     ("old", b""), ("head", HEAD + b"\0"), ("head", None), ("certificate", "x"),
     ("certificate", b"x" * 65_537), ("certificate", b"junk"), ("certificate", DER[:-1]),
     ("certificate", DER + b"\0")],
)  # fmt: skip
def test_a_replaces_field_of_another_shape_is_refused(name: str, value: Any) -> None:
    with pytest.raises(MalformedError, match="DER certificate" if value == b"junk" else None):
        decode_order(signed("stackproof-replace+cbor", REPLACE | {name: value}), ROOT.public_key)


@pytest.mark.parametrize(
    "order",
    [Revoke(**REVOKE | {"reason": ""}), Revoke(**REVOKE | {"plant": "A"}),
     Replace(**REPLACE | {"seq": -1}), Replace(**REPLACE | {"certificate": b"x"})],
)  # fmt: skip
def test_an_order_that_cannot_be_read_is_not_written(order: Revoke | Replace) -> None:
    with pytest.raises(MalformedError):
        encode_order(order, ROOT)


def test_another_type_or_compression_is_newer() -> None:
    with pytest.raises(UnsupportedError, match="stackproof-pardon"):
        decode_order(signed("stackproof-pardon+cbor", REVOKE), ROOT.public_key)
    newer = cose.sign(ROOT, {cose.TYP: "stackproof-revoke+cbor"}, b"\x07x")
    with pytest.raises(UnsupportedError):
        decode_order(newer, ROOT.public_key)


def test_what_is_no_order_is_told_apart() -> None:
    assert not is_order(signed("stackproof-rotate+cbor", {}))
    with pytest.raises(MalformedError):
        is_order(b"junk")


def test_a_rotate_holds_the_next_certificate() -> None:
    payload = encode_rotate(CERTIFICATE)
    assert cbor.decode(decompress(payload)) == {"certificate": DER}
    assert decode_rotate(payload) == CERTIFICATE


@pytest.mark.parametrize(
    "fields",
    [{}, [], None, {"certificate": DER, "more": 1}, {"certificate": "x"}, {"certificate": b"x"},
     {"certificate": None}, {"certificate": DER + b"\0"}],
)  # fmt: skip
def test_a_rotate_of_another_shape_is_refused(fields: Any) -> None:
    with pytest.raises(MalformedError):
        decode_rotate(compress(cbor.encode(fields)))
