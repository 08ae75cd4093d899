"""The wire of Modbus TCP; the only file that touches pymodbus.

pymodbus's own retries and reconnect are off: one question, one answer, one owner of the connection
(two owners make two connections). It checks neither function code nor length of an answer and drops
a byte too many without a word, so the answer is taken out of the bytes heard instead.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.client.mixin import ModbusClientMixin
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU

from edge.drivers.modbus.answers import Cells, NotAskedError, SilentError, cells_of
from edge.drivers.modbus.decode import find_pdu
from edge.drivers.modbus.endpoint import Host
from edge.drivers.modbus.gate import TCP_CODE_AT, only_reads
from edge.drivers.modbus.plan import Read

# What pymodbus would log at each timeout reaches the caller as a DeviceError or a quality.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)

T = TypeVar("T")


class TcpWire:
    """One TCP connection to one server; at most one question is under way on it."""

    #: Answers carry the number of their question: a late one is known as such.
    is_numbered = True

    def __init__(self, host: Host) -> None:
        self._host = host
        self._heard = b""
        self._client: AsyncModbusTcpClient | None = None

    @property
    def is_open(self) -> bool:
        """True while there is a connection, as far as is known."""
        return self._client is not None and self._client.connected

    async def open(self, timeout_s: float) -> str:
        """Connect anew; why not, or "". Never leaves two connections."""
        self.close()
        self._client = client = AsyncModbusTcpClient(
            self._host.host,
            port=self._host.port,
            timeout=timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._passing,
            trace_connect=self._changed,
        )
        cancels = _cancels()
        opened = await client.connect()
        _raise_if_cancelled_since(cancels)
        return "" if opened else "nobody accepts"

    async def ask(
        self, unit: int, read: Read, timeout_s: float, _takes: Callable[[bytes], bool]
    ) -> Cells:
        """The one place that asks: the cells of one read.

        When no answer came the connection is closed, so that a late one has nobody to reach.

        Raises:
            NotAskedError, SilentError, RefusedError, WrongAnswerError.
        """
        client = self._client
        if client is None:
            raise NotAskedError("the connection is closed")
        client.comm_params.timeout_connect = timeout_s
        cancels = _cancels()
        try:
            answer = await _ask(client, unit, read)
            _raise_if_cancelled_since(cancels)
        except ModbusException as error:
            self.close()
            raise SilentError(error.string) from None
        except BaseException:
            self.close()
            raise
        return cells_of(find_pdu(self._heard, answer.transaction_id), read)

    def close(self) -> None:
        """Close the connection; a question under way fails at once."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
            _fail_question(client)

    def _passing(self, sending: bool, packets: bytes) -> bytes:
        """Sees every byte of this connection, out and in, before pymodbus does."""
        if sending:
            return only_reads(packets, TCP_CODE_AT)
        self._heard = packets
        return packets

    def _changed(self, is_connected: bool) -> None:
        if not is_connected and self._client is not None:
            _fail_question(self._client)


class _Framing(ModbusClientMixin[bytes]):
    """The client's methods without a connection: they give the packet that would be sent."""

    def execute(self, no_response_expected: bool, request: ModbusPDU) -> bytes:
        """Called by each of them with the request it has made."""
        del no_response_expected
        request.transaction_id = 0
        return FramerSocket(DecodePDU(False)).buildFrame(request)


_FRAMING = _Framing()  # type: ignore[no-untyped-call] # pymodbus


def packet(unit: int, read: Read) -> bytes:
    """What `TcpWire.ask` sends for a read; on the wire its first two bytes count the questions."""
    return only_reads(_ask(_FRAMING, unit, read), TCP_CODE_AT)


def _ask(client: ModbusClientMixin[T], unit: int, read: Read) -> T:
    method = {
        1: client.read_coils,
        2: client.read_discrete_inputs,
        3: client.read_holding_registers,
        4: client.read_input_registers,
    }[read.code]
    return method(read.address, count=read.count, device_id=unit)


def _fail_question(client: AsyncModbusTcpClient) -> None:
    """End a wait that can have no answer any more; pymodbus would sit out the whole timeout."""
    question = client.ctx.response_future
    if not question.done():
        question.set_exception(ConnectionException("the connection was lost"))
        question.exception()  # nobody may be waiting; then it is not an unretrieved error


def _cancels() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task else 0


def _raise_if_cancelled_since(before: int) -> None:
    """`asyncio.wait_for`, which pymodbus uses, loses a cancel that meets the answer (< 3.12)."""
    if _cancels() > before:
        raise asyncio.CancelledError
