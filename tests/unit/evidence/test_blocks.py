"""Blocks and payloads: bytes worked out by hand, bombs, and what is refused."""

import sys
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from evidence import cbor
from evidence.blocks import (
    COMPRESSION_NONE,
    COMPRESSION_ZLIB,
    COMPRESSION_ZSTD,
    FILTER_DELTA,
    FILTER_NONE,
    FILTER_XOR,
    PAYLOAD_BYTES_MAX,
    compress,
    content,
    decode_block,
    decode_blocks,
    decompress,
    encode_block,
    filter_for,
)
from evidence.errors import LimitError, MalformedError, UnsupportedError
from evidence.points import Dtype

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def test_a_delta_block_by_hand() -> None:
    # row 1: 10, 12, 11: steps 10, +2, -1; zigzag 20, 4, 1. Row 2: 65535, 0, 0: 65535 is -1 in 16
    # bits: zigzag 1; then +1: 2; then 0. Low bytes of all steps first, then the high ones.
    raw = np.array([[10, 12, 11], [65535, 0, 0]], dtype="<u2")
    assert encode_block(raw, Dtype.U16, FILTER_DELTA) == bytes(
        [20, 4, 1, 1, 2, 0, 0, 0, 0, 0, 0, 0]
    )


def test_an_xor_block_by_hand() -> None:
    # 1.0 is 3f800000, 1.5 is 3fc00000: their xor is 00400000
    raw = np.array([[1.0, 1.5]], dtype="<f4")
    data = encode_block(raw, Dtype.F32, FILTER_XOR)
    assert data == bytes([0x00, 0x00, 0x00, 0x00, 0x80, 0x40, 0x3F, 0x00])


def test_blocks_of_64_bits_in_which_most_rows_are_zeros_by_hand() -> None:
    # i64, row 2: 1, 0: steps 1, -1, zigzag 2, 1; f64, row 2: 1.0 (3ff0 0000 0000 0000) twice: its
    # xor with itself is 0
    counts = bytes([0, 0, 2, 1]) + bytes(7 * 4)
    floats = bytes(6 * 4) + bytes([0, 0, 0xF0, 0]) + bytes([0, 0, 0x3F, 0])
    two = decode_blocks([counts, bytes(32), counts], Dtype.I64, FILTER_DELTA, 2, 2)
    assert two.tolist() == [[0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 1, 0]]
    assert decode_blocks([floats], Dtype.F64, FILTER_XOR, 2, 2).tolist() == [[0, 0], [1, 1]]
    assert decode_blocks([bytes(32)] * 2, Dtype.I64, FILTER_DELTA, 2, 2).tolist() == [[0] * 4] * 2


def test_a_plain_block_is_its_numbers() -> None:
    raw = np.array([[1, 2], [3, 4]], dtype="<i4")
    data = encode_block(raw, Dtype.I32, FILTER_NONE)
    assert data == bytes.fromhex("01000000020000000300000004000000")


def test_floats_are_xored_and_integers_stepped() -> None:
    assert {filter_for(d) for d in Dtype if d.is_float} == {FILTER_XOR}
    assert {filter_for(d) for d in Dtype if not d.is_float} == {FILTER_DELTA}
    with pytest.raises(ValueError, match="filter 3"):
        encode_block(np.zeros((1, 1), dtype="<u1"), Dtype.U8, 3)


@pytest.mark.parametrize("dtype", [Dtype.F32, Dtype.F64])
def test_the_bits_of_every_kind_of_nan_are_kept(dtype: Dtype) -> None:
    words = {
        Dtype.F32: [0x7FC00000, 0xFFC00000, 0x7F800001, 0x7FABCDEF, 0x7F800000, 0x80000000],
        Dtype.F64: [0x7FF8000000000000, 0xFFF8000000000000, 0x7FF0000000000001, 0x8000000000000000],
    }[dtype]
    raw = np.array([words], dtype=f"<u{dtype.size}").view(dtype.numpy_name)
    data = encode_block(raw, dtype, FILTER_XOR)
    back = decode_block(data, dtype, FILTER_XOR, 1, len(words))
    assert back.view(f"<u{dtype.size}").tolist() == [words]


@pytest.mark.parametrize("dtype", list(Dtype))
def test_a_block_of_another_length_is_refused(dtype: Dtype) -> None:
    for filter_id in (FILTER_NONE, filter_for(dtype)):
        for extra in (-1, 1, dtype.size):
            with pytest.raises(MalformedError, match="does not hold"):
                decode_block(bytes(2 * 3 * dtype.size + extra), dtype, filter_id, 2, 3)


@pytest.mark.parametrize("dtype", list(Dtype))
def test_a_filter_must_fit_its_type(dtype: Dtype) -> None:
    wrong = FILTER_DELTA if dtype.is_float else FILTER_XOR
    with pytest.raises(MalformedError, match="does not fit"):
        decode_block(bytes(dtype.size), dtype, wrong, 1, 1)
    for newer in (3, 255, 2**60):
        with pytest.raises(UnsupportedError, match="unknown"):
            decode_block(bytes(dtype.size), dtype, newer, 1, 1)


def test_a_block_of_no_rows_is_empty() -> None:
    assert decode_block(b"", Dtype.I32, FILTER_DELTA, 0, 5).shape == (0, 5)


def test_a_payload_by_hand() -> None:
    assert compress(b"hello", COMPRESSION_NONE) == b"\x00hello"
    assert compress(b"hello", COMPRESSION_ZLIB) == b"\x02" + zlib.compress(b"hello", 6)
    # a Zstandard frame begins with its magic number, RFC 8878 §3.1.1
    zstandard = compress(b"hello", COMPRESSION_ZSTD)
    assert zstandard[:5] == b"\x01" + bytes.fromhex("28b52ffd")
    assert compress(b"hello") == zstandard
    with pytest.raises(ValueError, match="compression 3"):
        compress(b"hello", 3)


