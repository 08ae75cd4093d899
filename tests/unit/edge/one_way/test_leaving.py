"""What leaves, in which order, and the ring that stays behind."""

import asyncio
import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edge.alarms import WAY_BLOCKED, standing
from edge.condition import condition_of
from edge.errors import ExportError, SpoolError
from edge.export import export
from edge.one_way import leaving
from edge.one_way import outbox as outbox_look
from edge.one_way.leaving import (
    OutboxLeaving,
    cursors_of,
    left_seq,
    turn_ring,
    way_facts,
)
from edge.site.config import Site
from edge.site.way import OutboxWay
from edge.spool_reader import SpoolReader
from edge.status import lines, status_of
from evidence.archive.export import ExportReader, Span, write_export
from tests.unit.edge.fakes import ShiftedClock
from tests.unit.edge.one_way.kit import DAY_NS, OWNER, Here, by_outbox, left, one_way
from tests.unit.edge.sites import (
    certificate,
    keys,
)
from tests.unit.edge.stream_rig import NOW_NS, Rig
from tests.waiting import ENOUGH_S, until

# -- the ring -----------------------------------------------------------------------------------


def test_ring_frees_by_age_only_what_has_left_every_pass(rig: Rig) -> None:
    late_ns = NOW_NS + 2 * DAY_NS
    assert turn_ring(rig.spool, late_ns, DAY_NS) == 0, "nothing has left"
    left(rig.spool, 6, 4)
    assert left_seq(rig.spool) == 3
    assert turn_ring(rig.spool, NOW_NS, DAY_NS) == 0, "young, and there is room"
    assert turn_ring(rig.spool, late_ns, DAY_NS) == 4
    assert (rig.spool.oldest_seq(), rig.spool.receipted_seq()) == (4, -1)
    assert rig.spool.hash_at(2) is not None, "receipts can still be judged"
    assert turn_ring(rig.spool, late_ns, DAY_NS) == 0
    rig.stream.take_receipt(rig.collector.receipt(), late_ns)
    assert rig.spool.oldest_seq() is None


