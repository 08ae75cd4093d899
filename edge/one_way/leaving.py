"""What leaves a one-way site by itself, and the ring that stays. I/O: spool, a folder, a socket.

Nothing comes back, so what has left is not freed by that: it stays until it is too old or the
spool too full (`turn_ring`), or until receipts are brought as files. How far each pass over the
stream has come is kept in the spool, so that a kill repeats a little and leaves nothing out.
"""

import asyncio
import contextlib
import logging
import os
import re
import secrets
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from edge.alarms import FILLING_UNTIL
from edge.clock import Clock
from edge.condition import through_of
from edge.disk import Disk
from edge.errors import AlteredError, EdgeError, ExportError, SpoolError
from edge.export import export
from edge.kept_room import KEPT_FREE_BYTES
from edge.one_way.datagram import COUNT_MAX, fragments
from edge.one_way.outbox import looked_at, sizes_of
from edge.quiet import Quiet
from edge.site.config import Site
from edge.site.way import OutboxWay, UdpWay
from edge.spool import Spool
from edge.spool_reader import BATCH, SpoolReader, State, Stored
from evidence import cbor
from evidence.archive.export import ExportReader, Span
from evidence.errors import EvidenceError

log = logging.getLogger("stackproof.edge.one_way")

TICK_S = 0.5
RING_S = 5.0
SEND_AGAIN_S = 1.0
BLOCKED_S = 60.0  # so long nothing leaves before a person is told: a ferry may be at its files
AT_ONCE = 8  # objects read for one pass before newer ones have their turn
#: Linux' numbers (linux/in.h, linux/in6.h), for which Python has no names: any hop may cut what is
#: too long for it; IPv6's hops do not, and every one of them carries 1,280 bytes (RFC 8200, 5)
_IP_MTU_DISCOVER, _IP_PMTUDISC_DONT, _IPV6_MTU, _IPV6_LEAST = 10, 0, 24, 1_280
PAUSE_S = 0.005  # shorter waits cost more than they spread


class Leaving(Protocol):
    """One way out."""

    async def step(self) -> bool:
        """Bring something out, if anything is due; False when nothing was."""

    def close(self) -> None:
        """Let go of what it holds open."""


def leaving_of(site: Site, spool: Spool, clock: Clock, disk: Disk) -> "Leaving | None":
    """The way out that the site file names; None where people export by hand."""
    match site.uplink.way:
        case OutboxWay() as way:
            return OutboxLeaving(site, way, spool, clock, disk)
        case UdpWay() as way:
            return UdpLeaving(way, spool, clock, disk)
    return None


async def leave_forever(
    leaving: Leaving, site: Site, spool: Spool, clock: Clock, disk: Disk
) -> None:
    """Bring out what is due and turn the ring, for ever; trouble is said and tried again."""
    with contextlib.closing(leaving):
        await _leave(leaving, site, spool, clock, disk)


async def _leave(leaving: Leaving, site: Site, spool: Spool, clock: Clock, disk: Disk) -> None:
    quiet, turns_at_s = Quiet(), 0.0
    since_s = float("inf")  # nothing leaves
    while True:
        now_s = clock.monotonic_ns() / 1e9
        is_busy = False
        try:
            if now_s >= turns_at_s:
                turns_at_s = now_s + RING_S
                now_ns = min(clock.wall_ns(), await disk.run(through_of, spool))
                await disk.run(turn_ring, spool, now_ns, site.uplink.spool_age_max_ns)
            is_busy = await leaving.step()
            since_s = float("inf")
            await _tell(spool, disk, "")
        except (EdgeError, EvidenceError, OSError) as error:
            if quiet.may(type(error).__name__, now_s):
                log.error("one way out: %s; tried again", error)  # noqa: TRY400 - no defect
            since_s = min(since_s, now_s)
            if now_s >= since_s + BLOCKED_S:
                await _tell(spool, disk, f"nothing leaves: {error}")
            await asyncio.sleep(SEND_AGAIN_S)
        if not is_busy:
            await asyncio.sleep(TICK_S)


async def _tell(spool: Spool, disk: Disk, said: str) -> None:
    """Keep for the alarms why nothing leaves, "" when it does; what is kept already stays."""
    with contextlib.suppress(
        SpoolError
    ):  # the disk refuses: told by its own alarm, and tried again
        if said != (await disk.run(spool.get, State.BLOCKED) or b"").decode():
            await disk.run(spool.put, {State.BLOCKED: said.encode()})


# -- how far it has come -------------------------------------------------------------------------


def cursors_of(spool: SpoolReader, passes: int) -> list[int]:
    """The next seq of each pass; a pass that is new begins where the last one stands."""
    kept = [int(seq) for seq in cbor.decode(spool.get(State.LEFT) or cbor.encode([]))][:passes]
    return kept + [min(kept, default=0)] * (passes - len(kept))


def left_seq(spool: SpoolReader) -> int:
    """Newest seq that every pass has brought out, -1 for none."""
    return min(cbor.decode(spool.get(State.LEFT) or cbor.encode([])), default=0) - 1


