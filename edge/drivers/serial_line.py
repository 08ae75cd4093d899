"""Serial lines of this machine, opened for reading and, where it is said, for asking.

`Ear` opens the device file read-only: nothing in this program can write through it. `Mouth` is an
`Ear` that can also send. The kernel does the rest: no echo, no translation, 8 data bits.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import struct
import termios
from collections.abc import Callable
from dataclasses import dataclass

_CHUNK = 4096
_SPEEDS = {
    1200: termios.B1200, 2400: termios.B2400, 4800: termios.B4800, 9600: termios.B9600,
    19200: termios.B19200, 38400: termios.B38400, 57600: termios.B57600, 115200: termios.B115200,
}  # fmt: skip
_SETTINGS = termios.CSIZE | termios.PARENB | termios.PARODD | termios.CSTOPB

#: bits a second that a line can be set to
BAUDS = tuple(_SPEEDS)


@dataclass(frozen=True)
class SerialLine:
    """A serial line of this machine: 8 data bits.

    Attributes:
        path: device file.
        baud: bits a second, one of `BAUDS`.
        parity: "N", "E" or "O".
        stop_bits: 1 or 2.
    """

    path: str
    baud: int
    parity: str
    stop_bits: int = 1

    @property
    def byte_s(self) -> float:
        """Seconds one byte takes on the wire: start, 8 data, parity and stop bits."""
        return (9 + (self.parity != "N") + self.stop_bits) / self.baud

    @property
    def shown(self) -> str:
        """Its settings as people write them: "9600 baud 8E1"."""
        return f"{self.baud} baud 8{self.parity}{self.stop_bits}"

    def __str__(self) -> str:
        return self.path


class LineError(OSError):
    """The line cannot be opened or set as wanted; the sentence says why."""


class Ear:
    """A serial line that is only listened to.

    Args:
        line: which, and how it is set.
        on_bytes: called with whatever comes in.
        on_lost: called once when the line is gone (adapter pulled out).

    Raises:
        LineError: it cannot be opened.
    """

    _access = os.O_RDONLY

    def __init__(
        self, line: SerialLine, on_bytes: Callable[[bytes], None], on_lost: Callable[[], None]
    ) -> None:
        self._on_bytes, self._on_lost = on_bytes, on_lost
        self._loop = asyncio.get_running_loop()
        self._fd = _open(line, self._access)
        if self._access == os.O_RDONLY:
            _lower_rts(self._fd)
        self._loop.add_reader(self._fd, self._readable)

    def close(self) -> None:
        """Give the line back; nothing more is called."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, _CHUNK)
        except BlockingIOError:
            return
        except OSError:  # EIO: hung up
            data = b""
        if data:
            self._on_bytes(data)
        else:
            self.close()
            self._on_lost()


class Mouth(Ear):
    """A serial line on which questions are asked.

    Args:
        line, on_bytes, on_lost: as of `Ear`.
        gate: everything outgoing passes it; it raises for what only a defect would send.
    """

    _access = os.O_RDWR

    def __init__(
        self,
        line: SerialLine,
        on_bytes: Callable[[bytes], None],
        on_lost: Callable[[], None],
        gate: Callable[[bytes], bytes],
    ) -> None:
        super().__init__(line, on_bytes, on_lost)
        self._gate = gate

    def send(self, frame: bytes) -> None:
        """Put one question, of a few dozen bytes, on the line.

        Raises:
            OSError: the line does not take it.
        """
        if self._fd < 0:
            raise OSError("the line is closed")
        os.write(self._fd, self._gate(frame))  # a free line takes so few bytes whole


def _open(line: SerialLine, access: int) -> int:
    # O_NONBLOCK: without it, opening waits for a carrier that RS-485 has not
    try:
        fd = os.open(line.path, access | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError as error:
        # EACCES are the file's own rights; a group of devices that systemd keeps closed is EPERM
        rule = f"; the unit keeps it closed: DeviceAllow={line.path} rw in a drop-in"
        closed = rule if error.errno == errno.EPERM else ""
        raise LineError(f"{line.path} cannot be opened: {error.strerror}{closed}") from None
    except OSError as error:
        raise LineError(f"{line.path} cannot be opened: {error.strerror}") from None
    try:
        _set(fd, line)
    except LineError:
        os.close(fd)
        raise
    return fd


def _set(fd: int, line: SerialLine) -> None:
    if not os.isatty(fd):
        raise LineError(f"{line.path} is no serial line")
    try:
        # Two readers of one line take each other's bytes. pyserial asks for the same lock.
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise LineError(
            f"{line.path} is in use by another program, or by a device with other settings"
        ) from None
    flags = termios.CS8 | termios.CREAD | termios.CLOCAL
    if line.parity != "N":
        flags |= termios.PARENB | (termios.PARODD if line.parity == "O" else 0)
    if line.stop_bits == 2:
        flags |= termios.CSTOPB
    # bytes of a wrong parity are dropped: the frame's checksum then finds them missing
    checked = 0 if line.parity == "N" else termios.INPCK | termios.IGNPAR
    speed = _SPEEDS[line.baud]
    try:
        characters = termios.tcgetattr(fd)[6]
        characters[termios.VMIN], characters[termios.VTIME] = 1, 0
        termios.tcsetattr(fd, termios.TCSANOW, [checked, 0, flags, 0, speed, speed, characters])
        termios.tcflush(fd, termios.TCIFLUSH)
        now = termios.tcgetattr(fd)  # what a line cannot do it may leave out without a word
    except termios.error:
        now = []
    if not now or now[2] & _SETTINGS != flags & _SETTINGS or now[4:6] != [speed, speed]:
        raise LineError(
            f"{line.path} cannot be set to {line.baud} baud, parity {line.parity}, "
            f"{line.stop_bits} stop bits"
        )


def _lower_rts(fd: int) -> None:
    """Opening raises RTS, which some converters take for "send": they would hold the line."""
    with contextlib.suppress(OSError):  # no such pin (a pty, some adapters)
        fcntl.ioctl(fd, termios.TIOCMBIC, struct.pack("I", termios.TIOCM_RTS))
