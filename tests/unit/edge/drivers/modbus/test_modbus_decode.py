"""Words to values. The words are worked out by hand or come from a profile's own vectors.

123456.0 as float32: 123456 = 1.8837890625 × 2^16, so the exponent is 127 + 16 = 143 = 0b10001111
and the fraction 0.8837890625 × 2^23 = 7413760 = 0x712000; bits 0 10001111 1110001 00100000…
= 0x47F12000. The four orders of its bytes A B C D = 47 F1 20 00:
ABCD 47F1 2000 · CDAB 2000 47F1 · BADC F147 0020 · DCBA 0020 F147.
"""

import struct
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.modbus.decode import (
    Value,
    decode_bits,
    decode_setting,
    decode_words,
)
from edge.drivers.raw import unpack
from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.model import Bits, Setting
from tests.unit.edge.drivers.specs import register

ORDERS = {
    "ABCD": ("big", "big"),
    "CDAB": ("little", "big"),
    "BADC": ("big", "little"),
    "DCBA": ("little", "little"),
}


def one(words: list[int], dtype: Dtype, order: str, **of_register: Any) -> object:
    row = register("r", dtype, orders=ORDERS[order], **of_register)
    (sample,) = decode_words(words, [(0, Value.of(row))])
    assert sample.raw is not None
    return unpack(sample.raw, dtype) if sample.quality is Quality.GOOD else sample.quality


@pytest.mark.parametrize(
    ("dtype", "words", "value"),
    [
        (Dtype.U16, [0xFFFE], 65534),
        (Dtype.I16, [0xFFFE], -2),
        (Dtype.I16, [0x8000], -32768),
        (Dtype.U32, [0x0001, 0x86A0], 100000),
        (Dtype.I32, [0xFFFF, 0x3CB0], -50000),  # 2^32 - 50000 = 0xFFFF3CB0
        (Dtype.U32, [0xFFFF, 0xFFFF], 4294967295),
        (Dtype.I64, [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF], -1),
        (Dtype.U64, [0x0000, 0x0001, 0x0000, 0x0000], 4294967296),
        (Dtype.F32, [0x3F80, 0x0000], 1.0),
        (Dtype.F32, [0xC2C8, 0x0000], -100.0),  # -1.5625 × 2^6
        (Dtype.F64, [0x4008, 0x0000, 0x0000, 0x0000], 3.0),  # 1.5 × 2^1
        (Dtype.F64, [0x40FE, 0x2400, 0x0000, 0x0000], 123456.0),  # exponent 1023 + 16 = 0x40F
    ],
)
def test_every_type_of_the_wire(dtype: Dtype, words: list[int], value: float) -> None:
    assert one(words, dtype, "ABCD") == value


@pytest.mark.parametrize(("order", "word"), [("ABCD", 0x1234), ("CDAB", 0x1234), ("BADC", 0x3412)])
def test_one_word_knows_no_word_order_but_a_byte_order(order: str, word: int) -> None:
    assert one([word], Dtype.U16, order) == 0x1234


def test_a_sentinel_keeps_its_bytes() -> None:
    row = register("r", Dtype.U32, invalid=(0xFFFFFFFF,))
    (sample,) = decode_words([0xFFFF, 0xFFFF], [(0, Value.of(row))])
    assert sample.quality is Quality.SENTINEL
    assert sample.raw == b"\xff\xff\xff\xff"
    assert sample.source_ns is None


@pytest.mark.parametrize(
    ("words", "raw"),
    [
        ([0x7FC0, 0x1234], "3412c07f"),  # quiet NaN with a payload
        ([0x7F80, 0x0001], "0100807f"),  # signalling NaN
        ([0xFF80, 0x0000], "000080ff"),  # -infinity
    ],
)
def test_a_nan_keeps_its_bits(words: list[int], raw: str) -> None:
    row = register("r", Dtype.F32)
    (sample,) = decode_words(words, [(0, Value.of(row))])
    assert sample.quality is Quality.NOT_A_NUMBER
    assert sample.raw is not None
    assert sample.raw.hex() == raw


