"""The relay's doors: files that a ferry brings, and datagrams of whoever sends them."""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.errors import SpoolError
from edge.export import export
from edge.one_way.datagram import fragments
from edge.relay.datagrams import RelayDatagrams
from edge.relay.folder import FULL_WAIT_S, GROWING_S, LOOK_S, RelayFolder, _stamp
from edge.relay.intake import RelayIntake
from edge.relay.outer import Outer
from edge.relay.queue import Kept
from evidence import cose
from evidence.archive.export import Span, write_export
from evidence.frame import header_of, sign_object
from tests.unit.edge.fakes import ShiftedClock
from tests.unit.edge.sites import GATEWAY, PLANT, certificate, keys
from tests.unit.edge.stream_rig import Rig, collector, opened


class Lane:
    """Keeps everything, or says that it is full."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self.also_receipted = False
        self.is_full = self.fails = False
        self.gone = Kept([])
        self.stream = type("Stream", (), {"name": f"{PLANT}/{GATEWAY}"})

    async def keep(self, objects: list[Outer], *, also_receipted: bool) -> Kept:
        self.also_receipted = also_receipted
        if self.fails:
            raise SpoolError("a queue that is damaged")
        if self.is_full:
            return Kept([], full=len(objects))
        self.kept += [outer.data for outer in objects]
        gone, self.gone = self.gone, Kept([])
        return Kept([outer.seq for outer in objects], crowded=gone.crowded, gave_way=gone.gave_way)


class Clock(ShiftedClock):
    """Moves when told."""

    now_s = 100.0

    def monotonic_ns(self) -> int:
        return int(self.now_s * 1e9)


@pytest.fixture
def rig(tmp_path: Path) -> Any:
    spool, stream = opened(tmp_path / "spool.sqlite")
    made = Rig(spool, stream, collector())
    made.made(5)
    yield made
    spool.close()


@pytest.fixture
def at(tmp_path: Path) -> Any:
    lane, clock, inbox = Lane(), Clock(), tmp_path / "inbox"
    inbox.mkdir()
    intake = RelayIntake({(PLANT, GATEWAY): lane})  # type: ignore[dict-item] # a stand-in
    return lane, clock, intake, RelayFolder(inbox, intake, clock), inbox


async def look(folder: RelayFolder, clock: Clock, after_s: float) -> None:
    clock.now_s += after_s
    await folder.step()


async def test_file_is_taken_when_it_has_stopped_growing(rig: Rig, at: Any) -> None:
    lane, clock, intake, folder, inbox = at
    _, path = export(rig.spool, (PLANT, GATEWAY), out=inbox)
    whole = path.read_bytes()
    path.write_bytes(whole[:-2_000])
    await look(folder, clock, 0)
    await look(folder, clock, LOOK_S)
    assert (lane.kept, path.exists()) == ([], True), "a ferry that writes in place"
    assert folder.turns > 1, "to read is to go on: a watchdog would end it at each large file"
    path.write_bytes(whole)
    lane.is_full = True
    await look(folder, clock, LOOK_S)
    await look(folder, clock, LOOK_S)
    assert path.exists(), "there was no room: it waits"
    lane.is_full = False
    await look(folder, clock, LOOK_S)
    assert lane.kept == [], "and is not read again at once"
    await look(folder, clock, FULL_WAIT_S + LOOK_S)
    assert lane.kept == [stored.data for stored in rig.spool.objects(0, 9)]
    assert (path.exists(), folder.taken, intake.counts["kept"]) == (False, 1, 5)
    assert lane.also_receipted, "it may be there because a collector was set back"


async def test_what_is_no_export_or_of_nobody_is_kept_for_people(rig: Rig, at: Any) -> None:
    lane, clock, intake, folder, inbox = at
    _, path = export(rig.spool, (PLANT, GATEWAY), out=inbox)
    intake._lanes = {}
    (inbox / "noise.tar").write_bytes(os.urandom(3_000))
    longest = "x" * 251 + ".tar"
    (inbox / longest).write_bytes(b"noise")
    for after_s in (0, LOOK_S, GROWING_S):
        await look(folder, clock, after_s)
    names = {path.name for path in inbox.iterdir()}
    assert names == {"noise.refused", path.with_suffix(".refused").name, "x" * 247 + ".refused"}
    assert (folder.refused, intake.counts["stranger"], lane.kept) == (3, 5, [])
    await look(folder, clock, LOOK_S)
    assert folder.aside == 3
    (inbox / "noise.refused").unlink()
    await look(folder, clock, LOOK_S)
    assert (folder.aside, folder.others) == (2, 0), "until a person has looked"
    (folder._folder / "north-works-edge-1-0-5.TAR").touch()  # a ferry's name for it
    await folder.step()
    assert folder.others == 1


async def test_what_cannot_be_deleted_or_renamed_is_not_read_again(
    rig: Rig, at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is the ferry's own: days of files would be read each second."""
    lane, clock, _, folder, inbox = at
    export(rig.spool, (PLANT, GATEWAY), out=inbox)
    (inbox / "noise.tar").write_bytes(b"noise")
    for after_s in (0, GROWING_S - LOOK_S):
        clock.now_s += after_s
        folder._seen |= {path: (_stamp(path), 100.0) for path in inbox.iterdir()}

    def refuses(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuses)
        patch.setattr(Path, "replace", refuses)
        for _ in range(3):
            with pytest.raises(PermissionError, match=r"\.tar"):
                await look(folder, clock, LOOK_S)
        assert (len(lane.kept), folder.taken, folder.refused) == (5, 0, 0)
        turns = folder.turns
        with pytest.raises(PermissionError):
            await look(folder, clock, LOOK_S)
        assert folder.turns == turns, "nothing was read"
    await look(folder, clock, LOOK_S)
    assert (len(lane.kept), folder.taken, folder.refused) == (5, 1, 1)
    assert [path.name for path in inbox.iterdir()] == ["noise.refused"]


