"""The collector tells the manager of services that it lives: when its own thread has come round."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future

from cloud.errors import StoreError
from evidence.service import ServiceManager

ALIVE_S = 10.0  # how often


async def tell_alive(
    manager: ServiceManager,
    turn: Callable[[], "Future[None]"],
    stands: Callable[[], str],
) -> None:
    """Tell it again and again, as long as the collector's thread and this event loop go on.

    Args:
        manager: is told.
        turn: gives work that is done as soon as the collector's thread comes to it.
        stands: how the collector stands, in a line.
    """
    while True:
        try:
            await asyncio.wrap_future(turn())
        except StoreError:  # the collector has ended, and the process ends with it
            return
        manager.alive(stands())
        await asyncio.sleep(ALIVE_S)
