"""Index records, record files, snapshots: exact bytes, and what is torn is never believed."""

import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.errors import StoreError
from cloud.store.index import PLACE_BYTES, IndexFile, Place, decode_place, encode_place
from cloud.store.record_file import CHUNK_BYTES, read_at, record_at, whole_records
from cloud.store.state import LogState, StreamState, decode_snapshot, encode_snapshot
from evidence import cbor
from evidence.errors import EvidenceError, MalformedError, UnsupportedError
from evidence.log import Entry, Kind, encode_entry
from evidence.records import encode_record

HOUR_NS = 3_600_000_000_000
PLACE = Place(497_222, 6, 5_000, Kind.FRAME, bytes(range(32)), 9, 77, HOUR_NS, HOUR_NS + 5)


def test_an_index_record_is_what_its_format_says() -> None:
    """Built here field by field with struct, from the module's docstring."""
    fields = struct.pack("<I", 497_222) + struct.pack("<Q", 6) + struct.pack("<I", 5_000)
    fields += bytes([1, 0, 0, 0]) + bytes(range(32)) + struct.pack("<Q", 9)
    fields += struct.pack("<q", 77) + struct.pack("<q", HOUR_NS) + struct.pack("<q", HOUR_NS + 5)
    assert encode_place(PLACE) == fields + struct.pack("<I", zlib.crc32(fields))
    assert len(encode_place(PLACE)) == PLACE_BYTES == 88
    assert decode_place(encode_place(PLACE)) == PLACE
    assert PLACE.end == 6 + 12 + 5_000


