"""Listening on a line with a master: what it hears is true, it says nothing, old is no value."""

import asyncio
import fcntl
import os
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from edge.drivers import serial_line
from edge.drivers.base import DeviceError, DeviceSpec, Sample
from edge.drivers.modbus.driver import ModbusDriver
from edge.drivers.modbus.endpoint import Line
from edge.drivers.modbus.overhear import ListenDriver
from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.model import Register
from tests.integration.drivers.opened import opened
from tests.integration.drivers.rtu_line import Pty, Unit, word
from tests.integration.drivers.rtu_master import Master
from tests.unit.edge.drivers.specs import register, spec

TIMEOUT_S = 0.6
A, B = register("a", Dtype.U16, address=0), register("b", Dtype.U32, address=10)
NONE = Sample(None, Quality.NO_ANSWER)


@pytest_asyncio.fixture
async def master(tmp_path: Path) -> AsyncIterator[Master]:
    made = Master(tmp_path, u1=Unit(), u2=Unit())
    made.pty.back()
    made.reads = [(1, 3, 0, 20), (2, 3, 0, 20)]
    made.start()
    yield made
    made.stop()
    assert made.pty.written == b""  # whatever the test did, nothing was said
    made.pty.cut()


def of(master: Master, *rows: Register, unit: int = 1, more: str = "") -> DeviceSpec:
    return spec(master.url(unit, more), *rows, timeout_s=TIMEOUT_S)


def long(first: int) -> Sample:
    return Sample(struct.pack("<I", first << 16 | first + 1), Quality.GOOD)


async def test_what_the_master_reads_is_what_is_read(master: Master) -> None:
    async with opened(ListenDriver(of(master, A, B))) as driver:
        for _ in range(3):
            assert await driver.read() == [word(1000), long(1010)]
            await asyncio.sleep(0.03)
    assert master.pty.users == 0


async def test_two_units_share_the_line(master: Master) -> None:
    one, two = ListenDriver(of(master, A)), ListenDriver(of(master, A, unit=2))
    await one.connect()
    await two.connect()
    assert master.pty.users == 1
    assert await asyncio.gather(one.read(), two.read()) == [[word(1000)], [word(2000)]]
    await one.close()
    await asyncio.sleep(0.03)
    assert await two.read() == [word(2000)]
    await two.close()
    assert master.pty.users == 0


async def test_all_four_tables_and_the_profiles_orders(master: Master) -> None:
    master.devices.units[1] = Unit(words={5: 0x2000, 6: 0x47F1}, bits={3})
    master.reads = [(1, 1, 0, 8), (1, 2, 0, 8), (1, 3, 0, 8), (1, 4, 0, 8)]
    rows = [
        register("c", Dtype.U8, table="coil", address=3),
        register("d", Dtype.U8, table="discrete", address=4),
        register("h", Dtype.F32, table="holding", address=5),
        register("i", Dtype.U16, table="input", address=7),
    ]
    made = spec(master.url(), *rows, timeout_s=TIMEOUT_S, word_order="little")
    async with opened(ListenDriver(made)) as driver:
        samples = await driver.read()
    assert [s.raw for s in samples] == [
        b"\x01", b"\x00", struct.pack("<f", 123456.0), struct.pack("<H", 1007),
    ]  # fmt: skip


async def test_a_value_is_no_value_when_the_master_stops_reading_it(master: Master) -> None:
    master.reads = [(1, 3, 0, 1), (1, 3, 10, 2)] * 3
    async with opened(ListenDriver(of(master, A, B, more="&stale_after=3"))) as driver:
        assert await driver.read() == [word(1000), long(1010)]
        master.reads = [(1, 3, 0, 1)]
        await asyncio.sleep(0.05)
        seen = []
        for _ in range(5):
            seen.append((await driver.read())[1])
            await asyncio.sleep(0.03)
    assert seen[0] == long(1010)
    assert seen[-1] == NONE
    assert seen.index(NONE) <= 3
    assert NONE not in seen[: seen.index(NONE)]


async def test_a_point_the_master_never_reads_has_no_value(master: Master) -> None:
    driver = ListenDriver(of(master, A, register("far", Dtype.U16, address=500)))
    await driver.connect()
    assert await driver.read() == [word(1000), NONE]
    await driver.close()


async def test_a_value_read_in_two_pieces_is_not_put_together(master: Master) -> None:
    master.reads = [(1, 3, 0, 11), (1, 3, 11, 9)]  # between the two words of b
    async with opened(ListenDriver(of(master, A, B))) as driver:
        assert await driver.read() == [word(1000), NONE]


