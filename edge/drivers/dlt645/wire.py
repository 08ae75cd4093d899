"""One line to DL/T 645 meters: TCP to a serial server, or a serial line of this machine.

The only file of this driver that does I/O. Everything outgoing passes `only_reads`. What comes in
is kept until it is asked for, bounded; nothing is written to the line but questions.
"""

import asyncio
from dataclasses import dataclass

from edge.drivers.dlt645.frame import HELD_BYTES_MAX, only_reads
from edge.drivers.serial_line import Mouth, SerialLine


@dataclass(frozen=True)
class Host:
    """A serial server that passes bytes on as they are."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


Endpoint = Host | SerialLine


class _Ears(asyncio.Protocol):
    def __init__(self, wire: "Wire") -> None:
        self._wire = wire

    def data_received(self, data: bytes) -> None:
        self._wire.heard(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._wire.lost(self)


class Wire:
    """The line, open or not."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._transport: asyncio.Transport | None = None
        self._ears: _Ears | None = None
        self._mouth: Mouth | None = None
        self._held = bytearray()
        self._news = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """True while there is a line, as far as is known."""
        return self._transport is not None or self._mouth is not None

    async def open(self) -> None:
        """Open it.

        Raises:
            OSError: it cannot be.
        """
        self.close()
        if isinstance(self._endpoint, SerialLine):
            self._mouth = Mouth(self._endpoint, self.heard, self.close, only_reads)
            return
        ears = _Ears(self)
        transport, _ = await asyncio.get_running_loop().create_connection(
            lambda: ears, self._endpoint.host, self._endpoint.port
        )
        self._ears, self._transport = ears, transport

    def send(self, frame: bytes) -> None:
        """The one place that sends: one question.

        Raises:
            OSError: the line is closed or does not take it.
        """
        if self._transport is not None:
            self._transport.write(only_reads(frame))
        elif self._mouth is not None:
            self._mouth.send(frame)
        else:
            raise OSError("the line is closed")

    async def more(self) -> bytes:
        """Wait for bytes, and take all there are.

        Raises:
            OSError: the line is closed.
        """
        while not self._held:
            if not self.is_open:
                raise OSError("the line was closed")
            self._news.clear()
            await self._news.wait()
        return self.forget()

    def forget(self) -> bytes:
        """Take what has come so far."""
        taken = bytes(self._held)
        self._held.clear()
        return taken

    def heard(self, data: bytes) -> None:
        """Bytes came in; the newest are kept."""
        self._held += data
        del self._held[:-HELD_BYTES_MAX]
        self._news.set()

    def lost(self, ears: _Ears) -> None:
        """The other end closed a connection; it may be one that was given up before."""
        if ears is self._ears:
            self.close()

    def close(self) -> None:
        """Give it back; whoever waits for more learns it."""
        transport, self._transport, self._ears = self._transport, None, None
        if transport is not None:
            transport.abort()
        mouth, self._mouth = self._mouth, None
        if mouth is not None:
            mouth.close()
        self._held.clear()
        self._news.set()
