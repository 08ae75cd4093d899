"""The driver on a serial line (a pty) and behind a converter, each with several units."""

import asyncio
import fcntl
import itertools
import struct
import termios
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from edge.drivers.base import DeviceError, DeviceSpec, Sample
from edge.drivers.modbus.driver import ModbusDriver
from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.model import Register
from tests.integration.drivers.opened import opened
from tests.integration.drivers.rtu_line import Asked, Converter, Say, SerialLine, Unit, framed, word
from tests.unit.edge.drivers.specs import register, spec

TIMEOUT_S = 0.2
A, B = register("a", Dtype.U16, address=0), register("b", Dtype.U16, address=100)
Line = SerialLine | Converter


@pytest_asyncio.fixture(params=["serial", "converter"])
async def line(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Line]:
    made: Line = (
        SerialLine(tmp_path, u1=Unit(), u2=Unit())
        if request.param == "serial"
        else Converter(u1=Unit(), u2=Unit())
    )
    async with made as ready:
        yield ready


def of(line: Line, unit: int, *rows: Register, more: str = "", **of_profile: Any) -> DeviceSpec:
    url = line.url(unit, more)
    return spec(url, *rows, timeout_s=TIMEOUT_S, **of_profile)


async def test_all_four_tables_are_read_and_bits_unpacked(line: Line) -> None:
    line.devices.units[1] = Unit(words={0x1000: 1, 0x1001: 0x86A0}, bits={3, 10})
    rows = [
        *(register(f"c{i}", Dtype.U8, table="coil", address=i) for i in range(12)),
        register("d", Dtype.U8, table="discrete", address=10),
        register("h", Dtype.U16, table="holding", address=0x0BB8),
        register("i", Dtype.U32, table="input", address=0x1000),
    ]
    async with opened(ModbusDriver(of(line, 1, *rows))) as driver:
        samples = await driver.read()
    bits = [sample.raw for sample in samples[:12]]
    assert bits == [b"\x01" if i in (3, 10) else b"\x00" for i in range(12)]
    # 0x0BB8 + 1000 * unit = 4000
    assert [s.raw for s in samples[12:]] == [b"\x01", struct.pack("<H", 4000), b"\xa0\x86\x01\x00"]
    assert {(a.code, a.address, a.count) for a in line.devices.asked} == {
        (1, 0, 12), (2, 10, 1), (3, 0x0BB8, 1), (4, 0x1000, 2),
    }  # fmt: skip
    assert line.devices.garbled == []


async def test_two_units_share_one_connection_and_each_gets_its_own(line: Line) -> None:
    one, two = ModbusDriver(of(line, 1, A)), ModbusDriver(of(line, 2, A))
    await one.connect()
    await two.connect()
    for _ in range(5):
        first, second = await asyncio.gather(one.read(), two.read())
        assert (first, second) == ([word(1000)], [word(2000)])
    if isinstance(line, Converter):
        assert line.connections == 1
    else:
        assert line.pty.users == 1
    await one.close()
    assert await two.read() == [word(2000)]  # the line stays for who is left
    await two.close()
    if isinstance(line, Converter):
        assert await line.settled() == 0
    else:
        assert line.pty.users == 0


async def test_the_echo_of_the_question_is_not_an_answer(line: Line) -> None:
    def with_echo(asked: Asked, true: bytes) -> list[Say]:
        echo = framed(struct.pack(">BBHH", asked.unit, asked.code, asked.address, asked.count))
        return [Say(echo), Say(true, 0.01)]

    line.devices.units[1].twist = with_echo
    async with opened(ModbusDriver(of(line, 1, A))) as driver:
        assert await driver.read() == [word(1000)]


async def test_an_answer_in_single_bytes_is_one_answer(line: Line) -> None:
    line.devices.units[1].twist = lambda _, true: [
        Say(true[i : i + 1], 0.004 * i) for i in range(len(true))
    ]
    async with opened(ModbusDriver(of(line, 1, A))) as driver:
        assert await driver.read() == [word(1000)]


def broken(true: bytes) -> list[bytes]:
    """Every way to spoil one byte of an answer, and every way to cut it short."""
    spoilt = [true[:i] + bytes([true[i] ^ 0x10]) + true[i + 1 :] for i in range(len(true))]
    return spoilt + [true[:i] for i in range(len(true))]


async def test_a_spoilt_or_cut_answer_is_no_answer(tmp_path: Path) -> None:
    async with SerialLine(tmp_path, u1=Unit()) as line:
        for number in range(len(broken(bytes(7)))):
            line.devices.units[1].twist = lambda _, true, n=number: [Say(broken(true)[n])]
            made = spec(line.url(1), A, timeout_s=0.08)
            async with opened(ModbusDriver(made)) as driver:
                with pytest.raises(DeviceError, match="no answer"):
                    await driver.read()


