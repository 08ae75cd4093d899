"""Bit fields, BCD, orders of a row, roll-over: what they become, and each wrong way to say so."""

from pathlib import Path

import pytest

from evidence.points import Dtype, Role
from firmware_configs.model import Bits
from firmware_configs.profile import unproven_types
from tests.unit.firmware_configs.profile_texts import MODBUS, OPCUA, loaded, problems_of, spoiled

ROW = 'address = 0x0015\ntype = "i16"'


def with_row(row: str) -> str:
    """The sound profile with another address and type of its `status`."""
    return spoiled(MODBUS, ROW, row)


@pytest.mark.parametrize(
    ("row", "dtype", "bits"),
    [
        ('type = "u16"\nbits = "0"', Dtype.U8, Bits(Dtype.U16, 0, 0)),
        ('type = "u16"\nbits = "15"', Dtype.U8, Bits(Dtype.U16, 15, 15)),
        ('type = "u16"\nbits = "0-7"', Dtype.U8, Bits(Dtype.U16, 0, 7)),
        ('type = "u16"\nbits = "4-12"', Dtype.U16, Bits(Dtype.U16, 4, 12)),
        ('type = "u16"\nbits = "0-15"', Dtype.U16, Bits(Dtype.U16, 0, 15)),
        ('type = "u32"\nbits = "31"', Dtype.U8, Bits(Dtype.U32, 31, 31)),
        ('type = "u32"\nbits = "8-24"', Dtype.U32, Bits(Dtype.U32, 8, 24)),
        ('type = "u64"\nbits = "32-63"', Dtype.U32, Bits(Dtype.U64, 32, 63)),
    ],
)
def test_a_bit_field_is_the_shortest_unsigned_that_holds_it(
    row: str, dtype: Dtype, bits: Bits, tmp_path: Path
) -> None:
    status = loaded(with_row(f"address = 0x0020\n{row}"), tmp_path).register("status")
    assert (status.dtype, status.bits, status.is_bcd) == (dtype, bits, False)
    assert status.words == bits.holder.size // 2
    assert status.holder is bits.holder


@pytest.mark.parametrize(
    ("name", "dtype", "words"),
    [("bcd16", Dtype.U16, 1), ("bcd32", Dtype.U32, 2), ("bcd64", Dtype.U64, 4)],
)
def test_bcd_is_unsigned_of_its_own_length(
    name: str, dtype: Dtype, words: int, tmp_path: Path
) -> None:
    status = loaded(with_row(f'address = 0x0020\ntype = "{name}"'), tmp_path).register("status")
    assert (status.dtype, status.is_bcd, status.words) == (dtype, True, words)
    assert status.type_name == name


WRONG = [
    (
        'type = "i16"\nbits = "0"',
        "type",
        "bits are taken of u16, u32 or u64, not of i16",
    ),
    ('type = "f32"\nbits = "0"\npoint_decimals = 0', "type",
     "bits are taken of u16, u32 or u64, not of f32"),
    ('type = "u16"\nbits = 3', "bits", '3 is not text; write bits = "3"'),
    ('type = "u16"\nbits = "a"', "bits",
     "'a' is no bit such as \"3\" and no range such as \"0-3\""),
    ('type = "u16"\nbits = "-3"', "bits",
     "'-3' is no bit such as \"3\" and no range such as \"0-3\""),
    ('type = "u16"\nbits = "٣"', "bits",
     "'٣' is no bit such as \"3\" and no range such as \"0-3\""),
    ('type = "u16"\nbits = "16"', "bits",
     "'16': u16 has bits 0 (the lowest) to 15, written from low to high"),
    ('type = "u16"\nbits = "3-1"', "bits",
     "'3-1': u16 has bits 0 (the lowest) to 15, written from low to high"),
    ('type = "u32"\nbits = "30-32"', "bits",
     "'30-32': u32 has bits 0 (the lowest) to 31, written from low to high"),
    ('type = "u64"\nbits = "0-32"', "bits", "'0-32' are 33 bits; a field has at most 32"),
    ('type = "bcd16"\nbits = "0"', "bits", "are of a plain register; bcd16 holds decimal digits"),
    ('type = "text"', "type", "a text is no point; write it as a [[setting]]"),
    ('type = "bcd24"', "type",
     "unknown number type 'bcd24'; known: u8 u16 u32 u64 i8 i16 i32 i64 f32 f64 "
     "bcd16 bcd32 bcd64"),
    ('type = "bcd24"\nbits = "0"', "type",
     "unknown number type 'bcd24'; known: u8 u16 u32 u64 i8 i16 i32 i64 f32 f64 "
     "bcd16 bcd32 bcd64"),
    ('type = "u16"\nword_order = "little"', "word_order",
     "has no effect: the value is one register"),
    ('type = "u32"\nword_order = "mid"', "word_order", "'mid' is not one of big | little"),
    ('type = "u16"\nrolls_at = 1000', "rolls_at", "is of a totaliser with an integer type only"),
    ('type = "f32"\npoint_decimals = 0\nrole = "totaliser"\nrolls_at = 1000', "rolls_at",
     "is of a totaliser with an integer type only"),
    ('type = "u16"\nrole = "totaliser"\nrolls_at = 65537', "rolls_at", "65537 is not in 2..65536"),
    ('type = "bcd16"\nrole = "totaliser"\nrolls_at = 10001', "rolls_at",
     "10001 is not in 2..10000"),
    ('type = "u16"\nbits = "0-3"\ninvalid = [0x10000]', "invalid",
     "65536 does not fit u16 (0..65535)"),
    ('type = "bcd16"\ninvalid = [-1]', "invalid", "-1 does not fit u16 (0..65535)"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "key", "reason"), WRONG)
