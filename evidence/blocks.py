"""Arrays of readings to bytes and back: typed, filtered, compressed. FORMAT.md "Blocks".

A block holds the readings of one point group, tag-major: row p is one point, column i one tick.
Filters make slowly changing rows compressible and are exact inverses: no bit of the wire's value
is lost. Compression is over the whole payload, not here a block at a time.
"""

import sys
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from evidence.errors import LimitError, MalformedError, UnsupportedError
from evidence.points import Dtype

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Raw = npt.NDArray[np.generic]
Words = npt.NDArray[np.unsignedinteger[Any]]

FILTER_NONE, FILTER_DELTA, FILTER_XOR = 0, 1, 2
COMPRESSION_NONE, COMPRESSION_ZSTD, COMPRESSION_ZLIB = 0, 1, 2

PAYLOAD_BYTES_MAX = 4 * 1024 * 1024
ZSTD_LEVEL = 3


def filter_for(dtype: Dtype) -> int:
    """The filter this program writes for a number type."""
    return FILTER_XOR if dtype.is_float else FILTER_DELTA


def encode_block(raw: Raw, dtype: Dtype, filter_id: int) -> bytes:
    """Bytes of a block.

    Args:
        raw: [points][ticks] in the dtype's numpy type.
        dtype: number type.
        filter_id: FILTER_NONE, FILTER_DELTA (integers) or FILTER_XOR (floats).
    """
    data = np.ascontiguousarray(raw, dtype=dtype.numpy_name)
    if filter_id == FILTER_NONE:
        return data.tobytes()
    words = data.view(_unsigned(dtype))
    steps = words.copy()
    if filter_id == FILTER_DELTA:
        steps[:, 1:] -= words[:, :-1]
        steps = _zigzag(steps, dtype)
    elif filter_id == FILTER_XOR:
        steps[:, 1:] ^= words[:, :-1]
    else:
        raise ValueError(f"unknown filter {filter_id}")
    return _shuffle(steps, dtype.size)


def decode_block(data: bytes, dtype: Dtype, filter_id: int, rows: int, ticks: int) -> Raw:
    """The array [rows][ticks] of a block's bytes.

    Raises:
        MalformedError: the length does not fit rows × ticks, or the filter not the dtype.
        UnsupportedError: unknown filter.
    """
    if len(data) != rows * ticks * dtype.size:
        raise MalformedError(
            f"block of {len(data)} bytes does not hold {rows} × {ticks} {dtype.name.lower()}"
        )
    if filter_id == FILTER_NONE:
        return np.frombuffer(data, dtype=dtype.numpy_name).reshape(rows, ticks)
    if filter_id not in (FILTER_DELTA, FILTER_XOR):
        raise UnsupportedError(f"block filter {filter_id} unknown to this program")
    if (filter_id == FILTER_XOR) != dtype.is_float:
        raise MalformedError(f"block filter {filter_id} does not fit {dtype.name.lower()}")
    steps = _unshuffle(data, dtype, rows, ticks)
    if filter_id == FILTER_DELTA:
        _unzigzag(steps)
        np.add.accumulate(steps, axis=0, out=steps)
    else:
        np.bitwise_xor.accumulate(steps, axis=0, out=steps)
    return steps.view(dtype.numpy_name).T


def compress(data: bytes, method: int = COMPRESSION_ZSTD) -> bytes:
    """One method byte, then the data under that method."""
    if method == COMPRESSION_NONE:
        return bytes([method]) + data
    if method == COMPRESSION_ZSTD:
        return bytes([method]) + zstd.compress(data, ZSTD_LEVEL)
    if method == COMPRESSION_ZLIB:
        return bytes([method]) + zlib.compress(data, 6)
    raise ValueError(f"unknown compression {method}")


def decompress(payload: bytes) -> bytes:
    """Undo `compress`, never making more than `PAYLOAD_BYTES_MAX`.

    Raises:
        MalformedError: broken or with trailing bytes.
        LimitError: would grow beyond the limit.
        UnsupportedError: unknown method byte.
    """
    if not payload:
        raise MalformedError("empty payload")
    method, data = payload[0], payload[1:]
    if method == COMPRESSION_NONE:
        result, ended, rest = data, True, b""
    elif method == COMPRESSION_ZSTD:
        try:
            stream = zstd.ZstdDecompressor()
            result = stream.decompress(data, PAYLOAD_BYTES_MAX + 1)
        except zstd.ZstdError as error:
            raise MalformedError(f"zstd: {error}") from error
        ended, rest = stream.eof, stream.unused_data
    elif method == COMPRESSION_ZLIB:
        try:
            inflater = zlib.decompressobj()
            result = inflater.decompress(data, PAYLOAD_BYTES_MAX + 1)
        except zlib.error as error:
            raise MalformedError(f"zlib: {error}") from error
        ended, rest = inflater.eof, inflater.unused_data
    else:
        raise UnsupportedError(f"compression {method} unknown to this program")
    if len(result) > PAYLOAD_BYTES_MAX:
        raise LimitError(f"payload grows beyond {PAYLOAD_BYTES_MAX} bytes")
    if not ended or rest:
        raise MalformedError("compressed payload is cut or has trailing bytes")
    return result


def _unsigned(dtype: Dtype) -> str:
    return f"<u{dtype.size}"


def _zigzag(steps: Raw, dtype: Dtype) -> Raw:
    signed = steps.view(f"<i{dtype.size}")
    folded: Raw = ((signed << 1) ^ (signed >> (8 * dtype.size - 1))).view(_unsigned(dtype))
    return folded


def _unzigzag(folded: Words) -> None:
    """Undo `_zigzag` in place, in the unsigned numbers' own arithmetic."""
    one = folded.dtype.type(1)
    signs = folded & one
    np.negative(signs, out=signs)
    folded >>= one
    folded ^= signs


def _shuffle(words: Raw, size: int) -> bytes:
    return words.view(np.uint8).reshape(-1, size).T.tobytes()


def _unshuffle(data: bytes, dtype: Dtype, rows: int, ticks: int) -> Words:
    """Steps [ticks][rows]: all rows of a tick side by side.

    Accumulating then adds one whole tick to the next: few long additions, not many short ones.
    """
    planes = np.frombuffer(data, dtype=np.uint8).reshape(dtype.size, rows, ticks)
    words = np.empty((ticks, rows), dtype=_unsigned(dtype))
    parts = words.view(np.uint8).reshape(ticks, rows, dtype.size)
    for byte, plane in enumerate(planes):
        parts[:, :, byte] = plane.T
    return words
