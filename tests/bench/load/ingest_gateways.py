"""Many gateways in one process that cost next to nothing: everything is signed before the clock.

    python -m tests.bench.load.ingest_gateways FOLDER SLICE PLANTS FRAMES BROKER

Writes FOLDER/CLOUD.toml with keys of PLANTS plants, signs a configuration and FRAMES frames of each
(a simulated smelter's, 500 measured points for 10 s), and says {"made": ...}. Then it obeys lines
on stdin: "connect URL" sends the configurations and answers when all are under receipt; "run RATE
SECONDS" sends so many frames a second, a plant after another, and answers with what came of it;
"end" ends it. BROKER is the [broker] table of CLOUD.toml, in one line.

A gateway sends no more than `WINDOW` objects ahead of its receipts, as agents do, and never sends
one twice: nothing may be lost here. Packets are MQTT 3.1.1, written by hand; receipts are kept as
they come and verified after the clock has stopped.
"""

import json
import selectors
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from evidence import cbor, cose
from evidence.blocks import compress, content
from evidence.frame import TYP_CONFIG, TYP_FRAME, encode_body
from evidence.keys import FileSigner, generate, write_private
from evidence.receipt import decode_receipt
from evidence.suites import PrivateKey, PublicKey
from simulators.month_config import GATEWAY
from simulators.month_play import frame_of
from tests.bench.evidence import FEW_POTS, POINTS, played_hour
from tests.unit.cloud.evidence_examples import Gateway, make_plant

FRAME_S = 10
#: one hour is played: what comes after it is empty, and a collector refuses that
FRAMES_MAX = 3_600 // FRAME_S
READINGS = POINTS * FRAME_S
WINDOW = 8
#: for the last receipts
REST_S = 120.0
_CHUNK = 256 * 1024
_HEAD = """\
format = 1
[cloud]
slice = "{slice}"
state_dir = "state"
key = "file:collector.pem"
certificate = "file:{first}/collector.crt"
[broker]
{broker}
[http]
port = 0
accounts = false
"""
_PLANT = """\
[[plant]]
id = "{plant}"
root = "file:{plant}/root.crt"
gateways = ["file:{plant}/edge-1.crt"]
collector = "file:{plant}/collector.crt"
"""


@dataclass
class Stream:
    """A gateway's packets, and how far they are sent and under receipt."""

    packets: list[bytes]
    sent: list[float] = field(default_factory=list)
    receipted: int = -1

    @property
    def may_send(self) -> bool:
        """There is a packet left, and few enough are ahead of their receipts."""
        return len(self.sent) < min(len(self.packets), self.receipted + WINDOW + 1)


@dataclass(frozen=True)
class Made:
    """What is to be made.

    Attributes:
        folder: keys and CLOUD.toml go there.
        slice: two hex digits.
        plants: how many.
        frames: of each, at most `FRAMES_MAX`.
        broker: the [broker] table, in one line.
    """

    folder: Path
    slice: str
    plants: int
    frames: int
    broker: str = "port = 0"


def make(of: Made, collector: PrivateKey) -> Iterator[Gateway]:
    """Keys, CLOUD.toml, and each plant's gateway with everything it will send."""
    write_private(of.folder / "collector.pem", collector)
    names = [f"works-{n:04}" for n in range(of.plants)]
    broker = of.broker.replace(";", "\n")
    parts = [_HEAD.format(slice=of.slice, first=names[0], broker=broker)]
    parts += [_PLANT.format(plant=plant) for plant in names]
    (of.folder / "CLOUD.toml").write_text("".join(parts))
    config, hour = played_hour(POINTS, FEW_POTS, FRAME_S)
    payloads = [encode_body(frame_of(hour, n * FRAME_S, FRAME_S)) for n in range(of.frames)]
    for plant in names:
        gateway = make_plant(of.folder, plant, (GATEWAY,), FileSigner(collector)).gateways[GATEWAY]
        of_plant = {**config, "plant": {**config["plant"], "id": plant}}
        of_plant["gateway"] = {**config["gateway"], "slice": of.slice}
        gateway.append(gateway.sign(TYP_CONFIG, compress(cbor.encode(of_plant))))
        gateway.cfg = gateway.head
        for payload in payloads:
            gateway.append(gateway.sign(TYP_FRAME, payload))
        yield gateway


def packet(kind: int, body: bytes) -> bytes:
    """An MQTT control packet (3.1.1 §2.2)."""
    length, more = b"", len(body)
    while True:
        length += bytes([more % 128 | (0x80 if more >= 128 else 0)])
        more //= 128
        if not more:
            return bytes([kind]) + length + body


def text(value: str) -> bytes:
    """A string with its length (3.1.1 §1.5.3)."""
    return struct.pack(">H", len(value)) + value.encode()


class Wire:
    """One MQTT connection, never waiting."""

    def __init__(self, url: str, client_id: str) -> None:
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port))
        connect = text("MQTT") + bytes([4, 2, 0, 0]) + text(client_id)  # clean, no keep-alive
        self.socket.sendall(packet(0x10, connect))
        self.socket.setblocking(False)
        self.waiting = deque[bytes]()
        self._partial = memoryview(b"")
        self._come = bytearray()

    def write(self) -> None:
        """Send what the socket takes."""
        while self._partial or self.waiting:
            if not self._partial:
                many = [self.waiting.popleft() for _ in range(min(32, len(self.waiting)))]
                self._partial = memoryview(b"".join(many))
            try:
                self._partial = self._partial[self.socket.send(self._partial) :]
            except BlockingIOError:
                return

    @property
    def is_behind(self) -> bool:
        """There is something to write."""
        return bool(self._partial or self.waiting)

    def read(self) -> Iterator[tuple[int, bytes]]:
        """(first byte, body) of the packets that came."""
        try:
            self._come += self.socket.recv(_CHUNK)
        except BlockingIOError:
            return
        at = 0
        while True:
            length, shift, start = 0, 0, at + 1
            while start < len(self._come):
                length |= (self._come[start] & 0x7F) << shift
                shift += 7
                start += 1
                if not self._come[start - 1] & 0x80:
                    break
            else:
                break
            if start + length > len(self._come):
                break
            yield self._come[at], bytes(self._come[start : start + length])
            at = start + length
        del self._come[:at]


