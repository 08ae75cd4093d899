"""Thousands of objects: nothing of them stays in memory, and any part is read in bounded pieces."""

import gc
import hashlib
import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.store import reader as reader_module
from cloud.store.plant import SNAPSHOT_EVERY, PlantStore
from cloud.store.slice import SliceStore
from evidence import merkle
from evidence.keys import FileSigner, generate
from evidence.log import Entry, Kind, decode_entry
from tests.unit.cloud.evidence_examples import HOUR_NS, SECOND_NS, T0_NS
from tests.unit.cloud.store.plant_examples import enrolled

SIGNER = FileSigner(generate())
KEY = SIGNER.public_key
COUNT = 3_000
STEP_NS = 10 * SECOND_NS  # 360 an hour: nine segments


def stage(plant: PlantStore, stream: str, data: bytes, t0_ns: int) -> None:
    """Any bytes will do: the store does not look into objects."""
    seq = plant.stream(stream).next_seq
    digest = hashlib.sha256(data).digest()
    entry = Entry(Kind.FRAME, t0_ns, 0, stream, seq, digest, len(data))
    plant.stage_object(entry, data, t0_ns=t0_ns, newest_ns=t0_ns + STEP_NS - SECOND_NS)


def blob(n: int) -> bytes:
    return f"object {n} ".encode() * (n % 40 + 1)


