"""MQTT transport: the only file of the cloud that touches paho. No decisions are taken here.

paho runs its own network thread. Signed objects go into the collector's inbox from that thread,
which waits while the inbox is full: the broker then keeps the rest. What the broker acknowledged
is never believed; custody is in the receipts.

Rules learnt from paho 2.2: an exception in a callback ends its thread, so `CalledBack` holds ours;
outgoing messages wait in memory, so their number is bounded; `publish` while disconnected queues
too, so nothing is published then; `disconnect` in a callback ends the thread for good; `loop_stop`
waits for a broker that has stopped answering, so the socket is shut before it.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from cloud.collector import topics
from cloud.collector.chunked import Chunked
from cloud.collector.inbox import Inbox, Message
from cloud.collector.shares import Shares
from cloud.collector.state_message import parse_state
from cloud.collector.topics import Sender
from evidence.called_back import CalledBack, OwnDefectError
from evidence.client_id import client_id
from evidence.turns import Turns
from evidence.unasked import objection

log = logging.getLogger("stackproof.cloud.mqtt")

KEEPALIVE_S = 30
RECONNECT_S_MIN, RECONNECT_S_MAX = 1, 4
RESUBSCRIBE_S = 5.0
#: after which a connection asks at QoS 0: an election is over by then, and this is always granted
REFUSED_MANY = 3
#: connections in a row that ended within so many seconds: somebody else has our client id
THROWN_MANY, STEADY_S = 3, 5.0
OUTGOING_MAX = 10_000
INFLIGHT_MAX = 1_000
FLUSH_S = 1.0
#: unsigned messages on their way to the event loop, and their bytes: a flood of them is dropped
PAGE_WAITING_MAX, PAGE_BYTES_MAX = 1_000, 32 * 1024 * 1024
#: packets taken before anything else is done
PACKETS_MAX = 64


class UnsignedPage(Protocol):
    """Takes what is shown but never kept, in the event loop's thread."""

    def on_live(self, plant: str, gateway: str, payload: bytes) -> None:
        """Newest values of a gateway."""

    def on_state(
        self, plant: str, gateway: str, online: bool, order: Mapping[str, Any] | None = None
    ) -> None:
        """Birth, with what became of its newest site order, or last will of a gateway."""


class _Client(paho.Client):
    """paho's client over such a socket.

    Attributes:
        why: what the connection was ended for; "" where we did not end it.
    """

    def __init__(self, client_id: str) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
        self.why, self._turns = "", Turns()

    def _create_socket_connection(self) -> socket.socket:
        """Each begins with another address of the name."""
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        failed = OSError()
        for family, kind, protocol, _, address in self._turns.of(found):
            made: socket.socket | None = None
            try:
                made = socket.socket(family, kind, protocol)  # a machine may have no IPv6 at all
                made.settimeout(self.connect_timeout)
                made.connect(address)
            except OSError as error:
                if made is not None:
                    made.close()
                failed = error
            else:
                return made
        raise failed

    def _create_socket(self) -> Any:  # noqa: ANN401 - paho's own type of sockets is private
        self.why = ""
        below: Any = super()._create_socket()
        return Chunked(below)

    def loop_forever(
        self, timeout: float = 1.0, retry_first_connection: bool = False
    ) -> MQTTErrorCode:
        """As paho's, whose thread would end by what nobody has thought of."""
        while True:
            try:
                return super().loop_forever(timeout, retry_first_connection)
            except Exception:  # whatever it is: gateways wait for it
                log.exception("a defect of stackproof ends the connection to the broker")
                self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
                self._reconnect_wait()

    def loop_stop(self) -> MQTTErrorCode:
        """As paho's, which leaves the pair of sockets that wakes its thread to be collected."""
        code = super().loop_stop()
        self._reset_sockets(sockpair_only=True)
        return code

    def _packet_handle(self) -> MQTTErrorCode:
        """As paho's, whose thread ends by a packet that is too short or names what is unknown."""
        first, rest = self._in_packet["command"], self._in_packet["packet"]
        said = objection(first, rest, len(self._out_packet), is_in=self.is_connected())
        if not said:
            try:
                return super()._packet_handle()
            except OwnDefectError as error:
                self.why = str(error)
                return MQTTErrorCode.MQTT_ERR_PROTOCOL
            except Exception as error:  # noqa: BLE001 - whatever a broker sent: it is hung up on
                said = f"sends a packet {first:#x} that cannot be read: {error!r}"
        self.why = f"it {said}"
        return MQTTErrorCode.MQTT_ERR_PROTOCOL

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """All packets that came, within bounds."""
        code = super().loop_read(max_packets)
        for _ in range(PACKETS_MAX):
            connection = self.socket()
            if code != MQTTErrorCode.MQTT_ERR_SUCCESS or not isinstance(connection, Chunked):
                break
            if not connection.pending():
                break
            code = super().loop_read(max_packets)
        return code


