"""A collector, and a node of its broker, killed under load: a standby goes on, nothing is lost."""

import hashlib
import json
import re
import shlex
import signal
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from paho.mqtt.enums import CallbackAPIVersion

from cloud import cli
from cloud.broker import find_binary
from cloud.transport.tls import TlsFiles
from evidence import checkpoint, merkle
from evidence.broker_certificates import encode_broker_request
from evidence.keys import FileSigner, generate, key_sha256, write_private
from evidence.log import decode_entry
from evidence.receipt import Receipt
from tests.exposition import series
from tests.integration.cloud.cloud_process import Cloud, command, run, wait
from tests.integration.cloud.spool_publisher import SpoolPublisher
from tests.integration.edge.brokers import Broker
from tests.paho_client import Client
from tests.ports import free_port
from tests.system.relay import Relay
from tests.unit.cloud.evidence_examples import SECOND_NS, T0_NS
from tests.unit.cloud.kept import FILE
from tests.unit.cloud.read_plant import entries_of, read_plant

DOCUMENT = Path(__file__).resolve().parents[3] / "docs/cluster.md"
FRAMES = 120
KILL_AT = 10
NODES = ("1", "2", "3")
TLS = """\
ca = "file:broker/ca.crt"
certificate = "file:broker/collector.crt"
key = "file:broker/collector.pem"
register = "file:broker"
ca_key = "file:broker/ca.pem"
"""


class Member:
    """The collector of a slice, its gateway, and a standby of it."""

    def __init__(
        self, folder: Path, url: str, tls: str = "", plant: str = "mini", slice_id: str = "00"
    ) -> None:
        self.cloud, self.slice_id = Cloud(folder, plant, slice_id), slice_id
        text = re.sub(r"port = \d+\n\[http\]", "[http]", self.cloud.config.read_text(), count=1)
        text = text.replace("[broker]\n", f'[broker]\nmode = "external"\nurl = "{url}"\n{tls}')
        self.cloud.config.write_text(text)
        self.tls: ssl.SSLContext | None = None
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
        return SpoolPublisher(url, self.gateway, key, self.slice_id, self.tls)

    def ready_as(self, pid: int) -> dict[str, Any] | None:
        """What the ready file says, once it is of this process."""
        found: dict[str, Any] = json.loads((self.cloud.folder / "state/ready.json").read_text())
        return found if found["pid"] == pid else None

    def judge(self, epochs: set[int], receipts: Sequence[Receipt]) -> None:
        """Every object once and in order, under these epochs; fsck is content.

        No fork: the log of every receipt, whoever gave it, is the beginning of this one.
        """
        file, plant = self.cloud.folder / FILE, self.gateway.plant
        key = self.cloud.plant.collector.public_key
        assert read_plant(file, key, plant) == {"edge-1": self.gateway.objects}
        leaves = entries_of(file, plant)
        entries = [decode_entry(leaf) for leaf in leaves]
        accepted = [entry for entry in entries if entry.stream and entry.seq is not None]
        assert {entry.epoch for entry in accepted} == epochs
        hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
        for receipt in receipts:
            shown = checkpoint.verify(receipt.checkpoint, key)
            assert shown.root == merkle.root_of(hashes[: shown.size])
            named = entries[receipt.log_index]
            assert receipt.log_index < shown.size
            assert (named.seq, named.sha256) == (receipt.seq, receipt.head)
            assert receipt.head == hashlib.sha256(self.gateway.objects[receipt.seq]).digest()
        checked = run("fsck", self.cloud.config)
        assert checked.returncode == 0, checked.stdout


