"""Words to numbers, against encodings worked out by hand or printed in a standard."""

import math

import pytest

from evidence.points import Dtype
from firmware_configs.model import Bits
from firmware_configs.words import nearest_float, number_of_words, raw_of_words, text_of_words
from tests.unit.edge.drivers.specs import register


@pytest.mark.parametrize(
    ("words", "dtype", "word_order", "byte_order", "number"),
    [
        ((0x0102,), Dtype.U16, "big", "big", 258),
        ((0x0102,), Dtype.U16, "little", "big", 258),  # one word has no word order
        ((0x0102,), Dtype.U16, "big", "little", 513),  # 0x0201
        ((0xFFFE,), Dtype.I16, "big", "big", -2),
        ((0x8000,), Dtype.I16, "big", "big", -32768),
        # 0x12345678 = 305419896 in the four orders meters use (ABCD, CDAB, BADC, DCBA).
        ((0x1234, 0x5678), Dtype.U32, "big", "big", 305419896),
        ((0x5678, 0x1234), Dtype.U32, "little", "big", 305419896),
        ((0x3412, 0x7856), Dtype.U32, "big", "little", 305419896),
        ((0x7856, 0x3412), Dtype.U32, "little", "little", 305419896),
        ((0xFFFF, 0xFFFF), Dtype.I32, "big", "big", -1),
        ((0xFFFF, 0xFFFF), Dtype.U32, "big", "big", 4294967295),
        # IEEE 754: 1.0 = 0x3F800000, -118.625 = 0xC2ED4000, pi as double = 0x400921FB54442D18.
        ((0x3F80, 0x0000), Dtype.F32, "big", "big", 1.0),
        ((0x0000, 0x3F80), Dtype.F32, "little", "big", 1.0),
        ((0xC2ED, 0x4000), Dtype.F32, "big", "big", -118.625),
        ((0xEDC2, 0x0040), Dtype.F32, "big", "little", -118.625),
        ((0x4009, 0x21FB, 0x5444, 0x2D18), Dtype.F64, "big", "big", math.pi),
        ((0x2D18, 0x5444, 0x21FB, 0x4009), Dtype.F64, "little", "big", math.pi),
        ((0x0000, 0x0001, 0x0000, 0x0000), Dtype.U64, "big", "big", 2**32),
        ((0x8000, 0, 0, 0), Dtype.I64, "big", "big", -(2**63)),
    ],
)
def test_numbers(
    words: tuple[int, ...], dtype: Dtype, word_order: str, byte_order: str, number: float
) -> None:
    assert number_of_words(words, dtype, word_order, byte_order) == number


def test_nearest_single() -> None:
    # 0.1 as a single is 0x3DCCCCCD = 13421773 × 2^-27.
    assert nearest_float(0.1, Dtype.F32) == 13421773 / 2**27
    assert nearest_float(0.1, Dtype.F64) == 0.1


def test_beyond_a_single() -> None:
    with pytest.raises(OverflowError):
        nearest_float(1e39, Dtype.F32)


@pytest.mark.parametrize(
    ("words", "dtype", "orders", "number"),
    [
        ((0x9876,), Dtype.U16, ("big", "big"), 9876),
        ((0x7698,), Dtype.U16, ("big", "little"), 9876),
        ((0x0000,), Dtype.U16, ("big", "big"), 0),
        ((0x1234, 0x5678), Dtype.U32, ("big", "big"), 12345678),
        ((0x5678, 0x1234), Dtype.U32, ("little", "big"), 12345678),
        ((0x7856, 0x3412), Dtype.U32, ("little", "little"), 12345678),
        ((0x123A,), Dtype.U16, ("big", "big"), None),
        ((0xFFFF, 0xFFFF), Dtype.U32, ("big", "big"), None),
    ],
)
def test_decimal_digits(
    words: tuple[int, ...], dtype: Dtype, orders: tuple[str, str], number: int | None
) -> None:
    assert raw_of_words(words, register("r", dtype, orders=orders, is_bcd=True)) == number


@pytest.mark.parametrize(
    ("words", "bits", "number"),
    [
        ((0x8001,), Bits(Dtype.U16, 0, 0), 1),
        ((0x8001,), Bits(Dtype.U16, 1, 14), 0),
        ((0x8001,), Bits(Dtype.U16, 15, 15), 1),
        ((0x8001,), Bits(Dtype.U16, 0, 15), 0x8001),
        ((0x0001, 0x8000), Bits(Dtype.U32, 15, 16), 3),  # 0x00018000
        ((0x8000, 0, 0, 0), Bits(Dtype.U64, 63, 63), 1),
    ],
)
def test_parts_of_a_register(words: tuple[int, ...], bits: Bits, number: int) -> None:
    assert raw_of_words(words, register("r", Dtype.U32, bits=bits)) == number


@pytest.mark.parametrize(
    ("words", "byte_order", "text"),
    [
        # ASCII: A 0x41, B 0x42, 1 0x31, 2 0x32, space 0x20
        ((0x4142, 0x3132), "big", "AB12"),
        ((0x4241, 0x3231), "little", "AB12"),
        ((0x4142, 0x3100), "big", "AB1"),
        ((0x4142, 0x2020), "big", "AB"),
        ((0x2041, 0x0000), "big", " A"),  # only what stands behind is padding
        ((0x0000, 0x0000), "big", ""),
    ],
)
def test_texts(words: tuple[int, ...], byte_order: str, text: str) -> None:
    assert text_of_words(words, byte_order) == text


@pytest.mark.parametrize("words", [(0x4100, 0x4200), (0x41FF,), (0x0741,), (0xB5C8,)])
def test_no_texts(words: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"printable|ascii"):
        text_of_words(words, "big")