async def test_a_file_that_a_ferry_puts_in_anothers_place_is_taken_too(
    rig: Rig, at: Any, tmp_path: Path
) -> None:
    """As one that calls them all alike, and renames; some give all one time, too."""
    lane, clock, intake, folder, inbox = at
    path, later = inbox / "newest.tar", tmp_path / "next.tar"
    export(rig.spool, (PLANT, GATEWAY), first=0, last=1, out=path)
    export(rig.spool, (PLANT, GATEWAY), first=2, last=3, out=later)
    for one in (path, later):
        os.utime(one, (1, 1))
    while _stamp(later) == _stamp(path):  # the kernel's clock moves each few ms
        os.utime(later, (1, 1))
    assert _stamp(later)[:2] == _stamp(path)[:2]
    keep = intake.keep

    async def meanwhile(*args: Any, **kwargs: Any) -> int:
        if later.exists():
            later.replace(path)
        return int(await keep(*args, **kwargs))

    intake.keep = meanwhile
    for after_s in (0, LOOK_S):
        await look(folder, clock, after_s)
    assert (len(lane.kept), path.exists()) == (2, True)
    for after_s in (0, LOOK_S):
        await look(folder, clock, after_s)
    assert (len(lane.kept), path.exists(), folder.taken) == (4, False, 1)


