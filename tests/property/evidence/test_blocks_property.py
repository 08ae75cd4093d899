"""Blocks: any bits come back, by every filter and compression, and nothing else is read."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.blocks import (
    COMPRESSION_NONE,
    COMPRESSION_ZLIB,
    COMPRESSION_ZSTD,
    FILTER_DELTA,
    FILTER_NONE,
    FILTER_XOR,
    SHORT_TICKS,
    compress,
    decode_block,
    decode_blocks,
    decompress,
    encode_block,
    filter_for,
)
from evidence.errors import EvidenceError, MalformedError
from evidence.points import Dtype

#: few ticks and many are accumulated in two ways
TICKS = st.one_of(st.integers(1, 9), st.integers(SHORT_TICKS - 1, SHORT_TICKS + 2))


def bits(dtype: Dtype, rows: int, ticks: int) -> st.SearchStrategy[np.ndarray]:
    """Any bits of the type, often slowly changing, often extreme."""
    size = rows * ticks * dtype.size
    anything = st.binary(min_size=size, max_size=size)
    flat = st.sampled_from([b"\x00", b"\xff", b"\x7f", b"\x80"]).map(lambda b: b * size)
    return st.one_of(anything, flat).map(
        lambda data: np.frombuffer(data, dtype=dtype.numpy_name).reshape(rows, ticks)
    )


def by_definition(raw: np.ndarray, dtype: Dtype) -> bytes:
    """FORMAT.md "Blocks" in Python integers, one value at a time."""
    width = 8 * dtype.size
    mask = (1 << width) - 1
    steps: list[int] = []
    for row in raw.view(f"<u{dtype.size}").tolist():
        before = 0
        for word in row:
            if dtype.is_float:
                steps.append(word ^ before)
            else:
                delta = (word - before) & mask
                signed = delta - (1 << width) if delta >> (width - 1) else delta
                steps.append(((signed << 1) ^ (signed >> (width - 1))) & mask)
            before = word
    return b"".join(
        bytes((step >> (8 * plane)) & 0xFF for step in steps) for plane in range(dtype.size)
    )


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_every_bit_comes_back(data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(list(Dtype)))
    rows, ticks = data.draw(st.integers(0, 5)), data.draw(TICKS)
    raw = data.draw(bits(dtype, rows, ticks))
    filter_id = data.draw(st.sampled_from([FILTER_NONE, filter_for(dtype)]))
    encoded = encode_block(raw, dtype, filter_id)
    assert len(encoded) == raw.nbytes
    back = decode_block(encoded, dtype, filter_id, rows, ticks)
    assert back.dtype == np.dtype(dtype.numpy_name)
    assert back.shape == (rows, ticks)
    assert back.tobytes() == raw.tobytes()  # NaN payloads and signs of zero included


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_blocks_decoded_together_are_those_decoded_alone(data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(list(Dtype)))
    rows, ticks = data.draw(st.integers(0, 4)), data.draw(TICKS)
    parts = data.draw(st.lists(bits(dtype, rows, ticks), min_size=1, max_size=4))
    filter_id = data.draw(st.sampled_from([FILTER_NONE, filter_for(dtype)]))
    blocks = [encode_block(part, dtype, filter_id) for part in parts]
    together = decode_blocks(blocks, dtype, filter_id, rows, ticks)
    assert together.dtype == np.dtype(dtype.numpy_name)
    assert together.shape == (rows, len(parts) * ticks)
    assert together.tobytes() == np.concatenate(parts, axis=1).tobytes()


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_filtered_bytes_are_those_of_the_definition(data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(list(Dtype)))
    raw = data.draw(bits(dtype, data.draw(st.integers(1, 3)), data.draw(st.integers(1, 6))))
    assert encode_block(raw, dtype, filter_for(dtype)) == by_definition(raw, dtype)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([0, 1, 2]))
def test_compression_comes_back_and_no_cut_or_longer_payload_does(data: bytes, method: int) -> None:
    packed = compress(data, method)
    assert packed[0] == method
    assert decompress(packed) == data
    if method == COMPRESSION_NONE:
        return
    with pytest.raises(MalformedError):
        decompress(packed + b"\0")
    for length in range(1, len(packed)):
        with pytest.raises(MalformedError):
            decompress(packed[:length])


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([COMPRESSION_ZSTD, COMPRESSION_ZLIB]),
    st.binary(max_size=200),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_spoilt_payloads_draw_only_our_errors(
    method: int, data: bytes, changes: list[tuple[int, int]]
) -> None:
    packed = bytearray(compress(data, method))
    for at, byte in changes:
        packed[at % len(packed)] = byte
    try:
        decompress(bytes(packed))
    except EvidenceError:
        return


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80), st.sampled_from(list(Dtype)), st.integers(0, 9), st.integers(0, 9))
def test_blocks_of_any_bytes_are_read_or_refused(
    data: bytes, dtype: Dtype, rows: int, ticks: int
) -> None:
    for filter_id in (FILTER_NONE, FILTER_DELTA, FILTER_XOR):
        try:
            block = decode_block(data, dtype, filter_id, rows, ticks)
        except EvidenceError:
            continue
        assert block.shape == (rows, ticks)
        assert encode_block(block, dtype, filter_id) == data