def test_wrong_coding(row: str, key: str, reason: str, tmp_path: Path) -> None:
    found = problems_of(with_row(f"address = 0x0020\n{row}"), tmp_path)
    assert found == [(f"register[1].{key}", f"status: {reason}")]


def test_states_of_a_bit_field_are_its_own_numbers(tmp_path: Path) -> None:
    row = (
        'address = 0x0020\ntype = "u16"\nbits = "4-5"\nrole = "state"\n'
        'states = {{ "0" = "off", "{}" = "on" }}'
    )
    text = spoiled(with_row(row.format(3)), 'kind = "count"', 'kind = "state"')
    assert loaded(text, tmp_path).register("status").states == ((0, "off"), (3, "on"))
    text = spoiled(with_row(row.format(4)), 'kind = "count"', 'kind = "state"')
    assert problems_of(text, tmp_path) == [
        ("register[1].states", "status: '4' is no bits 4-5 of u16 value (0..3)")
    ]


def test_no_value_of_a_part_is_a_pattern_of_the_whole(tmp_path: Path) -> None:
    row = 'address = 0x0020\ntype = "u16"\nbits = "0-3"\ninvalid = [0xFFFF]'
    assert loaded(with_row(row), tmp_path).register("status").invalid == (0xFFFF,)
    row = 'address = 0x0020\ntype = "bcd32"\ninvalid = [0xFFFFFFFF]'
    assert loaded(with_row(row), tmp_path).register("status").invalid == (0xFFFFFFFF,)


def test_a_bit_field_of_a_bit_is_refused(tmp_path: Path) -> None:
    text = with_row('address = 0x0020\ntype = "u16"\nbits = "0"')
    text = spoiled(text, 'table = "holding"\naddress = 0x0020', 'table = "coil"\naddress = 0x0020')
    assert problems_of(text, tmp_path) == [
        ("register[1].type", "status: bit 0 of u16 cannot be in table coil: a bit is u8")
    ]


def test_bit_fields_and_bcd_are_of_modbus(tmp_path: Path) -> None:
    text = spoiled(OPCUA, 'type = "u8"', 'type = "u8"\nbits = "0"')
    ((key, reason),) = problems_of(text, tmp_path)
    assert (key, reason.partition(";")[0]) == (
        "register[1].bits",
        "pot-{n:02}.state: unknown key",
    )
    text = spoiled(OPCUA, 'type = "u8"', 'type = "bcd16"')
    assert problems_of(text, tmp_path) == [
        ("register[1].type", "pot-{n:02}.state: bcd16 is for protocol modbus only")
    ]


CLASH = (
    "alarm: address 0x0015 overlaps status (0x0015): look both up in the manual, one address is "
    "wrong"
)