def answer(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Nodes:
    """The cluster of docs/cluster.md, each node at a loopback address of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.route_port = free_port(), free_port()
        self.hosts = {name: f"127.0.0.{name}" for name in NODES}
        self.monitors = {name: free_port() for name in NODES}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def write(self) -> None:
        """Their files, by the commands of the document, at these addresses."""
        ask("new", "--out", self.folder, "--host", "127.0.0.1")
        for line in self._script("stackproof cloud broker node"):
            for name in NODES:
                ask(*self._here(line, name))

    def _here(self, line: str, name: str) -> list[str]:
        """A command of the document, for this node and these addresses."""
        for there, here in (
            (" 1 ", f" {name} "), ("nodes/1", f"nodes/{name}"), ("10.0.0.11", f"127.0.0.{name}"),
            ("mqtt.example", "127.0.0.1"), ("../collector/", "../"),
            ("collector/", f"{self.folder.parent}/"),
            ("south/", f"{self.folder.parent}/south/"),
            ("--for nats", f"--for nats --port {self.port} --route-port {self.route_port}"),
            (" --at /etc/nats", ""), ("stackproof cloud broker ", ""),
        ):  # fmt: skip
            line = line.replace(there, here)
        return shlex.split(line)

    def share(self, broker: Path) -> None:
        """A second collector's register, and its slice in the files of nodes that run."""
        broker.mkdir()
        new, config = self._script("stackproof cloud broker new")
        (broker / "ca.crt").write_bytes((self.folder / "ca.crt").read_bytes())
        ask(*self._here(new, ""))
        for name in NODES:
            assert "has been told to read" in ask(*self._here(config, name))

    def _script(self, begins: str) -> list[str]:
        """Commands of the document's block that has one of these, from there on."""
        found = re.findall(rf"```sh\n[^`]*?({begins} .*?)```", DOCUMENT.read_text(), re.S)
        (script,) = (text.replace("\\\n", " ") for text in found)
        return script.splitlines()

    def start(self) -> None:
        for name in NODES:
            folder = self.folder / "nodes" / name
            with (folder / "log").open("wb") as log:
                order = [str(find_binary()), "-c", str(folder / "nats.conf"),
                         "-m", str(self.monitors[name])]  # fmt: skip
                self.processes[name] = subprocess.Popen(order, stdout=log, stderr=log)

    def streams(self, name: str) -> dict[tuple[str, str], int]:
        """(account, stream) -> at how many nodes it is to be, of those that this node holds."""
        asked = f"http://127.0.0.1:{self.monitors[name]}/jsz?streams=1&config=1"
        accounts = json.loads(answer(asked)[1]).get("account_details", [])
        return {
            (account["name"], stream["name"]): stream["config"]["num_replicas"]
            for account in accounts
            for stream in account.get("stream_detail", [])
        }

    def end(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()


@contextmanager
def nodes(folder: Path) -> Iterator[Nodes]:
    made = Nodes(folder)
    try:
        yield made
    finally:
        made.end()


def ask(*arguments: object) -> str:
    done = run("broker", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def approve(first: Member) -> str:
    """The gateway asks, is approved at the running collector, has TLS; what approving said."""
    folder = first.cloud.folder
    write_private(folder / "tls.pem", generate("p256"))
    tls = FileSigner.load(folder / "tls.pem")
    made = encode_broker_request(first.gateway.plant, "edge-1", first.gateway.signer, tls)
    (folder / "request").write_bytes(made)
    ask("request", first.cloud.config, folder / "request")
    said = ask("approve", first.cloud.config, *whose(first), "--out", folder / "tls.crt")
    broker = folder / "broker"
    first.tls = TlsFiles(broker / "ca.crt", folder / "tls.crt", folder / "tls.pem").context()
    return said


def whose(first: Member) -> tuple[str, ...]:
    key = key_sha256(FileSigner.load(first.cloud.folder / "tls.pem").public_key).hex()
    return "--plant", first.gateway.plant, "--gateway", "edge-1", "--key", key


def granted(member: Member, url: str, topics: Sequence[str]) -> list[bool]:
    """Which of them the broker lets this collector, by its own certificate, subscribe to."""
    answers, asked = list[bool](), urlsplit(url)
    client = Client(CallbackAPIVersion.VERSION2, client_id="a-guest")
    broker = member.cloud.folder / "broker"
    client.tls_set_context(
        TlsFiles(broker / "ca.crt", broker / "collector.crt", broker / "collector.pem").context()
    )
    client.on_subscribe = lambda *given: answers.append(not given[3][0].is_failure)
    client.connect(asked.hostname or "", asked.port or 0)
    client.loop_start()
    wait(client.is_connected)
    for topic in topics:  # in this order: the server answers one after the other
        client.subscribe(topic, 1)
    wait(lambda: len(answers) == len(topics))
    client.disconnect()
    client.loop_stop()
    return answers


def killed_under_load(
    first: Member,
    ready: dict[str, Any],
    kill_node: Callable[[], object] = lambda: None,
    at_the_end: Callable[[SpoolPublisher], None] = lambda _: None,
) -> None:
    """Kill its collector while the gateway sends, and whatever `kill_node` does."""
    standby, address = first.stand_by()
    publisher = first.publisher(ready["broker"])
    try:
        assert answer(f"{address}/readyz") == (503, "standby\n")
        assert answer(f"{address}/livez") == (200, "alive\n")
        status, said = answer(f"{address}/api/v1/plants")  # as of commands that ready.json led here
        assert (status, "a standby answers here" in said) == (503, True)
        assert series(answer(f"{address}/metrics")[1]) == {"stackproof_standby": 1}
        wait(lambda: publisher.receipted >= KILL_AT)
        assert publisher.receipted < FRAMES, "too late"
        first.cloud.end(signal.SIGKILL)
        kill_node()
        # two elections and a standby's start: 84 s on two cores with a load of 23
        wait(lambda: publisher.receipted == FRAMES, 240.0)
        url = wait(lambda: first.ready_as(standby.pid))["http"]
        # nodes that elect a leader may grant one topic some seconds after another
        wait(lambda: answer(f"{url}/readyz") == (200, "ready\n"))
        at_the_end(publisher)
    finally:
        publisher.stop()
        standby.terminate()
        printed = standby.communicate(timeout=20)[0]
    assert standby.returncode == 0, printed
    assert "Traceback" not in printed
    first.judge({1, 2}, publisher.receipts)


def test_a_standby_goes_on(tmp_path: Path) -> None:
    broker = Broker("nats", tmp_path / "broker")
    broker.start()
    try:
        first = Member(tmp_path, broker.url)
        killed_under_load(first, first.cloud.start())
    finally:
        broker.stop()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_node_and_a_collector_are_killed_under_load(tmp_path: Path) -> None:
    """Three nodes of generated files; everybody is led to the node that will be killed.

    The gateway is let in at all of them by being approved, and cut off at all by being revoked.
    Another collector's slice is added while they run: neither reads the other's plants, and each
    gateway's frames have their receipts from its own, before a node is killed and after.
    """
    with nodes(tmp_path / "broker") as made, Relay() as front:
        at = front.forward(*((host, made.port) for host in made.hosts.values()))
        first = Member(tmp_path, f"mqtts://127.0.0.1:{at}", TLS)
        made.write()
        made.start()
        ready = first.cloud.start()
        tls = TLS.replace("broker/ca.p", "../broker/ca.p")
        south = Member(tmp_path / "south", f"mqtts://127.0.0.1:{at}", tls, "maxi", "01")
        made.share(tmp_path / "south/broker")
        south.cloud.start()
        frames = [f"stackproof/v1/{which}/+/+/frames" for which in ("00", "01", "+")]
        assert granted(first, ready["broker"], frames) == [True, False, False]
        assert granted(south, ready["broker"], frames) == [False, True, False]
        for member in (first, south):
            said = approve(member)
            assert [said.count(w) for w in ("has been told to read", "by hand")] == [3, 0], said
        sent = south.gateway.objects[KILL_AT:]
        del south.gateway.objects[KILL_AT:]
        other = south.publisher(ready["broker"])
        wait(lambda: other.receipted == KILL_AT - 1)

        def kill_node() -> None:
            held = [made.streams(name) for name in NODES]
            assert held[0] == held[1] == held[2]
            kept = ("$MQTT_msgs", "$MQTT_rmsgs", "$MQTT_sess")
            assert {(its, one) for its in ("slice-00", "slice-01") for one in kept} <= set(held[0])
            assert {its for its, _ in held[0]} == {"slice-00", "slice-01"}
            assert set(held[0].values()) == {3}
            made.processes["1"].kill()

        def revoke(publisher: SpoolPublisher) -> None:
            south.gateway.objects.extend(sent)
            wait(lambda: other.receipted == FRAMES)
            said = ask("revoke", first.cloud.config, *whose(first), "--reason", "stolen")
            assert said.count("has been told to read") == 2, "one is dead"
            wait(lambda: not publisher.client.is_connected())
            assert other.client.is_connected(), "another slice's"

        try:
            killed_under_load(first, ready, kill_node, revoke)
        finally:
            other.stop()
            south.cloud.end()
        south.judge({1}, other.receipts)
        assert made.processes["1"].wait(5) == -signal.SIGKILL


def test_what_cannot_be_a_standby(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The embedded broker ends with its collector."""
    assert cli.main(["run", str(Cloud(tmp_path).config), "--standby"]) == 2
    assert 'a standby needs [broker] mode = "external"' in capsys.readouterr().err
    assert not (tmp_path / "state").exists()
