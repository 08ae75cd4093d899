"""What several devices of the site share: one connection an endpoint, found by those on it."""

import asyncio
import weakref
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

E = TypeVar("E", bound=Hashable)
B = TypeVar("B")


class Shared(Generic[E, B]):
    """Buses by endpoint, in each event loop its own; neither loops nor buses are kept alive by it.

    Args:
        make: a bus for an endpoint that has none yet.
    """

    def __init__(self, make: Callable[[E], B]) -> None:
        self._make = make
        self._buses: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, weakref.WeakValueDictionary[E, B]
        ] = weakref.WeakKeyDictionary()

    def of(self, endpoint: E) -> B:
        """The bus of an endpoint in the running loop, made if nobody has it yet."""
        buses = self._buses.setdefault(asyncio.get_running_loop(), weakref.WeakValueDictionary())
        bus = buses.get(endpoint)
        if bus is None:
            bus = buses[endpoint] = self._make(endpoint)
        return bus
