"""The agent's poller with a DL/T 645 meter and an HJ 212 logger: loss, return, no false value."""

import asyncio
import struct
import time

from edge.drivers.base import DeviceSpec
from edge.poller import Poller
from edge.unkept import Polled
from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.model import Identifier, Item
from tests.integration.drivers.dlt645_responder import Meter
from tests.integration.drivers.hj212_logger import Logger
from tests.ports import free_port
from tests.unit.edge.drivers.hj212_packets import MN
from tests.unit.edge.drivers.specs import register, spec


async def poll_until(poller: Poller, quality: Quality) -> Polled:
    for _ in range(600):
        polled = await poller.poll(0.5)
        if {sample.quality for sample in polled.samples} == {quality}:
            return polled
        await asyncio.sleep(0.01)
    raise AssertionError(f"it never came to {quality!r}")


def energy_of(url: str) -> DeviceSpec:
    row = register("energy", Dtype.U32, table=None, address=None,
                   identifier=Identifier(0x00010000, "XXXXXX.XX"))  # fmt: skip
    return spec(url, row, timeout_s=0.2)


async def test_a_meter_that_goes_and_comes_back() -> None:
    async with Meter({0x00010000: bytes.fromhex("78563412")}) as meter:
        poller = Poller(energy_of(meter.url), time.monotonic_ns)
        await poller.connect_first(1.0)
        polled = await poll_until(poller, Quality.GOOD)
        assert polled.samples[0].raw == struct.pack("<I", 12_345_678)
        await meter.stop()
        await poll_until(poller, Quality.NOT_CONNECTED)
        await meter.start()
        await poll_until(poller, Quality.GOOD)
        await poller.close()
        assert await meter.settled() == 0


async def test_a_logger_that_goes_and_comes_back_finds_the_port_open() -> None:
    port = free_port()
    row = register("co2", Dtype.I64, table=None, address=None, decimals=1,
                   item=Item("a05001", "Rtd", 2011))  # fmt: skip
    url = f"hj212://127.0.0.1:{port}?mn={MN}&rtd_s=1"
    poller = Poller(spec(url, row, timeout_s=0.2), time.monotonic_ns)
    await poller.connect_first(1.0)  # nobody is there: no error, no back-off
    logger = Logger(port, "a05001-Rtd=12.5,a05001-Flag=N")
    logger.start()
    polled = await poll_until(poller, Quality.GOOD)
    assert polled.samples[0].raw == struct.pack("<q", 125)
    assert polled.monotonic_ns is not None
    await logger.stop()
    await poll_until(poller, Quality.NOT_CONNECTED)
    assert poller.connected  # the port is; there is nothing to open again
    logger.start()
    await logger.connected()
    await poll_until(poller, Quality.GOOD)
    await poller.close()
    assert await logger.settled() == 0
    await logger.stop()
