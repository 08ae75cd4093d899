"""Several devices on one endpoint: one connection, turns, and what a silent one costs."""

import asyncio
import gc
import socket
import struct
import time
from typing import Any

import pytest

from edge.drivers.base import DeviceError, DeviceSpec, Sample
from edge.drivers.modbus import bus
from edge.drivers.modbus.doubt import GATEWAY_LATE_TIMEOUTS
from edge.drivers.modbus.driver import ModbusDriver
from evidence.points import Dtype
from evidence.quality import Quality
from tests.integration.drivers.modbus_responder import Hangup, Late, Question, Responder, Silence
from tests.integration.drivers.rtu_line import Converter, Unit
from tests.recording import RECORD
from tests.unit.edge.drivers.specs import register, spec

TIMEOUT_S = 0.2
ROWS = [register(f"r{i}", Dtype.U16, address=100 * i) for i in range(3)]
GOOD = [Sample(struct.pack("<H", 100 * i), Quality.GOOD) for i in range(3)]


def of(device: Responder, unit: int, **more: Any) -> DeviceSpec:
    url = f"modbus+tcp://127.0.0.1:{device.port}?unit={unit}"
    return spec(url, *ROWS, timeout_s=TIMEOUT_S, **more)


async def connected(device: Responder, *units: int) -> list[ModbusDriver]:
    drivers = [ModbusDriver(of(device, unit)) for unit in units]
    await asyncio.gather(*(driver.connect() for driver in drivers))
    return drivers


async def close(drivers: list[ModbusDriver]) -> None:
    for driver in drivers:
        await driver.close()


async def test_all_units_of_an_endpoint_use_one_connection() -> None:
    async with Responder() as device:
        drivers = await connected(device, 1, 2, 3, 4)
        for samples in await asyncio.gather(*(driver.read() for driver in drivers)):
            assert samples == GOOD
        assert (device.connections, device.open_connections) == (1, 1)
        assert {q.unit for q in device.questions} == {1, 2, 3, 4}
        await close(drivers[:3])
        assert device.open_connections == 1
        assert await drivers[3].read() == GOOD
        await drivers[3].close()
        assert await device.settled() == 0


async def test_two_endpoints_are_two_connections() -> None:
    async with Responder() as one, Responder() as two:
        drivers = await connected(one, 1) + await connected(two, 1)
        for driver in drivers:
            assert await driver.read() == GOOD
        assert (one.connections, two.connections) == (1, 1)
        await close(drivers)


async def test_questions_are_asked_in_turn() -> None:
    async with Responder() as device:
        drivers = await connected(device, 1, 2, 3)
        await asyncio.gather(*(driver.read() for driver in drivers))
        assert [q.unit for q in device.questions] == [1, 2, 3] * 3
        await close(drivers)


async def test_never_two_questions_at_a_time() -> None:
    under_way: list[int] = []
    most = 0

    def twist(question: Question) -> Late:
        nonlocal most
        under_way.append(question.unit)
        most = max(most, len(under_way))
        asyncio.get_running_loop().call_later(0.009, under_way.pop, 0)
        return Late(0.01)

    async with Responder(twist=twist) as device:
        drivers = await connected(device, 1, 2, 3, 4, 5)
        await asyncio.gather(*(driver.read() for driver in drivers))
        await close(drivers)
    assert most == 1


async def test_a_silent_device_costs_the_others_its_own_timeout_once() -> None:
    async with Responder(twist=lambda q: Silence() if q.unit == 9 else None) as device:
        drivers = await connected(device, 1, 9, 2)

        async def timed(driver: ModbusDriver) -> float:
            began = time.monotonic()
            assert await driver.read() == GOOD
            return time.monotonic() - began

        silent = asyncio.create_task(drivers[1].read())
        took = await asyncio.gather(timed(drivers[0]), timed(drivers[2]))
        with pytest.raises(DeviceError, match=r"unit 9\): no answer to holding 0x0000"):
            await silent
        assert max(took) < TIMEOUT_S + 0.15
        assert [q.unit for q in device.questions].count(9) == 1
        # while it is left alone (the agent backs off, for this device only), it costs nothing
        assert max(await asyncio.gather(timed(drivers[0]), timed(drivers[2]))) < TIMEOUT_S / 2
        await close(drivers)
        assert await device.settled() == 0


async def test_a_device_that_cuts_the_link_costs_the_others_no_value() -> None:
    async with Responder(twist=lambda q: Hangup() if q.unit == 9 else None) as device:
        drivers = await connected(device, 1, 9)
        with pytest.raises(DeviceError, match="the connection was lost"):
            await drivers[1].read()
        assert await drivers[0].read() == GOOD
        both = await asyncio.gather(drivers[0].read(), drivers[1].connect(), return_exceptions=True)
        assert both[0] == GOOD
        await close(drivers)
        assert await device.settled() == 0


