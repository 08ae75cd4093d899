"""Who sends without end, and what becomes of the others."""

import threading

import pytest

from cloud.collector import floods
from cloud.collector.inbox import Message
from cloud.collector.topics import Sender
from tests.unit.cloud.collector.running import SENDER, Running
from tests.unit.cloud.evidence_examples import ExamplePlant, Gateway, make_plant
from tests.waiting import ENOUGH_S


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> ExamplePlant:
    """With one gateway only."""
    return make_plant(tmp_path_factory.mktemp("keys"))


async def drop_two(running: Running, data: bytes) -> None:
    """While the collector is busy edge-1 sends two objects more than its share."""
    await running.until(lambda: not running.inbox.is_filled)
    busy = threading.Event()
    waiting = running.collector.submit(lambda: busy.wait(ENOUGH_S))
    await running.until(waiting.running)
    before = running.collector.status()[0]["refused"].get("flood", 0)
    for _ in range(514):
        running.inbox.put(Message(SENDER, data))
    running.inbox.put(Message(Sender("mini", "nobody"), b"x"))
    busy.set()
    after = before + 2
    await running.until(lambda: running.collector.status()[0]["refused"].get("flood") == after)


async def test_who_floods_is_told_for_as_long_as_it_does(
    running: Running, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at the first look: while a disk hangs an agent sends its window again and again."""
    monkeypatch.setattr(floods, "LOOKS", 2)
    data = gateway.config()
    await drop_two(running, data)
    assert running.collector.status()[0]["alarms"] == []
    await drop_two(running, data)
    (alarm,) = running.collector.status()[0]["alarms"]
    assert (alarm["gateway"], alarm["reason"]) == ("edge-1", "flood")
    assert "512 of its objects or 64 MiB wait already" in alarm["sentence"]
    await running.until(lambda: running.receipted()[:1] == [0])
    monkeypatch.setattr(floods, "OVER_S", 0.0)
    running.send(data)
    await running.until(lambda: not running.collector.status()[0]["alarms"])
