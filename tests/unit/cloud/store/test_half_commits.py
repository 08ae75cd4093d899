"""A commit that ended in the middle: what the log speaks of is there, what it does not is cleared.

A frame that tells of a gap and the log's gap entry are one: a start never keeps the first alone.
"""

import errno
import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from cloud.store import recovery
from cloud.store.disk import Disk
from cloud.store.plant import PlantStore
from cloud.store.record_file import Record
from evidence import checkpoint
from evidence.frame import TYP_FRAME, Gap, encode_body
from evidence.keys import FileSigner, generate
from evidence.log import Entry, Kind, decode_entry
from evidence.records import HEAD_BYTES, encode_record, read_records
from tests.unit.cloud.evidence_examples import SECOND_NS, T0_NS, Gateway, body, object_entry
from tests.unit.cloud.store.plant_examples import Example
from tests.unit.cloud.store.whole_plant import WholePlant

EXAMPLE = Example()
GAP = Gap(T0_NS - 5 * SECOND_NS, T0_NS, "power cut")


def gateway_with_gap() -> Gateway:
    """A stream of a configuration and one frame that begins with a gap."""
    gateway = Gateway("mini", "edge-c", FileSigner(generate()))
    gateway.config()
    payload = encode_body(replace(body(T0_NS, ticks=4), gap=GAP))
    gateway.append(gateway.sign(TYP_FRAME, payload))
    return gateway


def gap_entry(gateway: Gateway) -> Entry:
    detail = {"from_ns": GAP.from_ns, "to_ns": GAP.to_ns, "reason": GAP.reason}
    return replace(object_entry(gateway, 1, Kind.FRAME), kind=Kind.GAP, detail=detail)


def stage_gap(plant: PlantStore, gateway: Gateway) -> None:
    plant.stage_object(
        object_entry(gateway, 1, Kind.FRAME), gateway.objects[1],
        t0_ns=T0_NS, newest_ns=T0_NS + 3 * SECOND_NS,
    )  # fmt: skip
    plant.stage(gap_entry(gateway))


@pytest.fixture
def evidence(tmp_path: Path) -> tuple[Path, Gateway, bytes]:
    """Evidence with a gap in its newest commit, and the checkpoint of the commit before."""
    root, gateway = tmp_path / "s", gateway_with_gap()
    store, plant = EXAMPLE.open(root)
    plant.stage_object(object_entry(gateway, 0, Kind.CONFIG), gateway.objects[0])
    store.commit()
    before = (root / "mini/log/checkpoint").read_bytes()
    stage_gap(plant, gateway)
    store.commit()
    store.close()
    return root, gateway, before


def test_a_frame_without_its_gap_entry_is_not_kept(
    evidence: tuple[Path, Gateway, bytes], tmp_path: Path
) -> None:
    """Nor with it: no checkpoint speaks of either."""
    root, gateway, before = evidence
    entries = (root / "mini/log/entries.seg").read_bytes()
    last = HEAD_BYTES + len(list(read_records(entries))[-1])
    frame_end = len(entries) - last
    for length in (frame_end, frame_end + 1, len(entries) - 1, len(entries)):
        cut = tmp_path / str(length)
        shutil.copytree(root, cut)
        (cut / "mini/log/entries.seg").write_bytes(entries[:length])
        (cut / "mini/log/checkpoint").write_bytes(before)
        (cut / "mini/log/state").unlink()
        store, plant = EXAMPLE.open(cut)
        assert (plant.state.size, plant.stream("edge-c").next_seq) == (2, 1)
        stage_gap(plant, gateway)
        store.commit()
        kinds = [decode_entry(data).kind for _, data in plant.reader.entries()]
        assert kinds == [Kind.ENROL, Kind.CONFIG, Kind.FRAME, Kind.GAP]
        store.close()


def test_what_is_signed_is_never_stepped_back_from(tmp_path: Path) -> None:
    """A log of an earlier version may have such a frame last; it is under a checkpoint."""
    root, gateway = tmp_path / "s", gateway_with_gap()
    store, plant = EXAMPLE.open(root)
    plant.stage_object(object_entry(gateway, 0, Kind.CONFIG), gateway.objects[0])
    plant.stage_object(
        object_entry(gateway, 1, Kind.FRAME), gateway.objects[1],
        t0_ns=T0_NS, newest_ns=T0_NS + 3 * SECOND_NS,
    )  # fmt: skip
    store.commit()
    shutil.copytree(root, tmp_path / "killed")
    store.close()
    store, plant = EXAMPLE.open(tmp_path / "killed")
    assert plant.reader.size == 3
    store.close()


def reject(data: bytes) -> Entry:
    sha256 = hashlib.sha256(data).digest()
    return Entry(Kind.REJECT, T0_NS, 0, "edge-a", 3, sha256, len(data), verdict="fork")


def test_what_the_log_does_not_speak_of_is_cleared_and_comes_again(tmp_path: Path) -> None:
    """Killed between the names in keys/ and quarantine/ and the log: the fork is logged later."""
    root, data = tmp_path / "s", b"forked"
    store, plant = EXAMPLE.open(root)
    plant.stage_kept(reject(data), data)
    store.commit()
    store.close()
    (kept,) = (root / "mini/quarantine").iterdir()
    orphan = kept.with_name("edge-a-3-00112233445566ff.cose")
    orphan.write_bytes(b"other")
    half = root / "mini/keys/collector-x-0000000000000000.crt.new"
    half.parent.mkdir()
    half.write_bytes(b"half a certi")
    store, plant = EXAMPLE.open(root)
    assert plant.recovery.notes == [f"quarantine/{orphan.name}: was never logged, set aside"]
    assert list((root / "mini/quarantine").iterdir()) == [kept]
    assert not half.exists()
    assert not plant.stage_kept(reject(data), data)
    assert plant.stage_kept(reject(b"other"), b"other")
    store.close()


