"""What the driver does when the link or the device fails: silence, late answers, cuts, cancels."""

import asyncio
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from edge.drivers.base import DeviceError, DeviceSpec, Sample
from edge.drivers.modbus.driver import ModbusDriver
from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.model import Register
from tests.integration.drivers.modbus_responder import (
    Hangup,
    Late,
    Pdu,
    Pieces,
    Question,
    Responder,
    Silence,
    Twist,
)
from tests.integration.drivers.opened import opened
from tests.unit.edge.drivers.specs import register, spec
from tests.waiting import ENOUGH_S

TIMEOUT_S = 0.2

A, B = register("a", Dtype.U16, address=0), register("b", Dtype.U16, address=100)
WIDE = register("wide", Dtype.U32, address=100)  # no late answer of A is taken for its, or back


def of(device: Responder, *rows: Register, **of_profile: Any) -> DeviceSpec:
    return spec(device.url, *rows, timeout_s=TIMEOUT_S, **of_profile)


def at(address: int, twist: Twist) -> Callable[[Question], Twist]:
    """A twist for questions about one address only."""

    def twisted(question: Question) -> Twist:
        return twist if question.address == address else None

    return twisted


def good(address: int) -> Sample:
    """What the responder's register of that address reads as."""
    return Sample(struct.pack("<H", address), Quality.GOOD)


GOOD_WIDE = Sample(struct.pack("<HH", 101, 100), Quality.GOOD)
NONE = Sample(None, Quality.NO_ANSWER)


async def fails(doing: Awaitable[object], match: str) -> DeviceError:
    with pytest.raises(DeviceError, match=match) as caught:
        await doing
    assert caught.value.retry is True
    return caught.value


# --- silence ------------------------------------------------------------------------------------


async def test_a_silent_device_is_an_error_that_says_what_and_where() -> None:
    async with Responder(twist=lambda _: Silence()) as device:
        driver = ModbusDriver(of(device, A))
        await driver.connect()
        began = time.monotonic()
        error = await fails(driver.read(), r"no answer to holding 0x0000\.\.0x0000 within 0.2 s")
        assert time.monotonic() - began < 30 * TIMEOUT_S
        assert f"device dev (127.0.0.1:{device.port}, unit 1)" in str(error)
        assert len(device.questions) == 1  # not asked again: the agent decides when
        assert await device.settled() == 0


async def test_a_block_without_answer_costs_itself_and_what_was_got_stays() -> None:
    async with (
        Responder(twist=at(100, Silence())) as device,
        opened(ModbusDriver(of(device, A, WIDE))) as driver,
    ):
        assert await driver.read() == [good(0), NONE]
        assert await device.settled() == 0  # closed at once: the late answer has nobody to reach
        assert await driver.read() == [good(0), NONE]  # and opened again by itself
        device.twist = lambda _: None
        assert await driver.read() == [good(0), GOOD_WIDE]
        assert device.connections == 3


async def test_a_first_block_that_is_never_answered_does_not_hide_the_others() -> None:
    async with (
        Responder(twist=at(0, Silence())) as device,
        opened(ModbusDriver(of(device, A, WIDE))) as driver,
    ):
        await fails(driver.read(), "no answer to holding 0x0000")
        await driver.connect()
        assert await driver.read() == [NONE, GOOD_WIDE]  # asked last from now on


async def test_one_timeout_a_read_however_many_blocks_are_silent() -> None:
    rows = [register(f"r{i}", Dtype.U16, address=100 * i) for i in range(6)]
    async with (
        Responder(twist=lambda q: None if q.address == 0 else Silence()) as device,
        opened(ModbusDriver(of(device, *rows))) as driver,
    ):
        assert await driver.read() == [good(0)] + [NONE] * 5
        assert [q.address for q in device.questions] == [0, 100]


# --- late and strange answers -------------------------------------------------------------------


async def test_a_late_answer_is_never_taken_for_another_questions() -> None:
    async with (
        Responder(twist=at(100, Late(TIMEOUT_S * 1.5))) as device,
        opened(ModbusDriver(of(device, A, WIDE))) as driver,
    ):
        for _ in range(3):
            assert await driver.read() == [good(0), NONE]
            await asyncio.sleep(TIMEOUT_S / 2)  # into the next read the late answer would fall
        connections = [q.connection for q in device.questions]
        assert connections == sorted(connections)
        assert len(set(connections)) == 3  # a connection never carries two reads after a timeout


async def test_another_transactions_answer_is_not_ours() -> None:
    def twist(question: Question) -> Twist:
        foreign = struct.pack(">HHHB", question.transaction + 1, 0, 5, 1) + b"\x03\x02\xde\xad"
        true = struct.pack(">HHHB", question.transaction, 0, 5, 1) + b"\x03\x02\x12\x34"
        return Pieces((foreign, true))

    async with Responder(twist=twist) as device, opened(ModbusDriver(of(device, A))) as driver:
        assert await driver.read() == [Sample(b"\x34\x12", Quality.GOOD)]


