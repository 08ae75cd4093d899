"""The transport's answers to what paho reports, without a broker."""

import asyncio
import socket
import ssl
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from cloud.collector import mqtt
from cloud.collector.chunked import Chunked
from cloud.collector.inbox import Inbox, Message
from cloud.collector.mqtt import MqttLink
from cloud.collector.shares import Shares
from cloud.collector.topics import Sender
from tests.ports import gone_round, two_addresses
from tests.waiting import until


@dataclass
class Page:
    """Remembers what it was told."""

    live: list[tuple[str, str, bytes]] = field(default_factory=list)
    states: list[bool] = field(default_factory=list)

    def on_live(self, plant: str, gateway: str, payload: bytes) -> None:
        self.live.append((plant, gateway, payload))

    def on_state(self, plant: str, gateway: str, online: bool, order: object = None) -> None:
        self.states.append(online)


class Client:
    """Stands for ours: remembers subscriptions."""

    why = ""

    def __init__(self) -> None:
        self.subscribed: list[list[tuple[str, int]]] = []
        self.up = True
        self.published: list[tuple[str, bytes, int, bool]] = []

    def subscribe(self, filters: list[tuple[str, int]]) -> tuple[int, int]:
        self.subscribed.append(filters)
        return 0, len(self.subscribed)

    def is_connected(self) -> bool:
        return self.up

    def socket(self) -> None:
        """None, as paho's when the other side has hung up since."""

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> SimpleNamespace:
        self.published.append((topic, payload, qos, retain))
        return SimpleNamespace(rc=0 if len(self.published) < 3 else 15)


@pytest.fixture
async def link() -> MqttLink:
    made = MqttLink("mqtt://127.0.0.1:1", "0f", Inbox(), Page())
    made._loop = asyncio.get_running_loop()
    made._client = Client()  # in paho's place
    return made


def code(kind: int, name: str) -> ReasonCode:
    return ReasonCode(kind, name)


def granted(link: MqttLink, *names: str, mid: int = 1) -> None:
    codes = [code(PacketTypes.SUBACK, name) for name in names]
    link._subscribed(link._client, None, mid, codes, None)


def connect(link: MqttLink, name: str = "Success") -> None:
    link._connected(link._client, None, None, code(PacketTypes.CONNACK, name), None)


def client_of(link: MqttLink) -> Any:
    return link._client


async def test_it_subscribes_when_connected_and_is_ready_when_all_is_granted(
    link: MqttLink,
) -> None:
    told: list[str] = []
    link._on_connected = lambda: told.append("up")
    connect(link)
    assert client_of(link).subscribed == [
        [("stackproof/v1/0f/+/+/frames", 1), ("stackproof/v1/0f/+/+/state", 0),
         ("stackproof/v1/0f/+/+/live", 0)]
    ]  # fmt: skip
    assert not link._ready.is_set()
    assert link.away_s is not None, "since its start"
    granted(link, "Granted QoS 1", "Granted QoS 1", "Granted QoS 0")
    assert await link.wait_connected(1)
    assert (told, link.away_s) == (["up"], None)
    link._disconnected(link._client, None, None, code(PacketTypes.DISCONNECT, "Success"), None)
    assert link.away_s is not None


