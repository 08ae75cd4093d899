"""A thousand cuts and restarts, on each kind of wire: every point returns, and nothing is left."""

import asyncio
import random
import struct
from pathlib import Path

import pytest

from edge.drivers.base import DeviceError, Sample
from edge.drivers.modbus.driver import ModbusDriver
from evidence.points import Dtype
from evidence.quality import Quality
from tests.integration.drivers.modbus_responder import Responder
from tests.integration.drivers.rtu_line import Converter, SerialLine, Unit
from tests.integration.drivers.weight import Weight, check_flat
from tests.unit.edge.drivers.specs import register, spec

UNITS = (1, 2, 3)
PARTS = 4
TIMEOUT_S = 0.08
ROWS = [register("a", Dtype.U16, address=0), register("b", Dtype.U32, address=50),
        register("c", Dtype.U64, address=100)]  # fmt: skip
Plant = Responder | Converter | SerialLine


def true(plant: Plant, unit: int) -> list[Sample]:
    offset = 0 if isinstance(plant, Responder) else 1000 * unit
    return [
        Sample(struct.pack(f"<{n}H", *reversed(range(a + offset, a + offset + n))), Quality.GOOD)
        for a, n in ((0, 1), (50, 2), (100, 4))
    ]


async def disturb(plant: Plant, chance: random.Random) -> None:
    """Cut the link, or take the device away for a moment."""
    if isinstance(plant, SerialLine):
        plant.pty.cut()
        await asyncio.sleep(0.002 * chance.random())
        plant.pty.back()
    elif chance.random() < 0.7:
        plant.hang_up()
    else:
        await plant.stop()
        await asyncio.sleep(0.002 * chance.random())
        await plant.start()
    await asyncio.sleep(0.01 * chance.random())


async def poll(plant: Plant, unit: int, driver: ModbusDriver, done: asyncio.Event) -> None:
    """As the agent does, without its back-off."""
    expected = true(plant, unit)
    while not done.is_set():
        try:
            await driver.connect()
            for sample, right in zip(await driver.read(), expected, strict=True):
                assert sample == right or sample == Sample(None, Quality.NO_ANSWER)
        except DeviceError:
            pass
        await asyncio.sleep(0.001)


async def until_all_is_well(plant: Plant, unit: int, driver: ModbusDriver) -> None:
    for _ in range(400):
        try:
            await driver.connect()
            if list(await driver.read()) == true(plant, unit):
                return
        except DeviceError:
            await asyncio.sleep(0.05)
    pytest.fail(f"unit {unit} never came back whole")


async def soak(plant: Plant, cuts: int) -> list[Weight]:
    """Disturb so many times in `PARTS` parts, after one more to get warm; a weight after each."""
    chance, weights = random.Random(cuts), []
    url = getattr(plant, "url")  # noqa: B009 - a text, or a function of the unit
    urls = {u: url(u) if callable(url) else url.replace("unit=1", f"unit={u}") for u in UNITS}
    drivers = {u: ModbusDriver(spec(urls[u], *ROWS, timeout_s=TIMEOUT_S)) for u in UNITS}
    for _ in range(PARTS + 1):
        done = asyncio.Event()
        polls = [asyncio.create_task(poll(plant, u, d, done)) for u, d in drivers.items()]
        for _ in range(cuts // PARTS):
            await disturb(plant, chance)
        done.set()
        await asyncio.gather(*polls)
        for unit, driver in drivers.items():
            await until_all_is_well(plant, unit, driver)
        for driver in drivers.values():
            await driver.close()
        if isinstance(plant, SerialLine | Converter):
            plant.devices.asked.clear()
        else:
            plant.questions.clear()
        weights.append(await Weight.settled(weights))
    return weights


@pytest.mark.timeout(900)
@pytest.mark.parametrize("cuts", [40, pytest.param(1000, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", ["tcp", "converter", "serial"])
async def test_every_point_returns_and_nothing_leaks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str, cuts: int
) -> None:
    caplog.set_level(
        "CRITICAL", logger="edge.drivers"
    )  # what pytest keeps of it is no leak of ours
    units = {f"u{u}": Unit() for u in UNITS}
    made: Plant
    if kind == "tcp":
        made = Responder()
    else:
        made = Converter(**units) if kind == "converter" else SerialLine(tmp_path, **units)
    async with made as plant:
        weights = await soak(plant, cuts)
    print(*weights, sep="\n")  # noqa: T201 - figures
    check_flat(weights, per_part=cuts // PARTS)
