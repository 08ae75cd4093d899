"""No secret of a file is seen anywhere, even where everybody says back what he heard."""

import asyncio
import base64
import datetime as dt
import http.server
import json
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from cloud.transport.register import Register
from evidence.broker_certificates import BrokerRequest, Ca, certify_server, make_ca
from evidence.frame import TYP_FRAME, encode_body
from evidence.keys import (
    FileSigner,
    Signer,
    certificate_to_pem,
    generate,
    public_key,
    write_private,
)
from evidence.signers import open_signer
from tests.integration.cloud.cloud_process import Cloud, wait
from tests.integration.drivers.opcua_pki import CLIENT_URI, SERVER_URI, make, secret_file
from tests.integration.drivers.parrot_database import parrot_database
from tests.integration.drivers.test_opcua_security import serving
from tests.integration.softhsm import PIN, uri
from tests.integration.tls.bench import Bench
from tests.kept_objects import objects_in
from tests.ports import free_port
from tests.system.playing import stackproof
from tests.system.watching import Seen, secrets, watching
from tests.unit.cloud.alarms.mail_server import MailServer, mail_server
from tests.unit.cloud.evidence_examples import T0_NS, body
from tests.unit.edge.sites import (
    GATEWAY,
    METERS,
    PLANT,
    POTS,
    certificate,
    replaced,
    write_keys,
    write_site,
)

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]

PATIENCE_S = 150.0
LOGIN = "gateway-7:pr0xy-s3cret"
HIDDEN = {
    "hook.url": "wh00k-s3cret", "hook": "s1gn-s3cret", "mail": "ma1l-s3cret", "login": LOGIN,
    "influx": "1nflux-s3cret", "opcua": "0pcua-s3cret",
    "account": "acc0unt-s3cret", "reader": "r3ader-s3cret-of-thirty-two-characters",
    "database": "p0stgres-s3cret", "pin": PIN,
}  # fmt: skip


class Parrot(http.server.BaseHTTPRequestHandler):
    """Takes nothing, and its no has in it what it was sent."""

    def do_POST(self) -> None:
        server: Any = self.server
        server.heard.append(said := f"{self.path} {dict(self.headers)}")
        body = json.dumps({"error": said, "message": said, "detail": said}).encode()
        self.send_response(407 if self.command == "CONNECT" else 500, said)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_CONNECT = do_POST  # noqa: N815 - the library's names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def parrot() -> Iterator[Any]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Parrot) as server:
        given: Any = server
        given.heard = []
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[MailServer]:
    """A server that refuses, with the password in its no."""
    began = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    signer, key = FileSigner(generate("p256")), generate("p256")
    ca = Ca(signer, make_ca("mail", signer, began))
    write_private(tmp_path / "server.pem", key)
    with (tmp_path / "server.pem").open("ab") as file:
        file.write(certificate_to_pem(certify_server(["127.0.0.1"], key.public_key(), ca, began)))
    (tmp_path / "mail-ca.crt").write_bytes(certificate_to_pem(ca.certificate))
    with mail_server(tmp_path / "server.pem") as server:
        yield server


@pytest.fixture
def held(tmp_path: Path, token: Path) -> Signer:
    """A key in a token, whose PIN lies beside the configuration."""
    secret_file(tmp_path / "pin", f"{PIN}\n")
    return open_signer(uri("p256"), tmp_path)


def packed(room: str, config: Path, log: bytes) -> bytes:
    """All of a support archive with that log."""
    folder = config.parent
    (folder / "told.log").write_bytes(log)
    out = folder / "support.tar.gz"
    stackproof(room, "support", str(config), "--out", str(out), "--log", str(folder / "told.log"))
    with tarfile.open(out) as archive:
        return b"\n".join(file.read() for e in archive if (file := archive.extractfile(e)))


def told(folder: Path, seen: Seen, said: Mapping[str, bytes]) -> dict[str, bytes]:
    """Everything others see, but for the files of the secrets themselves."""
    ours = {folder / name for name in (*HIDDEN, "told.log", "support.tar.gz")} | set(
        secrets(folder)
    )
    files = [path for path in folder.rglob("*") if path.is_file() and path not in ours]
    return {**said, "ps": b"\n".join(seen.shown), **{str(p): p.read_bytes() for p in files}}


def found(folder: Path, everything: Mapping[str, bytes]) -> set[tuple[str, str]]:
    words = {**HIDDEN, "password": LOGIN.partition(":")[2]}
    forms = {name: [word.encode(), base64.b64encode(word.encode())[:12]]
             for name, word in words.items()}  # fmt: skip
    forms |= {str(path): shown for path, shown in secrets(folder).items()}
    return {(name, where) for name, words in forms.items() for where, data in everything.items()
            if any(word in data for word in words)}  # fmt: skip


