"""A whole agent on a real disk that fills up or fails: what was not written is never claimed."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from edge.errors import SpoolError
from edge.pipeline import Layout, decode_tick
from edge.relay.queue import Queue
from edge.spool import Spool, State, Stored
from edge.spool_reader import SpoolReader
from edge.status import status_of
from tests.integration.edge.conftest import Plant
from tests.integration.edge.disks import FailingDisk, filled, small_disk
from tests.integration.edge.streams import Readings, mistakes, readings, told
from tests.unit.edge.relay.test_queue import of
from tests.unit.edge.sites import replaced, who
from tests.waiting import until


@pytest.fixture
def committed(monkeypatch: pytest.MonkeyPatch, plant: Plant) -> Callable[[], Readings]:
    """What the disk has said yes to, tick by tick."""
    kept: list[bytes] = []
    works = Spool.commit_ticks

    def watched(spool: Spool, ticks: list[bytes], *args: Any) -> None:
        works(spool, ticks, *args)
        kept.extend(ticks)

    monkeypatch.setattr(Spool, "commit_ticks", watched)

    def found() -> Readings:
        layout = Layout(plant.agent()._config)
        ticks = [decode_tick(layout, data) for data in kept]
        return {
            (t.schedule, t.tick_ns): {
                g: (rows.raw.tobytes(), rows.quality.tobytes()) for g, rows in t.rows.items()
            }
            for t in ticks
        }

    return found


def on(plant: Plant, disk: Path) -> None:
    """The plant's state lives on this disk."""
    changes = {'id = "edge-1"': f'id = "edge-1"\nstate_dir = "{disk}/state"'}
    plant.text = replaced(plant.text, changes)
    plant.state_dir = disk / "state"


