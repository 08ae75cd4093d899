"""An agent of 0.1 s ticks on fake devices, run inside the test."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from edge.agent import Agent
from edge.identity import Identity
from edge.site.config import Site
from edge.spool import Spool
from edge.spool_reader import SpoolReader, Stored
from tests.integration.edge import starved
from tests.integration.edge.small_collector import SmallCollector
from tests.ports import free_port
from tests.unit.edge.fakes import Devices, ShiftedClock
from tests.unit.edge.sites import GATEWAY, METERS, PLANT, config_of, keys, site_of, who


def fast(text: str = METERS, interval_s: str = "0.1") -> str:
    """The site with every device read ten times a second."""
    meter = 'provenance = "meter-direct"'
    return text.replace(meter, f'{meter}\ninterval_s = "{interval_s}"')


class NoUplink:
    """A broker that is never there."""

    def __init__(self, *_: object, on_disconnected: Callable[[str], None], **__: object) -> None:
        self._on_disconnected = on_disconnected

    def start(self) -> None:
        self._on_disconnected("it is never there")

    def stop(self) -> None: ...

    def pace(self, seconds: float) -> None: ...

    def send_live(self, message: bytes) -> None:
        json.loads(message)


@dataclass
class Plant:
    """A site in a folder, its devices, its clock; `running` runs an agent on it."""

    folder: Path
    text: str = field(default_factory=fast)
    devices: Devices = field(default_factory=Devices)
    clock: ShiftedClock = field(default_factory=ShiftedClock)
    port: int = field(default_factory=free_port)
    state_dir: Path | None = None
    own: Identity | None = None

    @property
    def site(self) -> Site:
        return site_of(self.folder, self.text.replace(":1883", f":{self.port}"))

    @property
    def spool_path(self) -> Path:
        return (self.state_dir or self.folder / "state") / "spool.sqlite"

    def agent(self) -> Agent:
        site = self.site
        return Agent(
            site,
            config_of(site),
            self.own or who(gateway=site.gateway.id),
            clock=self.clock,
            opener=self.devices.opener,
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Agent]:
        """An agent that has begun to tick; stopped cleanly at the end."""
        agent, stop, ready = self.agent(), asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(agent.run(stop, ready.set))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        try:
            if task.done():
                await task
            yield agent
        finally:
            starved.look()  # its threads end with it
            stop.set()
            await task

    async def run(self, seconds: float) -> None:
        """Run an agent for a while."""
        async with self.running():
            await asyncio.sleep(seconds)

    def kept(self) -> list[bytes]:
        """Every object in the spool of a stopped agent."""
        return list(self.in_spool(lambda spool: [s.data for s in spool.objects(0, 100_000)]))

    def beside(self) -> list[Stored]:
        """The objects in the spool of a running agent."""
        spool = SpoolReader(self.spool_path)
        try:
            return spool.objects(0, 100_000)
        finally:
            spool.close()

    def waiting(self) -> int:
        """Frames in the spool of a running agent that wait to be signed."""
        spool = SpoolReader(self.spool_path)
        try:
            return spool.usage().unsigned
        finally:
            spool.close()

    def in_spool(self, look: Callable[[Spool], Any]) -> Any:
        """What a look at a stopped agent's spool gives."""
        spool = Spool(self.spool_path, bytes_max=2**30)
        try:
            return look(spool)
        finally:
            spool.close()


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """The agents here run in real time: `starved` says what that means on a busy machine."""
    starved.run(item, nextitem)
    return True


@pytest.fixture
def collector() -> Iterator[SmallCollector]:
    """The collector of the plant; `start(port)` connects it."""
    made = keys()
    collector = SmallCollector(PLANT, GATEWAY, made.collector_signer, made.gateway.public_key())
    yield collector
    collector.stop()


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plant:
    """Two meters, ten ticks a second, frames of half a second, no broker."""
    monkeypatch.setattr("edge.delivery.MqttUplink", NoUplink)
    monkeypatch.setattr("edge.delivery.UNREACHABLE_S", 0.0)
    return plant_in(tmp_path, monkeypatch)


@pytest.fixture
def wired_plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plant:
    """The same plant with the real transport, quicker to try again and to do without a broker."""
    monkeypatch.setattr("edge.uplink.mqtt.RECONNECT_S_MIN", 0.2)
    monkeypatch.setattr("edge.uplink.mqtt.RECONNECT_S_MAX", 0.4)
    monkeypatch.setattr("edge.delivery.UNREACHABLE_S", 0.5)
    return plant_in(tmp_path, monkeypatch)


def plant_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plant:
    monkeypatch.setattr("edge.pipeline.FRAME_NS_MAX", 500_000_000)
    made = Plant(tmp_path)
    made.devices["ac-1"].value, made.devices["gas-1"].value = 5000, 1000  # 50.00 Hz, 100.0 degC
    return made
