"""The agent as a real process, killed again and again: no committed reading missing, none twice.

Before each restart the test reads what the dead process had committed, out of a copy of its spool;
in the end all of it must be in the collector's stream, byte for byte, computed points included.
"""

import asyncio
import contextlib
import hashlib
import random
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge.pipeline import Layout, decode_tick
from edge.spool import Spool
from evidence import cbor, cose
from evidence.blocks import decompress
from tests.integration.edge.brokers import NAMES, Broker
from tests.integration.edge.potline_meter import playing, site_text, write_profile
from tests.integration.edge.small_collector import SmallCollector
from tests.integration.edge.streams import Readings, frames, mistakes, readings, told
from tests.ports import free_port
from tests.unit.edge.sites import write_keys, write_site

RUNS, RUNS_LONG = 5, 150


@dataclass
class Child:
    """`stackproof edge run` on a site file, again and again."""

    site: Path
    process: asyncio.subprocess.Process | None = None
    away: list[tuple[int, int]] = field(default_factory=list)
    committed: Readings = field(default_factory=dict)
    died_ns: int = 0

    @property
    def spool(self) -> Path:
        return self.site.parent / "state" / "spool.sqlite"

    async def start(self) -> None:
        if self.died_ns:
            self.away.append((self.died_ns, time.time_ns()))
        with (self.site.parent / "edge.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "stackproof", "edge", "run", str(self.site),
                stdout=asyncio.subprocess.PIPE, stderr=log, stdin=asyncio.subprocess.DEVNULL,
            )  # fmt: skip

    async def running(self) -> None:
        """Wait until it takes ticks."""
        assert self.process is not None
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), 30)
        assert line.endswith(b"running\n"), (self.site.parent / "edge.log").read_text()

    async def end(self, number: int) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        status = await asyncio.wait_for(self.process.wait(), 30)
        self.died_ns = time.time_ns()
        return status

    def look(self, collector: SmallCollector) -> int:
        """Remember what the dead process had committed; how many open ticks there were.

        Whatever has reached the collector must be in the spool, or freed by a receipt.
        """
        copy = self.site.parent / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.spool.parent, copy)
        spool = Spool(copy / "spool.sqlite", bytes_max=2**30)
        objects = [s.data for s in spool.objects(0, 100_000)]
        self.committed.update(readings(objects))
        sent = collector.objects[: collector.head.next_seq]
        assert spool.head().next_seq >= len(sent), "an object was sent before it was kept"
        for seq, data in enumerate(sent[-1000:], start=max(0, len(sent) - 1000)):
            assert spool.hash_at(seq) == hashlib.sha256(data).digest(), "two objects of one seq"
        assert spool.receipted_seq() < len(sent), "freed, and the collector does not have it"
        left = spool.open_ticks()
        if left:
            layout = Layout(cbor.decode(spool.get("config") or b""))
            for data in left:
                tick = decode_tick(layout, data)
                self.committed[tick.schedule, tick.tick_ns] = {
                    g: (rows.raw.tobytes(), rows.quality.tobytes()) for g, rows in tick.rows.items()
                }
        spool.close()
        return len(left)


@dataclass
class Rig:
    """Everything around the agent."""

    child: Child
    broker: Broker
    collector: SmallCollector


@contextlib.asynccontextmanager
async def rig_of(folder: Path, name: str, seed: int, made: SmallCollector) -> AsyncIterator[Rig]:
    broker = Broker(name, folder / "broker")
    write_keys(folder / "keys")
    write_profile(folder)
    async with playing(seed) as device:
        text = site_text(device.url, broker=broker.url, nobody=free_port())
        child = Child(write_site(folder, text))
        broker.start()
        made.start(broker.port)
        try:
            yield Rig(child, broker, made)
        finally:
            if child.process is not None and child.process.returncode is None:
                await child.end(signal.SIGKILL)
            broker.stop()


def receipted(child: Child) -> bool:
    """A stopped agent's spool holds nothing any more that waits for a receipt."""
    spool = Spool(child.spool, bytes_max=2**30)
    try:
        return spool.objects(0, 1) == [] and spool.open_ticks() == []
    finally:
        spool.close()


@pytest.mark.parametrize("name", NAMES)
async def test_killed_agent(name: str, tmp_path: Path, collector: SmallCollector) -> None:
    await killed(name, tmp_path, collector, RUNS)


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", NAMES)
async def test_agent_killed_hundreds_of_times(
    name: str, tmp_path: Path, collector: SmallCollector
) -> None:
    await killed(name, tmp_path, collector, RUNS_LONG)


async def killed(name: str, folder: Path, collector: SmallCollector, runs: int) -> None:
    """Kill an agent so many times; then nothing may be missing, twice or changed."""
    chance = random.Random(f"kills {name}")
    async with rig_of(folder, name, 7, collector) as rig:
        child = rig.child
        open_ticks = 0
        for run in range(runs):
            await child.start()
            if run % 3 == 2:
                await asyncio.sleep(chance.uniform(0.2, 1.5))  # somewhere in its start
            else:
                await child.running()
                await asyncio.sleep(chance.uniform(0.2, 1.6))
            await child.end(signal.SIGKILL)
            open_ticks += child.look(collector)
            if run % 5 == 1:
                rig.broker.stop(signal.SIGKILL)  # and away for the whole next run
            if run % 5 == 3:
                rig.broker.start()
        assert open_ticks > 3, "the kills met no open frame; nothing was tried"
        await child.start()
        await child.running()
        await asyncio.sleep(2)  # running effects and their merging go on after the last restart
        for _ in range(30):
            if effects_seen(collector.objects) > 5:
                break
            await asyncio.sleep(1)  # a starved machine takes fewer ticks between two kills
        assert await child.end(signal.SIGTERM) == 0
        child.look(collector)
        log = (folder / "edge.log").read_text()
        assert receipted(child), log
    objects = collector.objects
    assert collector.forks == 0
    assert mistakes(objects) == []
    found = readings(objects)
    missing = [key for key in child.committed if key not in found]
    assert missing == []
    changed = [key for key, groups in child.committed.items() if found[key] != groups]
    assert changed == []
    _check_gaps(objects, child)
    assert "Traceback" not in log
    print(f"{runs} kills, {len(objects)} objects, {len(found)} ticks, {open_ticks} open at a kill")  # noqa: T201 - figures
    assert effects_seen(objects) > 5, "no anode effect ran; the calculation was not tried"


def effects_seen(objects: list[bytes]) -> int:
    """Ticks at which the live calculation knew of a running effect."""
    config = cbor.decode(decompress(cose.parse(objects[0]).payload))
    index = [p["id"] for p in config["points"]].index("line-1.effects_running")
    (g,) = [g for g, group in enumerate(config["groups"]) if index in group["points"]]
    row = config["groups"][g]["points"].index(index)
    rows = [section.groups[-1] for _, body in frames(objects) for section in body.sections]
    return sum(int((group.raw[row] > 0).sum()) for group in rows if group.group == g)


def _check_gaps(objects: list[bytes], child: Child) -> None:
    """No tick while there was no process; every stretch of it is inside a signed gap."""
    ticks = sorted({tick_ns for _, tick_ns in readings(objects)})
    for died_ns, started_ns in child.away:
        assert not [t for t in ticks if died_ns < t < started_ns]
    reasons = [reason for _, reason in told(objects).gaps]
    assert 3 <= reasons.count("restart") <= len(child.away)
    assert set(reasons) <= {"restart", "overrun"}
    assert {"start", "restart", "stopped"} <= set(told(objects).events)
