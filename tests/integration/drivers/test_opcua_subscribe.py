"""Subscriptions: the newest value of each node, its status and source time; alive or not."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from asyncua import ua
from asyncua.client.ua_client import UaClient

import edge.drivers.opcua.session as module
from edge.drivers.base import DeviceError, Sample
from edge.drivers.opcua.driver import OpcUaDriver
from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.profile import Register
from tests.integration.drivers.opcua_plant import NAMESPACE, Plant
from tests.integration.drivers.opened import opened
from tests.unit.edge.drivers.specs import register, spec
from tests.waiting import ENOUGH_S

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHEN = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC)
WHEN_NS = 1_793_534_400_123_456_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plant() -> AsyncIterator[Plant]:
    made = Plant()
    await made.start()
    yield made
    await made.stop()


def node(name: str) -> Register:
    return register(name, Dtype.F32, node="ns={ns};s=" + name, namespace=NAMESPACE)


def subscribing(plant: Plant, *names: str, timeout_s: float = 1.0) -> OpcUaDriver:
    rows = [node(n) for n in names]
    return OpcUaDriver(spec(f"{plant.url}?mode=subscribe", *rows, timeout_s=timeout_s))


async def until(read: Callable[[], Awaitable[object]], wanted: object) -> object:
    """Read until the wanted comes, for at most 3 s; gives what came last."""
    got: object = None
    for _ in range(60):
        got = await read()
        if got == wanted:
            break
        await asyncio.sleep(0.05)
    return got


async def test_the_first_read_after_connecting_has_every_value(plant: Plant) -> None:
    await plant.put("a", 1.5, when=WHEN)
    await plant.put("b", None, status=ua.StatusCodes.BadSensorFailure, when=WHEN)
    async with opened(subscribing(plant, "a", "missing", "b")) as driver:
        assert await driver.read() == [
            Sample(struct.pack("<f", 1.5), Quality.GOOD, WHEN_NS),
            Sample(None, Quality.DEVICE_REFUSED),
            Sample(None, Quality.SENSOR_FAULT, WHEN_NS),
        ]


async def test_changes_of_value_and_of_status_arrive_with_their_source_time(plant: Plant) -> None:
    await plant.put("c", 1.5)
    async with opened(subscribing(plant, "c")) as driver:
        await plant.put("c", 2.5, when=WHEN)
        wanted = [Sample(struct.pack("<f", 2.5), Quality.GOOD, WHEN_NS)]
        assert await until(driver.read, wanted) == wanted
        await plant.put("c", 2.5, status=ua.StatusCodes.UncertainSensorNotAccurate, when=WHEN)
        wanted = [Sample(struct.pack("<f", 2.5), Quality.UNCERTAIN, WHEN_NS)]
        assert await until(driver.read, wanted) == wanted
        await plant.put("c", None, status=ua.StatusCodes.BadNoCommunication, when=WHEN)
        wanted = [Sample(None, Quality.NOT_CONNECTED, WHEN_NS)]
        assert await until(driver.read, wanted) == wanted


async def test_of_many_changes_the_newest_counts(plant: Plant) -> None:
    await plant.put("d", 0.0)
    async with opened(subscribing(plant, "d")) as driver:
        for step in range(1, 101):
            await plant.put("d", float(step))
        wanted = [Sample(struct.pack("<f", 100.0), Quality.GOOD)]
        assert await until(driver.read, wanted) == wanted


async def test_a_read_asks_the_server_for_its_time_and_for_no_value(plant: Plant) -> None:
    await plant.put("e", 1.5)
    async with opened(subscribing(plant, "e")) as driver:
        await asyncio.sleep(0.3)
        plant.requests.clear()
        for _ in range(3):
            await driver.read()
        assert plant.requests.count("ReadRequest") == 3


async def test_what_is_asked_of_the_server(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    await plant.put("e", 1.5)
    asked: list[Any] = []

    def spy(name: str) -> None:
        real = getattr(UaClient, name)

        async def heard(self: UaClient, request: object, *rest: object) -> object:
            asked.append(request)
            return await real(self, request, *rest)

        monkeypatch.setattr(UaClient, name, heard)

    spy("create_subscription")
    spy("create_monitored_items")
    driver = subscribing(plant, "e")
    await driver.connect()
    await driver.close()
    subscription, items = asked
    assert 0 < subscription.RequestedPublishingInterval <= 250
    assert subscription.RequestedLifetimeCount >= 3 * subscription.RequestedMaxKeepAliveCount
    (item,) = items.ItemsToCreate
    assert item.RequestedParameters.QueueSize >= 1
    assert item.RequestedParameters.DiscardOldest is True
    assert 0 < item.RequestedParameters.SamplingInterval <= 250


async def test_a_quiet_value_is_alive_as_long_as_the_server_is(plant: Plant) -> None:
    await plant.put("f", 1.5)
    async with opened(subscribing(plant, "f")) as driver:
        for _ in range(5):
            assert (await driver.read())[0].quality is Quality.GOOD
            await asyncio.sleep(0.1)


async def test_a_server_that_does_not_answer_is_out_of_reach_though_values_are_known(
    plant: Plant,
) -> None:
    await plant.put("f", 1.5)
    driver = subscribing(plant, "f", timeout_s=0.2)
    await driver.connect()
    plant.is_silent = True
    with pytest.raises(DeviceError, match=r"no answer within 0\.2 s"):
        await driver.read()
    plant.is_silent = False
    assert await plant.settled() == 0


async def test_a_server_without_a_time_is_out_of_reach(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    await plant.put("f", 1.5)
    driver = subscribing(plant, "f")
    await driver.connect()
    bad = ua.DataValue(ua.Variant(), ua.StatusCode(ua.UInt32(ua.StatusCodes.BadShutdown)))

    async def ask(_: object) -> list[ua.DataValue]:
        return [bad]

    assert driver._session is not None
    monkeypatch.setattr(driver._session, "ask", ask)
    with pytest.raises(DeviceError, match="the server does not tell its time: BadShutdown"):
        await driver.read()
    assert await plant.settled() == 0


async def test_a_subscription_that_falls_silent_is_given_up_though_the_server_answers(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    await plant.put("g", 1.5)
    driver = subscribing(plant, "g")
    await driver.connect()
    await driver.read()
    now = module.monotonic()
    # three keep-alives of 20 publishing intervals of 250 ms: 15 s
    monkeypatch.setattr(module, "monotonic", lambda: now + 14.0)
    await driver.read()
    monkeypatch.setattr(module, "monotonic", lambda: now + 16.0)
    with pytest.raises(DeviceError, match=r"the subscription has been silent for 1[56] s"):
        await driver.read()
    assert await plant.settled() == 0


async def test_a_subscription_the_server_ends_is_given_up(plant: Plant) -> None:
    await plant.put("g", 1.5)
    async with opened(subscribing(plant, "g")) as driver:
        note = ua.StatusChangeNotification(
            Status=ua.StatusCode(ua.UInt32(ua.StatusCodes.BadTimeout))
        )
        assert driver._session is not None
        driver._session._published(
            ua.PublishResult(1, NotificationMessage=ua.NotificationMessage(NotificationData=[note]))
        )
        with pytest.raises(DeviceError, match="the server ended the subscription: BadTimeout"):
            await driver.read()
        await driver.connect()
        assert (await driver.read())[0].quality is Quality.GOOD


async def test_a_namespace_that_comes_late_is_subscribed_anew(plant: Plant) -> None:
    late = "urn:stackproof:test:late-subscription"
    row = register("later", Dtype.F32, node="ns={ns};s=later", namespace=late)
    async with opened(OpcUaDriver(spec(f"{plant.url}?mode=subscribe", row))) as driver:
        assert await driver.read() == [Sample(None, Quality.DEVICE_REFUSED)]
        index = await plant.server.register_namespace(late)
        await plant.server.nodes.objects.add_variable(
            ua.NodeId(ua.String("later"), ua.Int16(index)), "later", 2.5, ua.VariantType.Float
        )
        with pytest.raises(DeviceError, match="the server has new namespaces; subscribe anew"):
            await driver.read()
        await driver.connect()
        assert (await driver.read())[0].raw == struct.pack("<f", 2.5)


async def test_a_subscription_that_really_falls_silent_is_given_up(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keep-alives every 0.2 s that stop coming, while the server answers everything else."""
    await plant.put("h", 1.5)
    monkeypatch.setattr("edge.drivers.opcua.options.KEEPALIVE_MS", 200)
    row = node("h")
    driver = OpcUaDriver(spec(f"{plant.url}?mode=subscribe&publishing_ms=50", row))
    await driver.connect()
    for _ in range(6):  # kept alive for longer than the silence that is borne
        await asyncio.sleep(0.2)
        assert (await driver.read())[0].quality is Quality.GOOD
    plant.deaf_to = "PublishRequest"
    await asyncio.sleep(1.0)
    with pytest.raises(DeviceError, match="the subscription has been silent for"):
        await driver.read()
    plant.deaf_to = ""
    assert await plant.settled() == 0
    await driver.connect()
    assert (await driver.read())[0].quality is Quality.GOOD
    await driver.close()


