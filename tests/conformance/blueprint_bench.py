"""The blueprint's device for the driver contract: lines of text over TCP, a few lines long."""

import asyncio

from edge.drivers.base import DeviceSpec
from evidence.points import Dtype
from tests.conformance.bench import TIMEOUT_S, TcpBench
from tests.recording import RECORD
from tests.tcp_server import TcpServer
from tests.unit.edge.drivers.specs import register, spec


class TextDevice(TcpServer):
    """Answers READ lines out of `values`, and refuses every other name."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__()
        self.values = values
        self.is_silent = False

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            verb, _, name = line.decode().strip().partition(" ")
            RECORD.note("blueprint", verb)
            value = self.values.get(name)
            said = f"ERROR {name} unknown" if value is None else f"VALUE {name} {value}"
            if not self.is_silent:
                writer.write(f"{said}\n".encode())


class BlueprintBench(TcpBench):
    """Three values, of which the device does not know the second."""

    asks = "blueprint"

    def __init__(self, scheme: str = "blueprint") -> None:
        self.device = TextDevice({"first": "123456.0", "third": "123456.0"})
        self._scheme = scheme

    def spec(self, url: str = "") -> DeviceSpec:
        rows = [register(n, Dtype.F32, address=None) for n in ("first", "second", "third")]
        return spec(url or self.url, *rows, timeout_s=TIMEOUT_S)

    async def start(self) -> None:
        await self.device.start()
        self.url = f"{self._scheme}://127.0.0.1:{self.device.port}"

    def silence(self, is_silent: bool) -> None:
        self.device.is_silent = is_silent
