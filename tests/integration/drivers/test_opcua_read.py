"""Batched reads of an OPC UA server: values, status codes, source times, types, namespaces."""

import logging
import struct
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from asyncua import ua

from edge.drivers.base import DeviceSpec, Sample
from edge.drivers.opcua.driver import OpcUaDriver
from evidence.points import Dtype
from evidence.quality import Quality
from firmware_configs.profile import Register
from tests.integration.drivers.opcua_plant import NAMESPACE, Plant
from tests.integration.drivers.opened import opened
from tests.unit.edge.drivers.specs import register, spec

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHEN = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC)
WHEN_NS = 1_793_534_400_123_456_000  # `date -ud 2026-11-01T12:00 +%s`, then the fraction


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plant() -> AsyncIterator[Plant]:
    made = Plant()
    await made.start()
    yield made
    await made.stop()


def node(name: str, dtype: Dtype = Dtype.F32, **of: Any) -> Register:
    return register(name, dtype, node="ns={ns};s=" + name, namespace=NAMESPACE, **of)


def of(plant: Plant, *rows: Register, **more: Any) -> DeviceSpec:
    return spec(plant.url, *rows, **more)


async def read_once(made: DeviceSpec) -> list[Sample]:
    async with opened(OpcUaDriver(made)) as driver:
        return list(await driver.read())


async def test_value_status_and_source_time_of_each_node(plant: Plant) -> None:
    await plant.put("good", 4.25, when=WHEN)
    await plant.put("unsure", 4.5, status=ua.StatusCodes.UncertainSensorNotAccurate, when=WHEN)
    await plant.put("broken", None, status=ua.StatusCodes.BadSensorFailure, when=WHEN)
    await plant.put("gone", None, status=ua.StatusCodes.BadNoCommunication)
    await plant.put("denied", None, status=ua.StatusCodes.BadNotReadable)
    names = ("good", "unsure", "broken", "gone", "denied", "missing")
    samples = await read_once(of(plant, *(node(n) for n in names)))
    assert samples == [
        Sample(struct.pack("<f", 4.25), Quality.GOOD, WHEN_NS),
        Sample(struct.pack("<f", 4.5), Quality.UNCERTAIN, WHEN_NS),
        Sample(None, Quality.SENSOR_FAULT, WHEN_NS),
        Sample(None, Quality.NOT_CONNECTED, None),
        Sample(None, Quality.DEVICE_REFUSED, None),
        Sample(None, Quality.DEVICE_REFUSED, None),
    ]