async def test_what_is_no_regular_file_stops_nothing_and_is_neither_read_nor_waited_for(
    rig: Rig, at: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lane, clock, _, folder, inbox = at
    _, elsewhere = export(rig.spool, (PLANT, GATEWAY), out=tmp_path)
    odd = {
        "dangling": lambda path: path.symlink_to("nowhere"),
        "folder": Path.mkdir,
        "link": lambda path: path.symlink_to(elsewhere),
        "loop": lambda path: path.symlink_to(path),
        "pipe": os.mkfifo,
        "two\nlines": lambda path: path.symlink_to("nowhere"),
    }
    for name, make in odd.items():
        make(inbox / f"{name}.tar")
    shutil.copy(elsewhere, inbox / "zzzzzzzzzzzzzzzz.tar")  # looked at after all of them
    for _ in range(2):
        await look(folder, clock, LOOK_S)
    assert (len(lane.kept), folder.taken, folder.refused) == (5, 1, 6)
    assert {path.name for path in inbox.iterdir()} == {f"{name}.refused" for name in odd}
    assert elsewhere.exists()
    assert "'pipe.tar': refused, kept as .refused: no regular file" in caplog.text
    assert "\nlines" not in caplog.text


async def test_a_file_that_goes_or_is_changed_for_a_pipe_as_it_is_looked_at(
    rig: Rig, at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane, clock, _, folder, inbox = at
    _, path = export(rig.spool, (PLANT, GATEWAY), out=inbox)
    regular, lstat = path.lstat(), Path.lstat
    path.unlink()
    os.mkfifo(path)
    gone = inbox / "gone.tar"
    gone.touch()
    monkeypatch.setattr(
        Path, "lstat", lambda p: gone.unlink() or lstat(p) if p == gone else regular
    )
    for _ in range(2):
        await look(folder, clock, LOOK_S)
    assert (lane.kept, folder.refused) == ([], 1)


async def test_a_folder_that_is_gone_is_said(at: Any) -> None:
    """As when the share is no longer mounted: files would pile up, and all look well."""
    _, clock, _, folder, inbox = at
    await folder.step()
    inbox.rmdir()
    with pytest.raises(FileNotFoundError, match="inbox"):
        await look(folder, clock, LOOK_S)


async def test_a_queue_that_fails_keeps_no_other_gateways_objects_out(rig: Rig, at: Any) -> None:
    """Two gateways send to one port and into one folder."""
    lane, clock, intake, folder, inbox = at
    damaged = Lane()
    damaged.fails = True
    intake._lanes = {(PLANT, "a"): damaged, (PLANT, GATEWAY): lane}
    true = rig.spool.objects(0, 1)[0].data
    header, signer = replace(header_of(cose.parse(true)), stream="a"), keys().signer
    others = sign_object(signer, header, b"")
    port = RelayDatagrams(intake, clock, ("127.0.0.1", 0))
    port._transport = Any  # type: ignore[assignment] # nothing is listened to
    for datagram in [*fragments(others, 1, 0), *fragments(true, 2, 0)]:
        port.datagram_received(datagram, None)
    with pytest.raises(SpoolError, match="damaged"):
        await port.step()
    assert lane.kept == [true]
    signed = certificate(signer.public_key, name="a")
    with (inbox / "a.tar").open("wb") as file:  # looked at first
        span = Span(PLANT, "a", 0, 0)
        write_export(file, span, [signed], [others], object_bytes=len(others))
    export(rig.spool, (PLANT, GATEWAY), out=inbox)
    await look(folder, clock, 0)
    with pytest.raises(SpoolError, match="damaged"):
        await look(folder, clock, LOOK_S)
    assert (len(lane.kept), [path.name for path in inbox.iterdir()]) == (6, ["a.tar"])


async def test_datagrams_of_anybody(rig: Rig, at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lane, clock, intake, _, _ = at
    port = RelayDatagrams(intake, clock, ("127.0.0.1", 0))
    objects = [stored.data for stored in rig.spool.objects(0, 9)]
    port.datagram_received(os.urandom(900), None)
    for data in [b"whole, and no object", *objects, *objects]:
        for datagram in fragments(data, 1, 0):
            port.datagram_received(datagram, None)
    await port.step()
    assert lane.kept == [*objects, *objects], "the queue knows them by hash"
    for datagram in fragments(objects[0], 1, 0):
        port.datagram_received(datagram, None)
    await port.step()
    assert len(lane.kept) == 10, "what is on disk is not even put together again"
    assert (port.counts["noise"], intake.counts["garbage"]) == (1, 1)
    monkeypatch.setattr("edge.relay.datagrams.WAITING_BYTES_MAX", 10)
    rig.made(6)
    for datagram in fragments(rig.spool.objects(5, 1)[0].data, 1, 0):
        port.datagram_received(datagram, None)
    assert port.counts["busy"] == 1
    port.close()


@pytest.mark.parametrize("gone", [Kept([], crowded=1), Kept([], gave_way=1)])
async def test_what_gave_way_on_disk_is_taken_again_when_it_is_repeated(
    rig: Rig, at: Any, gone: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    lane, clock, intake, folder, inbox = at
    port = RelayDatagrams(intake, clock, ("127.0.0.1", 0))
    first, second = (stored.data for stored in rig.spool.objects(0, 2))

    async def comes(data: bytes) -> list[bytes]:
        lane.kept.clear()
        for datagram in fragments(data, 1, 0):
            port.datagram_received(datagram, None)
        await port.step()
        return list(lane.kept)

    assert (await comes(first), await comes(first)) == ([first], []), "it is on disk"
    lane.gone = gone
    assert await comes(second) == [second]
    assert (await comes(first), await comes(second)) == ([first], [second])
    lane.gone = gone
    export(rig.spool, (PLANT, GATEWAY), out=inbox)
    await look(folder, clock, 0)
    await look(folder, clock, LOOK_S)
    await port.step()
    assert await comes(first) == [first], "a file may take the room, too"
    assert ("1 object(s) are dropped" in caplog.text) == (gone.gave_way == 1)
    port.close()