class Gateways:
    """All of them, over two connections: one sends, one hears the receipts."""

    def __init__(self, slice_id: str, gateways: list[Gateway], collector: PublicKey) -> None:
        self._slice, self._collector = slice_id, collector
        self._base = f"stackproof/v1/{slice_id}"
        self.streams = {g.plant: Stream(list(self._packets(g))) for g in gateways}
        self.came: list[tuple[float, str, bytes]] = []

    def _packets(self, gateway: Gateway) -> Iterator[bytes]:
        topic = text(f"{self._base}/{gateway.plant}/{gateway.name}/frames")
        for n, data in enumerate(gateway.objects):
            yield packet(0x32, topic + struct.pack(">H", n % 65_535 + 1) + data)  # QoS 1

    def connect(self, url: str) -> None:
        """Send every configuration, and wait until all are under receipt."""
        self._up = Wire(url, f"bench-up-{self._slice}")
        self._down = Wire(url, f"bench-down-{self._slice}")
        filters = text(f"{self._base}/+/+/receipts") + b"\x00"
        self._down.socket.sendall(packet(0x82, b"\x00\x01" + filters))
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._up.socket, selectors.EVENT_READ)
        self._selector.register(self._down.socket, selectors.EVENT_READ)
        for stream in self.streams.values():
            self._send(stream)
        while any(stream.receipted < 0 for stream in self.streams.values()):
            self._turn(0.05)

    def run(self, rate: float, seconds: float) -> dict[str, Any]:
        """Send frames at a pace and wait for the last receipts; what came of it."""
        began_s, cpu_s = time.monotonic(), time.process_time()
        first = {plant: len(stream.sent) for plant, stream in self.streams.items()}
        order, count = deque(self.streams.values()), 0
        self.came.clear()
        while (now_s := time.monotonic()) < began_s + seconds:
            for _ in range(min(len(order), int((now_s - began_s) * rate) - count)):
                stream = order[0]
                order.rotate(-1)
                if stream.may_send:
                    self._send(stream)
                    count += 1
            self._turn(0.005)
        cpu_s = time.process_time() - cpu_s
        until_s = time.monotonic() + REST_S
        while time.monotonic() < until_s and not self._is_done:
            self._turn(0.05)
        took_s = time.monotonic() - began_s
        return {"took_s": took_s, "cpu_s": cpu_s, **self._judge(began_s + seconds, first)}

    @property
    def _is_done(self) -> bool:
        return all(s.receipted == len(s.sent) - 1 for s in self.streams.values())

    def _send(self, stream: Stream) -> None:
        self._up.waiting.append(stream.packets[len(stream.sent)])
        stream.sent.append(time.monotonic())

    def _turn(self, timeout_s: float) -> None:
        self._up.write()
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._up.is_behind else 0)
        self._selector.modify(self._up.socket, events)
        ready = {key.fileobj for key, _ in self._selector.select(timeout_s)}
        if self._up.socket in ready:
            for _ in self._up.read():
                pass  # what the broker acknowledges means nothing here
        if self._down.socket in ready:
            for kind, body in self._down.read():
                if kind & 0xF0 == 0x30:
                    self._receipt(body)

    def _receipt(self, body: bytes) -> None:
        """Keep it; how far it speaks is found out without verifying it: that comes later."""
        (length,) = struct.unpack_from(">H", body)
        plant, data = body[2 : 2 + length].split(b"/")[3].decode(), body[2 + length :]
        self.came.append((time.monotonic(), plant, data))
        self.streams[plant].receipted = seq_of(data)

    def _judge(self, end_s: float, first: Mapping[str, int]) -> dict[str, Any]:
        """Every receipt verified; each frame's wait for the first receipt that covers it."""
        waits, inside, through = list[float](), 0, {p: n - 1 for p, n in first.items()}
        for came_s, plant, data in self.came:
            seq = decode_receipt(data, self._collector).seq
            for frame in range(through[plant] + 1, seq + 1):
                waits.append(came_s - self.streams[plant].sent[frame])
                inside += came_s <= end_s
            through[plant] = max(through[plant], seq)
        sent = sum(len(s.sent) - first[plant] for plant, s in self.streams.items())
        waits.sort()
        told = {"sent": sent, "receipted": len(waits), "inside": inside}
        for percent in (50, 99, 100):
            told[f"p{percent}_s"] = waits[(len(waits) - 1) * percent // 100]
        return told


def seq_of(receipt: bytes) -> int:
    """How far a receipt speaks, not verified."""
    return int(content(cose.parse(receipt).payload)["seq"])


def main(argv: list[str]) -> None:
    """Make everything, then obey stdin."""
    folder, slice_id, plants, frames, broker = argv
    collector = generate()
    of = Made(Path(folder), slice_id, int(plants), int(frames), broker)
    made = list(make(of, collector))
    gateways = Gateways(slice_id, made, collector.public_key())
    print(json.dumps({"bytes": sum(len(o) for g in made for o in g.objects)}), flush=True)
    del made
    for line in sys.stdin:
        order, *arguments = line.split()
        if order == "end":
            break
        told = {}
        if order == "connect":
            gateways.connect(*arguments)
        else:
            told = gateways.run(*map(float, arguments))
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
