"""Hours of an agent's life in seconds: random faults of everything around it, and kills.

Devices come, go, answer late and answer nonsense; the disk is slow or refuses; the key does not
sign; the clock is set forward and back; the broker loses, repeats and reorders; the collector goes
deaf; the site file changes; the process is killed before or after any disk call, or stopped.
Afterwards everything it committed must be with the collector, once, under an unbroken chain, each
hole a signed gap and each computed point what its inputs give.
"""

import asyncio
import contextlib
import json
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from edge.agent import Agent
from edge.errors import SpoolError
from edge.pipeline import Layout, decode_tick
from edge.site.config import Site
from edge.spool import Spool
from edge.uplink.machine import Machine
from evidence import cose
from evidence.errors import KeyFileError
from evidence.frame import TYP_CLOSE
from evidence.keys import FileSigner
from evidence.points import Point, Role
from evidence.receipt import encode_close_request
from tests.integration.edge.small_collector import SmallCollector
from tests.integration.edge.streams import Readings, mistakes, readings, told
from tests.property.edge.virtual_loop import KilledError, VirtualClock, VirtualLoop
from tests.unit.edge.fakes import Devices
from tests.unit.edge.sites import (
    GATEWAY,
    PLANT,
    SITE,
    config_of,
    keys,
    replaced,
    site_of,
    who,
)

#: 2026-05-31 23:50 in Shanghai: a month ends in it
START_NS = 1_780_242_600 * 10**9
SLOW = 'profile = "stackproof/gas-meter"\ninterval_s = "5"'
REASONS = {"restart", "overrun", "clock-step", "clock-unsure", "spool-error", "spool-full"}


@cache
def sites(folder: Path) -> tuple[tuple[Site, dict[str, Any]], ...]:
    """Two editions of one plant's site."""
    first = replaced(SITE, {'profile = "stackproof/gas-meter"': SLOW})
    second = replaced(first, {"800/5": "400/5"})
    made = [site_of(folder, text) for text in (first, second)]
    return tuple((site, config_of(site)) for site in made)


class Wire:
    """Broker and collector at the other end of every uplink of the test."""

    def __init__(self, loop: VirtualLoop, chance: random.Random) -> None:
        own = keys()
        self.collector = SmallCollector(
            PLANT, GATEWAY, own.collector_signer, own.gateway.public_key()
        )
        self.loop, self.chance = loop, chance
        self.loss = 0.0
        self.uplinks: list[Uplink] = []

    def sent(self, data: bytes) -> None:
        """Lose, repeat and delay one object."""
        for _ in range(1 + (self.chance.random() < self.loss)):
            if self.chance.random() >= self.loss:
                self.loop.call_later(self.chance.uniform(0, 4 * self.loss), self._arrive, data)

    def _arrive(self, data: bytes) -> None:
        self.collector.take(data)
        if self.collector.objects and self.chance.random() >= self.loss:
            receipt = self.collector.receipt()
            self.loop.call_later(self.chance.uniform(0, 1), self._answer, receipt)

    def _answer(self, receipt: bytes) -> None:
        for uplink in self.uplinks:
            if uplink.is_up:
                uplink.on_message("x/receipts", receipt, self.chance.random() < 0.2)


class Uplink:
    """In the place of the MQTT transport."""

    wire: Wire

    def __init__(
        self,
        *_: object,
        on_connected: Callable[[], None],
        on_disconnected: Callable[[str], None],
        on_message: Callable[[str, bytes, bool], None],
        **__: object,
    ) -> None:
        self.on_connected, self.on_disconnected = on_connected, on_disconnected
        self.on_message = on_message
        self.is_up = False

    def start(self) -> None:
        self.wire.uplinks.append(self)
        self.wire.loop.call_later(self.wire.chance.uniform(0, 2), self.turn, True)

    def stop(self) -> None:
        self.is_up = False
        self.wire.uplinks.remove(self)

    def turn(self, up: bool) -> None:
        """Connect or disconnect."""
        if self in self.wire.uplinks and up != self.is_up:
            self.is_up = up
            if up:
                self.on_connected()
            else:
                self.on_disconnected("the test says so")

    def send_object(self, data: bytes) -> bool:
        if not self.is_up or self.wire.chance.random() < self.wire.loss / 4:
            return False
        self.wire.sent(data)
        return True

    def send_live(self, message: bytes) -> None:
        assert json.loads(message)["v"] == 1

    async def room(self) -> None:
        """At once: how many are under way is `test_uplink_window.py`'s."""

    def pace(self, seconds: float) -> None: ...

    def tell(self, state: bytes) -> None: ...


