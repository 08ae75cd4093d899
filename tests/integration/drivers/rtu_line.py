"""A serial line of a few lines with RTU devices on it that can misbehave as told.

The line is a pty (parity must be N on one) or a TCP socket, as a transparent converter offers it.
The CRC is pymodbus's, so that ours is not its own judge.
"""

import asyncio
import os
import struct
import tty
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from pymodbus.framer import FramerRTU

from edge.drivers.base import Sample
from evidence.quality import Quality
from tests.recorded_wires import Rtu
from tests.tcp_server import TcpServer


def framed(head: bytes) -> bytes:
    """Unit, function code and data with their CRC."""
    return head + FramerRTU.compute_CRC(head).to_bytes(2, "big")


def word(number: int) -> Sample:
    """What a driver makes of a u16."""
    return Sample(struct.pack("<H", number), Quality.GOOD)


@dataclass(frozen=True)
class Asked:
    """One request as it came over the line."""

    unit: int
    code: int
    address: int
    count: int
    at_s: float

    @property
    def span(self) -> tuple[int, int]:
        return self.address, self.count


@dataclass(frozen=True)
class Say:
    """Put these bytes on the line after `delay_s`, whatever happens meanwhile."""

    data: bytes
    delay_s: float = 0.0


@dataclass
class Unit:
    """One device: a word that is not set is its own address plus 1000 times the unit's id."""

    words: dict[int, int] = field(default_factory=dict)
    bits: set[int] = field(default_factory=set)
    illegal: set[int] = field(default_factory=set)
    #: what is said instead of the true answer; None is the true answer
    twist: Callable[[Asked, bytes], list[Say] | None] = lambda _asked, _true: None

    def answer(self, asked: Asked) -> bytes:
        """The frame a well-behaved device sends."""
        cells = range(asked.address, asked.address + asked.count)
        if self.illegal.intersection(cells):
            return framed(bytes([asked.unit, asked.code | 0x80, 2]))
        if asked.code in (1, 2):
            data = bytearray(-(-asked.count // 8))
            for i, cell in enumerate(cells):
                data[i // 8] |= (cell in self.bits) << (i % 8)
        else:
            words = [self.words.get(c, (c + 1000 * asked.unit) & 0xFFFF) for c in cells]
            data = bytearray(struct.pack(f">{len(words)}H", *words))
        return framed(bytes([asked.unit, asked.code, len(data)]) + data)


class Devices:
    """The units of one line; only those that are there answer."""

    def __init__(self, **units: Unit) -> None:
        self.units = {int(name.removeprefix("u")): unit for name, unit in units.items()}
        self.asked: list[Asked] = []
        self.garbled: list[bytes] = []
        self.is_silent = False
        self._heard = b""
        self._record = Rtu()

    def hear(self, data: bytes, say: Callable[[bytes], None]) -> None:
        """Requests as they come; answers go out through `say`."""
        loop = asyncio.get_running_loop()
        self._record.feed(data)
        self._heard += data
        while len(self._heard) >= 8:
            frame, self._heard = self._heard[:8], self._heard[8:]
            if framed(frame[:6]) != frame:
                self.garbled.append(frame)
                continue
            asked = Asked(*struct.unpack(">BBHH", frame[:6]), loop.time())
            self.asked.append(asked)
            unit = self.units.get(asked.unit)
            if unit is None or self.is_silent:
                continue
            true = unit.answer(asked)
            twisted = unit.twist(asked, true)
            for said in [Say(true)] if twisted is None else twisted:
                loop.call_later(said.delay_s, say, said.data)

    def spans_of(self, unit: int) -> list[tuple[int, int]]:
        """(address, count) of every question to a unit so far."""
        return [a.span for a in self.asked if a.unit == unit]


class Pty:
    """A serial line; the far end is ours, the near end is the device file `path`.

    Args:
        folder: where the device file is linked; it keeps its name over `cut` and `back`.
        heard: called with what the near end writes.
    """

    def __init__(self, folder: Path, heard: Callable[[bytes], None] = lambda _: None) -> None:
        self.path = folder / "ttyRS485"
        self.heard = heard
        self.written = b""  # all that the near end ever wrote
        self._far = -1
        self._near_name = ""

    def back(self) -> None:
        """Plug the adapter in."""
        self._far, near = os.openpty()
        tty.setraw(near)
        self._near_name = os.ttyname(near)
        os.set_blocking(self._far, False)
        os.close(near)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(self._near_name)
        asyncio.get_running_loop().add_reader(self._far, self._readable)

    def cut(self) -> None:
        """Pull the adapter out."""
        if self._far >= 0:
            asyncio.get_running_loop().remove_reader(self._far)
            os.close(self._far)
            self._far = -1
            self.path.unlink()

    def say(self, data: bytes) -> None:
        """Put bytes on the line."""
        if self._far >= 0:
            os.write(self._far, data)

    @property
    def users(self) -> int:
        """How many file descriptors of this process have the near end open."""
        found = 0
        for fd in Path("/proc/self/fd").iterdir():
            try:
                found += str(fd.readlink()) == self._near_name
            except OSError:
                continue
        return found

    def _readable(self) -> None:
        try:
            data = os.read(self._far, 4096)
        except OSError:  # EIO while nobody has the near end open
            asyncio.get_running_loop().remove_reader(self._far)
            asyncio.get_running_loop().call_later(0.002, self._listen_again, self._far)
            return
        self.written += data
        self.heard(data)

    def _listen_again(self, far: int) -> None:
        if far == self._far:
            asyncio.get_running_loop().add_reader(far, self._readable)


class SerialLine:
    """`async with SerialLine(tmp_path, u1=Unit()) as line`; `line.url(1)` is device 1's."""

    def __init__(self, folder: Path, **units: Unit) -> None:
        self.devices = Devices(**units)
        self.pty = Pty(folder, lambda data: self.devices.hear(data, self.pty.say))

    async def __aenter__(self) -> Self:
        self.pty.back()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.pty.cut()

    def url(self, unit: int, more: str = "") -> str:
        return f"modbus+rtu://{self.pty.path}?unit={unit}&baud=19200&parity=N{more}"


class Converter(TcpServer):
    """The same devices behind a transparent converter; use as `SerialLine`."""

    def __init__(self, **units: Unit) -> None:
        super().__init__()
        self.devices = Devices(**units)

    def url(self, unit: int, more: str = "") -> str:
        return f"modbus+rtu-tcp://127.0.0.1:{self.port}?unit={unit}{more}"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(256):
            self.devices.hear(data, self._say)

    def _say(self, data: bytes) -> None:
        for writer in self._writers:  # a line: whoever is connected hears it
            if not writer.is_closing():
                writer.write(data)
