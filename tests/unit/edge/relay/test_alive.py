"""A relay tells that it lives as long as its ways in and its disk go on, and no longer."""

import asyncio
import contextlib
import os
import re
import socket
import sqlite3
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.clock import SystemClock
from edge.errors import SpoolError
from edge.export import export
from edge.relay.config import load_relay
from edge.relay.queue import Queue
from edge.relay.service import Relay, queue_path
from edge.relay.status import lines, status_of
from tests.confined import command
from tests.json_lines import lines_about
from tests.listened import answer
from tests.notified import manager
from tests.ports import free_port
from tests.unit.edge.relay.test_queue import of
from tests.unit.edge.relay.test_relay_file import GOOD, STREAM, written
from tests.unit.edge.sites import GATEWAY, PLANT, replaced
from tests.unit.edge.stream_rig import Rig, collector, opened
from tests.waiting import ENOUGH_S, until


async def hangs(*_: object) -> None:
    await asyncio.Event().wait()


def fails(*_: object) -> None:
    raise OSError("no such disk")


def told_of(relay: Relay) -> dict[str, Any]:
    """What `relay status` tells of its stream beside the process."""
    return dict(status_of(relay._config, SystemClock())["streams"][0])


def fails_of(relay: Relay) -> object:
    return status_of(relay._config, SystemClock())["fails"]


def broker_of(relay: Relay) -> dict[str, Any]:
    """Nothing before the first try."""
    return told_of(relay)["broker"] or {}


def file_of(folder: Path) -> Path:
    ports = {":1883": f":{free_port()}", ":5514": f":{free_port()}"}
    return written(folder, replaced(GOOD, ports))


@pytest.mark.parametrize(
    ("part", "becomes", "is_alive"),
    [
        ("edge.relay.folder.RelayFolder.step", hangs, False),
        ("edge.relay.datagrams.RelayDatagrams.step", hangs, False),
        ("edge.disk.Disk.run", hangs, False),
        ("edge.relay.folder._files", fails, True),
    ],
)
async def test_what_hangs_is_not_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, becomes: Callable[..., None],
    is_alive: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr("edge.relay.service.COUNTS_S", 0.02)
    monkeypatch.setattr("edge.relay.folder.LOOK_S", 0.02)
    told: list[str] = []
    stop, ready = asyncio.Event(), asyncio.Event()
    relay = Relay(load_relay(file_of(tmp_path)), SystemClock())
    task = asyncio.create_task(relay.run(stop, ready.set, told.append))
    try:
        await ready.wait()
        relay.life._newest_ns -= 200 * 10**9  # and yet it is alive: it has told so since
        told.clear()
        async with asyncio.timeout(ENOUGH_S):
            while not told:  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.01)
        assert told[0] == "1 streams, 0 with a broker"
        await until(lambda: broker_of(relay))  # written by another thread
        assert re.search(r"refused.* relay doctor .* says more$", broker_of(relay)["reason"])
        with monkeypatch.context() as forged:
            assert not told_of(relay)["unanswered"]
            forged.setattr("edge.relay.lane.Lane.is_unanswered", True)
            await until(lambda: told_of(relay)["unanswered"])
        with monkeypatch.context() as broken:
            assert relay.life.live() == (True, "alive")
            assert relay.life.ready() == (True, "ready"), "no broker is there"
            broken.setattr(part, becomes)
            for _ in range(50):  # what had begun may end
                told.clear()
                await asyncio.sleep(0.2)
                if bool(told) is is_alive:
                    break
            assert bool(told) is is_alive
            if is_alive:
                assert relay.life.ready() == (False, "fails, and is tried again: folder")
                await until(lambda: fails_of(relay) == {"folder": "no such disk"})
            broken.setattr("edge.life.PATIENCE_S", 5.0 if is_alive else 0.2)  # as 3 min later
            broken.setattr("edge.life.TURNS", 0)
            assert relay.life.live().is_so is is_alive
    finally:
        stop.set()
        task.cancel()
        await asyncio.wait({task})


