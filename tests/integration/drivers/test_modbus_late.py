"""A late answer is never another question's: devices on one serial line that answer when they like.

Every register of the simulated devices reads as its own address (plus 1000 times the unit), so an
answer given for another question's shows as a wrong number.
"""

import asyncio
import random
import struct
import time
from pathlib import Path
from typing import Any

import pytest

from edge.drivers.base import DeviceError, DeviceSpec, Sample
from edge.drivers.modbus.driver import ModbusDriver
from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.model import Register
from tests.integration.drivers.opened import opened
from tests.integration.drivers.rtu_line import Asked, Converter, Say, SerialLine, Unit, framed, word
from tests.unit.edge.drivers.specs import register, spec

TIMEOUT_S = 0.1
A, B = register("a", Dtype.U16, address=0), register("b", Dtype.U16, address=100)
BLOCK = [register(f"block{i}", Dtype.U16, address=400 + i) for i in range(4)]
SERIAL = register("serial", Dtype.U32, address=200)  # words 1200, 1201 of unit 1


class Slow:
    """A device that answers in the order it is asked, each answer after its own delay.

    Args:
        delays: seconds for each question in turn; then none.
        lost: which questions (counted from 0) are never answered.
    """

    def __init__(self, delays: list[float], lost: frozenset[int] = frozenset()) -> None:
        self._delays, self._lost = delays, lost
        self._asked = 0
        self._free_at_s = 0.0

    def __call__(self, asked: Asked, true: bytes) -> list[Say]:
        number, self._asked = self._asked, self._asked + 1
        delay_s = self._delays[number] if number < len(self._delays) else 0.0
        # 3 ms: so that the loop's timers, too, keep the order
        self._free_at_s = max(self._free_at_s + 0.003, asked.at_s) + delay_s
        return [] if number in self._lost else [Say(true, self._free_at_s - asked.at_s)]


def of(line: SerialLine | Converter, *rows: Register, unit: int = 1, **more: Any) -> DeviceSpec:
    return spec(line.url(unit), *rows, timeout_s=TIMEOUT_S, **more)


def expected(row: Register, unit: int) -> bytes:
    assert row.address is not None
    address = row.address + 1000 * unit
    if row.dtype is Dtype.U16:
        return struct.pack("<H", address)
    words = range(address, address + row.words)
    return struct.pack(f"<{row.words}H", *reversed(words))


async def read(driver: ModbusDriver) -> list[Sample] | None:
    """One read as the agent does it; None when the device was out of reach."""
    try:
        await driver.connect()
        return list(await driver.read())
    except DeviceError:
        return None


async def test_the_simulator_fools_a_client_that_only_waits_for_an_answer(tmp_path: Path) -> None:
    """What is defended against: the second question gets the first one's answer, CRC and all."""
    async with SerialLine(tmp_path, u1=Unit(twist=Slow([0.05]))) as line:
        with line.pty.path.open("r+b", buffering=0) as port:
            for address in (0, 100):
                port.write(framed(struct.pack(">BBHH", 1, 3, address, 1)))
                await asyncio.sleep(0.03)
            answer = port.read(7)
    assert answer == framed(bytes.fromhex("010302") + struct.pack(">H", 1000))  # of address 0


async def test_the_answer_to_a_lost_question_is_not_the_next_ones(tmp_path: Path) -> None:
    # A is answered 0.25 s late, so that it would meet the next question, which is of its length
    async with SerialLine(tmp_path, u1=Unit(twist=Slow([0.25]))) as line:
        driver = ModbusDriver(of(line, A, B, SERIAL))
        seen = []
        for _ in range(12):
            seen.append(await read(driver))
            await asyncio.sleep(0.03)
        await driver.close()
    values = [sample for samples in seen if samples for sample in samples]
    assert {(s.raw, i % 3) for i, s in enumerate(values) if s.quality is Quality.GOOD} == {
        (expected(A, 1), 0), (expected(B, 1), 1), (expected(SERIAL, 1), 2),
    }  # fmt: skip
    assert seen[-1] is not None
    assert [s.quality for s in seen[-1]] == [Quality.GOOD] * 3


async def test_after_a_timeout_the_device_is_left_alone_for_one_more(tmp_path: Path) -> None:
    async with SerialLine(tmp_path, u1=Unit(twist=Slow([], frozenset({0})))) as line:
        driver = ModbusDriver(of(line, A, B, SERIAL))
        assert await read(driver) is None
        assert await read(driver) is not None
        await driver.close()
        first, second = line.devices.asked[:2]
    # its own timeout, then as long again in which whatever is heard is thrown away
    assert second.at_s - first.at_s >= 2 * TIMEOUT_S


async def test_the_identity_is_learnt_behind_the_first_answer(tmp_path: Path) -> None:
    async with SerialLine(tmp_path, u1=Unit()) as line:
        driver = ModbusDriver(of(line, A, B, SERIAL, probe="serial"))
        for _ in range(2):
            assert await read(driver) is not None
        await driver.close()
        assert line.devices.spans_of(1) == [
            (0, 1), (200, 2), (100, 1), (200, 2),
            (0, 1), (100, 1), (200, 2),
        ]  # fmt: skip


