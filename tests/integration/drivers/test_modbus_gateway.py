"""A gateway that gives what its line says late to the next question, under that one's number."""

import asyncio
import struct

import pytest

from edge.drivers.base import DeviceError
from edge.drivers.modbus.driver import ModbusDriver
from evidence.points import Dtype
from firmware_configs.model import Register
from tests.integration.drivers.opened import opened
from tests.recording import RECORD
from tests.tcp_server import TcpServer
from tests.unit.edge.drivers.specs import register, spec

GIVES_UP_S, TIMEOUT_S = 0.1, 0.4
A, B = register("a", Dtype.U16, address=7), register("b", Dtype.U16, address=100)
WIDE = register("wide", Dtype.U32, address=200)


class Gateway(TcpServer):
    """One question at a time on its line; its device answers in order, every register its address.

    Attributes:
        late_s: of the next answers, then none.
        asked: (address, registers) of each question.
    """

    def __init__(self) -> None:
        super().__init__()
        self.late_s: list[float] = []
        self.asked: list[tuple[int, int]] = []
        self._free_at_s = 0.0
        self._waits: asyncio.Future[bytes] | None = None
        self._line = asyncio.Lock()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            number, _, length, unit = struct.unpack(">HHHB", await reader.readexactly(7))
            question = await reader.readexactly(length - 1)
            RECORD.note("Modbus", f"FC {question[0]}")
            async with self._line:
                answer = await self._ask(question)
            writer.write(struct.pack(">HHHB", number, 0, len(answer) + 1, unit) + answer)

    async def _ask(self, question: bytes) -> bytes:
        code, address, count = struct.unpack(">BHH", question)
        self.asked.append((address, count))
        loop = asyncio.get_running_loop()
        late_s = self.late_s.pop(0) if self.late_s else 0.0
        self._free_at_s = max(self._free_at_s, loop.time()) + 0.003 + late_s
        words = struct.pack(f">{count}H", *range(address, address + count))
        loop.call_at(self._free_at_s, self._hear, bytes([code, 2 * count]) + words)
        self._waits = loop.create_future()
        try:
            return await asyncio.wait_for(self._waits, GIVES_UP_S)
        except TimeoutError:
            return bytes([code | 0x80, 11])

    def _hear(self, answer: bytes) -> None:
        if self._waits is not None and not self._waits.done():
            self._waits.set_result(answer)  # whoever's question it was


async def numbers(driver: ModbusDriver) -> list[int | None]:
    """What a read gives; nothing where the device is lost."""
    try:
        await driver.connect()
        samples = await driver.read()
    except DeviceError:
        return []
    return [None if s.raw is None else int.from_bytes(s.raw, "little") for s in samples]


@pytest.mark.parametrize("rows", [(A, B, WIDE), (A, B)])
async def test_what_a_gateway_gave_up_is_no_other_registers_value(
    rows: tuple[Register, ...],
) -> None:
    """With values of another length at once; else the device waits twice its timeout."""
    true: list[int | None] = [7, 100, 200 << 16 | 201][: len(rows)]
    async with Gateway() as gateway:
        url = f"modbus+tcp://127.0.0.1:{gateway.port}?unit=1"
        async with opened(ModbusDriver(spec(url, *rows, timeout_s=TIMEOUT_S))) as driver:
            await numbers(driver)
            gateway.late_s = [0.13]
            got = await numbers(driver)
            assert not gateway.late_s
            assert got != true
            while got != true:
                assert all(value in (None, right) for value, right in zip(got, true, strict=False))
                await asyncio.sleep(0.02)
                got = await numbers(driver)
