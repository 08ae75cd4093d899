"""Frames of any readings come back bit by bit; frames of spoilt bytes draw only our errors."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence import cbor, cose
from evidence.blocks import compress, decompress
from evidence.errors import EvidenceError
from evidence.frame import (
    CLOCK_SOURCES,
    Body,
    Clock,
    Gap,
    Section,
    decode_body,
    encode_body,
    header_of,
)
from evidence.groups import Group
from evidence.points import Dtype
from evidence.runs import decode_runs, encode_runs
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.plain_values import plain


def array(dtype: str, rows: int, ticks: int) -> st.SearchStrategy[np.ndarray]:
    size = rows * ticks * np.dtype(dtype).itemsize
    return st.binary(min_size=size, max_size=size).map(
        lambda data: np.frombuffer(data, dtype=dtype).reshape(rows, ticks)
    )


@st.composite
def groups(draw: st.DrawFn, index: int, ticks: int) -> Group:
    dtype = draw(st.sampled_from(list(Dtype)))
    rows = draw(st.integers(1, 4))
    return Group(
        index,
        dtype,
        draw(array(dtype.numpy_name, rows, ticks)),
        draw(array("u1", rows, ticks)),
        draw(st.one_of(st.none(), array("<i4", rows, ticks))),
    )


@st.composite
def sections(draw: st.DrawFn, schedule: int) -> Section:
    ticks = draw(st.integers(1, 5))
    count, devices = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    return Section(
        schedule,
        draw(st.integers(0, 2**62)),
        draw(st.integers(1, 10**12)),
        ticks,
        tuple(draw(groups(index, ticks)) for index in range(count)),
        draw(array("<i4", devices, ticks)),
        tuple(range(devices)),
    )


int64 = st.integers(-(2**63), 2**63 - 1)
text = st.text(st.characters(codec="utf-8"), max_size=20)
reasons = st.text(st.characters(codec="utf-8"), min_size=1, max_size=200)
events = st.fixed_dictionaries({"kind": text, "at_ns": int64}, optional={"x": st.binary()})


@st.composite
def bodies(draw: st.DrawFn) -> Body:
    parts = tuple(draw(sections(schedule)) for schedule in range(draw(st.integers(0, 3))))
    latest = min((part.first_ns for part in parts), default=2**62)
    clock = Clock(
        draw(st.sampled_from(CLOCK_SOURCES)),
        draw(st.one_of(st.none(), st.integers(0, 10**9))),
        draw(int64),
        draw(st.binary(min_size=16, max_size=16)),
    )
    t0_ns = draw(st.integers(0, latest))
    until_ns = draw(st.integers(-(2**63) + 1, latest if parts else t0_ns))
    gap = Gap(draw(st.integers(-(2**63), until_ns - 1)), until_ns, draw(reasons))
    return Body(
        t0_ns,
        clock,
        draw(st.integers(0, 15)),
        parts,
        draw(st.sampled_from([None, gap])),
        tuple(draw(st.lists(events, max_size=2))),
    )


@settings(max_examples=150, deadline=None)
@given(bodies())
def test_every_body_comes_back(body: Body) -> None:
    payload = encode_body(body)
    back = decode_body(payload)
    assert plain(back) == plain(body)
    assert encode_body(back) == payload


SIZES = [(1, 1), (1, 4096), (7, 4096), (100, 100), (5_000, 2), (16_293, 1), (20_000, 2)]


FILLINGS = ["all alike", "row by row", "to and fro", "noise"]


def filled(
    draw: st.DrawFn, dtype: str, shape: tuple[int, int], fillings: Sequence[str]
) -> np.ndarray:
    """Extremes: nothing but one byte (zeros, NaN), one row again and again, noise."""
    rows, ticks = shape
    size = np.dtype(dtype).itemsize
    noise = np.random.default_rng(draw(st.integers(0, 9)))
    parts = {
        "all alike": lambda: bytes([draw(st.sampled_from([0, 1, 255]))]) * (rows * ticks * size),
        "row by row": lambda: noise.bytes(ticks * size) * rows,
        "to and fro": lambda: (b"\x80" * size + b"\0" * size) * (rows * ticks // 2 + 1),
        "noise": lambda: noise.bytes(rows * ticks * size),
    }
    data = parts[draw(st.sampled_from(fillings))]()[: rows * ticks * size]
    return np.frombuffer(data, dtype=dtype).reshape(rows, ticks)


@st.composite
def extremes(draw: st.DrawFn) -> Body:
    """Frames as large, as alike and as bad as a writer can make them."""
    rows, ticks = draw(st.sampled_from(SIZES))
    dtype = draw(st.sampled_from(list(Dtype)))
    source = draw(st.one_of(st.none(), st.just("<i4")))
    fillings = draw(st.sampled_from([FILLINGS[:1], FILLINGS]))

    def made(kind: str, rows: int) -> np.ndarray:
        return filled(draw, kind, (rows, ticks), fillings)

    values, quality = made(dtype.numpy_name, rows), made("u1", rows)
    times = made(source, rows) if source else None
    devices = draw(st.sampled_from([0, 1, rows]))
    part = Section(
        0, 10**9, 10**9, ticks, (Group(0, dtype, values, quality, times),),
        made("<i4", devices), tuple(range(devices)),
    )  # fmt: skip
    told = tuple({"kind": "x", "at_ns": n} for n in range(draw(st.sampled_from([0, 1, 1000]))))
    return Body(0, Clock("ntp", 1, 1, bytes(16)), 0, (part,), Gap(0, 1, "x" * 200), told)


@settings(max_examples=40, deadline=None)
@given(extremes())
def test_whatever_is_written_is_read(body: Body) -> None:
    """FORMAT.md §2 bounds how far a payload may grow: the writer keeps to it."""
    payload = encode_body(body)
    back = decode_body(payload)
    assert back.readings == body.readings
    assert encode_body(back) == payload


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_runs_are_the_only_spelling_of_a_quality(data: st.DataObject) -> None:
    rows, ticks = data.draw(st.integers(0, 4)), data.draw(st.integers(1, 8))
    codes = st.sampled_from([0, 0, 0, 1, 128, 255])
    size = rows * ticks
    quality = np.array(
        data.draw(st.lists(codes, min_size=size, max_size=size)), dtype=np.uint8
    ).reshape(rows, ticks)
    assert decode_runs(encode_runs(quality), rows, ticks).tolist() == quality.tolist()


@settings(max_examples=500, deadline=None)
@given(st.lists(st.integers(-1, 6), max_size=16), st.integers(1, 4), st.integers(1, 6))
def test_runs_that_are_read_are_those_that_would_be_written(
    runs: list[int], rows: int, ticks: int
) -> None:
    try:
        quality = decode_runs(runs, rows, ticks)
    except EvidenceError:
        return
    assert encode_runs(quality) == runs


REAL = [item for item in sm.month().objects if cose.parse(item).typ.startswith("stackproof-frame")]
PLAIN = [decompress(cose.parse(item).payload) for item in REAL]

Changes = list[tuple[int, int, int]]  # (what, where, byte)
changes = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=5
)


def spoil(data: bytes, edits: Changes) -> bytes:
    spoilt = bytearray(data)
    for what, where, byte in edits:
        at = where % (len(spoilt) + 1)
        if what == 0 and at < len(spoilt):
            spoilt[at] = byte
        elif what == 1:
            spoilt.insert(at, byte)
        else:
            del spoilt[at : at + byte % 16]
    return bytes(spoilt)


@settings(max_examples=1000, deadline=None)
@given(st.sampled_from(PLAIN), changes)
def test_spoilt_bodies_draw_only_our_errors(data: bytes, edits: Changes) -> None:
    try:
        body = decode_body(compress(spoil(data, edits), 0))
    except EvidenceError:
        return
    for section in body.sections:
        assert len(section.ticks_ns()) == section.ticks
    assert decompress(encode_body(body)) is not None


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(REAL), changes)
def test_spoilt_objects_draw_only_our_errors(data: bytes, edits: Changes) -> None:
    try:
        envelope = cose.parse(spoil(data, edits))
        header_of(envelope)
        decode_body(envelope.payload)
        cose.verify(envelope, sm.keys().gateway.public_key)
    except EvidenceError:
        return
    assert spoil(data, edits) == data


values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.binary(max_size=9),
        st.text(st.characters(codec="utf-8"), max_size=9),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=7),
        st.dictionaries(st.integers(0, 8), inner, max_size=7),
        st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=3), inner, max_size=3),
    ),
    max_leaves=30,
)  # fmt: skip


def replaced(value: Any, path: list[int], new: Any) -> Any:
    """The value with one part, found by walking along `path`, replaced."""
    if not path or not isinstance(value, list | dict) or not value:
        return new
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = keys[path[0] % len(keys)]
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = replaced(value[key], path[1:], new)
    return copy


@settings(max_examples=1000, deadline=None)
@given(st.sampled_from(PLAIN), st.lists(st.integers(0, 9), max_size=6), values)
def test_any_part_of_a_body_may_be_anything(data: bytes, path: list[int], new: Any) -> None:
    spoilt = replaced(cbor.decode(data), path, new)
    try:
        body = decode_body(compress(cbor.encode(spoilt), 0))
    except (EvidenceError, ValueError):  # ValueError: it cannot even be written
        return
    for section in body.sections:
        assert len(section.ticks_ns()) == section.ticks
