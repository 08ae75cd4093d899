"""Evidence on a real disk that is full, read-only or failing: no receipt, a reason, on when it can.

The plant's folder is a small disk of its own, so what is tried is the kernel's own answer.
"""

import asyncio
import errno
import logging
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cloud.errors import StoreError
from cloud.store.disk import SYNCFS_FILES_MIN, Disk
from cloud.store.fsck import Trusted, check_plant
from cloud.store.fsck_findings import Remedy
from cloud.store.plant import PlantStore
from cloud.store.recovery import frame_times
from cloud.store.slice import SliceStore
from evidence.keys import FileSigner
from evidence.log import Kind
from tests.integration.cloud.brokers import running_broker
from tests.integration.cloud.test_delivery import (
    NATS,
    STARTED,
    check_receipts,
    collecting,
    make_plants,
    publishers,
    until,
)
from tests.integration.edge.disks import FailingDisk, filled, small_disk
from tests.unit.cloud.evidence_examples import Gateway, object_entry
from tests.unit.cloud.store.plant_examples import enrolled, read_plant

FRAMES = 60


@contextmanager
def read_only(disk: Path) -> Iterator[None]:
    """The disk takes nothing for a while."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


@dataclass(frozen=True)
class Trouble:
    """What the disk has, and what it then says."""

    on: Callable[[Path], AbstractContextManager[None]]
    code: int
    words: str


TROUBLES = {
    "full": Trouble(filled, errno.ENOSPC, "No space left on device"),
    "read-only": Trouble(read_only, errno.EROFS, "Read-only file system"),
}


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Whatever a test started ends with it, also when it fails."""
    yield
    while STARTED:
        STARTED.pop().stop()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "evidence").mkdir()
    with small_disk(tmp_path / "evidence" / "plant-0", "512k") as made:
        yield made


@pytest.fixture(params=TROUBLES)
def trouble(request: pytest.FixtureRequest) -> Trouble:
    return TROUBLES[request.param]


class Writer:
    """One plant's stream, committed object by object."""

    def __init__(self, folder: Path) -> None:
        self.plant = make_plants(folder / "keys", 1, FRAMES)[0]
        self.gateway: Gateway = self.plant.gateways["edge-1"]
        self.signer: FileSigner = self.plant.collector
        self.root = folder / "evidence"

    def open(self) -> tuple[SliceStore, PlantStore]:
        store = SliceStore(self.root)
        return store, enrolled(store, "plant-0", self.signer)

    def stage(self, plant: PlantStore) -> int:
        """The stream's next object; its seq."""
        seq = plant.stream("edge-1").next_seq
        kind = Kind.FRAME if seq else Kind.CONFIG
        entry, data = object_entry(self.gateway, seq, kind), self.gateway.objects[seq]
        t0_ns, newest_ns = frame_times(data) if seq else (0, 0)
        plant.stage_object(entry, data, t0_ns=t0_ns, newest_ns=newest_ns)
        return seq

    def commit_all(self, store: SliceStore, plant: PlantStore) -> None:
        while plant.stream("edge-1").next_seq <= FRAMES:
            self.stage(plant)
            assert store.commit() == ([plant], {})

    def findings(self) -> list[str]:
        """What a check beside the writer finds lost for good."""
        trusted = Trusted(self.plant.root_certificate, (self.signer.public_key,))
        folder = self.root / "plant-0"
        checked = check_plant("plant-0", folder, trusted, is_quiet=lambda: False)
        return [
            f.sentence for f in checked.findings if f.fault.remedy in (Remedy.RESTORE, Remedy.WHOLE)
        ]


def test_the_store_refuses_and_goes_on(disk: Path, tmp_path: Path, trouble: Trouble) -> None:
    writer = Writer(tmp_path)
    store, plant = writer.open()
    for _ in range(5):
        writer.stage(plant)
        store.commit()
    for _ in range(3):
        with trouble.on(disk):
            assert set(refusals(writer, store, plant)) == {trouble.code}
            held = [stored.data for stored in plant.reader.objects("edge-1")]
            assert held == writer.gateway.objects[: len(held)]
            assert writer.findings() == []
        writer.stage(plant)
        assert store.commit() == ([plant], {})
        assert writer.findings() == []
    writer.commit_all(store, plant)
    store.close()
    assert read_plant(writer.root / "plant-0", writer.signer.public_key) == {
        "edge-1": writer.gateway.objects
    }


