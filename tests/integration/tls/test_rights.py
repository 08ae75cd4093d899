"""Doors of real brokers under the generated configuration: who comes in, and what he gets there."""

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.broker_tls import believing
from edge.clock import SystemClock
from edge.commissioning.doctor_broker import examine_broker
from edge.commissioning.findings import State
from edge.route import Route
from edge.uplink.hello import connect_packet
from edge.uplink.websocket import frame, upgrade_request
from evidence.broker_certificates import BrokerRequest
from evidence.keys import public_key
from tests.integration.edge.brokers import NAMES
from tests.integration.tls.bench import Bench, benches
from tests.integration.tls.guest import Door, Guest
from tests.ports import free_port
from tests.unit.edge.sites import GATEWAY, PLANT
from tests.waiting import until_now

UP, DOWN = ("frames", "live", "state", "renew"), ("receipts", "config", "certificate", "order")
ALL = "stackproof/v1/00/+/+"
MINE, ITS = (f"stackproof/v1/00/{PLANT}/{gateway}" for gateway in (GATEWAY, "edge-9"))
#: nats-server keeps messages, retained ones and sessions under these names
INNER = ("$MQTT/#", "$MQTT/msgs/#", "$MQTT/sub/#", "$JS/#", "$SYS/#", "$share/x/#")
HELLO = connect_packet("a-guest")
LET_IN = b"\x20\x02\x00\x00"
NATIVE = b'CONNECT {"verbose":true,"pedantic":false,"lang":"c","version":"1"}\r\nPING\r\n'


@pytest.fixture(params=NAMES)
def bench(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Bench]:
    yield from benches(tmp_path, request.param, capsys)


def named(base: str, leaves: tuple[str, ...]) -> list[str]:
    return [f"{base}/{leaf}" for leaf in leaves]


def all_at_the_table(bench: Bench) -> None:
    """Keys of edge-1 and edge-9 are approved, the broker runs."""
    made = bench.certify()
    bench.register.approve(BrokerRequest(PLANT, GATEWAY, public_key(made)))
    bench.files()
    bench.configure()


def test_another_gateway_writes_and_reads_nothing_of_a_neighbour(bench: Bench) -> None:
    """Each silence is held against something that came: after it, by the same way."""
    all_at_the_table(bench)
    folder = bench.folder
    theirs = bench.shown(folder / "edge-9")
    collector = Guest(bench, bench.shown(folder / "broker" / "collector"), "collector")
    mine = Guest(bench, bench.shown(folder / "tls"), "edge-1")
    its = Guest(bench, theirs, "edge-9", f"{MINE}/state")
    until_now(lambda: collector.told + mine.told + its.told == ["Success"] * 3)
    collector.say(named(MINE, DOWN), b"kept", retain=True)
    collector.client.subscribe([(topic, 1) for topic in named(ALL, UP)])
    mine.client.subscribe([(topic, 1) for topic in named(MINE, DOWN)])
    wild = ["#", "+/#", "stackproof/#", f"{MINE}/#", f"{ALL}/#", *named(ALL, DOWN), *INNER]
    asked = [*named(ITS, DOWN), *named(MINE, (*DOWN, *UP)), *wild]
    for topic in asked:  # each by itself: one that is refused takes no other with it
        its.client.subscribe(topic, 1)
    until_now(lambda: (collector.grants, mine.grants, its.grants) == (1, 1, len(asked)))
    until_now(lambda: len(mine.heard) == len(DOWN))

    its.say(named(MINE, (*UP, *DOWN)), b"forged")
    its.say(named(MINE, (*UP, *DOWN)), b"forged", retain=True)
    its.say(["$JS/API/STREAM/DELETE/$MQTT_msgs", "$MQTT/msgs/x", "$SYS/x"], b"")
    mine.say(named(MINE, UP), b"true")
    its.say(named(ITS, UP), b"true")
    collector.say(named(MINE, DOWN), b"true")
    collector.say(named(ITS, DOWN), b"true")
    up = {(topic, b"true") for topic in named(MINE, UP) + named(ITS, UP)}
    until_now(lambda: up <= set(collector.heard))
    until_now(lambda: len(mine.heard) >= 2 * len(DOWN))
    until_now(lambda: {(topic, b"true") for topic in named(ITS, DOWN)} <= set(its.heard))
    its.cut_off()  # its last will is for edge-1's state
    last = Guest(bench, theirs, "edge-9-last", f"{ITS}/state")
    until_now(lambda: last.told)
    last.cut_off()
    until_now(lambda: (f"{ITS}/state", b"will") in collector.heard)
    for guest in (collector, mine):
        guest.leave()
    assert set(collector.heard) == {*up, (f"{ITS}/state", b"will")}
    heard = [(topic, said) for said in (b"kept", b"true") for topic in named(MINE, DOWN)]
    assert sorted(mine.heard) == sorted(heard)
    assert {topic for topic, _ in its.heard} == set(named(ITS, DOWN))


