"""A start signs nothing before the collector has said how far it holds the stream.

So a spool that was set back (a machine's image, a restored folder) is seen before it forks, also
when its configuration or its key is another by now. Readings go on in all of it.
"""

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.agent import Agent
from edge.spool import Spool
from edge.spool_reader import State
from edge.trouble import decode_troubles
from evidence import cose
from evidence.frame import TYP_CONFIG, TYP_FRAME, TYP_ROTATE
from evidence.keys import FileSigner, generate
from tests.integration.edge.brokers import Broker
from tests.integration.edge.conftest import Plant
from tests.integration.edge.small_collector import SmallCollector
from tests.integration.edge.streams import mistakes, told
from tests.unit.edge.sites import certificate, keys, replaced, who
from tests.waiting import until

OTHER_RATIO = {'ct_ratio = "800/5"': 'ct_ratio = "400/5"'}


@pytest.fixture
def broker(tmp_path: Path, wired_plant: Plant) -> Iterator[Broker]:
    """A broker at the plant's port, not started yet."""
    broker = Broker("mosquitto", tmp_path / "broker", port=wired_plant.port)
    yield broker
    broker.stop()


@dataclass
class SetBack:
    """A plant whose spool is one of the past.

    Attributes:
        held: objects that the collector has.
        head: where the spool stands.
    """

    plant: Plant
    collector: SmallCollector
    held: int

    def head(self) -> object:
        return self.plant.in_spool(Spool.head)

    @contextlib.asynccontextmanager
    async def running(self, waiting: int) -> AsyncIterator[Agent]:
        """The agent sees it, and reads on for so many frames and configurations that wait."""
        head = self.head()
        async with self.plant.running() as agent:
            await until(lambda: "fork" in agent._alarms.names)
            await until(lambda: self.plant.waiting() >= waiting)
            assert {"key-away", "unheard"}.isdisjoint(agent._alarms.names)
            yield agent
        assert self.head() == head, "nothing was signed"
        assert len(self.collector.objects) == self.held
        assert self.collector.forks == 0
        kept = self.plant.in_spool(lambda spool: spool.get(State.TROUBLE))
        assert decode_troubles(kept)["fork"].until_seq == self.held - 1


@pytest.fixture
async def set_back(
    wired_plant: Plant, broker: Broker, collector: SmallCollector, tmp_path: Path
) -> SetBack:
    """Its image is of two objects or some more, the collector has twice as many and more."""
    broker.start()
    collector.start(broker.port)
    image, live = tmp_path / "image", wired_plant.spool_path.parent
    async with wired_plant.running():
        await until(lambda: len(collector.objects) >= 2)
    shutil.copytree(live, image)
    early = len(collector.objects)
    async with wired_plant.running():
        await until(lambda: len(collector.objects) >= early + 4)
    shutil.rmtree(live)
    shutil.copytree(image, live)
    return SetBack(wired_plant, collector, len(collector.objects))


async def test_set_back_and_another_configuration(set_back: SetBack) -> None:
    """Each start finds it so, and goes on reading: with this site file, and with the one before."""
    text = set_back.plant.text
    for number, changes in enumerate((OTHER_RATIO, {}, OTHER_RATIO), 1):
        set_back.plant.text = replaced(text, changes)
        async with set_back.running(waiting=3 * number):
            pass
    waits = set_back.plant.in_spool(lambda spool: spool._rows("SELECT typ FROM unsigned"))
    assert [typ for (typ,) in waits].count(TYP_CONFIG) == 3
    assert set_back.plant.in_spool(lambda spool: spool.get(State.UPCOMING)) == bytes([*[0] * 7, 3])


async def test_set_back_and_another_key(set_back: SetBack) -> None:
    """The rotate object would be a fork: not even that is signed."""
    new = FileSigner(generate())
    own = who(signer=new, certificate=certificate(new.public_key), previous=keys().signer)
    set_back.plant.own = own
    for number in (1, 2):
        async with set_back.running(waiting=2 * number):
            pass
    set_back.plant.own = who()  # and nothing stands in the way of going back
    async with set_back.running(waiting=6):
        pass


async def test_lost_spool_signs_nothing_either(set_back: SetBack) -> None:
    shutil.rmtree(set_back.plant.spool_path.parent)
    async with set_back.running(waiting=2):
        pass
    assert set_back.plant.kept() == []


