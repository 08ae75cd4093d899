"""MQTT transport: the only file of the agent that touches paho. No decisions are taken here.

paho runs its own network thread; everything it reports is handed to the agent's event loop.
QoS 1 for signed objects, QoS 0 for the live page. A publish that never reaches the collector is
noticed by the missing receipt (`edge.uplink.machine`), whatever the broker acknowledged.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

log = logging.getLogger("stackproof.edge.uplink")

KEEPALIVE_S = 10
RECONNECT_S_MIN, RECONNECT_S_MAX = 1, 4  # a try costs a packet; readings wait for it
RESUBSCRIBE_S = 5.0  # a cluster that elects its leader refuses for a while
ONLINE = b'{"online":true}'
UNACKNOWLEDGED_MAX = 256  # objects the library may hold; beyond it, the spool keeps them
#: of them, under way at a time: newest values wait behind these, and on a slow link that is long
UNDER_WAY_MAX = 4
SOCKET_BYTES_MAX = 32 * 1024  # that the system holds of what was sent; live values wait behind it


@dataclass(frozen=True)
class Topics:
    """The gateway's topics under stackproof/v1/<slice>/<plant>/<gateway>."""

    base: str

    @classmethod
    def of(cls, slice_id: str, plant: str, gateway: str) -> "Topics":
        """For one gateway."""
        return cls(f"stackproof/v1/{slice_id}/{plant}/{gateway}")

    @property
    def frames(self) -> str:
        """Signed objects, up."""
        return f"{self.base}/frames"

    @property
    def live(self) -> str:
        """Unsigned newest values, up."""
        return f"{self.base}/live"

    @property
    def state(self) -> str:
        """Retained birth and last will, up."""
        return f"{self.base}/state"

    @property
    def down(self) -> tuple[str, ...]:
        """Receipts and configuration, down."""
        return f"{self.base}/receipts", f"{self.base}/config"

    @property
    def order(self) -> str:
        """The root's newest site order, down."""
        return f"{self.base}/order"

    @property
    def renew(self) -> str:
        """Requests for a broker certificate, up."""
        return f"{self.base}/renew"

    @property
    def certificate(self) -> str:
        """The newest broker certificate, down."""
        return f"{self.base}/certificate"

    @property
    def down_over_tls(self) -> tuple[str, ...]:
        """What is heard where there are broker certificates."""
        return *self.down, self.certificate