def publishing(sequence: int, *notes: object) -> ua.PublishResult:
    message = ua.NotificationMessage(
        SequenceNumber=ua.UInt32(sequence), NotificationData=list(notes)
    )
    return ua.PublishResult(1, NotificationMessage=message)


@pytest.mark.parametrize(
    ("sequences", "lost"),
    [((1, 2, 3), ""), ((1, 3), "notification 2 of the subscription was lost"),
     ((5, 6), ""), ((2**32 - 1, 1), ""), ((2**32 - 1, 2), "notification 1 of the subscription"),
     ((7, 7), "notification 8 of the subscription was lost")],
)  # fmt: skip
async def test_a_notification_that_is_missing_ends_the_subscription(
    plant: Plant, sequences: tuple[int, ...], lost: str
) -> None:
    await plant.put("i", 1.5)
    driver = subscribing(plant, "i")
    await driver.connect()
    session = driver._session
    assert session is not None
    await asyncio.sleep(0.4)  # what the server has to say of itself has come
    session._sequence = 0
    note = ua.DataChangeNotification(MonitoredItems=[])
    for sequence in sequences:
        session._published(publishing(sequence, note))
        session._published(publishing(sequence))  # a keep-alive counts nothing
    if lost:
        with pytest.raises(DeviceError, match=lost):
            await driver.read()
    else:
        assert (await driver.read())[0].quality is Quality.GOOD
        await driver.close()


