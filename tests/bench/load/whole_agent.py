"""The whole agent as its users run it, on the benched plant: what it costs and what arrives.

Collector, broker (nats-server) and the devices run on the other core. What was delivered is read
from the collector's store and held against what the devices served.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evidence import cose
from evidence.frame import TYP_FRAME, Section, decode_body, header_of
from evidence.quality import Quality
from tests.bench.load.modbus_plant import POINTS, served
from tests.bench.load.spent import Spent, end, machine_busy_s, on_core, spent, two_cores
from tests.kept_objects import objects_in

DEVICES = 100
PLANT, GATEWAY = "bench", "edge-1"
WARM_UP_S = 15
START_S = 60

_PROFILE = """\
format = 1
vendor = "bench"
model = "floats"
revision = "1"
title = "A hundred floats"
protocol = "modbus"
quality_level = "simulated"
source = "tests/bench/load/modbus_plant.py"
address_notation = "0-based"
word_order = "big"
byte_order = "big"
max_registers_per_read = 125
hole_limit = 0
pause_ms = 0
"""
_REGISTER = """
[[register]]
name = "value-{n:02}"
table = "holding"
address = {address}
type = "f32"
point_decimals = 3
unit = "degC"
kind = "temperature"
source = "tests/bench/load/modbus_plant.py"
"""
_SITE = """\
format = 1

[plant]
id = "bench"
name = "Bench"
sector = "aluminium"
time_zone = "Asia/Shanghai"
rule_set = "cets-ag-04.01-v01-2024"
simulated = true

[gateway]
id = "edge-1"
slice = "00"
key = "file:keys/edge-1.pem"
certificate = "file:keys/edge-1.crt"
state_dir = "edge"

[uplink]
url = "mqtt://127.0.0.1:{broker}"
collector = "file:keys/collector.crt"

[statement]
"""
_DEVICE = """
[[device]]
id = "device-{n:03}"
url = "modbus+tcp://127.0.0.1:{port}?unit=1"
profile = "floats.toml"
provenance = "meter-direct"
"""
_CLOUD = """\
format = 1

[cloud]
slice = "00"
state_dir = "cloud"
key = "file:keys/collector.pem"
certificate = "file:keys/collector.crt"

[broker]
mode = "embedded"
port = 0

[http]
host = "127.0.0.1"
port = 0
accounts = false

