"""The wire: one TCP connection. The only file of this driver that does I/O or touches a library.

A library goes here with its own retries and reconnect switched off: one question, one answer, and
the agent decides when a device is tried again.
"""

import asyncio

from edge.drivers._blueprint.question import ANSWER_BYTES_MAX, is_answer_to, only_reads
from edge.drivers.address import Address


class Wire:
    """A connection, open or not; at most one question is under way on it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    @property
    def is_open(self) -> bool:
        """True while there is a connection, as far as is known."""
        return self._writer is not None

    async def open(self, timeout_s: float) -> None:
        """Connect, if that is not done; OSError or TimeoutError when it cannot be."""
        if self._writer is not None:
            return  # never two connections
        async with asyncio.timeout(timeout_s):
            self._reader, self._writer = await asyncio.open_connection(
                self._address.host, self._address.port, limit=ANSWER_BYTES_MAX
            )

    async def ask(self, name: str, question: bytes, timeout_s: float) -> bytes:
        """The one place that sends: the answer to a question.

        Raises:
            OSError, TimeoutError: there is none; the connection must be closed, or a late answer
                would meet the next question.
        """
        if self._reader is None or self._writer is None:
            raise ConnectionError("the connection is closed")
        async with asyncio.timeout(timeout_s):
            self._writer.write(only_reads(question))
            while True:
                try:
                    answer = await self._reader.readline()
                except ValueError:  # longer than the limit
                    raise ConnectionError("it sends what is no answer") from None
                if not answer.endswith(b"\n"):
                    raise ConnectionError("it closed the connection")
                if is_answer_to(name, answer):
                    return answer

    def close(self) -> None:
        """Give the connection back; never raises."""
        writer, self._reader, self._writer = self._writer, None, None
        if writer is not None:
            writer.transport.abort()