def test_values_stand_where_the_places_say_in_the_order_of_the_places() -> None:
    words = [0x0001, 0xAAAA, 0x0000, 0x0002, 0x47F1, 0x2000]
    a, b, c = register("a", Dtype.U16), register("b", Dtype.U32), register("c", Dtype.F32)
    places = [(4, Value.of(c)), (0, Value.of(a)), (2, Value.of(b))]
    samples = decode_words(words, places)
    assert [s.raw and s.raw.hex() for s in samples] == ["0020f147", "0100", "02000000"]


def test_bits_are_u8_zero_or_one() -> None:
    row = register("breaker", Dtype.U8, table="coil")
    bits = [True, False, True, False, False, False, False, False]
    samples = decode_bits(bits, [(i, Value.of(row)) for i in range(3)])
    assert [s.raw for s in samples] == [b"\x01", b"\x00", b"\x01"]
    assert all(s.quality is Quality.GOOD for s in samples)


def test_a_bit_can_be_a_sentinel() -> None:
    row = register("valid", Dtype.U8, table="discrete", invalid=(0,))
    (sample,) = decode_bits([False] * 8, [(3, Value.of(row))])
    assert (sample.raw, sample.quality) == (b"\x00", Quality.SENTINEL)


@pytest.mark.parametrize(
    ("words", "dtype", "number"),
    [
        ([0x0000], Dtype.U16, 0),
        ([0x0009], Dtype.U16, 9),
        ([0x0010], Dtype.U16, 10),
        ([0x9999], Dtype.U16, 9999),
        ([0x9999, 0x9999], Dtype.U32, 99999999),
        ([0x9999, 0x9999, 0x9999, 0x9999], Dtype.U64, 9999999999999999),
        ([0x0000, 0x0001, 0x0000, 0x0000], Dtype.U64, 100000000),
    ],
)
def test_bcd_of_every_length(words: list[int], dtype: Dtype, number: int) -> None:
    assert one(words, dtype, "ABCD", is_bcd=True) == number


@pytest.mark.parametrize("word", [0x000A, 0x00B0, 0x0C00, 0xD000, 0xFFFF])
def test_what_is_no_decimal_digit_is_no_number_and_keeps_its_pattern(word: int) -> None:
    row = register("r", Dtype.U16, is_bcd=True)
    (sample,) = decode_words([word], [(0, Value.of(row))])
    assert sample.quality is Quality.NOT_A_NUMBER
    assert sample.raw == struct.pack("<H", word)


def test_a_sentinel_of_bcd_is_a_pattern() -> None:
    row = register("r", Dtype.U16, is_bcd=True, invalid=(0xFFFF, 0x9999))
    for word in (0xFFFF, 0x9999):
        (sample,) = decode_words([word], [(0, Value.of(row))])
        assert (sample.raw, sample.quality) == (struct.pack("<H", word), Quality.SENTINEL)
    (sample,) = decode_words([0x9998], [(0, Value.of(row))])
    assert (sample.raw, sample.quality) == (struct.pack("<H", 9998), Quality.GOOD)


@given(st.integers(0, 9999_9999), st.sampled_from(list(ORDERS)))
def test_bcd_digits_are_those_python_writes(number: int, order: str) -> None:
    pattern = bytes.fromhex(f"{number:08}")
    a, b, c, d = pattern
    words = {"ABCD": (a, b, c, d), "CDAB": (c, d, a, b), "BADC": (b, a, d, c), "DCBA": (d, c, b, a)}
    held = list(struct.unpack(">HH", bytes(words[order])))
    assert one(held, Dtype.U32, order, is_bcd=True) == number