async def test_disk_filled_by_others_and_cleared(
    plant: Plant, tmp_path: Path, committed: Callable[[], Readings],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    with small_disk(tmp_path / "disk", "24m") as disk:
        on(plant, disk)
        with caplog.at_level(logging.WARNING):
            async with plant.running():
                await asyncio.sleep(0.7)
                with filled(disk):
                    await asyncio.sleep(3)
                await asyncio.sleep(0.8)
        objects = plant.kept()
        assert "database or disk is full" in caplog.text
        assert "the disk takes readings again" in caplog.text
        assert mistakes(objects) == []
        assert readings(objects) == committed(), "what the disk took, no more and no less"
        reasons = {reason for _, reason in told(objects).gaps}
        assert reasons == {"spool-error"}
        missing_s = sum(seconds for seconds, _ in told(objects).gaps)
        assert missing_s > 0.5
        full = ["spool-filling", "spool-full"]
        assert told(objects).events == ["start", "disk-low", *full, "stopped"]


def test_a_spool_that_its_disk_is_too_small_for_takes_the_receipt_that_frees_it(
    tmp_path: Path,
) -> None:
    """Nobody need come: of 40 MiB 8 are kept for what frees, of which 4 may be in the log still."""
    data = bytes(range(256)) * 80
    with small_disk(tmp_path / "disk", "40m") as disk:
        spool = Spool(disk / "spool.sqlite", bytes_max=2**33)
        try:
            seq = 0
            while spool.fill() < 1:
                spool.append(Stored(seq, "x", sha256(data).digest(), data, 1, seq), state={})
                seq += 1
            assert 26 * 2**20 < seq * len(data) < 32 * 2**20
            spool.commit_ticks([data])  # what was under way still fits
            assert spool.release(seq - 1, b"receipt") == seq
            assert spool.fill() < 0.1
        finally:
            spool.close()


def test_a_relays_queue_that_its_disk_is_too_small_for_likewise(tmp_path: Path) -> None:
    data = bytes(range(256)) * 80
    with small_disk(tmp_path / "disk", "40m") as disk:
        queue = Queue(disk / "queue.sqlite", bytes_max=2**33)
        try:
            seqs = range(0, 2000, 20)
            kept = [queue.keep([of(seq + n, data) for n in range(20)], 1) for seq in seqs]
            assert 26 * 2**20 < sum(len(some.new) for some in kept) * len(data) < 32 * 2**20
            assert kept[-1].full == 20, "said, and brought again when there is room"
            queue.release(1999)
            assert queue.keep([of(2000, data)], 1).new == [2000]
        finally:
            queue.close()


def test_queues_that_share_a_disk_too_small_for_them_each_take_their_receipt(
    tmp_path: Path,
) -> None:
    """Of each up to 4 MiB are in its log, have no place in its file yet, and must find one."""
    data = bytes(6_000)
    with small_disk(tmp_path / "disk", "120m") as disk:
        queues = [Queue(disk / f"{n}.sqlite", bytes_max=2**33, queues=6) for n in range(6)]
        try:
            seq, open_for = 0, list(queues)
            while open_for:
                some = [of(seq + n, data) for n in range(8)]
                open_for = [queue for queue in open_for if not queue.keep(some, 1).full]
                seq += 8
            for queue in queues:
                queue.release(seq // 2)
                assert queue.receipted_seq() == seq // 2
        finally:
            for queue in queues:
                queue.close()


def test_a_disk_that_others_fill_after_a_start_takes_receipts_all_the_same(tmp_path: Path) -> None:
    """SQLite begins its log anew at 4 MiB, which it cannot come to there."""
    data = bytes(range(256)) * 80
    with small_disk(tmp_path / "disk", "40m") as disk:
        path = disk / "spool.sqlite"
        spool = Spool(path, bytes_max=2**33)
        for seq in range(200):
            spool.append(Stored(seq, "x", sha256(data).digest(), data, 1, seq), state={})
        spool.put({State.SHOWN: bytes(200_000)})
        spool.close()  # and its log is gone
        spool = Spool(path, bytes_max=2**33)
        spool.put({State.SHOWN: b"x" * 200_000})  # the log has so much, and gets no more
        try:
            with filled(disk):
                for seq in range(200):
                    with contextlib.suppress(SpoolError):  # now and then, and the collector
                        spool.release(seq, b"receipt")  # says it again
                assert spool.receipted_seq() > 190
        finally:
            spool.close()


def alarms(plant: Plant) -> set[str]:
    """What `edge status` says of the running agent."""
    spool, me = SpoolReader(plant.spool_path), who()
    try:
        told = status_of(
            plant.site, spool, plant.clock, certificate=me.certificate, collector=me.collector
        )
    finally:
        spool.close()
    return {alarm["name"] for alarm in told["alarms"]}


async def test_disk_that_fails_under_the_agent(
    plant: Plant, tmp_path: Path, committed: Callable[[], Readings],
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """`edge status` said "no alarms" for as long as nothing was kept."""
    disk, seen = FailingDisk(tmp_path / "disk"), list[set[str]]()
    disk.mount()
    try:
        on(plant, disk.folder)

        async def until_it_is_stopped() -> None:
            async with plant.running():
                await asyncio.sleep(0.7)
                seen.append(alarms(plant))
                disk.fail()
                await until(lambda: caplog.text.count("cannot be") > 5)  # it goes on trying
                monkeypatch.setattr("edge.status.UNKEPT_AFTER_NS", 0)  # 10 s else
                seen.append(alarms(plant))

        with (
            caplog.at_level(logging.DEBUG, "stackproof.edge"),
            pytest.raises(SpoolError, match="cannot be"),
        ):
            await until_it_is_stopped()
        assert ["not-kept" in names for names in seen] == [False, True]
        disk.unmount()
        disk.mount()
        await plant.run(0.4)
        objects = plant.kept()
        assert mistakes(objects) == []
        # of what the disk has not said yes to, one tick may be there: the one under way
        found, said = readings(objects), committed()
        assert {key: found.get(key) for key in said} == said
        assert len(found) - len(said) <= 1
        assert [reason for _, reason in told(objects).gaps] == ["restart"]
    finally:
        disk.unmount()


async def test_read_only_disk_at_start(plant: Plant, tmp_path: Path) -> None:
    disk = FailingDisk(tmp_path / "disk")
    disk.mount()
    try:
        on(plant, disk.folder)
        await plant.run(0.4)
        before = plant.kept()
        disk.fail()
        with pytest.raises(SpoolError, match=r"spool\.sqlite: cannot be opened as a spool"):
            await plant.agent().run(asyncio.Event())
        disk.unmount()
        disk.mount()
        assert plant.kept() == before
    finally:
        disk.unmount()


async def test_folder_without_the_right_to_write(plant: Plant, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    on(plant, folder)
    with pytest.raises(SpoolError, match="Permission denied"):
        await plant.agent().run(asyncio.Event())
