"""Gateways, a real broker and the collector: everything receipted, whatever dies on the way."""

import asyncio
import hashlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from cloud.broker import Broker
from cloud.collector.inbox import Inbox
from cloud.collector.intake import Intake
from cloud.collector.mqtt import MqttLink
from cloud.collector.opening import open_plants
from cloud.collector.service import Collector
from evidence import checkpoint
from evidence.keys import FileSigner, generate
from evidence.log import Kind, decode_entry
from tests.integration.cloud.brokers import MOSQUITTO, OtherBroker, running_broker
from tests.integration.cloud.spool_publisher import SpoolPublisher
from tests.paho_client import Client
from tests.unit.cloud.collector.running import FakePage
from tests.unit.cloud.evidence_examples import (
    SECOND_NS,
    T0_NS,
    ExamplePlant,
    ManualClock,
    make_plant,
)
from tests.unit.cloud.kept import FILE, evidence_in
from tests.unit.cloud.read_plant import read_plant
from tests.waiting import ENOUGH_S, until

NATS = "nats-server"
BROKERS = [NATS, pytest.param(MOSQUITTO, marks=pytest.mark.needs(MOSQUITTO))]
SLICE = "0f"


@pytest.fixture(autouse=True)
def quick_receipts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their pace is held by unit tests; here it would only make the tests slow."""
    monkeypatch.setattr("cloud.collector.receipts.INTERVAL_S", 0.2)


@dataclass
class Page(FakePage):
    """Also remembers unsigned messages."""

    live: list[tuple[str, str, bytes]] = field(default_factory=list)
    states: list[tuple[str, str, bool]] = field(default_factory=list)

    def on_live(self, plant: str, gateway: str, payload: bytes) -> None:
        self.live.append((plant, gateway, payload))

    def on_state(self, plant: str, gateway: str, online: bool, order: object = None) -> None:
        self.states.append((plant, gateway, online))


class Running:
    """The collector over a broker, without web pages."""

    def __init__(self, url: str, root: Path, plants: list[ExamplePlant]) -> None:
        self.page, self.inbox = Page(), Inbox()
        self.store = evidence_in(root)
        self.intake = Intake(self.store, ManualClock(), plants[0].collector)
        open_plants(self.intake, [plant.identity() for plant in plants])
        self.link = MqttLink(url, SLICE, self.inbox, self.page)
        self.collector = Collector(SLICE, self.intake, self.inbox, self.link, self.page)

    async def start(self) -> None:
        self.link.start(self.collector.resend)
        self.collector.start()
        assert await self.link.wait_connected(10)

    async def stop(self) -> None:
        await self.collector.stop()
        await self.link.stop()
        await asyncio.to_thread(self.store.close)


@asynccontextmanager
async def collecting(url: str, root: Path, plants: list[ExamplePlant]) -> AsyncIterator[Running]:
    running = Running(url, root, plants)
    await running.start()
    try:
        yield running
    finally:
        await running.stop()


async def until_moved(publishers: list[SpoolPublisher]) -> None:
    """Every gateway gets a newer receipt than it has, or has the last one there is."""
    seen = [publisher.receipted for publisher in publishers]

    def moved() -> bool:
        return all(
            p.receipted > s or p.receipted == len(p.gateway.objects) - 1
            for p, s in zip(publishers, seen, strict=True)
        )

    await until(moved)


def make_plants(folder: Path, count: int, frames: int) -> list[ExamplePlant]:
    """Plants of one collector, each with one gateway's stream made in advance."""
    collector = FileSigner(generate())
    plants = [make_plant(folder, f"plant-{n}", collector=collector) for n in range(count)]
    for plant in plants:
        gateway = plant.gateways["edge-1"]
        gateway.config()
        for n in range(frames):
            gateway.frame(T0_NS + n * 10 * SECOND_NS)
    return plants


STARTED: list[SpoolPublisher] = []


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Whatever a test started ends with it, also when it fails: paho's threads would not."""
    yield
    while STARTED:
        STARTED.pop().stop()


def publishers(url: str, plants: list[ExamplePlant]) -> list[SpoolPublisher]:
    key = plants[0].collector.public_key
    for plant in plants:
        STARTED.append(SpoolPublisher(url, plant.gateways["edge-1"], key, SLICE))
    return STARTED[-len(plants) :]