async def test_an_absent_endpoint_costs_one_attempt_however_many_wait_for_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(0)
        port = taken.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:  # the queue of connections is full: nobody is answered any more
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        drivers = [
            ModbusDriver(spec(f"modbus+tcp://127.0.0.1:{port}?unit={u}", *ROWS, timeout_s=0.3))
            for u in range(1, 9)
        ]
        began = time.monotonic()
        found = await asyncio.gather(*(d.connect() for d in drivers), return_exceptions=True)
        assert time.monotonic() - began < 2.0  # not 8 × 0.3 s
        assert all(isinstance(error, DeviceError) and error.retry for error in found)
        for filler in fillers:
            filler.close()


async def test_a_cancelled_attempt_is_made_again_by_who_waits() -> None:
    async with Responder() as device:
        drivers = [ModbusDriver(of(device, unit)) for unit in (1, 2)]
        tasks = [asyncio.create_task(driver.connect()) for driver in drivers]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert await drivers[1].read() == GOOD
        assert device.open_connections == 1
        await close(drivers)
        assert await device.settled() == 0


async def test_each_keeps_its_own_pause_and_holds_nobody_up_with_it() -> None:
    async with Responder() as device:
        slow = ModbusDriver(of(device, 1, pause_ms=60))
        quick = ModbusDriver(of(device, 2))
        await slow.connect()
        await quick.connect()
        reading = asyncio.create_task(slow.read())
        began = time.monotonic()
        for _ in range(10):
            assert await quick.read() == GOOD
        assert time.monotonic() - began < 0.5  # not 10 × 0.06 s
        assert await reading == GOOD
        assert time.monotonic() - began >= 2 * 0.06
        await close([slow, quick])


async def test_closing_one_fails_its_question_and_no_other() -> None:
    async with Responder(twist=lambda q: Silence() if q.unit == 1 else None) as device:
        one, two = await connected(device, 1, 2)
        asking = asyncio.create_task(one.read())
        await asyncio.sleep(0.02)
        waiting = asyncio.create_task(two.read())
        await asyncio.sleep(0.02)
        began = time.monotonic()
        await one.close()
        with pytest.raises(DeviceError, match="the connection was lost"):
            await asking
        assert await waiting == GOOD
        assert time.monotonic() - began < TIMEOUT_S / 2
        await two.close()
        assert await device.settled() == 0


async def test_closing_one_that_waits_for_its_turn_ends_its_read() -> None:
    async with Responder(twist=lambda q: Silence() if q.unit == 1 else None) as device:
        one, two = await connected(device, 1, 2)
        asking = asyncio.create_task(one.read())
        await asyncio.sleep(0.02)
        waiting = asyncio.create_task(two.read())
        await asyncio.sleep(0.02)
        await two.close()
        for task in (asking, waiting):
            with pytest.raises(DeviceError):
                await task
        assert [q.unit for q in device.questions] == [1]
        await one.close()


async def test_two_framings_of_one_port_are_not_mixed() -> None:
    async with Converter(u1=Unit()) as line:
        rtu = ModbusDriver(spec(line.url(1), ROWS[0], timeout_s=TIMEOUT_S))
        tcp = ModbusDriver(
            spec(f"modbus+tcp://127.0.0.1:{line.port}", ROWS[0], timeout_s=TIMEOUT_S)
        )
        await rtu.connect()
        await tcp.connect()
        assert line.connections == 2
        assert await rtu.read() == [Sample(struct.pack("<H", 1000), Quality.GOOD)]
        with RECORD.on_purpose(), pytest.raises(DeviceError, match="no answer"):
            await tcp.read()  # a read in a packet is no frame
        await rtu.close()


async def test_a_hundred_cuts_with_several_units_leave_nothing_behind() -> None:
    async with Responder() as device:
        before = len(asyncio.all_tasks())
        drivers = [ModbusDriver(of(device, unit)) for unit in (1, 2, 3)]
        for turn in range(100):
            for driver in drivers:
                await driver.connect()
            assert device.open_connections <= 1
            if turn % 2:
                device.hang_up()
            await asyncio.gather(*(d.read() for d in drivers), return_exceptions=True)
        await asyncio.sleep((1 + GATEWAY_LATE_TIMEOUTS) * TIMEOUT_S)  # all are of one length
        for driver in drivers:
            await driver.connect()
            assert await driver.read() == GOOD
        assert device.open_connections == 1
        await close(drivers)
        assert await device.settled() == 0
        assert len(asyncio.all_tasks()) == before


async def test_a_bus_nobody_uses_any_more_is_forgotten() -> None:
    async with Responder() as device:
        drivers = await connected(device, 1, 2)
        buses = bus._BUSES._buses[asyncio.get_running_loop()]
        assert len([b for b in buses.values() if b.is_open]) == 1
        await close(drivers)
        del drivers
        gc.collect()
        assert len(buses) == 0