class Life:
    """One gateway's life."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.loop = VirtualLoop()
        self.clock = VirtualClock(self.loop, START_NS)
        self.folder, self.devices = folder, Devices()
        self.wire = Wire(self.loop, self.chance)
        self.committed: Readings = {}
        self.spools: list[Spool] = []
        self.edition = 0
        self.request = b""
        self.disk_refuses = self.spool_is_full = self.key_is_away = False
        self.kill_share = 0.0
        self.loop.kill = lambda: self.chance.random() < self.kill_share
        for device in ("ac-1", "gas-1", "pot-gateway"):
            self.devices[device].values = self._value

    def _value(self, point: Point) -> float:
        if point.role is Role.STATE:
            return 1 if self.chance.random() < 0.97 else 5
        if point.role is Role.TOTALISER:
            return self.clock.monotonic_ns() // 10**9
        if "pot-0" in point.id:
            burning = self.clock.monotonic_ns() // (7 * 10**9) % 5 == int(point.id[-9])
            return 30 if burning else 4.2
        return self.chance.randrange(100, 6000) if point.dtype.size < 4 else 400.5

    def agent(self) -> Agent:
        site, config = sites(self.folder)[self.edition]
        return Agent(site, config, who(), clock=self.clock, opener=self.devices.opener)

    # -- what goes wrong --------------------------------------------------------------------------

    async def fate(self) -> None:
        """One fault after the other, for ever."""
        faults = [self._device, self._device, self._disk, self._time, self._broker]
        faults += [self._losses, self._words, self._key]
        while True:
            await asyncio.sleep(self.chance.expovariate(0.2))
            self.chance.choice(faults)()

    def _device(self) -> None:
        device = self.devices[self.chance.choice(sorted(self.devices))]
        healthy = self.chance.random() < 0.5
        device.connects = healthy or self.chance.random() < 0.7
        device.answers = healthy or self.chance.random() < 0.7
        device.read_s = 0.01 if healthy else self.chance.choice([0.01, 0.3, 0.9, 1.5, 7])
        device.connect_s = 0.05 if healthy else self.chance.choice([0.05, 1, 10])
        device.error = None if healthy or self.chance.random() < 0.8 else KeyError("defect")

    def _disk(self) -> None:
        self.disk_refuses = self.chance.random() < 0.3
        self.spool_is_full = self.chance.random() < 0.1
        slow_s = self.chance.choice([0.001, 0.001, 0.02, 0.3, 2])
        self.loop.delay_s = lambda: self.chance.uniform(0, slow_s)

    def _key(self) -> None:
        self.key_is_away = self.chance.random() < 0.5

    def _time(self) -> None:
        seconds = self.chance.choice([0.3, -0.3, 2, -2, 40, -40, 4000, -4000])
        self.clock.offset_ns += int(seconds * 1e9)

    def _broker(self) -> None:
        for uplink in list(self.wire.uplinks):
            uplink.turn(self.chance.random() < 0.7)

    def _losses(self) -> None:
        self.wire.loss = self.chance.choice([0.0, 0.1, 0.5, 0.95])

    def _words(self) -> None:
        """The broker says things: requests to close, old and new, and noise."""
        collector = self.wire.collector
        if not collector.objects:
            return
        if self.chance.random() < 0.5:
            self.request = encode_close_request(
                collector.close_request(month=f"2026-{self.chance.randrange(1, 13):02}"),
                collector.signer,
            )
        topic = self.chance.choice(["x/config", "x/receipts"])
        data = self.chance.choice([self.request, self.chance.randbytes(40), collector.receipt()])
        for uplink in self.wire.uplinks:
            uplink.on_message(topic, data, self.chance.random() < 0.5)

    def peace(self) -> None:
        """Nothing goes wrong from here on."""
        self.wire.loss, self.kill_share = 0.0, 0.0
        self.disk_refuses = self.spool_is_full = self.key_is_away = False
        self.loop.delay_s = lambda: 0.001
        for device in self.devices.values():
            device.connects, device.answers, device.error = True, True, None
            device.connect_s = device.read_s = 0.01

    # -- running ----------------------------------------------------------------------------------

    async def run(self, seconds: float) -> str:
        """One process: how it ended."""
        self.loop.is_dead = False
        stop = asyncio.Event()
        others = asyncio.all_tasks()
        task = asyncio.create_task(self.agent().run(stop))
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            stop.set()
            await asyncio.wait({task}, timeout=60)
            assert task.done(), "it did not stop"
        try:
            await task
        except KilledError:
            await self._bury(others)
            return "killed"
        except SpoolError:
            return "disk"
        return "stopped"

    async def _bury(self, others: set[asyncio.Task[Any]]) -> None:
        """A killed process has no tasks, no connections and no open files."""
        self.wire.uplinks.clear()
        left = asyncio.all_tasks() - others
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for spool in self.spools:
            spool.close()

    async def live(self, seconds: float) -> list[str]:
        """Processes one after the other; how each ended."""
        ends = []
        fate = asyncio.create_task(self.fate())
        end_s = self.loop.now_s + seconds
        while self.loop.now_s < end_s:
            self.kill_share = self.chance.choice([0, 0.0005, 0.005, 0.05])
            ends.append(await self.run(self.chance.expovariate(1 / 60)))
            if self.chance.random() < 0.2:
                self.edition = 1 - self.edition
            await asyncio.sleep(self.chance.expovariate(0.3))
        fate.cancel()
        await asyncio.gather(fate, return_exceptions=True)
        self.peace()
        ends.append(await self.run(700))  # a clock far ahead is believed after 300 s
        return ends


@contextlib.contextmanager
def watched(life: Life, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The spool of the life: what it commits is remembered, and it refuses when told."""
    works = {name: getattr(Spool, name) for name in ("commit_ticks", "append", "release", "put")}

    def guarded(name: str) -> Callable[..., Any]:
        def call(spool: Spool, *args: Any, **kwargs: Any) -> Any:
            if life.disk_refuses and life.chance.random() < 0.5:
                raise SpoolError("cannot be written: disk I/O error")
            result = works[name](spool, *args, **kwargs)
            if name == "commit_ticks":
                life.committed.update(_decoded(life, args[0]))
            return result

        return call

    signs, own = FileSigner.sign, keys().signer.kid

    def sign(signer: FileSigner, message: bytes) -> bytes:
        if life.key_is_away and signer.kid == own:
            raise KeyFileError("no token in the slot")
        return signs(signer, message)

    monkeypatch.setattr(FileSigner, "sign", sign)
    opened = Spool.__init__

    def remembered(spool: Spool, path: Path, *, bytes_max: int) -> None:
        opened(spool, path, bytes_max=bytes_max)
        life.spools.append(spool)

    fill = Spool.fill
    monkeypatch.setattr(Spool, "__init__", remembered)
    monkeypatch.setattr(Spool, "fill", lambda spool: 1.0 if life.spool_is_full else fill(spool))
    for name in works:
        monkeypatch.setattr(Spool, name, guarded(name))
    monkeypatch.setattr(Uplink, "wire", life.wire, raising=False)
    monkeypatch.setattr("edge.delivery.MqttUplink", Uplink)
    monkeypatch.setattr("edge.uplink.sending.Machine", lambda: Machine(jitter=life.chance))
    yield


