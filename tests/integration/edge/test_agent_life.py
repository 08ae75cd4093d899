"""Starts, stops and neighbours of an agent: nothing of it stays behind, nothing holds it up."""

import asyncio
import threading
import time
from typing import Any

import pytest

from edge.errors import SpoolError, SpoolGoneError
from edge.spool import Spool
from edge.spool_reader import State
from edge.trouble import decode_reach
from evidence import cbor
from evidence.merkle import Tree
from tests.integration.edge.conftest import Plant
from tests.integration.edge.deaf_broker import DeafBroker
from tests.integration.edge.small_collector import SmallCollector
from tests.integration.edge.streams import frames, mistakes, readings, told
from tests.integration.edge.test_agent_ticks import away, dies
from tests.unit.edge.sites import replaced
from tests.waiting import ENOUGH_S


async def test_second_agent_on_the_same_spool_is_refused(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.spool.LOCKED_S", 0.05)
    async with plant.running():
        with pytest.raises(SpoolError, match="another agent runs on it"):
            await plant.agent().run(asyncio.Event())
        await asyncio.sleep(0.3)
    assert mistakes(plant.kept()) == []
    assert told(plant.kept()).gaps == []


async def test_renamed_gateway_does_not_continue_the_old_one_s_stream(plant: Plant) -> None:
    await plant.run(0.25)
    before = plant.kept()
    text = plant.text
    plant.text = replaced(text, {'id = "edge-1"': 'id = "edge-2"'})
    with pytest.raises(SpoolError, match="give every gateway a state_dir of its own"):
        await plant.agent().run(asyncio.Event())
    assert plant.kept() == before
    plant.text = text
    await plant.run(0.25)
    assert mistakes(plant.kept()) == []


async def test_failure_while_starting_leaves_nothing_behind(plant: Plant) -> None:
    tasks, threads = asyncio.all_tasks(), set(threading.enumerate())

    def ready() -> None:
        raise LookupError("whoever waits for it is gone")

    with pytest.raises(LookupError):
        await plant.agent().run(asyncio.Event(), ready)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks
    left = {t.name for t in threading.enumerate() if t not in threads}
    assert not [name for name in left if name.startswith("spool")]
    assert not any(device.is_open for device in plant.devices.values())
    plant.in_spool(Spool.head)  # the lock is given back


async def test_stop_before_the_first_tick(plant: Plant) -> None:
    stop = asyncio.Event()
    stop.set()
    await plant.agent().run(stop)
    objects = plant.kept()
    assert mistakes(objects) == []
    assert readings(objects) == {}
    assert told(objects).events == ["start", "stopped"]


async def test_frame_is_closed_on_request(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.pipeline.FRAME_NS_MAX", 10**10)
    async with plant.running() as agent:
        await asyncio.sleep(0.25)
        agent.close_frame_soon()
        await asyncio.sleep(0.3)
        assert agent._delivery.machine.newest >= 1
        closed = agent._delivery.machine.newest
        await asyncio.sleep(0.5)
        more = agent._delivery.machine.newest - closed
        assert more <= 2, "once, not at each of five ticks; a missed tick ends one too"
    assert mistakes(plant.kept()) == []
    assert next(body.sections[0].ticks for _, body in frames(plant.kept())) >= 1


async def test_new_program_that_does_not_know_the_old_rule_set(plant: Plant) -> None:
    """The open ticks keep the computed points they were committed with."""
    async with plant.running() as agent:
        dies(agent)
        await asyncio.sleep(0.35)

    def unknown(spool: Spool) -> None:
        config = cbor.decode(spool.get("config") or b"")
        config["plant"]["rule_set"] = "cets-98-that-nobody-knows-any-more"
        calc = cbor.encode({"made": "by another version"})
        spool.put({"config": cbor.encode(config), "calc": calc})

    plant.in_spool(unknown)
    plant.text = replaced(plant.text, {'ct_ratio = "800/5"': 'ct_ratio = "400/5"'})
    await away()
    await plant.run(0.25)
    objects = plant.kept()
    assert mistakes(objects) == []
    assert told(objects).events == ["start", "restart", "start", "stopped"]


async def test_device_of_a_slow_connection_holds_up_nothing_but_the_first_moment(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.agent.FIRST_CONNECT_S", 0.2)
    plant.devices["gas-1"].connect_s = 60
    started = asyncio.get_running_loop().time()
    async with plant.running():
        assert asyncio.get_running_loop().time() - started < 30
        await asyncio.sleep(0.4)
    assert len(readings(plant.kept())) >= 3
    assert told(plant.kept()).gaps == []


async def test_broker_that_never_acknowledges_cannot_fill_the_memory(
    wired_plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes everything and answers nothing: the library may hold so many objects, no more."""
    monkeypatch.setattr("edge.pipeline.FRAME_NS_MAX", 1)  # a frame a tick
    monkeypatch.setattr("edge.uplink.mqtt.UNACKNOWLEDGED_MAX", 4)
    monkeypatch.setattr("edge.uplink.machine.STALL_S", 0.3)
    monkeypatch.setattr("edge.uplink.machine.STALL_S_MAX", 0.6)
    monkeypatch.setattr("edge.delivery.LAST_RECEIPT_S", 0.1)
    async with DeafBroker(wired_plant.port) as broker, wired_plant.running() as agent:
        await asyncio.sleep(2)
        machine, client = agent._delivery.machine, agent._delivery._uplink._client
        assert machine.online
        assert machine.resends >= 2
        assert machine.outstanding >= 10
        assert len(client._out_messages) <= 4
        assert broker.published >= 4
        assert agent._alarms.names == ("no-receipts",)
    assert mistakes(wired_plant.kept()) == []
    assert told(wired_plant.kept()).events == ["start", "no-receipts", "stopped"]


async def test_spool_that_is_deleted_under_the_agent_ends_it(plant: Plant) -> None:
    """Every reading from there on would go into a file that nobody can reach."""
    async with plant.running():
        await asyncio.sleep(0.3)
    stop = asyncio.Event()
    agent, ready = plant.agent(), asyncio.Event()
    running = asyncio.create_task(agent.run(stop, ready.set))
    await ready.wait()
    for file in plant.spool_path.parent.glob("spool.sqlite*"):
        file.unlink()
    with pytest.raises(SpoolGoneError, match="lost unless the file comes back"):
        await asyncio.wait_for(running, ENOUGH_S)


async def test_nonsense_from_the_broker_does_not_fill_the_log(
    plant: Plant, collector: SmallCollector, caplog: pytest.LogCaptureFixture
) -> None:
    """Garbage by turns with an old receipt: the rate is the sender's, what is said is not."""
    async with plant.running() as agent:
        await asyncio.sleep(0.2)
        assert [collector.take(s.data) for s in plant.beside()[:1]] == [True]
        old = collector.receipt()
        for number in range(60):
            agent._delivery._on_message("x/receipts", old if number % 2 else b"noise")
            await asyncio.sleep(0.01)
        assert agent._delivery.refused >= 10
        assert agent._delivery.machine.receipted == 0
        condition = await agent._disk.run(agent._stream.condition)
    said = [r for r in caplog.records if r.name == "stackproof.edge.delivery"]
    assert len([r for r in said if "refused" in r.getMessage()]) == 1
    assert set(condition.troubles) <= {"messages-refused"}


async def test_second_client_of_the_same_name_is_suspected(
    plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    async with plant.running() as agent:
        agent._delivery._on_connected()
        caplog.clear()
        for _ in range(20):
            agent._delivery._on_connected()
            agent._delivery._on_disconnected("Unspecified error")
    said = [m for m in caplog.messages if m.startswith("broker: ")]
    assert len([m for m in said if m.startswith("broker: away")]) == 3
    (hint,) = [m for m in said if "a second client that calls itself edge-north-works/edge-1" in m]
    assert said.index(hint) == len(said) - 1 or said[-1] == "broker: connected"
    assert len(said) <= 8


async def test_broker_that_refuses_the_agent_is_said_with_its_reason_and_tried_at_a_pace(
    wired_plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    began_s = time.monotonic()
    async with DeafBroker(wired_plant.port, connack=5) as broker, wired_plant.running() as agent:
        await asyncio.sleep(0.8)
        tries, took_s = broker.connected, time.monotonic() - began_s
        kept = await agent._disk.run(agent._stream.spool.get, State.BROKER)
    assert tries <= 1 + took_s / 0.2, "RECONNECT_S_MIN"
    reach = decode_reach(kept)
    assert reach is not None
    assert reach.reason.startswith("broker refused the connection: Not authorized. stackproof edge")
    assert told(wired_plant.kept()).gaps == []
    away = [r for r in caplog.messages if r.startswith("broker: away")]
    assert len(away) == 1
    assert "broker refused the connection: Not authorized" in away[0]
    assert mistakes(wired_plant.kept()) == []


async def test_broker_that_refuses_the_receipts_topic_is_said(
    wired_plant: Plant, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.delivery.LAST_RECEIPT_S", 0.1)
    monkeypatch.setattr("edge.uplink.mqtt.RESUBSCRIBE_S", 0.1)
    async with (
        DeafBroker(wired_plant.port, suback=0x80) as broker, wired_plant.running() as agent,
    ):  # fmt: skip
        await asyncio.sleep(0.8)
        assert agent._delivery.machine.online, "objects are delivered all the same"
        assert broker.subscribed > 2, "it asks again"
        broker.suback = 1
        asked = broker.subscribed
        await asyncio.sleep(0.5)
        assert broker.subscribed <= asked + 2, "and no more once it is granted"
    assert caplog.text.count("nothing can be freed") == broker.connected == 1
    assert mistakes(wired_plant.kept()) == []


async def test_receipt_that_the_disk_refuses_is_taken_the_next_time(
    plant: Plant,
    collector: SmallCollector,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*_: object) -> int:
        raise SpoolError("spool.sqlite: cannot be written: disk I/O error")

    async with plant.running() as agent:
        await asyncio.sleep(0.6)
        for stored in await agent._disk.run(agent._stream.spool.objects, 0, 100):
            collector.take(stored.data)
        with monkeypatch.context() as patch:
            patch.setattr(Spool, "release", refuse)
            agent._delivery._on_message("x/receipts", collector.receipt())
            await asyncio.sleep(0.1)
        (said,) = [r for r in caplog.records if "delivery failed" in r.getMessage()]
        assert not said.exc_info, "a disk that refuses is no defect: no traceback"
        assert agent._delivery.machine.receipted == -1
        agent._delivery._on_message("x/receipts", collector.receipt())
        await asyncio.sleep(0.1)
        assert agent._delivery.machine.receipted == len(collector.objects) - 1
    assert mistakes([*collector.objects, *plant.kept()]) == []


async def test_two_logs_are_signed_into_the_stream_and_readings_go_on(
    plant: Plant, collector: SmallCollector, caplog: pytest.LogCaptureFixture
) -> None:
    async with plant.running() as agent:
        await asyncio.sleep(0.6)
        for stored in await agent._disk.run(agent._stream.spool.objects, 0, 100):
            collector.take(stored.data)
        agent._delivery._on_message("x/receipts", collector.receipt())
        await asyncio.sleep(0.7)  # objects that name this log
        for stored in plant.beside():
            collector.take(stored.data)
        honest, seen = collector.log, collector.log.size
        collector.log = Tree()
        for _ in range(seen):
            collector.log.append(bytes(32))
        agent._delivery._on_message("x/receipts", collector.receipt())
        await asyncio.sleep(0.3)
        assert "log-inconsistent" in agent._alarms.names
        assert plant.beside(), "nothing was freed"
        collector.log = honest
        await asyncio.sleep(0.7)
    events = [e for _, body in frames(plant.kept()) for e in body.events]
    (told_of,) = [e for e in events if e["kind"] == "log-inconsistent"]
    assert told_of["log"][0] == seen
    assert told_of["log"][1] != told_of["anchor"][1]
    assert "the collector shows two logs" in caplog.text
    assert "alarm: the collector has shown two histories" in caplog.text
    assert told(plant.kept()).gaps == [], "readings go on"


async def test_clock_step_while_the_disk_refuses(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    works, refusing = Spool.append, False

    def append(*args: Any, **kwargs: Any) -> None:
        if refusing:
            raise SpoolError("spool.sqlite: cannot be written: disk I/O error")
        works(*args, **kwargs)

    monkeypatch.setattr(Spool, "append", append)
    async with plant.running() as agent:
        for _ in range(200):
            await asyncio.sleep(0.05)
            if agent._recorder.last_ns:
                break
        refusing = True
        plant.clock.offset_ns += 600 * 10**9
        await asyncio.sleep(0.15)
        refusing = False
        await asyncio.sleep(0.3)
    objects = plant.kept()
    assert mistakes(objects) == []
    assert told(objects).events == ["start", "clock-step", "clock-doubt", "stopped"]
    assert len(told(objects).gaps) == 1
