"""RTU against devices and masters others wrote: libmodbus on ptys, pymodbus's server by TCP."""

import asyncio
import contextlib
import struct
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pymodbus import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from edge.drivers.base import DeviceError, Sample
from edge.drivers.modbus.driver import ModbusDriver
from edge.drivers.modbus.overhear import ListenDriver
from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.model import Register
from tests.integration.drivers import libmodbus
from tests.integration.drivers.opened import opened
from tests.integration.drivers.rtu_line import Pty, word
from tests.recorded_wires import Rtu
from tests.recording import note_pymodbus
from tests.unit.edge.drivers.specs import register, spec
from tests.waiting import ENOUGH_S

needs_libmodbus = pytest.mark.skipif(
    libmodbus.find() is None, reason="needs libmodbus5 (apt install libmodbus5)"
)


@contextlib.asynccontextmanager
async def process(role: str, line: Path, unit: int) -> AsyncIterator[None]:
    """A process of libmodbus, until the block ends."""
    running = await asyncio.create_subprocess_exec(
        sys.executable, libmodbus.__file__, role, str(line), str(unit),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert running.stdout is not None
        assert await asyncio.wait_for(running.stdout.readline(), ENOUGH_S) == b"READY\n"
        yield
    finally:
        running.kill()
        await running.wait()


def lines(folder: Path, *names: str) -> list[Pty]:
    """Ends of one line: what is said at one is heard at all others."""
    ends = []
    for name in names:
        (folder / name).mkdir()
        ends.append(Pty(folder / name))

    def relay(speaker: Pty) -> None:
        record = Rtu()

        def heard(data: bytes) -> None:
            if speaker.path.parent.name == "mine":
                record.feed(data)
            for end in ends:
                if end is not speaker:
                    end.say(data)

        speaker.heard = heard

    for end in ends:
        end.back()
        relay(end)
    return ends


def rows_of(table: str, dtype: Dtype, addresses: range) -> list[Register]:
    return [register(f"{table}{a}", dtype, table=table, address=a) for a in addresses]


def bit(number: int) -> Sample:
    return Sample(bytes([number]), Quality.GOOD)


@needs_libmodbus
async def test_libmodbus_as_a_device_is_read_true(tmp_path: Path) -> None:
    device, mine = lines(tmp_path, "device", "mine")
    rows = [
        *rows_of("holding", Dtype.U16, range(0, 125)), *rows_of("input", Dtype.U16, range(60, 70)),
        *rows_of("coil", Dtype.U8, range(3, 60)), *rows_of("discrete", Dtype.U8, range(0, 9)),
    ]  # fmt: skip
    url = f"modbus+rtu://{mine.path}?unit=17&baud={libmodbus.BAUD}&parity=N"
    async with (
        process("device", device.path, 17),
        opened(ModbusDriver(spec(url, *rows, timeout_s=1.0))) as driver,
    ):
        for _ in range(3):
            samples = await driver.read()
    assert list(samples) == [
        *(word(libmodbus.holding(a)) for a in range(125)),
        *(word(libmodbus.inputs(a)) for a in range(60, 70)),
        *(bit(libmodbus.coil(a)) for a in range(3, 60)),
        *(bit(libmodbus.discrete(a)) for a in range(9)),
    ]
    device.cut()
    mine.cut()


@needs_libmodbus
async def test_libmodbus_refuses_and_is_silent_as_a_device_on_a_line(tmp_path: Path) -> None:
    device, mine = lines(tmp_path, "device", "mine")
    rows = [
        register("wide", Dtype.U32, address=10),
        register("last", Dtype.U16, address=libmodbus.CELLS - 1),
        register("beyond", Dtype.U16, address=libmodbus.CELLS),
    ]
    url = f"modbus+rtu://{mine.path}?unit=UNIT&baud={libmodbus.BAUD}&parity=N"
    async with process("device", device.path, 17):
        driver = ModbusDriver(spec(url.replace("UNIT", "17"), *rows, timeout_s=1.0))
        absent = ModbusDriver(spec(url.replace("UNIT", "18"), *rows, timeout_s=0.3))
        await driver.connect()
        await absent.connect()
        true = list(await driver.read())
        assert true[1:] == [
            word(libmodbus.holding(libmodbus.CELLS - 1)), Sample(None, Quality.DEVICE_REFUSED),
        ]  # fmt: skip
        with pytest.raises(DeviceError, match=r"unit 18\): no answer"):
            await absent.read()
        # libmodbus takes the next question on the line for the absent unit's answer: it is lost
        with pytest.raises(DeviceError, match=r"unit 17\): no answer"):
            await driver.read()
        await driver.connect()
        assert await driver.read() == true
        await driver.close()
    device.cut()
    mine.cut()


@needs_libmodbus
async def test_a_conversation_of_two_libmodbus_is_overheard_true(tmp_path: Path) -> None:
    device, master, mine = lines(tmp_path, "device", "master", "mine")
    rows = [
        *rows_of("holding", Dtype.U16, range(0, 20)), *rows_of("input", Dtype.U16, range(100, 120)),
        *rows_of("coil", Dtype.U8, range(0, 20)), *rows_of("discrete", Dtype.U8, range(16, 25)),
        register("float", Dtype.F32, address=4), register("far", Dtype.U16, address=150),
    ]  # fmt: skip
    url = f"modbus+listen://{mine.path}?unit=17&baud={libmodbus.BAUD}&parity=N"
    async with (
        process("device", device.path, 17),
        process("master", master.path, 17),
        opened(ListenDriver(spec(url, *rows, timeout_s=3.0))) as driver,
    ):
        samples = list(await driver.read())
    pair = libmodbus.holding(4) << 16 | libmodbus.holding(5)
    assert samples == [
        *(word(libmodbus.holding(a)) for a in range(20)),
        *(word(libmodbus.inputs(a)) for a in range(100, 120)),
        *(bit(libmodbus.coil(a)) for a in range(20)),
        *(bit(libmodbus.discrete(a)) for a in range(16, 25)),
        Sample(struct.pack("<I", pair), Quality.GOOD),
        Sample(None, Quality.NO_ANSWER),
    ]
    assert mine.written == b""
    for end in (device, master, mine):
        end.cut()


async def test_pymodbus_with_rtu_frames_over_tcp_is_read_true() -> None:
    words = [SimData(0, values=list(range(500, 560)), datatype=DataType.REGISTERS)]
    other = [SimData(0, values=list(range(900, 960)), datatype=DataType.REGISTERS)]
    server = ModbusTcpServer(
        [SimDevice(3, simdata=words), SimDevice(4, simdata=other)],
        framer=FramerType.RTU, address=("127.0.0.1", 0), trace_pdu=note_pymodbus,
    )  # fmt: skip
    await server.serve_forever(background=True)
    assert server.transport is not None
    port = server.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined] # a Server
    rows = rows_of("holding", Dtype.U16, range(10, 50))
    drivers = [
        ModbusDriver(spec(f"modbus+rtu-tcp://127.0.0.1:{port}?unit={u}", *rows, timeout_s=1.0))
        for u in (3, 4)
    ]
    try:
        for driver in drivers:
            await driver.connect()
        first, second = await asyncio.gather(*(driver.read() for driver in drivers))
    finally:
        for driver in drivers:
            await driver.close()
        await server.shutdown()
    assert first == [word(500 + a) for a in range(10, 50)]
    assert second == [word(900 + a) for a in range(10, 50)]
