"""What raw bytes say by themselves. Byte patterns are written out by hand from IEEE 754."""

import pytest

from edge.drivers.raw import judge_of, pack, unpack
from evidence.points import Dtype
from evidence.quality import Quality
from tests.unit.edge.drivers.specs import register


@pytest.mark.parametrize(
    ("dtype", "number", "raw"),
    [
        (Dtype.U8, 0xA5, "a5"),
        (Dtype.U16, 0x1234, "3412"),
        (Dtype.U32, 0x12345678, "78563412"),
        (Dtype.U64, 0x0102030405060708, "0807060504030201"),
        (Dtype.I8, -2, "fe"),
        (Dtype.I16, -2, "feff"),
        (Dtype.I32, -2, "feffffff"),
        (Dtype.I64, -2, "feffffffffffffff"),
        (Dtype.F32, 123456.0, "0020f147"),  # 0x47F12000: sign 0, exponent 143, 1.88378906 × 2^16
        (Dtype.F64, -2.0, "00000000000000c0"),  # 0xC000000000000000
    ],
)
def test_raw_is_little_endian_in_every_type(dtype: Dtype, number: float, raw: str) -> None:
    assert pack(number, dtype).hex() == raw
    assert unpack(bytes.fromhex(raw), dtype) == number


@pytest.mark.parametrize(
    ("dtype", "raw", "quality"),
    [
        (Dtype.F32, "0000c07f", Quality.NOT_A_NUMBER),  # quiet NaN 0x7FC00000
        (Dtype.F32, "010080ff", Quality.NOT_A_NUMBER),  # signalling NaN 0xFF800001
        (Dtype.F32, "0000807f", Quality.NOT_A_NUMBER),  # +infinity 0x7F800000
        (Dtype.F32, "000080ff", Quality.NOT_A_NUMBER),  # -infinity
        (Dtype.F32, "ffff7f7f", Quality.GOOD),  # the largest float32, 3.4028235e38
        (Dtype.F32, "00000080", Quality.GOOD),  # -0.0
        (Dtype.F64, "000000000000f87f", Quality.NOT_A_NUMBER),
        (Dtype.F64, "000000000000f0ff", Quality.NOT_A_NUMBER),
        (Dtype.F64, "ffffffffffffef7f", Quality.GOOD),
        (Dtype.U32, "0000c07f", Quality.GOOD),  # the same bits are a number in an integer
    ],
)
def test_nan_and_infinity_are_no_numbers(dtype: Dtype, raw: str, quality: Quality) -> None:
    assert judge_of(register("r", dtype))(bytes.fromhex(raw)) is quality


@pytest.mark.parametrize(
    ("dtype", "invalid", "raw", "quality"),
    [
        (Dtype.U32, (0xFFFFFFFF,), "ffffffff", Quality.SENTINEL),
        (Dtype.U32, (0xFFFFFFFF,), "feffffff", Quality.GOOD),
        (Dtype.I16, (-32768,), "0080", Quality.SENTINEL),  # 0x8000, the usual "no value" of i16
        (Dtype.I16, (-32768,), "ff7f", Quality.GOOD),
        (Dtype.U64, (2**63 - 1, 2**64 - 1), "ffffffffffffffff", Quality.SENTINEL),
        (Dtype.F32, (-9999,), "003c1cc6", Quality.SENTINEL),  # -9999 = -1.220581 × 2^13: C61C3C00
        (Dtype.F32, (-9999,), "003c1c46", Quality.GOOD),  # +9999
        (Dtype.U8, (255,), "ff", Quality.SENTINEL),
    ],
)
def test_the_devices_own_no_value_patterns(
    dtype: Dtype, invalid: tuple[int, ...], raw: str, quality: Quality
) -> None:
    assert judge_of(register("r", dtype, invalid=invalid))(bytes.fromhex(raw)) is quality