async def test_what_the_url_says_is_asked_and_a_slower_server_is_told_of_once(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await plant.put("j", 1.5)
    asked: list[Any] = []
    real = UaClient.create_monitored_items

    async def heard(self: UaClient, request: Any) -> Any:
        asked.append(request)
        results = await real(self, request)
        for result in results:
            result.RevisedSamplingInterval = 2000.0
        return results

    monkeypatch.setattr(UaClient, "create_monitored_items", heard)
    query = "?mode=subscribe&publishing_ms=500&sampling_ms=50&queue=3"
    driver = OpcUaDriver(spec(plant.url + query, node("j")))
    for _ in range(2):
        await driver.connect()
        await driver.close()
    (item,) = asked[0].ItemsToCreate
    assert item.RequestedParameters.SamplingInterval == 50
    assert item.RequestedParameters.QueueSize == 3
    said = [r.message for r in caplog.records if "samples" in r.message]
    assert said == [
        "device dev: the server samples some values: every 2000 ms at best, not every 50 ms"
    ]


async def test_a_notification_about_a_value_nobody_asked_for_ends_the_subscription(
    plant: Plant,
) -> None:
    await plant.put("k", 1.5)
    driver = subscribing(plant, "k")
    await driver.connect()
    session = driver._session
    assert session is not None
    item = ua.MonitoredItemNotification(ClientHandle=ua.UInt32(4711), Value=ua.DataValue())
    note = ua.DataChangeNotification(MonitoredItems=[item])
    sequence = session._sequence + 1
    session._published(publishing(sequence, note))
    # the server's own next one has a number we made up: that is not what went wrong first
    session._published(publishing(sequence, note))
    with pytest.raises(DeviceError, match="a notification could not be understood: IndexError"):
        await driver.read()


async def test_no_read_waits_while_all_values_are_asked_for(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that tells 1,500 nodes in 1.4 s lost two readings of each second every 30 s."""
    await plant.put("slow", 1.5)
    async with opened(subscribing(plant, "slow")) as driver:
        begun, told = 0, asyncio.Event()
        read_all = driver._read_all

        async def slowly(most: int) -> list[Sample]:
            nonlocal begun
            begun += 1
            await told.wait()
            return await read_all(most)

        driver._compare_s = 0.0
        monkeypatch.setattr(driver, "_read_all", slowly)
        for _ in range(3):
            (sample,) = await asyncio.wait_for(driver.read(), ENOUGH_S)
            assert sample.quality is Quality.GOOD
        assert begun == 1
        told.set()


async def test_a_node_that_the_server_has_forgotten_is_found_by_reading(plant: Plant) -> None:
    await plant.put("kept", 1.5)
    await plant.put("forgotten", 4.25)
    async with opened(subscribing(plant, "kept", "forgotten", "later")) as driver:
        assert driver._compare_s == 30.0
        driver._compare_s = 0.3
        plant.forget("forgotten")
        await plant.put("forgotten", 9.5)

        async def read_on() -> None:
            while True:
                await driver.read()
                await asyncio.sleep(0.05)

        with pytest.raises(DeviceError, match=r"pushes no changes of dev\.forgotten;"):
            await asyncio.wait_for(read_on(), ENOUGH_S)
        await driver.connect()
        driver._compare_s = 0.3
        assert (await driver.read())[1].raw == struct.pack("<f", 9.5)
        await plant.put("later", 2.5)  # which was not there
        with pytest.raises(DeviceError, match=r"the server has dev\.later now"):
            await asyncio.wait_for(read_on(), ENOUGH_S)
        await driver.connect()
        assert [s.quality for s in await driver.read()] == [Quality.GOOD] * 3