def _decoded(life: Life, ticks: list[bytes]) -> Readings:
    layout = Layout(sites(life.folder)[life.edition][1])
    return {
        (tick.schedule, tick.tick_ns): {
            g: (rows.raw.tobytes(), rows.quality.tobytes()) for g, rows in tick.rows.items()
        }
        for tick in (decode_tick(layout, data) for data in ticks)
    }


@pytest.mark.parametrize("seed", [5, 28])
def test_a_life(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live(seed, tmp_path, monkeypatch, seconds=900)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(1000, 1100))
def test_many_lives(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live(seed, tmp_path, monkeypatch, seconds=1800)


def live(seed: int, folder: Path, monkeypatch: pytest.MonkeyPatch, *, seconds: float) -> None:
    life = Life(folder, seed)
    with watched(life, monkeypatch):
        try:
            ends = life.loop.finish(life.live(seconds))
        finally:
            life.loop.close()
    objects = life.wire.collector.objects
    assert ends[-1] == "stopped"
    assert mistakes(objects) == []
    found = readings(objects)
    assert [key for key in life.committed if key not in found] == [], "committed and missing"
    assert [key for key in found if key not in life.committed] == [], "never committed"
    assert [key for key, groups in life.committed.items() if found[key] != groups] == []
    assert {reason for _, reason in told(objects).gaps} <= REASONS
    closes = [c.payload for c in map(cose.parse, objects) if c.typ == TYP_CLOSE]
    assert len(set(closes)) == len(closes), "a request was answered twice"
    spool = Spool(folder / "state" / "spool.sqlite", bytes_max=2**30)
    assert spool.objects(0, 1) == []
    assert spool.open_ticks() == []
    assert spool.unsigned() is None
    spool.close()
    assert len(found) > seconds / 10