def doors(bench: Bench) -> dict[str, Door]:
    """Every port of the broker, and each language that is spoken there."""
    found = {"mqtt": Door(bench.port, [(HELLO, LET_IN)])}
    if bench.kind == "mosquitto":
        return found
    (port,) = re.findall(
        r"Listening for client connections on 127\.0\.0\.1:(\d+)", bench.said_by_the_broker()
    )
    mask = bytes(4)
    mqtt, other = (
        upgrade_request(Route("localhost", bench.websocket, path), bytes(16))
        for path in ("/mqtt", "/")
    )
    websocket = [(mqtt, b"\r\n\r\n"), (frame(HELLO, mask), LET_IN)]
    found["websocket"] = Door(bench.websocket, websocket)
    found["native"] = Door(int(port), [(NATIVE, b"PONG")], greets=True)
    native = [(other, b"INFO "), (frame(NATIVE, mask), b"PONG")]
    found["native, websocket"] = Door(bench.websocket, native)
    return found


def test_nobody_comes_in_without_a_certificate_or_in_plain_text(bench: Bench) -> None:
    """And with one in MQTT alone: nats-server's own language would show what others are sent."""
    bench.websocket = free_port() if bench.kind == "nats" else 0
    all_at_the_table(bench)
    shown = bench.shown(bench.folder / "edge-9").context()
    nothing = believing(bench.folder / "broker" / "ca.crt")
    all_doors = doors(bench)
    assert [name for name, door in all_doors.items() if door.lets_in(shown)] == [
        name for name in ("mqtt", "websocket") if name in all_doors
    ]
    assert not [name for name, door in all_doors.items() if door.lets_in(nothing)]
    assert not [name for name, door in all_doors.items() if door.lets_in(None)]
    for name in all_doors.keys() & {"native", "native, websocket"}:
        assert b"Authorization Violation" in all_doors[name].answer(shown)


async def _said(bench: Bench) -> str:
    checks = await examine_broker(bench.site, SystemClock())
    assert checks[-1].state is State.FAILED, checks
    return f"{checks[-1].sentence}: {checks[-1].todo}"


async def test_the_doctor_names_a_certificate_that_was_not_shown(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a broker that asks for keys of another kind: then TLS has none to show."""
    all_at_the_table(bench)
    monkeypatch.setattr("edge.broker_tls.present", lambda *_: None)
    said = await _said(bench)  # TLS 1.2 has no word of its own for it (RFC 5246, 7.4.6)
    assert "the broker does not take this gateway's certificate" in said
    assert "HANDSHAKE_FAILURE): it was not shown, or" in said
    bench.broker.stop()
    with only_tls_1_3(bench):
        said = await _said(bench)
    assert "CERTIFICATE_REQUIRED): it was not shown. Ask for one with" in said


@contextlib.contextmanager
def only_tls_1_3(bench: Bench) -> Iterator[None]:
    """In place of the broker: it asks for a certificate, and hangs up after the client."""
    broker = bench.folder / "broker"
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(broker / "ca.crt"))
    context.load_cert_chain(broker / "server.crt", broker / "server.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    listener = socket.create_server(("127.0.0.1", bench.port))

    def serve() -> None:
        with contextlib.suppress(OSError):  # it is closed at the end
            while True:
                connection, _ = listener.accept()
                with (
                    context.wrap_socket(
                        connection, server_side=True, do_handshake_on_connect=False
                    ) as shaking,
                    contextlib.suppress(OSError),
                ):
                    try:
                        shaking.do_handshake()
                    except ssl.SSLError:
                        while socket.socket.recv(shaking, 4096):
                            pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
