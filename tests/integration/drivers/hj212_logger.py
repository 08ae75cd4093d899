"""A CEMS logger of a few lines that calls a platform over TCP and sends what a test tells it to.

Its packets come from `tests/unit/edge/drivers/hj212_packets.py`, written from the standard, not
from the driver. Its clock is its own: every message is a second later than the one before.
Whatever a test does with it: when it stops, not a byte must have come back, unless `may_hear`.
"""

import asyncio
import contextlib
import itertools
import re

from tests.recording import RECORD
from tests.unit.edge.drivers.hj212_packets import MN, packet, rtd

_AGAIN_S = 0.005


class Logger:
    """Calls 127.0.0.1:`port` again and again, and repeats `values` while it is not silent.

    Attributes:
        values: items of its real-time message; "" sends none by itself.
        heard: bytes that came back.
        may_hear: the test has told the driver to answer.
        connections: how many it has had.
    """

    def __init__(self, port: int, values: str = "", *, mn: str = MN, every_s: float = 0.02) -> None:
        self.port = port
        self.values = values
        self.mn = mn
        self.every_s = every_s
        self.is_silent = False
        self.heard = bytearray()
        self.may_hear = False
        self.connections = 0
        self._seconds = itertools.count()
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._call())

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            self.hang_up()
            await task
        assert self.may_hear or self.heard == b""

    @property
    def is_connected(self) -> bool:
        return self._writer is not None

    async def connected(self) -> None:
        """Until it is."""
        for _ in range(2500):
            if self._writer is not None:
                return
            await asyncio.sleep(0.002)
        raise AssertionError("nobody accepts the logger's connection")

    async def settled(self) -> int:
        """Open connections once what was closed has been noticed."""
        for _ in range(100):
            if self._writer is None:
                return 0
            await asyncio.sleep(0.002)
        return 1

    def message(self, values: str, **given: object) -> bytes:
        """The packet of its next second."""
        return packet(rtd(values, second=next(self._seconds), mn=self.mn, **given))

    async def send(self, *pieces: bytes) -> None:
        """Send bytes as they are, a moment apart."""
        assert self._writer is not None
        for number, piece in enumerate(pieces):
            if number:
                await asyncio.sleep(0.01)
            self._writer.write(piece)
            await self._writer.drain()

    def hang_up(self) -> None:
        """Cut the link; it calls again at once."""
        if self._writer is not None:
            self._writer.transport.abort()

    async def _call(self) -> None:
        while self._task is not None:
            with contextlib.suppress(OSError):
                await self._one_connection()
            await asyncio.sleep(_AGAIN_S)

    async def _one_connection(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        if self._task is None:  # it was stopped meanwhile
            writer.transport.abort()
            return
        self._writer = writer
        self.connections += 1
        talking = asyncio.create_task(self._talk(writer))
        try:
            while data := await reader.read(4096):
                self.heard += data
                for ack in data.split(b"##")[1:]:  # one piece each, as a few bytes on loopback are
                    kind = re.search(rb";CN=([0-9]+);", ack)
                    RECORD.note("HJ 212", kind[1].decode() if kind else repr(ack))
        finally:
            self._writer = None
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
            writer.transport.abort()

    async def _talk(self, writer: asyncio.StreamWriter) -> None:
        while True:
            if self.values and not self.is_silent:
                writer.write(self.message(self.values))
            await asyncio.sleep(self.every_s)