class MqttLink:
    """One connection to a broker, kept up for ever.

    Args:
        url: "mqtt://host:port" or "mqtts://host:port".
        slice_id: whose topics to take.
        inbox: where signed objects go.
        page: takes live values and states.
        tls: of an mqtts url.
        key: file of its private key: makes the client id a secret.
        on_renew: takes requests for broker certificates, in the event loop's thread; None where
            nobody does.
    """

    def __init__(
        self, url: str, slice_id: str, inbox: Inbox, page: UnsignedPage, *,
        tls: ssl.SSLContext | None = None,
        key: Path | None = None,
        on_renew: Callable[[Sender, bytes], None] | None = None,
    ) -> None:  # fmt: skip
        parts = urlsplit(url)
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or (1883 if tls is None else 8883)
        self._url, self._slice, self._on_renew = url, slice_id, on_renew
        self._filters = topics.filters(slice_id, renews=on_renew is not None)
        self._asked, self._refusals = self._filters, 0  # of this connection; ADR 0087
        self._inbox, self._page = inbox, page
        self._loop: asyncio.AbstractEventLoop | None = None
        self._on_connected: Callable[[], None] = lambda: None
        self._ready = asyncio.Event()
        self._again: asyncio.TimerHandle | None = None
        self._last: paho.MQTTMessageInfo | None = None
        self._lost = False
        self._away_from_s: float | None = time.monotonic()
        self._stood_from_s: float | None = None
        self._thrown = self._strange = self._too_many = 0
        self._shares = Shares()
        #: when the certificate ends that the broker has shown last, UTC ns; None for not known
        self.shown_ends_ns: int | None = None
        self._handed = self._done = 0  # each counted by one thread, as bytes
        self._handed_bytes = self._done_bytes = 0
        client = _Client(client_id(f"collector-{slice_id}", key))
        own = CalledBack(log)
        if tls is not None:
            client.tls_set_context(tls)
            client.on_connect_fail = own.of(self._unreachable)
        client.reconnect_delay_set(RECONNECT_S_MIN, RECONNECT_S_MAX)
        client.max_inflight_messages_set(INFLIGHT_MAX)
        client.max_queued_messages_set(OUTGOING_MAX)
        client.on_connect = own.of(self._connected, needed=True)
        client.on_disconnect = own.of(self._disconnected)
        client.on_subscribe = own.of(self._subscribed, needed=True)
        client.on_message = own.of(self._message)
        self._client = client

    @property
    def away_s(self) -> float | None:
        """For how long the broker is away, grants too little or throws us off; None otherwise."""
        from_s = self._away_from_s
        return None if from_s is None else time.monotonic() - from_s

    def start(self, on_connected: Callable[[], None]) -> None:
        """Begin connecting, for ever, in the background.

        Args:
            on_connected: called on paho's thread whenever the subscriptions stand.
        """
        self._loop = asyncio.get_running_loop()
        self._on_connected = on_connected
        self._client.connect_async(self._host, self._port, keepalive=KEEPALIVE_S)
        self._client.loop_start()

    async def wait_connected(self, timeout_s: float) -> bool:
        """Wait for the subscriptions to stand; False when they do not in time."""
        try:
            await asyncio.wait_for(self._ready.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    def publish(self, topic: str, payload: bytes, *, kept: bool = True) -> bool:
        """Hand over a message, QoS 1, retained where it is `kept`; False when it is not taken."""
        if not self._client.is_connected():
            return False
        info = self._client.publish(topic, payload, 1, kept)
        self._last = info if kept else self._last
        return info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    async def stop(self) -> None:
        """Give outgoing messages a moment, say goodbye, end the network thread."""
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self._inbox.close()  # paho's thread may wait for room in it
        if self._client.is_connected() and self._last is not None:
            try:
                self._last.wait_for_publish(FLUSH_S)
            except (RuntimeError, ValueError) as error:
                log.warning("the last receipts may not have left: %s", error)
        connection = self._client.socket()
        self._client.disconnect()
        if isinstance(connection, Chunked):
            with contextlib.suppress(OSError):  # closed by the other side meanwhile
                connection.shut()
        self._client.loop_stop()

    # -- paho's thread from here ------------------------------------------------------------------

    def _connected(
        self, _client: paho.Client, _data: object, _flags: object, code: ReasonCode, _props: object
    ) -> None:
        connection = self._client.socket()
        if isinstance(connection, Chunked):
            self.shown_ends_ns = connection.shown_ends_ns()
        if code.is_failure:
            self._say_lost(f"refused: {code}")
            return
        self._asked, self._refusals = self._filters, 0
        self._client.subscribe(self._asked)

    def _subscribe_later(self) -> None:
        if self._again is not None:  # one that was refused before a reconnect
            self._again.cancel()
        loop = asyncio.get_running_loop()
        self._again = loop.call_later(RESUBSCRIBE_S, self._subscribe_again)

    def _subscribe_again(self) -> None:
        if self._client.is_connected():  # else `_connected` will, and nothing may go before it
            self._client.subscribe(self._asked)

    def _subscribed(
        self, _client: paho.Client, _data: object, _mid: int, codes: list[ReasonCode],
        _props: object,
    ) -> None:  # fmt: skip
        # whichever it answers: a connection's answers come in order, and each speaks of all topics.
        # Its number may be here before `subscribe` has told it to the other thread.
        wanted = self._asked
        refused = [
            f"{name} ({code})"
            for (name, qos), code in zip(wanted, codes, strict=False)
            if code.is_failure or code.value < qos
        ]
        if refused or len(codes) != len(wanted):
            self._refusals += 1
            if self._refusals >= REFUSED_MANY:
                self._asked = [(name, 0) for name, _ in self._filters]
            told = "broker %s does not grant %s; trying again at QoS %d"
            log.error(told, self._url, ", ".join(refused), self._asked[0][1])
            self._call(self._subscribe_later)
            return
        self._stood_from_s = time.monotonic()
        if self._thrown < THROWN_MANY:
            self._stands()
        else:
            self._call(self._look_later, self._stood_from_s)
        self._call(self._ready.set)
        self._on_connected()

    def _stands(self) -> None:
        if self._lost:
            log.warning("broker %s: connected again", self._url)
            self._lost = False
        self._away_from_s = None

    def _look_later(self, stood_from_s: float) -> None:
        asyncio.get_running_loop().call_later(STEADY_S, self._look_again, stood_from_s)

    def _look_again(self, stood_from_s: float) -> None:
        if self._stood_from_s == stood_from_s:  # the same connection
            self._thrown = 0
            self._stands()

    def _disconnected(
        self, _client: paho.Client, _data: object, _flags: object, code: ReasonCode, _props: object
    ) -> None:
        now_s, stood_from_s = time.monotonic(), self._stood_from_s
        self._stood_from_s = None
        if self._away_from_s is None:
            self._away_from_s = now_s
        self._call(self._ready.clear)
        if self._inbox.is_closed:
            return
        if stood_from_s is not None:
            self._thrown = self._thrown + 1 if now_s - stood_from_s < STEADY_S else 0
        self._say_lost(self._client.why or f"the connection ended: {code}")
        if self._thrown == THROWN_MANY and stood_from_s is not None:
            log.error(
                "broker %s: %d connections in a row ended within seconds, as where another "
                "collector of slice %s runs with the same key: see that one alone does. Or "
                "somebody floods, and nats-server's log says Slow Consumer of collector-%s",
                self._url, THROWN_MANY, self._slice, self._slice,
            )  # fmt: skip

    def _unreachable(self, _client: paho.Client, _data: object) -> None:
        self._say_lost("no answer, or one side does not take the other's certificate: see its log")

    def _say_lost(self, reason: str) -> None:
        if not self._lost:
            log.warning("broker %s: lost (%s); gateways keep their readings", self._url, reason)
            self._lost = True

    def _message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        try:
            parsed = topics.parse(message.topic, self._slice)
        except UnicodeDecodeError:
            parsed = None
        if parsed is None:
            self._strange += 1
            if self._strange & (self._strange - 1) == 0:  # the 1st, 2nd, 4th, 8th …: no flood
                log.warning("dropped %d message(s) on topics that are none of ours", self._strange)
            return
        (sender, leaf), payload = parsed, bytes(message.payload)
        if leaf == topics.FRAMES:
            self._inbox.put(Message(sender, payload))
        elif not self._shares.takes(sender, len(payload)):
            self._too_many += 1
            if self._too_many & (self._too_many - 1) == 0:  # as above
                told = "dropped %d live value(s) or state(s): %s sends more than can be shown"
                log.warning(told, self._too_many, sender, extra=sender.about)
        elif leaf == topics.LIVE:
            about = sender.plant, sender.gateway
            self._show(self._page.on_live, len(payload), *about, payload)
        elif leaf == topics.RENEW and self._on_renew is not None:
            self._show(self._on_renew, len(payload), sender, payload)
        elif leaf == topics.STATE:
            self._state(sender, payload)

    def _state(self, sender: Sender, payload: bytes) -> None:
        said = parse_state(payload)
        if said is None:
            log.debug("state of %s is not readable, dropped", sender, extra=sender.about)
        else:
            about = sender.plant, sender.gateway
            self._show(self._page.on_state, len(payload), *about, *said)

    def _call(self, callback: Callable[..., None], *arguments: object) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(callback, *arguments)

    def _show(self, callback: Callable[..., None], size: int, *arguments: object) -> None:
        """Hand an unsigned message to the event loop; dropped when the loop is behind."""
        bytes_waiting = self._handed_bytes - self._done_bytes
        if self._handed - self._done < PAGE_WAITING_MAX and bytes_waiting <= PAGE_BYTES_MAX:
            self._handed += 1
            self._handed_bytes += size
            self._call(self._shown, callback, size, *arguments)

    def _shown(self, callback: Callable[..., None], size: int, *arguments: object) -> None:
        self._done += 1
        self._done_bytes += size
        callback(*arguments)