async def test_a_value_that_does_not_fit_is_a_wrong_answer_and_the_log_says_why(
    plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    await plant.put("double", 4.2, ua.VariantType.Double)
    await plant.put("big", 70000, ua.VariantType.UInt32)
    await plant.put("text", "4.2", ua.VariantType.String)
    await plant.put("array", [4.25, 4.5], ua.VariantType.Float)
    await plant.put("empty", None)
    rows = [
        node("double"), node("big", Dtype.U16), node("text"), node("array"), node("empty"),
    ]  # fmt: skip
    with caplog.at_level(logging.WARNING, logger="edge.drivers"):
        samples = await read_once(of(plant, *rows))
    assert samples == [Sample(None, Quality.WRONG_ANSWER)] * 5
    said = [r.message for r in caplog.records if r.name.startswith("edge.drivers")]
    assert "device dev: dev.double: the server sends a Double that is no f32 exactly" in said
    assert "device dev: dev.big: the server sends a UInt32 that is no u16 exactly" in said
    assert "device dev: dev.array: the server sends a Float array that is no f32 exactly" in said
    assert len(said) == 5


async def test_a_long_text_costs_its_own_point_and_no_session(
    plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    names = ("a", "b", "c", "long", "d")
    for name in names:
        is_long = name == "long"
        kind = ua.VariantType.String if is_long else ua.VariantType.Float
        await plant.put(name, "x" * 200_000 if is_long else 1.5, kind)
    plant.requests.clear()
    with caplog.at_level(logging.WARNING, logger="edge.drivers"):
        async with opened(OpcUaDriver(of(plant, *(node(n) for n in names)))) as driver:
            for _ in range(2):
                qualities = [sample.quality for sample in await driver.read()]
                assert qualities == [Quality.GOOD] * 3 + [Quality.WRONG_ANSWER, Quality.GOOD]
    assert plant.requests.count("CreateSessionRequest") == 1
    (said,) = (r.message for r in caplog.records if r.name.startswith("edge.drivers"))
    assert said.startswith("device dev: dev.long: left out, asked again after 60 s")


async def test_one_row_is_many_nodes(plant: Plant) -> None:
    for n in (1, 7, 12):
        await plant.put(f"Pot{n:02}.Voltage", n / 4)
    row = register(
        "pot-{n:02}.voltage",
        Dtype.F32,
        node="ns={ns};s=Pot{n:02}.Voltage",
        namespace=NAMESPACE,
    )
    samples = await read_once(of(plant, row, numbers=(12, 1, 7)))
    assert [s.raw for s in samples] == [struct.pack("<f", n / 4) for n in (12, 1, 7)]


async def test_a_node_with_its_own_index_needs_no_namespace(plant: Plant) -> None:
    await plant.put("plain", 1.5)
    rows = [
        register("plain", Dtype.F32, node=f"ns={plant.index};s=plain"),
        register("state", Dtype.I32, node="i=2259"),  # Server_ServerStatus_State: 0 is running
    ]
    samples = await read_once(of(plant, *rows))
    assert [s.raw for s in samples] == [struct.pack("<f", 1.5), b"\0\0\0\0"]


async def test_a_namespace_the_server_lacks_costs_its_points_until_it_comes(
    plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    await plant.put("there", 1.5)
    late = "urn:stackproof:test:late"
    rows = [node("there"), register("later", Dtype.F32, node="ns={ns};s=later", namespace=late)]
    async with opened(OpcUaDriver(of(plant, *rows))) as driver:
        with caplog.at_level(logging.INFO, logger="edge.drivers"):
            for _ in range(2):
                first, second = await driver.read()
                assert first.quality is Quality.GOOD
                assert second == Sample(None, Quality.DEVICE_REFUSED)
            index = await plant.server.register_namespace(late)
            await plant.server.nodes.objects.add_variable(
                ua.NodeId(ua.String("later"), ua.Int16(index)), "later", 2.5, ua.VariantType.Float
            )
            _, second = await driver.read()
    assert second.raw == struct.pack("<f", 2.5)
    said = [r.message for r in caplog.records if r.name.startswith("edge.drivers")]
    assert said == [
        f"device dev: namespace {late}: the server does not have it",
        f"device dev: namespace {late}: is fine again",
    ]


async def test_a_thousand_and_more_nodes_are_read_in_batches(plant: Plant) -> None:
    await plant.put("same", 4.25)
    rows = [
        register(f"r{i}", Dtype.F32, node="ns={ns};s=same", namespace=NAMESPACE)
        for i in range(1001)
    ]
    async with opened(OpcUaDriver(of(plant, *rows, timeout_s=20.0))) as driver:
        plant.requests.clear()
        samples = await driver.read()
        assert plant.requests == ["ReadRequest"] * 2
    assert samples == [Sample(struct.pack("<f", 4.25), Quality.GOOD, None)] * 1001


async def test_a_batch_with_an_answer_too_few_is_believed_in_nothing(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    await plant.put("good", 4.25)
    driver = OpcUaDriver(of(plant, node("good"), node("missing")))
    await driver.connect()
    assert driver._session is not None
    asked = driver._session.ask

    async def ask(nodes: list[ua.ReadValueId]) -> list[ua.DataValue]:
        return (await asked(nodes))[:-1]

    monkeypatch.setattr(driver._session, "ask", ask)
    assert await driver.read() == [Sample(None, Quality.WRONG_ANSWER)] * 2
    await driver.close()


async def test_the_servers_own_limit_is_kept(plant: Plant) -> None:
    await plant.put("same", 4.25)
    limit = plant.server.get_node(
        ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead
    )
    before = await limit.read_value()
    await limit.write_value(2, ua.VariantType.UInt32)
    rows = [
        register(f"r{i}", Dtype.F32, node="ns={ns};s=same", namespace=NAMESPACE) for i in range(5)
    ]
    async with opened(OpcUaDriver(of(plant, *rows))) as driver:
        plant.requests.clear()
        samples = await driver.read()
        await limit.write_value(before, ua.VariantType.UInt32)
        assert plant.requests == ["ReadRequest"] * 3
    assert [s.quality for s in samples] == [Quality.GOOD] * 5


async def test_a_lasting_trouble_is_logged_once_and_its_end_once(
    plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    await plant.put("moody", None, status=ua.StatusCodes.BadSensorFailure)
    async with opened(OpcUaDriver(of(plant, node("moody")))) as driver:
        with caplog.at_level(logging.INFO, logger="edge.drivers"):
            for _ in range(3):
                await driver.read()
            await plant.put("moody", 1.5)
            for _ in range(3):
                await driver.read()
    assert [r.message for r in caplog.records if r.name.startswith("edge.drivers")] == [
        "device dev: dev.moody: the server says BadSensorFailure",
        "device dev: dev.moody: is fine again",
    ]


async def test_the_gate_stops_a_write_and_a_call_before_they_are_sent(plant: Plant) -> None:
    await plant.put("good", 4.25)
    async with opened(OpcUaDriver(of(plant, node("good")))) as driver:
        plant.requests.clear()
        assert driver._session is not None
        client = driver._session._client
        target = client.get_node(ua.NodeId(ua.String("good"), ua.Int16(plant.index)))
        with pytest.raises(RuntimeError, match="OPC UA WriteRequest must never leave the edge"):
            await target.write_value(5.0, ua.VariantType.Float)
        method = ua.NodeId(ua.Int32(ua.ObjectIds.Server_GetMonitoredItems))
        with pytest.raises(RuntimeError, match="OPC UA CallRequest must never leave the edge"):
            await client.get_server_node().call_method(method, 1)
        assert "WriteRequest" not in plant.requests
        assert "CallRequest" not in plant.requests


async def test_the_query_of_the_url_is_ours_and_not_the_servers(plant: Plant) -> None:
    await plant.put("good", 4.25)
    async with opened(OpcUaDriver(spec(plant.url + "?mode=read", node("good")))) as driver:
        assert driver._session is not None
        assert driver._session._client.server_url.geturl() == plant.url


async def test_no_points_are_no_samples(plant: Plant) -> None:
    assert await read_once(of(plant)) == []
