"""The relay's parts, put together and run. Composition root of this room.

folder and UDP → intake → lane (queue on disk → broker → receipt → queue freed), one a stream
"""

import asyncio
import contextlib
import fcntl
import json
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

from edge.broker_tls import Shown
from edge.clock import Clock
from edge.disk import Disk
from edge.errors import EdgeError, SpoolError
from edge.life import Life
from edge.quiet import Quiet
from edge.relay import folder
from edge.relay.config import RelayConfig, RelayStream
from edge.relay.datagrams import KEEP_S, RelayDatagrams
from edge.relay.folder import RelayFolder
from edge.relay.intake import RelayIntake
from edge.relay.lane import Lane
from edge.relay.queue import Queue
from evidence.errors import KeyFileError
from evidence.log_lines import about
from evidence.owners import open_lock

log = logging.getLogger("stackproof.relay")

COUNTS_S = 2.0
TLS_LOOK_S = 10.0
OPEN_AGAIN_S = 10.0
COUNTS, LOCK = "counts.json", "relay.lock"

Lanes: TypeAlias = dict[tuple[str, str], Lane]  # by plant and gateway
Way: TypeAlias = RelayFolder | RelayDatagrams
Ways: TypeAlias = list[tuple[Way, float]]  # and how long to wait between two steps, s