@pytest.mark.needs("softhsm2-util")
def test_of_a_collector(tmp_path: Path, parrot: Any, mail: MailServer, held: Signer) -> None:
    address = f"http://127.0.0.1:{parrot.server_port}/{HIDDEN['hook.url']}"
    for name, word in {**HIDDEN, "hook.url": address}.items():
        (tmp_path / name).write_text(f"{word}\n")
    cloud = Cloud(tmp_path)
    alarms = f"""\
[alarms]
priority = 3
webhook = "file:hook.url"
webhook_secret = "file:hook"
smtp = "127.0.0.1:{mail.port}"
smtp_authority = "file:mail-ca.crt"
smtp_user = "stackproof"
smtp_password = "file:mail"
mail_from = "a@works.example"
mail_to = ["b@works.example"]
"""
    changes = {"[http]": f"{alarms}[http]", "file:mini/collector.pem": uri("p256")}
    cloud.config.write_text(replaced(cloud.config.read_text(), changes))
    cloud.plant.certify("collector", "collector", held.public_key, "collector.crt")
    cloud.plant.collector = held
    ready, gateway = cloud.start("--log-level", "debug"), cloud.plant.gateways["edge-1"]
    with watching(ready["pid"]) as seen:
        gateway.config()
        gateway.frame(T0_NS)
        publisher = cloud.publisher(ready["broker"])
        wait(lambda: publisher.receipted == 1, PATIENCE_S)
        fork = gateway.sign(TYP_FRAME, encode_body(body(T0_NS, seed=9)), seq=1, prev=bytes(32))
        publisher.publish("frames", fork)  # an alarm at once
        wait(lambda: parrot.heard and mail.logins, PATIENCE_S)
        publisher.stop()
    status, log = cloud.end()
    assert (status, "webhook: it answers 500" in log, "refuses user" in log) == (0, True, True)
    said = {"log": log.encode(), "support": packed("cloud", cloud.config, log.encode())}
    assert found(tmp_path, told(tmp_path, seen, said)) == set()


TABLE = """\
[[device]]
id = "pot-log"
url = "postgresql+ro://127.0.0.1:{port}/lims?credentials=file:{folder}/database&tls=off"
profile = "stackproof/pot-effects"
provenance = "via-database"
each = "1-3"
"""


@pytest.mark.needs("softhsm2-util")
def test_of_a_gateway(tmp_path: Path, parrot: Any, held: Signer) -> None:
    """Its broker behind a proxy, its key in a token, one of its devices a database."""
    secret_file(tmp_path / "login", f"{LOGIN}\n")
    secret_file(tmp_path / "database", f"reader\n{HIDDEN['database']}\n")
    write_keys(tmp_path / "keys")
    own = certificate_to_pem(certificate(held.public_key))
    (tmp_path / "keys/edge-1.crt").write_bytes(own)
    proxy = f'proxy = "http://127.0.0.1:{parrot.server_port}"\nproxy_login = "file:login"'
    changes = {'url = "mqtt://127.0.0.1:1883"': f'url = "ws://b.example"\n{proxy}',
               "file:keys/edge-1.pem": uri("p256")}  # fmt: skip
    with parrot_database() as database:
        table = TABLE.format(port=database.server_address[1], folder=tmp_path)
        site = write_site(tmp_path, replaced(METERS, changes) + table)
        command = [sys.executable, "-m", "stackproof", "edge", "run", str(site), "--log-level",
                   "debug"]  # fmt: skip
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process,
            watching(process.pid) as seen,
        ):
            wait(lambda: len(parrot.heard) >= 2 and database.refused, PATIENCE_S)
            doctor = stackproof("edge", "doctor", str(site))
            process.terminate()
            log, _ = process.communicate(timeout=60)
    assert "407 Proxy Authentication Required" in doctor.stdout
    assert set(database.heard) == {HIDDEN["database"]}
    assert all(
        b"nobody is let do that with [taken out]" in said for said in (log, doctor.stdout.encode())
    )
    said = {"log": log, "doctor": doctor.stdout.encode(), "support": packed("edge", site, log)}
    assert found(tmp_path, told(tmp_path, seen, said)) == set()


RELAY = """\
format = 1
[relay]
folder = "inbox"
broker = "ws://b.example"
proxy = "http://127.0.0.1:{port}"
proxy_login = "file:login"
[[stream]]
plant = "north-works"
gateway = "edge-1"
collector = "file:keys/collector.crt"
"""
FRONT = """\
format = 1
[http]
port = 0
[[collector]]
name = "north"
url = "http://127.0.0.1:{port}"
token = "file:account"
[[reader]]
name = "grafana"
token = "file:reader"
"""


