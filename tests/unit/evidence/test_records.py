"""Record files: the bytes by hand, and a tail torn at every byte."""

import zlib

import pytest

from evidence.errors import MalformedError
from evidence.records import (
    HEAD_BYTES,
    RECORD_BYTES_MAX,
    encode_record,
    read_records,
    whole_length,
)

ONE, TWO, THREE = encode_record(b"one"), encode_record(b"\0" * 70), encode_record(b"SPR1")
FILE = ONE + TWO + THREE


def test_a_record_by_hand() -> None:
    # CRC-32 of "123456789" is cbf43926, the check value of every CRC catalogue
    assert encode_record(b"123456789") == b"SPR1\x09\0\0\0\x26\x39\xf4\xcb123456789"
    assert HEAD_BYTES == 12


def test_records_read_back() -> None:
    assert list(read_records(FILE)) == [b"one", b"\0" * 70, b"SPR1"]
    assert list(read_records(b"")) == []
    assert whole_length(FILE) == len(FILE)
    assert whole_length(b"") == 0


def test_a_tail_torn_at_any_byte_is_cut_there() -> None:
    ends = [0, len(ONE), len(ONE + TWO), len(FILE)]
    for length in range(len(FILE) + 1):
        whole = max(end for end in ends if end <= length)
        assert whole_length(FILE[:length]) == whole
        if length == whole:
            assert len(list(read_records(FILE[:length]))) == ends.index(whole)
            continue
        reading = read_records(FILE[:length])
        for _ in range(ends.index(whole)):
            next(reading)
        with pytest.raises(MalformedError, match=f"at byte {whole}"):
            next(reading)


def test_no_bit_of_a_record_can_change() -> None:
    for at in range(len(ONE)):
        for bit in range(8):
            spoilt = bytearray(FILE)
            spoilt[at] ^= 1 << bit
            assert whole_length(bytes(spoilt)) == 0
            with pytest.raises(MalformedError):
                list(read_records(bytes(spoilt)))


@pytest.mark.parametrize("length", [0, RECORD_BYTES_MAX + 1, 2**31, 2**32 - 1])
def test_a_length_out_of_bounds_is_no_record(length: int) -> None:
    data = bytes(min(length, RECORD_BYTES_MAX + 1))
    head = b"SPR1" + length.to_bytes(4, "little") + zlib.crc32(data).to_bytes(4, "little")
    with pytest.raises(MalformedError, match="cut or too long"):
        list(read_records(head + data))


def test_only_what_fits_is_written() -> None:
    assert len(encode_record(bytes(RECORD_BYTES_MAX))) == RECORD_BYTES_MAX + HEAD_BYTES
    assert list(read_records(encode_record(bytes(RECORD_BYTES_MAX))))
    for size in (0, RECORD_BYTES_MAX + 1):
        with pytest.raises(ValueError, match="a record holds"):
            encode_record(bytes(size))
