"""Several nats-servers as one, of the files that the product writes: who may be one of them."""

import hashlib
import re
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cloud.transport.register import Register
from cloud.transport.served import serve_again
from evidence.broker_certificates import BrokerRequest
from evidence.keys import public_key
from tests.integration.cloud.cloud_process import wait
from tests.integration.edge.brokers import Broker
from tests.integration.tls.bench import USER, Bench
from tests.ports import free_port
from tests.unit.edge.sites import GATEWAY, PLANT

HOSTS = {"a": "127.0.0.2", "b": "127.0.0.3", "c": "127.0.0.4"}


class Cluster:
    """A register of three nodes, and the one that runs."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.route_port = bench, free_port()
        self.folder = bench.folder / "broker/nodes"
        self.node = Broker("nats", bench.folder / "log", config=self.folder / "a/nats.conf")

    def add(self, name: str) -> str:
        folder = self.bench.folder / "broker"
        return self.bench.run("cloud broker node", folder, f"--name {name} --host {HOSTS[name]}",
                              "--host broker.example --host 127.0.0.1")  # fmt: skip

    def config(self, name: str, kind: str = "nats", status: int = 0) -> str:
        return self.bench.run(
            "cloud broker config", self.bench.cloud, f"--for {kind} --node {name} --user {USER}",
            f"--port {self.node.port} --route-port {self.route_port} --out", self.folder / name,
            status=status,
        )  # fmt: skip

    def text(self, name: str) -> str:
        return (self.folder / name / "nats.conf").read_text()

    def is_let_in(self, certificate: Path, key: Path) -> bool:
        """Would the node that runs say to this one what it says to other nodes?"""
        context = ssl.create_default_context(cafile=str(self.bench.folder / "broker/ca.crt"))
        context.load_cert_chain(certificate, key)
        try:
            with (
                socket.create_connection(("127.0.0.1", self.route_port), 10) as plain,
                context.wrap_socket(plain, server_hostname="127.0.0.1") as route,
            ):
                return route.recv(65_536).startswith(b"INFO ")
        except OSError:
            return False


@pytest.fixture
def cluster(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Cluster]:
    made = Cluster(Bench(tmp_path, "nats", capsys))
    yield made
    made.node.stop()


def test_only_nodes_are_let_in_where_nodes_speak_to_each_other(cluster: Cluster) -> None:
    """Past all permissions: a gateway's certificate, which is by the same CA, is not enough."""
    bench = cluster.bench
    assert "no certificate of node-a" in cluster.config("a", status=2)
    for name in ("a", "b"):
        assert f"node-{name}, until " in cluster.add(name)
    assert "node-a: of 2 node(s); 3 hold each stream" in cluster.config("a")
    cluster.add("c")
    assert "it stays" in cluster.add("c")
    assert "mosquitto is one process" in cluster.config("a", "mosquitto", status=2)
    for name in HOSTS:
        cluster.config(name)
    certificates = {
        name: x509.load_pem_x509_certificate((cluster.folder / name / "server.crt").read_bytes())
        for name in HOSTS
    }
    keys = {
        hashlib.sha256(
            made.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        ).hexdigest()
        for made in certificates.values()
    }
    for name, host in HOSTS.items():
        text = cluster.text(name)
        assert f"server_name: node-{name}\n" in text
        assert f'advertise: "{host}:{cluster.route_port}"' in text
        assert re.findall(r'"nats-route://([^"]+)"', text) == [
            f"{one}:{cluster.route_port}" for one in HOSTS.values()
        ]
        assert set(re.findall(r'"([0-9a-f]{64})"', text)) == keys
        assert "  stream_replicas: 3\n" in text
    cluster.node.start()
    made = bench.certify()
    broker, ours = bench.folder / "broker", cluster.folder / "b"
    wait(lambda: cluster.is_let_in(ours / "server.crt", ours / "server.pem"))
    assert not cluster.is_let_in(bench.folder / "tls.crt", bench.folder / "tls.pem")
    assert not cluster.is_let_in(broker / "collector.crt", broker / "collector.pem")
    # one is stolen: its key is no node's any more, the others stay, and gateways are let in
    register = Register(broker, bench.ca.signer)
    register.approve(BrokerRequest(PLANT, GATEWAY, public_key(made)))
    old = ours.rename(bench.folder / "stolen")
    said = serve_again(bench.cloud, register)
    assert f"{ours} stays: node-b is none of the nodes any more" in said
    assert sum("has been told to read" in one for one in said) == 1, said
    assert not any("by hand" in one for one in said)
    assert f":{PLANT}:{GATEWAY}:" in cluster.text("a")
    wait(lambda: not cluster.is_let_in(old / "server.crt", old / "server.pem"))
    ours = cluster.folder / "c"
    wait(lambda: cluster.is_let_in(ours / "server.crt", ours / "server.pem"))
