"""A lane: in order, held behind a hole, forgotten by receipt, and shown to the collector."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from edge.disk import Disk
from edge.errors import SpoolError
from edge.relay import lane as module
from edge.relay.config import RelayConfig, RelayStream
from edge.relay.lane import Lane
from edge.relay.outer import Outer, read_outer
from edge.relay.queue import Queue
from edge.route import Route
from edge.trouble import Reach
from evidence.keys import FileSigner, generate
from tests.unit.edge.fakes import ShiftedClock
from tests.unit.edge.sites import GATEWAY, PLANT, keys
from tests.unit.edge.stream_rig import Rig, collector, opened
from tests.waiting import until


class Uplink:
    """A broker that takes everything; what the lane handed over, in order."""

    def __init__(
        self, route: Route, topics: Any, client_id: str, **callbacks: Callable[..., None]
    ) -> None:
        self.sent: list[bytes] = []
        self.paces: list[float] = []
        self.topics, self.client_id, self.callbacks = topics, client_id, callbacks

    def start(self) -> None: ...

    def stop(self) -> None: ...

    async def room(self) -> None: ...

    def pace(self, seconds: float) -> None:
        self.paces.append(seconds)

    def send_object(self, data: bytes) -> bool:
        self.sent.append(data)
        return True

    def say(self, receipt: bytes, leaf: str = "receipts") -> None:
        self.callbacks["on_message"](f"{self.topics.base}/{leaf}", receipt, False)


class Played:
    """A stream of eight objects, its collector, and a lane on a queue."""

    def __init__(self, folder: Path) -> None:
        spool, stream = opened(folder / "spool.sqlite")
        self.rig = Rig(spool, stream, collector())
        self.rig.made(8)
        self.objects = [stored.data for stored in spool.objects(0, 9)]
        spool.close()
        ours = RelayStream(PLANT, GATEWAY, "07", keys().collector_key)
        self.queue = Queue(folder / "queue.sqlite", bytes_max=2**24)
        config = RelayConfig(folder, folder, 2**24, folder, None, "mqtt://h", None, [ours])
        self.lane = Lane(ours, self.queue, config, ShiftedClock(), _Here())
        self.uplink: Any = self.lane._uplink

    def outers(self, *seqs: int) -> list[Outer]:
        return [read_outer(self.objects[seq]) for seq in seqs]

    async def sent(self) -> list[int]:
        """Seqs that were handed over since the last question."""
        for _ in range(20):
            await asyncio.sleep(0)
        seqs = [self.objects.index(data) for data in self.uplink.sent]
        self.uplink.sent.clear()
        return seqs

    def receipt(self, seq: int, **changes: Any) -> bytes:
        said = collector(**changes)
        for data in self.objects[: seq + 1]:
            assert said.take(data)
        return said.receipt()


class _Here(Disk):
    """Work at once: the queue is this thread's."""

    async def run(self, work: Any, *args: Any, **kwargs: Any) -> Any:
        return work(*args, **kwargs)


@pytest.fixture
async def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Played]:
    monkeypatch.setattr(module, "MqttUplink", Uplink)
    made = Played(tmp_path)
    await made.lane.keep(made.outers(0, 1))
    await made.lane.start()
    yield made
    await made.lane.stop()
    made.queue.close()


async def test_in_order_up_to_a_hole_and_on_when_it_is_filled(played: Played) -> None:
    lane, uplink = played.lane, played.uplink
    assert await played.sent() == [], "no broker yet"
    uplink.callbacks["on_connected"]()
    assert await played.sent() == [0, 1]
    await lane.keep(played.outers(4, 3, 7))
    assert await played.sent() == []
    await lane._show_hole()
    assert await played.sent() == [3, 4, 7], "the nearest, and the ends of what is behind it"
    await lane.keep(played.outers(2, 2, 0))
    assert await played.sent() == [2, 3, 4]
    uplink.say(played.receipt(3))
    assert (await played.sent(), played.queue.count()) == ([], 2)
    uplink.say(played.receipt(6))  # 5 and 6 were imported at the collector
    assert await played.sent() == [7]
    assert lane.machine.newest == 7
    uplink.say(played.receipt(7))
    assert (await played.sent(), played.queue.count(), lane.refused) == ([], 0, 0)


async def test_only_the_pinned_collector_makes_it_forget(
    played: Played, caplog: pytest.LogCaptureFixture
) -> None:
    played.uplink.callbacks["on_connected"]()
    await played.sent()
    for noise in (b"noise", played.receipt(1, signer=FileSigner(generate()))):
        played.uplink.say(noise)
        await played.sent()
    played.uplink.say(played.receipt(1), leaf="config")
    played.uplink.say(b"")
    await played.sent()
    assert (played.queue.count(), played.lane.refused) == (2, 2)
    played.queue._db.execute("UPDATE objects SET sha256 = zeroblob(32) WHERE seq = 1")
    played.uplink.say(played.receipt(1))
    await played.sent()
    assert played.queue.count() == 0
    assert "the collector holds another object at seq 1 than came here" in caplog.text


