"""`edge watch`: newest value of every point, again and again, read as the agent reads.

The agent's own pollers ask, at each device's own interval and with its patience; nothing is signed,
stored or sent on. Of a source that delivers each row once, reading begins where the agent's spool
stands, and nothing is committed there. I/O: through the pollers' drivers, and the spool, read-only.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.clock import Clock
from edge.commissioning.look_driver import unanswering
from edge.commissioning.value import Shown, shown
from edge.errors import EdgeError
from edge.poller import Poller
from edge.schedule import DEADLINE_SHARE
from edge.site.config import Site
from edge.site.devices import DeviceConfig
from edge.spool_reader import SpoolReader, position_key
from evidence.quality import Quality

NS = 1_000_000_000


@dataclass
class Row:
    """One point as it stands now.

    Attributes:
        point: its id.
        shown: value and quality of the newest read; None before the first.
        answered_ns: monotonic clock when its newest value came; None before the first value.
        age_s: seconds since that value was true: since its source time, else since it came.
    """

    point: str
    shown: Shown | None = None
    answered_ns: int | None = None
    age_s: float | None = None


@dataclass
class Seen:
    """One device as it stands now.

    Attributes:
        id, url: of the site file.
        rows: its points, in order.
        is_up: there is a connection.
        away_s: seconds since it last answered, 0 while it does; None when it never has.
    """

    id: str
    url: str
    rows: list[Row]
    is_up: bool = False
    away_s: float | None = None


@dataclass(frozen=True)
class Picture:
    """Everything at one moment.

    Attributes:
        name: plant and gateway.
        now_ns: UTC nanoseconds.
        devices: in the order of the site file.
    """

    name: str
    now_ns: int
    devices: Sequence[Seen]


class _Watched:
    """A device and its poller."""

    def __init__(self, device: DeviceConfig, clock: Clock) -> None:
        self.device, self._clock = device, clock
        self.poller = Poller(unanswering(device.spec), clock.monotonic_ns)
        self.seen = Seen(device.id, device.url, [Row(b.point.id) for b in device.points])
        self._answered_ns: int | None = None
        self._due_ns = 0

    def resume(self, spool: SpoolReader) -> None:
        self.poller.resume(spool.get(position_key(self.device.id)), spool.marks(self.device.id))

    async def look(self, timeout_s: float) -> None:
        """Ask, if it is time, and bring the rows up to date."""
        if self._clock.monotonic_ns() >= self._due_ns:
            self._due_ns = self._clock.monotonic_ns() + self.device.interval_ns
            await self._ask(timeout_s)
        self._age()

    async def _ask(self, timeout_s: float) -> None:
        polled = await self.poller.poll(timeout_s)
        self.poller.committed()  # shown is all that becomes of it here
        now_ns = self._clock.wall_ns()
        for bound, row, sample in zip(
            self.device.points, self.seen.rows, polled.samples, strict=True
        ):
            if sample.quality is Quality.NOT_SAMPLED and row.shown is not None:
                continue  # of a source that has no new row: the last one stands, and ages
            row.shown = shown(bound.point, sample, now_ns)
            if sample.raw is not None:
                row.answered_ns = polled.monotonic_ns
        if polled.monotonic_ns is not None:
            self._answered_ns = polled.monotonic_ns
        self.seen.is_up = self.poller.connected

    def _age(self) -> None:
        now_ns, wall_ns = self._clock.monotonic_ns(), self._clock.wall_ns()
        for row in self.seen.rows:
            source_ns = None if row.shown is None else row.shown.source_ns
            if source_ns is not None:
                row.age_s = (wall_ns - source_ns) / NS
            elif row.answered_ns is not None:
                row.age_s = (now_ns - row.answered_ns) / NS
        if self._answered_ns is not None:
            since_s = (now_ns - self._answered_ns) / NS
            late_s = 2 * self.device.interval_ns / NS
            self.seen.away_s = 0.0 if since_s <= late_s and self.seen.is_up else since_s


async def watch(
    site: Site,
    devices: Sequence[DeviceConfig],
    clock: Clock,
    *,
    every_s: float,
    stop: asyncio.Event,
    show: Callable[[Picture], None],
) -> None:
    """Read and show until told to stop.

    Args:
        site: without a problem.
        devices: which of its devices.
        clock: this machine's.
        every_s: seconds between two pictures.
        stop: ends it.
        show: is given each picture.
    """
    watched = [_Watched(device, clock) for device in devices]
    _resume(site, watched)
    timeout_s = DEADLINE_SHARE * site.schedules_ns()[0] / NS
    name = f"{site.plant.id}/{site.gateway.id}"
    loop = asyncio.get_running_loop()
    next_s = loop.time()
    try:
        await asyncio.gather(*(one.poller.connect_first(timeout_s) for one in watched))
        while not stop.is_set():
            await asyncio.gather(*(one.look(timeout_s) for one in watched))
            show(Picture(name, clock.wall_ns(), [one.seen for one in watched]))
            next_s = max(next_s + every_s, loop.time())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(next_s):
                    await stop.wait()
    finally:
        await asyncio.gather(*(one.poller.close() for one in watched))


def _resume(site: Site, watched: Sequence[_Watched]) -> None:
    """Rows that are under way already are not shown again."""
    if not site.gateway.spool.is_file():
        return
    try:
        spool = SpoolReader(site.gateway.spool)
    except EdgeError:
        return  # `edge status` says what is wrong with it; rows are shown from the first on
    try:
        for one in watched:
            one.resume(spool)
    finally:
        spool.close()
