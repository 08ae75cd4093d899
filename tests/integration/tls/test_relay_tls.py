"""A relay at real brokers under the configuration the product writes: its own streams, no other."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.enums import CallbackAPIVersion

from cloud.transport.tls import TlsFiles
from edge.clock import SystemClock
from edge.relay.config import load_relay
from edge.relay.outer import read_outer
from edge.relay.queue import Queue
from edge.relay.service import Relay, queue_path
from edge.relay.status import status_of
from edge.uplink.topics import Topics
from evidence.keys import load_certificate
from tests.integration.edge.brokers import NAMES
from tests.integration.tls.bench import Bench, benches
from tests.paho_client import Client
from tests.unit.edge.sites import GATEWAY, PLANT
from tests.unit.edge.stream_rig import Rig, collector, opened
from tests.waiting import until

RELAY = """\
format = 1
[relay]
folder = "inbox"
broker = "mqtts://127.0.0.1:{port}"
ca = "file:broker/ca.crt"
key = "file:broker/relay-west.pem"
certificate = "file:broker/relay-west.crt"
[[stream]]
plant = "north-works"
gateway = "edge-1"
collector = "file:keys/collector.crt"
[[stream]]
plant = "north-works"
gateway = "edge-2"
collector = "file:keys/collector.crt"
"""
RIGHTS = """\
[[broker.relay]]
certificate = "file:broker/relay-west.crt"
streams = ["north-works/edge-1"]
"""


@pytest.fixture(params=NAMES)
def bench(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Bench]:
    yield from benches(tmp_path, request.param, capsys)


class Listener:
    """Who shows the collector's certificate: hears frames, says receipts."""

    def __init__(self, bench: Bench) -> None:
        self.heard: list[tuple[str, bytes]] = []
        broker = bench.folder / "broker"
        self.client = Client(CallbackAPIVersion.VERSION2, client_id="collector-00")
        files = TlsFiles(broker / "ca.crt", broker / "collector.crt", broker / "collector.pem")
        self.client.tls_set_context(files.context())
        self.client.on_message = lambda *given: self.heard.append(
            (given[2].topic, given[2].payload)
        )
        self.client.on_connect = lambda *_: self.client.subscribe("stackproof/v1/00/+/+/frames", 1)
        self.is_heard = False
        self.client.on_subscribe = lambda *_: setattr(self, "is_heard", True)
        self.client.connect("127.0.0.1", bench.port)
        self.client.loop_start()


async def another_key(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """What the broker lets in from now on is another key, and the old one no more."""
    for name in ("relay-west.pem", "relay-west.crt"):
        (bench.folder / "broker" / name).unlink()
    await asyncio.to_thread(bench.run, "cloud broker relay", bench.folder / "broker", "--name west")
    await asyncio.to_thread(bench.configure)
    await until(lambda: "other TLS files" in caplog.text)


async def test_it_forwards_the_streams_that_are_named_for_it_and_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("edge.relay.service.COUNTS_S", 0.1)
    monkeypatch.setattr("edge.relay.service.TLS_LOOK_S", 0.1)
    caplog.set_level("INFO")
    bench.run("cloud broker relay", bench.folder / "broker", "--name west")
    bench.cloud.write_text(bench.cloud.read_text() + RIGHTS)
    bench.configure()
    spool, stream = opened(bench.folder / "spool.sqlite")
    rig = Rig(spool, stream, collector())
    rig.made(3)
    objects = [stored.data for stored in spool.objects(0, 9)]
    spool.close()
    file = bench.folder / "relay.toml"
    file.write_text(RELAY.format(port=bench.port))
    config, clock = load_relay(file), SystemClock()
    for gateway in (GATEWAY, "edge-2"):
        queue = Queue(queue_path(config, PLANT, gateway), bytes_max=2**24)
        queue.keep([read_outer(data) for data in objects], clock.wall_ns())
        queue.close()
    listener, told = Listener(bench), list[str]()
    stop, topics = asyncio.Event(), Topics.of("00", PLANT, GATEWAY)
    await until(lambda: listener.is_heard)
    task = asyncio.create_task(Relay(config, clock).run(stop, alive=told.append))
    try:
        await until(lambda: len(listener.heard) >= len(objects))
        listener.client.publish(f"{topics.base}/receipts", rig.collector.receipt(), 1, retain=True)
        await until(lambda: status_of(config, clock)["streams"][0]["objects"] == 0)
        await until(lambda: "2 streams, 2 with a broker" in told)
        await until(lambda: all(one["broker"] for one in status_of(config, clock)["streams"]))
        status = status_of(config, clock)
        await another_key(bench, caplog)
        told.append("other key")
        await until(lambda: "2 streams, 2 with a broker" in told[told.index("other key") :])
    finally:
        stop.set()
        await task
        listener.client.loop_stop()
    assert set(listener.heard) == {(topics.frames, data) for data in objects}
    assert status["streams"][1]["objects"] == len(objects), "nobody has it: it stays"
    assert all(stream["broker"]["reason"] == "" for stream in status["streams"])
    assert status["certificate_trouble"] == ""
    assert status["certificate_not_after_ns"] > clock.wall_ns() + 700 * 86400 * 10**9
    ends = load_certificate(bench.folder / "broker/server.crt").not_valid_after_utc
    assert status["broker_shown"]["ends_ns"] == int(ends.timestamp()) * 10**9