def test_ring_frees_by_bytes(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    left(rig.spool, 6)
    monkeypatch.setattr(rig.spool, "_bytes_max", int(rig.spool.usage().bytes / 0.76))
    assert turn_ring(rig.spool, NOW_NS, DAY_NS) == 6


def test_passes_that_are_added_begin_where_the_last_one_stands(rig: Rig) -> None:
    assert cursors_of(rig.spool, 2) == [0, 0]
    left(rig.spool, 6, 4)
    assert cursors_of(rig.spool, 3) == [6, 4, 4]
    assert cursors_of(rig.spool, 1) == [6]


async def test_ring_lets_go_of_nothing_by_a_clock_that_nobody_believes(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a boot: the clock is a year ahead of the newest reading, until somebody sets it."""
    site, _ = by_outbox(tmp_path, 'folder = "out"\nfile_s = 1\n')
    clock, disk, turns = ShiftedClock(), Here(), list[int]()
    monkeypatch.setattr(clock, "wall_ns", lambda: NOW_NS + 365 * DAY_NS)
    monkeypatch.setattr(leaving, "TICK_S", 0.01)

    def turned(*what: Any) -> int:
        turns.append(freed := turn_ring(*what))
        return freed

    monkeypatch.setattr(leaving, "turn_ring", turned)
    left(rig.spool, 6)

    class Way:
        async def step(self) -> bool:
            return False

        def close(self) -> None: ...

    task = asyncio.create_task(leaving.leave_forever(Way(), site, rig.spool, clock, disk))
    try:
        await until(lambda: turns)
    finally:
        task.cancel()
        await asyncio.wait({task})
    assert (turns, rig.spool.oldest_seq()) == ([0], 0)


# -- files --------------------------------------------------------------------------------------


async def test_files_hold_the_stream_and_are_written_again_after_a_kill(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, way = by_outbox(tmp_path, 'folder = "out"\nfile_s = 1\nfile_kib_max = 64\n')
    clock, disk = ShiftedClock(), Here()
    outbox = OutboxLeaving(site, way, rig.spool, clock, disk)
    assert not await outbox.step()
    assert not way.folder.exists(), "it waits for more"
    for _ in range(2):  # the second time as if killed before the cursor was kept
        await _until_written(outbox)
        (path,) = way.folder.iterdir()
        assert path.name == "north-works-edge-1-0-5.tar"
        with path.open("rb") as file:
            found = [data for _, data in ExportReader(file).objects()]
        assert found == [stored.data for stored in rig.spool.objects(0, 9)]
        assert left_seq(rig.spool) == 5
        left(rig.spool, 0)
    (loop := way.folder / "loop.tar").symlink_to(loop)  # of a ferry
    facts = {"by": "outbox", "left_seq": -1, "files": 1, "bytes": path.stat().st_size, "hangs": ""}
    assert way_facts(way, rig.spool) == facts
    with monkeypatch.context() as patch:  # what it takes between the look at folder and file
        patch.setattr(Path, "iterdir", lambda folder: [folder / "taken.tar", path, loop])
        assert way_facts(way, rig.spool) == facts
    full = OutboxLeaving(site, OutboxWay(way.folder, 1, 1, 1), rig.spool, clock, disk)
    with pytest.raises(ExportError, match="the ferry has not taken"):
        await _until_written(full)


async def written(rig: Rig, site: Site, way: OutboxWay) -> None:
    """A start of the agent until it has written what is due, as if killed before the cursor."""
    await _until_written(OutboxLeaving(site, way, rig.spool, ShiftedClock(), Here()))


OURS = "north-works-edge-1-0-5.tar"


async def test_what_lies_under_the_next_files_name_is_no_file_that_has_left(
    rig: Rig, tmp_path: Path
) -> None:
    """Cut short, a link, or another plant's: the objects would count as brought out."""
    site, way = by_outbox(tmp_path, 'folder = "out"\nfile_s = 1\n')
    await written(rig, site, way)
    path = way.folder / OURS
    whole = path.read_bytes()
    for damage in (lambda: os.truncate(path, 5_000), path.unlink, lambda: _link(path)):
        left(rig.spool, 0)
        damage()
        await written(rig, site, way)
        assert (path.is_symlink(), path.read_bytes(), left_seq(rig.spool)) == (False, whole, 5)
    left(rig.spool, 0)
    path.unlink()
    path.mkdir()  # told; and no descriptor of it stays open, of which the agent has 4,096
    held = _descriptors()
    for _ in range(5):
        with pytest.raises(OSError, match=OURS):
            await written(rig, site, way)
    assert _descriptors() == held
    path.rmdir()
    with path.open("wb") as file:  # of plant "north", gateway "works-edge-1"
        span = Span("north", "works-edge-1", 0, 5)
        objects = [stored.data for stored in rig.spool.objects(0, 9)]
        signed = certificate(keys().gateway.public_key(), "gateway", span.stream, span.plant)
        write_export(file, span, [signed], objects, object_bytes=sum(map(len, objects)))
    others = path.read_bytes()
    with pytest.raises(ExportError, match=r"0-5\.tar is of north/works-edge-1: give each a folder"):
        await written(rig, site, way)
    assert (path.read_bytes(), left_seq(rig.spool)) == (others, -1)


def _descriptors() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


def _link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/null")


async def test_what_a_power_cut_leaves_is_cleared_and_all_files_count(
    rig: Rig, tmp_path: Path
) -> None:
    """Whatever a ferry calls those it has done with: the bound keeps the disk."""
    site, way = by_outbox(tmp_path, 'folder = "out"\nfile_s = 1\nmib_max = 16\n')
    way.folder.mkdir()
    others = ["north-works-edge-1-2-0-5.tar.part", "north-works-edge-10-0-5.tar.part", "x.part"]
    for name in ("north-works-edge-1-0-3.tar.part", *others):
        (way.folder / name).touch()
    await written(rig, site, way)
    assert {path.name for path in way.folder.iterdir()} == {OURS, *others}
    left(rig.spool, 0)
    sent = (way.folder / OURS).rename(way.folder / f"{OURS}.sent")
    os.truncate(sent, 16 * 2**20)
    with pytest.raises(ExportError, match="holds 16 MiB that the ferry has not taken"):
        await written(rig, site, way)


async def test_an_outbox_leaves_the_spool_what_it_needs_of_their_disk(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """12 MiB for what frees, and a file of 4: else neither a receipt nor a reading could follow."""
    site, way = by_outbox(tmp_path, 'folder = "out"\nfile_s = 1\n')
    free = 16 * 2**20 - 1
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free))
    with pytest.raises(ExportError, match="out is on the spool's disk, which has 15 MiB left: "):
        await written(rig, site, way)
    assert [*way.folder.iterdir()] == []
    free += 1
    await written(rig, site, way)
    assert left_seq(rig.spool) == 5


async def test_a_file_that_hangs_does_not_hold_the_spools_log(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that stays lets it grow by 1.5 GB a day."""
    site, way = by_outbox(tmp_path, 'folder = "out"\nfile_s = 1\n')
    logs = list[tuple[int, ...]]()

    def hangs(_: int) -> None:
        db = sqlite3.connect(rig.spool._path, isolation_level=None, timeout=0)
        with contextlib.closing(db):
            db.execute("UPDATE state SET value = value")  # as the agent goes on
            logs.append(db.execute("PRAGMA wal_checkpoint(RESTART)").fetchone())

    monkeypatch.setattr(os, "fsync", hangs)
    await written(rig, site, way)
    assert {busy for busy, *_ in logs} == {0}


async def test_what_a_receipt_frees_under_a_file_that_is_written_ends_no_agent(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing holds the spool as it was, so it is tried again: from what is left."""
    site, way = by_outbox(tmp_path, 'folder = "out"\nfile_s = 1\n')
    sizes = SpoolReader.size_of

    def freed(*of: Any) -> int:
        with contextlib.closing(sqlite3.connect(site.gateway.spool)) as db, db:
            db.execute("DELETE FROM objects WHERE seq <= 2")
        return sizes(*of)

    with monkeypatch.context() as patch:
        patch.setattr(SpoolReader, "size_of", freed)
        with pytest.raises(SpoolError, match="seq 0 is not there"):
            await written(rig, site, way)
    await written(rig, site, way)
    assert [path.name for path in way.folder.iterdir()] == ["north-works-edge-1-3-5.tar"]


async def test_a_folder_that_is_gone_is_made_by_nobody_once_something_has_left(
    rig: Rig, tmp_path: Path
) -> None:
    """It may be a share that is not mounted: no ferry ever looks beneath its place."""
    site, way = by_outbox(tmp_path, 'folder = "share/out"\nfile_s = 1\n')
    await written(rig, site, way)
    assert left_seq(rig.spool) == 5
    left(rig.spool, 0)
    way.folder.rename(tmp_path / "elsewhere")
    with pytest.raises(ExportError, match="share/out is not there: mount its share"):
        await written(rig, site, way)
    assert ([*way.folder.parent.iterdir()], left_seq(rig.spool)) == ([], -1)
    assert way_facts(way, rig.spool)["files"] == 0


async def test_who_asks_how_a_folder_stands_that_hangs_is_answered(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often: one thread stands, and none of them is in the midst of reading the spool."""
    site, way = by_outbox(tmp_path, 'folder = "out"\nfile_s = 1\n')
    answers, times, midst = threading.Event(), list[Path](), list[bool]()

    def hangs(folder: Path) -> list[int]:
        times.append(folder)
        midst.append(reader._db.in_transaction)  # then the spool's log would grow for ever
        answers.wait(60)
        return [1, 2]

    monkeypatch.setattr(outbox_look, "sizes_of", hangs)
    monkeypatch.setattr(outbox_look, "LOOK_S", 0.05)
    root = certificate(keys().gateway.public_key(), "gateway")
    reader = SpoolReader(rig.spool._path)
    asked = {"certificate": root, "collector": keys().collector.public_key()}
    for _ in range(3):
        told = status_of(site, reader, ShiftedClock(), **asked)
    (said,) = [alarm["sentence"] for alarm in told["alarms"] if alarm["name"] == WAY_BLOCKED]
    assert said == f"{way.folder} does not answer: look at its share, and whether its server runs"
    assert any(f"one way out: outbox, {said}; left up to seq -1" in line for line in lines(told))
    assert (told["way"]["files"], times, midst) == (None, [way.folder], [False])
    answers.set()
    await until(lambda: way_facts(way, reader)["files"] == 2)
    reader.close()


async def test_a_folder_that_hangs_is_said_and_waited_for(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A share that is away: its thread stands, and the ring and the alarms go on."""
    monkeypatch.setattr(leaving, "BLOCKED_S", 0.05)
    site, way = by_outbox(tmp_path, 'folder = "out"\nfile_s = 1\n')
    outbox = OutboxLeaving(site, way, rig.spool, ShiftedClock(), Here())
    answers, write, times = threading.Event(), outbox._write, list[int]()

    def hangs(*what: Any) -> None:
        times.append(1)
        answers.wait(60)
        write(*what)

    monkeypatch.setattr(outbox, "_write", hangs)
    for _ in range(2):
        with pytest.raises(ExportError, match="out does not answer"):
            await _until_written(outbox)
    monkeypatch.setattr(leaving, "BLOCKED_S", ENOUGH_S)
    answers.set()
    await _until_written(outbox)
    assert (len(times), left_seq(rig.spool)) == (1, 5), "written once"


@pytest.mark.parametrize("made", [Path.symlink_to, Path.hardlink_to, Path.mkdir])
def test_a_ferry_cannot_have_the_agent_write_into_what_is_the_agents(
    rig: Rig, tmp_path: Path, made: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may write into the outbox, and knows how the next file will be called."""
    key, out = tmp_path / "gateway.pem", tmp_path / "out"
    key.write_text("a key")
    out.mkdir()
    part = out / "north-works-edge-1-0-5.tar.part"
    if made is Path.mkdir:
        part.mkdir()
        with pytest.raises(ExportError, match=r"0-5\.tar: cannot be written: Is a dir"):
            export(rig.spool, OWNER, out=out)
        return
    made(part, key)
    _, path = export(rig.spool, OWNER, out=out)
    with path.open("rb") as file:
        assert len(list(ExportReader(file).objects())) == 6
    assert ([*out.iterdir()], key.read_text()) == ([path], "a key")
    path.unlink()
    unlink = Path.unlink

    def too_late(gone: Path, *, missing_ok: bool = False) -> None:
        unlink(gone, missing_ok=missing_ok)
        made(gone, key)

    monkeypatch.setattr(Path, "unlink", too_late)
    with pytest.raises(ExportError, match="File exists"):
        export(rig.spool, OWNER, out=out)
    assert key.read_text() == "a key"


async def _until_written(outbox: OutboxLeaving) -> None:
    for _ in range(3):
        await outbox.step()
        outbox._since_s = None if outbox._since_s is None else outbox._since_s - 10


async def test_a_way_that_stays_blocked_is_an_alarm_until_it_is_free(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outbox that nobody empties, and then somebody does."""
    monkeypatch.setattr(leaving, "BLOCKED_S", 0.0)
    monkeypatch.setattr(leaving, "SEND_AGAIN_S", 0.01)
    monkeypatch.setattr(leaving, "TICK_S", 0.01)
    site = one_way(tmp_path, '[uplink.outbox]\nfolder = "out"\nfile_s = 1\nmib_max = 16\n')
    held = tmp_path / "out" / "held.tar"
    held.parent.mkdir()
    held.touch()
    os.truncate(held, 16 * 2**20)
    clock, disk = ShiftedClock(), Here()
    way = leaving.leaving_of(site, rig.spool, clock, disk)
    assert way is not None
    task = asyncio.create_task(leaving.leave_forever(way, site, rig.spool, clock, disk))
    try:
        await until(lambda: "the ferry has not taken" in condition_of(rig.spool, 0).blocked)
        assert WAY_BLOCKED in standing(condition_of(rig.spool, 0), NOW_NS, DAY_NS)
        held.unlink()
        await until(lambda: condition_of(rig.spool, 0).blocked == "")
        assert left_seq(rig.spool) == 5
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        disk.close()