[[plant]]
id = "bench"
root = "file:keys/root.crt"
gateways = ["file:keys/edge-1.crt"]
"""


@dataclass(frozen=True)
class Cost:
    """What a process cost over a while.

    Attributes:
        share: of a core, percent.
        at_end: memory at the end of the while.
        busy: cores that everybody together kept busy meanwhile.
    """

    share: float
    at_end: Spent
    busy: float


@dataclass(frozen=True)
class Delivered:
    """What the collector has of the while.

    Attributes:
        due: readings.
        arrived: good ones, under the collector's log, with the value the device served then.
        object_bytes: signed bytes a reading.
    """

    due: int
    arrived: int
    object_bytes: float


@contextmanager
def plant(core: int, devices: int) -> Iterator[list[int]]:
    """The devices' ports, while it runs."""
    process = on_core(
        core, "-m", "tests.bench.load.modbus_plant", str(devices), out=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        end(process)


def measure(
    work: Path, ports: Sequence[int], seconds: int, then: Callable[[int], None]
) -> tuple[Cost, Delivered]:
    """Run collector and agent.

    Args:
        work: an empty folder.
        ports: of the devices.
        seconds: to measure for, after the warm-up.
        then: called with the broker's port when the agent has ended, the collector still runs.
    """
    mine, other = two_cores()
    keys = ("keys", "new", "--out", str(work / "keys"), "--plant", PLANT, "--gateway", GATEWAY)
    subprocess.run([sys.executable, "-m", "stackproof", *keys], check=True, capture_output=True)
    (work / "cloud.toml").write_text(_CLOUD)
    cloud = _start(work, other, "cloud")
    try:
        _wait(work, "cloud", cloud, lambda: (work / "cloud/broker.url").is_file())
        broker = int((work / "cloud/broker.url").read_text().rpartition(":")[2])
        _write_site(work, ports, broker)
        edge, log = _start(work, mine, "edge"), work / "edge.log"
        try:
            _wait(work, "edge", edge, lambda: ": running" in log.read_text())
            time.sleep(WARM_UP_S)
            began_s = time.time()
            cost = watch(edge.pid, seconds)
            ended_s = time.time()
            edge.send_signal(signal.SIGTERM)  # it waits for the last receipts
            assert edge.wait(30) == 0, log.read_text()
        finally:
            end(edge)
        then(broker)
    finally:
        end(cloud)
    return cost, _delivered(work, int(began_s) + 1, int(ended_s))


def watch(pid: int, seconds: int) -> Cost:
    """What a process costs from now on."""
    before, busy_s, began_s = spent(pid), machine_busy_s(), time.monotonic()
    time.sleep(seconds)
    at_end, took_s = spent(pid), time.monotonic() - began_s
    share = 100 * (at_end.cpu_s - before.cpu_s) / took_s
    return Cost(share, at_end, (machine_busy_s() - busy_s) / took_s)


def _write_site(work: Path, ports: Sequence[int], broker: int) -> None:
    rows = (_REGISTER.format(n=n, address=2 * n) for n in range(POINTS))
    (work / "floats.toml").write_text(_PROFILE + "".join(rows))
    devices = (_DEVICE.format(n=n, port=port) for n, port in enumerate(ports))
    (work / "site.toml").write_text(_SITE.format(broker=broker) + "".join(devices))


def _start(work: Path, core: int, room: str) -> subprocess.Popen[bytes]:
    file = work / {"edge": "site.toml", "cloud": "cloud.toml"}[room]
    with (work / f"{room}.log").open("wb") as log:
        return on_core(core, "-m", "stackproof", room, "run", str(file), out=log)


def _wait(
    work: Path, room: str, process: subprocess.Popen[bytes], condition: Callable[[], bool]
) -> None:
    deadline_s = time.monotonic() + START_S
    while not condition():
        if time.monotonic() > deadline_s or process.poll() is not None:
            raise RuntimeError(f"{room} did not start:\n{(work / f'{room}.log').read_text()}")
        time.sleep(0.2)


def _delivered(work: Path, first_s: int, stop_s: int) -> Delivered:
    """What of the seconds first_s to stop_s - 1 stands in the collector's store."""
    arrived = size = readings = 0
    seen: set[int] = set()
    for data in objects_in(work / "evidence.db"):
        envelope = cose.parse(data)
        if header_of(envelope).typ != TYP_FRAME:
            continue
        for section in decode_body(envelope.payload).sections:
            good = _good_by_second(section)
            assert seen.isdisjoint(good), "a tick stands twice"
            seen |= good.keys()
            arrived += sum(n for s, n in good.items() if first_s <= s < stop_s)
            size, readings = size + len(data), readings + sum(good.values())
    return Delivered((stop_s - first_s) * DEVICES * POINTS, arrived, size / max(readings, 1))


def _good_by_second(section: Section) -> Mapping[int, int]:
    """Second -> readings that are good and true; a device turns its values just after a second."""
    (group,) = section.groups
    good = {}
    for tick in range(section.ticks):
        second = (section.first_ns + tick * section.step_ns) // 10**9
        raw, is_good = group.raw[:, tick], group.quality[:, tick] == Quality.GOOD
        is_true = np.zeros(len(raw), dtype=bool)
        for of in (second - 1, second):
            is_true |= raw == served(DEVICES, of)
        good[second] = int((is_good & is_true).sum())
    return good


def bare_gateway(ports: Sequence[int], broker: int, seconds: int) -> Cost:
    """The floor: the same reads, published and forgotten."""
    process = on_core(
        two_cores()[0], "-m", "tests.bench.load.bare_gateway", str(broker), *map(str, ports),
        out=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        time.sleep(WARM_UP_S / 3)
        return watch(process.pid, seconds)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
