"""Arrays of readings to bytes and back: typed, filtered, compressed. FORMAT.md "Blocks".

A block holds the readings of one point group, tag-major: row p is one point, column i one tick.
Filters make slowly changing rows compressible and are exact inverses: no bit of the wire's value
is lost. Compression is over the whole payload, not here a block at a time.
"""

import sys
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from evidence import cbor
from evidence.errors import LimitError, MalformedError, UnsupportedError
from evidence.points import Dtype

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Raw = npt.NDArray[np.generic]
Words = npt.NDArray[np.unsignedinteger[Any]]
Signed = npt.NDArray[np.signedinteger[Any]]
UInt8 = npt.NDArray[np.uint8]

FILTER_NONE, FILTER_DELTA, FILTER_XOR = 0, 1, 2
COMPRESSION_NONE, COMPRESSION_ZSTD, COMPRESSION_ZLIB = 0, 1, 2

#: rows of at most so many ticks are accumulated tick by tick
SHORT_TICKS = 32

PAYLOAD_BYTES_MAX = 4 * 1024 * 1024
#: what a payload may grow to: frames of 20,000 points none of which answers grow thousandfold
FEW_BYTES, BYTES_PER_BYTE = 64 * 1024, 1024
FEW_ITEMS, ITEMS_PER_BYTE = 4096, 16
#: steps of readings are noise and zeros: higher levels take longer and save nothing
ZSTD_LEVEL = 1
#: a block at least, so that blocks have one limit; what RFC 8878 §3.1.1.1.2 asks of every decoder
ZSTD_WINDOW_MIN, ZSTD_WINDOW_MAX = 128 * 1024, 8 * 1024 * 1024
_ZSTD_MAGIC, _ZSTD_SINGLE_SEGMENT = bytes.fromhex("28b52ffd"), 1 << 5
_ZSTD_WINDOW_4_MIB = bytes([(22 - 10) << 3])
#: one for all payloads, as making one takes as long as compressing a frame with it; each payload
#: is a Zstandard frame of its own, and calls from several threads wait for one another
_COMPRESSOR = zstd.ZstdCompressor(ZSTD_LEVEL)


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
    # all rows as one, and the first number of each put right after: numpy is many times slower
    # with hundreds of rows of ten
    words = data.view(_unsigned(dtype)).reshape(-1)
    steps, starts = words.copy(), slice(None, None, max(1, data.shape[1]))
    if filter_id == FILTER_DELTA:
        np.subtract(words[1:], words[:-1], out=steps[1:])
        steps[starts] = words[starts]
        _zigzag(steps.view(f"<i{dtype.size}"))
    elif filter_id == FILTER_XOR:
        np.bitwise_xor(words[1:], words[:-1], out=steps[1:])
        steps[starts] = words[starts]
    else:
        raise ValueError(f"unknown filter {filter_id}")
    return _shuffle(steps, dtype.size)


def check_block(data: bytes, dtype: Dtype, filter_id: int, rows: int, ticks: int) -> None:
    """Hold a block's form against what is said of it; what passes can be decoded.

    Raises:
        MalformedError: the length does not fit rows × ticks, or the filter not the dtype.
        UnsupportedError: unknown filter.
    """
    if len(data) != rows * ticks * dtype.size:
        raise MalformedError(
            f"block of {len(data)} bytes does not hold {rows} × {ticks} {dtype.name.lower()}"
        )
    if filter_id == FILTER_NONE:
        return
    if filter_id not in (FILTER_DELTA, FILTER_XOR):
        raise UnsupportedError(f"block filter {filter_id} unknown to this program")
    if (filter_id == FILTER_XOR) != dtype.is_float:
        raise MalformedError(f"block filter {filter_id} does not fit {dtype.name.lower()}")


def decode_block(data: bytes, dtype: Dtype, filter_id: int, rows: int, ticks: int) -> Raw:
    """The array [rows][ticks] of a block's bytes; raises what `check_block` does."""
    check_block(data, dtype, filter_id, rows, ticks)
    return decode_blocks((data,), dtype, filter_id, rows, ticks)


