"""Whose turn it is to be closed: one month of a plant at a time, and so many plants at once.

Of one plant two closings would build the same archive; of many one that takes hours would keep all
others from being closed.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator

from cloud.month.progress import Progress, Told

#: each takes a thread of its own
AT_ONCE = 2


class ClosingTurns:
    """The turns of one collector. The event loop's thread only."""

    def __init__(self, progress: Progress) -> None:
        """Each closing tells `progress`, also while it waits for other plants'."""
        self._progress = progress
        self._plants = defaultdict[str, asyncio.Lock](asyncio.Lock)
        self._all = asyncio.Semaphore(AT_ONCE)

    @contextlib.asynccontextmanager
    async def of(self, plant: str, month: str) -> AsyncIterator[Told]:
        """Wait for the turn of a plant's month; as long as it lasts, what the closing tells."""
        async with self._plants[plant]:
            with self._progress.of(plant, month) as told:
                async with self._all:
                    told.begin()
                    yield told