def _keep(spool: Spool, cursors: Sequence[int]) -> None:
    spool.put({State.LEFT: cbor.encode(list(cursors))})


def turn_ring(spool: Spool, now_ns: int, age_max_ns: int) -> int:
    """Free the oldest objects that have left, where they are too old or too much; how many.

    At most `BATCH` at a time. What has not left is never freed: it is kept until the spool is full,
    and then no readings are taken, as at every other site.

    Args:
        spool: the agent's.
        now_ns: wall clock, but no later than the stream's newest instant: one far ahead that nobody
            believes yet, as after a boot, makes nothing old.
        age_max_ns: beyond it an object that has left goes.
    """
    oldest, oldest_ns = spool.oldest_seq(), spool.usage().oldest_ns
    left, is_full = left_seq(spool), spool.fill() >= FILLING_UNTIL
    if oldest is None or oldest_ns is None or oldest > left:
        return 0
    if not (is_full or oldest_ns < now_ns - age_max_ns):
        return 0
    try:
        batch = spool.objects(oldest, min(BATCH, left - oldest + 1))
        aged = [stored.seq for stored in batch if stored.through_ns < now_ns - age_max_ns]
        last = batch[-1].seq if is_full else aged[-1]
    except AlteredError as error:  # the disk has changed it since it left
        last = error.seq
    freed = spool.free_oldest(last)
    log.info("the ring let go of seq %d to %d, which had left", oldest, last)
    return freed


# -- files for a ferry ---------------------------------------------------------------------------


class OutboxLeaving:
    """Writes exported spools into a folder: `PLANT-GATEWAY-FIRST-LAST.tar`, whole or not at all."""

    def __init__(self, site: Site, way: OutboxWay, spool: Spool, clock: Clock, disk: Disk) -> None:
        self._way, self._spool, self._clock, self._disk = way, spool, clock, disk
        self._path, self._owner = site.gateway.spool, (site.plant.id, site.gateway.id)
        self._since_s: float | None = None  # monotonic, since when something waits
        self._writing: tuple[asyncio.Task[None], int] | None = None  # and its last seq
        self._is_cleared = False

    async def step(self) -> bool:
        """Write a file when one is due; ExportError while the folder takes too long for one."""
        if self._writing is None:
            first = (await self._disk.run(cursors_of, self._spool, 1))[0]
            last = await self._disk.run(self._spool.last_within, first, self._way.file_bytes)
            if last is None:
                self._since_s = None
                return False
            now_s = self._clock.monotonic_ns() / 1e9
            self._since_s = now_s if self._since_s is None else self._since_s
            if not await self._is_more(last) and now_s < self._since_s + self._way.file_s:
                return False
            is_first = await self._disk.run(self._spool.get, State.LEFT) is None
            # off the disk's thread: ticks are committed there
            task = asyncio.create_task(asyncio.to_thread(self._write, first, last, is_first))
            self._writing = task, last
        task, last = self._writing
        done, _ = await asyncio.wait({task}, timeout=BLOCKED_S)
        if not done:  # a share that hangs: nobody can end that thread
            raise ExportError(f"{self._way.folder} does not answer: a file is still being written")
        self._writing = None
        task.result()
        await self._disk.run(_keep, self._spool, [last + 1])
        self._since_s = None
        return await self._is_more(last)

    async def _is_more(self, last: int) -> bool:
        return last < (await self._disk.run(self._spool.head)).next_seq - 1

    def close(self) -> None:
        """Nothing is held open between two files."""

    def _write(self, first: int, last: int, is_first: bool) -> None:
        folder = self._way.folder
        if is_first:
            folder.mkdir(parents=True, exist_ok=True)
        elif not folder.is_dir():
            raise ExportError(
                f"{folder} is not there: mount its share, or make it if the site file names "
                "another than before"
            )
        self._clear(folder)
        held = sum(sizes_of(folder))
        if held >= self._way.bytes_max:
            raise ExportError(
                f"{folder} holds {held >> 20} MiB that the ferry has not taken: nothing is added"
            )
        self._leave_room(folder)
        spool = SpoolReader(self._path)
        try:
            begins = max(first, spool.oldest_seq() or 0)  # receipts by file may have freed some
            span = Span(*self._owner, begins, last)
            if not _stands(folder / f"{span.name}.tar", span):
                export(spool, self._owner, first=begins, last=last, out=folder, holds=False)
        finally:
            spool.close()

    def _leave_room(self, folder: Path) -> None:
        """A file is dispensable where the spool has the same disk: it needs some to free anything.

        ExportError where it would take of that.
        """
        free = shutil.disk_usage(folder).free
        is_shared = folder.stat().st_dev == self._path.parent.stat().st_dev
        if is_shared and free < KEPT_FREE_BYTES + self._way.file_bytes:
            raise ExportError(
                f"{folder} is on the spool's disk, which has {free >> 20} MiB left: nothing is "
                "added before the ferry, or somebody else, has made room"
            )

    def _clear(self, folder: Path) -> None:
        """Once a start: what a power cut left of a file that was being written."""
        if self._is_cleared:
            return
        own = re.compile(rf"{'-'.join(self._owner)}-[0-9]+-[0-9]+\.tar\.part", re.ASCII)
        for path in folder.iterdir():
            if own.fullmatch(path.name):
                path.unlink(missing_ok=True)
        self._is_cleared = True