def check_receipts(publisher: SpoolPublisher, evidence: Path) -> None:
    """Cumulative, of one growing log, each for the object the gateway has at that seq."""
    sizes = [checkpoint.verify(r.checkpoint, publisher.collector).size for r in publisher.receipts]
    assert sizes == sorted(sizes)
    assert all(r.log_index < size for r, size in zip(publisher.receipts, sizes, strict=True))
    objects = publisher.gateway.objects
    for receipt in publisher.receipts:
        assert receipt.head == hashlib.sha256(objects[receipt.seq]).digest()
    held = read_plant(evidence / FILE, publisher.collector, publisher.gateway.plant)
    assert held == {"edge-1": objects}


@pytest.mark.parametrize("kind", BROKERS)
async def test_every_object_of_every_plant_is_receipted(tmp_path: Path, kind: str) -> None:
    plants = make_plants(tmp_path / "keys", count=5, frames=100)
    root = tmp_path / "evidence"
    async with (
        running_broker(kind, tmp_path / "broker") as broker,
        collecting(broker.url, root, plants) as running,
    ):
        sending = publishers(broker.url, plants)
        await until(lambda: all(p.receipted == 100 for p in sending))
        rows = running.collector.status()
        for publisher in sending:
            publisher.stop()
    assert [(row["frames"], row["next_seq"]) for row in rows] == [(100, 101)] * 5
    for publisher in sending:
        check_receipts(publisher, root)


@pytest.mark.parametrize("kind", BROKERS)
async def test_live_and_state_reach_the_page_and_requests_the_gateway(
    tmp_path: Path, kind: str
) -> None:
    plants = make_plants(tmp_path / "keys", count=1, frames=1)
    async with (
        running_broker(kind, tmp_path / "broker") as broker,
        collecting(broker.url, tmp_path / "evidence", plants) as running,
    ):
        (publisher,) = publishers(broker.url, plants)
        await until(lambda: publisher.receipted == 1)
        publisher.publish("live", b"values", qos=0)
        publisher.publish("state", b'{"online":true}')
        publisher.publish("state", b"hello")
        publisher.publish("state", b'{"online":false}')
        await until(lambda: len(running.page.states) == 2 and bool(running.page.live))
        assert running.page.live == [("plant-0", "edge-1", b"values")]
        assert [online for _, _, online in running.page.states] == [True, False]
        running.link.publish(f"{publisher.base}/config", b"please")
        await until(lambda: publisher.requests == [b"please"])
        late = SpoolPublisher(broker.url, publisher.gateway, publisher.collector, SLICE)
        await until(lambda: bool(late.receipts) and late.requests == [b"please"])  # retained
        late.stop()
        publisher.stop()


async def kill(broker: Broker | OtherBroker) -> None:
    if isinstance(broker, OtherBroker):
        await asyncio.to_thread(broker.stop, signal.SIGKILL)
        await asyncio.to_thread(broker.start)
        return
    pid = broker.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: broker.restarts > 0 and broker.pid not in (None, pid))


@pytest.mark.parametrize("kind", BROKERS)
async def test_a_killed_broker_loses_nothing(tmp_path: Path, kind: str) -> None:
    plants = make_plants(tmp_path / "keys", count=2, frames=100)
    root = tmp_path / "evidence"
    async with (
        running_broker(kind, tmp_path / "broker") as broker,
        collecting(broker.url, root, plants) as running,
    ):
        sending = publishers(broker.url, plants)
        await until(lambda: all(p.receipted > 0 for p in sending))
        await kill(broker)
        await until(lambda: all(p.receipted == 100 for p in sending), 30)
        assert running.collector.defect is None
        for publisher in sending:
            publisher.stop()
    for publisher in sending:
        check_receipts(publisher, root)


@pytest.mark.parametrize("kind", BROKERS)
async def test_a_collector_that_stops_and_starts_loses_nothing(tmp_path: Path, kind: str) -> None:
    plants = make_plants(tmp_path / "keys", count=2, frames=100)
    root = tmp_path / "evidence"
    async with running_broker(kind, tmp_path / "broker") as broker:
        sending = publishers(broker.url, plants)
        for _ in range(2):
            async with collecting(broker.url, root, plants):
                await until_moved(sending)
        async with collecting(broker.url, root, plants):
            await until(lambda: all(p.receipted == 100 for p in sending), 30)
        for publisher in sending:
            publisher.stop()
    for publisher in sending:
        check_receipts(publisher, root)