class TestOneRegisterForMany:
    """Bit fields lie in one register; other values never share a cell."""

    FIRST = '[[register]]\nname = "alarm"\ntable = "holding"\naddress = 0x0015\n'
    SECOND = 'unit = "1"\nkind = "count"\nsource = "p. 5"\n'

    def sharing(self, first: str, second: str) -> str:
        text = with_row(f"address = 0x0015\n{first}")
        return f"{text}\n{self.FIRST}{second}\n{self.SECOND}"

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ('type = "u16"\nbits = "0-3"', 'type = "u16"\nbits = "4"'),
            ('type = "u16"\nbits = "4"', 'type = "u16"\nbits = "0-3"'),
            ('type = "u16"\nbits = "0-3"', 'type = "u16"'),  # the word itself, as evidence
            ('type = "u16"', 'type = "u16"\nbits = "0-3"'),
            ('type = "u32"\nbits = "31"', 'type = "u32"\nbits = "0-30"'),
        ],
    )
    def test_fine(self, first: str, second: str, tmp_path: Path) -> None:
        assert problems_of(self.sharing(first, second), tmp_path) == []

    @pytest.mark.parametrize(
        ("first", "second", "reason"),
        [
            ('type = "u16"\nbits = "0-3"', 'type = "u16"\nbits = "3-4"',
             "alarm: bits 3-4 of u16 overlaps status (bits 0-3 of u16)"),
            ('type = "u16"\nbits = "3"', 'type = "u16"\nbits = "3"',
             "alarm: bit 3 of u16 overlaps status (bit 3 of u16)"),
            ('type = "u16"', 'type = "u16"', CLASH),
            ('type = "u16"\nbits = "0"', 'type = "u32"\nbits = "1"',
             CLASH),
            ('type = "u16"\nbits = "0"', 'type = "u16"\nbits = "1"\nbyte_order = "little"',
             CLASH),
            ('type = "u16"\nbits = "0"', 'type = "i16"',
             CLASH),
        ],
    )  # fmt: skip
    def test_not_fine(self, first: str, second: str, reason: str, tmp_path: Path) -> None:
        assert problems_of(self.sharing(first, second), tmp_path) == [
            ("register[2].address", reason)
        ]


class TestOrdersOfARow:
    """A meter that mixes orders says so in the rows that differ."""

    def test_a_row_overrides_the_file(self, tmp_path: Path) -> None:
        row = 'address = 0x0020\ntype = "u32"\nword_order = "little"\nbyte_order = "little"'
        profile = loaded(with_row(row), tmp_path)
        voltage, status = profile.register("voltage_l1"), profile.register("status")
        assert (voltage.word_order, voltage.byte_order) == ("big", "big")
        assert (status.word_order, status.byte_order) == ("little", "little")

    def test_one_register_has_a_byte_order_of_its_own(self, tmp_path: Path) -> None:
        row = 'address = 0x0020\ntype = "u16"\nbyte_order = "little"'
        assert loaded(with_row(row), tmp_path).register("status").byte_order == "little"

    def test_bits_have_no_order(self, tmp_path: Path) -> None:
        row = 'address = 0x0020\ntype = "u8"\nbyte_order = "big"'
        text = spoiled(with_row(row), 'table = "holding"\naddress = 0x0020',
                       'table = "coil"\naddress = 0x0020')  # fmt: skip
        ((key, reason),) = problems_of(text, tmp_path)
        assert (key, reason.partition(";")[0]) == (
            "register[1].byte_order",
            "status: unknown key",
        )

    def test_a_vector_follows_its_row(self, tmp_path: Path) -> None:
        row = 'address = 0x0020\ntype = "u32"\nword_order = "little"\nbyte_order = "little"'
        text = with_row(row)
        # 0x01020304 = 16909060; low word first, low byte first: 04 03 02 01
        vector = '\n[[vector]]\nregister = "status"\nwords = [{}, {}]\nvalue = "16909060"\n'
        assert problems_of(text + vector.format("0x0403", "0x0201"), tmp_path) == []
        assert problems_of(text + vector.format("0x0304", "0x0102"), tmp_path) == [
            (
                "vector[1].value",
                "status: the words are raw 33620995 (word_order little, byte_order little), "
                "which is not 16909060; "
                "it is with word_order little, byte_order big",  # 0x02010403
            )
        ]

    def test_each_way_wants_its_own_vector(self, tmp_path: Path) -> None:
        row = 'address = 0x0020\ntype = "u32"\nword_order = "little"'
        assert unproven_types(loaded(with_row(row), tmp_path)) == ["u32 with word_order little"]
        row += '\nbyte_order = "little"'
        assert unproven_types(loaded(with_row(row), tmp_path)) == [
            "u32 with word_order little and byte_order little"
        ]


