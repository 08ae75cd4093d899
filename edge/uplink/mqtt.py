"""MQTT transport: the only file of the agent that touches paho. No decisions are taken here.

paho runs its own network thread; everything it reports is handed to the agent's event loop.
QoS 1 for signed objects, QoS 0 for the live page, and for what comes down: all of it is retained
and said again. A publish that never reaches the collector is noticed by the missing receipt
(`edge.uplink.machine`), whatever the broker acknowledged.
"""

import asyncio
import contextlib
import logging
import os
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from edge.route import Route
from edge.uplink.topics import Topics
from edge.uplink.tunnel import ProxyError, connect
from edge.uplink.websocket import WebSocketError
from edge.uplink.websocket_stream import WebSocketStream
from edge.uplink.window import Window
from evidence.called_back import CalledBack, OwnDefectError
from evidence.cose import OBJECT_BYTES_MAX
from evidence.shown_life import Life, shown_life
from evidence.turns import Turns
from evidence.unasked import objection

log = logging.getLogger("stackproof.edge.uplink")

KEEPALIVE_S = 10
RECONNECT_S_MIN, RECONNECT_S_MAX = 1, 4  # a try costs a packet; readings wait for it
RESUBSCRIBE_S = 5.0  # a cluster that elects its leader refuses for a while
ANEW_S = 3_600.0  # what is said once is asked for: nodes that lost each other keep it, and no more
ONLINE = b'{"online":true}'
UNACKNOWLEDGED_MAX = 256  # objects the library may hold; beyond it, the spool keeps them
UNSENT_BYTES_MAX = 16 * 1024  # the system takes no more ahead of the link; live values wait there
PACKET_BYTES_MAX = 2 * OBJECT_BYTES_MAX  # nobody sends more here; paho would take 256 MiB
CONNECT_S = 5.0  # of each address; what a proxy answers, TLS and WebSocket have as long again


class _Client(paho.Client):
    """paho's, but for how a connection begins, what it takes, and that it says why there is none.

    Attributes:
        route: the way.
        why: what the last try failed by, or what the connection was ended for; "" when nothing.
        shown: life of the certificate that the broker has shown last; None for not known.
    """

    def __init__(self, route: Route, client_id: str, lacks: Callable[[], str]) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
        self.route, self.why, self._lacks = route, "", lacks
        self.shown: Life | None = None
        self._turns = Turns()

    def loop_forever(
        self, timeout: float = 1.0, retry_first_connection: bool = False
    ) -> MQTTErrorCode:
        """As paho's, whose thread would end by what nobody has thought of."""
        while True:
            try:
                return super().loop_forever(timeout, retry_first_connection)
            except Exception:  # whatever it is: readings have no other way out
                log.exception("a defect of stackproof ends the connection to the broker")
                self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
                self._reconnect_wait()

    def loop_stop(self) -> MQTTErrorCode:
        """As paho's, which leaves the pair of sockets that wakes its thread to be collected."""
        code = super().loop_stop()
        self._reset_sockets(sockpair_only=True)
        return code

    def _messages_reconnect_reset_out(self) -> None:
        """What was under way is not: `machine` asks for it anew, and `Window` counts it.

        paho would send all of it by itself as well, with each connection more.
        """
        with self._out_message_mutex:
            self._out_messages.clear()
        super()._messages_reconnect_reset_out()

    def _create_socket_connection(self) -> socket.socket:
        connection = connect(self.route, CONNECT_S, self._turns)
        # a link that is slow must not have megabytes before what comes newest
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES_MAX)
        return connection

    def _sock_recv(self, bufsize: int) -> bytes:
        """As paho's, which asks for the whole packet that it was told of."""
        if bufsize > PACKET_BYTES_MAX:
            self.why = (
                f"{self.route.place} sends a packet of {bufsize} bytes, more than anybody has to "
                "say here: hung up on it. Whose broker is it?"
            )
            raise ConnectionAbortedError(self.why)
        return super()._sock_recv(bufsize)

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
        self.why = f"{self.route.place} {said}. Whose broker is it?"
        return MQTTErrorCode.MQTT_ERR_PROTOCOL

    def _create_socket(self) -> Any:  # noqa: ANN401 - paho's own type of sockets is private
        self.why = self._lacks()
        if self.why:
            raise ConnectionAbortedError(self.why)
        try:
            below: Any = super()._create_socket()
            if isinstance(below, ssl.SSLSocket):
                self.shown = shown_life(below.getpeercert(binary_form=True))
            if not self.route.path:
                return below
            try:
                return WebSocketStream(below, self.route, CONNECT_S)
            except BaseException:
                below.close()
                raise
        except OSError as error:
            self.why = _reason(error, self.route)
            raise


