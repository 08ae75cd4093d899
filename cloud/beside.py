"""Work beside the collector."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine

log = logging.getLogger("stackproof.cloud")


@contextlib.asynccontextmanager
async def beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Work beside the collector, until it ends; work that dies before is told at once."""
    task = asyncio.create_task(work)
    task.add_done_callback(_tell)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        name = getattr(task.get_coro(), "__qualname__", "")
        log.critical("%s has ended and does nothing more until a restart", name, exc_info=error)