async def test_a_register_refused_alone_is_refused_one_among_others_is_not_known(
    master: Master,
) -> None:
    master.devices.units[1] = Unit(illegal={10})
    master.reads = [(1, 3, 0, 2), (1, 3, 10, 2), (1, 3, 9, 5)]
    rows = (A, B, register("c", Dtype.U16, address=12))
    async with opened(ListenDriver(of(master, *rows))) as driver:
        assert await driver.read() == [word(1000), Sample(None, Quality.DEVICE_REFUSED), NONE]


async def test_silence_is_an_error_that_says_so(master: Master) -> None:
    master.stop()
    driver = ListenDriver(of(master, A))
    await driver.connect()
    with pytest.raises(DeviceError, match=r"within 0\.6 s, nothing heard on the line") as caught:
        await driver.read()
    assert caught.value.retry is True
    assert master.pty.users == 0


async def test_a_line_of_other_settings_is_an_error_that_says_so(master: Master) -> None:
    master.stop()
    driver = ListenDriver(of(master, A))
    await driver.connect()
    master.pty.say(bytes(range(256)) * 2)  # as a wrong baud rate shows
    with pytest.raises(DeviceError, match="512 bytes heard on the line; check wiring, baud"):
        await driver.read()


async def test_a_unit_that_is_not_there_is_an_error(master: Master) -> None:
    master.reads.append((7, 3, 0, 2))
    driver = ListenDriver(of(master, A, unit=7))
    await driver.connect()
    with pytest.raises(DeviceError, match=r"unit 7\): the master read none of its points"):
        await driver.read()


async def test_a_line_that_is_pulled_out_is_noticed_and_comes_back(master: Master) -> None:
    async with opened(ListenDriver(of(master, A))) as driver:
        await driver.read()
        master.pty.cut()
        await asyncio.sleep(0.02)
        with pytest.raises(DeviceError, match="the line is gone"):
            await driver.read()
        with pytest.raises(DeviceError, match="cannot be opened"):
            await driver.connect()
        master.pty.back()
        await driver.connect()
        assert await driver.read() == [word(1000)]


async def test_what_was_known_before_a_loss_is_forgotten(master: Master) -> None:
    driver = ListenDriver(of(master, A))
    await driver.connect()
    await driver.read()
    await driver.close()
    master.stop()
    await asyncio.sleep(0.02)
    await driver.connect()
    with pytest.raises(DeviceError, match="read none of its points"):
        await driver.read()


async def test_the_line_cannot_be_written_through_what_the_listener_holds(master: Master) -> None:
    async with opened(ListenDriver(of(master, A))) as driver:
        assert driver._post is not None
        ear = driver._post._ear
        assert type(ear) is serial_line.Ear
        with pytest.raises(OSError, match="Bad file descriptor"):  # EBADF: opened for reading only
            os.write(ear._fd, b"\x00")


async def test_one_line_is_not_listened_to_and_asked_on_at_once(master: Master) -> None:
    async with opened(ListenDriver(of(master, A))):
        asker = ModbusDriver(
            spec(master.url().replace("modbus+listen", "modbus+rtu"), A, timeout_s=TIMEOUT_S)
        )
        with pytest.raises(DeviceError, match="in use by another program"):
            await asker.connect()


async def test_noise_on_the_line_gives_no_wrong_value(master: Master) -> None:
    async with opened(ListenDriver(of(master, A, B))) as driver:

        async def disturb() -> None:
            for number in range(40):
                master.pty.say(bytes([number * 37 & 0xFF, number]) * (number % 5 + 1))
                await asyncio.sleep(0.02)

        disturbing = asyncio.create_task(disturb())
        while not disturbing.done():
            try:
                await driver.connect()
                a, b = await driver.read()
            except DeviceError:
                continue
            assert a in (word(1000), NONE)
            assert b in (long(1010), NONE)
            await asyncio.sleep(0.01)


def test_a_listener_is_for_serial_lines() -> None:
    with pytest.raises(DeviceError, match="is no serial line") as caught:
        ListenDriver(spec("modbus+tcp://meter", A))
    assert caught.value.retry is False


async def test_lines_are_opened_as_said(tmp_path: Path) -> None:
    pty = Pty(tmp_path)
    pty.back()
    line = Line(str(pty.path), 9600, "N", 2)
    for open_end, access in (
        (lambda: serial_line.Ear(line, lambda _: None, lambda: None), os.O_RDONLY),
        (lambda: serial_line.Mouth(line, lambda _: None, lambda: None, bytes), os.O_RDWR),
    ):
        ear = open_end()
        flags = os.get_blocking(ear._fd), os.O_ACCMODE & fcntl.fcntl(ear._fd, fcntl.F_GETFL)
        assert flags == (False, access)
        assert not os.get_inheritable(ear._fd)
        ear.close()
        ear.close()  # twice
    pty.cut()