@pytest.mark.parametrize(("room", "text"), [("relay", RELAY), ("cloud front", FRONT)])
def test_of_a_relay_and_of_a_front(tmp_path: Path, parrot: Any, room: str, text: str) -> None:
    for name in ("login", "account", "reader"):
        secret_file(tmp_path / name, f"{HIDDEN[name]}\n")
    write_keys(tmp_path / "keys")
    (tmp_path / "inbox").mkdir()
    config = tmp_path / "room.toml"
    config.write_text(text.format(port=parrot.server_port))
    words = room.split() if room == "cloud front" else ["relay", "run"]
    command = [sys.executable, "-m", "stackproof", *words, str(config), "--log-level", "debug"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process,
        watching(process.pid) as seen,
    ):
        wait(lambda: len(parrot.heard) >= 2, PATIENCE_S)
        process.terminate()
        log, _ = process.communicate(timeout=60)
    words = [HIDDEN["account"], base64.b64encode(LOGIN.encode()).decode()]
    assert any(word in said for said in parrot.heard for word in words)
    assert found(tmp_path, told(tmp_path, seen, {"log": log})) == set()


SERIES = """\
[series]
kind = "influxdb"
url = "http://127.0.0.1:{port}"
token = "file:influx"
bucket = "stackproof"
"""
SECURED = """\
security = "Basic256Sha256-SignAndEncrypt"
certificate = "file:client.pem"
key = "file:client.key.pem"
trust = "file:server.pem"
user = "edge"
password = "file:opcua"
"""


async def test_where_everybody_shows_certificates(
    tmp_path: Path, parrot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """TLS of gateway and collector with the broker, RSA with a device that knows another password.

    Keys in every form: of TLS and its CA (P-256), of evidence (Ed25519), of OPC UA (RSA).
    """
    for name in ("influx", "opcua"):
        secret_file(tmp_path / name, HIDDEN[name])
    bench, port = Bench(tmp_path, "nats", capsys), free_port()
    series = SERIES.format(port=parrot.server_port)
    bench.cloud.write_text(bench.cloud.read_text().replace("[http]", f"{series}[http]"))
    pots = POTS.replace("127.0.0.1:14840/potline", f"127.0.0.1:{port}/secured") + SECURED
    head, gas, meters = bench.plant.text.partition("[[device]]")
    bench.plant.text = f"{head}{pots}{gas}{meters}"
    server = make(tmp_path, "server", SERVER_URI, number=1)
    for one in (server, make(tmp_path, "client", CLIENT_URI, number=2)):
        one.key_der.unlink()  # the same key again, which nobody asks for
    site = bench.site.path
    made = bench.certify()
    register = Register(tmp_path / "broker", bench.ca.signer)
    register.approve(BrokerRequest(PLANT, GATEWAY, public_key(made)))
    await asyncio.to_thread(bench.configure)
    try:
        async with serving(server, port):
            logs = await asyncio.to_thread(both_run, tmp_path, site, parrot)
    finally:
        bench.broker.stop()
    kinds = {type(load_pem_private_key(path.read_bytes(), None)).__name__
             for path in secrets(tmp_path) if path.suffix == ".pem"}  # fmt: skip
    assert kinds == {"Ed25519PrivateKey", "ECPrivateKey", "RSAPrivateKey"}
    seen, edge, cloud = logs
    said = {"support of edge": packed("edge", site, edge),
            "support of cloud": packed("cloud", bench.cloud, cloud)}  # fmt: skip
    assert found(tmp_path, told(tmp_path, seen, said | {"edge": edge, "cloud": cloud})) == set()


def both_run(folder: Path, site: Path, parrot: Any) -> tuple[Seen, bytes, bytes]:
    """Until frames are logged, and series and password were refused: what was seen, both logs."""
    stackproof = (sys.executable, "-m", "stackproof")
    rooms = (("cloud", folder / "CLOUD.toml"), ("edge", site))
    logs = {room: folder / f"{room}.log" for room, _ in rooms}
    with ExitStack() as ends:
        seen = [Seen(), Seen()]
        for n, (room, config) in enumerate(rooms):
            log = ends.enter_context(logs[room].open("wb"))
            order = [*stackproof, room, "run", str(config), "--log-level", "debug"]
            process = subprocess.Popen(order, stdout=log, stderr=log)
            ends.callback(process.wait, 60)
            ends.callback(process.terminate)
            seen[n] = ends.enter_context(watching(process.pid))
        wait(lambda: objects_in(folder / "evidence.db"), PATIENCE_S)
        wait(lambda: any(HIDDEN["influx"] in said for said in parrot.heard), PATIENCE_S)
        wait(lambda: b"user 'edge'" in logs["edge"].read_bytes(), PATIENCE_S)
    shown = seen[0].shown | seen[1].shown
    return Seen(shown=shown), logs["edge"].read_bytes(), logs["cloud"].read_bytes()