class TestVectors:
    """Words worked out by hand, of what is no plain number."""

    VECTOR = '\n[[vector]]\nregister = "status"\nwords = [{}]\nvalue = "{}"\n'

    @pytest.mark.parametrize(
        ("row", "words", "value"),
        [
            ('type = "bcd16"', "0x1234", "1234"),
            ('type = "bcd16"\ndecimals = 2', "0x0990", "9.90"),
            ('type = "bcd32"', "0x0012, 0x3456", "123456"),
            ('type = "bcd32"\nword_order = "little"', "0x3456, 0x0012", "123456"),
            ('type = "bcd64"', "0x9999, 0x9999, 0x9999, 0x9999", "9999999999999999"),
            # 0xA5F0: bits 0-3 are 0, 4-7 are 0xF, 8-11 are 5, 15 is 1
            ('type = "u16"\nbits = "0-3"', "0xA5F0", "0"),
            ('type = "u16"\nbits = "4-7"', "0xA5F0", "15"),
            ('type = "u16"\nbits = "8-11"', "0xA5F0", "5"),
            ('type = "u16"\nbits = "15"', "0xA5F0", "1"),
            ('type = "u16"\nbits = "8-11"\nbyte_order = "little"', "0xF0A5", "5"),
            ('type = "u32"\nbits = "16-17"', "0x0002, 0x0001", "2"),
        ],
    )
    def test_true(self, row: str, words: str, value: str, tmp_path: Path) -> None:
        text = with_row(f"address = 0x0020\n{row}") + self.VECTOR.format(words, value)
        assert problems_of(text, tmp_path) == []

    @pytest.mark.parametrize(
        ("row", "words", "value", "key", "reason"),
        [
            ('type = "bcd16"', "0x12A4", "1234", "words",
             "are no decimal digits (word_order big, byte_order big)"),
            ('type = "bcd16"', "0x1234", "4660", "value",  # 0x1234 as a plain number
             "the words are raw 1234 (word_order big, byte_order big), which is not 4660"),
            ('type = "bcd32"', "0x1234", "1234", "words", "there are 1, but bcd32 takes 2"),
            ('type = "u16"\nbits = "0-3"', "0xA5F0", "15", "value",
             "the words are raw 0 (word_order big, byte_order big), which is not 15"),
            # 0x425D47AE prints as 55.32 in many manuals; a digit more is needed to have it again
            ('type = "f32"\npoint_decimals = 1', "0x425D, 0x47AE", "55.3", "value",
             "the words are raw 55.31999969482422 (word_order big, byte_order big), which is not "
             "55.3; if that is printed rounded, write 55.32"),
            ('type = "f32"\npoint_decimals = 1\nscale = "3600"', "0x425D, 0x47AE", "55.32", "value",
             "the words are raw 55.31999969482422 (word_order big, byte_order big, scale 3600), "
             "which is not 55.32; if that is printed before its scale, write 199152"),
            ('type = "f32"\npoint_decimals = 1', "0x425D, 0x47AE", "99", "value",
             "the words are raw 55.31999969482422 (word_order big, byte_order big), "
             "which is not 99"),
        ],
    )  # fmt: skip
    def test_untrue(
        self, *, row: str, words: str, value: str, key: str, reason: str, tmp_path: Path
    ) -> None:
        text = with_row(f"address = 0x0020\n{row}") + self.VECTOR.format(words, value)
        assert problems_of(text, tmp_path) == [(f"vector[1].{key}", f"status: {reason}")]

    def test_long_bcd_and_holders_of_bits_want_one(self, tmp_path: Path) -> None:
        row = 'address = 0x0020\ntype = "bcd32"'
        assert unproven_types(loaded(with_row(row), tmp_path)) == ["bcd32"]
        row = 'address = 0x0020\ntype = "u64"\nbits = "0"'
        assert unproven_types(loaded(with_row(row), tmp_path)) == ["u64"]
        row = 'address = 0x0020\ntype = "u32"\nbits = "0"'  # u32 is proven by voltage_l1
        assert unproven_types(loaded(with_row(row), tmp_path)) == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('type = "u16"', "holding 0x0020"),
        ('type = "u32"', "holding 0x0020"),
        ('type = "u32"\nword_order = "little"', "holding 0x0020, low word first"),
        ('type = "u16"\nbyte_order = "little"', "holding 0x0020, low byte first"),
        ('type = "f64"\nword_order = "little"\nbyte_order = "little"\npoint_decimals = 1',
         "holding 0x0020, low word first, low byte first"),
        ('type = "bcd32"', "holding 0x0020, bcd32"),
        ('type = "bcd32"\nword_order = "little"', "holding 0x0020, bcd32, low word first"),
        ('type = "u16"\nbits = "3"', "holding 0x0020, bit 3 of u16"),
        ('type = "u32"\nbits = "0-3"\nword_order = "little"',
         "holding 0x0020, bits 0-3 of u32, low word first"),
    ],
)  # fmt: skip
def test_what_is_signed_says_how_the_raw_number_was_taken(
    row: str, said: str, tmp_path: Path
) -> None:
    assert loaded(with_row(f"address = 0x0020\n{row}"), tmp_path).register("status").taken == said


def test_a_counter_of_eight_digits(tmp_path: Path) -> None:
    row = 'address = 0x0020\ntype = "u32"\nrole = "totaliser"\nrolls_at = 100000000'
    status = loaded(with_row(row), tmp_path).register("status")
    assert (status.role, status.rolls_at) == (Role.TOTALISER, 100_000_000)
