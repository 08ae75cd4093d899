"""CBOR as evidence allows it. Bytes by hand from RFC 8949, appendix A and §4.2."""

import tracemalloc
from typing import Any

import pytest

from evidence import cbor
from evidence.errors import EvidenceError, LimitError, MalformedError

#: RFC 8949 appendix A, the rows of types evidence uses
EXAMPLES: list[tuple[Any, str]] = [
    (0, "00"), (1, "01"), (10, "0a"), (23, "17"), (24, "1818"), (25, "1819"), (100, "1864"),
    (1000, "1903e8"), (1000000, "1a000f4240"), (1000000000000, "1b000000e8d4a51000"),
    (18446744073709551615, "1bffffffffffffffff"), (-1, "20"), (-10, "29"), (-100, "3863"),
    (-1000, "3903e7"), (False, "f4"), (True, "f5"), (None, "f6"), (b"", "40"),
    (bytes([1, 2, 3, 4]), "4401020304"), ("", "60"), ("a", "6161"), ("IETF", "6449455446"),
    ('"\\', "62225c"), ("\u00fc", "62c3bc"), ("\u6c34", "63e6b0b4"), ("\U00010151", "64f0908591"),
    ([], "80"), ([1, 2, 3], "83010203"), ([1, [2, 3], [4, 5]], "8301820203820405"),
    (list(range(1, 26)), "98190102030405060708090a0b0c0d0e0f101112131415161718181819"),
    ({}, "a0"), ({1: 2, 3: 4}, "a201020304"), ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
    (["a", {"b": "c"}], "826161a161626163"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "text"), EXAMPLES, ids=[text for _, text in EXAMPLES])
def test_examples_of_the_rfc(value: Any, text: str) -> None:
    assert cbor.encode(value).hex() == text
    decoded = cbor.decode(bytes.fromhex(text))
    assert decoded == value
    assert type(decoded) is type(value)