def test_an_order_that_was_never_logged_is_cleared_and_a_rotate_object_is_not(
    tmp_path: Path,
) -> None:
    """Both stand in keys/ under their hash; only the log, or the stream, says which counts."""
    whole = WholePlant(tmp_path)
    whole.commit(tmp_path / "s")
    keys = tmp_path / "s/mini/keys"
    before = sorted(keys.iterdir())
    other = WholePlant(tmp_path / "other")
    strays = [other.order, other.b.objects[3], b"no signed object"]
    names = [f"order-{hashlib.sha256(data).hexdigest()}.cose" for data in strays]
    for name, data in zip(names, strays, strict=True):
        (keys / name).write_bytes(data)
    store, plant = whole.open(tmp_path / "s")
    told = [note for note in plant.recovery.notes if note.startswith("keys/")]
    assert sorted(told) == sorted(f"keys/{name}: was never logged, set aside" for name in names)
    store.close()
    aside = {path.name for path in (tmp_path / "s/mini/aside").glob("*.cose")}
    assert aside == {names[0], names[2]}, "a rotate object is in a spool"
    assert sorted(keys.iterdir()) == before


def test_names_beside_the_log_last_before_the_log_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a power cut could leave an entry whose object or certificate has no name."""
    store, plant = EXAMPLE.open(tmp_path / "s")
    done: list[str] = []
    real_sync, real_write = Disk.sync, Disk.write

    def sync(self: Disk, below: Path | None = None) -> None:
        named = [path.name for path in (tmp_path / "s/mini").glob("*/*.cose")]
        done.append(f"sync {sorted(f.name for f in self._folders)} {len(named)}")
        real_sync(self, below)

    def write(self: Disk, path: Path, offset: int, data: bytes, *, lasting: bool = True) -> None:
        done.append(path.name)
        real_write(self, path, offset, data, lasting=lasting)

    monkeypatch.setattr(Disk, "sync", sync)
    monkeypatch.setattr(Disk, "write", write)
    plant.stage_kept(reject(b"forked"), b"forked")
    assert store.commit() == ([plant], {})
    named = f"edge-a-3-{hashlib.sha256(b'forked').hexdigest()[:16]}.cose.new"
    assert done[:4] == [
        named, "sync ['mini', 'quarantine'] 0", "sync ['quarantine'] 1", "entries.seg",
    ]  # fmt: skip
    monkeypatch.undo()
    store.close()


def test_a_snapshot_of_an_earlier_version_is_read_past(tmp_path: Path) -> None:
    EXAMPLE.commit(tmp_path / "s", 2)
    snapshot = tmp_path / "s/mini/log/state"
    snapshot.write_bytes(encode_record(b"\x87\x01\x00\x80\x00\x00\x80\xa0"))
    store, plant = EXAMPLE.open(tmp_path / "s")
    assert plant.recovery.replayed == plant.state.size == 10
    assert "snapshot version 1 unknown" in plant.recovery.notes[0]
    store.close()


@pytest.mark.parametrize("named", [False, True])
def test_a_start_after_a_commit_that_failed_reads_from_the_snapshot_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, named: bool
) -> None:
    """Its checkpoint stands beside, newer than all: each start would read all of every plant.

    Where names were exchanged, the snapshot of before is gone, and none that says too much stays.
    """
    EXAMPLE.commit(tmp_path / "s")
    entries, syncs, names = tmp_path / "s/mini/log/entries.seg", count(1), count(1)
    size, begun, read = entries.stat().st_size, set[int](), recovery.whole_records
    monkeypatch.setattr("cloud.store.plant.SNAPSHOT_EVERY", 1)
    store, plant = EXAMPLE.open(tmp_path / "s")
    real_sync, real_publish = Disk.sync, Disk.publish

    def sync(self: Disk, below: Path | None = None) -> None:
        if next(syncs) == 3 and not named:  # of the log
            raise OSError(errno.ENOSPC, "No space left on device")
        real_sync(self, below)

    def publish(self: Disk) -> None:
        real_publish(self)
        if next(names) == 2 and named:
            raise OSError(errno.EIO, "Input/output error")

    def records(path: Path, offset: int) -> Iterator[Record]:
        begun.add(offset)
        return read(path, offset)

    plant.stage(reject(b""))
    monkeypatch.setattr(Disk, "sync", sync)
    monkeypatch.setattr(Disk, "publish", publish)
    assert list(store.commit()[1]) == ["mini"]
    notes = [path.read_text() for path in sorted(entries.parent.glob("checkpoint*"))]
    assert [checkpoint.parse(text)[0].size for text in notes] == ([14] if named else [14, 15])
    shutil.copytree(tmp_path / "s", tmp_path / "killed")
    store.close()
    monkeypatch.setattr(recovery, "whole_records", records)
    store, plant = EXAMPLE.open(tmp_path / "killed")
    beside = "log/checkpoint.new: 15 log entries were signed and are not there: a commit failed, or"
    assert (plant.state.size, len(plant.recovery.notes)) == (14, 0 if named else 1)
    assert all(note.startswith(beside) for note in plant.recovery.notes)
    assert begun == ({0, size} if named else {size})
    store.close()