@pytest.mark.parametrize(
    "head",
    [
        bytes([1, 3, 4, 0, 7, 0, 8]),  # two registers instead of one
        bytes([1, 3, 0]),  # none
        bytes([1, 3, 3, 0, 7, 0]),  # one and a half
        bytes([1, 4, 2, 0, 7]),  # of the input table
        bytes([1, 0x84, 2]),  # a refusal of another function
    ],
)
async def test_a_whole_answer_that_does_not_fit_is_not_believed(line: Line, head: bytes) -> None:
    line.devices.units[1].twist = lambda asked, _: (
        [Say(framed(head))] if asked.address == 0 else None
    )
    rows = [A, register("b", Dtype.U32, address=100)]
    async with opened(ModbusDriver(of(line, 1, *rows))) as driver:
        samples = await driver.read()
    assert samples[0] == Sample(None, Quality.WRONG_ANSWER)
    assert samples[1].quality is Quality.GOOD


async def test_a_line_that_is_never_silent_is_not_spoken_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a busy machine that hands on no byte for so long is no silent line
    monkeypatch.setattr("edge.drivers.modbus.endpoint.Line.silence_s", property(lambda _: 0.3))
    async with SerialLine(tmp_path, u1=Unit()) as line:
        driver = ModbusDriver(spec(line.url(1), A, timeout_s=1.0))
        await driver.connect()

        async def babble() -> None:
            while True:
                line.pty.say(b"\x55")
                await asyncio.sleep(0.001)

        babbling = asyncio.create_task(babble())
        await asyncio.sleep(0.01)
        with pytest.raises(DeviceError, match="never silent; is there another master"):
            await driver.read()
        babbling.cancel()
        assert line.devices.asked == []


async def test_what_came_while_the_process_was_held_up_is_heard_first(tmp_path: Path) -> None:
    async with SerialLine(tmp_path, u1=Unit()) as line:
        slow = line.url(1).replace("19200", "1200")  # 3.5 characters are 29 ms
        driver = ModbusDriver(spec(slow, A, timeout_s=5.0))
        await driver.connect()
        assert await driver.read() == [word(1000)]
        time.sleep(0.1)  # noqa: ASYNC251 - and the line is silent for long
        line.pty.say(b"\x55")
        with line.pty.path.open("rb", buffering=0) as port:
            while not struct.unpack("i", fcntl.ioctl(port, termios.FIONREAD, bytes(4)))[0]:
                time.sleep(0.001)  # noqa: ASYNC251 - the driver hears nothing meanwhile
        said_s = time.monotonic()
        assert await driver.read() == [word(1000)]
        assert line.devices.asked[-1].at_s - said_s >= 0.028
        await driver.close()


async def test_a_line_that_is_pulled_out_is_noticed_at_once_and_comes_back(tmp_path: Path) -> None:
    async with (
        SerialLine(tmp_path, u1=Unit()) as line,
        opened(ModbusDriver(spec(line.url(1), A, timeout_s=5.0))) as driver,
    ):
        assert await driver.read() == [word(1000)]
        line.devices.is_silent = True
        reading = asyncio.create_task(driver.read())
        await asyncio.sleep(0.05)
        began = time.monotonic()
        line.pty.cut()
        with pytest.raises(DeviceError, match="the connection was lost"):
            await reading
        assert time.monotonic() - began < 4.0
        with pytest.raises(DeviceError, match="cannot be opened: No such file"):
            await driver.connect()
        line.devices.is_silent = False
        line.pty.back()


async def test_a_line_somebody_else_has_is_not_taken(tmp_path: Path) -> None:
    async with SerialLine(tmp_path, u1=Unit()) as line:
        one = ModbusDriver(of(line, 1, A))
        other = ModbusDriver(of(line, 1, A, more="&stop_bits=2"))
        await one.connect()
        with pytest.raises(DeviceError, match="in use by another program, or by a device with"):
            await other.connect()
        assert await one.read() == [word(1000)]
        await one.close()
        await other.connect()
        await other.close()
        assert line.pty.users == 0


async def test_a_file_that_is_no_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    url = f"modbus+rtu://{tmp_path}/file?unit=1&baud=9600&parity=N"
    driver = ModbusDriver(spec(url, A))
    with pytest.raises(DeviceError, match="file is no serial line"):
        await driver.connect()


async def test_a_setting_the_line_does_not_take_is_named(tmp_path: Path) -> None:
    async with SerialLine(tmp_path, u1=Unit()) as line:
        url = line.url(1).replace("parity=N", "parity=E")
        driver = ModbusDriver(spec(url, A))  # a pty knows no parity
        with pytest.raises(DeviceError, match="cannot be set to 19200 baud, parity E, 1 stop bits"):
            await driver.connect()
        assert line.pty.users == 0


async def test_the_cap_of_a_place_holds_for_everybody_there(line: Line) -> None:
    one = ModbusDriver(of(line, 1, A, B, more="&requests_per_s=50"))
    two = ModbusDriver(of(line, 2, A, B))
    await one.connect()
    await two.connect()
    for _ in range(3):
        await asyncio.gather(one.read(), two.read())
    await one.close()
    await two.close()
    times = [asked.at_s for asked in line.devices.asked]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert len(gaps) == 11
    assert min(gaps) >= 0.019
