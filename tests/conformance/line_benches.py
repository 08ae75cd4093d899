"""Benches of the driver contract on a serial line: asked, through a converter, listened to."""

import tempfile
from pathlib import Path

from edge.drivers.base import DeviceSpec
from evidence.points import Dtype
from tests.conformance.bench import TIMEOUT_S, Bench
from tests.integration.drivers.rtu_line import Converter, SerialLine, Unit
from tests.integration.drivers.rtu_master import Master
from tests.unit.edge.drivers.specs import register, spec


class RtuBench(Bench):
    """The same device on a serial line: a pty, which knows no parity."""

    asks = "Modbus"

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        unit = Unit(words={0: 0x47F1, 1: 0x2000, 4: 0x47F1, 5: 0x2000}, illegal={2, 3})
        self._line = SerialLine(Path(self._folder.name), u1=unit)

    def spec(self, url: str = "") -> DeviceSpec:
        rows = [register(f"r{a}", Dtype.F32, address=a) for a in (0, 2, 4)]
        return spec(url or self.url, *rows, timeout_s=TIMEOUT_S)

    async def start(self) -> None:
        self._line.pty.back()
        self.url = self._line.url(1)

    async def stop(self) -> None:
        self._line.pty.cut()
        self._folder.cleanup()

    async def cut(self) -> None:
        self._line.pty.cut()

    async def back(self) -> None:
        self._line.pty.back()

    def silence(self, is_silent: bool) -> None:
        self._line.devices.is_silent = is_silent

    async def connections(self) -> int:
        return self._line.pty.users


class ConverterBench(RtuBench):
    """The same device behind a transparent converter."""

    def __init__(self) -> None:
        super().__init__()
        self._converter = Converter(**{"u1": self._line.devices.units[1]})

    async def start(self) -> None:
        await self._converter.start()
        self.url = self._converter.url(1)

    async def stop(self) -> None:
        await self._converter.stop()
        self._folder.cleanup()

    async def cut(self) -> None:
        await self._converter.stop()

    async def back(self) -> None:
        await self._converter.start()

    def silence(self, is_silent: bool) -> None:
        self._converter.devices.is_silent = is_silent

    async def connections(self) -> int:
        return await self._converter.settled()


class ListenBench(RtuBench):
    """A line on which a master asks the same device."""

    asks = ""

    def __init__(self) -> None:
        super().__init__()
        self._master = Master(Path(self._folder.name), u1=self._line.devices.units[1])
        self._master.reads = [(1, 3, a, 2) for a in (0, 2, 4)]

    async def start(self) -> None:
        await self.back()
        self.url = self._master.url()

    async def stop(self) -> None:
        await self.cut()
        self._folder.cleanup()

    async def cut(self) -> None:
        self._master.stop()
        self._master.pty.cut()

    async def back(self) -> None:
        self._master.pty.back()
        self._master.start()

    def silence(self, is_silent: bool) -> None:
        self._master.stop()
        if not is_silent:
            self._master.start()

    async def connections(self) -> int:
        assert self._master.pty.written == b""
        return self._master.pty.users