@given(at=st.integers(0, PLACE_BYTES - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_of_an_index_record_is_seen(at: int, bit: int) -> None:
    data = bytearray(encode_place(PLACE))
    data[at] ^= 1 << bit
    with pytest.raises(MalformedError):
        decode_place(bytes(data))


def test_places_are_read_in_order_and_a_torn_one_is_named(tmp_path: Path) -> None:
    index = IndexFile(tmp_path / "edge.idx")
    places = [replace(PLACE, log_index=n, at_ns=n // 3 * HOUR_NS) for n in range(2_500)]
    index.path.write_bytes(b"".join(map(encode_place, places)))
    assert list(index.places(1_000, 2_400)) == places[1_000:2_400]
    assert list(index.places(5, 5)) == []
    assert index.place(2_499) == places[-1]
    index.path.write_bytes(index.path.read_bytes()[:-1])
    with pytest.raises(StoreError, match=r"edge\.idx: seq 2499"):
        list(index.places(2_490, 2_500))
    with pytest.raises(StoreError, match="absent: seq 0"):
        IndexFile(tmp_path / "absent").place(0)


def test_a_record_of_a_kind_nobody_knows_is_damage(tmp_path: Path) -> None:
    """Its checksum is right, as in the index of a newer version."""
    fields = bytearray(encode_place(PLACE)[:-4])
    fields[16] = 99  # behind hour, offset and length
    data = bytes(fields) + struct.pack("<I", zlib.crc32(fields))
    with pytest.raises(MalformedError, match="kind 99"):
        decode_place(data)
    index = IndexFile(tmp_path / "edge.idx")
    index.path.write_bytes(encode_place(PLACE) + data)
    with pytest.raises(
        StoreError, match=r"edge\.idx: seq 1: .* kind 99.*: stackproof cloud rebuild"
    ):
        list(index.places(0, 2))


def test_the_first_place_at_a_time_is_found(tmp_path: Path) -> None:
    index = IndexFile(tmp_path / "edge.idx")
    times = [0, 10, 10, 10, 20, 30]
    index.path.write_bytes(b"".join(encode_place(replace(PLACE, at_ns=t)) for t in times))
    assert [index.first_at(t, len(times)) for t in (0, 1, 10, 11, 30, 31)] == [0, 1, 1, 4, 5, 6]
    assert index.first_at(10, 0) == 0


def test_records_are_read_across_chunks_and_up_to_the_tear(tmp_path: Path) -> None:
    path = tmp_path / "f.seg"
    data = [bytes([n]) * 700_000 for n in range(20)]  # 14 MB: several chunks
    records = [encode_record(d) for d in data]
    path.write_bytes(b"".join(records) + b"SPR1torn")
    found = list(whole_records(path))
    assert [r.data for r in found] == data
    assert found[3].offset == 3 * len(records[0])
    assert found[3].end == found[4].offset
    assert len(records) * len(records[0]) > 3 * CHUNK_BYTES
    stop = 5 * len(records[0])
    assert [r.data for r in whole_records(path, found[3].offset, stop)] == data[3:5]
    assert list(whole_records(path, 1)) == []
    assert list(whole_records(tmp_path / "absent")) == []


def test_one_record_is_read_only_if_it_is_whole_and_of_that_length(tmp_path: Path) -> None:
    path = tmp_path / "f.seg"
    path.write_bytes(encode_record(b"first") + encode_record(b"second") + encode_record(b"x")[:-1])
    assert record_at(path, 0, 5) == b"first"
    assert record_at(path, 17, 6) == b"second"
    for offset, length in ((0, 4), (0, 6), (0, 23), (1, 5), (35, 1), (99, 1)):
        assert record_at(path, offset, length) is None
    assert read_at(path, 2, 3) == b"R1\x05"
    assert read_at(tmp_path / "absent", 0, 3) == b""


def entry(kind: Kind, stream: str = "", seq: int | None = None) -> Entry:
    return Entry(kind, 5, 1, stream, seq, bytes([kind]) * 32, 10)


def grown() -> LogState:
    """A config, a frame, a close of one stream, and an enrolment."""
    state = LogState()
    rows = [
        (entry(Kind.ENROL), 0),
        (entry(Kind.CONFIG, "edge", 0), 0),
        (entry(Kind.FRAME, "edge", 1), 3 * HOUR_NS + 1),
        (entry(Kind.PLANT_CLOSE, "edge", 2), 0),
    ]
    for row, t0_ns in rows:
        place = None
        if row.kind is not Kind.ENROL:
            stream = state.stream("edge")
            place = stream.next_place(row, state.size, t0_ns=t0_ns, newest_ns=t0_ns + 9)
        state, _ = state.with_entry(row, encode_entry(row), place)
    return state


def test_a_state_follows_from_its_entries() -> None:
    state = grown()
    stream = state.stream("edge")
    assert state.size == 4
    assert state.enrolled == {bytes([Kind.ENROL]) * 32}
    assert (stream.next_seq, stream.close_seq) == (3, 2)
    assert dict(stream.configs) == {bytes([Kind.CONFIG]) * 32: 0}
    assert (stream.at_ns, stream.through_ns) == (3 * HOUR_NS + 1, 3 * HOUR_NS + 10)
    assert state.stream("other") == StreamState()


def test_places_go_by_the_frames_hour_and_never_back() -> None:
    stream = StreamState()
    config = stream.next_place(entry(Kind.CONFIG, "e", 0), 0, t0_ns=7 * HOUR_NS, newest_ns=0)
    assert (config.hour, config.offset, config.at_ns) == (0, 0, 0)
    stream = stream.with_object(config)
    frame = stream.next_place(entry(Kind.FRAME, "e", 1), 1, t0_ns=5 * HOUR_NS, newest_ns=0)
    assert (frame.hour, frame.offset) == (5, 0)
    stream = stream.with_object(frame)
    same = stream.next_place(entry(Kind.CONFIG, "e", 2), 2, t0_ns=9 * HOUR_NS, newest_ns=0)
    assert (same.hour, same.offset, same.at_ns) == (5, frame.end, 5 * HOUR_NS)
    stream = stream.with_object(same)
    back = stream.next_place(entry(Kind.FRAME, "e", 3), 3, t0_ns=4 * HOUR_NS, newest_ns=0)
    assert (back.hour, back.offset, back.at_ns) == (5, same.end, 5 * HOUR_NS)


def test_a_snapshot_gives_the_state_back() -> None:
    assert decode_snapshot(encode_snapshot(grown())) == grown()
    assert decode_snapshot(encode_snapshot(LogState())) == LogState()


@pytest.mark.parametrize(
    "value",
    [[], {}, 5, [2, 0, [], 0, 0, [], {}], [1, 3, [], 0, 0, [], {}], [1, 0, [], 0, 0, 1, {}]],
)
def test_what_is_no_snapshot_is_refused(value: object) -> None:
    is_another = isinstance(value, list) and value and value[0] != 4
    with pytest.raises(UnsupportedError if is_another else MalformedError):
        decode_snapshot(cbor.encode(value))


@given(data=st.binary(max_size=200))
def test_any_bytes_are_refused_as_a_snapshot_by_a_typed_error(data: bytes) -> None:
    with pytest.raises(EvidenceError):
        decode_snapshot(data)
