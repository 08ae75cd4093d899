"""Who hangs up on whom: a broker on what it does not allow, as RabbitMQ does, and we on a flood."""

import asyncio
import time

import pytest

from edge.route import Route
from edge.spool_reader import State
from edge.trouble import decode_troubles
from edge.uplink.mqtt import MqttUplink
from edge.uplink.topics import Topics
from tests.integration.edge.conftest import Plant
from tests.integration.edge.deaf_broker import DeafBroker
from tests.ports import free_port


async def test_it_is_named_and_not_called_again_and_again(
    wired_plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.uplink.machine.STALL_S", 0.2)
    monkeypatch.setattr("edge.uplink.machine.STALL_S_MAX", 1.0)
    monkeypatch.setattr("edge.delivery.FIRST_RECEIPT_S", 0.1)
    monkeypatch.setattr("edge.delivery.LAST_RECEIPT_S", 0.1)
    async with DeafBroker(wired_plant.port, cuts=True) as broker, wired_plant.running() as agent:
        async with asyncio.timeout(30):
            while "no-receipts" not in agent._alarms.names:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.02)
        before, at_s = broker.connected, time.monotonic()
        await asyncio.sleep(1.3)
        most = (time.monotonic() - at_s) / 1.0 + 1
        assert broker.connected - before <= most, "once in STALL_S_MAX, and not every 0.2 s"
    kept = wired_plant.in_spool(lambda spool: spool.get(State.TROUBLE))
    said = decode_troubles(kept)["no-receipts"].sentence
    assert "connections in a row after objects were sent on stackproof/v1/00/north-works" in said


async def test_what_was_under_way_when_it_hung_up_is_not_sent_beside_the_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The library sent all of it once more by itself, four more with each connection."""
    monkeypatch.setattr("edge.uplink.mqtt.RECONNECT_S_MIN", 0.05)
    connected, lost = asyncio.Semaphore(0), list[str]()
    async with DeafBroker(free_port()) as broker, asyncio.timeout(20):
        uplink = MqttUplink(
            Route.of(f"mqtt://127.0.0.1:{broker.port}"), Topics.of("00", "p", "g"), "p-g",
            on_connected=connected.release, on_disconnected=lost.append,
            on_message=lambda *_: None,
        )  # fmt: skip
        uplink.start()
        try:
            for times in range(1, 4):
                await connected.acquire()
                assert uplink.send_object(b"the newest")  # behind whatever the library sends
                while broker.published < times:  # noqa: ASYNC110 - it has no event
                    await asyncio.sleep(0.01)
                uplink.reconnect()
            assert broker.published == 3
            said = "hung up here, to connect anew with what TLS shows now"
            assert set(lost) == {said}, "no error that nobody can do anything about"
        finally:
            await asyncio.to_thread(uplink.stop)


async def test_a_packet_that_would_fill_the_memory_is_not_taken() -> None:
    """As it would be kept for whoever subscribes: 96 MiB, three times so much in memory."""
    lost = asyncio.Queue[str]()
    async with DeafBroker(free_port(), floods=96 * 2**20) as broker, asyncio.timeout(20):
        uplink = MqttUplink(
            Route.of(f"mqtt://127.0.0.1:{broker.port}"), Topics.of("00", "p", "g"), "p-g",
            on_connected=lambda: None, on_disconnected=lost.put_nowait,
            on_message=lambda *_: None,
        )  # fmt: skip
        uplink.start()
        try:
            for _ in range(2):  # and it tries again, as after any other loss
                said = await lost.get()
                assert f"127.0.0.1:{broker.port} sends a packet of {96 * 2**20} bytes" in said
            assert broker.flooded < 16 * 2**20, "what the system's buffers took"
        finally:
            await asyncio.to_thread(uplink.stop)


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (b"\x34\x06\x00\x01t\x00\x01x", "sends at QoS 2, which nobody here has asked for"),
        (b"\x20\x02\x00\x00", "says again that the connection stands"),
        (b"\x30\x01\x00", "a packet 0x30 that cannot be read: Malformed"),
        (b"\x90\x03\x00\x01\x55", "a packet 0x90 that cannot be read: Malformed"),
    ],
)
async def test_a_packet_that_no_broker_sends_ends_the_connection_and_not_the_thread(
    monkeypatch: pytest.MonkeyPatch, says: bytes, why: str
) -> None:
    """Tried: 4 GB in 5 s, readings that were never signed, and an agent that never came again."""
    monkeypatch.setattr("edge.uplink.mqtt.RECONNECT_S_MIN", 0.05)
    lost = asyncio.Queue[str]()
    async with DeafBroker(free_port(), says=says) as broker, asyncio.timeout(60):
        uplink = MqttUplink(
            Route.of(f"mqtt://127.0.0.1:{broker.port}"), Topics.of("00", "p", "g"), "p-g",
            on_connected=lambda: None, on_disconnected=lost.put_nowait,
            on_message=lambda *_: None,
        )  # fmt: skip
        uplink.start()
        try:
            for _ in range(2):
                assert why in await lost.get()
        finally:
            await asyncio.to_thread(uplink.stop)


async def test_what_comes_on_other_topics_is_not_kept_until_it_is_looked_at() -> None:
    """Each would wait for the spool's thread, 2 MiB of it; of ours only the newest does."""
    told = asyncio.Queue[str]()
    ours = b"stackproof/v1/00/p/g/receipts"
    says = (
        b"\x30\x04\x00\x01tx"
        + b"\x30\x05\x00\x02\xff\xfex"
        + bytes([0x30, 3 + len(ours), 0, len(ours)])
        + ours
        + b"y"
    )
    async with DeafBroker(free_port(), says=says) as broker, asyncio.timeout(60):
        uplink = MqttUplink(
            Route.of(f"mqtt://127.0.0.1:{broker.port}"), Topics.of("00", "p", "g"), "p-g",
            on_connected=lambda: None, on_disconnected=lambda _: None,
            on_message=lambda topic, *_: told.put_nowait(topic),
        )  # fmt: skip
        uplink.start()
        try:
            assert await told.get() == ours.decode()
        finally:
            await asyncio.to_thread(uplink.stop)