def decode_blocks(
    blocks: Sequence[bytes], dtype: Dtype, filter_id: int, rows: int, ticks: int
) -> Raw:
    """One array [rows][blocks × ticks] of blocks that follow one another; each one is checked.

    A block of ten ticks is so small that numpy's calls cost more than its numbers: fifty blocks
    together take a quarter of the time they take one by one.
    """
    shape, data = (len(blocks), rows, ticks), b"".join(blocks)
    if filter_id == FILTER_NONE:
        numbers: Raw = np.frombuffer(data, dtype=dtype.numpy_name).reshape(shape)
    else:
        planes = np.frombuffer(data, dtype=np.uint8).reshape(len(blocks), dtype.size, rows, ticks)
        # computed points, in 64 bits, are mostly flags of pots of which nearly all are quiet
        undo = _undone_where_any if dtype.size == 8 else _undone
        words = undo(planes, dtype, filter_id)
        numbers = words.view(dtype.numpy_name)
    return numbers.transpose(1, 0, 2).reshape(rows, len(blocks) * ticks)


def compress(data: bytes, method: int | None = None) -> bytes:
    """One method byte, then the data under that method.

    Without a method, the first under which a reader takes it: what is nearly all alike becomes so
    small under Zstandard that it would grow beyond the limits (a zlib stream never grows so far).

    Args:
        data: a CBOR item.
        method: one of COMPRESSION_*.
    """
    if method is None:
        for likely in (COMPRESSION_ZSTD, COMPRESSION_ZLIB):
            payload = compress(data, likely)
            is_small = len(data) <= _bytes_most(len(payload))
            if is_small and not cbor.has_more_items(data, _items_most(len(payload))):
                return payload
        method = COMPRESSION_NONE
    if method == COMPRESSION_NONE:
        return bytes([method]) + data
    if method == COMPRESSION_ZSTD:
        return bytes([method]) + _COMPRESSOR.compress(data, zstd.ZstdCompressor.FLUSH_FRAME)
    if method == COMPRESSION_ZLIB:
        return bytes([method]) + zlib.compress(data, 6)
    raise ValueError(f"unknown compression {method}")


def decompress(payload: bytes) -> bytes:
    """Undo `compress`, never making more than `PAYLOAD_BYTES_MAX`, or than its length allows.

    Raises:
        MalformedError: broken or with trailing bytes.
        LimitError: would grow beyond the limit.
        UnsupportedError: unknown method byte.
    """
    if not payload:
        raise MalformedError("empty payload")
    method, data = payload[0], payload[1:]
    most = _bytes_most(len(payload))
    if method == COMPRESSION_NONE:
        result, ended, rest = data, True, b""
    elif method == COMPRESSION_ZSTD:
        try:
            stream = zstd.ZstdDecompressor()
            result = stream.decompress(_whole(data), most + 1)
        except zstd.ZstdError as error:
            raise MalformedError(f"zstd: {error}") from error
        ended, rest = stream.eof, stream.unused_data
    elif method == COMPRESSION_ZLIB:
        try:
            inflater = zlib.decompressobj()
            result = inflater.decompress(data, most + 1)
        except zlib.error as error:
            raise MalformedError(f"zlib: {error}") from error
        ended, rest = inflater.eof, inflater.unused_data
    else:
        raise UnsupportedError(f"compression {method} unknown to this program")
    if len(result) > most:
        raise LimitError(f"payload of {len(payload)} bytes grows beyond {most}")
    if not ended or rest:
        raise MalformedError("compressed payload is cut or has trailing bytes")
    return result


def _whole(frame: bytes) -> bytes:
    """A Zstandard frame that is decoded as one piece: with a window that holds all it may give.

    A match may reach further back than the frame's own window. Of such a frame a decoder that keeps
    no more gives an error or other bytes, by its version and by the size of its buffers.

    Raises:
        LimitError: its window is smaller than a block or larger than decoders are asked to keep.
    """
    if frame[:4] != _ZSTD_MAGIC or len(frame) < 6 or frame[4] & _ZSTD_SINGLE_SEGMENT:
        return frame  # of a single segment the window is the content
    window = (8 + (frame[5] & 7)) << ((frame[5] >> 3) + 7)  # RFC 8878 §3.1.1.1.2
    if not ZSTD_WINDOW_MIN <= window <= ZSTD_WINDOW_MAX:
        raise LimitError(
            f"a Zstandard window of {window} bytes; "
            f"{ZSTD_WINDOW_MIN} to {ZSTD_WINDOW_MAX} are allowed"
        )
    return frame[:5] + _ZSTD_WINDOW_4_MIB + frame[6:]