async def test_a_collector_that_was_set_back_gets_again_what_is_exported_again(
    played: Played, caplog: pytest.LogCaptureFixture
) -> None:
    lane, uplink = played.lane, played.uplink
    uplink.callbacks["on_connected"]()
    await lane.keep(played.outers(2, 3, 4, 5))
    uplink.say(played.receipt(4))
    assert await played.sent() == [0, 1, 2, 3, 4, 5]
    uplink.say(played.receipt(1))
    await played.sent()
    assert "the collector holds seq 1, and held 4" in caplog.text
    assert [(hole.first, hole.last) for hole in played.queue.holes()] == [(2, 4)]
    kept = await lane.keep(played.outers(0, 1, 2, 3, 4))
    assert (kept.known, kept.new) == (2, [2, 3, 4])
    assert await played.sent() == [2, 3, 4, 5]
    uplink.say(played.receipt(5))
    await played.sent()
    assert (played.queue.count(), lane.machine.receipted) == (0, 5)


async def test_a_receipt_for_the_last_seq_there_is_ends_nothing(played: Played) -> None:
    """SQLite's integers end there; only a damaged collector signs it, and is believed."""
    lane, uplink = played.lane, played.uplink
    uplink.callbacks["on_connected"]()
    uplink.say(played.rig.collector.receipt(seq=2**63 - 1))
    await played.sent()
    assert (lane.machine.receipted, played.queue.count()) == (2**63 - 1, 0)
    await lane.start()  # as after a restart
    uplink.say(played.receipt(0))
    await played.sent()
    await lane.keep(played.outers(1))
    assert (lane.machine.receipted, await played.sent()) == (0, [1])


async def test_what_a_person_had_forgotten_is_neither_sent_nor_waited_for(played: Played) -> None:
    """Beside the running relay: else it would say for ever that no receipt comes."""
    lane, uplink = played.lane, played.uplink
    uplink.callbacks["on_connected"]()
    uplink.say(played.receipt(1))
    await played.sent()
    await lane.keep(played.outers(2, 3, 4))
    assert await played.sent() == [2, 3, 4]
    played.queue.forget(3, 4)
    lane.machine._stall_s = 60.0  # it went back again and again
    await lane._look_again()
    assert (lane.is_unanswered, lane.machine.newest, await played.sent()) == (True, 2, [2])
    played.queue.forget(2, 2)
    await lane._look_again()
    assert (lane.is_unanswered, lane.machine.outstanding) == (False, 0)
    await lane.keep(played.outers(2, 3))
    assert await played.sent() == [2, 3], "what the gateway made comes as ever"


