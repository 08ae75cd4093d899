"""A plant's evidence in a database: what is committed is given out whole, and nothing else is."""

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, text, update

from cloud.database.engine import Database
from cloud.database.schema import checkpoint as checkpoint_table
from cloud.database.schema import entry, file_chunk, stored
from cloud.errors import (
    AlteredEvidenceError,
    DamagedLogError,
    SliceLockedError,
    SliceLostError,
    StoreError,
)
from evidence import checkpoint, merkle
from evidence.keys import FileSigner, generate
from evidence.log import Entry, Kind, decode_entry
from tests.integration.cloud.database.plants import holds_true, made
from tests.unit.cloud.evidence_examples import HOUR_NS, SECOND_NS, T0_NS
from tests.unit.cloud.whole_plant import COMMITS, PLANT, SCANS, UNIT, WholePlant


@pytest.fixture
def whole(tmp_path: Path) -> WholePlant:
    return made(tmp_path / "plant")


def test_everything_comes_back_verbatim(database: Database, whole: WholePlant) -> None:
    whole.commit(database)
    store, plant = whole.open(database)
    reader = plant.reader
    for gateway in (whole.a, whole.b):
        found = list(reader.objects(gateway.name))
        assert [one.data for one in found] == gateway.objects
        digests = [hashlib.sha256(data).digest() for data in gateway.objects]
        assert [reader.hash_at(gateway.name, seq) for seq in range(len(digests))] == digests
        entries = dict(reader.entries())
        assert all(decode_entry(entries[one.log_index]).sha256 == one.sha256 for one in found)
    document = hashlib.sha256(whole.document).digest()
    assert list(reader.records) == [document]
    assert reader.document(document) == whole.document
    for scan in SCANS:
        sha256 = hashlib.sha256(scan).digest()
        assert b"".join(reader.attached(document, sha256)) == scan
    with pytest.raises(AlteredEvidenceError):
        list(reader.attached(bytes(32), hashlib.sha256(SCANS[0]).digest()))
    fork = reader.kept(hashlib.sha256(whole.fork).digest())
    assert fork is not None
    assert fork[0].verdict == "fork"
    assert fork[1] == whole.fork
    assert reader.kept(bytes(32)) is None
    order = f"order-{hashlib.sha256(whole.order).hexdigest()}.cose"
    assert reader.key_files()[order] == whole.order
    assert len([name for name in reader.key_files() if name.endswith(".crt")]) == 6
    store.close()


def test_a_start_finds_the_state_that_was_left(database: Database, whole: WholePlant) -> None:
    store, plant = whole.open(database)
    for commit in range(COMMITS):
        whole.stage(plant, commit)
        store.commit()
        left = plant.reader.committed
        store.close()
        store, plant = whole.open(database)
        assert plant.reader.committed == left
        assert dict(plant.state.records) == dict(left.state.records)
    epochs = [decode_entry(data).epoch for _, data in plant.reader.entries()]
    assert epochs == sorted(epochs)
    assert {*epochs} == {*range(1, COMMITS + 1)}
    store.close()


def test_spans_of_time(database: Database, whole: WholePlant) -> None:
    whole.commit(database)
    store, plant = whole.open(database)
    span, end = plant.reader.span, T0_NS + 9 * HOUR_NS
    assert span("edge-a", 0, end) == (0, 7)
    assert span("edge-a", T0_NS, end) == (0, 7)  # what came before goes with the first frame
    assert span("edge-a", T0_NS + 1, T0_NS + HOUR_NS) == (2, 3)
    assert span("edge-a", T0_NS + HOUR_NS, T0_NS + HOUR_NS + 1) == (3, 5)
    assert span("edge-a", T0_NS - HOUR_NS, T0_NS) == (1, 1)
    assert span("edge-a", end, end + 1) == (7, 7)
    assert span("nobody", 0, end) == (0, 0)
    store.close()


