"""What several devices of the site share: one bus an endpoint, on which they take turns.

A device has at most one question in the queue: so devices are served round robin, and one that is
silent costs each of the others its own timeout at most once a round. The connection is opened by
whoever needs it first and closed when the last one leaves.
"""

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, Protocol, TypeVar

A = TypeVar("A")


class SilentError(Exception):
    """No answer: in time, or because the connection is gone."""


class NotAskedError(SilentError):
    """The question never went out, so no answer to it can come."""


class Wire(Protocol):
    """What carries one question at a time; how it is asked is the protocol's."""

    @property
    def is_open(self) -> bool:
        """True while there is a connection, as far as is known."""

    async def open(self, timeout_s: float) -> str:
        """Connect anew; why not, or ""."""

    def close(self) -> None:
        """Give it back; a question under way fails at once."""


W = TypeVar("W", bound=Wire)


class Bus(Generic[W]):
    """The devices on one endpoint, and its wire."""

    def __init__(self, wire: W) -> None:
        self._wire = wire
        self._gaps: dict[object, float] = {}  # by member
        self._turn = asyncio.Lock()  # first come, first served
        self._asking: object | None = None
        self._attempts = 0  # to open, that have ended
        self._trouble = ""  # of the newest attempt
        self._next_s = 0.0

    @property
    def is_open(self) -> bool:
        """True while there is a connection, as far as is known."""
        return self._wire.is_open

    @property
    def connection(self) -> int:
        """How many attempts to connect there were: another number, another connection."""
        return self._attempts

    def join(self, member: object, gap_s: float = 0.0) -> None:
        """A device needs the bus from now on; `gap_s` is the cap its place sets for all."""
        self._gaps[member] = gap_s

    def leave(self, member: object) -> None:
        """It does not any more; its question under way fails, the last to go closes the wire."""
        self._gaps.pop(member, None)
        if not self._gaps or self._asking is member:
            self._wire.close()

    async def open(self, timeout_s: float) -> str:
        """See to it that there is a connection; why there is none, or "".

        Whoever waited while another device tried in vain takes that for its own answer: N devices
        of an absent endpoint cost one timeout, not N.
        """
        known = self._attempts
        async with self._turn:
            return await self._open(timeout_s, known)

    async def in_turn(self, member: object, timeout_s: float, ask: Callable[[], Awaitable[A]]) -> A:
        """What `ask` gives, called on an open wire when it is the member's turn.

        Raises:
            NotAskedError: it has left meanwhile, or there is no connection.
        """
        known = self._attempts
        async with self._turn:
            wait_s = self._next_s - asyncio.get_running_loop().time()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            self._check(member)
            self._asking = member
            try:
                if trouble := await self._open(timeout_s, known):
                    raise NotAskedError(trouble)
                self._check(member)
                return await ask()
            finally:
                self._asking = None
                if gap_s := max(self._gaps.values(), default=0.0):
                    self._next_s = asyncio.get_running_loop().time() + gap_s

    def _check(self, member: object) -> None:
        if member not in self._gaps:  # it left while it waited
            raise NotAskedError("the connection was lost")

    async def _open(self, timeout_s: float, known: int) -> str:
        if self._wire.is_open:
            return ""
        if known != self._attempts and self._trouble:
            return self._trouble  # of an attempt made while this device waited for its turn
        self._trouble = ""
        self._trouble = await self._wire.open(timeout_s)
        self._attempts += 1
        if not self._gaps:  # everybody left meanwhile
            self._wire.close()
        return self._trouble


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