@pytest.mark.parametrize(
    ("words", "bits", "dtype", "order", "raw"),
    [
        ([0xA5F0], Bits(Dtype.U16, 0, 3), Dtype.U8, "ABCD", "00"),
        ([0xA5F0], Bits(Dtype.U16, 4, 7), Dtype.U8, "ABCD", "0f"),
        ([0xA5F0], Bits(Dtype.U16, 15, 15), Dtype.U8, "ABCD", "01"),
        ([0xA5F0], Bits(Dtype.U16, 14, 14), Dtype.U8, "ABCD", "00"),
        ([0xF0A5], Bits(Dtype.U16, 4, 7), Dtype.U8, "BADC", "0f"),
        # 0xA5F0 >> 4 is 0xA5F, of which nine bits are 0x05F
        ([0xA5F0], Bits(Dtype.U16, 4, 12), Dtype.U16, "ABCD", "5f00"),
        ([0x1234, 0x5678], Bits(Dtype.U32, 8, 23), Dtype.U16, "ABCD", "5634"),  # 0x3456
        ([0x5678, 0x1234], Bits(Dtype.U32, 8, 23), Dtype.U16, "CDAB", "5634"),
        ([0x3412, 0x7856], Bits(Dtype.U32, 8, 23), Dtype.U16, "BADC", "5634"),
        ([0x7856, 0x3412], Bits(Dtype.U32, 8, 23), Dtype.U16, "DCBA", "5634"),
        ([0x0102, 0x0304, 0x0506, 0x0708], Bits(Dtype.U64, 32, 63), Dtype.U32, "ABCD", "04030201"),
    ],
)
def test_a_bit_field(words: list[int], bits: Bits, dtype: Dtype, order: str, raw: str) -> None:
    row = register("r", dtype, bits=bits, orders=ORDERS[order])
    (sample,) = decode_words(words, [(0, Value.of(row))])
    assert sample.raw is not None
    assert (sample.raw.hex(), sample.quality) == (raw, Quality.GOOD)


def test_bits_of_a_word_without_value_have_none() -> None:
    row = register("r", Dtype.U8, bits=Bits(Dtype.U16, 0, 3), invalid=(0xFFFF,))
    (sample,) = decode_words([0xFFFF], [(0, Value.of(row))])
    assert (sample.raw, sample.quality) == (b"\x0f", Quality.SENTINEL)
    (sample,) = decode_words([0xFFEF], [(0, Value.of(row))])
    assert (sample.raw, sample.quality) == (b"\x0f", Quality.GOOD)


@given(st.integers(0, 2**64 - 1), st.integers(0, 63), st.integers(0, 31))
def test_bits_are_those_of_the_binary_text(held: int, low: int, more: int) -> None:
    high = min(low + more, 63)
    row = register("r", Dtype.U32, bits=Bits(Dtype.U64, low, high))
    words = [held >> shift & 0xFFFF for shift in (48, 32, 16, 0)]
    (sample,) = decode_words(words, [(0, Value.of(row))])
    assert sample.raw is not None
    binary = f"{held:064b}"[::-1]
    assert int.from_bytes(sample.raw, "little") == int(binary[low : high + 1][::-1], 2)


def test_one_answer_may_hold_all_four_orders() -> None:
    words = [0x47F1, 0x2000, 0x2000, 0x47F1, 0xF147, 0x0020, 0x0020, 0xF147]
    places = [
        (2 * i, Value.of(register(f"r{i}", Dtype.F32, orders=orders)))
        for i, orders in enumerate(ORDERS.values())
    ]
    raws = [sample.raw for sample in decode_words(words, places)]
    assert raws == [struct.pack("<f", 123456.0)] * 4


def text_setting(words: int, byte_order: str = "big") -> Setting:
    row = register("serial", Dtype.U16, orders=("big", byte_order))
    return Setting("serial", "serial", "", row, is_text=True, text_words=words)


