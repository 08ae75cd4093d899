"""Counts: every expected number here was worked out by hand from FIGURES.md "Counts"."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from evidence.counts import (
    Countable,
    GroupCounts,
    count_to_text,
    round_half_away,
    to_counts,
)
from evidence.points import Dtype, Point, Quantity, Scaling


def point(dtype: Dtype, decimals: int = 0, **scaling: Any) -> Point:
    return Point("p", Quantity("power", "kW"), dtype, decimals, scaling=Scaling(**scaling))


def counts(of: Point, *raw: float) -> list[int | None]:
    """Counts of raw values, None where there is none."""
    values, valid = to_counts(np.array(raw, dtype=of.dtype.numpy_name), of)
    assert values.dtype == np.int64
    assert not values[~valid].any()
    return [int(v) if ok else None for v, ok in zip(values, valid, strict=True)]


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        ("0", 0), ("0.49", 0), ("0.5", 1), ("-0.5", -1), ("1.5", 2), ("-1.5", -2), ("2.5", 3),
        ("-2.5", -3), ("2.4999999999", 2), ("-2.4999999999", -2), ("1/3", 0), ("2/3", 1),
        ("-2/3", -1), ("7/2", 4),
    ],
)  # fmt: skip
def test_halves_go_away_from_zero(value: str, rounded: int) -> None:
    assert round_half_away(Fraction(value)) == rounded


def test_a_plain_integer_is_its_own_count() -> None:
    assert counts(point(Dtype.I16), -32768, -1, 0, 1, 32767) == [-32768, -1, 0, 1, 32767]
    assert counts(point(Dtype.U8), 0, 255) == [0, 255]
    assert counts(point(Dtype.U32), 2**32 - 1) == [2**32 - 1]


def test_decimals_of_device_and_point() -> None:
    # raw 1234 with one decimal is 123.4; in units of 0.001 that is 123400
    assert counts(point(Dtype.U16, 3, raw_decimals=1), 1234) == [123_400]
    # raw 5 with two decimals is 0.05; in units of 0.1 that is half a count: away from zero
    assert counts(point(Dtype.I16, 1, raw_decimals=2), 5, -5, 4, -4, 15, 14) == [1, -1, 0, 0, 2, 1]
    # raw 25 with three decimals is 0.025: 2.5 hundredths
    assert counts(point(Dtype.I16, 2, raw_decimals=3), 25, -25, 35) == [3, -3, 4]


def test_installation_ratios() -> None:
    # 12.5 A secondary at 800/5 is 2000.0 A
    assert counts(point(Dtype.U16, 1, raw_decimals=1, ct_ratio="800/5"), 125) == [20_000]
    # 100.0 V at 10000/100 is 10000 V; power with both: 1.0 × 160 × 100
    both = point(Dtype.U16, 1, raw_decimals=1, ct_ratio="800/5", vt_ratio="10000/100")
    assert counts(both, 10) == [160_000]
    # 100/3 is not finite: 1 × 100/3 = 33.33…, 2 × 100/3 = 66.66…
    assert counts(point(Dtype.U8, 0, ct_ratio="100/3"), 1, 2, 3) == [33, 67, 100]
    # a pulse is 0.25 Nm3; three pulses are 0.75, in tenths 7.5 → 8
    assert counts(point(Dtype.U8, 1, pulse_weight="0.25"), 1, 3) == [3, 8]


def test_offset_comes_after_scale_and_before_the_ratios() -> None:
    # (raw × 0.1 - 40) with one decimal: 4-20 mA style
    assert counts(point(Dtype.U16, 1, raw_decimals=1, offset="-40"), 0, 400, 655) == [-400, 0, 255]
    # (2 × 3 + 1) × 10 = 70
    assert counts(point(Dtype.U8, 0, scale="3", offset="1", pulse_weight="10"), 2) == [70]
    # offset 0.5 alone: 0 → 0.5 → 1, -1 → -0.5 → -1
    assert counts(point(Dtype.I8, 0, offset="0.5"), 0, -1, -2) == [1, -1, -2]


@pytest.mark.parametrize("dtype", [Dtype.U64, Dtype.I64])
def test_64_bits_keep_to_the_limit_of_counts(dtype: Dtype) -> None:
    assert counts(point(dtype), 2**62 - 1, 2**62, 7) == [2**62 - 1, None, 7]
    assert counts(point(dtype, 1), 2**62, 7) == [None, 70]
    if dtype is Dtype.I64:
        assert counts(point(dtype), -(2**62), -(2**62) + 1, -(2**63)) == [None, -(2**62) + 1, None]
    else:
        assert counts(point(dtype), 2**64 - 1, 1) == [None, 1]


def test_a_large_product_takes_the_exact_way() -> None:
    # 10^12 × 10^9 × 1/3 is beyond 64 bits on the way, not in the end
    p = point(Dtype.U64, 0, scale="0.000000001", ct_ratio="1000000000/3")
    assert counts(p, 10**12) == [333_333_333_333]
    assert counts(point(Dtype.U32, 9, scale="1000000000"), 2**32 - 1, 4) == [None, 4 * 10**18]


def test_zeros_have_counts_whatever_the_scale() -> None:
    """A factor beyond 64 bits must not meet numpy, even where every product is zero."""
    p = point(Dtype.U8, 9, scale="1000000000", ct_ratio="923/1")
    assert counts(p, 0, 0) == [0, 0]
    assert counts(p, 1) == [None]
    assert counts(p) == []


def test_a_divisor_beyond_64_bits_must_not_meet_numpy_either() -> None:
    # 25 × 10^18: half of it is the first that is nearer to one
    p = point(Dtype.U64, 0, ct_ratio="1/5000000000", vt_ratio="1/5000000000")
    assert counts(p, 1) == [0]
    assert counts(p, 12_499_999_999_999_999_999, 12_500_000_000_000_000_000) == [0, 1]


def test_floats_round_half_away_in_binary64() -> None:
    f32 = point(Dtype.F32, 1)
    # 0.25 is exact: 2.5 → 3; 0.05 as f32 is 0.0500000007…: 0.500000007… → 1
    assert counts(f32, 0.25, -0.25, 0.05, 0.0, -0.0) == [3, -3, 1, 0, 0]
    # 4.2 as f32 is 4.19999980926…; × 1000 = 4199.99980926… → 4200
    assert counts(point(Dtype.F32, 3), 4.2) == [4200]
    # 1.005 as f64 is 1.00499999999999989…; × 100 in binary64 is 100.49999999999998579 → 100
    assert counts(point(Dtype.F64, 2), 1.005) == [100]


def test_the_addition_of_a_half_is_in_binary64_too() -> None:
    """Part of the format: 0.49999999999999994 + 0.5 is 1.0 in binary64, so the count is 1."""
    assert counts(point(Dtype.F64), 0.49999999999999994, 0.4999999999999999) == [1, 0]


def test_floats_without_a_count() -> None:
    nan, inf = float("nan"), float("inf")
    assert counts(point(Dtype.F32), nan, inf, -inf, 1.0) == [None, None, None, 1]
    assert counts(point(Dtype.F64), 2.0**62, -(2.0**62), 1e308) == [None, None, None]
    assert counts(point(Dtype.F64), 2.0**61) == [2**61]
    assert counts(point(Dtype.F64, 9), 1e300, 5e9, 4e9) == [None, None, 4 * 10**18]


def test_a_float_scale_that_overflows_is_bad_and_silent() -> None:
    assert counts(point(Dtype.F64, 9, scale="1000000000"), 1e300, 0.0) == [None, 0]


def test_shapes_are_kept() -> None:
    p = point(Dtype.U8)
    for shape in ((0,), (2, 0), (2, 3), (1, 1, 1), ()):
        values, valid = to_counts(np.zeros(shape, dtype="<u1"), p)
        assert values.shape == valid.shape == shape
        assert valid.all()


@pytest.mark.parametrize(
    ("count", "decimals", "text"),
    [
        (0, 0, "0"), (0, 3, "0.000"), (5, 1, "0.5"), (-5, 1, "-0.5"), (12345, 2, "123.45"),
        (-1, 9, "-0.000000001"), (2**62 - 1, 0, "4611686018427387903"),
        (2**62 - 1, 9, "4611686018.427387903"), (100, 2, "1.00"),
    ],
)  # fmt: skip
def test_counts_as_text(count: int, decimals: int, text: str) -> None:
    assert count_to_text(count, decimals) == text


def test_a_group_is_its_rows() -> None:
    points = [
        point(Dtype.U16, 1, raw_decimals=1),
        point(Dtype.U16, 0, ct_ratio="100/3"),
        point(Dtype.U16, 2, offset="-40"),
    ]
    raw = np.array([[0, 5, 65535], [1, 2, 3], [40, 0, 65535]], dtype="<u2")
    values, valid = GroupCounts(points).counts(raw)
    assert values.tolist() == [[0, 5, 65535], [33, 67, 100], [0, -4000, 6_549_500]]
    assert valid.all()


def test_a_group_of_floats_is_its_rows() -> None:
    points = [point(Dtype.F32, 1), point(Dtype.F32, 0, scale="2")]
    raw = np.array([[0.25, np.nan], [1.25, -1.25]], dtype="<f4")
    values, valid = GroupCounts(points).counts(raw)
    assert values.tolist() == [[3, 0], [3, -3]]
    assert valid.tolist() == [[True, False], [True, True]]


@pytest.mark.parametrize("dtype", list(Dtype))
@pytest.mark.parametrize("decimals", [0, 9])
@pytest.mark.parametrize(
    "scaling",
    [
        Scaling(),
        Scaling(scale="1e9", offset="-4e9"),
        Scaling(scale="1e-9", ct_ratio="800/5"),
        Scaling(scale="3/7", pulse_weight="1e9"),
        Scaling(offset="1e9/1e-9"),
        Scaling(offset="4611686018427387904"),
    ],
)
def test_what_has_a_count_is_known_without_making_it(
    dtype: Dtype, decimals: int, scaling: Scaling
) -> None:
    """Against the counts themselves, at the edges of the type and of the limit."""
    of = Point("p", Quantity("count", "1"), dtype, decimals, scaling=scaling)
    if dtype.is_float:
        edge = float(2**62 / (scaling.factor * 10**decimals))
        odd = [np.nan, np.inf, -np.inf, np.finfo(dtype.numpy_name).max]
        with np.errstate(over="ignore"):
            raw = np.array([0, 1, -1, edge, -edge, edge * 0.999, edge * 1.001, *odd]).astype(
                dtype.numpy_name
            )
    else:
        kind = np.iinfo(dtype.numpy_name)
        room, unit = Fraction(2**62), scaling.factor * 10**decimals
        near = [round((room * sign - scaling.shift * 10**decimals) / unit) for sign in (1, -1)]
        around = [n + d for n in near for d in range(-2, 3)]
        values = [kind.min, kind.max, 0, 1, *around]
        raw = np.array([v for v in values if kind.min <= v <= kind.max], kind.dtype)
    rows = np.stack([raw, raw])
    found = Countable([of, of]).where(rows)
    _, valid = to_counts(rows, of)
    assert np.array_equal(np.ones(rows.shape, bool) if found is None else found, valid)
