"""Somebody with a broker login who publishes whatever can be put into MQTT packets.

Packets are built here: a client library would not let wrong topics out. A broker may hang up on
that; then it is called again.
"""

import contextlib
import json
import select
import socket
from collections.abc import Callable, Sequence
from random import Random
from urllib.parse import urlsplit

from evidence.keys import FileSigner, generate
from tests.fuzz.mutating import json_bent, object_bent, spoilt
from tests.unit.cloud.live_examples import payload as live_payload

MIB = 2**20
_PUBREL = b"\x62\x02"  # and the number: the second half of QoS 2 (3.6)
_DUP, _QOS = 0x08, 0x06  # MQTT 3.1.1, 3.3.1
_LEAVES = (
    "frames", "frames", "frames", "frames", "live", "state", "renew", "relay", "receipts",
    "config", "order", "certificate", "x", "",
)  # fmt: skip
_NAMES = ("mini", "edge-1", "MINI", "", "..", "Ü名", "a" * 64, "a" * 65, "x y", "\ufffe", "$SYS")
_WHOLE = (
    b"", b"#", b"+/+", b"stackproof/v1/00/mini/edge-1/#", b"stackproof/v1/00/+/+/frames", b"/",
    b"stackproof/v1/00/mini/edge-1/frames/", b"\xff\xfe", b"stackproof/v1/00/m\x00/edge-1/live",
    b"\xed\xa0\x80", b"$SYS/broker", b"a" * 65_535, b"/" * 60_000,
    b"stackproof/v1/00/mini/" + b"e" * 60_000 + b"/frames",
)  # fmt: skip


class Stranger:
    """Use `publish_any` again and again, then `close`.

    Args:
        url: of the broker.
        genuine: signed objects of a gateway.
        choose: by chance.
        asks: a request for a broker certificate, and the evidence key that signed it, which signs
            what is made of it; None: there are no requests.
        topic_bytes_max: no topic is longer.

    Attributes:
        sent: messages that left.
        cut: connections the broker ended.
    """

    def __init__(
        self, url: str, genuine: Sequence[bytes], choose: Random,
        asks: tuple[bytes, FileSigner] | None = None, topic_bytes_max: int = 65_535,
    ) -> None:  # fmt: skip
        parts = urlsplit(url)
        self._whole = [topic for topic in _WHOLE if len(topic) <= topic_bytes_max]
        self._at = parts.hostname or "", parts.port or 1883
        self._genuine, self._choose = genuine, choose
        self._bent = object_bent(FileSigner(generate()))
        self._requests = list[tuple[int, Callable[[], bytes]]]()
        if asks is not None:
            request, bend = asks[0], object_bent(asks[1], spoilt)
            self._requests = [(2, lambda: bend(request, choose))]
        self._socket: socket.socket | None = None
        self.sent = self.cut = 0

    def publish_any(self) -> None:
        """One message of any kind, at any QoS, seldom twice, seldom with flags that may not be."""
        packets = self._packets(self._topic(), self._payload())
        try:
            self._connected().sendall(packets)
            self.sent += 1
        except OSError:
            self.close()
            self.cut += 1

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(self._at, timeout=1)
            name = f"stranger-{self._choose.randint(0, 10**9)}".encode()
            head = b"\x00\x04MQTT\x04\x02\x00\x00" + _text(name)
            self._socket.sendall(b"\x10" + _length(len(head)) + head)
            with contextlib.suppress(TimeoutError):
                self._socket.recv(4)
        while select.select([self._socket], [], [], 0)[0]:  # acknowledgements: nobody reads them
            if not self._socket.recv(65_536):
                raise ConnectionError
        return self._socket

    def _packets(self, topic: bytes, payload: bytes) -> bytes:
        choose = self._choose
        is_odd = not choose.randint(0, 99)  # no QoS 3, no DUP of QoS 0, no number 0 (2.3.1, 3.3.1)
        qos = 3 if is_odd else choose.choice([0, 0, 0, 1, 1, 2, 2])
        number = choose.choice([0, 1]) if is_odd else choose.randint(1, 65_535)
        flags = qos << 1 | (not choose.randint(0, 9))
        packets = _publish(topic, payload, flags, number)
        if not choose.randint(0, 4) and (qos or is_odd):
            packets += _publish(topic, payload, flags | _DUP, number)
        if qos == 2 and choose.randint(0, 4):  # else the broker keeps it for ever
            packets += _PUBREL + number.to_bytes(2, "big")
        return packets

    def _topic(self) -> bytes:
        choose = self._choose
        match choose.randint(0, 9):
            case 0:
                return choose.choice(self._whole)
            case 1:
                return spoilt(b"stackproof/v1/00/mini/edge-1/frames", choose)[:65_535]
            case 2 | 3:  # gateways nobody has enrolled
                n = choose.randint(0, 10**6)
                return f"stackproof/v1/00/mini/e{n}/{choose.choice(_LEAVES)}".encode()
            case 4 | 5:
                plant, gateway = choose.choice(_NAMES), choose.choice(_NAMES)
                return f"stackproof/v1/00/{plant}/{gateway}/{choose.choice(_LEAVES)}".encode()
            case _:
                return f"stackproof/v1/00/mini/edge-1/{choose.choice(_LEAVES)}".encode()

    def _payload(self) -> bytes:
        choose = self._choose
        genuine = choose.choice(self._genuine)  # as it is, it is held already, or ahead
        makes: list[tuple[int, Callable[[], bytes]]] = [
            (1, lambda: choose.randbytes(choose.choice([MIB, MIB + 1, 2 * MIB - 70_000]))),
            (4, lambda: spoilt(genuine, choose)),
            (6, lambda: self._bent(genuine, choose)),
            (1, lambda: genuine),
            *self._requests,
            (3, lambda: json_bent(live_payload(), choose)),
            (1, lambda: json.dumps({"online": choose.choice([True, "x", None, [1]])}).encode()),
            (1, lambda: choose.choice([b"[", b'{"a":', b"\x81"]) * choose.choice([1, 100_000])),
            (5, lambda: choose.randbytes(choose.choice([0, 1, 64, 4_096, 60_000]))),
        ]
        shares, kinds = zip(*makes, strict=True)
        return choose.choices(kinds, shares)[0]()


def _publish(topic: bytes, payload: bytes, flags: int, number: int) -> bytes:
    """PUBLISH (3.3) with DUP, QoS and RETAIN as `flags` say; a number where there is QoS."""
    content = _text(topic) + (number.to_bytes(2, "big") if flags & _QOS else b"") + payload
    return bytes([0x30 | flags]) + _length(len(content)) + content


def _text(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def _length(number: int) -> bytes:
    """MQTT 3.1.1 §2.2.3: seven bits a byte, the lowest first."""
    made = bytearray()
    while True:
        number, low = divmod(number, 128)
        made.append(low | (128 if number else 0))
        if not number:
            return bytes(made)
