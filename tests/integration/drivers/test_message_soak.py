"""A thousand cut links and restarts, with --long: every point returns, nothing is left behind."""

import asyncio
import gc
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from edge.drivers.base import DeviceError
from edge.drivers.dlt645.driver import Dlt645Driver
from edge.drivers.hj212.driver import Hj212Driver
from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.model import Identifier, Item
from tests.integration.drivers.dlt645_responder import Meter
from tests.integration.drivers.hj212_logger import Logger
from tests.ports import free_port
from tests.unit.edge.drivers.hj212_packets import MN
from tests.unit.edge.drivers.specs import register, spec

pytestmark = pytest.mark.long

CUTS = 1000


def weight() -> tuple[int, int, int]:
    """Tasks, open files, objects."""
    gc.collect()
    return (
        len(asyncio.all_tasks()),
        len(list(Path("/proc/self/fd").iterdir())),
        len(gc.get_objects()),
    )


async def soaked(cut: Callable[[int], Awaitable[None]]) -> None:
    """Cut a hundred times to settle, then a thousand times; what there is stays the same."""
    for number in range(100):
        await cut(number)
    tasks, files, objects = weight()
    for number in range(CUTS):
        await cut(number)
    after = weight()
    assert after[0] <= tasks + 1
    assert after[1] <= files + 1
    assert after[2] <= objects + 2000  # a leak of one object a cut with what it holds is more


async def test_a_meters_line() -> None:
    row = register("energy", Dtype.U32, table=None, address=None,
                   identifier=Identifier(0x00010000, "XXXXXX.XX"))  # fmt: skip
    async with Meter({0x00010000: bytes.fromhex("78563412")}) as meter:
        driver = Dlt645Driver(spec(meter.url, row, timeout_s=0.5))

        async def cut(number: int) -> None:
            await driver.connect()
            (sample,) = await driver.read()
            assert sample.raw == struct.pack("<I", 12_345_678)
            if number % 10:
                meter.hang_up()
                for _ in range(500):
                    if driver._bus is not None and not driver._bus.is_open:
                        break
                    await asyncio.sleep(0.002)  # until this side has learnt it
            else:
                await meter.stop()
                with pytest.raises(DeviceError):
                    await driver.read()
                await meter.start()
            meter.questions.clear()
            meter.heard.clear()

        await soaked(cut)
        await driver.close()
        assert await meter.settled() == 0


async def test_a_loggers_calls() -> None:
    port = free_port()
    row = register("co2", Dtype.I64, table=None, address=None,
                   item=Item("a05001", "Rtd", 2011))  # fmt: skip
    driver = Hj212Driver(spec(f"hj212://127.0.0.1:{port}?mn={MN}&rtd_s=1", row, timeout_s=0.5))
    logger = Logger(port)
    logger.start()
    values = iter(range(1, 10**6))

    async def cut(number: int) -> None:
        if number % 10 == 0:  # the listener begins anew
            await driver.close()
            await logger.settled()
            connecting = asyncio.create_task(driver.connect())
            await logger.connected()
            await logger.send(logger.message("a05001-Rtd=0,a05001-Flag=N"))
            await connecting
        value = next(values)
        await logger.connected()
        message = logger.message(f"a05001-Rtd={value},a05001-Flag=N")
        await logger.send(message[: number % len(message)])
        before = logger.connections
        logger.hang_up()
        for _ in range(1000):
            if logger.connections > before and logger.is_connected:
                break
            await asyncio.sleep(0.002)
        await logger.send(message)
        for _ in range(1000):
            (sample,) = await driver.read()
            if sample.raw == struct.pack("<q", value):
                break
            await asyncio.sleep(0.002)
        assert sample.quality is Quality.GOOD
        assert sample.raw == struct.pack("<q", value)

    await soaked(cut)
    await driver.close()
    assert await logger.settled() == 0
    await logger.stop()