def test_proofs_over_whole_and_newest_tiles(database: Database, whole: WholePlant) -> None:
    """700 entries are two whole tiles and a part; each proof is checked by RFC 9162's own rules."""
    store, plant = whole.open(database)
    for batch in range(7):
        for n in range(100):
            review = Entry(Kind.REVIEW, T0_NS + batch * 100 + n, 0, "", None, bytes(32), n)
            plant.stage(review)
        assert store.commit() == ([plant], {})
    reader = plant.reader
    leaves = [merkle.leaf_hash(data) for _, data in reader.entries()]
    assert len(leaves) == 700
    for size in (1, 2, 255, 256, 257, 511, 512, 513, 640, 700):
        root = merkle.root_of(leaves[:size])
        assert reader.compact_range(size).root() == root == plant.root_at(size)
        for index in {0, 1, 254, 255, 256, 511, 512, size - 1} & {*range(size)}:
            path = reader.inclusion_path(index, size)
            assert merkle.is_included(leaves[index], index, size, path, root)
        path = reader.consistency_path(size, 700)
        assert merkle.is_consistent(size, root, 700, merkle.root_of(leaves), path)
    assert plant.root_at(701) is None
    with pytest.raises(ValueError, match="no tree of 701 entries in a log of 700"):
        reader.compact_range(701)
    store.close()


def test_what_is_staged_is_not_read(database: Database, whole: WholePlant) -> None:
    whole.commit(database, 2)
    store, plant = whole.open(database)
    before = plant.reader.committed
    whole.stage(plant, 2)
    assert plant.is_dirty
    assert plant.reader.committed == before
    assert plant.hash_at("edge-a", 2) == hashlib.sha256(whole.a.objects[2]).digest()
    assert plant.reader.hash_at("edge-a", 2) is None
    reading = plant.reader.objects("edge-a")
    first = next(reading)
    store.commit()
    assert [first.data, *(one.data for one in reading)] == whole.a.objects[:2]  # as it began
    assert plant.reader.head("edge-a").next_seq == 3
    plant.stage(Entry(Kind.REVIEW, T0_NS, 0, "", None, bytes(32), 0))
    plant.drop()
    assert not plant.is_dirty
    store.close()
    store, plant = whole.open(database)
    assert plant.reader.size == len(list(plant.reader.entries()))
    holds_true(whole, plant.reader, [before.checkpoint])
    store.close()


def test_times_of_receipt_never_go_back(database: Database, whole: WholePlant) -> None:
    store, plant = whole.open(database)
    for received_ns in (T0_NS + 5, T0_NS, T0_NS + 6):
        plant.stage(Entry(Kind.REVIEW, received_ns, 0, "", None, bytes(32), 0))
    store.commit()
    times = [decode_entry(data).received_ns for _, data in plant.reader.entries()]
    assert times == [T0_NS + 5, T0_NS + 5, T0_NS + 6]
    store.close()


def test_objects_and_other_entries_are_not_mixed_up(database: Database, whole: WholePlant) -> None:
    store, plant = whole.open(database)
    with pytest.raises(ValueError, match="kind FRAME needs its object"):
        plant.stage(Entry(Kind.FRAME, 0, 0, "edge-a", 0, bytes(32), 1))
    with pytest.raises(StoreError, match="certificates are not kept yet"):
        whole.stage(plant, 1)
    whole.stage(plant, 0)
    store.commit()
    with pytest.raises(ValueError, match="edge-a seq 1 is not the next object"):
        plant.stage_object(Entry(Kind.FRAME, 0, 0, "edge-a", 1, bytes(32), 1), b"x")
    assert not plant.is_dirty
    assert store.commit() == ([], {})
    store.close()


# -- who writes -----------------------------------------------------------------------------------


def test_another_epoch_in_the_row_ends_every_commit(database: Database, whole: WholePlant) -> None:
    store, plant = whole.open(database)
    whole.stage(plant, 0)
    store.commit()
    left = plant.reader.committed
    with database.writing() as connection:
        connection.execute(
            text("UPDATE lease SET epoch = epoch + 1, holder = 'another', renewed_s = 0")
        )
    whole.stage(plant, 1)
    with pytest.raises(SliceLostError, match=r"held by another, 2 \(here .*, 1\)"):
        store.commit()
    with pytest.raises(SliceLostError):
        store.renew()
    assert plant.reader.committed == left
    store.close()
    store, plant = whole.open(database)
    assert plant.reader.committed == left
    store.close()


def test_one_process_writes_an_sqlite_file(tmp_path: Path, whole: WholePlant) -> None:
    database = Database(f"sqlite:///{tmp_path}/cloud.db")
    store, _ = whole.open(database)
    with pytest.raises(SliceLockedError, match="another collector writes this database"):
        whole.open(database)
    store.close()
    store, plant = whole.open(database)
    assert plant.lease.epoch == 2
    store.close()
    database.close()


# -- evidence that was altered --------------------------------------------------------------------


