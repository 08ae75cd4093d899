"""What the OPC UA driver does when link or server fail: silence, cuts, restarts, cancels."""

import asyncio
import contextlib
import struct
import time
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest
import pytest_asyncio
from asyncua import ua
from asyncua.common.connection import SecureConnection

import edge.drivers.opcua.driver as module
from edge.drivers.base import DeviceError
from edge.drivers.opcua.driver import OpcUaDriver
from evidence.points import Dtype
from evidence.quality import Quality
from tests.integration.drivers.opcua_plant import NAMESPACE, Plant
from tests.integration.drivers.opened import opened
from tests.unit.edge.drivers.specs import register, spec
from tests.waiting import ENOUGH_S

pytestmark = pytest.mark.asyncio(loop_scope="module")

VOLT = register("volt", Dtype.F32, node="ns={ns};s=volt", namespace=NAMESPACE)
MODES = pytest.mark.parametrize("mode", ["read", "subscribe"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plant() -> AsyncIterator[Plant]:
    made = Plant()
    await made.start()
    await made.put("volt", 4.25)
    yield made
    await made.stop()


def driver_of(plant: Plant, mode: str = "read", *, timeout_s: float = 1.0) -> OpcUaDriver:
    return OpcUaDriver(spec(f"{plant.url}?mode={mode}", VOLT, timeout_s=timeout_s))


async def fails(doing: Awaitable[object], match: str) -> DeviceError:
    with pytest.raises(DeviceError, match=match) as caught:
        await doing
    assert caught.value.retry is True
    return caught.value


def ours(before: set[asyncio.Task[object]]) -> set[str]:
    """Names of the coroutines of tasks that were not there before, the server's aside."""
    left = asyncio.all_tasks() - before
    names = {t.get_coro().__qualname__ for t in left}  # type: ignore[union-attr] # coroutines
    server = ("BinaryServer", "OPCUAProtocol", "Internal", "UaProcessor", "BaseSelectorEventLoop")
    return {n for n in names if not n.startswith(server)}


async def test_a_server_that_is_not_opc_ua_is_an_error() -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"opc.tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    before = asyncio.all_tasks()
    await fails(OpcUaDriver(spec(url, VOLT, timeout_s=0.5)).connect(), "device dev")
    assert ours(before) == set()
    server.close()
    await server.wait_closed()


async def test_a_server_that_gives_its_channel_no_life_is_not_asked_without_pause(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    opens = SecureConnection.open

    def lifeless(self: SecureConnection, params: ua.OpenSecureChannelParameters, of: object) -> Any:
        params.RequestedLifetime = ua.UInt32(0)
        return opens(self, params, of)

    monkeypatch.setattr(SecureConnection, "open", lifeless)
    before = asyncio.all_tasks()
    await fails(driver_of(plant).connect(), "ends each channel after 0 ms")
    assert (ours(before), await plant.settled()) == (set(), 0)


async def test_a_server_silent_from_the_start_is_an_error_in_time(plant: Plant) -> None:
    before = asyncio.all_tasks()
    plant.is_silent = True
    await fails(driver_of(plant, timeout_s=0.2).connect(), r"no answer within 0\.2 s")
    plant.is_silent = False
    assert await plant.settled() == 0
    assert ours(before) == set()


async def test_a_batch_without_answer_costs_itself_and_what_was_got_stays(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NODES_PER_REQUEST", 2)
    rows = [
        register(f"r{i}", Dtype.F32, node="ns={ns};s=volt", namespace=NAMESPACE) for i in range(6)
    ]
    driver = OpcUaDriver(spec(plant.url, *rows, timeout_s=0.2))
    await driver.connect()
    assert driver._session is not None
    asked = driver._session.ask
    count = 0

    async def ask(nodes: list[ua.ReadValueId]) -> list[ua.DataValue]:
        nonlocal count
        count += 1
        plant.is_silent = count == 2
        return await asked(nodes)

    monkeypatch.setattr(driver._session, "ask", ask)
    samples = await driver.read()
    plant.is_silent = False
    assert [s.quality for s in samples] == [Quality.GOOD] * 2 + [Quality.NO_ANSWER] * 4
    assert await plant.settled() == 0
    assert [s.quality for s in await driver.read()] == [Quality.GOOD] * 6  # opened again by itself
    await driver.close()


async def test_a_cut_while_a_question_is_under_way_is_noticed_at_once(plant: Plant) -> None:
    driver = driver_of(plant, timeout_s=30.0)
    await driver.connect()
    plant.is_silent = True
    reading = asyncio.create_task(driver.read())
    await asyncio.sleep(0.05)
    began = time.monotonic()
    await plant.cut()
    await fails(asyncio.wait_for(reading, ENOUGH_S), "check that the server runs")
    assert time.monotonic() - began < 3.0
    plant.is_silent = False
    await plant.listen()


async def test_a_restarted_server_may_have_moved_the_namespace() -> None:
    old = Plant()
    await old.start()
    await old.put("volt", 4.25)
    async with opened(driver_of(old, "subscribe")) as driver:
        await driver.read()
        await old.stop()
        with contextlib.suppress(DeviceError):
            await driver.read()
        new = Plant()
        await new.start(port=old.port, before=("urn:somebody:else", "urn:and:another"))
        assert new.index == old.index + 2
        await new.put("volt", 5.5)
        await driver.connect()
        assert (await driver.read())[0].raw == struct.pack("<f", 5.5)
    await new.stop()


@MODES
async def test_close_ends_every_task_and_the_session(plant: Plant, mode: str) -> None:
    before = asyncio.all_tasks()
    driver = driver_of(plant, mode)
    for _ in range(5):
        await driver.connect()
        await driver.connect()  # once more changes nothing
        await driver.read()
        assert plant.open_connections == 1
        plant.requests.clear()
        await driver.close()
        assert "CloseSessionRequest" in plant.requests
        assert ours(before) == set()
        assert await plant.settled() == 0
    await driver.close()  # and again


@pytest.mark.parametrize("delay_s", [0.0, 0.001, 0.003, 0.006, 0.01])
async def test_a_cancelled_connect_leaves_no_connection(plant: Plant, delay_s: float) -> None:
    before = asyncio.all_tasks()
    task = asyncio.create_task(driver_of(plant, "subscribe").connect())
    await asyncio.sleep(delay_s)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    if task.cancelled():
        assert ours(before) == set()
        assert await plant.settled() == 0
    else:  # it was through before the cancel
        assert task.exception() is None
        await plant.cut()
        await plant.listen()
