"""The blueprint's device for the driver contract: lines of text over TCP, a few lines long."""

import asyncio

from edge.drivers.base import DeviceSpec
from evidence.points import Dtype
from tests.conformance.bench import TIMEOUT_S, Bench
from tests.recording import RECORD
from tests.unit.edge.drivers.specs import register, spec


class TextDevice:
    """Answers READ lines out of `values`, and refuses every other name."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values
        self.is_silent = False
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in self._writers:
                writer.transport.abort()
            await self.settled()
            self._server = None

    async def settled(self) -> int:
        """Open connections once the loop has had a moment to notice what was closed."""
        for _ in range(100):
            if not self._writers:
                break
            await asyncio.sleep(0.002)
        return len(self._writers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while line := await reader.readline():
                verb, _, name = line.decode().strip().partition(" ")
                RECORD.note("blueprint", verb)
                value = self.values.get(name)
                said = f"ERROR {name} unknown" if value is None else f"VALUE {name} {value}"
                if not self.is_silent:
                    writer.write(f"{said}\n".encode())
        except ConnectionError:
            return
        finally:
            self._writers.discard(writer)
            writer.transport.abort()


class BlueprintBench(Bench):
    """Three values, of which the device does not know the second."""

    asks = "blueprint"

    def __init__(self, scheme: str = "blueprint") -> None:
        self._device = TextDevice({"first": "123456.0", "third": "123456.0"})
        self._scheme = scheme

    def spec(self, url: str = "") -> DeviceSpec:
        rows = [register(n, Dtype.F32, address=None) for n in ("first", "second", "third")]
        return spec(url or self.url, *rows, timeout_s=TIMEOUT_S)

    async def start(self) -> None:
        await self._device.start()
        self.url = f"{self._scheme}://127.0.0.1:{self._device.port}"

    async def stop(self) -> None:
        await self._device.stop()

    async def cut(self) -> None:
        await self._device.stop()

    async def back(self) -> None:
        await self._device.start()

    def silence(self, is_silent: bool) -> None:
        self._device.is_silent = is_silent

    async def connections(self) -> int:
        return await self._device.settled()