def test_an_altered_object_is_never_given_out(database: Database, whole: WholePlant) -> None:
    whole.commit(database)
    store, plant = whole.open(database)
    with database.writing() as connection:
        connection.execute(
            update(stored).where(stored.c.sha256 == hashlib.sha256(whole.a.objects[3]).digest())
            .values(data=whole.a.objects[2])
        )  # fmt: skip
    with pytest.raises(StoreError, match="edge-a/3: the object is not the one indexed"):
        list(plant.reader.objects("edge-a"))
    assert [one.seq for one in plant.reader.objects("edge-a", 4)] == [4, 5, 6]
    assert "edge-a/3" in str(store.altered[PLANT])
    with database.writing() as connection:
        connection.execute(delete(stored).where(stored.c.data == whole.b.objects[1]))
    with pytest.raises(StoreError, match="edge-b/1: its row is missing"):
        list(plant.reader.objects("edge-b"))
    store.close()


def test_an_altered_file_is_named(database: Database, whole: WholePlant) -> None:
    whole.commit(database)
    store, plant = whole.open(database)
    sha256 = hashlib.sha256(SCANS[1]).digest()
    with database.writing() as connection:
        changed = update(file_chunk).where(file_chunk.c.sha256 == sha256)
        connection.execute(changed.values(data=b"another invoice"))
    document = hashlib.sha256(whole.document).digest()
    with pytest.raises(StoreError, match=f"file/{sha256.hex()}: missing, or altered"):
        list(plant.reader.attached(document, sha256))
    store.close()


@pytest.mark.parametrize("what", ["altered", "missing"])
def test_a_damaged_log_is_not_opened(database: Database, whole: WholePlant, what: str) -> None:
    whole.commit(database)
    with database.writing() as connection:
        third = entry.c.number == 3
        if what == "altered":
            connection.execute(update(entry).where(third).values(data=b"\x00"))
        else:
            connection.execute(delete(entry).where(third))
    with pytest.raises(DamagedLogError, match=f"plant {PLANT} in .*Nothing was changed"):
        whole.open(database)


def test_what_somebody_put_behind_the_checkpoint_is_not_gone_on_from(
    database: Database, whole: WholePlant
) -> None:
    """He holds no key: the next commit would sign it, or a stream go on from an object of his."""
    store, plant = whole.open(database)
    for commit in range(5):
        whole.stage(plant, commit)
        store.commit()
    older = plant.reader.checkpoint
    whole.stage(plant, 5)
    store.commit()
    due, size = plant.stream("edge-b").next_seq, plant.reader.size
    with database.writing() as connection:
        row = connection.execute(select(stored).where(stored.c.data == whole.b.objects[-1])).one()
        forged = {**row._mapping, "id": 99_999, "seq": due, "log_number": size}
        connection.execute(insert(stored), forged)
    store.give_up(PLANT, "")
    assert whole.again_in(store).stream("edge-b").next_seq == due
    store.give_up(PLANT, "")
    with database.writing() as connection:
        connection.execute(update(checkpoint_table).values(note=older))
    with pytest.raises(DamagedLogError, match=r"no checkpoint speaks of \d+ of its log entries"):
        whole.again_in(store)
    with database.writing() as connection:
        connection.execute(delete(checkpoint_table))
    with pytest.raises(DamagedLogError, match="there is evidence, no checkpoint"):
        whole.again_in(store)
    store.close()


def test_a_log_of_other_keys_is_not_opened(database: Database, whole: WholePlant) -> None:
    whole.commit(database, 1)
    whole.keys.collector = FileSigner(generate())
    with pytest.raises(DamagedLogError, match="not signed by a collector key"):
        whole.open(database)


def test_one_plants_trouble_stays_its_own(database: Database, whole: WholePlant) -> None:
    """Somebody has written in the log of one of two: it is read again, and says so."""
    store, plant = whole.open(database)
    other = store.open_plant("other", whole.keys.collector, [whole.keys.collector.public_key], UNIT)
    for one in (plant, other):
        one.stage(Entry(Kind.REVIEW, T0_NS, 0, "", None, bytes(32), 0))
    assert store.commit() == ([plant, other], {})
    with database.writing() as connection:
        connection.execute(text("UPDATE checkpoint SET note = note || 'x' WHERE plant_id = 2"))
    for one in (plant, other):
        one.stage(Entry(Kind.REVIEW, T0_NS + SECOND_NS, 0, "", None, bytes(32), 0))
    done, failed = store.commit()
    assert done == [plant]
    assert "plant other: its log in the database" in str(failed["other"])
    assert checkpoint.verify(plant.reader.checkpoint, whole.keys.collector.public_key).size == 2
    assert other.reader.size == 1
    store.close()