def test_unknown_methods_are_newer_and_nothing_is_malformed() -> None:
    for method in (3, 4, 255):
        with pytest.raises(UnsupportedError, match=str(method)):
            decompress(bytes([method]) + b"x")
    with pytest.raises(MalformedError):
        decompress(b"")


@pytest.mark.parametrize("method", [COMPRESSION_ZSTD, COMPRESSION_ZLIB])
def test_a_bomb_is_defused_before_it_grows(method: int) -> None:
    """A few kilobytes that would be a quarter of a gigabyte."""
    piece = bytes(64 * 1024 * 1024)
    if method == COMPRESSION_ZLIB:
        bomb = b"\x02" + zlib.compress(piece * 4, 9)
    else:
        bomb = b"\x01" + zstd.compress(piece * 4, 19)
    assert len(bomb) < 300_000
    tracemalloc.start()
    try:
        with pytest.raises(LimitError, match="grows beyond"):
            decompress(bomb)
        assert tracemalloc.get_traced_memory()[1] < 3 * PAYLOAD_BYTES_MAX
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", [COMPRESSION_NONE, COMPRESSION_ZSTD, COMPRESSION_ZLIB])
def test_the_limit_itself_is_allowed(method: int) -> None:
    """4 MiB, from so many bytes that it is the lower limit."""
    some = np.random.default_rng(1).bytes(8192)
    data = some + bytes(PAYLOAD_BYTES_MAX - len(some))
    assert decompress(compress(data, method)) == data
    with pytest.raises(LimitError, match="beyond 4194304"):
        decompress(compress(data + b"\0", method))


@pytest.mark.parametrize("length", [1_000, 80_000, 200_000, PAYLOAD_BYTES_MAX])
def test_a_payload_grows_a_thousandfold_at_most(length: int) -> None:
    """FORMAT.md §2: 65,536 + 1,024 × its bytes."""
    payload = compress(bytes(length), COMPRESSION_ZSTD)
    most = 65_536 + 1_024 * len(payload)
    assert (length <= most) == (length <= 80_000)
    if length <= most:
        assert decompress(payload) == bytes(length)
    else:
        with pytest.raises(LimitError, match=f"beyond {most}"):
            decompress(payload)


@pytest.mark.parametrize("method", [COMPRESSION_NONE, COMPRESSION_ZSTD, COMPRESSION_ZLIB])
def test_a_payload_has_few_items_for_its_length(method: int) -> None:
    """FORMAT.md §2: 4,096 + 16 × its bytes."""
    items = 60_000
    payload = compress(cbor.encode([[]] * (items - 1)), method)
    assert (len(payload) >= (items - 4096) / 16) == (method == COMPRESSION_NONE)
    if method == COMPRESSION_NONE:
        assert len(content(payload)) == items - 1
    else:
        with pytest.raises(LimitError, match="items"):
            content(payload)
    assert content(compress(cbor.encode([0] * 4095), method)) == [0] * 4095


@pytest.mark.parametrize("length", [80_000, 200_000, PAYLOAD_BYTES_MAX - 5])
def test_what_shrinks_too_much_is_written_so_that_readers_take_it(length: int) -> None:
    """Nothing but zeros: a Zstandard frame of them is smaller than a reader lets grow so far."""
    data = cbor.encode(bytes(length))
    payload = compress(data)
    assert decompress(payload) == data
    assert payload[0] == (COMPRESSION_ZSTD if length == 80_000 else COMPRESSION_ZLIB)
    assert len(payload) < 5_000, "compressed all the same"


def test_many_like_items_are_written_so_that_readers_take_them() -> None:
    items = [[]] * 60_000
    payload = compress(cbor.encode(items))
    assert content(payload) == items
    assert payload[0] == COMPRESSION_NONE


def test_two_zstandard_frames_are_not_one_payload() -> None:
    one = zstd.compress(b"a", 3)
    with pytest.raises(MalformedError, match="trailing"):
        decompress(b"\x01" + one + one)
    skippable = bytes.fromhex("502a4d18") + (0).to_bytes(4, "little")
    with pytest.raises(MalformedError):
        decompress(b"\x01" + one + skippable)


@pytest.mark.parametrize("method", [COMPRESSION_ZSTD, COMPRESSION_ZLIB])
def test_an_empty_stream_is_cut(method: int) -> None:
    with pytest.raises(MalformedError):
        decompress(bytes([method]))
    assert decompress(compress(b"", method)) == b""


def test_a_zlib_dictionary_is_not_ours() -> None:
    packer = zlib.compressobj(zdict=b"hello hello hello")
    data = packer.compress(b"hello hello") + packer.flush()
    with pytest.raises(MalformedError):
        decompress(b"\x02" + data)


def test_a_frame_of_a_huge_window_is_refused() -> None:
    """A window of 2 GiB is asked for in the frame's head: it must not be set aside."""
    head = bytes.fromhex("28b52ffd") + b"\x00" + bytes([(31 - 10) << 3]) + b"\x01\x00\x00"
    with pytest.raises((MalformedError, LimitError)):
        decompress(b"\x01" + head)


def test_payloads_compressed_by_several_threads_do_not_mix() -> None:
    texts = [bytes([n]) * 50_000 + bytes(range(256)) * n for n in range(64)]
    with ThreadPoolExecutor(8) as pool:
        payloads = list(pool.map(compress, texts))
    assert [decompress(payload) for payload in payloads] == texts
