"""What months read: objects, entries, ranges and proofs of committed evidence, and nothing else."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.collector.desk import PlantEvidence
from cloud.errors import StoreError
from cloud.store.plant import PlantStore
from cloud.store.reader import PlantReader
from cloud.store.slice import SliceStore
from evidence import merkle
from evidence.chain import Head
from evidence.log import Kind, decode_entry
from tests.unit.cloud.evidence_examples import HOUR_NS, SECOND_NS, T0_NS
from tests.unit.cloud.store.plant_examples import Example

EXAMPLE = Example()
A = EXAMPLE.a


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[tuple[SliceStore, PlantStore]]:
    EXAMPLE.commit(tmp_path / "s")
    store, plant = EXAMPLE.open(tmp_path / "s")
    yield store, plant
    store.close()


@pytest.fixture
def reader(opened: tuple[SliceStore, PlantStore]) -> PlantReader:
    return opened[1].reader


def test_it_is_the_evidence_that_months_ask_for(reader: PlantReader) -> None:
    evidence: PlantEvidence = reader  # mypy holds the shape
    assert evidence.plant == "mini"
    assert evidence.streams() == ["edge-a", "edge-b"]
    assert evidence.size == 14


def test_heads_and_hashes(reader: PlantReader) -> None:
    digests = [hashlib.sha256(data).digest() for data in A.objects]
    assert reader.head("edge-a") == Head(len(digests), digests[-1])
    assert reader.head("nobody") == Head()
    assert [reader.hash_at("edge-a", seq) for seq in range(len(digests))] == digests
    assert reader.hash_at("edge-a", len(digests)) is None
    assert reader.hash_at("edge-a", -1) is None
    assert reader.hash_at("nobody", 0) is None


def test_objects_come_verbatim_with_their_place(reader: PlantReader) -> None:
    found = list(reader.objects("edge-a"))
    assert [o.data for o in found] == A.objects
    assert [o.seq for o in found] == list(range(len(A.objects)))
    kinds = [o.kind for o in found]
    assert kinds == [
        Kind.CONFIG, Kind.FRAME, Kind.FRAME, Kind.FRAME, Kind.FRAME, Kind.CONFIG, Kind.FRAME,
        Kind.FRAME, Kind.PLANT_CLOSE,
    ]  # fmt: skip
    ten, hour = 10 * SECOND_NS, HOUR_NS
    at = [o.at_ns for o in found]
    assert at[0] == 0
    offsets = [0, ten, 2 * ten, hour, hour, hour + ten, 3 * hour, 3 * hour]
    assert at[1:] == [T0_NS + offset for offset in offsets]
    assert found[1].through_ns == T0_NS + 3 * SECOND_NS  # four ticks a second apart
    entries = dict(reader.entries())
    assert all(decode_entry(entries[o.log_index]).sha256 == o.sha256 for o in found)
    assert [o.data for o in reader.objects("edge-a", 3, 6)] == A.objects[3:6]
    assert [o.data for o in reader.objects("edge-a", 8, 99)] == A.objects[8:]
    assert list(reader.objects("edge-a", 6, 3)) == []
    assert list(reader.objects("nobody")) == []


def test_spans_of_time(reader: PlantReader) -> None:
    end = T0_NS + 9 * HOUR_NS
    assert reader.span("edge-a", 0, end) == (0, 9)
    assert reader.span("edge-a", T0_NS, end) == (0, 9)  # what came before goes with the first frame
    assert reader.span("edge-a", T0_NS + 1, T0_NS + HOUR_NS) == (2, 4)
    assert reader.span("edge-a", T0_NS + HOUR_NS, T0_NS + HOUR_NS + 1) == (4, 6)
    assert reader.span("edge-a", T0_NS - HOUR_NS, T0_NS) == (1, 1)
    assert reader.span("edge-a", end, end + 1) == (9, 9)
    assert reader.span("nobody", 0, end) == (0, 0)


def test_configurations_by_hash(reader: PlantReader) -> None:
    digests = {hashlib.sha256(A.objects[seq]).digest(): seq for seq in (0, 5)}
    assert dict(reader.configs("edge-a")) == digests


def test_entries_and_proofs(reader: PlantReader) -> None:
    entries = [data for _, data in reader.entries()]
    leaves = [merkle.leaf_hash(data) for data in entries]
    assert [index for index, _ in reader.entries(4, 7)] == [4, 5, 6]
    assert [data for _, data in reader.entries(4, 7)] == entries[4:7]
    assert list(reader.entries(14)) == []
    assert list(reader.entries(7, 4)) == []
    for size in range(15):
        assert reader.compact_range(size).root() == merkle.root_of(leaves[:size])
    path = reader.inclusion_path(5, 12)
    assert merkle.is_included(leaves[5], 5, 12, path, merkle.root_of(leaves[:12]))
    proof = reader.consistency_path(6, 14)
    old, new = merkle.root_of(leaves[:6]), merkle.root_of(leaves)
    assert merkle.is_consistent(6, old, 14, new, proof)
    with pytest.raises(ValueError, match="no tree of 15 entries in a log of 14"):
        reader.compact_range(15)


def test_what_is_staged_is_not_read(tmp_path: Path) -> None:
    EXAMPLE.commit(tmp_path / "s", 1)
    store, plant = EXAMPLE.open(tmp_path / "s")
    reader, before = plant.reader, plant.reader.checkpoint
    EXAMPLE.stage(plant, 1)
    assert (reader.size, reader.head("edge-a").next_seq, reader.checkpoint) == (7, 4, before)
    assert plant.hash_at("edge-a", 5) == hashlib.sha256(A.objects[5]).digest()
    assert reader.hash_at("edge-a", 5) is None
    reading = reader.objects("edge-a")
    first = next(reading)
    store.commit()
    assert [first.data, *(o.data for o in reading)] == A.objects[:4]  # as committed when it began
    assert reader.size == 10
    store.close()


@pytest.mark.parametrize("at", [0, 14, 400])
def test_a_flipped_bit_is_never_given_out(
    opened: tuple[SliceStore, PlantStore], tmp_path: Path, at: int
) -> None:
    path = tmp_path / "s/mini/frames/edge-a/2026-09-21/14.seg"
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"14\.seg"):
        list(opened[1].reader.objects("edge-a"))


def test_an_object_swapped_for_another_whole_one_is_not_given_out(
    opened: tuple[SliceStore, PlantStore], tmp_path: Path
) -> None:
    """Its record is whole, its hash is not the indexed one."""
    path = tmp_path / "s/mini/frames/edge-a/2026-09-21/14.seg"
    data = path.read_bytes()
    sizes = [12 + len(o) for o in A.objects[1:4]]
    first, second = data[: sizes[0]], data[sizes[0] : sizes[0] + sizes[1]]
    path.write_bytes(second + first + data[sizes[0] + sizes[1] :])
    with pytest.raises(StoreError, match="indexed"):
        list(opened[1].reader.objects("edge-a", 1, 4))


def test_a_damaged_log_is_named(opened: tuple[SliceStore, PlantStore], tmp_path: Path) -> None:
    path = tmp_path / "s/mini/log/entries.seg"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"entries\.seg: entry \d+ is damaged"):
        list(opened[1].reader.entries())
    (path.parent / "entries.idx").write_bytes(b"")
    with pytest.raises(StoreError, match=r"entries\.idx: cut before entry 13"):
        list(opened[1].reader.entries())
