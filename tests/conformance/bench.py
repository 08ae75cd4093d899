"""A device for the driver contract: of one protocol, good, silent or gone as a test wants it."""

import struct
from abc import ABC, abstractmethod

from edge.drivers.base import DeviceSpec
from evidence.quality import Quality
from tests.tcp_server import TcpServer

VALUE = struct.pack("<f", 123456.0)
TIMEOUT_S = 0.25


class Bench(ABC):
    """A device under test conditions."""

    url: str
    value: bytes = VALUE
    bad = Quality.DEVICE_REFUSED  # what the middle point is
    can_be_silent = True
    asks = ""  # protocol under which its device records what it is asked; "" is asked nothing

    async def feed(self) -> None:  # noqa: B027 - a meter needs none
        """Have something to read; a meter has always."""

    def clear(self) -> None:  # noqa: B027 - a meter needs none
        """Have nothing left from an earlier test."""

    @abstractmethod
    def spec(self, url: str = "") -> DeviceSpec:
        """Three points: good, bad, good."""

    @abstractmethod
    async def start(self) -> None: ...

    @abstractmethod
    async def stop(self) -> None: ...

    @abstractmethod
    async def cut(self) -> None:
        """Gone: port closed, connections broken."""

    @abstractmethod
    async def back(self) -> None:
        """Listening again where it was."""

    @abstractmethod
    def silence(self, is_silent: bool) -> None:
        """Connections stay, nothing is answered."""

    @abstractmethod
    async def connections(self) -> int:
        """Open connections, once what was closed has been noticed."""


class TcpBench(Bench):
    """A device that is a TCP server of the suite's own."""

    device: TcpServer

    async def start(self) -> None:
        await self.device.start()

    async def stop(self) -> None:
        await self.device.stop()

    async def cut(self) -> None:
        await self.device.stop()

    async def back(self) -> None:
        await self.device.start()

    async def connections(self) -> int:
        return await self.device.settled()