async def test_a_disk_that_fails_once_does_not_end_the_watch(
    played: Played, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing would ever be sent again after it."""
    monkeypatch.setattr(module, "TICK_S", 0.01)
    monkeypatch.setattr(module, "WITNESS_S", 0.0)
    looked: list[int] = []

    def beyond(_: int) -> None:
        looked.append(1)
        raise SpoolError("a disk that fails")

    monkeypatch.setattr(played.queue, "beyond", beyond)
    played.uplink.callbacks["on_connected"]()
    await until(lambda: len(looked) > 2)
    assert "a disk that fails" in caplog.text


async def test_a_file_that_comes_before_the_lower_receipt_is_forwarded_after_it(
    played: Played,
) -> None:
    lane, uplink, queue = played.lane, played.uplink, played.queue
    uplink.callbacks["on_connected"]()
    await lane.keep(played.outers(2, 3, 4, 6))
    uplink.say(played.receipt(4))
    await played.sent()
    again = await lane.keep(played.outers(2, 3, 4), also_receipted=True)
    assert (again.known, again.new, queue.count()) == (3, [], 4)
    assert [(hole.first, hole.last) for hole in queue.holes()] == [(5, 5)], (
        "nothing else is missing"
    )
    assert await played.sent() == [], "not sent twice to a collector that has it"
    uplink.say(played.receipt(1))  # only now it is known why they came
    assert await played.sent() == [2, 3, 4]
    uplink.say(played.receipt(4))
    await played.sent()
    await lane.keep(played.outers(2, 3), also_receipted=True)
    assert queue.count() == 3
    uplink.say(played.receipt(4))  # it was no set-back: a ferry that brought a file twice
    await played.sent()
    assert queue.count() == 1


async def test_what_is_sent_again_and_again_without_a_receipt_is_unanswered(
    played: Played,
) -> None:
    """A forged object at the missing seq looks like the true one until the collector says no."""
    lane, uplink = played.lane, played.uplink
    now_s = 0.0
    lane._sending._clock.monotonic_ns = lambda: int(now_s * 1e9)
    uplink.callbacks["on_connected"]()
    await lane.keep(played.outers(2, 3))
    uplink.say(played.receipt(1))
    await played.sent()
    found = []
    for now_s in (13, 37, 55, 157):  # 5, 10, 20 and 40 s, a fifth longer at most
        lane._send_all(lane.machine.tick(now_s))
        assert await played.sent() == ([] if now_s == 55 else [2, 3])
        found.append(lane.is_unanswered)
    assert found == [False, False, False, True]
    uplink.callbacks["on_disconnected"]("it hangs up")
    assert not lane.is_unanswered, "nothing is sent"
    uplink.callbacks["on_connected"]()
    assert lane.is_unanswered
    uplink.say(played.receipt(0))  # the collector was set back: nothing that it needs is here
    await played.sent()
    assert not lane.is_unanswered
    await lane.keep(played.outers(1))
    assert lane.is_unanswered
    uplink.say(played.receipt(2))
    await played.sent()
    assert not lane.is_unanswered


async def test_its_broker_is_away_since_the_first_try_that_failed(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane, callbacks = played.lane, played.uplink.callbacks
    found = [lane.reach]
    for minute, reason in enumerate(("hangs up", "refuses", "", "", "hangs up")):
        monkeypatch.setattr(lane._clock, "wall_ns", lambda minute=minute: minute)
        if reason:
            callbacks["on_disconnected"](reason)
        else:
            callbacks["on_connected"]()
        found.append(lane.reach)
    since = ((0, "hangs up"), (0, "refuses"), (2, ""), (2, ""), (4, "hangs up"))
    assert found == [None, *(Reach(*one) for one in since)]


async def test_a_broker_that_hangs_up_on_what_is_sent_is_not_called_each_second(
    played: Played,
) -> None:
    """It does not let this relay publish there, and ends the connection each time."""
    uplink = played.uplink
    for _ in range(5):
        uplink.callbacks["on_connected"]()
        await played.sent()
        uplink.callbacks["on_disconnected"]("hangs up")
    uplink.callbacks["on_connected"]()
    uplink.say(played.receipt(1))
    await played.sent()
    assert uplink.paces == [0, 0, 0, 40, 60, 60, 0], "as an agent's: 5 s doubled by each in vain"


async def test_a_broker_that_acknowledges_nothing_for_days_fills_no_memory(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Holes are shown twice a minute, and each would wait for room on the link."""
    lane, uplink = played.lane, played.uplink
    monkeypatch.setattr("edge.uplink.sending.WAIT_MAX", 50)
    takes = asyncio.Event()
    uplink.room = takes.wait
    uplink.callbacks["on_connected"]()
    await lane.keep(played.outers(3, 5, 7))
    for _ in range(100):
        await lane._show_hole()
        assert await played.sent() == []
    assert len(lane._sending._tasks) <= 50
    takes.set()
    assert (await played.sent())[:2] == [0, 1]


async def test_an_outage_is_said_once_and_its_end_too(
    played: Played, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A hundred streams that are away for ten days would say it a million times."""
    callbacks = played.uplink.callbacks

    def is_away(minute: int, reason: str) -> None:
        monkeypatch.setattr(played.lane._clock, "monotonic_ns", lambda: minute * 60 * 10**9)
        callbacks["on_disconnected"](reason)

    for minute in range(1, 60):
        is_away(minute, "hangs up")
    callbacks["on_connected"]()
    callbacks["on_connected"]()
    for _ in range(3):
        is_away(59, "refuses")
        callbacks["on_connected"]()
    for minute in (59, 60, 61):  # at 59 within the minute: said later, and not for ever unsaid
        is_away(minute, "is gone")
    said = [text.removeprefix(f"{PLANT}/{GATEWAY}: ") for text in caplog.messages]
    assert said == [
        "broker away (hangs up); objects are kept",
        "broker: connected",
        "broker away (refuses); objects are kept",
        "broker: connected",
        "broker away (is gone); objects are kept",
    ]


def test_it_does_not_speak_for_the_gateway(played: Played) -> None:
    topics = played.uplink.topics
    assert topics.frames == f"stackproof/v1/07/{PLANT}/{GATEWAY}/frames"
    assert topics.state == f"stackproof/v1/07/{PLANT}/{GATEWAY}/relay"
    assert played.uplink.client_id == f"relay-{PLANT}/{GATEWAY}", "no id has a / in it"