def refusals(writer: Writer, store: SliceStore, plant: PlantStore) -> list[int | None]:
    """Commit until it has been refused three times in a row; what the disk said."""
    codes: list[int | None] = []
    while len(codes) < 3:
        seq = writer.stage(plant)
        committed, failed = store.commit()
        if committed:
            assert seq < FRAMES, "the disk never said no"
            codes.clear()
        else:
            codes.append(failed["plant-0"].errno)
    return codes


def test_a_plant_on_a_disk_of_its_own_is_synced_too(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one call that syncs a whole file system would leave it out."""
    synced: list[str] = []
    real = os.fdatasync

    def fdatasync(file: int) -> None:
        synced.append(Path(f"/proc/self/fd/{file}").readlink().name)
        real(file)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    store = Disk(tmp_path / "evidence")
    names = [f"{n:02}.seg" for n in range(SYNCFS_FILES_MIN)]
    for name in names:
        store.write(disk / name, 0, b"x")
    store.sync()
    assert sorted(synced) == names
    store.close()


def test_killed_while_the_disk_is_full(disk: Path, tmp_path: Path) -> None:
    """What a full disk leaves behind is put right by the next start with room."""
    writer = Writer(tmp_path)
    store, plant = writer.open()
    killed = tmp_path / "killed"
    with filled(disk):
        refusals(writer, store, plant)
        size = plant.reader.size
        shutil.copytree(writer.root, killed, ignore=shutil.ignore_patterns("ballast"))
    store.close()
    writer.root = killed
    store, plant = writer.open()
    assert plant.reader.size >= size
    writer.commit_all(store, plant)
    store.close()
    assert writer.findings() == []


def test_a_disk_that_fails_under_open_files(tmp_path: Path) -> None:
    """A dying card: nothing is written any more, until the machine is started with it mended."""
    writer = Writer(tmp_path)
    writer.root.mkdir()
    disk = FailingDisk(writer.root / "plant-0")
    disk.mount()
    try:
        store, plant = writer.open()
        for _ in range(5):
            writer.stage(plant)
            store.commit()
        size = plant.reader.size
        disk.fail()
        assert len(refusals(writer, store, plant)) == 3
        assert plant.reader.size == size
        with pytest.raises(StoreError, match="no snapshot written"):
            store.close()
        disk.unmount()
        disk.mount()
        assert writer.findings() == []
        store, plant = writer.open()
        assert plant.reader.size >= size
        writer.commit_all(store, plant)
        store.close()
        assert writer.findings() == []
    finally:
        disk.unmount()


def test_a_start_says_what_the_disk_says(tmp_path: Path, trouble: Trouble) -> None:
    words = f"cannot be used for evidence: {trouble.words}"
    with (
        small_disk(tmp_path / "disk", "128k") as disk,
        trouble.on(disk),
        pytest.raises(StoreError, match=words),
    ):
        SliceStore(disk / "00")


async def test_the_collector_gives_no_receipt_says_why_and_goes_on(
    disk: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, trouble: Trouble
) -> None:
    """Two plants; the disk of one refuses. The other notices nothing."""
    plants = make_plants(tmp_path / "keys", count=2, frames=FRAMES)
    root = tmp_path / "evidence"
    caplog.set_level(logging.WARNING)
    sentence = "plant plant-0: evidence cannot be written ([Errno "
    async with (
        running_broker(NATS, tmp_path / "broker") as broker,
        collecting(broker.url, root, plants) as running,
    ):
        with trouble.on(disk):
            refusing, other = publishers(broker.url, plants)
            await until(lambda: other.receipted == FRAMES)
            await until(lambda: sentence in caplog.text)
            assert trouble.words in caplog.text
            await asyncio.sleep(1.5)  # its gateway has sent everything twice by now
            held = running.intake.plant("plant-0").reader.head("edge-1").next_seq
            assert refusing.receipted < max(held, 1) <= FRAMES
            assert caplog.text.count(sentence) == 1
        await until(lambda: refusing.receipted == FRAMES)
        assert running.collector.defect is None
        assert "plant plant-0: evidence is written again" in caplog.text
        for publisher in (refusing, other):
            publisher.stop()
    for publisher in (refusing, other):
        check_receipts(publisher, root)
