"""Values to words, held to the profiles' hand-computed vectors and to figures worked out here."""

import struct
from dataclasses import replace
from decimal import Decimal

import pytest

from evidence.points import Dtype
from firmware_configs.model import Bits
from firmware_configs.profile import Profile, Register, Vector, list_profiles, load_profile
from simulators.encode import EncodeError, raw_number, register_words, text_words, words_of
from tests.unit.edge.drivers.specs import register

AC = load_profile("stackproof/ac-meter")
GAS = load_profile("stackproof/gas-meter")
GATEWAY = load_profile("stackproof/pot-gateway")
RATIOS = {"ct_ratio": "800/5", "vt_ratio": "10000/100"}  # × 160 and × 100


def shipped_vectors() -> list[tuple[Profile, Vector]]:
    profiles = [load_profile(name) for name in list_profiles()]
    return [(profile, v) for profile in profiles for v in profile.vectors if v.register]


@pytest.mark.parametrize(
    ("profile", "vector"),
    shipped_vectors(),
    ids=lambda item: f"{item.register}={item.value}" if isinstance(item, Vector) else item.id,
)
def test_shipped_vectors(profile: Profile, vector: Vector) -> None:
    """Without ratios a value becomes exactly the words somebody worked out by hand."""
    register = profile.register(vector.register)
    raw = raw_number(profile, register, float(vector.value), {})
    assert register_words(register, raw) == vector.words


@pytest.mark.parametrize(
    ("raw", "dtype", "orders", "words"),
    [
        (305419896, Dtype.U32, ("big", "big"), (0x1234, 0x5678)),
        (305419896, Dtype.U32, ("little", "big"), (0x5678, 0x1234)),
        (305419896, Dtype.U32, ("big", "little"), (0x3412, 0x7856)),
        (305419896, Dtype.U32, ("little", "little"), (0x7856, 0x3412)),
        (-2, Dtype.I16, ("big", "big"), (0xFFFE,)),
        (-2, Dtype.I64, ("big", "big"), (0xFFFF, 0xFFFF, 0xFFFF, 0xFFFE)),
        (65535, Dtype.U16, ("big", "big"), (0xFFFF,)),
        (-118.625, Dtype.F32, ("big", "big"), (0xC2ED, 0x4000)),
        (1.0, Dtype.F64, ("little", "big"), (0, 0, 0, 0x3FF0)),
    ],
)
def test_words(raw: float, dtype: Dtype, orders: tuple[str, str], words: tuple[int, ...]) -> None:
    assert words_of(raw, dtype, *orders) == words


@pytest.mark.parametrize(
    ("name", "value", "raw"),
    [
        # 3 600 kW primary / (160 × 100) = 0.225 kW secondary, in hundred-thousandths
        ("power", 3600.0, 22500),
        ("power", -3600.0, -22500),
        ("power", 3600.09, 22501),  # 22 500.56
        ("power", 3600.07, 22500),
        # 5 773.5 V / 100 = 57.735 V, in hundredths: 5773.5 -> half up
        ("voltage_l1", 5773.5, 5774),
        ("voltage_l1", 5773.4, 5773),
        # 226.4 A / 160 = 1.415 A, in thousandths
        ("current_l1", 226.4, 1415),
        ("frequency", 50.004, 5000),  # no transformer stands before a frequency
        ("serial", 10482201, 10482201),
        # 12 345 678.4 kWh / 16 000 = 771.6049 kWh, in hundred-thousandths
        ("energy_import", 12345678.4, 77160490),
        # a counter shows whole counts only: one count is 0.16 kWh
        ("energy_import", 12345678.5, 77160490),
        ("energy_import", 12345678.57, 77160491),
    ],
)
def test_the_meter_shows_secondary_values(name: str, value: float, raw: int) -> None:
    assert raw_number(AC, AC.register(name), value, RATIOS) == raw


def test_a_primary_meter_ignores_the_transformers() -> None:
    primary = replace(AC, reports="primary")
    assert raw_number(primary, AC.register("power"), 3.6, RATIOS) == 360_000


def test_a_pulse_is_a_pulse_whatever_the_meter_reports() -> None:
    pulses = replace(GAS.register("volume"), applies=("pulse_weight",), decimals=0)
    # ten cubic metres a pulse
    assert raw_number(GAS, pulses, 12_345.6, {"pulse_weight": "10"}) == 1234


def test_scale_and_offset_are_undone() -> None:
    # shown × 0.5 − 40 = value: 22.5 degC -> 125, one decimal
    register = replace(GAS.register("temperature"), scale="0.5", offset="-40")
    assert raw_number(GAS, register, 22.5, {}) == 1250


def test_a_counter_rolls_over_at_the_end_of_its_type() -> None:
    register = AC.register("energy_import")
    full_kwh = 2**32 / 100_000
    assert raw_number(AC, register, full_kwh + 1, {}) == 100_000


def test_a_weighed_tonne_loses_no_kilogram() -> None:
    """48 213.517 t as a float is a hair less, and cut off would show 48 213 516 kg."""
    register = GATEWAY.register("metal_tapped")
    assert raw_number(GATEWAY, register, Decimal("48213.517"), {}) == 48_213_517
    assert raw_number(GATEWAY, register, 48213.517, {}) == 48_213_516


