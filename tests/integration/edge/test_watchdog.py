"""An agent tells that it lives as long as its loop comes round, and no longer: also over HTTP."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from edge.drivers.base import DeviceSpec, Driver
from edge.poller import Poller
from tests.confined import command
from tests.integration.edge.conftest import Plant
from tests.json_lines import lines_about
from tests.listened import answer
from tests.notified import manager
from tests.ports import free_port
from tests.unit.edge.fakes import FakeDriver
from tests.unit.edge.sites import GATEWAY, PLANT, replaced, write_keys, write_site


async def hangs(*_: object) -> Any:
    """Never comes back, not even when it is ended."""
    Hung.begun.set()
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if Hung.over.is_set():
                raise


class Hung:
    """Set: something hangs; it is let go, for the test is over."""

    begun: asyncio.Event
    over: asyncio.Event


class Hanging(FakeDriver):
    """A driver whose reads do not end."""

    read = hangs


async def silence(plant: Plant, break_it: Callable[[], Awaitable[None]]) -> tuple[int, int]:
    """How often it was told while all was well, and after the break."""
    told: list[str] = []
    port = free_port()
    plant.text += f'\n[metrics]\nlisten = "127.0.0.1:{port}"\n'
    agent, stop, ready = plant.agent(), asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(agent.run(stop, ready.set, told.append))
    await ready.wait()
    agent.life._newest_ns -= 200 * 10**9  # and yet it is alive: it has told so since
    await asyncio.sleep(0.5)
    before = len(told)
    assert "newest tick 20" in told[-1]
    said = [await asyncio.to_thread(answer, f"http://127.0.0.1:{port}/livez")]
    await break_it()
    told.clear()
    await asyncio.sleep(0.5)
    after = len(told)
    with pytest.MonkeyPatch.context() as impatient:  # as three minutes later
        impatient.setattr("edge.life.PATIENCE_S", 0.3)
        impatient.setattr("edge.life.TURNS", 0)
        for path in ("livez", "readyz"):
            said.append(await asyncio.to_thread(answer, f"http://127.0.0.1:{port}/{path}"))
    Hung.over.set()
    stop.set()
    task.cancel()
    await asyncio.wait({task})
    assert [(status, text[:10]) for status, text in said] == [
        (200, "alive\n"), (503, "hangs for "), (503, "hangs for "),
    ]  # fmt: skip
    return before, after


@pytest.fixture(autouse=True)
def _hung() -> None:
    Hung.begun, Hung.over = asyncio.Event(), asyncio.Event()


async def test_poll_that_never_ends(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    async def break_it() -> None:
        monkeypatch.setattr(Poller, "poll", hangs)
        await Hung.begun.wait()

    before, after = await silence(plant, break_it)
    assert (before >= 4, after) == (True, 0)


async def test_driver_that_does_not_come_back(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The others are read on, but only a new process gets this device back."""
    monkeypatch.setattr("edge.link.STUCK_S", 0.1)

    def opener(spec: DeviceSpec) -> Driver:
        kind = Hanging if spec.id == "gas-1" else FakeDriver
        return kind(spec, plant.devices[spec.id])

    monkeypatch.setattr(plant.devices, "opener", opener)
    _, after = await silence(plant, lambda: asyncio.sleep(0.5))
    assert after == 0
    said = [record.message for record in caplog.records if "come back" in record.message]
    assert [sentence.partition(":")[0] for sentence in said] == ["gas-1"]


async def test_disk_that_hangs(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    async def break_it() -> None:
        monkeypatch.setattr("edge.disk.Disk.run", hangs)
        await Hung.begun.wait()

    assert (await silence(plant, break_it))[1] == 0


@pytest.mark.needs("systemd-analyze")
async def test_process_is_ready_and_lives(plant: Plant) -> None:
    """As its unit has systemd start it; that no meter answers is no hanging."""
    write_keys(plant.folder / "keys")
    text = replaced(plant.text, {'url = "mqtt://127.0.0.1:1883"': 'mode = "one-way"'})
    run = [sys.executable, "-m", "stackproof", "edge", "run", str(write_site(plant.folder, text))]
    with manager(plant.folder, WATCHDOG_USEC="180000000") as hearing:
        agent = await asyncio.create_subprocess_exec(
            *command("stackproof-edge", *run, "--log-format", "json"),
            env={**os.environ, **hearing.environment}, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            ready = await hearing.hear("READY=1")
            assert ready == ["READY=1", "STATUS=north-works/edge-1: running"]
            for _ in range(3):
                await hearing.hear("WATCHDOG=1")
        finally:
            agent.send_signal(signal.SIGABRT)  # as systemd does when it hears nothing any more
            _, log = await agent.communicate()
    lines, aborted, _ = log.partition(b"Fatal Python error: Aborted")
    said = lines_about(lines.decode(), devices=("ac-1", "gas-1"))
    assert {(line["plant"], line["gateway"]) for line in said} == {(PLANT, GATEWAY)}
    assert {line.get("device") for line in said} >= {"ac-1", "gas-1"}, "neither is there"
    assert aborted
    assert b"(most recent call first)" in log, "every thread says where it stood"
