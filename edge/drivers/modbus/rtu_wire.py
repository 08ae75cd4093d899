"""The wire of Modbus RTU, on a serial line or through a transparent converter (RTU over TCP).

What it guarantees:
- a question goes out only after the line has been silent for 3.5 characters;
- what is heard while no question is under way is thrown away, and so is the question's own echo;
- an answer is believed only with the unit, the function code, the bytes asked for and a CRC.
Answers carry no number of their question: `seat.Seat` sees to it that a late one cannot fit.
"""

import asyncio
import contextlib
from collections.abc import Callable

from edge.drivers.connection import Connection, NoConnectionError, connect
from edge.drivers.modbus.answers import Cells, cells_of
from edge.drivers.modbus.endpoint import Host, Line
from edge.drivers.modbus.gate import only_rtu_reads
from edge.drivers.modbus.plan import Read
from edge.drivers.modbus.rtu import answers_in, request
from edge.drivers.serial_line import LineError, Mouth
from edge.drivers.shared_bus import NotAskedError, SilentError

HEARD_MAX = 2048  # bytes kept of one answer; the longest frame has 256
HOST_SILENCE_S = 0.005  # a converter's line is not ours to measure; 3.5 characters at 9600 baud


class RtuWire:
    """One line to several units; at most one question is under way on it."""

    is_numbered = False

    def __init__(self, endpoint: Host | Line) -> None:
        self._endpoint = endpoint
        self._silence_s = endpoint.silence_s if isinstance(endpoint, Line) else HOST_SILENCE_S
        self._end: Mouth | Connection | None = None
        self._heard_at_s = 0.0
        self._unit, self._question, self._heard, self._count = 0, b"", b"", 0
        self._takes: Callable[[bytes], bool] = lambda _: True
        self._answer: asyncio.Future[bytes] | None = None

    @property
    def is_open(self) -> bool:
        """True while there is a line, as far as is known."""
        return self._end is not None

    async def open(self, timeout_s: float) -> str:
        """Open the line anew; why not, or ""."""
        self.close()
        # who spoke before is not known: silence counts from here
        self._heard_at_s = asyncio.get_running_loop().time()
        try:
            if isinstance(self._endpoint, Line):
                self._end = Mouth(self._endpoint, self.hear, self.lost, only_rtu_reads)
            else:
                self._end = await connect(
                    self._endpoint.host, self._endpoint.port, timeout_s,
                    hear=self.hear, lost=self.lost, gate=only_rtu_reads,
                )  # fmt: skip
        except (LineError, NoConnectionError) as error:
            return str(error)
        return ""

    async def ask(
        self, unit: int, read: Read, timeout_s: float, takes: Callable[[bytes], bool]
    ) -> Cells:
        """The one place that asks: the cells of one read.

        Args:
            unit: who.
            read: what.
            timeout_s: how long the answer may take.
            takes: whether an answer of the unit is looked at or, being a late one, passed over.

        Raises:
            NotAskedError, SilentError, RefusedError, WrongAnswerError.
        """
        await self._silence(timeout_s)
        if self._end is None:
            raise NotAskedError("the line is closed")
        answer = asyncio.get_running_loop().create_future()
        self._unit, self._question, self._heard, self._count = unit, request(unit, read), b"", 0
        self._takes = takes
        self._answer = answer
        try:
            self._end.send(self._question)
            async with asyncio.timeout(timeout_s):
                pdu = await answer
        except OSError as error:  # TimeoutError is one
            late = f"{self._count} bytes heard, no answer among them"
            raise SilentError(str(error) or (late if self._count else "nothing heard")) from None
        finally:
            self._answer = None
        return cells_of(pdu, read)

    def close(self) -> None:
        """Give the line back; a question under way fails at once."""
        end, self._end = self._end, None
        if end is not None:
            end.close()
        self.lost()

    def lost(self) -> None:
        """The line is gone."""
        self._end = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the connection was lost"))
            self._answer.exception()  # nobody may be waiting; then it is not an unretrieved error

    def hear(self, data: bytes) -> None:
        """Whatever comes in."""
        self._heard_at_s = asyncio.get_running_loop().time()
        if self._answer is None or self._answer.done() or self._count == HEARD_MAX:
            return  # nobody asked, or there is no answer in all that fits
        data = data[: HEARD_MAX - self._count]
        self._count += len(data)
        self._heard += data
        if self._question:  # its own echo may come first
            if self._question.startswith(self._heard) and self._heard != self._question:
                return
            self._heard, self._question = self._heard.removeprefix(self._question), b""
        # what was looked at is not looked at again: a line of noise would take seconds of the loop
        answers, self._heard = answers_in(self._heard, self._unit)
        for pdu in answers:
            if self._takes(pdu):
                self._answer.set_result(pdu)
                return

    async def _silence(self, patience_s: float) -> None:
        """Wait until nobody speaks; what is said meanwhile is thrown away."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while True:
                    # a process that was held up first hears what came meanwhile: the loop's next
                    # turn finds it, the one after that has it
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)
                    wait_s = self._heard_at_s + self._silence_s - loop.time()
                    if wait_s <= 0:
                        return
                    await asyncio.sleep(wait_s)
        raise NotAskedError("the line is never silent; is there another master, or noise?")
