"""Evidence on a real disk that is full, read-only or failing: no receipt, a reason, on when it can.

The database is on a small disk of its own, so what is tried is the kernel's own answer.
"""

import asyncio
import gc
import logging
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from cloud.database.engine import Database
from cloud.database.fsck import Trusted, check_plant
from cloud.database.objects import frame_times
from cloud.database.store import EvidenceStore
from cloud.database.writer import PlantWriter
from cloud.errors import StoreError
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
from tests.unit.cloud.kept import FILE, UNIT, enrolled
from tests.unit.cloud.read_plant import read_plant

PLANT, FRAMES = "plant-0", 60
FULL = "database or disk is full"


@contextmanager
def read_only(disk: Path) -> Iterator[None]:
    """The disk takes nothing for a while."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Whatever a test started ends with it, also when it fails."""
    yield
    while STARTED:
        STARTED.pop().stop()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "evidence", "4m") as made:
        yield made


class Writer:
    """One plant's stream, committed object by object."""

    def __init__(self, folder: Path) -> None:
        self.plant = make_plants(folder / "keys", 1, FRAMES)[0]
        self.gateway: Gateway = self.plant.gateways["edge-1"]
        self.signer: FileSigner = self.plant.collector
        self.root = folder / "evidence"

    def open(self) -> tuple[EvidenceStore, PlantWriter]:
        store = EvidenceStore(Database(f"sqlite:///{self.root / FILE}"), UNIT)
        return store, enrolled(store, PLANT, self.signer)

    def stage(self, plant: PlantWriter) -> int:
        """The stream's next object; its seq."""
        seq = plant.stream("edge-1").next_seq
        kind = Kind.FRAME if seq else Kind.CONFIG
        entry, data = object_entry(self.gateway, seq, kind), self.gateway.objects[seq]
        t0_ns, newest_ns = frame_times(data) if seq else (0, 0)
        plant.stage_object(entry, data, t0_ns=t0_ns, newest_ns=newest_ns)
        return seq

    def commit_all(self, store: EvidenceStore, plant: PlantWriter) -> None:
        while plant.stream("edge-1").next_seq <= FRAMES:
            self.stage(plant)
            assert store.commit() == ([plant], {})

    def findings(self, store: EvidenceStore) -> list[str]:
        """List the findings of a check, as sentences."""
        trusted = Trusted(self.plant.root_certificate, (self.signer.public_key,))
        return [one.sentence for one in check_plant(PLANT, store.database, trusted).findings]


def test_the_store_refuses_and_goes_on(disk: Path, tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    store, plant = writer.open()
    for _ in range(5):
        writer.stage(plant)
        store.commit()
    for _ in range(3):
        with filled(disk):
            assert all(FULL in said for said in refusals(writer, store, plant))
            held = [stored.data for stored in plant.reader.objects("edge-1")]
            assert held == writer.gateway.objects[: len(held)]
        writer.stage(plant)
        assert store.commit() == ([plant], {})
        assert writer.findings(store) == []
    writer.commit_all(store, plant)
    store.close()
    assert read_plant(writer.root / FILE, writer.signer.public_key, PLANT) == {
        "edge-1": writer.gateway.objects
    }


def refusals(writer: Writer, store: EvidenceStore, plant: PlantWriter) -> list[str]:
    """Commit until it has been refused three times in a row; what was said."""
    said: list[str] = []
    while len(said) < 3:
        seq = writer.stage(plant)
        committed, failed = store.commit()
        if committed:
            assert seq < FRAMES, "the disk never said no"
            said.clear()
        else:
            said.append(str(failed[PLANT]))
    return said


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
    assert plant.reader.size == size
    writer.commit_all(store, plant)
    assert writer.findings(store) == []
    store.close()


def test_a_disk_that_fails_under_open_files(tmp_path: Path) -> None:
    """A dying card: nothing is written any more, until the machine is started with it mended."""
    writer = Writer(tmp_path)
    disk = FailingDisk(writer.root)
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
        with pytest.raises(StoreError, match="disk I/O error"):
            store.close()  # its lease cannot be given back
        gc.collect()  # what was raised holds statements of a connection that is closed
        disk.unmount()
        disk.mount()
        store, plant = writer.open()
        assert plant.reader.size == size
        writer.commit_all(store, plant)
        assert writer.findings(store) == []
        store.close()
    finally:
        disk.unmount()


@pytest.mark.parametrize(("trouble", "says"), [(filled, FULL), (read_only, "Read-only")])
def test_a_start_says_what_the_disk_says(
    tmp_path: Path, trouble: Callable[[Path], AbstractContextManager[None]], says: str
) -> None:
    with (
        small_disk(tmp_path / "disk", "128k") as disk,
        trouble(disk),
        pytest.raises(StoreError, match=says),
    ):
        EvidenceStore(Database(f"sqlite:///{disk / FILE}"), UNIT)


async def test_the_collector_gives_no_receipt_says_why_and_goes_on(
    disk: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plants = make_plants(tmp_path / "keys", count=2, frames=FRAMES)
    root = tmp_path / "evidence"
    caplog.set_level(logging.WARNING)
    async with (
        running_broker(NATS, tmp_path / "broker") as broker,
        collecting(broker.url, root, plants) as running,
    ):
        with filled(disk):
            sending = publishers(broker.url, plants)
            await until(lambda: "plant plant-0: evidence cannot be written" in caplog.text)
            assert FULL in caplog.text
            await asyncio.sleep(1.5)  # its gateway has sent everything twice by now
            held = running.intake.plant(PLANT).reader.head("edge-1").next_seq
            assert sending[0].receipted < max(held, 1) <= FRAMES
            sentences = [f"plant {one.id}: evidence cannot be written" for one in plants]
            assert [caplog.text.count(sentence) for sentence in sentences] == [1, 1]
        await until(lambda: all(one.receipted == FRAMES for one in sending))
        assert running.collector.defect is None
        assert "plant plant-0: evidence is written again" in caplog.text
        for publisher in sending:
            publisher.stop()
    for publisher in sending:
        check_receipts(publisher, root)
