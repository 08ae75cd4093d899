"""A mosquitto on another machine gets the list of revoked certificates by the script of the docs.

The collector's part, the address that gives the list, is in `test_brokers`.
"""

import http.server
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.enums import CallbackAPIVersion

from cloud.transport.tls import TlsFiles
from edge.route import Route
from edge.uplink.hello import NotLetInError, say_hello
from evidence.broker_certificates import BrokerRequest
from evidence.broker_revocations import revocation_list
from evidence.keys import certificate_to_pem, generate, write_private
from tests.integration.edge.brokers import Broker
from tests.integration.tls.bench import USER, Bench, benches, foreign_ca, now
from tests.paho_client import Client
from tests.unit.edge.sites import PLANT
from tests.waiting import until

SCRIPT = Path(__file__).resolve().parents[3] / "docs/broker/stackproof-revoked"
TAKEN, NOTHING_NEW, FAILED = 0, 1, 255
pytestmark = pytest.mark.needs("curl", "openssl")


@pytest.fixture
def bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Bench]:
    yield from benches(tmp_path, "mosquitto", capsys)


class Told(http.server.BaseHTTPRequestHandler):
    """Gives what the test has put there."""

    def do_GET(self) -> None:
        server: Any = self.server
        is_there = self.path == "/api/v1/broker/revoked"
        self.send_response(200 if is_there else 404)
        self.end_headers()
        self.wfile.write(server.told if is_there else b"")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Any]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Told) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def bring(folder: Path, url: str) -> tuple[int, str]:
    done = subprocess.run([SCRIPT, folder, url], capture_output=True, text=True, check=False)
    assert [path.name for path in folder.glob(".*")] == [], "nothing is left behind"
    return done.returncode, done.stdout + done.stderr


def carried(bench: Bench, at: Path | None = None) -> Path:
    """The other machine's folder, as its mosquitto has it; `at`: where it will be."""
    out, there = bench.folder / "carried", bench.folder / "there"
    bench.run("cloud broker config", bench.cloud, f"--for mosquitto --port {bench.port}",
              "--out", out, "--at", at or there, f"--user {USER}")  # fmt: skip
    shutil.copytree(out, there)
    for name in ("server.crt", "server.pem"):
        shutil.copy(bench.folder / "broker" / name, there)
    return there


def issued(bench: Bench, gateway: str) -> TlsFiles:
    """What an approved gateway shows, its certificate by the register."""
    key, stem = generate("p256"), bench.folder / gateway
    write_private(stem.with_suffix(".pem"), key)
    approved = bench.register.approve(BrokerRequest(PLANT, gateway, key.public_key()))
    made = bench.register.certificate(approved, now())
    assert made is not None
    stem.with_suffix(".crt").write_bytes(certificate_to_pem(made))
    return bench.shown(stem)


async def test_who_is_revoked_is_out_once_the_list_was_brought_and_mosquitto_restarted(
    bench: Bench, collector: Any
) -> None:
    lost, other = issued(bench, "edge-8"), issued(bench, "edge-9")
    route, url = Route("127.0.0.1", bench.port), f"http://127.0.0.1:{collector.server_port}"
    held = bench.folder / "broker/crl.pem"
    there, collector.told = carried(bench), held.read_bytes()
    broker = bench.broker = Broker("mosquitto", bench.folder / "log", bench.port,
                                   config=there / "mosquitto.conf")  # fmt: skip
    broker.start()
    await say_hello(route, "x", 10.0, other.context())
    session = Client(CallbackAPIVersion.VERSION2, client_id="y")
    session.tls_set_context(lost.context())
    session.connect("127.0.0.1", bench.port)
    session.loop_start()
    try:
        await until(session.is_connected)
        assert bring(there, url) == (NOTHING_NEW, "")
        (approved,) = (one for one in bench.register.approved() if one.gateway == "edge-8")
        register = bench.register
        register.revoke(approved, "lost", "somebody", now())
        register.write_list(now())
        collector.told = held.read_bytes()
        status, said = bring(there, f"{url}/")
        assert (status, (there / "crl.pem").stat().st_mode & 0o777) == (TAKEN, 0o644), said
        assert broker.process is not None
        broker.process.send_signal(signal.SIGHUP)
        await until(lambda: "Reloading config" in bench.said_by_the_broker())
        assert session.is_connected(), "why the unit restarts mosquitto, and does not reload it"
        broker.stop()
        broker.start()
        with pytest.raises((OSError, NotLetInError)):  # of TLS, or hung up on before
            await say_hello(route, "y", 10.0, lost.context())
        await say_hello(route, "x", 10.0, other.context())
        assert bring(there, url) == (NOTHING_NEW, "")
    finally:
        session.disconnect()
        session.loop_stop()


def test_only_a_newer_list_by_the_ca_takes_the_place_of_the_one_that_is_there(
    bench: Bench, collector: Any
) -> None:
    there, url = bench.folder / "there", f"http://127.0.0.1:{collector.server_port}"
    there.mkdir()
    shutil.copy(bench.folder / "broker/ca.crt", there)
    first = (bench.folder / "broker/crl.pem").read_bytes()
    second = revocation_list(bench.ca, [7], now(), first)
    foreign = revocation_list(foreign_ca(), [], now(), second)
    at = second.index(b"\n") + 20
    bent = second[:at] + (b"A" if second[at : at + 1] != b"A" else b"B") + second[at + 1 :]
    for told, status, word, left in (
        (first, TAKEN, "has number", first),  # there was none
        (second, TAKEN, "has number", second),
        (second, NOTHING_NEW, "", second),
        (first, FAILED, "an older list", second),
        (foreign, FAILED, "no list by", second),
        (foreign + revocation_list(bench.ca, [], now(), second), FAILED, "no list by", second),
        (bent, FAILED, "no list by", second),
        (b"", FAILED, "no list by", second),
        (b"<html>", FAILED, "no list by", second),
        (b"x" * 9_000_000, FAILED, "does not answer with a list", second),
    ):
        collector.told = told
        found, said = bring(there, url)
        assert (found, (there / "crl.pem").read_bytes()) == (status, left), said
        assert word in said
    for elsewhere in (f"{url}/no", "http://127.0.0.1:1", "file:///etc", "-o/tmp/x"):
        assert bring(there, elsewhere)[0] == FAILED
    (there / "crl.pem").write_text("nobody can read this")
    collector.told = second + foreign
    assert bring(there, url)[0] == TAKEN
    assert (there / "crl.pem").read_bytes() == second, "and of what came behind it nothing"
    (there / "ca.crt").unlink()
    assert bring(there, url)[0] == FAILED
