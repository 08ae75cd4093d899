"""One line to DL/T 645 meters: TCP to a serial server, or a serial line of this machine.

The only file of this driver that does I/O. Everything outgoing passes `only_reads`. What comes in
is kept until it is asked for, bounded; nothing is written to the line but questions.
"""

import asyncio
import fcntl
import os
import termios
from dataclasses import dataclass

from edge.drivers.dlt645.frame import HELD_BYTES_MAX, only_reads

SPEEDS = {
    1200: termios.B1200, 2400: termios.B2400, 4800: termios.B4800, 9600: termios.B9600,
    19200: termios.B19200,
}  # fmt: skip


@dataclass(frozen=True)
class Host:
    """A serial server that passes bytes on as they are."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class SerialLine:
    """A serial line: 8 data bits, 1 stop bit (DL/T 645-2007, 5.1).

    Attributes:
        path: device file.
        baud: a key of `SPEEDS`.
        parity: "E", "N" or "O"; the standard's is even.
    """

    path: str
    baud: int
    parity: str

    def __str__(self) -> str:
        return self.path


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
        self._fd = -1
        self._held = bytearray()
        self._news = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """True while there is a line, as far as is known."""
        return self._transport is not None or self._fd >= 0

    async def open(self) -> None:
        """Open it.

        Raises:
            OSError: it cannot be.
        """
        self.close()
        loop = asyncio.get_running_loop()
        if isinstance(self._endpoint, SerialLine):
            self._fd = _open_serial(self._endpoint)
            loop.add_reader(self._fd, self._readable)
            return
        ears = _Ears(self)
        transport, _ = await loop.create_connection(
            lambda: ears, self._endpoint.host, self._endpoint.port
        )
        self._ears, self._transport = ears, transport

    def send(self, frame: bytes) -> None:
        """The one place that sends: one question.

        Raises:
            OSError: the line is closed or does not take it.
        """
        frame = only_reads(frame)
        if self._transport is not None:
            self._transport.write(frame)
        elif self._fd >= 0:
            os.write(self._fd, frame)  # 21 bytes: a free line takes them whole
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
        if self._fd >= 0:
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1
        self._held.clear()
        self._news.set()

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, HELD_BYTES_MAX)
        except BlockingIOError:
            return
        except OSError:  # the adapter was pulled out
            data = b""
        if data:
            self.heard(data)
        else:
            self.close()


def _open_serial(line: SerialLine) -> int:
    # O_NONBLOCK: without it, opening waits for a carrier that RS-485 has not
    fd = os.open(line.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _set(fd, line)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _set(fd: int, line: SerialLine) -> None:
    """Raises OSError."""
    if not os.isatty(fd):
        raise OSError(f"{line.path} is no serial line")
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)  # two readers take each other's bytes
    except OSError:
        raise OSError(
            f"{line.path} is in use by another program, or by a device with other settings"
        ) from None
    flags = termios.CS8 | termios.CREAD | termios.CLOCAL
    if line.parity != "N":
        flags |= termios.PARENB | (termios.PARODD if line.parity == "O" else 0)
    speed = SPEEDS[line.baud]
    # bytes with a wrong parity are dropped by the kernel: the checksum then finds them missing
    checked = termios.INPCK | termios.IGNPAR if line.parity != "N" else 0
    try:
        characters = termios.tcgetattr(fd)[6]
        characters[termios.VMIN], characters[termios.VTIME] = 1, 0
        termios.tcsetattr(fd, termios.TCSANOW, [checked, 0, flags, 0, speed, speed, characters])
        termios.tcflush(fd, termios.TCIFLUSH)
    except termios.error as error:
        raise OSError(
            f"{line.path} cannot be set to {line.baud} baud, parity {line.parity}: {error.args[-1]}"
        ) from None