async def test_an_address_or_folder_that_is_not_there_yet_stops_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody has the port, and lets it go; a file stands where the folder belongs."""
    config = load_relay(file_of(tmp_path))
    assert config.udp is not None
    stop, ready = asyncio.Event(), asyncio.Event()
    relay = Relay(config, SystemClock())
    inbox = tmp_path / "inbox"
    inbox.touch()  # no folder, nor can there be one
    with socket.socket(type=socket.SOCK_DGRAM) as held:
        held.bind(config.udp)
        task = asyncio.create_task(relay.run(stop, ready.set))
        await ready.wait()
        await until(lambda: relay.life.ready() == (False, "fails, and is tried again: UDP, folder"))
        inbox.unlink()
        await until(lambda: relay.life.ready() == (False, "fails, and is tried again: UDP"))
        assert f"UDP 127.0.0.1:{config.udp[1]} cannot be had: Address already in use" in caplog.text
        stop.set()
        await task  # ends as ever
        for event in (stop, ready):
            event.clear()
        inbox.rmdir()  # as a share that a boot has not mounted
        relay = Relay(config, SystemClock())
        task = asyncio.create_task(relay.run(stop, ready.set))
        await ready.wait()
    await until(lambda: relay.life.ready() == (False, "fails, and is tried again: folder"))
    inbox.mkdir()
    await until(lambda: relay.life.ready() == (True, "ready"))
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.sendto(b"noise", config.udp)
        await until(lambda: "noise" in str(status_of(config, SystemClock())["counts"]))
    stop.set()
    await task


def _no_database(file: Path) -> None:
    file.write_bytes(b"no database" * 1_000)


def _without_an_index(file: Path) -> None:
    """Its head is whole, and what a stream begins with cannot be read."""
    with contextlib.closing(sqlite3.connect(file)) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'known'").fetchone()
    with file.open("r+b") as data:
        data.seek((page - 1) * 4096)
        data.write(b"\xff" * 4096)


@pytest.mark.parametrize("damages", [_no_database, _without_an_index])
async def test_a_damaged_queue_stops_no_other_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    damages: Callable[[Path], None],
) -> None:  # fmt: skip
    """What comes of it waits in the folder until somebody has moved the file away."""
    monkeypatch.setattr("edge.relay.service.OPEN_AGAIN_S", 0.05)
    monkeypatch.setattr("edge.relay.service.COUNTS_S", 0.05)
    monkeypatch.setattr("edge.relay.folder.LOOK_S", 0.05)
    file = file_of(tmp_path)
    file.write_text(file.read_text() + replaced(STREAM, {'"edge-1"': '"edge-2"'}))
    config = load_relay(file)
    path = queue_path(config, PLANT, GATEWAY)
    held = Queue(path, bytes_max=2**24)
    held.keep([of(seq) for seq in range(50)], 5)
    held.close()
    whole = path.read_bytes()
    damages(path)
    spool, stream = opened(tmp_path / "spool.sqlite")
    Rig(spool, stream, collector()).made(2)
    (tmp_path / "inbox").mkdir()
    export(spool, (PLANT, GATEWAY), out=tmp_path / "inbox")
    spool.close()
    stop, ready = asyncio.Event(), asyncio.Event()
    relay = Relay(config, SystemClock())
    task = asyncio.create_task(relay.run(stop, ready.set))
    try:
        await ready.wait()
        assert relay.life.ready() == (False, f"fails, and is tried again: queue of {PLANT}/edge-1")
        assert re.search(rf"{path}: cannot be .*move it away.*; tried again", caplog.text)
        assert [(r.plant, r.gateway) for r in caplog.records if "move it" in r.message] == [
            (PLANT, GATEWAY)
        ]
        await until(lambda: "folder" in str(fails_of(relay)))
        assert f"FAILS: queue of {PLANT}/edge-1: {path}: cannot" in "\n".join(
            lines(config, status_of(config, SystemClock()))
        )
        assert len([*(tmp_path / "inbox").iterdir()]) == 1
        for end in ("-wal", "-shm"):
            path.with_name(f"{path.name}{end}").unlink(missing_ok=True)
        given_back = tmp_path / "whole"
        given_back.write_bytes(whole)
        given_back.replace(path)  # at once: the relay tries to open what is there all the time
        await until(lambda: relay.life.ready() == (True, "ready"))
        await until(lambda: not [*(tmp_path / "inbox").iterdir()])
        assert told_of(relay)["objects"] == 52, "rivals of 0 and 1, too"
    finally:
        stop.set()
        await asyncio.wait({task})
    assert task.exception() is None


async def test_a_relay_none_of_whose_queues_can_be_had_ends(tmp_path: Path) -> None:
    config = load_relay(file_of(tmp_path))
    held = queue_path(config, PLANT, GATEWAY)
    held.parent.mkdir(parents=True)
    _no_database(held)
    with pytest.raises(SpoolError, match=f"{held}: cannot be opened as a relay's queue"):
        await Relay(config, SystemClock()).run(asyncio.Event())


@pytest.mark.needs("systemd-analyze")
async def test_process_is_ready_and_lives(tmp_path: Path) -> None:
    """As its unit has systemd start it; no broker answers, and nothing but JSON comes of it."""
    port, file = free_port(), file_of(tmp_path)
    file.write_text(f'{file.read_text()}[metrics]\nlisten = "127.0.0.1:{port}"\n')
    run = [sys.executable, "-m", "stackproof", "relay", "run", str(file)]
    with manager(tmp_path, WATCHDOG_USEC="180000000") as hearing:
        relay = await asyncio.create_subprocess_exec(
            *command("stackproof-relay", *run, "--log-format", "json"),
            env={**os.environ, **hearing.environment}, stdout=PIPE, stderr=PIPE,
        )  # fmt: skip
        try:
            assert await hearing.hear("READY=1") == ["READY=1", "STATUS=running"]
            await hearing.hear("WATCHDOG=1")
            said = [
                await asyncio.to_thread(answer, f"http://127.0.0.1:{port}/{path}")
                for path in ("livez", "readyz", "")
            ]
            assert relay.stderr
            before = await relay.stderr.readuntil(b"broker away")
        finally:
            relay.terminate()
            printed, after = await relay.communicate()
    assert (relay.returncode, printed) == (0, b"")
    assert said == [
        (200, "alive\n"), (200, "ready\n"), (404, "there are /metrics, /livez, /readyz\n"),
    ]  # fmt: skip
    logged = (before + after).decode()
    lines = lines_about(logged, plants=("north-works",), gateways=("edge-1",))
    sentences = {line["message"] for line in lines}
    assert {"relay: running", "relay: stopped"} <= sentences
    assert any("north-works/edge-1: broker away" in sentence for sentence in sentences)
