"""One line to DL/T 645 meters: TCP to a serial server, or a serial line of this machine.

The only file of this driver that does I/O. Everything outgoing passes `only_reads`. What comes in
is kept until it is asked for, bounded; nothing is written to the line but questions.
"""

import asyncio
from dataclasses import dataclass

from edge.drivers.connection import Connection, NoConnectionError, connect
from edge.drivers.dlt645.frame import HELD_BYTES_MAX, only_reads
from edge.drivers.serial_line import LineError, Mouth, SerialLine


@dataclass(frozen=True)
class Host:
    """A serial server that passes bytes on as they are."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


Endpoint = Host | SerialLine


class Wire:
    """The line, open or not."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._end: Mouth | Connection | None = None
        self._held = bytearray()
        self._news = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """True while there is a line, as far as is known."""
        return self._end is not None

    async def open(self, timeout_s: float) -> str:
        """Open it anew; why not, or ""."""
        self.close()
        try:
            if isinstance(self._endpoint, SerialLine):
                self._end = Mouth(self._endpoint, self.heard, self.close, only_reads)
            else:
                self._end = await connect(
                    self._endpoint.host, self._endpoint.port, timeout_s,
                    hear=self.heard, lost=self.close, gate=only_reads,
                )  # fmt: skip
        except (LineError, NoConnectionError) as error:
            return str(error)
        return ""

    def send(self, frame: bytes) -> None:
        """The one place that sends: one question.

        Raises:
            OSError: the line is closed or does not take it.
        """
        if self._end is None:
            raise OSError("the line is closed")
        self._end.send(frame)

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

    def close(self) -> None:
        """Give it back; whoever waits for more learns it."""
        end, self._end = self._end, None
        if end is not None:
            end.close()
        self._held.clear()
        self._news.set()
