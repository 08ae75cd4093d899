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

TIMEOUT_S = 0.4
A, B = register("a", Dtype.U16, address=7), register("b", Dtype.U16, address=100)
WIDE = register("wide", Dtype.U32, address=200)


class Gateway(TcpServer):
    """One question at a time on its line; its device answers in order, every register its address.

    Args:
        is_silent: of what it gives up it says nothing.

    Attributes:
        late_s: of the next answers, which are given up at once; then none.
        asked: address of each question.
        unreachable: registers for which there is no path (10) the next time.
        dead: registers that nobody answers for.
    """

    def __init__(self, *, is_silent: bool = False) -> None:
        super().__init__()
        self._is_silent = is_silent
        self.late_s: list[float] = []
        self.asked: list[int] = []
        self.unreachable: set[int] = set()
        self.dead: set[int] = set()
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
            if self._is_silent and answer[1:] == bytes([11]):
                continue
            writer.write(struct.pack(">HHHB", number, 0, len(answer) + 1, unit) + answer)

    async def _ask(self, question: bytes) -> bytes:
        code, address, count = struct.unpack(">BHH", question)
        self.asked.append(address)
        if address in self.unreachable:
            self.unreachable.remove(address)
            return bytes([code | 0x80, 10])
        if address in self.dead:
            return bytes([code | 0x80, 11])
        loop = asyncio.get_running_loop()
        late_s = self.late_s.pop(0) if self.late_s else 0.0
        self._free_at_s = max(self._free_at_s, loop.time()) + 0.003 + late_s
        words = struct.pack(f">{count}H", *range(address, address + count))
        loop.call_at(self._free_at_s, self._hear, bytes([code, 2 * count]) + words)
        if late_s:  # no clock of its own: a busy machine would make it wait for what is late
            return bytes([code | 0x80, 11])
        self._waits = loop.create_future()
        return await self._waits

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


async def until_whole(driver: ModbusDriver, true: list[int | None]) -> int:
    """How many reads it takes until all is there; until then nothing is another register's."""
    reads = 1
    while (got := await numbers(driver)) != true:
        reads += 1
        assert all(value in (None, right) for value, right in zip(got, true, strict=False))
        await asyncio.sleep(0.02)
    return reads


@pytest.mark.parametrize(
    ("rows", "is_silent", "late_s"),
    [((A, B, WIDE), False, 0.03), ((A, B), False, 0.03), ((A, B), True, 1.3 * TIMEOUT_S)],
)
async def test_what_a_gateway_gave_up_is_no_other_registers_value(
    rows: tuple[Register, ...], is_silent: bool, late_s: float
) -> None:
    """With values of another length at once; else the device waits twice its timeout."""
    true: list[int | None] = [7, 100, 200 << 16 | 201][: len(rows)]
    async with Gateway(is_silent=is_silent) as gateway:
        url = f"modbus+tcp://127.0.0.1:{gateway.port}?unit=1"
        async with opened(ModbusDriver(spec(url, *rows, timeout_s=TIMEOUT_S))) as driver:
            await numbers(driver)
            gateway.late_s = [late_s]
            assert await until_whole(driver, true) > 1
            assert not gateway.late_s


async def test_what_a_gateway_says_itself_proves_nothing_of_its_device() -> None:
    """It has no path just now (10), and the late answer comes while the next is waited for."""
    true: list[int | None] = [7, 100, 200 << 16 | 201]
    async with Gateway() as gateway:
        url = f"modbus+tcp://127.0.0.1:{gateway.port}?unit=1"
        async with opened(ModbusDriver(spec(url, A, B, WIDE, timeout_s=TIMEOUT_S))) as driver:
            assert await until_whole(driver, true) == 1
            gateway.late_s, gateway.unreachable = [1.4 * TIMEOUT_S], {200}
            assert await until_whole(driver, true) > 1
            assert not gateway.unreachable


@pytest.mark.parametrize(
    ("is_silent", "other", "value"), [(False, B, 100), (True, WIDE, 200 << 16 | 201)]
)
async def test_a_register_that_nobody_answers_for_costs_the_others_little(
    is_silent: bool, other: Register, value: int
) -> None:
    """Each question for it has the others wait: for two timeouts where all are of one length."""
    async with Gateway(is_silent=is_silent) as gateway:
        gateway.dead = {7}
        url = f"modbus+tcp://127.0.0.1:{gateway.port}?unit=1"
        async with opened(ModbusDriver(spec(url, A, other, timeout_s=0.2))) as driver:
            good = 0
            while good < 10:
                good += await numbers(driver) == [None, value]
                await asyncio.sleep(0.02)
        assert 3 <= gateway.asked.count(7) <= 7, "three times, and each 4 s"


async def test_a_device_that_was_away_is_read_whole_once_it_is_back() -> None:
    """While all its blocks were given up none of them was dead: none rests then."""
    true: list[int | None] = [7, 100, 200 << 16 | 201]
    async with Gateway() as gateway:
        url = f"modbus+tcp://127.0.0.1:{gateway.port}?unit=1"
        async with opened(ModbusDriver(spec(url, A, B, WIDE, timeout_s=0.5))) as driver:
            assert await numbers(driver) == true
            gateway.dead = {7, 100, 200}
            while gateway.asked.count(200) <= 4:
                await numbers(driver)
                await asyncio.sleep(0.02)
            gateway.dead.clear()
            assert await until_whole(driver, true) <= 100, "20 timeouts would be some 400 reads"