def test_a_float_goes_through_unchanged() -> None:
    raw = raw_number(GAS, GAS.register("flow"), 812.3, {})
    assert raw == 812.3
    assert words_of(raw, Dtype.F32, "big", "big") == struct.unpack(">HH", struct.pack(">f", 812.3))


@pytest.mark.parametrize(
    ("profile", "name", "value", "sentence"),
    [
        (
            AC, "voltage_l1", 230_000.0,
            "stackproof/ac-meter voltage_l1: 230000.0 V is raw 230000, beyond u16; "
            "check the ratios of the scenario",
        ),
        (
            AC, "frequency", -1.0,
            "stackproof/ac-meter frequency: -1.0 Hz is raw -100, beyond u16; "
            "check the ratios of the scenario",
        ),
        (
            GAS, "temperature", 3276.8,
            "stackproof/gas-meter temperature: 3276.8 degC is raw 32768, beyond i16; "
            "check the ratios of the scenario",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(
    profile: Profile, name: str, value: float, sentence: str
) -> None:
    register: Register = profile.register(name)
    with pytest.raises(EncodeError) as caught:
        raw_number(profile, register, value, RATIOS if name == "voltage_l1" else {})
    assert str(caught.value) == sentence


def test_the_ends_of_a_signed_type_fit() -> None:
    register = GAS.register("temperature")
    assert raw_number(GAS, register, 3276.7, {}) == 32767
    assert raw_number(GAS, register, -3276.8, {}) == -32768


@pytest.mark.parametrize(
    ("raw", "dtype", "orders", "words"),
    [
        (9876, Dtype.U16, ("big", "big"), (0x9876,)),
        (7, Dtype.U16, ("big", "big"), (0x0007,)),
        (12345678, Dtype.U32, ("big", "big"), (0x1234, 0x5678)),
        (12345678, Dtype.U32, ("little", "big"), (0x5678, 0x1234)),
        (12345678, Dtype.U32, ("big", "little"), (0x3412, 0x7856)),
        (12345678, Dtype.U32, ("little", "little"), (0x7856, 0x3412)),
        (9999999999999999, Dtype.U64, ("big", "big"), (0x9999,) * 4),
    ],
)
def test_decimal_digits(
    raw: int, dtype: Dtype, orders: tuple[str, str], words: tuple[int, ...]
) -> None:
    row = register("r", dtype, orders=orders, is_bcd=True)
    assert register_words(row, raw) == words


@pytest.mark.parametrize(
    ("raw", "bits", "orders", "words"),
    [
        (1, Bits(Dtype.U16, 0, 0), ("big", "big"), (0x0001,)),
        (1, Bits(Dtype.U16, 15, 15), ("big", "big"), (0x8000,)),
        (1, Bits(Dtype.U16, 15, 15), ("big", "little"), (0x0080,)),
        (5, Bits(Dtype.U16, 8, 11), ("big", "big"), (0x0500,)),
        (3, Bits(Dtype.U32, 15, 16), ("big", "big"), (0x0001, 0x8000)),
        (3, Bits(Dtype.U32, 15, 16), ("little", "big"), (0x8000, 0x0001)),
    ],
)
def test_a_part_of_a_register(
    raw: int, bits: Bits, orders: tuple[str, str], words: tuple[int, ...]
) -> None:
    assert register_words(register("r", Dtype.U8, bits=bits, orders=orders), raw) == words


def test_what_a_part_or_digits_cannot_show_is_refused() -> None:
    part = replace(GAS.register("temperature"), dtype=Dtype.U8, bits=Bits(Dtype.U16, 4, 7))
    assert raw_number(GAS, part, 1.5, {}) == 15
    with pytest.raises(EncodeError, match=r"is raw 16, beyond bits 4-7 of u16"):
        raw_number(GAS, part, 1.6, {})
    digits = replace(GAS.register("temperature"), dtype=Dtype.U16, is_bcd=True)
    assert raw_number(GAS, digits, 999.9, {}) == 9999
    with pytest.raises(EncodeError, match=r"is raw 10000, beyond bcd16"):
        raw_number(GAS, digits, 1000.0, {})


def test_a_counter_rolls_over_where_its_maker_says() -> None:
    six_digits = replace(AC.register("energy_import"), rolls_at=1_000_000)
    assert raw_number(AC, six_digits, 9.99999, {}) == 999_999
    assert raw_number(AC, six_digits, 10.5, {}) == 50_000  # 1,050,000 counts
    digits = replace(AC.register("energy_import"), is_bcd=True)
    assert raw_number(AC, digits, 1000.5, {}) == 50_000  # eight digits: 100,050,000 counts


@pytest.mark.parametrize(
    ("text", "count", "byte_order", "words"),
    [
        ("SN42", 2, "big", (0x534E, 0x3432)),
        ("SN42", 2, "little", (0x4E53, 0x3234)),
        ("SN4", 3, "big", (0x534E, 0x3400, 0x0000)),
        ("", 1, "big", (0,)),
    ],
)
def test_texts(text: str, count: int, byte_order: str, words: tuple[int, ...]) -> None:
    assert text_words(text, count, byte_order) == words


@pytest.mark.parametrize("text", ["SN423", "é"])
def test_texts_that_do_not_fit(text: str) -> None:
    with pytest.raises(EncodeError, match="is not ASCII of at most 4 characters"):
        text_words(text, 2, "big")
