"""Work beside the collector."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine

log = logging.getLogger("stackproof.cloud")


@contextlib.asynccontextmanager
async def beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Work beside the collector, until it ends; work that ends by a defect is said at once."""
    task = asyncio.create_task(work, name=str(getattr(work, "__qualname__", work)))
    task.add_done_callback(_say_defect)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _say_defect(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        sentence = "%s has ended by a defect and stands still until the collector starts anew"
        log.error(sentence, task.get_name(), exc_info=error)