@pytest.fixture(scope="module")
def long_slice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stream of COUNT objects, committed a hundred at a time, stopped cleanly."""
    root = tmp_path_factory.mktemp("long")
    store = SliceStore(root)
    plant = enrolled(store, "mini", SIGNER)
    for n in range(COUNT):
        stage(plant, "edge-1", blob(n), T0_NS + n * STEP_NS)
        if n % 100 == 99:
            store.commit()
    store.close()
    return root


@pytest.fixture
def plant(long_slice: Path, tmp_path: Path) -> Iterator[PlantStore]:
    shutil.copytree(long_slice, tmp_path / "s")
    store = SliceStore(tmp_path / "s")
    yield store.open_plant("mini", SIGNER, [KEY])
    store.close()


def test_a_start_reads_none_of_it_again(plant: PlantStore) -> None:
    assert plant.recovery.replayed == 0
    assert plant.reader.head("edge-1").next_seq == COUNT


def test_everything_comes_back_in_order(plant: PlantStore) -> None:
    for n, stored in enumerate(plant.reader.objects("edge-1")):
        assert (stored.seq, stored.data) == (n, blob(n))
        assert stored.at_ns == T0_NS + n * STEP_NS
        assert stored.log_index == n + 1  # after the enrolment
    assert n == COUNT - 1


@pytest.mark.parametrize(
    ("first", "stop"), [(0, 1), (1_023, 1_026), (2_047, 2_049), (2_999, 3_000)]
)
def test_parts_across_the_blocks_of_the_index(plant: PlantStore, first: int, stop: int) -> None:
    found = [stored.data for stored in plant.reader.objects("edge-1", first, stop)]
    assert found == [blob(n) for n in range(first, stop)]


def test_an_hour_is_read_in_bounded_pieces(
    plant: PlantStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    largest = 0
    real = reader_module.read_at

    def read_at(path: Path, offset: int, length: int) -> bytes:
        nonlocal largest
        if path.suffix == ".seg":
            largest = max(largest, length)
        return real(path, offset, length)

    monkeypatch.setattr(reader_module, "_SPAN_BYTES_MAX", 5_000)
    monkeypatch.setattr(reader_module, "read_at", read_at)
    found = [stored.data for stored in plant.reader.objects("edge-1", 100, 400)]
    assert found == [blob(n) for n in range(100, 400)]
    assert 0 < largest <= 5_000


def test_hours_are_found_by_time(plant: PlantStore) -> None:
    hour = T0_NS // HOUR_NS + 2
    first, stop = plant.reader.span("edge-1", hour * HOUR_NS, (hour + 1) * HOUR_NS)
    times = [stored.at_ns for stored in plant.reader.objects("edge-1", first, stop)]
    assert len(times) == 360
    assert {t // HOUR_NS for t in times} == {hour}
    assert plant.reader.hash_at("edge-1", first) == hashlib.sha256(blob(first)).digest()


def test_proofs_of_a_long_log_are_the_definitions(plant: PlantStore) -> None:
    leaves = [merkle.leaf_hash(data) for _, data in plant.reader.entries()]
    root = merkle.root_of(leaves)
    assert plant.reader.compact_range(COUNT + 1).root() == root
    for index in (0, 1, 1_499, 2_048, COUNT):
        path = plant.reader.inclusion_path(index, COUNT + 1)
        assert merkle.is_included(leaves[index], index, COUNT + 1, path, root)
    proof = plant.reader.consistency_path(1_777, COUNT + 1)
    old = merkle.root_of(leaves[:1_777])
    assert merkle.is_consistent(1_777, old, COUNT + 1, root, proof)


def test_all_that_is_derived_is_made_again_the_same(long_slice: Path, tmp_path: Path) -> None:
    names = ("index/edge-1.idx", "log/entries.idx", "log/tree.bin", "log/state")
    shutil.copytree(long_slice, tmp_path / "s")
    for name in names:
        (tmp_path / "s/mini" / name).unlink()
    store = SliceStore(tmp_path / "s")
    # the objects here are no real frames, so their times cannot be read again from their bodies
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("cloud.store.recovery.frame_times", times_of_blob)
        plant = store.open_plant("mini", SIGNER, [KEY])
    assert plant.recovery.replayed == COUNT + 1
    store.close()
    for name in names:
        assert (tmp_path / "s/mini" / name).read_bytes() == (
            long_slice / "mini" / name
        ).read_bytes()


def times_of_blob(data: bytes) -> tuple[int, int]:
    t0_ns = T0_NS + int(data.split()[1]) * STEP_NS
    return t0_ns, t0_ns + STEP_NS - SECOND_NS


def test_a_crash_costs_at_most_a_snapshot_of_reading(long_slice: Path, tmp_path: Path) -> None:
    store = SliceStore(tmp_path / "live")
    plant = enrolled(store, "mini", SIGNER)
    for n in range(SNAPSHOT_EVERY * 2 + 17):
        stage(plant, "edge-1", blob(n), T0_NS + n * STEP_NS)
        if n % 10 == 9:
            store.commit()
    store.commit()
    shutil.copytree(tmp_path / "live", tmp_path / "crashed")
    store.close()
    store = SliceStore(tmp_path / "crashed")
    plant = store.open_plant("mini", SIGNER, [KEY])
    assert 0 < plant.recovery.replayed < SNAPSHOT_EVERY
    assert plant.recovery.notes == []
    store.close()


def weight(root: object) -> int:
    """Bytes of everything reachable from an object that is a container or bytes."""
    seen: set[int] = set()
    waiting, total = [root], 0
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(item, type) or callable(item):
            continue
        seen.add(id(item))
        total += sys.getsizeof(item)
        waiting += gc.get_referents(item)
    return total


def test_memory_does_not_grow_with_the_stream(tmp_path: Path) -> None:
    store = SliceStore(tmp_path / "s")
    plant = enrolled(store, "mini", SIGNER)
    weights = []
    for n in range(1_500):
        stage(plant, "edge-1", blob(n), T0_NS + n * STEP_NS)
        if n % 50 == 49:
            store.commit()
            weights.append(weight(plant))
    store.close()
    assert max(weights[10:]) < 1.1 * min(weights[:5])


# -- against a model: any order of staging, committing, failing and restarting ---------------------

STREAMS = ("edge-a", "edge-b")


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_any_order_of_work_gives_what_a_list_would(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The model: a list of objects a stream, a list of entries, and what of both is committed."""
    dice, root = random.Random(seed), tmp_path_factory.mktemp("model")
    store = SliceStore(root)
    plant = enrolled(store, "mini", SIGNER)
    kept: dict[str, list[bytes]] = {stream: [] for stream in STREAMS}
    waiting: list[tuple[str, bytes]] = []
    hour = T0_NS // HOUR_NS
    for _ in range(60):
        act = dice.random()
        if act < 0.55:
            stream, data = dice.choice(STREAMS), dice.randbytes(dice.randrange(1, 200))
            hour += dice.random() < 0.1
            stage(plant, stream, data, hour * HOUR_NS)
            waiting.append((stream, data))
        elif act < 0.65:
            plant.stage(Entry(Kind.REJECT, 0, 0, "", None, bytes(32), 0, verdict="malformed"))
        elif act < 0.8:
            store.commit()
            for stream, data in waiting:
                kept[stream].append(data)
            waiting.clear()
        elif act < 0.9:
            plant.drop()
            waiting.clear()
        else:
            store.close()
            waiting.clear()
            store = SliceStore(root)
            plant = store.open_plant("mini", SIGNER, [KEY])
            assert plant.recovery.notes == []
        check_model(plant, kept)
    store.close()


def check_model(plant: PlantStore, kept: dict[str, list[bytes]]) -> None:
    reader = plant.reader
    for stream, objects in kept.items():
        assert reader.head(stream).next_seq == len(objects)
        if objects:
            assert next(reader.objects(stream, len(objects) - 1)).data == objects[-1]
    entries = [decode_entry(data) for _, data in reader.entries()]
    accepted = [entry for entry in entries if entry.kind is Kind.FRAME]
    assert len(accepted) == sum(map(len, kept.values()))
    leaves = [merkle.leaf_hash(data) for _, data in reader.entries()]
    assert reader.state.tree.root() == merkle.root_of(leaves)
