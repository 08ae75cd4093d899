"""A small gateway over paho: publishes a stream, reads receipts, goes back when they stand still.

Written for the tests alone; it shares no code with the agent.
"""

import contextlib
import ssl
import threading
import time
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from evidence.errors import EvidenceError
from evidence.receipt import Receipt, decode_receipt
from evidence.suites import PublicKey
from tests.paho_client import Client
from tests.unit.cloud.evidence_examples import Gateway

STALL_S = 0.7
WINDOW = 50


class SpoolPublisher:
    """Delivers a gateway's objects until each is under receipt.

    Attributes:
        receipts: every receipt that came, verified, in order.
        requests: what came on the config topic.
    """

    def __init__(
        self, url: str, gateway: Gateway, collector: PublicKey, slice_id: str,
        tls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self.gateway, self.collector = gateway, collector
        self.receipts: list[Receipt] = []
        self.requests: list[bytes] = []
        self.base = f"stackproof/v1/{slice_id}/{gateway.plant}/{gateway.name}"
        self._stop = threading.Event()
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"edge-{slice_id}-{gateway.plant}-{gateway.name}",
        )
        client.reconnect_delay_set(1, 1)
        client.max_queued_messages_set(2 * WINDOW)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_message = self._message
        self.client = client
        if tls is not None:
            client.tls_set_context(tls)
        parts = urlsplit(url)
        client.connect(parts.hostname or "", parts.port or 1883, keepalive=5)
        client.loop_start()
        self._thread = threading.Thread(target=self._deliver)
        self._thread.start()

    @property
    def receipted(self) -> int:
        return max((receipt.seq for receipt in self.receipts), default=-1)

    def publish(self, leaf: str, payload: bytes, qos: int = 1) -> None:
        self.client.publish(f"{self.base}/{leaf}", payload, qos=qos)

    def stop(self) -> None:
        """End both threads; again does nothing."""
        self._stop.set()
        self._thread.join()
        self.client.disconnect()
        self.client.loop_stop()

    def _connected(self, client: paho.Client, *_: object) -> None:
        client.subscribe([(f"{self.base}/receipts", 1), (f"{self.base}/config", 1)])

    def _subscribed(
        self, client: paho.Client, _data: object, _mid: int, codes: list[ReasonCode], _: object
    ) -> None:
        if any(code.is_failure for code in codes):  # as while a cluster elects its leaders
            self._connected(client)

    def _message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        if message.topic.endswith("/receipts"):
            with contextlib.suppress(EvidenceError):  # forged ones, in one test
                self.receipts.append(decode_receipt(bytes(message.payload), self.collector))
        else:
            self.requests.append(bytes(message.payload))

    def _deliver(self) -> None:
        sent, moved_s, known = 0, time.monotonic(), -1
        while not self._stop.wait(0.02):
            now_s = time.monotonic()
            if self.receipted > known:
                known, moved_s = self.receipted, now_s
            if now_s - moved_s > STALL_S:
                sent, moved_s = known + 1, now_s
            last = min(len(self.gateway.objects), known + 1 + WINDOW)
            while sent < last and self.client.is_connected():
                self.client.publish(f"{self.base}/frames", self.gateway.objects[sent], qos=1)
                sent += 1
