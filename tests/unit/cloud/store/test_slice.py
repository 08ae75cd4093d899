"""A slice: its lock, its epoch, commits across plants, and a disk that refuses at every step."""

import errno
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cloud.errors import DamagedLogError, SliceLockedError, StoreError
from cloud.store import disk as disk_module
from cloud.store.disk import Disk
from cloud.store.plant import PlantStore
from cloud.store.slice import SliceStore
from evidence import checkpoint
from evidence.log import Entry, Kind, decode_entry
from tests.unit.cloud.evidence_examples import T0_NS
from tests.unit.cloud.store.plant_examples import Example, enrolled, read_plant, reject

EXAMPLE = Example()
KEY = EXAMPLE.signer.public_key


def test_one_collector_a_slice(tmp_path: Path) -> None:
    store = SliceStore(tmp_path / "00")
    with pytest.raises(SliceLockedError, match=rf"held by process {os.getpid()}; .*stop that one"):
        SliceStore(tmp_path / "00")
    SliceStore(tmp_path / "01").close()
    store.close()
    SliceStore(tmp_path / "00").close()


def test_a_look_at_the_lock_hinders_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check holds the lock, shared, for an instant; a collector that starts then tries again."""
    SliceStore(tmp_path / "00").close()
    look = os.open(tmp_path / "00" / "lock", os.O_RDONLY)
    fcntl.flock(look, fcntl.LOCK_SH)
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        fcntl.flock(look, fcntl.LOCK_UN)

    monkeypatch.setattr("cloud.store.slice.time.sleep", sleep)
    store = SliceStore(tmp_path / "00")
    assert len(waited) == 1
    store.close()
    os.close(look)


def test_the_lock_goes_with_its_process(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys, pathlib; from cloud.store.slice import SliceStore\n"
        "SliceStore(pathlib.Path(sys.argv[1])); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "00")], check=False)
    assert done.returncode == -9
    store = SliceStore(tmp_path / "00")
    assert store.epoch == 2
    store.close()


def test_every_take_over_has_its_epoch_in_its_entries(tmp_path: Path) -> None:
    for batch in range(3):
        store, plant = EXAMPLE.open(tmp_path / "00")
        assert store.epoch == batch + 1
        EXAMPLE.stage(plant, batch)
        store.commit()
        epochs = [decode_entry(data).epoch for _, data in plant.reader.entries()]
        store.close()
    assert epochs == [1] * 7 + [2] * 3 + [3] * 4


@pytest.mark.parametrize("found", [b"", b"many\n", b"\xff\xfe", b"-5\n", b"9" * 30])
def test_an_epoch_that_is_no_number_begins_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, found: bytes
) -> None:
    """Nobody knows the newest one by heart, and whose the slice is stands beside it."""
    for batch in (0, 1):
        if batch:
            (tmp_path / "00" / "epoch").write_bytes(found)
        store, plant = EXAMPLE.open(tmp_path / "00")
        EXAMPLE.stage(plant, batch)
        assert store.commit() == ([plant], {})
        epochs = [decode_entry(data).epoch for _, data in plant.reader.entries()]
        store.close()
    assert "epoch: is no number" in caplog.text
    assert set(epochs) == {1}


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be used for evidence: Not a directory"):
        SliceStore(tmp_path / "file" / "00")


def test_times_of_receipt_never_go_back(tmp_path: Path) -> None:
    store, plant = EXAMPLE.open(tmp_path / "00")
    for received_ns in (T0_NS + 5, T0_NS, T0_NS + 6):
        plant.stage(Entry(Kind.REVIEW, received_ns, 0, "", None, bytes(32), 0))
    store.commit()
    times = [decode_entry(data).received_ns for _, data in plant.reader.entries(1)]
    assert times == [T0_NS + 5, T0_NS + 5, T0_NS + 6]
    store.close()


def test_objects_and_other_entries_are_not_mixed_up(tmp_path: Path) -> None:
    store, plant = EXAMPLE.open(tmp_path / "00")
    with pytest.raises(ValueError, match="kind FRAME needs its object"):
        plant.stage(Entry(Kind.FRAME, 0, 0, "edge-a", 0, bytes(32), 1))
    with pytest.raises(ValueError, match="edge-a seq 1 is not the next object"):
        plant.stage_object(Entry(Kind.FRAME, 0, 0, "edge-a", 1, bytes(32), 1), b"x")
    assert not plant.is_dirty
    assert store.commit() == ([], {})
    new = store.open_plant("new", EXAMPLE.signer, [KEY])
    with pytest.raises(StoreError, match="certificates are not on disk yet"):
        EXAMPLE.stage(new, 0)
    store.close()


def test_a_commit_syncs_objects_then_log_then_shows_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order of decisions.md, seen at the system calls."""
    EXAMPLE.commit(tmp_path / "00", 1)
    store, plant = EXAMPLE.open(tmp_path / "00")
    calls: list[str] = []
    real_sync, real_write, real_exchange = os.fdatasync, os.pwrite, disk_module._exchange

    def name(file: int) -> str:
        return Path(f"/proc/self/fd/{file}").readlink().name

    def write(file: int, data: bytes, at: int) -> int:
        calls.append(f"write {name(file)}")
        return real_write(file, data, at)

    def sync(file: int) -> None:
        calls.append(f"sync {name(file)}")
        real_sync(file)

    def exchange(one: Path, other: Path) -> bool:
        calls.append(f"show {other.name}")
        return real_exchange(one, other)

    monkeypatch.setattr(os, "pwrite", write)
    monkeypatch.setattr(os, "fdatasync", sync)
    monkeypatch.setattr(disk_module, "_exchange", exchange)
    EXAMPLE.stage(plant, 1)
    store.commit()
    steps = [call for call in calls if "idx" not in call and "tree" not in call]
    segments = {"15.seg", "14.seg"}
    assert set(steps[:2]) == {f"write {s}" for s in segments}
    assert set(steps[2:4]) == {f"sync {s}" for s in segments}
    assert steps[4:6] == ["write entries.seg", "write checkpoint.new"]
    assert set(steps[6:8]) == {"sync entries.seg", "sync checkpoint.new"}
    assert steps[8:] == ["show checkpoint"]
    monkeypatch.undo()
    store.close()