@pytest.mark.parametrize(
    ("codes", "named"),
    [
        (("Unspecified error", "Granted QoS 1", "Granted QoS 0"), "frames"),
        (("Granted QoS 0", "Granted QoS 1", "Granted QoS 0"), "frames"),
        (("Granted QoS 1", "Granted QoS 1", "Unspecified error"), "live"),
        (("Granted QoS 1",), "does not grant"),
    ],
)
async def test_a_subscription_not_granted_is_told_and_tried_again(
    link: MqttLink,
    codes: tuple[str, ...],
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A broker may acknowledge the connection and deliver nothing (95 % lost, once)."""
    monkeypatch.setattr(mqtt, "RESUBSCRIBE_S", 0.01)
    connect(link)
    granted(link, *codes)
    granted(link, *codes)  # as after a reconnect: it is tried once all the same
    assert not await link.wait_connected(0.05)
    assert len(client_of(link).subscribed) == 2
    assert named in caplog.text
    granted(link, "Granted QoS 1", "Granted QoS 1", "Granted QoS 0", mid=2)
    assert await link.wait_connected(1)


async def test_who_is_refused_again_and_again_hears_at_qos_0(
    link: MqttLink, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One gateway may have all that nats-server keeps; receipts take care of the rest."""
    monkeypatch.setattr(mqtt, "RESUBSCRIBE_S", 0.01)
    asked = client_of(link).subscribed
    for connection in range(2):  # each begins anew
        asked.clear()
        connect(link)
        for n in range(3):
            granted(link, "Unspecified error", "Unspecified error", "Granted QoS 0")
            await until(lambda n=n: len(asked) == n + 2)
        qos = [[qos for _, qos in filters] for filters in asked]
        assert qos == [[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]], connection
        assert len({tuple(name for name, _ in filters) for filters in asked}) == 1
        assert "trying again at QoS 0" in caplog.text
        assert link.away_s is not None
        granted(link, "Granted QoS 0", "Granted QoS 0", "Granted QoS 0")
        assert link.away_s is None
        link._disconnected(link._client, None, None, code(PacketTypes.DISCONNECT, "Success"), None)
        caplog.clear()


async def test_an_answer_that_comes_before_subscribe_has_returned_is_believed(
    link: MqttLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tried again from the event loop's thread, while paho's already reads the answer."""
    monkeypatch.setattr(mqtt, "RESUBSCRIBE_S", 0.01)
    connect(link)
    client, subscribe = client_of(link), client_of(link).subscribe

    def answered(filters: list[tuple[str, int]]) -> tuple[int, int]:
        granted(link, "Granted QoS 1", "Granted QoS 1", "Granted QoS 0", mid=2)
        result: tuple[int, int] = subscribe(filters)
        return result

    monkeypatch.setattr(client, "subscribe", answered)
    granted(link, "Unspecified error", "Granted QoS 1", "Granted QoS 0")
    assert await link.wait_connected(1)


async def test_nothing_is_subscribed_again_while_there_is_no_connection(
    link: MqttLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next connection subscribes by itself; before its CONNECT nothing may be sent."""
    monkeypatch.setattr(mqtt, "RESUBSCRIBE_S", 0.01)
    connect(link)
    granted(link, "Unspecified error", "Granted QoS 1", "Granted QoS 0")
    client_of(link).up = False
    await asyncio.sleep(0.05)
    assert len(client_of(link).subscribed) == 1


async def test_a_loss_is_told_once_and_a_return_once(
    link: MqttLink, caplog: pytest.LogCaptureFixture
) -> None:
    connect(link)
    granted(link, "Granted QoS 1", "Granted QoS 1", "Granted QoS 0")
    assert await link.wait_connected(1)
    for _ in range(3):
        gone = code(PacketTypes.DISCONNECT, "Unspecified error")
        link._disconnected(link._client, None, None, gone, None)
    await asyncio.sleep(0)
    assert not link._ready.is_set()
    connect(link, "Not authorized")
    connect(link)
    granted(link, "Granted QoS 1", "Granted QoS 1", "Granted QoS 0", mid=2)
    assert [m.split("(")[0] for m in caplog.messages] == [
        "broker mqtt://127.0.0.1:1: lost ",
        "broker mqtt://127.0.0.1:1: connected again",
    ]


async def test_who_is_thrown_off_again_and_again_is_told_of_another_collector(
    link: MqttLink, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A dead machine that comes back beside the one in its place: a line a second, for ever."""
    monkeypatch.setattr(mqtt, "STEADY_S", 0.2)
    for _ in range(9):
        connect(link)
        granted(link, "Granted QoS 1", "Granted QoS 1", "Granted QoS 0")
        link._disconnected(link._client, None, None, code(PacketTypes.DISCONNECT, "Success"), None)
    told = [one for one in caplog.messages if "another collector of slice 0f runs" in one]
    assert len(told) == 1
    assert len(caplog.messages) == 6  # lost and back twice, lost, and why
    connect(link)
    granted(link, "Granted QoS 1", "Granted QoS 1", "Granted QoS 0")
    assert link.away_s is not None, "it may be thrown off again"
    await asyncio.sleep(0.3)
    assert link.away_s is None
    assert caplog.messages[6:] == ["broker mqtt://127.0.0.1:1: connected again"]


async def test_nothing_is_published_while_away_and_a_full_queue_is_no(link: MqttLink) -> None:
    assert link.publish("t", b"1")
    kept = link._last
    assert link.publish("t", b"2", kept=False)
    assert link._last is kept, "the end waits for receipts"
    assert not link.publish("t", b"3")  # paho's queue is full
    client_of(link).up = False
    assert not link.publish("t", b"4")
    assert client_of(link).published[:2] == [("t", b"1", 1, True), ("t", b"2", 1, False)]
    assert len(client_of(link).published) == 3


def arrive(link: MqttLink, topic: bytes, payload: bytes) -> None:
    message = paho.MQTTMessage(topic=topic)
    message.payload = payload
    link._message(link._client, None, message)


async def test_messages_go_where_they_belong(link: MqttLink) -> None:
    page, base = link._page, b"stackproof/v1/0f/mini/edge-1/"
    arrive(link, base + b"frames", b"object")
    arrive(link, base + b"live", b"values")
    arrive(link, base + b"state", b'{"online":true}')
    await asyncio.sleep(0)
    assert link._inbox.take(9, 0) == [Message(Sender("mini", "edge-1"), b"object")]
    assert isinstance(page, Page)
    assert (page.live, page.states) == ([("mini", "edge-1", b"values")], [True])


@pytest.mark.parametrize(
    "topic",
    [
        b"", b"\xff\xfe", b"stackproof/v1/00/mini/edge-1/frames", b"stackproof/v1/0f/mini/edge-1",
        b"stackproof/v1/0f/mini/edge-1/else", b"stackproof/v1/0f/MINI/edge-1/frames",
    ],
)  # fmt: skip
async def test_a_topic_that_is_none_of_ours_raises_nothing(link: MqttLink, topic: bytes) -> None:
    """An exception in a callback would end paho's thread."""
    arrive(link, topic, b"x")
    await asyncio.sleep(0)
    assert link._inbox.take(9, 0) == []


async def test_a_flood_of_strange_topics_does_not_fill_the_log(
    link: MqttLink, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(1_000):
        arrive(link, b"strange", b"x")
    assert len(caplog.messages) == 10  # 1, 2, 4 … 512
    assert caplog.messages[-1] == "dropped 512 message(s) on topics that are none of ours"


async def test_a_flood_of_unsigned_messages_is_dropped_while_the_page_is_behind(
    link: MqttLink,
) -> None:
    def flood(count: int, payload: bytes = b"x") -> None:
        for n in range(count):  # each is of another gateway: of one less is taken
            arrive(link, b"stackproof/v1/0f/mini/edge-%d/live" % n, payload)

    page: Any = link._page
    connect(link)
    flood(mqtt.PAGE_WAITING_MAX + 500)
    granted(link, "Granted QoS 1", "Granted QoS 1", "Granted QoS 0")
    assert page.live == []  # the loop has not had its turn
    await asyncio.sleep(0)
    assert len(page.live) == mqtt.PAGE_WAITING_MAX
    assert link._ready.is_set()  # that the subscriptions stand is no such message
    flood(3)
    await asyncio.sleep(0)
    assert len(page.live) == mqtt.PAGE_WAITING_MAX + 3
    page.live.clear()
    flood(100, bytes(1 << 20))
    await asyncio.sleep(0)
    assert len(page.live) == mqtt.PAGE_BYTES_MAX // (1 << 20) + 1


async def test_a_flood_of_one_gateway_is_dropped_and_others_are_shown(
    link: MqttLink, caplog: pytest.LogCaptureFixture
) -> None:
    """By the largest live messages of one the loop, and all pages, stood still for 13 s."""
    base, mib = b"stackproof/v1/0f/mini/edge-", bytes(1 << 20)
    link._shares = Shares(lambda: 0.0)
    for _ in range(30):
        arrive(link, base + b"1/live", mib)
        arrive(link, base + b"1/state", b'{"online":true}')
    arrive(link, base + b"2/live", b"values")
    await asyncio.sleep(0)
    page: Any = link._page
    assert page.live == [("mini", "edge-1", mib), ("mini", "edge-2", b"values")]  # 2 MiB, no more
    assert page.states == [True] * 30
    dropped = "dropped 16 live value(s) or state(s): mini/edge-1 sends more than can be shown"
    assert caplog.messages[-1] == dropped


def test_a_share_grows_again() -> None:
    """2 MiB at first, half a MiB more a second, 2 MiB at most; a message is 4 KiB at least."""
    seconds = iter([0.0, 0.0, 1.0, 2.0, 2.0, 99.0, 99.0])
    shares, one, mib = Shares(lambda: next(seconds)), Sender("mini", "edge-1"), 1 << 20
    asked = [2 * mib, 1, mib, mib, 1, 2 * mib, 1]
    found = [shares.takes(one, length) for length in asked]
    assert found == [True, False, False, True, False, True, False]


def test_shares_of_names_without_end_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud.collector.shares.NAMES_MAX", 2)
    kept = Shares(lambda: 0.0)
    found = [kept.takes(Sender("mini", name), 2 << 20) for name in ("a", "b", "a", "c", "a", "b")]
    assert found == [True, True, False, True, False, True]  # c took the place of b


async def test_the_end_hangs_up_and_leaves_tls_to_the_thread_that_reads(link: MqttLink) -> None:
    """SSLSocket.shutdown drops its session first: what is written then goes out in clear."""
    ours, theirs = socket.socketpair()
    context = ssl.create_default_context()
    secured = context.wrap_socket(ours, server_hostname="b", do_handshake_on_connect=False)
    client = SimpleNamespace(
        is_connected=lambda: False, socket=lambda: Chunked(secured),
        disconnect=lambda: None, loop_stop=lambda: None,
    )  # fmt: skip
    link._client = client
    with secured, theirs:
        await link.stop()
        assert theirs.recv(1) == b"", "hung up"
        assert secured._sslobj is not None


def test_each_connection_begins_with_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that was cut off from its cluster held the collector, though two others worked."""
    client = mqtt._Client("id")
    with two_addresses(monkeypatch) as made:
        client.connect_async("cluster", made["127.0.0.2"].getsockname()[1])
        gone_round(client._create_socket_connection, made)


def test_a_client_that_has_ended_leaves_no_socket() -> None:
    """Paho's own pair was to be collected: a warning in whatever ran by then."""
    client = mqtt._Client("id")
    client.connect_async("127.0.0.1", 9)
    client.loop_start()
    pair = client._sockpairR, client._sockpairW
    client.disconnect()
    client.loop_stop()
    assert [None if one is None else one.fileno() for one in pair] == [-1, -1]


def test_packets_are_read_by_the_chunk() -> None:
    """Nothing, two chunks, what waits of them, and the end."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        chunked = Chunked(ours)
        with pytest.raises(BlockingIOError):
            chunked.recv(1)
        theirs.sendall(b"0abc")
        assert (chunked.recv(1), chunked.pending(), chunked.recv(9)) == (b"0", 3, b"abc")
        theirs.sendall(b"def")
        theirs.shutdown(socket.SHUT_WR)
        assert (chunked.pending(), chunked.recv(2), chunked.recv(2)) == (0, b"de", b"f")
        assert (chunked.recv(1), chunked.fileno()) == (b"", ours.fileno())


def test_a_packet_that_would_fill_the_memory_is_not_taken() -> None:
    """Paho asks for all of a packet at once, when it knows how long it is to be."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"abc")
        chunked = Chunked(ours)
        assert chunked.recv(4 * 2**20) == b"abc"
        with pytest.raises(ConnectionAbortedError, match="a packet of 4194305 bytes"):
            chunked.recv(4 * 2**20 + 1)
