"""Words to numbers, against encodings worked out by hand or printed in a standard."""

import math

import pytest

from evidence.points import Dtype
from firmware_configs.words import nearest_float, number_of_words


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
