"""Tells the manager of services that a program lives: a collector by its thread, or a loop."""

import asyncio
import faulthandler
from collections.abc import Callable
from concurrent.futures import Future

from cloud.collector.service import Collector
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


async def goes_on(stands: Callable[[], str]) -> None:
    """Tell that the work begins, and then that this event loop goes on, for ever.

    Args:
        stands: how it stands, in a line.
    """
    faulthandler.enable(2)  # stderr; the watchdog's SIGABRT: the log shows where each thread stood
    manager = ServiceManager()
    manager.ready(stands(), ALIVE_S)
    while True:
        manager.alive(stands())
        await asyncio.sleep(ALIVE_S)


async def alive(collector: Collector) -> None:
    """Tell that the collector is ready, and from then on that it goes on."""

    def stands() -> str:
        amiss = ", ".join(sorted(collector.amiss())) or "none"
        return f"{len(collector.served())} plants served, in trouble: {amiss}"

    faulthandler.enable(2)  # stderr; the watchdog's SIGABRT: the log shows where each thread stood
    manager = ServiceManager()
    manager.ready(stands(), ALIVE_S)
    await tell_alive(manager, lambda: collector.submit(lambda: None), stands)
