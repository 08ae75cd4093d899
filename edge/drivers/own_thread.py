"""One thread for a driver whose library blocks: made with the connection, gone with it.

Work takes place one at a time. Whoever waits for it stops waiting at the time limit; the work's
own limits (a database's, a file's size) end it soon after. Where they do not (a share or server
that is silent), its thread stays, and of those no device has many: a service has few threads.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

STUCK_MAX = 3  # threads of one device that hang in what nobody waits for any more
_LOOK_S = 0.05  # between two looks at work under way

#: name -> what ends each thread that was let go at work, until it has; drivers come and go
_LEFT: dict[str, list[Future[None]]] = {}


class StuckError(Exception):
    """As many threads as may be hang in earlier work."""


class OwnThread:
    """A thread of one device.

    Raises (at construction):
        StuckError: too many of this name have not ended.
    """

    def __init__(self, name: str) -> None:
        """Prepare; the thread begins with the first work."""
        stuck = [last for last in _LEFT.pop(name, []) if not last.done()]
        if stuck:
            _LEFT[name] = stuck
        if len(stuck) >= STUCK_MAX:
            raise StuckError(f"{len(stuck)} earlier questions have not ended and are waited for")
        self._name = name
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._work: Future[Any] | None = None

    @property
    def is_busy(self) -> bool:
        """True while work is under way, waited for or not."""
        return self._work is not None and not self._work.done()

    async def run(
        self, work: Callable[[], T], timeout_s: float, look: Callable[[], None] | None = None
    ) -> T:
        """Do it there; TimeoutError when it takes longer than `timeout_s`.

        Args:
            work: done in the thread.
            timeout_s: until nobody waits for it.
            look: called here while it lasts, several times a second; what it raises ends the wait.
        """
        made = self._pool.submit(work)
        self._work = made
        done = asyncio.wrap_future(made)
        try:
            async with asyncio.timeout(timeout_s):
                while look is not None and not (await asyncio.wait({done}, timeout=_LOOK_S))[0]:
                    look()
                return await done
        finally:
            done.cancel()  # nobody hears any more what becomes of it

    def end(self, last: Callable[[], None]) -> None:
        """Do `last` once what is under way is over, then end; waits for neither."""
        is_busy, ended = self.is_busy, self._pool.submit(last)
        if is_busy:
            _LEFT.setdefault(self._name, []).append(ended)
        self._pool.shutdown(wait=False)