async def test_set_back_and_the_broker_is_there_later_than_the_agent(
    set_back: SetBack, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut the network comes up last. The broker has kept the receipt."""
    monkeypatch.setattr("edge.delivery.UNREACHABLE_S", 60)
    monkeypatch.setattr("edge.trouble._TOLD_AFTER_NS", {"unheard": 0})
    set_back.collector.stop()
    retained = set_back.collector.receipt()
    broker.stop()
    head = set_back.head()
    async with set_back.plant.running() as agent:
        await until(lambda: set_back.plant.waiting() >= 2)
        assert agent._alarms.names == ("unheard",)
        broker.start()
        set_back.collector.start(broker.port)
        set_back.collector.say("receipts", retained)
        await until(lambda: agent._alarms.names == ("fork",))
    assert set_back.head() == head
    assert set_back.collector.forks == 0


async def test_the_right_spool_signs_all_when_it_is_heard_late(
    wired_plant: Plant,
    broker: Broker,
    collector: SmallCollector,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Other key, other configuration, and no broker at first: nothing is lost, all is in order."""
    broker.start()
    collector.start(broker.port)
    async with wired_plant.running():
        await until(lambda: len(collector.objects) >= 2)
    before = len(collector.objects)
    broker.stop()
    monkeypatch.setattr("edge.delivery.UNREACHABLE_S", 60)
    new = FileSigner(generate())
    cert = certificate(new.public_key)
    wired_plant.own = who(signer=new, certificate=cert, previous=keys().signer)
    wired_plant.text = replaced(wired_plant.text, OTHER_RATIO)
    async with wired_plant.running():
        await until(lambda: wired_plant.waiting() >= 3)
    async with wired_plant.running() as agent:  # stopped and started meanwhile: it waits on
        await until(lambda: wired_plant.waiting() >= 6)
        broker.start()
        await until(lambda: len(collector.objects) >= before + 9)
        assert agent._alarms.names == ()
    assert wired_plant.in_spool(Spool.usage).unsigned == 0
    assert (collector.forks, mistakes(collector.objects)) == (0, [])
    kinds = [cose.parse(data).typ for data in collector.objects[before:]]
    assert (kinds.count(TYP_CONFIG), kinds.count(TYP_ROTATE)) == (1, 1)
    assert kinds.index(TYP_CONFIG) < kinds.index(TYP_ROTATE)
    assert "key-away" not in told(collector.objects).events


async def test_without_a_broker_it_signs_after_a_while(
    wired_plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.delivery.UNREACHABLE_S", 2.0)
    started_s = time.monotonic()
    async with wired_plant.running():
        await until(lambda: wired_plant.waiting() >= 2)
        assert wired_plant.beside() == []
        await until(lambda: len(wired_plant.beside()) >= 4)
        assert time.monotonic() - started_s > 2.0
        assert wired_plant.waiting() == 0
    objects = wired_plant.kept()
    assert mistakes(objects) == []
    assert cose.parse(objects[0]).typ == TYP_CONFIG
    assert told(objects).events == ["start", "stopped"]
    assert told(objects).gaps == []


async def test_a_broker_without_a_receipt_is_waited_for_a_moment_only(
    wired_plant: Plant, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway's very first start: nobody has ever receipted anything."""
    monkeypatch.setattr("edge.delivery.UNREACHABLE_S", 60)
    monkeypatch.setattr("edge.delivery.FIRST_RECEIPT_S", 0.3)
    broker.start()
    async with wired_plant.running():
        await until(lambda: len(wired_plant.beside()) >= 2)
    assert [cose.parse(data).typ for data in wired_plant.kept()[:2]] == [TYP_CONFIG, TYP_FRAME]


async def test_what_anybody_may_say_is_not_the_collectors_word(
    set_back: SetBack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A retained message that is none of the collector's does not end the wait before its time."""
    monkeypatch.setattr("edge.delivery.FIRST_RECEIPT_S", 20)
    set_back.collector.is_deaf = True
    set_back.collector.say("receipts", b"noise")
    head, agent, stop = set_back.head(), set_back.plant.agent(), asyncio.Event()
    running = asyncio.create_task(agent.run(stop))
    try:
        await until(lambda: hasattr(agent, "_delivery") and agent._delivery.refused == 1)
        assert not agent._delivery._word.is_set()
        set_back.collector.say("receipts", set_back.collector.receipt())
        await until(lambda: agent._alarms.names == ("fork",))
    finally:
        stop.set()
        await running
    assert set_back.head() == head