async def test_a_lost_question_is_followed_by_the_probe(tmp_path: Path) -> None:
    unit = Unit()
    async with SerialLine(tmp_path, u1=unit) as line:
        driver = ModbusDriver(of(line, A, B, SERIAL, probe="serial"))
        assert await read(driver) is not None
        line.devices.asked.clear()
        unit.twist = Slow([], frozenset({0}))
        assert await read(driver) is None
        assert await read(driver) is not None
        await driver.close()
        assert line.devices.spans_of(1)[:3] == [(0, 1), (200, 2), (100, 1)]


async def test_another_identity_is_no_answer_until_it_stays(tmp_path: Path) -> None:
    unit = Unit()
    async with SerialLine(tmp_path, u1=unit) as line:
        driver = ModbusDriver(of(line, A, B, SERIAL, probe="serial"))
        assert await read(driver) is not None
        unit.words = {200: 7, 201: 8}  # somebody put in another meter ...
        unit.twist = Slow([], frozenset({0}))
        assert await read(driver) is None  # ... during an outage
        doubted = await read(driver)
        assert doubted is not None
        assert Quality.WRONG_ANSWER in {s.quality for s in doubted}
        for _ in range(3):
            settled = await read(driver)
        assert settled is not None
        assert [s.quality for s in settled] == [Quality.GOOD] * 3
        await driver.close()


async def test_a_probe_that_is_refused_is_given_up_and_costs_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with SerialLine(tmp_path, u1=Unit(illegal={200})) as line:
        driver = ModbusDriver(of(line, A, B, SERIAL, probe="serial"))
        for _ in range(4):
            samples = await read(driver)
        await driver.close()
    assert samples is not None
    assert [s.quality for s in samples] == [Quality.GOOD, Quality.GOOD, Quality.DEVICE_REFUSED]
    assert "identity register: refused: illegal data address (2); goes without" in caplog.text


async def test_a_refusal_that_may_be_late_blames_nobody(tmp_path: Path) -> None:
    unit = Unit(illegal={0})
    unit.twist = Slow([0.25])  # the refusal of A comes when another question waits
    async with SerialLine(tmp_path, u1=unit) as line:
        driver = ModbusDriver(of(line, A, B, SERIAL))
        for _ in range(10):
            samples = await read(driver)
        await driver.close()
    assert samples is not None
    assert [s.quality for s in samples] == [Quality.DEVICE_REFUSED, Quality.GOOD, Quality.GOOD]


async def test_a_device_of_one_value_waits_until_nothing_late_can_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no question of another length to regain order with, so only time helps."""
    monkeypatch.setattr("edge.drivers.modbus.doubt.LATE_S_MIN", 0.5)
    monkeypatch.setattr("edge.drivers.modbus.doubt.LATE_TIMEOUTS", 1)
    async with SerialLine(tmp_path, u1=Unit(twist=Slow([], frozenset({0})))) as line:
        driver = ModbusDriver(of(line, A))
        began = time.monotonic()
        assert await read(driver) is None
        for _ in range(100):
            if (samples := await read(driver)) is not None:
                break
            await asyncio.sleep(0.02)
        assert time.monotonic() - began >= 0.5
        assert samples == [word(1000)]
        await driver.close()


async def test_a_cancelled_question_is_a_lost_one(tmp_path: Path) -> None:
    async with (
        SerialLine(tmp_path, u1=Unit(twist=Slow([0.05]))) as line,
        opened(ModbusDriver(of(line, A, B, SERIAL))) as driver,
    ):
        reading = asyncio.create_task(driver.read())
        await asyncio.sleep(0.02)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        samples = await read(driver)
    assert samples == [word(1000), word(1100), Sample(expected(SERIAL, 1), Quality.GOOD)]


@pytest.mark.parametrize("probe", [None, "serial"])
@pytest.mark.parametrize("kind", ["serial", "converter"])
async def test_whenever_answers_come_no_number_is_wrong(
    tmp_path: Path, kind: str, probe: str | None
) -> None:
    """Six lines of two units at once: each only waits."""
    folders = [tmp_path / str(seed) for seed in range(6)]
    for folder in folders:
        folder.mkdir()
    lines = (_wait_on(folder, kind, probe, seed) for seed, folder in enumerate(folders))
    for good in await asyncio.gather(*lines):
        assert good > 10  # it is not safe by saying nothing


async def _wait_on(folder: Path, kind: str, probe: str | None, seed: int) -> int:
    """How many values two devices of a line gave; all of them their own."""
    chance = random.Random(seed)
    units = {}
    for unit in (1, 2):
        delays = [chance.choice([0.0] * 16 + [0.01, 0.11, 0.15, 0.22, 0.35]) for _ in range(99)]
        lost = frozenset(chance.sample(range(99), 4))
        units[f"u{unit}"] = Unit(twist=Slow(delays, lost))
    made = SerialLine(folder, **units) if kind == "serial" else Converter(**units)
    rows = (A, B, SERIAL, register("wide", Dtype.U64, address=300), *BLOCK)
    async with made as line:
        drivers = {u: ModbusDriver(of(line, *rows, unit=u, probe=probe)) for u in (1, 2)}

        async def poll(unit: int) -> int:
            right = 0
            until = time.monotonic() + 2.5
            while time.monotonic() < until:
                samples = await read(drivers[unit])
                for row, sample in zip(rows, samples or (), strict=bool(samples)):
                    if sample.quality is Quality.GOOD:
                        assert sample.raw == expected(row, unit)
                        right += 1
                await asyncio.sleep(0.01)
            return right

        good = sum(await asyncio.gather(poll(1), poll(2)))
        for driver in drivers.values():
            await driver.close()
    return good
