"""One thread for a driver whose library blocks: made with the connection, gone with it.

Work takes place one at a time. Whoever waits for it stops waiting at the time limit; the work's
own limits (a database's, a file's size) end it soon after.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class OwnThread:
    """A thread of one device."""

    def __init__(self, name: str) -> None:
        """Prepare; the thread begins with the first work."""
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, work: Callable[[], T], timeout_s: float) -> T:
        """Do it there; TimeoutError when it takes longer than `timeout_s`."""
        async with asyncio.timeout(timeout_s):
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def end(self, last: Callable[[], None]) -> None:
        """Do `last` once what is under way is over, then end; waits for neither."""
        self._pool.submit(last)
        self._pool.shutdown(wait=False)