@pytest.mark.parametrize(
    ("words", "byte_order", "text"),
    [
        ([0x534E, 0x3432], "big", "SN42"),
        ([0x4E53, 0x3234], "little", "SN42"),
        ([0x534E, 0x0000], "big", "SN"),
        ([0x534E, 0x2020], "big", "SN"),
        ([0x0000, 0x0000], "big", ""),
        ([0x53FF, 0x0000], "big", Quality.WRONG_ANSWER),
        ([0x5300, 0x4E00], "big", Quality.WRONG_ANSWER),  # a NUL inside
        ([0x530A, 0x4E00], "big", Quality.WRONG_ANSWER),  # a line feed
        ([0xFFFF, 0xFFFF], "big", Quality.WRONG_ANSWER),
    ],
)
def test_a_text_of_a_meter(words: list[int], byte_order: str, text: str | Quality) -> None:
    assert decode_setting(words, text_setting(2, byte_order)) == text


@pytest.mark.parametrize(
    ("words", "dtype", "decimals", "text"),
    [
        ([0x0001, 0x86A0], Dtype.U32, 0, "100000"),
        ([0x0001, 0x86A0], Dtype.U32, 3, "100.000"),
        ([0xFFFF, 0x3CB0], Dtype.I32, 5, "-0.50000"),
        ([0x0000], Dtype.U16, 0, "0"),
        ([0x3DCC, 0xCCCD], Dtype.F32, 0, "0.1"),
        ([0x47F1, 0x2000], Dtype.F32, 0, "123456.0"),
        ([0x3FB9, 0x9999, 0x9999, 0x999A], Dtype.F64, 0, "0.1"),
        ([0x3FD5, 0x5555, 0x5555, 0x5555], Dtype.F64, 0, "0.3333333333333333"),
        ([0x7FC0, 0x0000], Dtype.F32, 0, Quality.NOT_A_NUMBER),
        ([0xFFFF, 0xFFFF], Dtype.U32, 0, Quality.SENTINEL),  # the sentinel
    ],
)
def test_a_number_of_a_meter(
    words: list[int], dtype: Dtype, decimals: int, text: str | Quality
) -> None:
    invalid = (0xFFFFFFFF,) if dtype is Dtype.U32 else ()
    row = replace(register("k", dtype, invalid=invalid), decimals=decimals)
    assert decode_setting(words, Setting("k", "k_factor", "", row)) == text


def test_bcd_and_bits_of_a_meter() -> None:
    row = register("k", Dtype.U16, is_bcd=True)
    assert decode_setting([0x1234], Setting("k", "k_factor", "", row)) == "1234"
    not_bcd = decode_setting([0x123F], Setting("k", "k_factor", "", row))
    assert not_bcd is Quality.NOT_A_NUMBER
    row = register("unit", Dtype.U8, bits=Bits(Dtype.U16, 4, 7))
    assert decode_setting([0x00A0], Setting("unit", "unit_code", "", row)) == "10"


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_floats_text_means_the_same_float(number: float) -> None:
    high, low = struct.unpack(">HH", struct.pack(">f", number))
    text = decode_setting([high, low], Setting("k", "k_factor", "", register("k", Dtype.F32)))
    assert isinstance(text, str)
    assert struct.pack(">f", float(text)) == struct.pack(">f", number)


# --- against independent statements of the same thing ------------------------------------------


words_of = st.lists(st.integers(0, 0xFFFF), min_size=4, max_size=4)


@given(words_of, st.sampled_from(list(ORDERS)), st.sampled_from([d for d in Dtype if d.size > 1]))
def test_bytes_are_those_of_a_naive_transcription(
    words: list[int], order: str, dtype: Dtype
) -> None:
    word_order, byte_order = ORDERS[order]
    (sample,) = decode_words(words, [(0, Value.of(register("r", dtype, orders=ORDERS[order])))])
    taken = words[: dtype.size // 2]
    if word_order == "little":
        taken = taken[::-1]
    most_significant_first = b""
    for word in taken:
        pair = struct.pack(">H", word)
        most_significant_first += pair if byte_order == "big" else pair[::-1]
    assert sample.raw == most_significant_first[::-1]
