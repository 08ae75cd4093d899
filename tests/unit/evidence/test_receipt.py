"""Receipts and closes: bytes by hand, every field's shape, and whose signature counts."""

import dataclasses
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from evidence import cbor, cose
from evidence.blocks import compress, decompress
from evidence.errors import EvidenceError, MalformedError, SignatureError, UnsupportedError
from evidence.keys import FileSigner
from evidence.receipt import (
    PATH_MAX,
    TYP_CLOSE_REQUEST,
    TYP_RECEIPT,
    CloseRequest,
    Receipt,
    decode_close,
    decode_close_request,
    decode_receipt,
    encode_close,
    encode_close_request,
    encode_receipt,
)

COLLECTOR = FileSigner(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = FileSigner(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)))
HASH = bytes(range(32))
RECEIPT = Receipt("p", "s", 7, HASH, 12, 99, "note", 5, (HASH, HASH[::-1]))
FIELDS = {
    "plant": "p", "stream": "s", "seq": 7, "head": HASH, "log_index": 12, "received_ns": 99,
    "checkpoint": "note", "since": 5, "path": [HASH, HASH[::-1]],
}  # fmt: skip
REQUEST = CloseRequest("p", "s", "2026-06", "interim", HASH, 7, HASH[::-1], 13, HASH)


def signed(typ: str, fields: Any, by: FileSigner = COLLECTOR, **labels: Any) -> bytes:
    header = {cose.TYP: typ, **{int(k[1:]): v for k, v in labels.items()}}
    return cose.sign(by, header, compress(cbor.encode(fields), 0))


def test_a_receipt_reads_back_and_its_payload_is_the_map_of_the_format() -> None:
    data = encode_receipt(RECEIPT, COLLECTOR)
    assert decode_receipt(data, COLLECTOR.public_key) == RECEIPT
    assert decode_receipt(signed(TYP_RECEIPT, FIELDS), COLLECTOR.public_key) == RECEIPT
    assert cbor.decode(decompress(cose.parse(data).payload)) == FIELDS
    assert set(cose.parse(data).header) == {1, 4, 16}


def test_the_least_and_the_most_that_a_receipt_may_say() -> None:
    """A stream's and a log's first are 0; a proof has 128 hashes at most (FORMAT.md §8)."""
    fields = FIELDS | {"seq": 0, "log_index": 0, "received_ns": 0, "since": 0, "path": [HASH] * 128}
    receipt = decode_receipt(signed(TYP_RECEIPT, fields), COLLECTOR.public_key)
    assert vars(receipt) == fields | {"path": (HASH,) * 128}
    with pytest.raises(MalformedError, match="path"):
        decode_receipt(signed(TYP_RECEIPT, fields | {"path": [HASH] * 129}), COLLECTOR.public_key)


def test_a_close_request_and_its_close_say_the_same() -> None:
    data = encode_close_request(REQUEST, COLLECTOR)
    assert decode_close_request(data, COLLECTOR.public_key) == REQUEST
    assert decode_close(encode_close(REQUEST)) == REQUEST
    assert decode_close(cose.parse(data).payload) == REQUEST


def test_one_is_not_taken_for_the_other() -> None:
    receipt, request = encode_receipt(RECEIPT, COLLECTOR), encode_close_request(REQUEST, COLLECTOR)
    with pytest.raises(MalformedError, match="expected stackproof-receipt"):
        decode_receipt(request, COLLECTOR.public_key)
    with pytest.raises(MalformedError, match="expected stackproof-close-request"):
        decode_close_request(receipt, COLLECTOR.public_key)


def test_only_the_pinned_collector_counts() -> None:
    with pytest.raises(SignatureError):
        decode_receipt(encode_receipt(RECEIPT, OTHER), COLLECTOR.public_key)
    with pytest.raises(SignatureError):
        decode_close_request(encode_close_request(REQUEST, OTHER), COLLECTOR.public_key)


def test_no_bit_of_a_receipt_can_change() -> None:
    data = encode_receipt(RECEIPT, COLLECTOR)
    for at in range(len(data)):
        spoilt = bytearray(data)
        spoilt[at] ^= 1 << at % 8
        with pytest.raises(EvidenceError):
            decode_receipt(bytes(spoilt), COLLECTOR.public_key)


def test_a_header_with_anything_more_is_no_receipt() -> None:
    for labels in ({"_15": {1: "p"}}, {"_99": 1}):
        with pytest.raises(MalformedError):
            decode_receipt(signed(TYP_RECEIPT, FIELDS, **labels), COLLECTOR.public_key)


SHAPES = [
    ("seq", -1), ("seq", "7"), ("seq", None), ("seq", True), ("plant", None), ("plant", b"p"),
    ("stream", 5), ("head", HASH[:31]), ("head", HASH + b"\0"), ("head", "x" * 32),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [*SHAPES, ("log_index", -1), ("received_ns", -1), ("checkpoint", b"note"), ("since", -1),
     ("since", None), ("path", None), ("path", {}), ("path", [HASH[:31]]), ("path", ["x" * 32]),
     ("path", [HASH] * (PATH_MAX + 1))],
)  # fmt: skip
def test_a_receipts_field_of_another_shape_is_refused(name: str, value: Any) -> None:
    with pytest.raises(MalformedError, match=name):
        decode_receipt(signed(TYP_RECEIPT, FIELDS | {name: value}), COLLECTOR.public_key)


@pytest.mark.parametrize(
    ("name", "value"), [*SHAPES, ("log_size", -1), ("log_root", b""), ("month", 202606)]
)
def test_a_closes_field_of_another_shape_is_refused(name: str, value: Any) -> None:
    fields = vars(REQUEST) | {name: value}
    with pytest.raises(MalformedError, match=name):
        decode_close(compress(cbor.encode(fields)))
    with pytest.raises(MalformedError, match=name):
        decode_close_request(signed(TYP_CLOSE_REQUEST, fields), COLLECTOR.public_key)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Receipt)])
def test_no_field_may_lack(name: str) -> None:
    fields = {key: value for key, value in FIELDS.items() if key != name}
    with pytest.raises(MalformedError, match="unknown or missing"):
        decode_receipt(signed(TYP_RECEIPT, fields), COLLECTOR.public_key)


@pytest.mark.parametrize("value", [FIELDS | {"more": 1}, [], 5, None, {}])
def test_no_field_may_be_added(value: Any) -> None:
    with pytest.raises(MalformedError, match="unknown or missing"):
        decode_receipt(signed(TYP_RECEIPT, value), COLLECTOR.public_key)


def test_newer_compression_is_undecided() -> None:
    data = cose.sign(COLLECTOR, {cose.TYP: TYP_RECEIPT}, b"\x07x")
    with pytest.raises(UnsupportedError):
        decode_receipt(data, COLLECTOR.public_key)
