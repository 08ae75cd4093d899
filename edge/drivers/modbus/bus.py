"""One connection an endpoint, shared by every device of the site that hangs on it.

Questions take turns in the order they come, and a device has at most one in the queue: so devices
are served round robin, and one that is silent costs each of the others its own timeout at most once
a round. The connection is opened by whoever needs it first and closed when the last one leaves.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from edge.drivers.modbus.answers import Cells, NotAskedError
from edge.drivers.modbus.doubt import Doubt
from edge.drivers.modbus.endpoint import Endpoint, Place, is_tcp
from edge.drivers.modbus.plan import Read
from edge.drivers.modbus.rtu_wire import RtuWire
from edge.drivers.modbus.tcp_wire import TcpWire
from edge.drivers.shared import Shared


class Wire(Protocol):
    """What carries one question at a time; `tcp_wire` and `rtu_wire` are the two there are."""

    #: an answer tells which question it belongs to
    is_numbered: bool

    @property
    def is_open(self) -> bool:
        """True while there is a connection, as far as is known."""

    async def open(self, timeout_s: float) -> str:
        """Connect anew; why not, or ""."""

    async def ask(
        self, unit: int, read: Read, timeout_s: float, takes: Callable[[bytes], bool]
    ) -> Cells:
        """The cells of one read; raises what `answers` has."""

    def close(self) -> None:
        """Give it back; a question under way fails at once."""


class Bus:
    """The devices on one endpoint, and its wire."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._wire: Wire = TcpWire(endpoint) if is_tcp(endpoint) else RtuWire(endpoint)
        self._gaps: dict[object, float] = {}  # by member
        self._turn = asyncio.Lock()  # first come, first served
        self._asking: object | None = None
        self._attempts = 0  # to open
        self._trouble = ""  # of the newest attempt
        self._next_s = 0.0
        self._doubts: dict[int, Doubt] = {}

    @property
    def is_numbered(self) -> bool:
        """True when an answer tells which question it belongs to."""
        return self._wire.is_numbered

    @property
    def is_open(self) -> bool:
        """True while there is a connection, as far as is known."""
        return self._wire.is_open

    @property
    def connection(self) -> int:
        """How many attempts to connect there were: another number, another connection."""
        return self._attempts

    def doubt_of(self, unit: int, timeout_s: float) -> Doubt:
        """What may still come late from a unit, whoever asked; it outlives connections."""
        return self._doubts.setdefault(unit, Doubt(timeout_s))

    def join(self, member: object, gap_s: float) -> None:
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

    async def ask(
        self,
        member: object,
        unit: int,
        read: Read,
        *,
        timeout_s: float,
        takes: Callable[[bytes], bool],
    ) -> Cells:
        """Ask when it is one's turn.

        Raises:
            NotAskedError, SilentError, RefusedError, WrongAnswerError.
        """
        known = self._attempts
        async with self._turn:
            wait_s = self._next_s - asyncio.get_running_loop().time()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            if member not in self._gaps:
                raise NotAskedError("the connection was lost")  # it left while it waited
            self._asking = member
            try:
                if trouble := await self._open(timeout_s, known):
                    raise NotAskedError(trouble)
                return await self._wire.ask(unit, read, timeout_s, takes)
            finally:
                self._asking = None
                if gap_s := max(self._gaps.values(), default=0.0):
                    self._next_s = asyncio.get_running_loop().time() + gap_s

    async def _open(self, timeout_s: float, known: int) -> str:
        if self._wire.is_open:
            return ""
        if known != self._attempts and self._trouble:
            return self._trouble  # of an attempt made while this device waited for its turn
        self._attempts += 1
        self._trouble = ""
        self._trouble = await self._wire.open(timeout_s)
        if not self._gaps:  # everybody left meanwhile
            self._wire.close()
        return self._trouble


#: a device must find the bus its neighbours are on
_BUSES: Shared[Endpoint, Bus] = Shared(Bus)


def bus_of(place: Place) -> Bus:
    """The bus of an endpoint in the running loop."""
    return _BUSES.of(place.endpoint)
