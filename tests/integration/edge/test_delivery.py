"""Delivery over real brokers: everything arrives once and in order, and only receipts free it."""

import asyncio
import hashlib
import logging
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.live.message import parse_live
from edge.agent import Agent
from edge.spool import Spool
from edge.spool_reader import State
from edge.stream import Stream
from edge.trouble import decode_troubles
from edge.uplink.machine import STALL_S, WINDOW
from evidence import cose
from evidence.frame import TYP_CLOSE, TYP_COSIGNATURE, Body, Clock, header_of
from evidence.keys import FileSigner, generate
from tests.integration.edge.brokers import NAMES, Broker
from tests.integration.edge.conftest import Plant
from tests.integration.edge.small_collector import SmallCollector
from tests.integration.edge.streams import mistakes, readings, told
from tests.unit.edge.sites import GATEWAY, PLANT, config_of, who
from tests.waiting import until


@pytest.fixture(params=NAMES)
def broker(request: pytest.FixtureRequest, tmp_path: Path, wired_plant: Plant) -> Iterator[Broker]:
    made = Broker(request.param, tmp_path / "broker", port=wired_plant.port)
    yield made
    made.stop()


def outstanding(agent: Agent) -> int:
    return agent._delivery.machine.outstanding


def count(collector: SmallCollector, typ: str) -> int:
    return [header_of(cose.parse(data)).typ for data in collector.objects].count(typ)


async def test_everything_arrives_is_receipted_and_freed(
    broker: Broker, wired_plant: Plant, collector: SmallCollector, caplog: pytest.LogCaptureFixture
) -> None:
    broker.start()
    collector.start(broker.port)
    with caplog.at_level(logging.WARNING):
        async with wired_plant.running() as agent:
            await until(lambda: len(collector.objects) >= 3)
            await until(lambda: outstanding(agent) == 0)
            request = collector.close_request()
            collector.ask_close(request)
            await until(lambda: count(collector, TYP_CLOSE) == 1)
            collector.ask_close(request)
            # only the newest message of a topic is looked at, so a good receipt may hide a bad one
            for number, (leaf, data) in enumerate(_bad_things(collector), start=1):
                while agent._delivery.refused < number:
                    collector.say(leaf, data)
                    await asyncio.sleep(0.2)
            before = len(collector.objects)
            await until(lambda: len(collector.objects) > before)
    assert wired_plant.kept() == [], "the last receipt was waited for"
    assert mistakes(collector.objects) == []
    assert count(collector, TYP_CLOSE) == 1
    assert count(collector, TYP_COSIGNATURE) >= 1, "the gateway is a witness"
    assert told(collector.objects).events == ["start", "stopped"]
    refusals = [r for r in caplog.records if r.name == "stackproof.edge.delivery"]
    assert refusals, "said, and again only after a good receipt"
    await until(lambda: collector.states[-1:] == [b'{"online":false}'])
    assert collector.states[0] in (b'{"online":true}', b'{"online":false}')
    assert b'{"online":true}' in collector.states
    _check_live(collector)


def _bad_things(collector: SmallCollector) -> list[tuple[str, bytes]]:
    own, collector.signer = collector.signer, FileSigner(generate())
    forged = collector.receipt()
    collector.signer = own
    return [("receipts", forged), ("receipts", b"noise"), ("config", collector.receipt())]


def _check_live(collector: SmallCollector) -> None:
    """Each live message is one the page takes, and of a tick that was signed."""
    signed = {tick_ns for _, tick_ns in readings(collector.objects)}
    got = [parse_live(data, PLANT, GATEWAY) for data in collector.live]
    assert len(got) >= 10
    assert {message.tick_ns for message in got} <= signed
    assert all(message.values["ac-1.frequency"].value == "50.00" for message in got)
    assert got[-1].spool.receipted_seq > got[0].spool.receipted_seq


