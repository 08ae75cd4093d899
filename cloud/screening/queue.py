"""What is made aside for pages, one after another; what failed is tried again, ever more rarely.

Starts processes. `ask` may be called by any thread.
"""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

from cloud.outputs.errors import OutputError
from cloud.outputs.maker import made_apart
from evidence.errors import MalformedError

#: a page of all plants asks for one of each: more than one collector has
WAITING_MAX = 4_096
#: seconds from each failure to the next try; the last wait is that of all after it
RETRY_S = (60.0, 300.0, 1_800.0, 7_200.0, 86_400.0)

log = logging.getLogger("stackproof.cloud.screening")


@dataclass(frozen=True)
class Job:
    """Something that is made.

    Attributes:
        name: of what is made: two of one name are one.
        arguments: of `stackproof cloud month`, asked for when its turn comes; blocking.
        within_s: until it is given up.
        keep: what is done with what the command wrote; blocking. MalformedError, OSError.
    """

    name: str
    arguments: Callable[[], Sequence[str]]
    within_s: float
    keep: Callable[[bytes], None]


@dataclass(frozen=True)
class Turn:
    """How a job stands that is not done.

    Attributes:
        before: how many are made before it.
        failed: why it could not be made the last time, a sentence; "" before the first failure.
        tries: how often it was tried.
    """

    before: int
    failed: str = ""
    tries: int = 0


@dataclass
class _Failed:
    """A job that failed; it is tried again when its time comes and somebody asked meanwhile."""

    job: Job
    why: str
    tries: int
    at_s: float
    is_asked: bool = False


class Queue:
    """Jobs that wait, and those that failed.

    Args:
        retry_s: as `RETRY_S`.
    """

    def __init__(self, retry_s: Sequence[float] = RETRY_S) -> None:
        self._retry_s, self._lock = retry_s, Lock()
        self._wanted: OrderedDict[str, Job] = OrderedDict()
        self._failed: OrderedDict[str, _Failed] = OrderedDict()
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def ask(self, job: Job, *, soon: bool) -> Turn:
        """Have something made from now on, unless it waits already.

        Args:
            job: it.
            soon: before those that others wait for.
        """
        with self._lock:
            failed = self._failed.get(job.name)
            if failed is not None:
                failed.is_asked = True
                turn = Turn(0, failed.why, failed.tries)
            else:
                turn = Turn(self._place(job, soon=soon))
            running = self._running
        if running is not None:
            loop, wake = running
            loop.call_soon_threadsafe(wake.set)
        return turn

    def _place(self, job: Job, *, soon: bool) -> int:
        if job.name in self._wanted or len(self._wanted) < WAITING_MAX:
            self._wanted.setdefault(job.name, job)
            if soon:
                self._wanted.move_to_end(job.name, last=False)
        names = list(self._wanted)
        return names.index(job.name) if job.name in names else len(names)

    async def run(self) -> None:
        """Make what is wanted, one at a time, for ever; cancelled, its process ends with it."""
        loop, wake = asyncio.get_running_loop(), asyncio.Event()
        self._running = loop, wake
        while True:
            with self._lock:
                job, wait_s = self._next(loop.time())
            if job is not None:
                await self._make(job)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await wake.wait()
            wake.clear()

    def _next(self, now_s: float) -> tuple[Job | None, float | None]:
        """What is made now; or else for how many seconds there is nothing, None: until asked."""
        if self._wanted:
            return next(iter(self._wanted.values())), None
        again = [one for one in self._failed.values() if one.is_asked]
        first = min(again, key=lambda one: one.at_s, default=None)
        if first is None:
            return None, None
        return (first.job, None) if first.at_s <= now_s else (None, first.at_s - now_s)

    async def _make(self, job: Job) -> None:
        why = ""
        try:
            arguments = await asyncio.to_thread(job.arguments)
            data = await made_apart(("month", *arguments), job.within_s)
            await asyncio.to_thread(job.keep, data)
        except (OutputError, MalformedError, OSError) as error:
            why = str(error)
            log.warning("%s is not made: %s", job.name, error)
        except Exception as error:  # an archive holds what nobody thought of; others are made
            why = repr(error)
            log.exception("%s cannot be made; tried again", job.name)
        now_s = asyncio.get_running_loop().time()
        with self._lock:
            self._wanted.pop(job.name, None)
            before = self._failed.pop(job.name, None)
            if why:
                tries = 1 if before is None else before.tries + 1
                wait_s = self._retry_s[min(tries, len(self._retry_s)) - 1]
                self._failed[job.name] = _Failed(job, why, tries, now_s + wait_s)
            while len(self._failed) > WAITING_MAX:
                self._failed.popitem(last=False)
