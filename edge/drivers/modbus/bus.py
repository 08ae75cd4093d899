"""The devices on one Modbus endpoint take turns on its wire, and what may still come late."""

from collections.abc import Callable
from typing import Protocol

from edge.drivers import shared_bus
from edge.drivers.modbus.answers import Cells
from edge.drivers.modbus.doubt import GATEWAY_LATE_TIMEOUTS, Doubt
from edge.drivers.modbus.endpoint import Endpoint, Place, is_tcp
from edge.drivers.modbus.plan import Read
from edge.drivers.modbus.rtu_wire import RtuWire
from edge.drivers.modbus.tcp_wire import TcpWire


class Wire(shared_bus.Wire, Protocol):
    """`tcp_wire` and `rtu_wire` are the two there are."""

    #: an answer tells which question it belongs to
    is_numbered: bool

    async def ask(
        self, unit: int, read: Read, timeout_s: float, takes: Callable[[bytes], bool]
    ) -> Cells:
        """The cells of one read; raises what `answers` has."""


class Bus(shared_bus.Bus[Wire]):
    """The devices on one endpoint, and its wire.

    Attributes:
        may_be_late: it has left a question without an answer, or said that a line is behind it.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(TcpWire(endpoint) if is_tcp(endpoint) else RtuWire(endpoint))
        self._doubts: dict[int, Doubt] = {}
        self.may_be_late = False

    @property
    def is_numbered(self) -> bool:
        """True when an answer tells which question it belongs to."""
        return self._wire.is_numbered

    def doubt_of(self, unit: int, timeout_s: float) -> Doubt:
        """What may still come late from a unit, whoever asked; it outlives connections."""
        late_s = GATEWAY_LATE_TIMEOUTS * timeout_s if self.is_numbered else None
        return self._doubts.setdefault(unit, Doubt(timeout_s, late_s))

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
        return await self.in_turn(
            member, timeout_s, lambda: self._wire.ask(unit, read, timeout_s, takes)
        )


#: a device must find the bus its neighbours are on
_BUSES: shared_bus.Shared[Endpoint, Bus] = shared_bus.Shared(Bus)


def bus_of(place: Place) -> Bus:
    """The bus of an endpoint in the running loop."""
    return _BUSES.of(place.endpoint)
