"""Words under every type and order: expected numbers are IEEE 754 and two's complement by hand."""

import pytest

from edge.commissioning.look_text import number_text
from edge.commissioning.orders import Taking, is_taken, letters, takings
from evidence.points import Dtype
from firmware_configs.model import Bits
from tests.unit.edge.drivers.specs import register

#: 1234.5 = 1.205566… × 2^10: sign 0, exponent 137 = 0x89, so 0x449A5000
FLOAT = [0x449A, 0x5000]


def at(words: list[int], kind: str, orders: tuple[str, str]) -> int | float | None:
    (found,) = (
        t for t in takings(words) if t.type == kind and (t.word_order, t.byte_order) == orders
    )
    return found.value


@pytest.mark.parametrize(
    ("words", "orders"),
    [
        ([0x449A, 0x5000], ("big", "big")),
        ([0x5000, 0x449A], ("little", "big")),
        ([0x9A44, 0x0050], ("big", "little")),
        ([0x0050, 0x9A44], ("little", "little")),
    ],
)
def test_a_float_is_found_in_whichever_order_it_stands(
    words: list[int], orders: tuple[str, str]
) -> None:
    right = [t for t in takings(words) if t.type == "f32" and t.value == 1234.5]
    assert [(t.word_order, t.byte_order) for t in right] == [orders]


def test_integers_and_signs() -> None:
    assert at([0xFFFF, 0x3CB0], "i32", ("big", "big")) == -50_000  # 2^32 - 50000
    assert at([0x0098, 0x9680], "u32", ("big", "big")) == 10_000_000  # 152*65536 + 38528
    assert at([0x9680, 0x0098], "u32", ("little", "big")) == 10_000_000
    assert at([0xFFFE], "i16", ("big", "big")) == -2
    assert at([0xFEFF], "i16", ("big", "little")) == -2


def test_longer_numbers() -> None:
    # -2.0 is sign 1, exponent 1024: 0xC000 0000 0000 0000
    assert at([0xC000, 0, 0, 0], "f64", ("big", "big")) == -2.0
    assert at([0, 0, 0, 0xC000], "f64", ("little", "big")) == -2.0
    assert at([0, 0, 0, 0x00C0], "f64", ("little", "little")) == -2.0
    assert at([0x0123, 0x4567, 0x89AB, 0xCDEF], "u64", ("big", "big")) == 81_985_529_216_486_895


def test_digits_and_what_is_none() -> None:
    assert at([0x1234, 0x5678], "bcd32", ("big", "big")) == 12_345_678
    assert at([0x1234, 0x5678], "bcd32", ("little", "big")) == 56_781_234
    assert at([0x123A, 0x5678], "bcd32", ("big", "big")) is None
    assert at([0x7FC0, 0], "f32", ("big", "big")) is None  # a quiet NaN


def test_a_text_of_three_words_is_no_number() -> None:
    assert takings([1, 2, 3]) == []


def test_orders_are_written_as_people_write_them() -> None:
    two = [letters(2, w, b) for w in ("big", "little") for b in ("big", "little")]
    assert two == ["ABCD", "BADC", "CDAB", "DCBA"]
    assert letters(1, "big", "little") == "BA"
    assert letters(4, "little", "big") == "GHEFCDAB"


class TestTaken:
    """The one the profile takes, and no other."""

    def test_of_a_plain_number(self) -> None:
        row = register("r", Dtype.F32, orders=("little", "big"))
        marked = [t for t in takings(FLOAT) if is_taken(t, row)]
        assert [(t.type, t.word_order, t.byte_order) for t in marked] == [("f32", "little", "big")]

    def test_of_a_single_word_whose_profile_is_little(self) -> None:
        row = register("r", Dtype.I16, orders=("little", "big"))
        assert [t.value for t in takings([0x0102]) if is_taken(t, row)] == [0x0102]

    def test_of_digits(self) -> None:
        row = register("r", Dtype.U32, is_bcd=True)
        assert [t.type for t in takings([0x1234, 0x5678]) if is_taken(t, row)] == ["bcd32"]

    def test_of_a_part_of_a_word(self) -> None:
        row = register("r", Dtype.U8, bits=Bits(Dtype.U16, 4, 7))
        assert [t.type for t in takings([0x1234]) if is_taken(t, row)] == ["u16"]


def test_numbers_are_short_but_tell_their_neighbours_apart() -> None:
    assert number_text(1234.5) == "1234.5"
    assert number_text(0.1) == "0.1"
    assert number_text(None) == "-"
    assert number_text(12) == "12"
    assert Taking("f32", "big", "big", None).value is None