def _stands(path: Path, span: Span) -> bool:
    """True when this very file is there, whole, as after a kill before the cursor was kept.

    What is no whole file is deleted. ExportError for one of others; OSError where it cannot be.
    """
    try:
        with open(path, "rb", opener=_itself) as file:  # which closes what is a folder, too
            found = ExportReader(file).span
    except (EvidenceError, OSError):  # cut short by a ferry, or no file
        path.unlink(missing_ok=True)
        return False
    if found != span:
        raise ExportError(
            f"{path} is of {found.plant}/{found.stream}: give each a folder of its own"
        )
    return True


def _itself(path: str, flags: int) -> int:
    """No link is followed, no pipe waited for."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


# -- datagrams through a diode -------------------------------------------------------------------


class UdpLeaving:
    """Sends each object when it is new, and again at each age of `repeat_after_s`."""

    def __init__(self, way: UdpWay, spool: Spool, clock: Clock, disk: Disk) -> None:
        self._spool, self._clock, self._disk = spool, clock, disk
        self._ages_ns = [0, *(age_s * 1_000_000_000 for age_s in way.repeat_after_s)]
        family = socket.AF_INET6 if ":" in way.host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        # a hop that drops what is too long for it can tell nobody here
        if family == socket.AF_INET6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU, _IPV6_LEAST)
        else:
            self._socket.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _IP_PMTUDISC_DONT)
        self._sender = Sender(way, self._socket, clock)

    async def step(self) -> bool:
        """Send some objects of the first pass that has any due: what is new goes first."""
        cursors = await self._disk.run(cursors_of, self._spool, len(self._ages_ns))
        now_ns = await self._disk.run(self._now_ns)
        for number, age_ns in enumerate(self._ages_ns):
            try:
                due = await self._disk.run(self._due, cursors[number], now_ns - age_ns)
            except AlteredError as error:
                if number == 0:
                    raise  # it has never left
                log.error("%s", error)  # noqa: TRY400 - no defect; it left as it was, before
                cursors[number] = error.seq + 1
                await self._disk.run(_keep, self._spool, cursors)
                return True
            if due:
                for stored in due:
                    await self._sender.send(stored.data)
                cursors[number] = due[-1].seq + 1
                await self._disk.run(_keep, self._spool, cursors)
                return True
        return False

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _now_ns(self) -> int:
        """The stream's time goes on ahead of a wall clock that was set back: ages go by it then."""
        return max(self._clock.wall_ns(), through_of(self._spool))

    def _due(self, first: int, until_ns: int) -> list[Stored]:
        """Some objects from `first` on that are old enough."""
        found = self._spool.objects(first, AT_ONCE)
        return [stored for stored in found if stored.through_ns <= until_ns]


class Sender:
    """Sends objects as datagrams, never faster than it may."""

    def __init__(self, way: UdpWay, out: socket.socket, clock: Clock) -> None:
        self._way, self._socket, self._clock = way, out, clock
        self._run, self._number = secrets.randbits(32), 0
        self._free_s = 0.0  # monotonic: until then the line is taken by what was sent

    async def send(self, data: bytes) -> None:
        """Send one object; OSError or ExportError where it is to be sent again whole."""
        for datagram in fragments(data, self._run, self._number):
            now_s = self._clock.monotonic_ns() / 1e9
            self._free_s = max(self._free_s, now_s) + len(datagram) / self._way.bytes_s
            if self._free_s - now_s > PAUSE_S:
                await asyncio.sleep(self._free_s - now_s)
            try:
                self._socket.sendto(datagram, (self._way.host, self._way.port))
            except BlockingIOError:
                await self._wait_for_the_line(datagram)
            self._number = (self._number + 1) % COUNT_MAX

    async def _wait_for_the_line(self, datagram: bytes) -> None:
        """It is slower than `kbit_s_max`: begun anew, no long object would ever leave whole."""
        loop, place = asyncio.get_running_loop(), (self._way.host, self._way.port)
        try:
            async with asyncio.timeout(BLOCKED_S):
                await loop.sock_sendto(self._socket, datagram, place)
        except TimeoutError as error:
            raise ExportError(f"the line to {place[0]}:{place[1]} takes nothing more") from error


def way_facts(way: OutboxWay | UdpWay, spool: SpoolReader) -> dict[str, object]:
    """What `edge status` says of the way out; `hangs` is why more cannot be told, "" mostly."""
    facts: dict[str, object] = {"left_seq": left_seq(spool)}
    if isinstance(way, UdpWay):
        return {"by": "udp", **facts, "to": f"{way.host}:{way.port}", "hangs": ""}
    facts |= {"by": "outbox", "files": None, "bytes": None, "hangs": ""}
    if (sizes := looked_at(way.folder)) is None:
        hangs = f"{way.folder} does not answer: look at its share, and whether its server runs"
        return {**facts, "hangs": hangs}
    return {**facts, "files": len(sizes), "bytes": sum(sizes)}