class Relay:
    """One relay.

    Attributes:
        life: what it tells of itself.
    """

    def __init__(self, config: RelayConfig, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._disk, self._quiet = Disk(), Quiet()
        self._intake, self._fails = RelayIntake({}), dict[str, str]()
        self.life = Life(clock.monotonic_ns, self._work)

    async def run(
        self, stop: asyncio.Event, ready: Callable[[], None] = lambda: None,
        alive: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        """Run until `stop`.

        Args:
            stop: set it to end cleanly.
            ready: called once, when everything listens.
            alive: told how it stands, each `COUNTS_S`, as long as every way in and the disk go on.

        Raises:
            SpoolError: no queue can be opened, or another relay has them.
        """
        config = self._config
        async with contextlib.AsyncExitStack() as parts:
            parts.callback(self._disk.close)
            parts.callback(os.close, _lock(config.state_dir))
            (config.state_dir / COUNTS).unlink(missing_ok=True)  # of a process that ended
            shown = None if config.tls is None else Shown(config.tls)
            lanes: Lanes = {}
            self._intake = intake = RelayIntake(lanes, _places(config))
            has_run = any(queue_path(config, *place).exists() for place in _places(config))
            await self._open(lanes, shown, parts)
            if not lanes:
                raise SpoolError("; ".join(self._fails.values()))
            ways = await self._ways(intake, parts, makes=not has_run)
            parts.push_async_callback(self._write_counts, intake, lanes, ways)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._look(way, wait_s)) for way, wait_s in ways]
                tasks.append(group.create_task(self._tell(intake, lanes, ways, alive)))
                tasks.append(group.create_task(self._open_again(lanes, shown, parts)))
                if shown is not None:
                    tasks.append(group.create_task(self._take_up(shown, lanes)))
                self.life.begin(COUNTS_S)
                ready()
                await stop.wait()
                for task in tasks:
                    task.cancel()
            for way, _ in ways:  # what is in memory is not left behind
                if isinstance(way, RelayDatagrams):
                    await self._once(way.step(), way.NAME)

    async def _open(
        self, lanes: Lanes, shown: Shown | None, parts: contextlib.AsyncExitStack
    ) -> None:
        """Begin with the streams that are not begun; a queue that cannot be had stops no other."""
        for stream in self._config.streams:
            place, failing = (stream.plant, stream.gateway), f"queue of {stream.name}"
            if place in lanes:
                continue
            try:
                lane = await self._begun(stream, shown)
            except SpoolError as error:
                self._fails[failing] = str(error)
                if self._quiet.may(failing, self._clock.monotonic_ns() / 1e9):
                    log.error("%s; tried again", error, extra=about(*place))  # noqa: TRY400 - no defect
                continue
            parts.push_async_callback(self._disk.run, lane.queue.close)
            parts.push_async_callback(lane.stop)
            lanes[place] = lane
            self._fails.pop(failing, None)

    async def _begun(self, stream: RelayStream, shown: Shown | None) -> Lane:
        """A stream that is forwarded from here on; SpoolError where its queue cannot be had."""
        config = self._config
        path, queues = queue_path(config, stream.plant, stream.gateway), len(config.streams)
        queue = await self._disk.run(Queue, path, bytes_max=config.queue_bytes_max, queues=queues)
        lane = Lane(stream, queue, config, self._clock, self._disk, shown=shown)
        try:
            await lane.start()
        except SpoolError:
            await self._disk.run(queue.close)
            raise
        return lane

    async def _open_again(
        self, lanes: Lanes, shown: Shown | None, parts: contextlib.AsyncExitStack
    ) -> None:
        """Until every queue is there: somebody has moved a damaged one away, or given it back."""
        while len(lanes) < len(self._config.streams):
            await asyncio.sleep(OPEN_AGAIN_S)
            await self._open(lanes, shown, parts)

    def _work(self) -> tuple[str, str]:
        """What keeps objects from the disk: a broker that is away does not."""
        if self._intake.was_full(self._clock.monotonic_ns() / 1e9):
            return "a queue is full", ""
        fails = sorted(self._fails)
        return f"fails, and is tried again: {', '.join(fails)}" if fails else "", ""

    async def _ways(
        self, intake: RelayIntake, parts: contextlib.AsyncExitStack, *, makes: bool
    ) -> Ways:
        ways: Ways = []
        if self._config.folder is not None:
            # never again after the first start: at a boot its share may not be mounted yet
            way = RelayFolder(self._config.folder, intake, self._clock, makes=makes)
            ways.append((way, folder.LOOK_S))
        if self._config.udp is not None:
            datagrams = RelayDatagrams(intake, self._clock, self._config.udp)
            parts.callback(datagrams.close)
            await self._once(datagrams.open(), RelayDatagrams.NAME)
            ways.append((datagrams, KEEP_S))
        return ways

    async def _look(self, way: Way, wait_s: float) -> None:
        while True:
            await self._once(way.step(), type(way).NAME)
            way.turns += 1
            await asyncio.sleep(wait_s)

    async def _take_up(self, shown: Shown, lanes: Lanes) -> None:
        """Show another certificate or key once its files are there."""
        while True:
            await asyncio.sleep(TLS_LOOK_S)
            await self._once(self._look_at(shown, lanes), "TLS files")

    async def _look_at(self, shown: Shown, lanes: Lanes) -> None:
        if await self._disk.run(shown.look):
            log.info("other TLS files; connecting with them")
            for lane in lanes.values():
                lane.reconnect()

    async def _tell(
        self, intake: RelayIntake, lanes: Lanes, ways: Ways,
        alive: Callable[[str], None],
    ) -> None:  # fmt: skip
        told = [-1] * len(ways)
        while True:
            await self._once(self._write_counts(intake, lanes, ways), "state_dir")
            turns = [way.turns for way, _ in ways]
            if all(now != before for now, before in zip(turns, told, strict=True)):
                told, online = turns, sum(lane.machine.online for lane in lanes.values())
                self.life.go_on()
                alive(f"{len(lanes)} streams, {online} with a broker")
            await asyncio.sleep(COUNTS_S)

    async def _once(self, step: Awaitable[None], what: str) -> None:
        """What fails is said and tried again by the caller."""
        try:
            await step
            self._fails.pop(what, None)
        except (EdgeError, KeyFileError, OSError) as error:
            self._fails[what] = str(error)
            if self._quiet.may(str(type(error)), self._clock.monotonic_ns() / 1e9):
                log.error("%s; tried again", error)  # noqa: TRY400 - no defect

    async def _write_counts(
        self,
        intake: RelayIntake,
        lanes: Lanes,
        ways: Ways,
    ) -> None:
        """What only this process knows, for `status` and /metrics; no evidence, not synced."""
        told: dict[str, Any] = {
            "at_ns": self._clock.wall_ns(),
            "fails": dict(self._fails),
            "objects": dict(intake.counts),
        }
        for way, _ in ways:
            if isinstance(way, RelayFolder):
                told["files"] = {
                    "taken": way.taken, "refused": way.refused, "aside": way.aside,
                    "others": way.others,
                }  # fmt: skip
            else:
                told["udp"] = {
                    **way.counts,
                    "received": way.loss.received,
                    "lost": way.loss.lost,
                    "broken": way.reassembly.broken,
                    "given_up": way.reassembly.given_up,
                    "pending_bytes": way.reassembly.bytes,
                }
        told["streams"] = {
            lane.stream.name: {
                "broker": None if lane.reach is None else asdict(lane.reach),
                "broker_shown": None if lane.shown is None else lane.shown._asdict(),
                "forwarded": lane.forwarded,
                "refused": lane.refused,
                "unanswered": lane.is_unanswered,
            }
            for lane in lanes.values()
        }
        path = self._config.state_dir / COUNTS
        part = path.with_suffix(".part")
        await self._disk.run(part.write_text, json.dumps(told))  # the queues' thread goes on, too
        await self._disk.run(part.replace, path)


def _places(config: RelayConfig) -> frozenset[tuple[str, str]]:
    return frozenset((stream.plant, stream.gateway) for stream in config.streams)


def queue_path(config: RelayConfig, plant: str, gateway: str) -> Path:
    """Where a stream's queue is."""
    return config.state_dir / plant / f"{gateway}.sqlite"


def _lock(state_dir: Path) -> int:
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        lock = open_lock(state_dir / LOCK)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise SpoolError(f"{state_dir}: another relay runs on it") from None
    except OSError as error:
        raise SpoolError(f"{state_dir}: cannot be used: {error.strerror}") from error
    return lock


def is_running(config: RelayConfig) -> bool:
    """True while a relay works on this state_dir."""
    try:
        lock = os.open(config.state_dir / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:  # of another user's relay: nobody else can tell
        return True
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
