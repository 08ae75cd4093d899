"""A collector of a few lines: checks the chain, logs, sends signed receipts. Nothing on disk.

It keeps the rules a gateway relies on: only a stream's next object is taken, receipts are
cumulative, and each carries a checkpoint of a log that includes the receipted object.
"""

import hashlib
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from evidence import checkpoint, cose
from evidence.chain import Head, follow
from evidence.errors import ChainError
from evidence.frame import TYP_ROTATE, header_of
from evidence.keys import FileSigner, public_key
from evidence.merkle import Tree, leaf_hash
from evidence.orders import decode_rotate
from evidence.receipt import CloseRequest, Receipt, encode_close_request, encode_receipt
from evidence.suites import PublicKey
from tests.paho_client import Client


@dataclass
class SmallCollector:
    """One stream's collector; `objects` are what it has taken, in order."""

    plant: str
    gateway: str
    signer: FileSigner
    gateway_key: PublicKey
    objects: list[bytes] = field(default_factory=list)
    dropped: int = 0
    forks: int = 0
    is_deaf: bool = False
    head: Head = field(default_factory=Head)
    log: Tree = field(default_factory=Tree)
    live: list[bytes] = field(default_factory=list)
    states: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._base = f"stackproof/v1/00/{self.plant}/{self.gateway}"
        self._client: paho.Client | None = None

    # -- over MQTT --------------------------------------------------------------------------------

    def start(self, port: int) -> None:
        """Connect to a broker on 127.0.0.1, for ever."""
        client = Client(CallbackAPIVersion.VERSION2, client_id="collector-00")
        client.on_connect = self._connected
        client.on_message = self._message
        client.reconnect_delay_set(0.2, 0.2)  # type: ignore[arg-type] # it sleeps what it is given
        client.connect_async("127.0.0.1", port, keepalive=5)
        client.loop_start()
        self._client = client

    def stop(self) -> None:
        """Disconnect; what was taken stays."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
            self._client = None

    def wait(self, condition: Any, timeout_s: float = 60) -> bool:
        """Wait until `condition(self)` is true; False when it does not become so."""
        with self._changed:
            return bool(self._changed.wait_for(lambda: condition(self), timeout_s))

    def ask_close(self, request: CloseRequest) -> None:
        """Publish a close request."""
        self.say("config", encode_close_request(request, self.signer))

    def say(self, leaf: str, data: bytes) -> None:
        """Publish anything on a topic of the gateway, retained."""
        assert self._client is not None
        self._client.publish(f"{self._base}/{leaf}", data, qos=1, retain=True)

    def _connected(self, client: paho.Client, *_: object) -> None:
        leaves = ("frames", 1), ("live", 0), ("state", 1)
        client.subscribe([(f"{self._base}/{leaf}", qos) for leaf, qos in leaves])

    def _message(self, client: paho.Client, _: object, message: paho.MQTTMessage) -> None:
        with self._changed:
            if message.topic.endswith("/live"):
                self.live.append(bytes(message.payload))
            elif message.topic.endswith("/state"):
                self.states.append(bytes(message.payload))
            elif not self.is_deaf:
                self.take(bytes(message.payload))
                if self.objects:
                    client.publish(f"{self._base}/receipts", self.receipt(), qos=1, retain=True)
            self._changed.notify_all()

    # -- without a network ------------------------------------------------------------------------

    def take(self, data: bytes) -> bool:
        """Take one object if it is the next; the gateway's signature must be good."""
        envelope = cose.parse(data)
        cose.verify(envelope, self.gateway_key)
        header = header_of(envelope)
        assert (header.plant, header.stream) == (self.plant, self.gateway)
        digest = hashlib.sha256(data).digest()
        if header.seq < self.head.next_seq and self.objects[header.seq] != data:
            self.forks += 1
        try:
            self.head = follow(self.head, header, digest)
        except ChainError:
            self.dropped += 1
            return False
        self.objects.append(data)
        self.log.append(leaf_hash(data))
        if header.typ == TYP_ROTATE:
            self.gateway_key = public_key(decode_rotate(envelope.payload))
        return True

    def root(self) -> bytes:
        """Root of the log."""
        return self.log.root_at(self.log.size)

    def receipt(self, **changes: Any) -> bytes:
        """A receipt for everything taken; `changes` replace its fields."""
        tree = checkpoint.Checkpoint(self.plant, self.log.size, self.root())
        anchor = header_of(cose.parse(self.objects[-1])).anchor
        since = 0 if anchor is None else anchor[0]
        path = self.log.consistency_path(since) if 0 < since <= self.log.size else []
        key = self.signer.public_key
        fields: dict[str, Any] = {
            "plant": self.plant,
            "stream": self.gateway,
            "seq": self.head.next_seq - 1,
            "head": self.head.hash,
            "log_index": self.log.size - 1,
            "received_ns": time.time_ns(),
            "checkpoint": checkpoint.sign(tree, self.signer, key),
            "since": since,
            "path": tuple(path),
        }
        return encode_receipt(Receipt(**{**fields, **changes}), self.signer)

    def close_request(self, **changes: Any) -> CloseRequest:
        """A request to close at the newest object; `changes` replace its fields."""
        fields: dict[str, Any] = {
            "plant": self.plant,
            "stream": self.gateway,
            "month": "2026-11",
            "closing": "interim",
            "statement_sha256": bytes(32),
            "seq": self.head.next_seq - 1,
            "head": self.head.hash,
            "log_size": self.log.size,
            "log_root": self.root(),
        }
        return CloseRequest(**{**fields, **changes})
