"""The wire of Modbus TCP (Modbus Messaging on TCP/IP Implementation Guide 1.0b, section 3.1).

What it guarantees:
- an answer is believed only with the number of its question, the unit that was asked, the function
  code and the bytes asked for;
- after a question without an answer the connection is closed, so that a late one reaches nobody.
"""

import asyncio
from collections.abc import Callable

from edge.drivers.connection import Connection, NoConnectionError, connect
from edge.drivers.modbus.answers import Cells, cells_of
from edge.drivers.modbus.endpoint import Host
from edge.drivers.modbus.gate import only_tcp_reads
from edge.drivers.modbus.plan import Read
from edge.drivers.modbus.tcp import find_pdu, request
from edge.drivers.shared_bus import NotAskedError, SilentError

HEARD_MAX = 2048  # bytes kept while an answer is waited for; the longest packet has 260


class TcpWire:
    """One TCP connection to one server; at most one question is under way on it."""

    #: Answers carry the number of their question: a late one is known as such.
    is_numbered = True

    def __init__(self, host: Host) -> None:
        self._host = host
        self._connection: Connection | None = None
        self._number, self._unit, self._heard = 0, 0, b""
        self._answer: asyncio.Future[bytes] | None = None

    @property
    def is_open(self) -> bool:
        """True while there is a connection, as far as is known."""
        return self._connection is not None

    async def open(self, timeout_s: float) -> str:
        """Connect anew; why not, or "". Never leaves two connections."""
        self.close()
        try:
            self._connection = await connect(
                self._host.host, self._host.port, timeout_s,
                hear=self._hear, lost=self._lost, gate=only_tcp_reads,
            )  # fmt: skip
        except NoConnectionError as error:
            return str(error)
        return ""

    async def ask(
        self, unit: int, read: Read, timeout_s: float, _takes: Callable[[bytes], bool]
    ) -> Cells:
        """The one place that asks: the cells of one read.

        Raises:
            NotAskedError, SilentError, RefusedError, WrongAnswerError.
        """
        if self._connection is None:
            raise NotAskedError("the connection is closed")
        loop = asyncio.get_running_loop()
        self._answer = answer = loop.create_future()
        self._number, self._unit, self._heard = self._number % 0xFFFF + 1, unit, b""
        timer = loop.call_later(timeout_s, self._fail, "nothing heard in time")
        try:
            self._connection.send(request(self._number, unit, read))
            pdu = await answer
        except BaseException:
            self.close()
            raise
        finally:
            timer.cancel()
            self._answer = None
        return cells_of(pdu, read)

    def close(self) -> None:
        """Close the connection; a question under way fails at once."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        self._fail("the connection was lost")

    def _hear(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            return  # nobody asked
        self._heard = (self._heard + data)[:HEARD_MAX]
        if pdu := find_pdu(self._heard, self._number, self._unit):
            self._answer.set_result(pdu)

    def _lost(self) -> None:
        self._connection = None
        self._fail("the connection was lost")

    def _fail(self, why: str) -> None:
        """End a wait that can have no answer any more."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(SilentError(why))
            self._answer.exception()  # nobody may be waiting; then it is not an unretrieved error


def packet(unit: int, read: Read) -> bytes:
    """What `TcpWire.ask` sends for a read; on the wire its first two bytes count the questions."""
    return only_tcp_reads(request(0, unit, read))
