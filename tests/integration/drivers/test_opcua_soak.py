"""OPC UA: a thousand cuts, silences and server restarts; every value returns, nothing is left.

The server is a process of its own, so that what grows here is the driver's. It is cut by a relay,
and killed and started again. Three drivers hang on it: reading, subscribing, and secured.
"""

import asyncio
import random
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge.drivers.base import DeviceError
from edge.drivers.opcua.driver import OpcUaDriver
from edge.drivers.opcua.security import ENCRYPT, OpcUaSecurity
from evidence.points import Dtype
from evidence.quality import Quality
from tests.integration.drivers.opcua_child import NODE, VALUE
from tests.integration.drivers.opcua_pki import CLIENT_URI, SERVER_URI, Made, make
from tests.integration.drivers.weight import Weight, check_flat
from tests.ports import free_port
from tests.system.relay import Relay
from tests.unit.edge.drivers.specs import register, secured, spec

VOLT = register("volt", Dtype.F32, node=NODE, namespace=None)
RAW = struct.pack("<f", VALUE)
PARTS = 4
TIMEOUT_S = 0.5


class Child:
    """The server process, on a port it keeps."""

    def __init__(self, own: Made) -> None:
        self.port = free_port()
        self._own = str(own.der), str(own.key)
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.integration.drivers.opcua_child", str(self.port),
            *self._own, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert self._process.stdout is not None
        assert await asyncio.wait_for(self._process.stdout.readline(), 30) == b"READY\n"

    async def kill(self) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def serving(own: Made) -> AsyncIterator[Child]:
    child = Child(own)
    await child.start()
    try:
        yield child
    finally:
        await child.kill()


async def poll(driver: OpcUaDriver, done: asyncio.Event) -> None:
    """As the agent does, without its back-off."""
    while not done.is_set():
        try:
            await driver.connect()
            while not done.is_set():
                (sample,) = await driver.read()
                assert sample.raw == RAW or sample.quality is Quality.NO_ANSWER
                await asyncio.sleep(0.01)
        except DeviceError:
            await asyncio.sleep(0.02)


async def disturb(link: Relay, child: Child, number: int, chance: random.Random) -> None:
    """Mostly a cut; every tenth time silence, every twentieth a killed and restarted server."""
    if number % 20 == 10:
        await child.kill()
        link.restore()
        await child.start()
    elif number % 10 == 5:
        link.silence()
        await asyncio.sleep(TIMEOUT_S + 0.2)
        link.restore()
    else:
        link.restore()  # resets what is open
    await asyncio.sleep(0.2 * chance.random())


async def until_all_is_well(driver: OpcUaDriver) -> None:
    for _ in range(200):
        try:
            await driver.connect()
            (sample,) = await driver.read()
        except DeviceError:
            await asyncio.sleep(0.05)
            continue
        if (sample.raw, sample.quality) == (RAW, Quality.GOOD):
            return
    pytest.fail("a value never came back")


async def soak(drivers: list[OpcUaDriver], link: Relay, child: Child, cuts: int) -> list[Weight]:
    """Disturb so many times in `PARTS` parts, after one more to get warm; a weight after each."""
    chance, weights = random.Random(cuts), []
    per_part = cuts // PARTS
    for part in range(PARTS + 1):
        done = asyncio.Event()
        polls = [asyncio.create_task(poll(driver, done)) for driver in drivers]
        for number in range(part * per_part, (part + 1) * per_part):
            await disturb(link, child, number, chance)
        done.set()
        await asyncio.gather(*polls)
        for driver in drivers:
            await until_all_is_well(driver)
            await driver.close()
        link.restore()
        weights.append(await Weight.settled(weights))
    return weights


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("cuts", [16, pytest.param(1000, marks=pytest.mark.long)])
async def test_every_value_returns_and_nothing_leaks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, cuts: int
) -> None:
    caplog.set_level("CRITICAL")  # what pytest keeps of it is no leak of ours
    server = make(tmp_path, "server", SERVER_URI, number=1)
    client = make(tmp_path, "client", CLIENT_URI, number=2)
    safe = OpcUaSecurity(ENCRYPT, client.pem, client.key, server.der)
    async with serving(server) as child:
        with Relay() as link:
            url = f"opc.tcp://127.0.0.1:{link.forward(child.port)}/child"
            drivers = [
                OpcUaDriver(spec(url, VOLT, timeout_s=TIMEOUT_S)),
                OpcUaDriver(spec(f"{url}?mode=subscribe", VOLT, timeout_s=TIMEOUT_S)),
                OpcUaDriver(secured(url, safe, VOLT, timeout_s=TIMEOUT_S)),
            ]
            weights = await soak(drivers, link, child, cuts)
    print(*weights, sep="\n")  # noqa: T201 - figures
    check_flat(weights, per_part=cuts // PARTS)