def _reason(error: OSError, route: Route) -> str:
    """Which hop fails, and of what."""
    if isinstance(error, ProxyError):
        return str(error)
    if isinstance(error, ssl.SSLError):
        said = getattr(error, "verify_message", "") or error.reason or str(error)
        return f"{route.place}: one side does not take the other's certificate: {said}"
    if isinstance(error, WebSocketError):
        return f"{route.place}: {error}"
    return f"{route.place} does not answer: {error.strerror or error}"


class MqttUplink:
    """One connection to a broker, kept up for ever."""

    def __init__(
        self,
        route: Route,
        topics: Topics,
        client_id: str,
        *,
        on_connected: Callable[[], None],
        on_disconnected: Callable[[str], None],
        on_message: Callable[[str, bytes, bool], None],
        tls: ssl.SSLContext | None = None,
        lacks: Callable[[], str] = str,
        takes_orders: bool = False,
        doctor: str = "stackproof edge doctor",
    ) -> None:
        """Prepare; nothing is sent before `start`. Callbacks run in the event loop.

        `on_message` gets topic, payload, and whether the broker had kept the message (retained)
        rather than got it just now. `tls` belongs to a route with TLS, and `lacks` says what it
        lacks to begin with, "" for nothing. `doctor`: what a person asks when there is no
        connection.
        """
        self._route, self._topics, self._doctor = route, topics, doctor
        self._down: tuple[str, ...] = topics.down if tls is None else topics.down_over_tls
        self._down += (topics.order,) if takes_orders else ()
        self._asked, self._connections, self._anew_s = self._down, 0, 0.0
        self._said_once = tuple(one for one in self._down if one != topics.receipts)
        self._again: asyncio.TimerHandle | None = None
        self._state = ONLINE
        self._on_connected, self._on_disconnected = on_connected, on_disconnected
        self._on_message = on_message
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_in = self._is_told = self._is_refused = False  # of this connection
        self._window, self._moved = Window(), asyncio.Event()
        client = _Client(route, client_id, lacks)
        if tls is not None:
            client.tls_set_context(tls)
        client.will_set(topics.state, b'{"online":false}', qos=1, retain=True)
        client.reconnect_delay_set(RECONNECT_S_MIN, RECONNECT_S_MAX)
        client.max_queued_messages_set(UNACKNOWLEDGED_MAX)
        client.max_inflight_messages_set(0)  # `Window` bounds them
        own = CalledBack(log)
        client.on_connect = own.of(self._connected, needed=True)
        client.on_connect_fail = own.of(self._unreachable)
        client.on_disconnect = own.of(self._disconnected)
        client.on_publish = own.of(self._published)
        client.on_subscribe = own.of(self._subscribed, needed=True)
        client.on_message = own.of(self._message)
        self._client = client
        self._live: paho.MQTTMessageInfo | None = None  # the newest that was handed over

    @property
    def shown(self) -> Life | None:
        """Of the certificate that the broker has shown last; None for not known."""
        return self._client.shown

    def start(self) -> None:
        """Begin connecting, for ever, in the background."""
        self._loop = asyncio.get_running_loop()
        self._client.connect_async(self._route.host, self._route.port, keepalive=KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Say goodbye and end the network thread; blocks while it tries an address (5 s)."""
        self._loop = None  # nothing is reported from here on
        if self._client.is_connected():
            self._client.publish(self._topics.state, b'{"online":false}', qos=0, retain=True)
        self._client.disconnect()
        self._client.loop_stop()

    async def room(self) -> None:
        """Wait until the link carries one more object, or the connection is lost."""
        while not self._window.has_room:
            self._moved.clear()
            await self._moved.wait()

    def send_object(self, data: bytes) -> bool:
        """Hand over one signed object, QoS 1; False when it was not taken for sending now."""
        loop = self._loop
        if loop is None or not self._client.is_connected():
            return False  # the library would keep it, and send it once more than needed
        info = self._client.publish(self._topics.frames, data, qos=1)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False
        self._window.sent(info.mid, loop.time())
        return True

    def send_live(self, message: bytes) -> None:
        """Hand over the newest values, QoS 0.

        Dropped when the connection is down, or the values before have not left: a link that is too
        slow for all of them carries each that it can, and does not fall behind.
        """
        if self._client.is_connected() and _has_left(self._live):
            self._live = self._client.publish(self._topics.live, message, qos=0)

    def tell(self, state: bytes) -> None:
        """What the state message says from here on, while there is a connection; retained."""
        if state != self._state:
            self._state = state
            if self._client.is_connected():
                self._client.publish(self._topics.state, state, qos=0, retain=True)

    def ask(self, request: bytes) -> bool:
        """Hand over a request for a broker certificate, QoS 1; False when it was not taken now."""
        if not self._client.is_connected():
            return False
        info = self._client.publish(self._topics.renew, request, qos=1)
        return info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def pace(self, seconds: float) -> None:
        """Wait so long after the next loss of a connection; the next tries wait no shorter."""
        least = max(RECONNECT_S_MIN, int(seconds))
        self._client.reconnect_delay_set(least, max(RECONNECT_S_MAX, least))

    def reconnect(self) -> None:
        """End the connection; the next one begins by itself, and shows what TLS shows by then."""
        connection = self._client.socket()
        if connection is None:
            return
        self._client.why = "hung up here, to connect anew with what TLS shows now"
        with (
            contextlib.suppress(OSError, ValueError),  # closed by the other side meanwhile
            # the plain one below TLS and WebSocket: paho's thread notices, and ends those itself
            socket.socket(fileno=os.dup(connection.fileno())) as plain,
        ):
            plain.shutdown(socket.SHUT_RDWR)

    def _acknowledged(self, number: int) -> None:
        if self._loop is not None:
            self._window.acknowledged(number, self._loop.time())
            self._moved.set()

    def _lost(self, reason: str) -> None:
        self._window.cut()
        self._moved.set()
        self._on_disconnected(reason)

    # -- paho's thread from here ------------------------------------------------------------------

    def _call(self, callback: Callable[..., None], *args: object) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(callback, *args)

    def _connected(
        self, client: paho.Client, _data: object, _flags: object, code: ReasonCode, _props: object
    ) -> None:
        if code.is_failure:
            self._is_refused = True
            said = f"broker refused the connection: {code}. {self._doctor} says more"
            self._call(self._lost, said)
            return
        self._is_in, self._is_told = True, False
        self._connections += 1
        self._subscribe(self._down, self._connections)

    def _subscribe(self, topics: tuple[str, ...], connection: int) -> None:
        """Unless a later connection has asked for all of them."""
        if self._client.is_connected() and connection == self._connections:
            if time.monotonic() >= self._anew_s:  # though one is refused for good
                topics = tuple(one for one in self._down if one in (*topics, *self._said_once))
                self._anew_s = time.monotonic() + ANEW_S
            self._asked = topics
            self._client.subscribe([(topic, 0) for topic in topics])  # ADR 0084

    def _subscribe_later(self, topics: tuple[str, ...], pause_s: float, connection: int) -> None:
        if self._again is not None:  # of the answer before: there is one at a time
            self._again.cancel()
        if self._loop is not None:
            self._again = self._loop.call_later(pause_s, self._subscribe, topics, connection)

    def _subscribed(
        self, client: paho.Client, _data: object, _mid: int, codes: list[ReasonCode], _props: object
    ) -> None:
        refused = {
            topic: str(code)
            for topic, code in zip(self._asked, codes, strict=False)
            if code.is_failure
        }
        again = (tuple(refused), RESUBSCRIBE_S) if refused else (self._said_once, ANEW_S)
        if again[0]:
            self._call(self._subscribe_later, *again, self._connections)
        if self._is_told:
            return
        if why := refused.pop(self._topics.order, ""):
            said = "broker refuses the topic of site orders (%s): none can come"
            log.error(said, why, extra=self._topics.about)
        for why in list(refused.values())[:1]:
            # without receipts nothing is ever freed: say so, keep the connection, keep readings
            said = "broker refuses the receipts topic (%s): nothing can be freed"
            log.error(said, why, extra=self._topics.about)
        self._is_told = True
        # QoS 0, so that objects waiting for their PUBACK cannot be in its way
        client.publish(self._topics.state, self._state, qos=0, retain=True)
        self._call(self._on_connected)

    def _published(
        self, _client: paho.Client, _data: object, mid: int, _code: ReasonCode, _props: object
    ) -> None:
        self._call(self._acknowledged, mid)

    def _unreachable(self, _client: paho.Client, _data: object) -> None:
        self._call(self._lost, f"{self._client.why}. {self._doctor} says more")

    def _disconnected(
        self, _client: paho.Client, _data: object, _flags: object, code: ReasonCode, _props: object
    ) -> None:
        if self._is_refused:  # its end, which says less
            self._is_refused = False
            return
        said = self._client.why or f"the connection ended: {code}"
        if not self._is_in:  # perhaps no broker at all, or none by this path
            said = self._client.why or f"{self._route.place} hangs up on MQTT: {code}."
            said = f"{said} {self._doctor} says more"
        self._is_in = False
        self._call(self._lost, said)

    def _message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:  # none of ours
            return
        if topic in self._down:  # each other one would be kept until it was looked at
            self._call(self._on_message, topic, message.payload, message.retain)


def _has_left(message: paho.MQTTMessageInfo | None) -> bool:
    try:
        return message is None or message.is_published()
    except RuntimeError:  # its connection was lost, and it with it
        return True
