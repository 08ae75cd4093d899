"""A plant, a collector and a real broker that all know each other by certificates."""

import asyncio
import contextlib
import datetime as dt
import getpass
import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import stackproof
from cloud.clock import SystemClock
from cloud.config import load_cloud
from cloud.process import run_cloud
from cloud.transport.register import Register
from cloud.transport.tls import TlsFiles
from edge.site.config import Site
from evidence.broker_certificates import (
    BrokerRequest,
    Ca,
    certify_client,
    gateway_name,
    make_ca,
)
from evidence.keys import (
    Certificate,
    FileSigner,
    certificate_to_pem,
    generate,
    load_certificate,
    write_private,
)
from tests.integration.edge.brokers import Broker
from tests.integration.edge.conftest import Plant, fast
from tests.ports import free_port
from tests.unit.edge.sites import GATEWAY, PLANT, write_keys

NAME = f"{PLANT}/{GATEWAY}"
USER = getpass.getuser()  # who runs the broker here: root may, too
FILES = 'ca = "file:broker/ca.crt"\nkey = "file:tls.pem"\ncertificate = "file:tls.crt"\n'
CLOUD = """\
format = 1
[cloud]
slice = "00"
state_dir = "cloud-state"
key = "file:keys/collector.pem"
certificate = "file:keys/collector.crt"
[broker]
mode = "external"
url = "mqtts://127.0.0.1:{port}"
ca = "file:broker/ca.crt"
certificate = "file:broker/collector.crt"
key = "file:broker/collector.pem"
register = "file:broker"
ca_key = "file:broker/ca.pem"
[http]
port = 0
[[plant]]
id = "north-works"
root = "file:keys/root.crt"
gateways = ["file:keys/edge-1.crt"]
"""


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Bench:
    """Everything in one folder: SITE.toml and CLOUD.toml, keys/, and broker/, the register."""

    def __init__(self, folder: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.kind, self._capsys = folder, kind, capsys
        self.port, self.websocket = free_port(), 0
        write_keys(folder / "keys")
        text = fast().replace("mqtt://", "mqtts://").replace("[uplink]\n", f"[uplink]\n{FILES}")
        self.plant = Plant(folder, text, port=self.port)
        self.cloud = folder / "CLOUD.toml"
        self.cloud.write_text(CLOUD.format(port=self.port))
        self.run("cloud broker new --out", folder / "broker", "--host 127.0.0.1 --host localhost")
        name = "mosquitto.conf" if kind == "mosquitto" else "nats.conf"
        self.broker = Broker(kind, folder / "log", self.port, config=folder / "broker" / name)

    @property
    def site(self) -> Site:
        return self.plant.site

    @property
    def ca(self) -> Ca:
        broker = self.folder / "broker"
        return Ca(FileSigner.load(broker / "ca.pem"), load_certificate(broker / "ca.crt"))

    @property
    def register(self) -> Register:
        """As the collector's, CA's key and all."""
        return Register(self.folder / "broker", self.ca.signer)

    def said_by_the_broker(self) -> str:
        """Its log."""
        return (self.folder / "log" / "broker.log").read_text()

    def run(self, *words: object, status: int | None = 0) -> str:
        """What a command prints that ends with this status; None: with any."""
        argv = [part for w in words for part in (w.split() if isinstance(w, str) else [str(w)])]
        self._capsys.readouterr()
        done = stackproof.main(argv)
        said = self._capsys.readouterr()
        assert status in (None, done), said.out + said.err
        return said.out + said.err

    def configure(self) -> None:
        """Write the broker's configuration as the product does; one that runs is told to read.

        Where it listens and whom it is for is said once, and stays.
        """
        more = f"--websocket {self.websocket}" if self.websocket else ""
        place = f"--port {self.port} --user {USER} {more}" if self.broker.process is None else ""
        said = self.run("cloud broker config", self.cloud, f"--for {self.kind} {place}",
                        "--out", self.folder / "broker")  # fmt: skip
        if self.broker.process is None:
            self.broker.start()
        else:
            assert "has been told to read" in said

    def certify(
        self, name: str = NAME, *, ca: Ca | None = None, age_days: float = 0
    ) -> Certificate:
        """Give the gateway's TLS key a certificate by hand, made so long ago, of 30 days."""
        key_file = self.folder / "tls.pem"
        if not key_file.exists():
            write_private(key_file, generate("p256"))
        begins = now() - dt.timedelta(days=age_days)
        made = certify_client(name, FileSigner.load(key_file).public_key, ca or self.ca, begins)
        (self.folder / "tls.crt").write_bytes(certificate_to_pem(made))
        return made

    def files(self, gateway: str = "edge-9") -> TlsFiles:
        """What another gateway of the plant shows: approved, its certificate good."""
        ca, key = self.ca, generate("p256")
        write_private(self.folder / f"{gateway}.pem", key)
        self.register.approve(BrokerRequest(PLANT, gateway, key.public_key()))
        made = certify_client(gateway_name(PLANT, gateway), key.public_key(), ca, now())
        (self.folder / f"{gateway}.crt").write_bytes(certificate_to_pem(made))
        return self.shown(self.folder / gateway)

    def shown(self, stem: Path) -> TlsFiles:
        """Key and certificate of this name, and the CA."""
        ca = self.folder / "broker" / "ca.crt"
        return TlsFiles(ca, stem.with_suffix(".crt"), stem.with_suffix(".pem"))

    def enrol(self) -> str:
        """Ask at the gateway, approve at the running collector; the key's SHA-256."""
        request, site = self.folder / "edge-1.request", self.site.path
        request.unlink(missing_ok=True)
        (key,) = re.findall(r"SHA-256: (\w{64})", self.run("edge enrol", site, "--out", request))
        assert key in self.run("cloud broker request", self.cloud, request)
        whose = f"--plant {PLANT} --gateway {GATEWAY} --key"
        assert "not for the one" in self.run(
            "cloud broker approve", self.cloud, whose, "0" * 64, status=1
        )
        out = self.folder / "tls.crt"
        out.touch()  # an old one: refused before the key is approved, so it can be said again
        self.run("cloud broker approve", self.cloud, whose, key, "--out", out, status=2)
        out.unlink()
        self.run("cloud broker approve", self.cloud, whose, key, "--out", out)
        again = self.folder / "again.crt"
        self.run("cloud broker request", self.cloud, request, "--out", again)
        assert again.read_bytes() == out.read_bytes()
        return key

    def rows(self) -> dict[str, list[dict[str, str]]]:
        """Who waits and who is approved."""
        found = json.loads(self.run("cloud broker requests --json", self.cloud))
        assert isinstance(found, dict)
        return found

    @contextlib.asynccontextmanager
    async def collecting(self) -> AsyncIterator[None]:
        """The collector runs, pages and all."""
        stop, ready = asyncio.Event(), asyncio.Event()

        def say(sentence: str, /, **_: object) -> None:
            if sentence.startswith("ready"):
                ready.set()

        task = asyncio.create_task(run_cloud(load_cloud(self.cloud), SystemClock(), stop, say))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        try:
            yield
        finally:
            stop.set()
            await task


def foreign_ca() -> Ca:
    """Somebody else's."""
    signer = FileSigner(generate("p256"))
    return Ca(signer, make_ca("stackproof broker 127.0.0.1", signer, now()))


def benches(folder: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> Iterator[Bench]:
    bench = Bench(folder, kind, capsys)
    yield bench
    bench.broker.stop()
