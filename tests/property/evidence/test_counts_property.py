"""Counts against the definition in exact fractions, for any type, scaling and value."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.counts import GroupCounts, round_half_away, to_counts
from evidence.points import Dtype, Point, Quantity, Scaling

LIMIT = 2**62
INTEGERS = [d for d in Dtype if not d.is_float]
FLOATS = [Dtype.F32, Dtype.F64]

decimal_text = st.one_of(
    st.sampled_from(["1", "0.1", "3", "0.000000001", "1000000000", "0.3333", "12.5"]),
    st.integers(1, 10**6).map(lambda n: f"{n}e-{n % 7}"),
)
ratio_text = st.one_of(
    st.none(),
    st.sampled_from(["800/5", "10000/100", "1/3", "100/3", "999999937/7"]),
    st.tuples(st.integers(1, 10**9), st.integers(1, 10**9)).map(lambda p: f"{p[0]}/{p[1]}"),
)
scalings = st.builds(
    Scaling,
    raw_decimals=st.integers(0, 9),
    scale=decimal_text,
    offset=st.one_of(st.just("0"), decimal_text, decimal_text.map(lambda t: f"-{t}")),
    ct_ratio=ratio_text,
    vt_ratio=ratio_text,
    pulse_weight=st.one_of(st.none(), decimal_text),
)


def points(dtype: Dtype) -> st.SearchStrategy[Point]:
    return st.builds(
        Point,
        id=st.just("p"),
        quantity=st.just(Quantity("power", "kW")),
        dtype=st.just(dtype),
        decimals=st.integers(0, 9),
        scaling=st.one_of(st.just(Scaling()), scalings),
    )


def integers(dtype: Dtype) -> st.SearchStrategy[int]:
    info = np.iinfo(dtype.numpy_name)
    low, high = int(info.min), int(info.max)
    edges = [v for v in (low, high, 0, 1, -1, LIMIT, -LIMIT, LIMIT - 1) if low <= v <= high]
    return st.one_of(st.integers(low, high), st.integers(max(low, -99), 99), st.sampled_from(edges))


def exact_count(raw: int, point: Point) -> int | None:
    """FIGURES.md "Counts", in fractions."""
    step = 10**point.decimals
    value = raw * point.scaling.factor * step + point.scaling.shift * step
    count = round_half_away(value)
    return count if abs(count) < LIMIT else None


def listed(values: Any, valid: Any) -> list[int | None]:
    return [int(v) if ok else None for v, ok in zip(values.ravel(), valid.ravel(), strict=True)]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_integers_are_exact_whichever_way_they_take(data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(INTEGERS))
    point = data.draw(points(dtype))
    raw = data.draw(st.lists(integers(dtype), min_size=1, max_size=6))
    got = listed(*to_counts(np.array(raw, dtype=dtype.numpy_name), point))
    assert got == [exact_count(value, point) for value in raw]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_group_counts_as_its_rows_do(data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(list(Dtype)))
    members = data.draw(st.lists(points(dtype), min_size=1, max_size=4))
    ticks = data.draw(st.integers(0, 4))
    numbers = integers(dtype) if not dtype.is_float else floats(dtype)
    rows = [
        data.draw(st.lists(numbers, min_size=ticks, max_size=ticks)) for _ in range(len(members))
    ]
    raw = np.array(rows, dtype=dtype.numpy_name).reshape(len(members), ticks)
    values, valid = GroupCounts(members).counts(raw)
    assert values.shape == valid.shape == raw.shape
    for row, point in enumerate(members):
        assert listed(values[row], valid[row]) == listed(*to_counts(raw[row], point))


def floats(dtype: Dtype) -> st.SearchStrategy[float]:
    return st.floats(width=32 if dtype is Dtype.F32 else 64)


def float_count(raw: float, point: Point) -> int | None:
    """FIGURES.md "Counts" in Python's own binary64 arithmetic."""
    step = 10**point.decimals
    y = raw * float(point.scaling.factor * step) + float(point.scaling.shift * step)
    if not math.isfinite(y) or abs(y) >= LIMIT:
        return None
    return int(math.copysign(math.floor(abs(y) + 0.5), y))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_floats_are_as_binary64_says(data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(FLOATS))
    point = data.draw(points(dtype))
    raw = data.draw(st.lists(floats(dtype), min_size=1, max_size=6))
    got = listed(*to_counts(np.array(raw, dtype=dtype.numpy_name), point))
    assert got == [float_count(value, point) for value in raw]


@given(st.fractions())
def test_rounding_is_to_the_nearest_and_halves_go_out(value: Fraction) -> None:
    got = round_half_away(value)
    assert abs(got - value) <= Fraction(1, 2)
    if abs(got - value) == Fraction(1, 2):
        assert abs(got) > abs(value)
