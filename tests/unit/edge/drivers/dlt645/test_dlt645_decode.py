"""BCD to raw values: worked by hand after DL/T 645-2007, annex A."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.base import Sample
from edge.drivers.dlt645.decode import Value
from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.model import Identifier
from tests.unit.edge.drivers.specs import register


def sample(content: str | bytes, format_: str, dtype: Dtype, **given_: Any) -> Sample:
    identifier = Identifier(0x00010000, format_)
    row = register(
        "item", dtype, table=None, address=None, decimals=identifier.decimals,
        identifier=identifier, **given_,
    )  # fmt: skip
    data = bytes.fromhex(content) if isinstance(content, str) else content
    return Value(row, identifier).sample(data)


@pytest.mark.parametrize(
    ("content", "format_", "dtype", "raw"),
    [
        ("78563412", "XXXXXX.XX", Dtype.U32, struct.pack("<I", 12_345_678)),  # 123456.78 kWh
        ("00000000", "XXXXXX.XX", Dtype.U32, struct.pack("<I", 0)),
        ("99999999", "XXXXXX.XX", Dtype.U32, struct.pack("<I", 99_999_999)),
        ("0823", "XXX.X", Dtype.U16, struct.pack("<H", 2308)),  # 230.8 V
        ("563412", "XX.XXXX", Dtype.I32, struct.pack("<i", 123_456)),  # 12.3456 kW
        ("563492", "XX.XXXX", Dtype.I32, struct.pack("<i", -123_456)),  # 92 = 80 + 12: minus
        ("0100 80", "XXX.XXX", Dtype.I32, struct.pack("<i", -1)),  # -0.001 A
        ("000080", "XXX.XXX", Dtype.I32, struct.pack("<i", 0)),
        ("99997F", "XXX.XXX", Dtype.I32, None),  # F is no digit
        ("9999F9", "XXX.XXX", Dtype.I32, struct.pack("<i", -799_999)),
        ("0050", "XX.XX", Dtype.I64, struct.pack("<q", 5000)),
    ],
)
def test_digits(content: str, format_: str, dtype: Dtype, raw: bytes | None) -> None:
    quality = Quality.GOOD if raw else Quality.WRONG_ANSWER
    assert sample(content, format_, dtype) == Sample(raw, quality)


def test_without_a_sign_the_top_bit_is_part_of_a_digit() -> None:
    assert sample("563492", "XX.XXXX", Dtype.U32).raw == struct.pack("<I", 923_456)


@pytest.mark.parametrize("content", ["", "785634", "7856341200"])
def test_another_number_of_bytes_is_a_wrong_answer(content: str) -> None:
    assert sample(content, "XXXXXX.XX", Dtype.U32) == Sample(None, Quality.WRONG_ANSWER)


@pytest.mark.parametrize("content", ["7856341A", "A8563412", "78 5C 34 12"])
def test_what_is_no_digit_is_a_wrong_answer(content: str) -> None:
    assert sample(content, "XXXXXX.XX", Dtype.U32) == Sample(None, Quality.WRONG_ANSWER)


@pytest.mark.parametrize("dtype", [Dtype.U32, Dtype.I32])
def test_all_ones_is_no_value(dtype: Dtype) -> None:
    assert sample("FFFFFFFF", "XXXXXX.XX", dtype) == Sample(None, Quality.SENTINEL)


def test_the_profiles_own_no_value() -> None:
    raw = struct.pack("<I", 99_999_999)
    found = sample("99999999", "XXXXXX.XX", Dtype.U32, invalid=(99_999_999,))
    assert found == Sample(raw, Quality.SENTINEL)


@given(st.integers(0, 79_999_999), st.booleans())
def test_any_signed_number(number: int, is_negative: bool) -> None:
    content = bytearray(bytes.fromhex(f"{number:08d}")[::-1])
    content[-1] |= 0x80 * is_negative
    raw = struct.pack("<i", -number if is_negative else number)
    assert sample(bytes(content), "XXXXXX.XX", Dtype.I32) == Sample(raw, Quality.GOOD)


@given(st.binary(max_size=8))
def test_any_bytes_give_a_sample(content: bytes) -> None:
    assert sample(content, "XXXXXX.XX", Dtype.U32).quality in (
        Quality.GOOD, Quality.WRONG_ANSWER, Quality.SENTINEL,
    )  # fmt: skip