def fail_at(
    monkeypatch: pytest.MonkeyPatch,
    step: int,
    *,
    for_good: bool = False,
    when: Callable[[str], bool] = lambda _: True,
) -> list[str]:
    """The disk refuses the step-th operation (from 0), or all from there on, where `when` holds."""
    done: list[str] = []
    real = {name: getattr(os, name) for name in ("pwrite", "fdatasync", "truncate")}
    real_rename, real_exchange = Path.replace, disk_module._exchange

    def guard(label: str) -> None:
        if when(label):
            done.append(label)
            if len(done) == step + 1 or (for_good and len(done) > step):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def link(file: int) -> str:
        return str(Path(f"/proc/self/fd/{file}").readlink())

    def pwrite(file: int, data: bytes, at: int) -> int:
        guard(f"write {link(file)}")
        return int(real["pwrite"](file, data, at))

    def fdatasync(file: int) -> None:
        guard(f"sync {link(file)}")
        real["fdatasync"](file)

    def truncate(path: Path, length: int) -> None:
        guard(f"cut {path}")
        real["truncate"](path, length)

    def exchange(one: Path, other: Path) -> bool:
        guard(f"show {other}")
        return real_exchange(one, other)

    def rename(self: Path, target: Path) -> Path:
        guard(f"show {target}")
        return real_rename(self, target)

    monkeypatch.setattr(os, "pwrite", pwrite)
    monkeypatch.setattr(os, "fdatasync", fdatasync)
    monkeypatch.setattr(os, "truncate", truncate)
    monkeypatch.setattr(Path, "replace", rename)
    monkeypatch.setattr(disk_module, "_exchange", exchange)
    return done


@pytest.mark.parametrize("for_good", [False, True])
def test_a_disk_that_refuses_at_any_step_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, for_good: bool
) -> None:
    """Each write, sync and rename of a commit in turn; what was not committed is sent again.

    Alone, or with all that follow, so that the way back fails too.
    """
    EXAMPLE.commit(tmp_path / "start", 1)
    for step in range(100):
        root = tmp_path / f"{step}"
        shutil.copytree(tmp_path / "start", root)
        store, plant = EXAMPLE.open(root)
        before = plant.reader.committed
        EXAMPLE.stage(plant, 1)
        with monkeypatch.context() as refusing:
            done = fail_at(refusing, step, for_good=for_good)
            committed, failed = store.commit()
        if len(done) <= step:
            assert committed == [plant]
            store.close()
            break
        assert committed == []
        assert failed["mini"].errno == errno.ENOSPC
        assert plant.reader.committed == before
        assert not plant.is_dirty
        for batch in (1, 2):
            EXAMPLE.stage(plant, batch)
            assert store.commit() == ([plant], {})
        shutil.copytree(root, tmp_path / f"{step}-killed")  # no clean stop
        store.close()
        for end in (root, tmp_path / f"{step}-killed"):
            store, plant = EXAMPLE.open(end)
            assert plant.recovery.notes == []
            store.close()
            assert read_plant(end / "mini", KEY)["edge-a"] == EXAMPLE.a.objects
    assert step > 10


