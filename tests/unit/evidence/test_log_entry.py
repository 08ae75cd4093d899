"""Log entries: bytes by hand, every field's shape, and what is newer."""

import dataclasses
from typing import Any

import pytest

from evidence import cbor
from evidence.errors import MalformedError, UnsupportedError
from evidence.log import Entry, Kind, decode_entry, encode_entry

HASH = bytes(range(32))
ENTRY = Entry(
    kind=Kind.FRAME, received_ns=1_781_499_580_000_000_000, epoch=3, stream="edge-1", seq=24,
    sha256=HASH, length=1000, certificate=HASH[::-1],
)  # fmt: skip
PARTS: list[Any] = [
    1, 1, 1_781_499_580_000_000_000, 3, "edge-1", 24, HASH, 1000, HASH[::-1], "accepted", None, {},
]  # fmt: skip


def test_an_entry_by_hand() -> None:
    by_hand = (
        b"\x8c\x01\x01"
        + b"\x1b" + (1_781_499_580_000_000_000).to_bytes(8, "big")
        + b"\x03\x66edge-1\x18\x18"
        + b"\x58\x20" + HASH
        + b"\x19\x03\xe8"
        + b"\x58\x20" + HASH[::-1]
        + b"\x68accepted\xf6\xa0"
    )  # fmt: skip
    assert encode_entry(ENTRY) == by_hand
    assert decode_entry(by_hand) == ENTRY
    assert cbor.encode(PARTS) == by_hand


def test_kinds_are_part_of_the_format_and_do_not_move() -> None:
    assert {k.name: k.value for k in Kind} == {
        "FRAME": 1, "CONFIG": 2, "ENROL": 3, "ROTATE": 4, "REVOKE": 5, "REPLACE": 6, "GAP": 7,
        "RECORD": 8, "REVIEW": 9, "REJECT": 10, "MONTH_CLOSE": 11, "COSIGNATURE": 12,
        "PLANT_CLOSE": 13,
    }  # fmt: skip


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_reads_back(kind: Kind) -> None:
    entry = dataclasses.replace(
        ENTRY, kind=kind, seq=None, certificate=None, verdict="fork", second_hash=b"x",
        detail={"a": [1, {"b": None}], "c": b"d"},
    )  # fmt: skip
    assert decode_entry(encode_entry(entry)) == entry


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (1, "1"), (1, -1), (1, True), (2, -1), (2, None), (2, "0"), (3, -1), (3, None), (4, None),
        (4, b"edge-1"), (5, -1), (5, "24"), (5, True), (6, HASH[:31]), (6, HASH + b"\0"), (6, None),
        (6, "x" * 32), (7, -1), (7, None), (8, HASH[:31]), (8, ""), (9, None), (9, b"accepted"),
        (10, 5), (10, "x"), (11, None), (11, []), (11, {1: 2}), (0, True), (0, "1"), (0, 0),
        (0, None), (0, -1),
    ],
)  # fmt: skip
def test_a_field_of_another_shape_is_refused(place: int, value: Any) -> None:
    parts = list(PARTS)
    parts[place] = value
    with pytest.raises(MalformedError):
        decode_entry(cbor.encode(parts))


@pytest.mark.parametrize("value", [{}, 5, "entry", None, [], PARTS[:11], [*PARTS, None]])
def test_what_is_no_array_of_twelve_is_refused(value: Any) -> None:
    with pytest.raises(MalformedError):
        decode_entry(cbor.encode(value))


@pytest.mark.parametrize(
    "value", [[2, "new"], [2], [2**64 - 1, *PARTS[1:]], [1, 14, *PARTS[2:]], [1, 0, *PARTS[2:]]]
)
def test_a_newer_version_or_kind_is_undecided(value: Any) -> None:
    with pytest.raises(UnsupportedError):
        decode_entry(cbor.encode(value))


def test_trailing_bytes_and_cuts_are_refused() -> None:
    data = encode_entry(ENTRY)
    for spoilt in (data + b"\0", *(data[:n] for n in range(len(data)))):
        with pytest.raises(MalformedError):
            decode_entry(spoilt)
