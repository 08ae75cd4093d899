"""The benches of the driver contract: one device a protocol, that can be good, silent and gone.

Each bench's device has three points; the middle one is bad, the others read the bench's `value`.
"""

import struct

from edge.drivers.base import DeviceSpec
from evidence.points import Dtype
from firmware_configs.model import Identifier, Item
from tests.conformance.bench import TIMEOUT_S, Bench, TcpBench
from tests.conformance.blueprint_bench import BlueprintBench
from tests.conformance.line_benches import ConverterBench, ListenBench, RtuBench
from tests.conformance.row_benches import FolderBench, TableBench
from tests.integration.drivers.dlt645_responder import Meter
from tests.integration.drivers.hj212_logger import Logger
from tests.integration.drivers.modbus_responder import Responder, Silence
from tests.integration.drivers.opcua_plant import NAMESPACE, Plant
from tests.ports import free_port
from tests.unit.edge.drivers.hj212_packets import MN
from tests.unit.edge.drivers.specs import register, spec


class ModbusBench(TcpBench):
    asks = "Modbus"

    def __init__(self) -> None:
        self.device = Responder(words={0: 0x47F1, 1: 0x2000, 4: 0x47F1, 5: 0x2000}, illegal={2, 3})

    def spec(self, url: str = "") -> DeviceSpec:
        rows = [register(f"r{a}", Dtype.F32, address=a) for a in (0, 2, 4)]
        return spec(url or self.url, *rows, timeout_s=TIMEOUT_S)

    async def start(self) -> None:
        await self.device.start()
        self.url = self.device.url

    def silence(self, is_silent: bool) -> None:
        self.device.twist = (lambda _: Silence()) if is_silent else (lambda _: None)


class OpcUaBench(Bench):
    asks = "OPC UA"

    def __init__(self, mode: str) -> None:
        self._plant = Plant()
        self._mode = mode

    def spec(self, url: str = "") -> DeviceSpec:
        rows = [
            register(n, Dtype.F32, node="ns={ns};s=" + n, namespace=NAMESPACE)
            for n in ("first", "missing", "third")
        ]
        return spec(url or self.url, *rows, timeout_s=TIMEOUT_S)

    async def start(self) -> None:
        await self._plant.start()
        for name in ("first", "third"):
            await self._plant.put(name, 123456.0)
        self.url = f"{self._plant.url}?mode={self._mode}"

    async def stop(self) -> None:
        await self._plant.stop()

    async def cut(self) -> None:
        await self._plant.cut()

    async def back(self) -> None:
        await self._plant.listen()

    def silence(self, is_silent: bool) -> None:
        self._plant.is_silent = is_silent

    async def connections(self) -> int:
        return await self._plant.settled()


class Dlt645Bench(TcpBench):
    """A serial server with one meter; DI 00020000 is refused."""

    value = struct.pack("<I", 12_345_678)
    asks = "DL/T 645"

    def __init__(self) -> None:
        content = bytes.fromhex("78563412")  # 123456.78
        self.device = Meter({0x00010000: content, 0x00030000: content})

    def spec(self, url: str = "") -> DeviceSpec:
        rows = [
            register(f"r{n}", Dtype.U32, table=None, address=None,
                     identifier=Identifier(n << 16, "XXXXXX.XX"))
            for n in (1, 2, 3)
        ]  # fmt: skip
        return spec(url or self.url, *rows, timeout_s=TIMEOUT_S)

    async def start(self) -> None:
        await self.device.start()
        self.url = self.device.url

    def silence(self, is_silent: bool) -> None:
        self.device.twist = (lambda *_: []) if is_silent else (lambda *_: None)


class Hj212Bench(Bench):
    """A logger that calls; its second factor is marked F (out of operation) and has no value."""

    value = struct.pack("<q", 12_345_600)

    def __init__(self) -> None:
        port = free_port()
        values = "a1-Rtd=123456.0,a1-Flag=N;a2-Flag=F;a3-Rtd=123456.00,a3-Flag=N"
        self._logger = Logger(port, values)
        self.url = f"hj212://127.0.0.1:{port}?mn={MN}&rtd_s=1"

    def spec(self, url: str = "") -> DeviceSpec:
        rows = [
            register(f"r{n}", Dtype.I64, table=None, address=None, decimals=2,
                     item=Item(f"a{n}", "Rtd", 2011))
            for n in (1, 2, 3)
        ]  # fmt: skip
        return spec(url or self.url, *rows, timeout_s=TIMEOUT_S)

    async def start(self) -> None:
        self._logger.start()

    async def stop(self) -> None:
        await self._logger.stop()

    async def cut(self) -> None:
        await self._logger.stop()

    async def back(self) -> None:
        self._logger.start()

    def silence(self, is_silent: bool) -> None:
        self._logger.is_silent = is_silent

    async def connections(self) -> int:
        return await self._logger.settled()


BENCHES = {
    "modbus+tcp": lambda: ModbusBench(),
    "modbus+rtu": lambda: RtuBench(),
    "modbus+rtu-tcp": lambda: ConverterBench(),
    "modbus+listen": lambda: ListenBench(),
    "opc.tcp": lambda: OpcUaBench("read"),
    "opc.tcp, subscribe": lambda: OpcUaBench("subscribe"),
    "dlt645+tcp": lambda: Dlt645Bench(),
    "hj212": lambda: Hj212Bench(),
    "sqlite+ro": lambda: TableBench(),
    "folder": lambda: FolderBench(),
    "blueprint": lambda: BlueprintBench(),
}
#: drivers that no site file can name
TEST_ONLY = {"blueprint": "edge.drivers._blueprint.driver:BlueprintDriver"}
#: the same driver on a server that is not part of the suite: see tests/integration/drivers
NO_BENCH = {"postgresql+ro", "mysql+ro", "oracle+ro", "mssql+ro"}
CALLED = ["hj212"]
ASKING = [name for name in BENCHES if name not in CALLED]
#: the same driver on another line: tests/integration/drivers/test_dlt645_meter.py has a serial one
SAME_DRIVER = {"dlt645+serial": "dlt645+tcp"}