REFUSED = {
    "integer in two bytes that fits in one": "1817",
    "integer in three bytes that fits in two": "190017",
    "integer in five bytes that fits in three": "1a00000017",
    "integer in nine bytes that fits in five": "1b0000000000000017",
    "negative integer not shortest": "3800",
    "byte string length not shortest": "580100",
    "text length not shortest": "780161",
    "array length not shortest": "980100",
    "map length not shortest": "b8010000",
    "same key twice": "a200000000",
    "same text key twice": "a2616100616100",
    "keys not in order": "a203000100",
    "text keys not in order": "a2616200616100",
    "longer text key before shorter": "a262616100616200",
    "keys of two types": "a20000616100",
    "byte string as key": "a1410000",
    "array as key": "a18000",
    "true as key": "a1f500",
    "null as key": "a1f600",
    "indefinite array": "9f01ff",
    "indefinite map": "bf0001ff",
    "indefinite bytes": "5f4100ff",
    "indefinite text": "7f6161ff",
    "break alone": "ff",
    "half float": "f93c00",
    "single float": "fa47c35000",
    "double float": "fb3ff199999999999a",
    "not a number": "f97e00",
    "undefined": "f7",
    "simple value": "f0",
    "simple value in two bytes": "f818",
    "simple value below 32 in two bytes": "f814",
    "tagged date": "c11a514b67b0",
    "bignum that fits": "c24101",
    "bignum of 65 bits": "c249010000000000000000",
    "negative of 65 bits": "3bffffffffffffffff",
    "self-described CBOR": "d9d9f700",
    "shared reference": "d81c80",
    "reference to itself": "d81c81d81d00",
    "string reference": "d81900",
    "decimal fraction": "c48221196ab3",
    "rational": "d81e820102",
    "regular expression": "d8236128",
    "complex number": "d9a7f8820102",
    "trailing byte": "0000",
    "trailing bytes after a map": "a000",
    "nothing": "",
    "cut integer": "18",
    "cut bytes": "4401",
    "cut array": "8301",
    "cut map": "a101",
    "cut text": "6261",
    "text that is no UTF-8": "61ff",
    "text of an overlong slash": "62c0af",
    "text of a lone surrogate": "63eda080",
    "reserved additional information": "1c",
    "array of reserved length": "9c",
    "negative key shorter than a positive one, as RFC 8949 sorts": "a21818012001",
    "negative key shorter than a positive one, as RFC 7049 sorts": "a22001181801",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_deterministic_or_not_allowed_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        cbor.decode(bytes.fromhex(REFUSED[name]))


def nested(depth: int, one: str = "81") -> bytes:
    return bytes.fromhex(one) * depth + b"\0"


def test_depth_has_a_limit() -> None:
    assert cbor.decode(nested(cbor.DEPTH_MAX))
    for depth in (cbor.DEPTH_MAX + 1, 200, 100_000):
        with pytest.raises(MalformedError):
            cbor.decode(nested(depth))
    with pytest.raises(LimitError):
        cbor.decode(nested(cbor.BYTES_MAX - 1))
    with pytest.raises(MalformedError):
        cbor.decode(nested(cbor.DEPTH_MAX + 1, "a100"))


def test_levels_are_arrays_and_maps_empty_ones_too() -> None:
    """FORMAT.md §1 has these bytes."""
    eleven, twelve = b"\x81" * 11, b"\x81" * 12
    assert cbor.decode(eleven + b"\x80")
    assert cbor.decode(twelve + b"\x01")
    for data in (twelve + b"\x80", twelve + b"\xa0"):
        with pytest.raises(MalformedError, match="nested deeper"):
            cbor.decode(data)


def test_length_has_a_limit() -> None:
    assert cbor.decode(
        b"\x5a" + (cbor.BYTES_MAX - 5).to_bytes(4, "big") + bytes(cbor.BYTES_MAX - 5)
    )
    with pytest.raises(LimitError):
        cbor.decode(bytes(cbor.BYTES_MAX + 1))


def test_the_number_of_items_has_a_limit() -> None:
    """Every head is an item: the array, and each of what is in it."""
    most = cbor.ITEMS_MAX - 1
    assert len(cbor.decode(b"\x9a" + most.to_bytes(4, "big") + bytes(most))) == most
    with pytest.raises(LimitError, match="items"):
        cbor.decode(b"\x9a" + (most + 1).to_bytes(4, "big") + bytes(most + 1))
    for text in ("8301820203820405", "a201020304", "83436162631901001a00010000"):
        data = bytes.fromhex(text)  # RFC 8949 appendix A: 8 items; 5; array of bytes, 256, 65536: 4
        count = {"8301820203820405": 8, "a201020304": 5}.get(text, 4)
        assert cbor.decode(data, count) == cbor.decode(data)
        with pytest.raises(LimitError, match="items"):
            cbor.decode(data, count - 1)


@pytest.mark.parametrize("filler", [10, 70_000], ids=["counted after", "counted before"])
def test_the_number_of_arrays_and_maps_has_a_limit(filler: int) -> None:
    """Of [[], {}, {1: []}, bytes] there are five: the whole, two empty ones, a map, what it holds.

    Few bytes are decoded first and many are not: what is refused is the same.
    """
    head = b"\x5a" + filler.to_bytes(4, "big") if filler > 0xFFFF else bytes([0x40 | filler])
    data = b"\x84\x80\xa0\xa1\x01\x80" + head + b"\x80" * filler
    assert cbor.decode(data, nested_max=5) == [[], {}, {1: []}, b"\x80" * filler]
    with pytest.raises(LimitError, match="arrays and maps"):
        cbor.decode(data, nested_max=4)


@pytest.mark.parametrize("major", [2, 3, 4, 5])
@pytest.mark.parametrize("length", [2**20, 2**31 - 1, 2**32, 2**40, 2**62, 2**63, 2**64 - 1])
def test_a_promised_length_takes_no_memory(major: int, length: int) -> None:
    head = bytes([major << 5 | 27]) + length.to_bytes(8, "big")
    if length < 2**32:
        head = bytes([major << 5 | 26]) + length.to_bytes(4, "big")
    tracemalloc.start()
    try:
        for data in (head, head + bytes(64), b"\x82" + head):
            with pytest.raises(MalformedError):
                cbor.decode(data)
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("tag", [*range(6), 22, 25, 28, 29, 30, 35, 36, 37, 100, 258, 260, 261])
def test_no_tag_decodes_into_anything(tag: int) -> None:
    """Library types behind tags (dates, decimals, patterns, addresses) never leave the decoder."""
    head = bytes([0xC0 | tag]) if tag < 24 else b"\xd9" + tag.to_bytes(2, "big")
    if 24 <= tag < 256:
        head = bytes([0xD8, tag])
    bodies = ["00", "20", "40", "4101", "60", "6128", "80", "820102", "820100", "83010203", "a0"]
    for body in bodies:
        with pytest.raises(MalformedError):
            cbor.decode(head + bytes.fromhex(body))


@pytest.mark.parametrize(
    "value",
    [1.5, float("nan"), {1, 2}, frozenset(), object(), 1j, bytearray(b"x"), {b"k": 1}, {None: 1}],
)
def test_a_type_evidence_does_not_use_cannot_be_written(value: object) -> None:
    with pytest.raises(TypeError):
        cbor.encode(value)
    with pytest.raises(TypeError):
        cbor.encode([{"a": value}])


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, {1: 1, "a": 1}, {24: 0, -1: 0}])
def test_a_value_evidence_does_not_allow_cannot_be_written(value: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        cbor.encode(value)


def test_limits_of_integers() -> None:
    for value, text in ((2**64 - 1, "1bffffffffffffffff"), (-(2**63), "3b7fffffffffffffff")):
        assert cbor.encode(value).hex() == text
        assert cbor.decode(bytes.fromhex(text)) == value


def test_negative_keys_go_after_the_positive_ones() -> None:
    """The header of a stream object: labels of one byte, then labels of five."""
    header = {-65537: 0, 16: "t", 1: -19, -65538: b"", 4: b""}
    assert list(cbor.decode(cbor.encode(header))) == [1, 4, 16, -65537, -65538]
    assert cbor.decode(cbor.encode({-1: 0, 23: 0})) == {23: 0, -1: 0}


def test_a_boolean_is_no_integer() -> None:
    assert cbor.encode([True, 1]) == bytes.fromhex("82f501")
    assert [type(v) for v in cbor.decode(bytes.fromhex("82f501"))] == [bool, int]


def test_every_first_two_bytes_decode_or_draw_our_error() -> None:
    for first in range(256):
        for second in range(256):
            data = bytes([first, second])
            try:
                assert cbor.encode(cbor.decode(data)) == data
            except EvidenceError:
                continue


@pytest.mark.parametrize("length", [0, 1, 23, 24, 255, 256, 65_535, 65_536, 1_048_576])
def test_a_byte_string_by_itself_is_written_and_read_as_in_any_value(length: int) -> None:
    data = bytes(length)
    assert cbor.encode_bytes(data) == cbor.encode(data)
    assert cbor.read_bytes(b"\xf6" + cbor.encode(data) + b"\xf6", 1) == (
        data,
        len(cbor.encode(data)) + 1,
    )


@pytest.mark.parametrize(
    "encoded",
    [
        b"",  # nothing
        b"\x41",  # cut
        b"\x58",  # its length is cut
        b"\x58\x18" + bytes(23),
        b"\x58\x17" + bytes(23),  # lengths that need fewer bytes
        b"\x59\x00\xff" + bytes(255),
        b"\x5a\x00\x00\xff\xff" + bytes(65_535),
        b"\x5b\x00\x00\x00\x00\x00\x00\x00\x01\x00",
        b"\x5f\x41\x00\xff",  # of indefinite length
        b"\x60",  # text
        b"\x00",
        b"\xc2\x41\x00",  # a tag around one
    ],
)
def test_what_is_no_shortest_byte_string_is_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedError):
        cbor.read_bytes(encoded, 0)