def content(payload: bytes, nested_max: int = cbor.ITEMS_MAX) -> Any:
    """The CBOR item of a payload, of so many arrays and maps at most.

    Raises:
        MalformedError, UnsupportedError: as `decompress` and `cbor.decode` do.
        LimitError: likewise; or of far more items than a payload of its length holds: the largest
            configurations have six a byte.
    """
    return cbor.decode(decompress(payload), _items_most(len(payload)), nested_max)


def _bytes_most(length: int) -> int:
    """How much may come out of a payload of so many bytes."""
    return min(PAYLOAD_BYTES_MAX, FEW_BYTES + BYTES_PER_BYTE * length)


def _items_most(length: int) -> int:
    """How many items a payload of so many bytes may hold."""
    return min(cbor.ITEMS_MAX, FEW_ITEMS + ITEMS_PER_BYTE * length)


def _unsigned(dtype: Dtype) -> str:
    return f"<u{dtype.size}"


def _zigzag(steps: Signed) -> None:
    """Fold the signs of steps into their lowest bit, in place."""
    signs = steps >> (8 * steps.itemsize - 1)
    steps <<= 1
    steps ^= signs


def _unzigzag(folded: Words) -> None:
    """Undo `_zigzag` in place, in the unsigned numbers' own arithmetic."""
    one = folded.dtype.type(1)
    signs = folded & one
    np.negative(signs, out=signs)
    folded >>= one
    folded ^= signs


def _shuffle(words: Raw, size: int) -> bytes:
    parts = words.view(np.uint8).reshape(-1, size)
    planes = np.empty((size, len(parts)), dtype=np.uint8)
    for byte in range(size):  # several times faster than copying the transpose
        planes[byte] = parts[:, byte]
    return planes.tobytes()


def _undone(planes: UInt8, dtype: Dtype, filter_id: int) -> Words:
    """The words [blocks][rows][ticks] of filtered and shuffled ones [blocks][size][rows][ticks]."""
    words = _unshuffle(planes, dtype)
    if filter_id == FILTER_DELTA:
        _unzigzag(words)
        _accumulate(np.add, words)
    else:
        _accumulate(np.bitwise_xor, words)
    return words


def _undone_where_any(planes: UInt8, dtype: Dtype, filter_id: int) -> Words:
    """As `_undone`, for blocks most of whose rows are nothing but zeros, which stay zeros."""
    blocks, size, rows, ticks = planes.shape
    every = np.bitwise_or.reduce(planes.reshape(blocks * size, rows * ticks), axis=0)
    some = every.reshape(rows, ticks).any(axis=1)
    words = np.zeros((blocks, rows, ticks), dtype=_unsigned(dtype))
    words[:, some] = _undone(planes[:, :, some], dtype, filter_id)
    return words


def _unshuffle(planes: npt.NDArray[np.uint8], dtype: Dtype) -> Words:
    """The steps [blocks][rows][ticks] whose bytes stand apart, block by block."""
    blocks, size, rows, ticks = planes.shape
    words = np.empty((blocks, rows, ticks), dtype=_unsigned(dtype))
    parts = words.view(np.uint8).reshape(blocks, rows, ticks, size)
    for byte in range(size):
        parts[..., byte] = planes[:, byte]
    return words


def _accumulate(step: np.ufunc, words: Words) -> None:
    """Undo the steps from tick to tick, in place."""
    ticks = words.shape[-1]
    if ticks > SHORT_TICKS:
        step.accumulate(words, axis=-1, out=words)
        return
    # many short rows: numpy is several times faster with one tick of all rows at a time
    for tick in range(1, ticks):
        step(words[..., tick], words[..., tick - 1], out=words[..., tick])