def test_a_disk_that_stays_full_gives_no_receipt_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    EXAMPLE.commit(tmp_path / "00", 1)
    store, plant = EXAMPLE.open(tmp_path / "00")
    real = os.pwrite

    def full(_file: int, _data: bytes, _at: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        for _ in range(3):
            EXAMPLE.stage(plant, 1)
            assert store.commit()[0] == []
    assert os.pwrite is real
    EXAMPLE.stage(plant, 1)
    EXAMPLE.stage(plant, 2)
    assert store.commit() == ([plant], {})
    store.close()
    assert read_plant(tmp_path / "00" / "mini", KEY)["edge-b"] == EXAMPLE.b.objects


def two_plants(root: Path) -> tuple[SliceStore, PlantStore, PlantStore]:
    store = SliceStore(root)
    return store, enrolled(store, "one", EXAMPLE.signer), enrolled(store, "two", EXAMPLE.signer)


def test_one_plants_trouble_stays_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, one, two = two_plants(tmp_path / "00")
    EXAMPLE.stage(one, 0)
    EXAMPLE.stage(two, 0)
    with monkeypatch.context() as refusing:
        fail_at(refusing, 0, for_good=True, when=lambda label: "/one/" in label)
        committed, failed = store.commit()
    assert committed == [two]
    assert {plant: error.errno for plant, error in failed.items()} == {"one": errno.ENOSPC}
    assert checkpoint.verify(two.reader.checkpoint, KEY).size == 7
    assert one.reader.size == 1
    EXAMPLE.stage(one, 0)
    assert store.commit() == ([one], {})
    store.close()
    read_plant(tmp_path / "00" / "two", KEY)


def test_a_folder_that_cannot_be_synced_is_one_plants_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a plant on a volume of its own, that dies: names of its last commit are owed for good."""
    store, one, two = two_plants(tmp_path / "00")
    EXAMPLE.stage(one, 0)
    EXAMPLE.stage(two, 0)
    assert store.commit() == ([one, two], {})
    real = os.fsync

    def fsync(file: int) -> None:
        if "/one" in str(Path(f"/proc/self/fd/{file}").readlink()):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(file)

    with monkeypatch.context() as dying:
        dying.setattr(os, "fsync", fsync)
        EXAMPLE.stage(two, 1)
        assert store.commit() == ([two], {})
        for plant, batch in ((one, 1), (two, 2)):
            EXAMPLE.stage(plant, batch)
        done, failed = store.commit()
        assert (done, failed["one"].errno) == ([two], errno.EIO)
    EXAMPLE.stage(one, 1)
    assert store.commit() == ([one], {})
    store.close()
    for plant in ("one", "two"):
        read_plant(tmp_path / "00" / plant, KEY)


def test_many_plants_share_two_syncs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SliceStore(tmp_path / "00")
    plants = [enrolled(store, f"p{n}", EXAMPLE.signer) for n in range(40)]
    for plant in plants:
        plant.stage(reject())
        EXAMPLE.stage(plant, 0)
    calls: list[str] = []
    real = disk_module._SYNCFS
    assert real is not None

    def syncfs(file: int) -> int:
        calls.append("syncfs")
        return real(file)

    def fdatasync(_file: int) -> None:
        calls.append("fdatasync")

    monkeypatch.setattr(disk_module, "_SYNCFS", syncfs)
    monkeypatch.setattr(os, "fdatasync", fdatasync)
    assert store.commit() == (plants, {})
    assert calls == ["syncfs", "syncfs"]
    store.close()


def test_a_damaged_plant_does_not_keep_the_others_out(tmp_path: Path) -> None:
    store, one, _ = two_plants(tmp_path / "00")
    EXAMPLE.stage(one, 0)
    store.commit()
    store.close()
    (tmp_path / "00" / "one" / "log" / "entries.seg").write_bytes(b"")
    store = SliceStore(tmp_path / "00")
    with pytest.raises(DamagedLogError):
        store.open_plant("one", EXAMPLE.signer, [KEY])
    two = enrolled(store, "two", EXAMPLE.signer)
    assert list(store.damaged) == ["one"]
    EXAMPLE.stage(two, 0)
    assert store.commit() == ([two], {})
    store.close()


def test_a_start_that_cannot_write_its_snapshot_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, plant = EXAMPLE.open(tmp_path / "00")
    EXAMPLE.stage(plant, 0)
    store.commit()
    with monkeypatch.context() as refusing:
        fail_at(refusing, 0)
        with pytest.raises(StoreError, match="no snapshot written: No space left"):
            store.close()
    store, plant = EXAMPLE.open(tmp_path / "00")  # the lock was given back all the same
    assert plant.recovery.replayed == 7
    store.close()


def test_the_disk_is_given_back(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counts descriptors, not paths
    Disk(tmp_path).close()
    SliceStore(tmp_path / "00").close()
    (tmp_path / "00" / "epoch").unlink()
    (tmp_path / "00" / "epoch").mkdir()
    with pytest.raises(StoreError):
        SliceStore(tmp_path / "00")
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - counts descriptors, not paths
