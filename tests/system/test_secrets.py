"""No secret of a file is seen anywhere, even where everybody says back what he heard."""

import base64
import datetime as dt
import http.server
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from evidence.broker_certificates import Ca, certify_server, make_ca
from evidence.frame import TYP_FRAME, encode_body
from evidence.keys import FileSigner, certificate_to_pem, generate, write_private
from tests.integration.cloud.cloud_process import Cloud, wait
from tests.system.playing import stackproof
from tests.system.watching import Seen, secrets, watching
from tests.unit.cloud.alarms.mail_server import MailServer, mail_server
from tests.unit.cloud.evidence_examples import T0_NS, body
from tests.unit.edge.sites import METERS, write_keys, write_site

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]

PATIENCE_S = 150.0
LOGIN = "gateway-7:pr0xy-s3cret"
HIDDEN = {"hook.url": "wh00k-s3cret", "hook": "s1gn-s3cret", "mail": "ma1l-s3cret", "login": LOGIN}


class Parrot(http.server.BaseHTTPRequestHandler):
    """Takes nothing, and its no has in it what it was sent."""

    def do_POST(self) -> None:
        server: Any = self.server
        server.heard.append(said := f"{self.path} {dict(self.headers)}")
        self.send_response(407 if self.command == "CONNECT" else 500, said)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_CONNECT = do_POST  # noqa: N815 - the library's name

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


def packed(room: str, config: Path, log: bytes) -> bytes:
    """All of a support archive with that log."""
    folder = config.parent
    (folder / "log").write_bytes(log)
    out = folder / "support.tar.gz"
    stackproof(room, "support", str(config), "--out", str(out), "--log", str(folder / "log"))
    with tarfile.open(out) as archive:
        return b"\n".join(file.read() for e in archive if (file := archive.extractfile(e)))


def told(folder: Path, seen: Seen, said: Mapping[str, bytes]) -> dict[str, bytes]:
    """Everything others see, but for the files of the secrets themselves."""
    ours = {folder / name for name in (*HIDDEN, "log", "support.tar.gz")} | set(secrets(folder))
    files = [path for path in folder.rglob("*") if path.is_file() and path not in ours]
    return {**said, "ps": b"\n".join(seen.shown), **{str(p): p.read_bytes() for p in files}}


def found(folder: Path, everything: Mapping[str, bytes]) -> set[tuple[str, str]]:
    words = {**HIDDEN, "password": LOGIN.partition(":")[2]}
    forms = {name: [word.encode(), base64.b64encode(word.encode())[:12]]
             for name, word in words.items()}  # fmt: skip
    forms |= {str(path): shown for path, shown in secrets(folder).items()}
    return {(name, where) for name, words in forms.items() for where, data in everything.items()
            if any(word in data for word in words)}  # fmt: skip


def test_of_a_collector(tmp_path: Path, parrot: Any, mail: MailServer) -> None:
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
    cloud.config.write_text(cloud.config.read_text().replace("[http]", f"{alarms}[http]"))
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


def test_of_a_gateway(tmp_path: Path, parrot: Any) -> None:
    (tmp_path / "login").write_text(f"{LOGIN}\n")
    (tmp_path / "login").chmod(0o600)
    write_keys(tmp_path / "keys")
    proxy = f'proxy = "http://127.0.0.1:{parrot.server_port}"\nproxy_login = "file:login"'
    plain = 'url = "mqtt://127.0.0.1:1883"'
    site = write_site(tmp_path, METERS.replace(plain, f'url = "ws://b.example"\n{proxy}'))
    command = [sys.executable, "-m", "stackproof", "edge", "run", str(site), "--log-level", "debug"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process,
        watching(process.pid) as seen,
    ):
        wait(lambda: len(parrot.heard) >= 2, PATIENCE_S)
        doctor = stackproof("edge", "doctor", str(site))
        process.terminate()
        log, _ = process.communicate(timeout=60)
    assert "407 Proxy Authentication Required" in doctor.stdout
    said = {"log": log, "doctor": doctor.stdout.encode(), "support": packed("edge", site, log)}
    assert found(tmp_path, told(tmp_path, seen, said)) == set()
