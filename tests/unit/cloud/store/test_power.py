"""Killed or without power at any system call: what is under receipt survives, the rest comes again.

Every kind of thing the store holds is in it, and what must hold is checked from the files alone: a
receipt's objects are there, the log continues every checkpoint ever shown, totals are equal, and a
check of everything finds nothing that cannot be made again.
"""

import itertools
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cloud.errors import StoreError
from cloud.store import disk as disk_module
from cloud.store.fsck_findings import Remedy
from tests.unit.cloud.store.forgetful import EndOfPower, ForgetfulDisk
from tests.unit.cloud.store.plant_examples import read_plant
from tests.unit.cloud.store.whole_plant import COMMITS, PLANT, WholePlant

MENDED = {Remedy.START, Remedy.REBUILD, Remedy.ASK}


@dataclass
class Told:
    """What the world was told before the end.

    Attributes:
        receipts: gateway -> number of objects under receipt.
        notes: checkpoints shown.
    """

    receipts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> WholePlant:
    return WholePlant(tmp_path_factory.mktemp("keys"))


@pytest.fixture(autouse=True)
def small_and_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snapshots, too, are written within these few entries; only the disk made here forgets."""
    monkeypatch.setattr("cloud.store.plant.SNAPSHOT_EVERY", 4)
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, lambda _file: None)


def work(whole: WholePlant, root: Path, told: Told) -> None:
    """Open, commit what is not there yet, stop cleanly; a receipt for each stream after each."""
    store, plant = whole.open(root)
    for commit in range(COMMITS):
        whole.stage(plant, commit)
        while plant.is_dirty:
            if not store.commit()[0]:
                whole.stage(plant, commit)  # no receipt went out: it comes again
        told.notes.append(plant.reader.checkpoint)
        for stream in plant.reader.streams():
            told.receipts[stream] = plant.reader.head(stream).next_seq
    store.close()


def run_until_the_end(
    whole: WholePlant, disk: ForgetfulDisk, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work until the disk ends it, or all is done."""
    try:
        with disk.watching(monkeypatch):
            work(whole, disk.root, told)
    except (EndOfPower, StoreError):
        disk.abandon()


def check(whole: WholePlant, root: Path, told: Told) -> None:
    """All that was told is true, nothing is lost for good, and the rest can be delivered."""
    lost = [f.sentence for f in whole.findings(root) if f.fault.remedy not in MENDED]
    if (root / PLANT).exists() and told.notes:
        assert lost == []
    store, plant = whole.open(root)
    objects = {gateway.name: gateway.objects for gateway in (whole.a, whole.b)}
    for stream, count in told.receipts.items():
        held = [stored.data for stored in plant.reader.objects(stream)]
        assert len(held) >= count
        assert held == objects[stream][: len(held)]
    store.close()
    work(whole, root, told)
    assert whole.findings(root) == []
    aside = root / PLANT / "aside"
    if aside.exists():  # all of it came again
        whole.commit(root, 0)
        assert not aside.exists()
    whole.holds_true(root, told.notes)
    assert read_plant(root / PLANT, whole.keys.collector.public_key) == objects


#: of the ends that a short run tries, one in so many; the long one tries each
STEP = 4


def every_call(root: Path, first: int) -> Iterator[ForgetfulDisk]:
    """A disk that ends at one call, at a later one, and so on, until one never ends."""
    for calls in itertools.count(first, STEP):
        disk = ForgetfulDisk(root, calls)
        yield disk
        shutil.rmtree(root)
        if disk.left > 0:
            assert calls > 100
            return


FIRST = [0, *(pytest.param(first, marks=pytest.mark.long) for first in range(1, STEP))]


@pytest.mark.parametrize("first", FIRST)
def test_killed_at_any_call(
    whole: WholePlant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    """The process ends, the page cache stays."""
    for disk in every_call(tmp_path / "r", first):
        told = Told()
        run_until_the_end(whole, disk, told, monkeypatch)
        check(whole, disk.root, told)


#: dice; the first in every run, all of them in the long one
SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 21))]


@pytest.mark.parametrize("seed", SEEDS)
def test_without_power_at_any_call(
    whole: WholePlant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """What had not been synced is lost by the dice; seeds 0 to 3 have every call between them."""
    dice = random.Random(seed)
    for disk in every_call(tmp_path / "r", seed % STEP):
        told = Told()
        run_until_the_end(whole, disk, told, monkeypatch)
        disk.cut_power(dice)
        check(whole, disk.root, told)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_full_disk_and_then_no_power(
    whole: WholePlant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """The disk is full for one call; the power goes while that is undone, or soon after."""
    dice, root = random.Random(seed), tmp_path / "r"
    for _ in range(30):
        refused = dice.randrange(160)
        told = Told()
        disk = ForgetfulDisk(root, refused + dice.randrange(25), refused)
        run_until_the_end(whole, disk, told, monkeypatch)
        disk.cut_power(dice)
        check(whole, root, told)
        shutil.rmtree(root)


@pytest.mark.parametrize("seed", SEEDS)
def test_without_power_again_during_the_way_back(
    whole: WholePlant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Two cuts, the second while the first is being recovered from."""
    dice, root = random.Random(seed), tmp_path / "r"
    for _ in range(20):
        told = Told()
        for calls in (dice.randrange(10, 140), dice.randrange(30)):
            disk = ForgetfulDisk(root, calls)
            run_until_the_end(whole, disk, told, monkeypatch)
            disk.cut_power(dice)
        check(whole, root, told)
        shutil.rmtree(root)


@pytest.mark.parametrize("missing", ["sync", "folders"])
def test_the_forgetful_disk_forgets(
    whole: WholePlant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """A store that leaves out syncs must lose something, or the tests above test nothing."""
    real = disk_module.Disk.sync

    def sync(self: disk_module.Disk, below: Path | None = None) -> None:
        self._folders.clear()
        if missing == "sync":
            self._files.clear()
        real(self, below)

    monkeypatch.setattr(disk_module.Disk, "sync", sync)
    lost: list[BaseException] = []
    for seed in range(20):
        root = tmp_path / str(seed)
        disk, told = ForgetfulDisk(root, 100), Told()
        run_until_the_end(whole, disk, told, monkeypatch)
        disk.cut_power(random.Random(seed))
        try:
            check(whole, root, told)
        except Exception as error:  # noqa: BLE001 - any failure is the proof
            lost.append(error)
    assert lost
