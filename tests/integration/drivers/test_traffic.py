"""What `edge check --traffic` lists is what comes over the wire, byte by byte.

A relay in front of each device keeps the bytes of the driver; the lists are made before there is
a connection.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from asyncua import ua
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.ua_binary import struct_from_binary

from edge.drivers import open_driver
from edge.drivers.base import DeviceSpec, Driver
from edge.drivers.traffic import EACH_READ, Request
from evidence.points import Dtype
from firmware_configs.model import Identifier
from tests.integration.drivers.dlt645_responder import METER, Meter
from tests.integration.drivers.modbus_responder import Responder
from tests.integration.drivers.opcua_plant import NAMESPACE, Plant
from tests.integration.drivers.rtu_line import Converter, Unit
from tests.recorded_wires import Relay
from tests.unit.edge.drivers.specs import register, spec

pytestmark = pytest.mark.asyncio(loop_scope="module")

READS = 3

#: every table, a hole that is bridged and one that is not, a read as long as they get
ROWS = [
    *(register(f"coil{a}", Dtype.U8, table="coil", address=a) for a in (0, 3, 300)),
    *(register(f"discrete{a}", Dtype.U8, table="discrete", address=a) for a in (7, 8)),
    *(register(f"holding{a}", Dtype.F32, address=a) for a in (0, 4, *range(1000, 1124, 2))),
    register("last", Dtype.U16, address=65535),
    register("input", Dtype.U64, table="input", address=0x0BB8),
]


class Heard:
    """All that a client sent, over every connection."""

    def __init__(self) -> None:
        self.bytes = b""

    def feed(self, data: bytes) -> None:
        self.bytes += data


@asynccontextmanager
async def relay_before(port: int) -> AsyncIterator[tuple[int, Heard]]:
    heard = Heard()
    relay = Relay(port, lambda: heard)
    try:
        yield relay.port, heard
    finally:
        await asyncio.to_thread(relay.stop)


def at_start(driver: Driver) -> list[Request]:
    return [r for r in driver.traffic().requests if r.every_s is None]


def each_read(driver: Driver) -> list[Request]:
    return [r for r in driver.traffic().requests if r.every_s == EACH_READ]


async def read(driver: Driver, times: int = READS) -> None:
    await driver.connect()
    for _ in range(times):
        samples = await driver.read()
        assert all(sample.raw is not None for sample in samples)
    await driver.close()


async def test_modbus_tcp_byte_by_byte() -> None:
    async with Responder() as device, relay_before(device.port) as (port, heard):
        driver = open_driver(spec(f"modbus+tcp://127.0.0.1:{port}?unit=17", *ROWS))
        told = each_read(driver)
        assert at_start(driver) == []
        assert len(told) == 7
        await read(driver)
    packets = []
    left = heard.bytes
    while left:
        size = 6 + struct.unpack(">H", left[4:6])[0]
        packets.append(left[:size])
        left = left[size:]
    assert {request.numbered for request in told} == {2}
    assert [p[2:] for p in packets] == [request.sent[2:] for request in told] * READS
    # what is left out of the comparison is a number that goes up by one
    assert [struct.unpack(">H", p[:2])[0] for p in packets] == list(range(1, 7 * READS + 1))


async def test_modbus_tcp_answers_are_as_long_as_told() -> None:
    async with Responder() as device:
        driver = open_driver(spec(device.url, *ROWS))
        told = each_read(driver)
        await read(driver, 1)
        answers = [7 + len(device.true_answer(question)) for question in device.questions]
    assert answers == [request.answer_bytes for request in told]


async def test_rtu_over_tcp_byte_by_byte_and_the_probe_once() -> None:
    unit = Unit()
    async with Converter(u17=unit) as line, relay_before(line.port) as (port, heard):
        url = f"modbus+rtu-tcp://127.0.0.1:{port}?unit=17"
        driver = open_driver(spec(url, *ROWS, probe="last"))
        told, probe = each_read(driver), at_start(driver)
        await read(driver)
        answers = [len(unit.answer(asked)) for asked in line.devices.asked]
    assert len(probe) == 1
    assert probe[0].what.startswith("probe last: FC 3 unit 17 holding 0xffff")
    first, *rest = told
    in_order = [first, *probe, *rest, *told * (READS - 1)]  # asked behind the first answer
    assert heard.bytes == b"".join(request.sent for request in in_order)
    assert answers == [request.answer_bytes for request in in_order]


async def test_dlt645_byte_by_byte() -> None:
    rows = [
        register(f"r{n}", Dtype.U32, table=None, address=None,
                 identifier=Identifier(n << 16, "XXXXXX.XX"))
        for n in (1, 2)
    ]  # fmt: skip
    content = bytes.fromhex("78563412")
    meter = Meter({0x00010000: content, 0x00020000: content})
    async with meter, relay_before(meter.port) as (port, heard):
        driver = open_driver(spec(f"dlt645+tcp://127.0.0.1:{port}?address={METER}", *rows))
        told = each_read(driver)
        await read(driver)
    assert heard.bytes == b"".join(request.sent for request in told) * READS
    # 68 A0..A5 68 91 08, DI 4, data 4, CS 16, as DL/T 645-2007 draws it
    assert [request.answer_bytes for request in told] == [20, 20]


# -- OPC UA: service, nodes, attribute, intervals -------------------------------------------------


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plant() -> AsyncIterator[Plant]:
    made = Plant()
    await made.start()
    for name in ("volt", "state"):
        await made.put(name, 4.25)
    yield made
    await made.stop()


@pytest.fixture
def asked(plant: Plant) -> Iterator[list[tuple[str, Any]]]:
    """The parameters of every request the server gets."""
    found: list[tuple[str, Any]] = []
    process = UaProcessor._process_message

    async def processing(self: Any, typeid: ua.NodeId, header: object, *rest: Any) -> object:
        (buffer,) = [r for r in rest if hasattr(r, "copy")]
        name = ua.ObjectIdNames[typeid.Identifier].partition("_")[0].removesuffix("Request")
        kind = getattr(ua, f"{name}Parameters", None)
        found.append((name, struct_from_binary(kind, buffer.copy()) if kind else None))
        return await process(self, typeid, header, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(UaProcessor, "_process_message", processing)
        yield found


def of(plant: Plant, query: str) -> DeviceSpec:
    rows = [
        register(n, Dtype.F32, node="ns={ns};s=" + n, namespace=NAMESPACE)
        for n in ("volt", "state")
    ]
    return spec(plant.url + query, *rows, timeout_s=5.0)


def shown(plant: Plant, value: ua.ReadValueId) -> str:
    """A node as the list has it; the attribute must be Value (13)."""
    assert value.AttributeId == ua.AttributeIds.Value
    node = value.NodeId.to_string()
    return node.replace(f"ns={plant.index};", f"nsu={NAMESPACE};")


async def test_opc_ua_reads(plant: Plant, asked: list[tuple[str, Any]]) -> None:
    driver = open_driver(of(plant, ""))
    start, (told,) = at_start(driver), each_read(driver)
    await driver.connect()
    opening = list(asked)
    asked.clear()
    await driver.read()
    await driver.close()
    # the channel's own service is no message of a session, so the server's ear does not hear it
    assert start[0].what == ("OpenSecureChannel (none), CreateSession, ActivateSession")
    assert [name for name, _ in opening] == ["CreateSession", "ActivateSession", *["Read"] * 3]
    read_at_start = [shown(plant, p.NodesToRead[0]) for _, p in opening[2:]]
    assert [r.what.split(" of ")[1].split(" ")[0] for r in start[1:]] == read_at_start
    name, parameters = asked[0]
    assert (name, told.what) == ("Read", "Read attribute Value of 2 nodes")
    assert [shown(plant, n) for n in parameters.NodesToRead] == list(told.items)
    assert told.points == ("dev.volt", "dev.state")
    assert [name for name, _ in asked[1:]] == ["CloseSession"]


async def test_opc_ua_subscribes(plant: Plant, asked: list[tuple[str, Any]]) -> None:
    query = "?mode=subscribe&publishing_ms=500&sampling_ms=200&queue=7"
    driver = open_driver(of(plant, query))
    start, (told,) = at_start(driver), each_read(driver)
    await driver.connect()
    (made,) = [p for name, p in asked if name == "CreateSubscription"]
    (watched,) = [p for name, p in asked if name == "CreateMonitoredItems"]
    asked.clear()
    await driver.read()
    (alive,) = [p for name, p in asked if name == "Read"]
    await driver.close()
    create = next(r for r in start if r.what.startswith("CreateSubscription"))
    assert create.what == (
        f"CreateSubscription: publishing interval {made.RequestedPublishingInterval:g} ms, "
        f"keep-alive after {made.RequestedMaxKeepAliveCount} and "
        f"lifetime {made.RequestedLifetimeCount} of them"
    )
    assert made.RequestedPublishingInterval == 500
    items = next(r for r in start if r.what.startswith("CreateMonitoredItems"))
    wanted = watched.ItemsToCreate
    assert items.items == tuple(shown(plant, item.ItemToMonitor) for item in wanted)
    assert {
        (i.RequestedParameters.SamplingInterval, i.RequestedParameters.QueueSize) for i in wanted
    } == {(200, 7)}
    assert "sampling interval 200 ms, queue 7" in items.what
    (publish,) = [r for r in driver.traffic().requests if r.what.startswith("Publish")]
    assert publish.every_s == 0.5
    assert f"of {shown(plant, alive.NodesToRead[0])} " in told.what