async def test_a_full_inbox_holds_the_network_back_and_loses_nothing(tmp_path: Path) -> None:
    """The collector stands still for a while; the inbox is tiny."""
    plants = make_plants(tmp_path / "keys", count=2, frames=60)
    async with running_broker(NATS, tmp_path / "broker") as broker:
        running = Running(broker.url, tmp_path / "evidence", plants)
        running.inbox._messages_max = 4
        await running.start()
        blocked = running.collector.submit(lambda: time.sleep(1.5))
        sending = publishers(broker.url, plants)
        await asyncio.wrap_future(blocked)
        await until(lambda: all(p.receipted == 60 for p in sending))
        for publisher in sending:
            publisher.stop()
        await running.stop()


async def test_a_collector_that_stops_while_its_inbox_is_full_stops(tmp_path: Path) -> None:
    plants = make_plants(tmp_path / "keys", count=1, frames=60)
    async with running_broker(NATS, tmp_path / "broker") as broker:
        running = Running(broker.url, tmp_path / "evidence", plants)
        running.inbox._messages_max = 4
        await running.start()
        running.collector.submit(lambda: time.sleep(1.0))
        (publisher,) = publishers(broker.url, plants)
        await asyncio.sleep(0.5)
        async with asyncio.timeout(ENOUGH_S):
            await running.stop()
        publisher.stop()


async def test_a_stop_does_not_wait_for_a_broker_that_hangs(tmp_path: Path) -> None:
    plants = make_plants(tmp_path / "keys", count=1, frames=1)
    async with running_broker(NATS, tmp_path / "broker") as broker:
        running = Running(broker.url, tmp_path / "evidence", plants)
        await running.start()
        (publisher,) = publishers(broker.url, plants)
        await until(lambda: publisher.receipted == 1)
        pid = broker.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            running.collector.resend()  # a receipt that is never acknowledged
            async with asyncio.timeout(20):
                await running.stop()
        finally:
            with suppress(ProcessLookupError):  # after 10 s it is started again
                os.kill(pid, signal.SIGCONT)
        publisher.stop()


def refused(running: Running) -> Mapping[str, int]:
    """How much of the first gateway was refused, by reason."""
    return Counter(running.collector.status()[0]["refused"])


@contextmanager
def hostile_client(port: int) -> Iterator[paho.Client]:
    client = Client(CallbackAPIVersion.VERSION2, client_id="hostile")
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


async def test_a_flood_of_hostile_messages_does_not_stop_it(tmp_path: Path) -> None:
    """Random and half-true bytes on every kind of topic, beside a gateway that delivers."""
    plants = make_plants(tmp_path / "keys", count=1, frames=60)
    dice = random.Random(5)
    async with (
        running_broker(NATS, tmp_path / "broker") as broker,
        collecting(broker.url, tmp_path / "evidence", plants) as running,
    ):
        (publisher,) = publishers(broker.url, plants)
        with hostile_client(broker.port) as hostile:
            for n in range(900):
                plant, gateway = (
                    dice.choice(("plant-0", "plant-0", "Ü", "..")),
                    dice.choice(("edge-1", "edge-1", "e")),
                )
                leaf = dice.choice(
                    ("frames", "frames", "live", "state", "receipts", "config", "x/y")
                )
                whole = bytearray(dice.choice(publisher.gateway.objects))
                whole[dice.randrange(len(whole))] ^= 1 << dice.randrange(8)
                payload = dice.choice((bytes(whole), dice.randbytes(n), b"", b"{}", b"[" * n))
                topic = f"stackproof/v1/{SLICE}/{plant}/{gateway}/{leaf}"
                hostile.publish(topic, payload, qos=n % 2)
                if n % 50 == 0:
                    await asyncio.sleep(0.01)
            await until(lambda: publisher.receipted == 60)
            # what is hostile may arrive after what is not: wait for it too
            await until(lambda: refused(running)["malformed"] > 20)
            await until(lambda: refused(running)["signature"] > 5)
        assert running.collector.defect is None
        assert "defect" not in refused(running)
        publisher.stop()
    entries = [decode_entry(d) for _, d in running.intake.plant("plant-0").reader.entries()]
    rejects = [entry for entry in entries if entry.kind is Kind.REJECT]
    assert 0 < len(rejects) < 10  # a digest for each reason, however many came
    check_receipts(publisher, tmp_path / "evidence")
