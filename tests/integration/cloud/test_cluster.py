"""A collector, and a node of its broker, killed under load: a standby goes on, nothing is lost."""

import json
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from cloud import cli
from cloud.broker import find_binary
from evidence.log import decode_entry
from evidence.records import read_records
from tests.integration.cloud.cloud_process import Cloud, command, run, wait
from tests.integration.cloud.spool_publisher import SpoolPublisher
from tests.integration.edge.brokers import Broker
from tests.ports import free_port
from tests.system.relay import Relay
from tests.unit.cloud.evidence_examples import SECOND_NS, T0_NS
from tests.unit.cloud.store.plant_examples import read_plant

DOCUMENT = Path(__file__).resolve().parents[3] / "docs/cluster.md"
FRAMES = 120
KILL_AT = 10
NODES = 3


class Member:
    """The collector of a slice, its gateway, and a standby of it."""

    def __init__(self, folder: Path, slice_id: str, url: str) -> None:
        folder.mkdir()
        self.cloud, self.slice = Cloud(folder), slice_id
        text = re.sub(r"port = \d+\n\[http\]", "[http]", self.cloud.config.read_text(), count=1)
        text = text.replace('slice = "00"', f'slice = "{slice_id}"')
        text = text.replace("[broker]\n", f'[broker]\nmode = "external"\nurl = "{url}"\n')
        self.cloud.config.write_text(text)
        self.gateway = self.cloud.plant.gateways["edge-1"]
        self.gateway.config()
        for n in range(FRAMES):
            self.gateway.frame(T0_NS + n * SECOND_NS, ticks=1)

    def stand_by(self) -> tuple[subprocess.Popen[str], str]:
        """Another process with the same CLOUD.toml; where it answers."""
        process = subprocess.Popen(
            command("run", self.cloud.config, "--standby"),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"waiting; (http\S+)/readyz", line):
                return process, found[1]
        raise AssertionError("it ended")

    def publisher(self, url: str) -> SpoolPublisher:
        key = self.cloud.plant.collector.public_key
        return SpoolPublisher(url, self.gateway, key, self.slice)

    def ready_as(self, pid: int) -> dict[str, Any] | None:
        """What the ready file says, once it is of this process."""
        found: dict[str, Any] = json.loads((self.cloud.folder / "state/ready.json").read_text())
        return found if found["pid"] == pid else None

    def judge(self, epoch: int) -> None:
        """Every object once and in order; the newest entry is of this epoch; fsck is content."""
        folder = self.cloud.folder / "evidence" / self.slice / "mini"
        held = read_plant(folder, self.cloud.plant.collector.public_key)
        assert held == {"edge-1": self.gateway.objects}
        entries = [*read_records((folder / "log/entries.seg").read_bytes())]
        assert decode_entry(entries[-1]).epoch == epoch
        checked = run("fsck", self.cloud.config)
        assert checked.returncode == 0, checked.stdout


def answer(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@contextmanager
def nodes(folder: Path) -> Iterator[tuple[list[subprocess.Popen[bytes]], list[int]]]:
    """The cluster of docs/cluster.md on loopback: processes, and ports for MQTT."""
    (config,) = re.findall(r"```conf\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    ports, routes = [free_port() for _ in range(NODES)], [free_port() for _ in range(NODES)]
    started = []
    try:
        for n in range(NODES):
            text = config.replace("broker-1", f"broker-{n + 1}").replace("/var/lib/nats", f"js-{n}")
            text = text.replace("10.0.0.11:1883", f"127.0.0.1:{ports[n]}").replace(":4222", ":-1")
            text = text.replace('listen: "10.0.0.11:6222"', f'listen: "127.0.0.1:{routes[n]}"')
            for node, port in enumerate(routes):
                text = text.replace(f"10.0.0.1{node + 1}:6222", f"127.0.0.1:{port}")
            assert "10.0.0" not in text
            (folder / f"{n}.conf").write_text(text)
            with (folder / f"{n}.log").open("wb") as log:
                order = [str(find_binary()), "-c", f"{n}.conf"]
                started.append(subprocess.Popen(order, cwd=folder, stdout=log, stderr=log))
        yield started, ports
    finally:
        for process in started:
            process.kill()
            process.wait()


def killed_under_load(first: Member, other: Member | None, kill_node: ExitStack) -> None:
    """Kill the first one's collector, and what `kill_node` closes, while gateways send."""
    members = [first] if other is None else [first, other]
    ready = [member.cloud.start() for member in members]
    standby, address = first.stand_by()
    publishers = [m.publisher(r["broker"]) for m, r in zip(members, ready, strict=True)]
    try:
        assert answer(f"{address}/readyz") == (503, "standby\n")
        assert answer(f"{address}/livez") == (200, "alive\n")
        wait(lambda: all(p.receipted >= KILL_AT for p in publishers))
        assert any(p.receipted < FRAMES for p in publishers), "too late"
        first.cloud.end(signal.SIGKILL)
        kill_node.close()
        wait(lambda: all(p.receipted == FRAMES for p in publishers))
        url = wait(lambda: first.ready_as(standby.pid))["http"]
        assert answer(f"{url}/readyz") == (200, "ready\n")
    finally:
        for publisher in publishers:
            publisher.stop()
        standby.terminate()
        printed = standby.communicate(timeout=20)[0]
        if other is not None:
            other.cloud.end()
    assert standby.returncode == 0, printed
    assert "Traceback" not in printed
    first.judge(2)
    if other is not None:
        other.judge(1)


def test_a_standby_goes_on(tmp_path: Path) -> None:
    broker = Broker("nats", tmp_path / "broker")
    broker.start()
    try:
        killed_under_load(Member(tmp_path / "a", "00", broker.url), None, ExitStack())
    finally:
        broker.stop()


@pytest.mark.long
def test_a_node_and_a_collector_are_killed_under_load(tmp_path: Path) -> None:
    """Three nodes, two slices, a standby; everybody is led to the node that will be killed."""
    with nodes(tmp_path) as (started, ports), Relay() as front:
        url = f"mqtt://127.0.0.1:{front.forward(*ports)}"
        first, other = (Member(tmp_path / s, s, url) for s in ("00", "01"))
        kill_node = ExitStack()
        kill_node.callback(started[0].kill)
        killed_under_load(first, other, kill_node)
        assert started[0].wait(5) == -signal.SIGKILL


def test_what_cannot_be_a_standby(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The embedded broker ends with its collector."""
    assert cli.main(["run", str(Cloud(tmp_path).config), "--standby"]) == 2
    assert 'a standby needs [broker] mode = "external"' in capsys.readouterr().err
    assert not (tmp_path / "state").exists()