class MqttUplink:
    """One connection to a broker, kept up for ever."""

    def __init__(
        self,
        url: str,
        topics: Topics,
        client_id: str,
        *,
        on_connected: Callable[[], None],
        on_disconnected: Callable[[str], None],
        on_message: Callable[[str, bytes, bool], None],
        tls: ssl.SSLContext | None = None,
        takes_orders: bool = False,
    ) -> None:
        """Prepare; nothing is sent before `start`. Callbacks run in the event loop.

        `on_message` gets topic, payload, and whether the broker had kept the message (retained)
        rather than got it just now. `tls` belongs to an mqtts url.
        """
        parts = urlsplit(url)
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or (1883 if tls is None else 8883)
        self._topics = topics
        self._has_tls = tls is not None
        self._down: tuple[str, ...] = topics.down if tls is None else topics.down_over_tls
        self._down += (topics.order,) if takes_orders else ()
        self._asked, self._connections = self._down, 0
        self._state = ONLINE
        self._on_connected, self._on_disconnected = on_connected, on_disconnected
        self._on_message = on_message
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_told = False  # of this connection
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
        if tls is not None:
            client.tls_set_context(tls)
        client.will_set(topics.state, b'{"online":false}', qos=1, retain=True)
        client.reconnect_delay_set(RECONNECT_S_MIN, RECONNECT_S_MAX)
        client.max_queued_messages_set(UNACKNOWLEDGED_MAX)
        client.max_inflight_messages_set(UNDER_WAY_MAX)
        client.on_socket_open = _hold_little
        client.on_connect = self._connected
        client.on_connect_fail = self._unreachable
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._subscribed
        client.on_message = self._message
        self._client = client
        self._live: paho.MQTTMessageInfo | None = None  # the newest that was handed over

    def start(self) -> None:
        """Begin connecting, for ever, in the background."""
        self._loop = asyncio.get_running_loop()
        self._client.connect_async(self._host, self._port, keepalive=KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Say goodbye and end the network thread; blocks while it tries to connect (5 s)."""
        self._loop = None  # nothing is reported from here on
        if self._client.is_connected():
            self._client.publish(self._topics.state, b'{"online":false}', qos=0, retain=True)
        self._client.disconnect()
        self._client.loop_stop()

    def send_object(self, data: bytes) -> bool:
        """Hand over one signed object, QoS 1; False when it was not taken for sending now."""
        info = self._client.publish(self._topics.frames, data, qos=1)
        return info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

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
        if isinstance(connection, socket.socket):
            with contextlib.suppress(OSError):  # closed by the other side meanwhile
                # the plain socket's: the TLS one would forget its session under paho's thread
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    # -- paho's thread from here ------------------------------------------------------------------

    def _call(self, callback: Callable[..., None], *args: object) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(callback, *args)

    def _connected(
        self, client: paho.Client, _data: object, _flags: object, code: ReasonCode, _props: object
    ) -> None:
        if code.is_failure:
            self._call(self._on_disconnected, f"broker refused the connection: {code}")
            return
        self._is_told = False
        self._connections += 1
        self._subscribe(self._down, self._connections)

    def _subscribe(self, topics: tuple[str, ...], connection: int) -> None:
        """Unless a later connection has asked for all of them."""
        if self._client.is_connected() and connection == self._connections:
            self._asked = topics
            self._client.subscribe([(topic, 1) for topic in topics])

    def _subscribe_later(self, topics: tuple[str, ...], connection: int) -> None:
        if self._loop is not None:
            self._loop.call_later(RESUBSCRIBE_S, self._subscribe, topics, connection)

    def _subscribed(
        self, client: paho.Client, _data: object, _mid: int, codes: list[ReasonCode], _props: object
    ) -> None:
        refused = {
            topic: str(code)
            for topic, code in zip(self._asked, codes, strict=False)
            if code.is_failure
        }
        if refused:
            self._call(self._subscribe_later, tuple(refused), self._connections)
        if self._is_told:
            return
        if why := refused.pop(self._topics.order, ""):
            log.error("broker refuses the topic of site orders (%s): none can come", why)
        for why in list(refused.values())[:1]:
            # without receipts nothing is ever freed: say so, keep the connection, keep readings
            log.error("broker refuses the receipts topic (%s): nothing can be freed", why)
        self._is_told = True
        # QoS 0, so that objects waiting for their PUBACK cannot be in its way
        client.publish(self._topics.state, self._state, qos=0, retain=True)
        self._call(self._on_connected)

    def _unreachable(self, _client: paho.Client, _data: object) -> None:
        why = f"{self._host}:{self._port} does not answer"
        if self._has_tls:
            why += ", or one side does not take the other's certificate: stackproof edge doctor"
        self._call(self._on_disconnected, why)

    def _disconnected(
        self, _client: paho.Client, _data: object, _flags: object, code: ReasonCode, _props: object
    ) -> None:
        self._call(self._on_disconnected, str(code))

    def _message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        self._call(self._on_message, message.topic, message.payload, message.retain)


def _has_left(message: paho.MQTTMessageInfo | None) -> bool:
    try:
        return message is None or message.is_published()
    except RuntimeError:  # its connection was lost, and it with it
        return True


def _hold_little(_client: paho.Client, _data: object, connection: object) -> None:
    """Keep the system from taking megabytes for a link that is slow."""
    if isinstance(connection, socket.socket):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES_MAX)
