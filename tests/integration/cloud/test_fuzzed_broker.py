"""Whatever a stranger with a broker login publishes, the collector serves the plant beside it."""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from tests.integration.cloud.cloud_process import Cloud, wait
from tests.integration.cloud.spool_publisher import SpoolPublisher
from tests.integration.cloud.stranger import Stranger
from tests.integration.edge.brokers import Broker
from tests.unit.cloud.evidence_examples import SECOND_NS, T0_NS
from tests.unit.cloud.store.plant_examples import read_plant

GENUINE = 20
RECEIPT_S, LONGEST_S = 2.0, 30.0
GROWS_KIB = 192 * 1024  # the inbox may hold 64 MiB, and what paho holds comes on top
LOG_BYTES = 100_000


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def resident_kib(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0])


def endure(cloud: Cloud, choose: Random, seconds: float) -> dict[str, Any]:
    """Publish anything for so long, beside a gateway that delivers; figures of it."""
    ready, gateway = cloud.start(), cloud.plant.gateways["edge-1"]
    gateway.config()
    for n in range(GENUINE):
        gateway.frame(T0_NS + n * SECOND_NS)
    publisher = cloud.publisher(ready["broker"])
    wait(lambda: publisher.receipted == GENUINE)
    before_kib = resident_kib(ready["pid"])
    stranger = Stranger(ready["broker"], list(gateway.objects), choose)
    try:
        waited_s = beside(publisher, stranger, ready["http"], seconds)
    finally:
        stranger.close()
        publisher.stop()
    (row,) = get(f"{ready['http']}/api/v1/streams")
    grown_kib = resident_kib(ready["pid"]) - before_kib
    status, printed = cloud.end()
    assert (status, "Traceback" in printed) == (0, False), printed[-4000:]
    return {
        "sent": stranger.sent, "cut": stranger.cut, "frames": len(waited_s), "waited_s": waited_s,
        "refused": row["refused"], "grown_kib": grown_kib, "printed": len(printed),
    }  # fmt: skip


def beside(publisher: SpoolPublisher, stranger: Stranger, http: str, seconds: float) -> list[float]:
    """How long each frame of the gateway waited for its receipt."""
    waited_s, until_s = [], time.monotonic() + seconds
    gateway = publisher.gateway
    while time.monotonic() < until_s:
        gateway.frame(T0_NS + len(gateway.objects) * SECOND_NS)
        began_s = time.monotonic()
        while publisher.receipted < len(gateway.objects) - 1:
            stranger.publish_any()
            assert time.monotonic() < began_s + LONGEST_S, "no receipt"
        waited_s.append(time.monotonic() - began_s)
        with urllib.request.urlopen(f"{http}/readyz", timeout=10) as answer:
            assert answer.status == 200
    return waited_s


def check(cloud: Cloud, figures: dict[str, Any]) -> None:
    assert figures["sent"] >= 100 * figures["frames"], figures
    assert figures["cut"], "no broker takes these topics without a word"
    assert np.median(figures["waited_s"]) <= RECEIPT_S, figures
    assert {"malformed", "signature"} <= set(figures["refused"]), figures
    assert "defect" not in figures["refused"]
    assert figures["grown_kib"] < GROWS_KIB, figures
    assert figures["printed"] < LOG_BYTES, figures
    home = cloud.folder / "evidence/00/mini"
    held = read_plant(home, cloud.plant.collector.public_key)
    assert held == {"edge-1": cloud.plant.gateways["edge-1"].objects}


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_seconds_of_anything(cloud: Cloud) -> None:
    check(cloud, endure(cloud, Random(10), 3.0))


@pytest.fixture
def mosquitto(cloud: Cloud, tmp_path: Path) -> Iterator[Cloud]:
    """The collector, with a broker that it does not start."""
    broker = Broker("mosquitto", tmp_path / "mosquitto")
    broker.start()
    text = cloud.config.read_text()
    own = text[text.index("[broker]") : text.index("[http]")]
    other = f'[broker]\nmode = "external"\nurl = "{broker.url}"\n'
    cloud.config.write_text(text.replace(own, other))
    yield cloud
    broker.stop()


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("whose", "seconds"), [("cloud", 180.0), ("mosquitto", 60.0)])
def test_minutes_of_anything_else_each_time(
    request: pytest.FixtureRequest, whose: str, seconds: float
) -> None:
    cloud: Cloud = request.getfixturevalue(whose)
    seed = int.from_bytes(os.urandom(4), "big")
    figures = endure(cloud, Random(seed), seconds)
    figures["waited_s"] = np.quantile(figures["waited_s"], [0.5, 0.99, 1]).round(2).tolist()
    sys.stdout.write(f"seed {seed}: {figures}\n")
    check(cloud, figures)
