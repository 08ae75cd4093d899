"""Somebody at the broker's door, by whatever certificate: says what he likes, hears what comes."""

import os
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from paho.mqtt.enums import CallbackAPIVersion

from cloud.transport.tls import TlsFiles
from tests.integration.tls.bench import Bench
from tests.paho_client import Client

ANSWERS_S = 30.0


class Guest:
    """One MQTT connection at a time; `leave` or `cut_off` at the end.

    Attributes:
        told: what came of each CONNECT.
        heard: (topic, payload) of what came, in order.
        grants: how often a subscription was answered.
        ended: the connection is no more.
    """

    def __init__(
        self, bench: Bench, files: TlsFiles, name: str, will: str = "", *, keeps: bool = False
    ) -> None:  # fmt: skip
        self.told, self.heard, self.grants = list[str](), list[tuple[str, bytes]](), 0
        self.ended = False
        client = Client(
            CallbackAPIVersion.VERSION2, client_id=name, clean_session=not keeps,
            reconnect_on_failure=False,
        )  # fmt: skip
        client.tls_set_context(files.context())
        if will:
            client.will_set(will, b"will", qos=1)
        client.on_connect = lambda *given: self.told.append(str(given[3]))
        client.on_message = lambda *given: self.heard.append((given[2].topic, given[2].payload))
        client.on_subscribe = self._granted
        client.on_disconnect = self._lost
        client.connect("127.0.0.1", bench.port)
        client.loop_start()
        self.client = client

    def _granted(self, *_: Any) -> None:
        self.grants += 1

    def _lost(self, *_: Any) -> None:
        self.ended = True

    def say(self, topics: Sequence[str], payload: bytes, *, retain: bool = False) -> None:
        """QoS 1, one after the other; both brokers acknowledge what they drop."""
        for topic in topics:
            info = self.client.publish(topic, payload, qos=1, retain=retain)
            info.wait_for_publish(ANSWERS_S)
            assert info.is_published(), topic

    def leave(self) -> None:
        """Say goodbye."""
        self.client.disconnect()
        self.client.loop_stop()

    def cut_off(self) -> None:
        """The link is lost without a goodbye: the broker publishes the will."""
        connection = self.client.socket()
        assert connection is not None
        with socket.socket(fileno=os.dup(connection.fileno())) as plain:
            plain.shutdown(socket.SHUT_RDWR)
        self.client.loop_stop()


@dataclass(frozen=True)
class Door:
    """A port of a broker, and how one comes in there.

    Attributes:
        port: on loopback.
        steps: (what is said, what a good answer holds), one after the other.
        greets: it speaks first, in plain text, before TLS.
    """

    port: int
    steps: Sequence[tuple[bytes, bytes]]
    greets: bool = False

    def answer(self, context: ssl.SSLContext | None) -> bytes:
        """All that is said there, up to the last good answer, or until it hangs up.

        Args:
            context: of TLS; None: everything in plain text.
        """
        heard = b""
        with socket.create_connection(("127.0.0.1", self.port), ANSWERS_S) as connection:
            heard += connection.recv(4096) if self.greets else b""
            try:
                if context is not None:
                    connection = context.wrap_socket(connection, server_hostname="localhost")
                for said, good in self.steps:
                    connection.sendall(said)
                    while good not in heard:
                        if not (more := connection.recv(4096)):
                            return heard
                        heard += more
            except (ssl.SSLError, ConnectionError):
                pass
            finally:
                connection.close()
        return heard

    def lets_in(self, context: ssl.SSLContext | None) -> bool:
        """The last good answer came."""
        return self.steps[-1][1] in self.answer(context)
