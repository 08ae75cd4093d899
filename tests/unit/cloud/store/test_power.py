"""Killed or without power at any system call: what was committed survives, the rest comes again.

The disk here forgets: after a power cut a file holds what its last sync covered, and of what was
written later each write may or may not have arrived, whole or in part. That is less than real
disks promise, and the store must hold with it.
"""

import contextlib
import os
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cloud.store import disk as disk_module
from cloud.store.plant import PlantStore
from tests.unit.cloud.store.plant_examples import Example, read_plant

EXAMPLE = Example()
KEY = EXAMPLE.signer.public_key
SIZES = [7, 10, 14]  # entries after each batch


class EndOfPower(BaseException):
    """The process is gone."""


class ForgetfulDisk:
    """Follows what is written and what is synced under a folder, and ends at a given call."""

    def __init__(self, root: Path, calls: int) -> None:
        self.root, self.left = root, calls
        self.synced: dict[Path, bytes] = {
            path: path.read_bytes() for path in root.rglob("*") if path.is_file()
        }
        self.made = 0

    def count(self) -> None:
        self.made += 1
        if self.left == 0:
            raise EndOfPower
        self.left -= 1

    @contextmanager
    def watching(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        real_write, real_sync = os.pwrite, os.fdatasync
        real_exchange, real_rename = disk_module._exchange, Path.replace

        def pwrite(file: int, data: bytes, at: int) -> int:
            self.count()
            return real_write(file, data, at)

        def fdatasync(file: int) -> None:
            self.count()
            real_sync(file)
            path = Path(f"/proc/self/fd/{file}").readlink()
            self.synced[path] = path.read_bytes()

        def moved(one: Path, other: Path) -> None:
            """A rename moves the name; what the file holds after a cut is what was synced."""
            before = self.synced.get(one), self.synced.get(other)
            for path, data in ((other, before[0]), (one, before[1])):
                if data is None:
                    self.synced.pop(path, None)
                else:
                    self.synced[path] = data

        def exchange(one: Path, other: Path) -> bool:
            self.count()
            done = real_exchange(one, other)
            if done:
                moved(one, other)
            return done

        def rename(self_: Path, target: Path) -> Path:
            self.count()
            result = real_rename(self_, target)
            moved(self_, target)
            self.synced.pop(self_, None)
            return result

        with monkeypatch.context() as patched:
            patched.setattr(os, "pwrite", pwrite)
            patched.setattr(os, "fdatasync", fdatasync)
            patched.setattr(disk_module, "_exchange", exchange)
            patched.setattr(Path, "replace", rename)
            yield

    def cut_power(self, dice: random.Random) -> None:
        """Leave of each file what was synced, and of later writes as much as the dice say."""
        for path in [p for p in self.root.rglob("*") if p.is_file()]:
            now, then = path.read_bytes(), self.synced.get(path)
            fate = dice.choice(("synced", "part", "all"))
            if fate == "all":
                continue
            kept = then if then is not None else b""
            if fate == "part" and len(now) > len(kept):
                kept = now[: dice.randrange(len(kept), len(now) + 1)]
            if then is None and not kept and dice.random() < 0.5:
                path.unlink()  # not even its name arrived
            else:
                path.write_bytes(kept)


def batch_of(plant: PlantStore) -> int:
    """How many batches are committed."""
    return next(n for n in range(3, -1, -1) if n == 0 or plant.reader.size >= SIZES[n - 1])


def run_until_the_end(root: Path, disk: ForgetfulDisk, monkeypatch: pytest.MonkeyPatch) -> int:
    """Open and commit batch by batch; how many entries were committed when the power went."""
    committed = 0
    try:
        with disk.watching(monkeypatch):
            store, plant = EXAMPLE.open(root)
            committed = plant.reader.size
            for batch in range(batch_of(plant), 3):
                EXAMPLE.stage(plant, batch)
                assert store.commit() == ([plant], {})
                committed = plant.reader.size  # from here on a receipt may be out
            store.close()
    except EndOfPower:
        abandon(root)
    return committed


def abandon(root: Path) -> None:
    """What the kernel does for a process that is gone: close what it had open, locks and all."""
    for link in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(OSError):
            if link.readlink().is_relative_to(root):
                os.close(int(link.name))


def check(root: Path, committed: int) -> None:
    """Everything committed is there, whole; and the rest can be delivered."""
    store, plant = EXAMPLE.open(root)
    assert plant.reader.size >= committed
    for batch in range(3):
        EXAMPLE.stage(plant, batch)
    store.commit()
    store.close()
    assert read_plant(root / "mini", KEY) == {
        "edge-a": EXAMPLE.a.objects,
        "edge-b": EXAMPLE.b.objects,
    }


@pytest.fixture
def small_snapshots(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that snapshots, too, are written within these few entries."""
    monkeypatch.setattr("cloud.store.plant.SNAPSHOT_EVERY", 4)


@pytest.mark.usefixtures("small_snapshots")
def test_killed_at_any_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ends, the page cache stays."""
    calls, ended = 0, False
    while not ended:
        root = tmp_path / str(calls)
        disk = ForgetfulDisk(root, calls)
        committed = run_until_the_end(root, disk, monkeypatch)
        ended = disk.left > 0
        check(root, committed)
        shutil.rmtree(root)
        calls += 1
    assert calls > 40


@pytest.mark.usefixtures("small_snapshots")
@pytest.mark.parametrize("seed", range(2))
def test_without_power_at_any_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Every call in turn, and what had not been synced is lost by the dice."""
    calls, ended = 0, False
    dice = random.Random(seed)
    while not ended:
        root = tmp_path / str(calls)
        disk = ForgetfulDisk(root, calls)
        committed = run_until_the_end(root, disk, monkeypatch)
        ended = disk.left > 0
        disk.cut_power(dice)
        check(root, committed)
        shutil.rmtree(root)
        calls += 1
    assert calls > 40


@pytest.mark.usefixtures("small_snapshots")
def test_without_power_again_during_the_way_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two cuts, the second while the first is being recovered from."""
    dice = random.Random(7)
    for _ in range(60):
        root = tmp_path / "r"
        first = ForgetfulDisk(root, dice.randrange(10, 60))
        committed = run_until_the_end(root, first, monkeypatch)
        first.cut_power(dice)
        second = ForgetfulDisk(root, dice.randrange(0, 15))
        committed = max(committed, run_until_the_end(root, second, monkeypatch))
        second.cut_power(dice)
        check(root, committed)
        shutil.rmtree(root)


def test_the_forgetful_disk_forgets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit whose syncs do nothing must lose something, or the tests above test nothing."""
    lost: list[Any] = []
    for seed in range(20):
        root = tmp_path / str(seed)
        disk = ForgetfulDisk(root, 10_000)
        with monkeypatch.context() as patched:
            patched.setattr(disk_module.Disk, "sync", lambda _self: None)
            committed = run_until_the_end(root, disk, monkeypatch)
        disk.cut_power(random.Random(seed))
        try:
            check(root, committed)
        except Exception as error:  # noqa: BLE001 - any failure is the proof
            lost.append(error)
    assert lost