async def test_another_units_answer_is_not_ours() -> None:
    def twist(question: Question) -> Twist:
        return Pieces((struct.pack(">HHHB", question.transaction, 0, 5, 9) + b"\x03\x02\xde\xad",))

    async with Responder(twist=twist) as device:
        driver = ModbusDriver(of(device, A))
        await driver.connect()
        await fails(driver.read(), "no answer")


@pytest.mark.parametrize(
    "pdu",
    [
        b"\x03\x04\x00\x01",  # says four bytes, sends two
        b"\x03",  # no length at all
        b"\x83",  # a refusal without a code
        b"\x47\x00",  # a function nobody knows
    ],
)
async def test_a_broken_answer_gives_no_value_and_costs_its_block(pdu: bytes) -> None:
    async with (
        Responder(twist=at(100, Pdu(pdu))) as device,
        opened(ModbusDriver(of(device, A, B))) as driver,
    ):
        assert await driver.read() == [good(0), Sample(None, Quality.WRONG_ANSWER)]
        device.twist = lambda _: None
        assert await driver.read() == [good(0), good(100)]
        assert device.connections == 1


@pytest.mark.parametrize(
    "junk", [b"\x00" * 7, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 300, b"\x00\x01\x00\x01"]
)
async def test_junk_instead_of_an_answer_is_no_answer(junk: bytes) -> None:
    async with Responder(twist=lambda _: Pieces((junk,))) as device:
        driver = ModbusDriver(of(device, A))
        await driver.connect()
        await fails(driver.read(), "no answer")
        assert await device.settled() == 0


# --- cuts ---------------------------------------------------------------------------------------


async def test_nobody_listening_is_an_error_that_may_be_retried() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: refused
        url = f"modbus+tcp://127.0.0.1:{taken.getsockname()[1]}"
        driver = ModbusDriver(spec(url, A, timeout_s=TIMEOUT_S))
        await fails(driver.connect(), "no connection within 0.2 s; check power, cable and address")
        await fails(driver.read(), "connect first")
        await driver.close()


async def test_a_cut_while_a_question_is_under_way_is_noticed_at_once() -> None:
    async with Responder(twist=lambda _: Hangup()) as device:
        driver = ModbusDriver(spec(device.url, A, timeout_s=30.0))
        await driver.connect()
        began = time.monotonic()
        await fails(driver.read(), "the connection was lost")
        assert time.monotonic() - began < 5.0


async def test_a_link_the_device_closed_between_reads_costs_no_read() -> None:
    async with Responder() as device, opened(ModbusDriver(of(device, A))) as driver:
        await driver.read()
        device.hang_up()  # as devices do with idle clients
        await asyncio.sleep(0.02)
        assert await driver.read() == [good(0)]
        assert device.connections == 2


async def test_nothing_reconnects_behind_our_back() -> None:
    async with Responder() as device, opened(ModbusDriver(of(device, A))):
        device.hang_up()
        await asyncio.sleep(0.4)
        assert device.connections == 1


# --- cancel and close ---------------------------------------------------------------------------


@pytest.mark.parametrize("delay_s", [0.0, 0.0005, 0.001, 0.002, 0.003])
async def test_a_cancel_that_meets_the_answer_is_not_lost(delay_s: float) -> None:
    async with Responder() as device:
        driver = ModbusDriver(of(device, A, B))
        await driver.connect()

        async def reading() -> None:
            while True:
                await driver.read()

        task = asyncio.create_task(reading())
        await asyncio.sleep(delay_s)
        task.cancel()
        async with asyncio.timeout(ENOUGH_S):
            with pytest.raises(asyncio.CancelledError):
                await task
        assert await device.settled() == 0


async def test_a_cancelled_connect_leaves_no_connection() -> None:
    async with Responder() as device:
        for _ in range(20):
            driver = ModbusDriver(of(device, A))
            task = asyncio.create_task(driver.connect())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await driver.close()
        assert await device.settled() == 0


async def test_the_devices_pause_between_questions_is_kept() -> None:
    rows = [register(f"r{i}", Dtype.U16, address=100 * i) for i in range(4)]
    async with (
        Responder() as device,
        opened(ModbusDriver(of(device, *rows, pause_ms=30))) as driver,
    ):
        began = time.monotonic()
        await driver.read()
        assert time.monotonic() - began >= 3 * 0.030


async def test_a_lasting_trouble_is_logged_once_and_its_end_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", logger="edge.drivers")
    async with (
        Responder(twist=at(100, Pdu(b"\x83\x06"))) as device,
        opened(ModbusDriver(of(device, A, B))) as driver,
    ):
        for _ in range(3):
            await driver.read()
        device.twist = lambda _: None
        for _ in range(3):
            await driver.read()
    assert [r.message for r in caplog.records if r.name.startswith("edge.drivers")] == [
        "device dev: holding 0x0064..0x0064: refused: server device busy (6); points dev.b",
        "device dev: holding 0x0064..0x0064: is fine again",
    ]