async def test_broker_absent_at_start_killed_and_back(
    broker: Broker, wired_plant: Plant, collector: SmallCollector, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with wired_plant.running() as agent:
            await asyncio.sleep(0.5)
            broker.start()
            collector.start(broker.port)
            await until(lambda: len(collector.objects) >= 2)
            await asyncio.to_thread(broker.stop, signal.SIGKILL)
            before = len(collector.objects)
            await asyncio.sleep(0.6)
            broker.start()
            await until(lambda: len(collector.objects) >= before + 2)
            await until(lambda: outstanding(agent) == 0)
    assert mistakes(collector.objects) == []
    gaps = told(collector.objects).gaps  # a busy machine may cost a second, the broker none
    assert {reason for _, reason in gaps} <= {"overrun"}
    assert sum(seconds for seconds, _ in gaps) < 2
    said = [r.getMessage() for r in caplog.records if r.name == "stackproof.edge.delivery"]
    assert [s.partition(" (")[0] for s in said] == ["broker: away", "broker: connected"] * 2
    assert "does not answer" in said[0]


async def test_collector_that_hears_nothing_for_a_while(
    broker: Broker,
    wired_plant: Plant,
    collector: SmallCollector,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The broker acknowledges everything and the collector gets nothing: PUBACK is not custody."""
    monkeypatch.setattr("edge.uplink.machine.STALL_S", 0.2)
    broker.start()
    collector.is_deaf = True
    collector.start(broker.port)
    async with wired_plant.running() as agent:
        await until(lambda: agent._delivery.machine.resends >= 2)
        assert outstanding(agent) == agent._delivery.machine.newest + 1
        collector.is_deaf = False
        await until(lambda: outstanding(agent) == 0)
        await asyncio.sleep(0.5)
    assert wired_plant.kept() == []
    assert mistakes(collector.objects) == []


async def test_collector_that_comes_back_is_sent_at_once_what_it_missed(
    broker: Broker, wired_plant: Plant, collector: SmallCollector
) -> None:
    """It says what it has when it has subscribed; nobody waits for the receipt to stand still."""
    broker.start()
    collector.start(broker.port)
    async with wired_plant.running() as agent:
        await until(lambda: len(collector.objects) >= 2 and outstanding(agent) == 0)
        await asyncio.to_thread(collector.stop)
        await until(lambda: outstanding(agent) >= 3)
        seen, resends = len(collector.states), agent._delivery.machine.resends
        collector.start(broker.port)
        await until(lambda: len(collector.states) > seen)
        collector.say("receipts", collector.receipt())
        before_s = time.monotonic()
        await until(lambda: agent._delivery.machine.resends > resends, 2)
        await until(lambda: outstanding(agent) == 0)
        assert time.monotonic() - before_s < STALL_S - 1
    assert mistakes(collector.objects) == []


async def test_one_altered_object_holds_up_what_is_behind_it_and_alarms(
    wired_plant: Plant, tmp_path: Path, collector: SmallCollector, caplog: pytest.LogCaptureFixture
) -> None:
    """What is before it is delivered; readings go on and wait."""
    await wired_plant.run(1.7)

    def alter(spool: Spool) -> int:
        spool._db.execute("UPDATE objects SET bytes = x'00' WHERE seq = 2")
        return spool.head().next_seq

    before = wired_plant.in_spool(alter)
    assert before >= 4
    broker = Broker("mosquitto", tmp_path / "broker", port=wired_plant.port)
    broker.start()
    collector.start(broker.port)
    try:
        async with wired_plant.running() as agent:
            await until(lambda: agent._delivery.machine.receipted == 1)
            await until(lambda: agent._alarms.names == ("spool-damaged",), 15)
            await until(lambda: agent._delivery.machine.newest > before)
    finally:
        broker.stop()
    assert len(collector.objects) == 2
    assert len([m for m in caplog.messages if "has altered seq 2" in m]) <= 2, "log and alarm"
    assert wired_plant.in_spool(Spool.oldest_seq) == 2


async def test_spool_that_was_set_back_alarms_for_as_long_as_it_stands(
    wired_plant: Plant, tmp_path: Path, collector: SmallCollector, caplog: pytest.LogCaptureFixture
) -> None:
    """A machine restored from an older image: it signs no fork, and says so until somebody acts."""
    broker = Broker("mosquitto", tmp_path / "broker", port=wired_plant.port)
    broker.start()
    collector.start(broker.port)
    image = tmp_path / "image"
    try:
        async with wired_plant.running():
            await until(lambda: len(collector.objects) >= 2)
        shutil.copytree(wired_plant.spool_path.parent, image)
        async with wired_plant.running():
            await until(lambda: len(collector.objects) >= 6)
        shutil.rmtree(wired_plant.spool_path.parent)
        shutil.copytree(image, wired_plant.spool_path.parent)
        held, before = len(collector.objects), wired_plant.in_spool(Spool.head)
        second = hashlib.sha256(collector.objects[1]).digest()
        collector.ask_close(collector.close_request(seq=1, head=second))  # retained, as any
        async with wired_plant.running() as agent:
            await until(lambda: "fork" in agent._alarms.names)
            await until(lambda: wired_plant.waiting() >= 2)
            assert "key-away" not in agent._alarms.names
            assert len(collector.objects) == held
    finally:
        broker.stop()
    await wired_plant.run(0.8)  # without a way to the collector it knows it still
    assert collector.forks == 0
    assert wired_plant.in_spool(Spool.head) == before, "nothing was signed twice for one place"
    assert wired_plant.in_spool(Spool.usage).unsigned >= 3, "readings go on, and are kept"
    kept = wired_plant.in_spool(lambda spool: spool.get(State.TROUBLE))
    assert decode_troubles(kept)["fork"].until_seq == held - 1
    assert len([m for m in caplog.messages if "put it back" in m]) <= 3, "log, and alarm twice"


async def test_stop_without_a_broker_is_prompt_and_leaves_nothing(wired_plant: Plant) -> None:
    tasks, threads = asyncio.all_tasks(), threading.active_count()
    async with wired_plant.running():
        await asyncio.sleep(0.3)
        stopping_s = time.monotonic()
    assert time.monotonic() - stopping_s < 3
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks
    # one thread of the loop's own pool may stay, as it is the loop's
    assert threading.active_count() <= threads + 1
    assert mistakes(wired_plant.kept()) == []


async def test_event_loop_goes_on_while_the_transport_is_stopped(wired_plant: Plant) -> None:
    """The network thread sits in its own wait; the devices must be let go of meanwhile."""
    longest_s = 0.0

    async def watch() -> None:
        nonlocal longest_s
        while True:
            started_s = time.monotonic()
            await asyncio.sleep(0.01)
            longest_s = max(longest_s, time.monotonic() - started_s)

    async with wired_plant.running():
        await asyncio.sleep(0.3)
        watching = asyncio.create_task(watch())
    watching.cancel()
    assert longest_s < 0.4


async def test_backlog_of_an_outage_drains_in_order(
    wired_plant: Plant, tmp_path: Path, collector: SmallCollector
) -> None:
    """More than two windows of objects, signed while there was no broker."""
    now_ns = time.time_ns()

    def fill(spool: Spool) -> None:
        stream = Stream(spool, who())
        stream.append_config(config_of(wired_plant.site), now_ns)
        body = Body(now_ns, Clock("free", None, 1, bytes(16)))
        for _ in range(2 * WINDOW + 50):
            stream.append_frame(body, b"", now_ns)

    wired_plant.in_spool(fill)
    broker = Broker("mosquitto", tmp_path / "broker", port=wired_plant.port)
    broker.start()
    collector.start(broker.port)
    try:
        started_s = time.monotonic()
        async with wired_plant.running() as agent:
            await until(lambda: len(collector.objects) > 2 * WINDOW + 50)
            took_s = time.monotonic() - started_s
            await until(lambda: outstanding(agent) < 3)
    finally:
        broker.stop()
    assert mistakes(collector.objects) == []
    assert took_s < (2 * WINDOW + 50) / 50, "slower than 50 objects a second"
