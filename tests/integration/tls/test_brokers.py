"""Real brokers under the configuration the product writes: who comes in, and what each no says."""

import asyncio
import contextlib
import datetime as dt
import json
import re
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from cloud.transport.desk import BrokerDesk
from cloud.transport.register import Register
from edge.agent import Agent
from edge.clock import SystemClock
from edge.commissioning.doctor_broker import examine_broker
from edge.commissioning.findings import State
from edge.uplink import mqtt
from evidence.broker_certificates import BrokerRequest, Ca, certify_server
from evidence.broker_revocations import revocation_list
from evidence.keys import (
    Certificate,
    FileSigner,
    certificate_to_pem,
    load_certificate,
    public_key,
)
from tests.integration.edge.brokers import NAMES
from tests.integration.edge.proxies import proxying
from tests.integration.tls.bench import Bench, benches, foreign_ca, now
from tests.ports import free_port
from tests.system.watching import Seen
from tests.unit.edge.sites import GATEWAY, PLANT
from tests.waiting import until, until_now

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


@pytest.fixture(params=NAMES)
def bench(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Bench]:  # fmt: skip
    monkeypatch.setattr("edge.uplink.mqtt.RECONNECT_S_MIN", 0.2)
    monkeypatch.setattr("edge.uplink.mqtt.RECONNECT_S_MAX", 0.4)
    monkeypatch.setattr("edge.renewal.LOOK_S", 0.3)  # asked before the collector is back: again
    monkeypatch.setattr("edge.renewal.AGAIN_S", 0.6)
    monkeypatch.setattr("cloud.transport.own.LOOK_S", 0.3)
    monkeypatch.setattr("cloud.transport.desk.AGAIN_S", 0.3)
    monkeypatch.setattr("cloud.transport.desk.LOOKS_REST", 1)
    monkeypatch.setattr("edge.pipeline.FRAME_NS_MAX", 500_000_000)
    monkeypatch.setattr("cloud.collector.mqtt.RECONNECT_S_MIN", 0.2)
    monkeypatch.setattr("cloud.collector.mqtt.RECONNECT_S_MAX", 0.4)
    monkeypatch.setattr("cloud.collector.receipts.INTERVAL_S", 0.2)
    yield from benches(tmp_path, request.param, capsys)


async def until_it_is_shown(bench: Bench, agent: Agent, given: Certificate) -> None:
    """The agent has a certificate in place of this one, and comes in by it alone."""
    uplink, delivery = agent._delivery._uplink, agent._delivery
    renewed = bench.site.gateway.state_dir / "broker.crt"
    assert uplink is not None
    await until(renewed.exists)
    made = load_certificate(renewed)
    assert made.serial_number != given.serial_number
    assert made.not_valid_after_utc > now() + dt.timedelta(days=29), "made for this request"
    assert public_key(made) == public_key(given)
    await until(lambda: uplink._connections == 2 and delivery.machine.online)
    if (left := given.not_valid_after_utc - now()) < HOUR:
        assert delivery.certificate_trouble == ""
        await asyncio.sleep(left.total_seconds() + 2)  # the broker's clock is this one
    elif bench.kind == "mosquitto":  # its list names certificates; a clock ahead is in no date
        crl, at = bench.folder / "broker" / "crl.pem", now() + 400 * DAY
        crl.write_bytes(revocation_list(bench.ca, [given.serial_number], at, crl.read_bytes()))
        assert bench.broker.process is not None
        bench.broker.process.send_signal(signal.SIGHUP)
        await until(lambda: "Reloading config" in bench.said_by_the_broker())
    uplink.reconnect()
    await until(lambda: uplink._connections == 3 and delivery.machine.online)
    before = delivery.machine.newest
    await until(lambda: delivery.machine.receipted > before)


@pytest.mark.parametrize(
    "left", [5 * DAY, pytest.param(dt.timedelta(seconds=40), marks=pytest.mark.long)]
)
async def test_a_gateway_is_enrolled_delivers_renews_and_is_revoked(
    bench: Bench, left: dt.timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    """`left` of a certificate of 30 days when it is given; the long one outlives it.

    The agent runs before it has key and certificate: readings wait for neither.
    """
    await asyncio.to_thread(bench.configure)  # nobody but the collector
    async with bench.collecting(), contextlib.AsyncExitStack() as running:
        agent = await running.enter_async_context(bench.plant.running())
        delivery = agent._delivery
        await until(lambda: "tls.pem: cannot be read" in delivery.certificate_trouble)
        await until(lambda: "broker-certificate" in agent._alarms.names)
        await until(lambda: bench.plant.waiting() >= 2)
        with pytest.MonkeyPatch.context() as then:  # as if it had been enrolled so long ago
            then.setattr(BrokerDesk, "_now", lambda _: now() - 30 * DAY + left)
            key = await asyncio.to_thread(bench.enrol)  # the broker is told by the collector
        assert re.match(
            rf"north-works/edge-1: key {key}, until 20[-0-9]{{8}} [0-9:]{{5}} UTC\n",
            await asyncio.to_thread(bench.run, "cloud broker requests", bench.cloud),
        )
        given = load_certificate(bench.folder / "tls.crt")
        await until(lambda: delivery.machine.receipted >= 1)
        await until_it_is_shown(bench, agent, given)
        assert delivery.certificate_trouble == ""
        whose = f"--plant {PLANT} --gateway {GATEWAY} --key {key}"
        caplog.clear()
        said = await asyncio.to_thread(
            bench.run, "cloud broker revoke", bench.cloud, whose, "--reason stolen"
        )
        assert "has been told to read" in said
        await asyncio.sleep(1)
        before = delivery.machine.receipted  # what had left by then
        await asyncio.sleep(1.5)
        assert delivery.machine.receipted == before, "nothing of a session that stood counts"
        assert "broker mqtts://127.0.0.1" not in caplog.text, "the collector's session stands"
        assert delivery.machine.online == (bench.kind == "mosquitto"), "nats-server cuts it"
        await running.aclose()
        await _is_refused(bench, "revoked")  # the broker has run since before
        ready = json.loads((bench.folder / "cloud-state/ready.json").read_text())["http"]
        await asyncio.to_thread(_shows_what_is_made_anew, bench, f"{ready}/metrics")
        await asyncio.to_thread(_a_disk_that_refuses_is_told_until_it_takes, bench, ready)
        bench.broker.stop()
        await until(lambda: "lost" in caplog.text)
        told = await asyncio.to_thread(lambda: urlopen(f"{ready}/readyz").read().decode())
        assert told.startswith("ready\nbroker away for ")
        bench.broker.start()
        rows = await asyncio.to_thread(bench.rows)
        assert rows == {"waiting": [], "approved": []}
        listed = await asyncio.to_thread(lambda: urlopen(f"{ready}/api/v1/broker/revoked").read())
        assert listed == (bench.folder / "broker/crl.pem").read_bytes(), "for a broker elsewhere"
        log = await asyncio.to_thread(bench.run, "cloud accounts log", bench.cloud)
        assert f"broker-key-approved by collector from 127.0.0.1 {PLANT}/{GATEWAY} key {key}" in log
        assert f"broker-certificate-renewed by collector {PLANT}/{GATEWAY} key {key} until" in log
        assert f"broker-key-revoked by collector from 127.0.0.1 {PLANT}/{GATEWAY} key {key}" in log
    await _is_refused(bench, "revoked")


async def test_a_topic_that_is_forbidden_shows_by_the_missing_receipt(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both acknowledge what they drop: status and doctor name it, the pace goes down."""
    for name, seconds in (("STALL_S", 0.05), ("STALL_S_MAX", 0.4)):
        monkeypatch.setattr(f"edge.uplink.machine.{name}", seconds)
    monkeypatch.setattr("edge.delivery.FIRST_RECEIPT_S", 0.1)
    monkeypatch.setattr("edge.delivery.LAST_RECEIPT_S", 0.1)
    monkeypatch.setattr("edge.commissioning.doctor_broker.COMES_BACK_S", 0.1)
    register, made = Register(bench.folder / "broker", bench.ca.signer), bench.certify()
    register.approve(BrokerRequest(PLANT, GATEWAY, public_key(made)))
    await asyncio.to_thread(bench.configure)
    conf = bench.folder / "broker" / ("acl" if bench.kind == "mosquitto" else "nats.conf")
    for mine in (f"{PLANT}.{GATEWAY}.", "%u/"):
        conf.write_text(conf.read_text().replace(f"{mine}frames", f"{mine}forbidden"))
    bench.broker.stop()
    bench.broker.start()
    async with bench.plant.running() as agent:
        await until(lambda: "no-receipts" in agent._alarms.names)
        before, at_s = agent._delivery.machine.resends, time.monotonic()
        await asyncio.sleep(0.9)
        assert agent._delivery.machine.resends - before <= (time.monotonic() - at_s) / 0.4 + 1
        said = await asyncio.to_thread(bench.run, "edge status", bench.site.path, status=1)
        assert agent._delivery.machine.online
        assert agent._delivery.machine.receipted == -1
        await _is_refused(bench, "no receipt comes for what the agent sends", "cloud status")
    topic = f"stackproof/v1/00/{PLANT}/{GATEWAY}/frames"
    assert re.search(
        rf"ALARM no-receipts: since .*: the collector does not accept .* what is sent on {topic}",
        said,
    )


def listens_beyond_loopback(bench: Bench) -> set[str]:
    """Where other machines reach the broker; `tests/system/test_demo.py` looks without TLS."""
    assert bench.broker.process is not None
    (seen := Seen()).look(bench.broker.process.pid)
    assert seen.bound, "it listens somewhere"
    return set(seen.beyond_loopback)


def _a_disk_that_refuses_is_told_until_it_takes(bench: Bench, page: str) -> None:
    """What tells the broker who may come in is lost: by health, and by `cloud check`."""
    token = (bench.folder / "cloud-state/api.token").read_text().strip()
    asked = Request(f"{page}/api/v1/health", headers={"Authorization": f"Bearer {token}"})

    def told() -> str:
        return str(json.loads(urlopen(asked).read())["broker_register"])

    assert told() == ""
    name = "acl" if bench.kind == "mosquitto" else "nats.conf"
    its = bench.folder / "broker" / name
    before, part = its.read_text(), its.with_name(f".{name}.part")
    part.mkdir()
    its.unlink()
    until_now(lambda: "cannot be written" in told())
    said = bench.run("cloud check", bench.cloud)
    assert f"broker.register: WARNING: {its.parent}: [Errno 2] No such file" in said
    assert "cannot be written" in bench.run("cloud broker reload", bench.cloud, status=1)
    part.rmdir()
    until_now(lambda: told() == "")
    assert its.read_text() == before
    assert "has been told to read" in bench.run("cloud broker reload", bench.cloud)
    assert "WARNING" not in bench.run("cloud check", bench.cloud)


def _shows_what_is_made_anew(bench: Bench, metrics: str) -> None:
    """The broker, without a restart; whoever is connected is told what it showed him."""
    server, hosts = bench.folder / "broker/server.crt", "--host 127.0.0.1 --host localhost"
    token = (bench.folder / "cloud-state/api.token").read_text().strip()
    asked = Request(metrics, headers={"Authorization": f"Bearer {token}"})

    def ends() -> dict[str, float]:
        text = urlopen(asked).read().decode()
        name = r'^stackproof_broker_certificate_not_after_seconds\{certificate="(\w+)"\} (\S+)$'
        return {which: float(at) for which, at in re.findall(name, text, re.M)}

    def shows(made: str) -> bool:
        return ssl.get_server_certificate(("127.0.0.1", bench.port)) == made

    first = ends()
    assert first.keys() == {"ca", "collector", "server"}
    assert first["server"] == load_certificate(server).not_valid_after_utc.timestamp()
    bench.run("cloud broker new --out", server.parent, hosts, "--host b")
    bench.configure()
    until_now(lambda: shows(server.read_text()))
    until_now(lambda: "shown" in ends(), 20)  # the file is looked at again
    told = ends()
    assert (told["shown"], told["server"] > first["server"]) == (first["server"], True)


async def _is_refused(bench: Bench, *words: str) -> None:
    checks = await examine_broker(bench.site, SystemClock())
    assert checks[-1].state is State.FAILED, checks
    said = checks[-1].sentence + " " + checks[-1].todo
    assert all(word in said for word in words), said
    assert checks[-1].todo


async def test_an_agent_that_is_not_let_in_tries_at_a_pace_and_loses_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a stranger, ended, revoked; with another key all that was read meanwhile comes."""
    monkeypatch.setattr("edge.delivery.TICK_S", 0.1)
    monkeypatch.setattr("edge.delivery.FIRST_RECEIPT_S", 0.1)
    monkeypatch.setattr("edge.renewal.AWAY_LOOK_S", 0.1)
    monkeypatch.setattr("edge.uplink.mqtt.RECONNECT_S_MAX", 0.2)
    tries, real = list[float](), mqtt.connect

    def counted(*given: Any, **how: Any) -> socket.socket:
        tries.append(time.monotonic())
        return real(*given, **how)

    monkeypatch.setattr("edge.uplink.mqtt.connect", counted)
    register, made = bench.register, bench.certify(ca=foreign_ca())
    approved = register.approve(BrokerRequest(PLANT, GATEWAY, public_key(made)))
    await asyncio.to_thread(bench.configure)

    def is_ended() -> None:
        bench.certify(age_days=31)

    def is_revoked() -> None:
        issued = register.certificate(approved, now())
        assert issued is not None
        register.revoke(approved, "lost", "somebody", now())
        register.write_list(now())
        before = bench.said_by_the_broker().count("Reload")
        bench.configure()
        until_now(lambda: bench.said_by_the_broker().count("Reload") > before)
        (bench.folder / "tls.crt").write_bytes(certificate_to_pem(issued))

    def is_well() -> None:
        (bench.folder / "tls.pem").unlink()
        register.approve(BrokerRequest(PLANT, GATEWAY, public_key(bench.certify())))
        bench.configure()

    async with bench.collecting(), bench.plant.running() as agent:
        for change in (lambda: None, is_ended, is_revoked):
            await asyncio.to_thread(change)
            before = len(tries)
            await until(lambda: len(tries) >= before + 3)  # noqa: B023 - called in this turn only
            said = await asyncio.to_thread(bench.run, "edge status", bench.site.path, status=None)
            assert re.search(r"broker: away since 20\d\d-.* edge doctor .* says more;", said)
            assert ("ALARM broker-certificate: " in said) == (change is is_ended)
        assert min(after - one for one, after in pairwise(tries)) >= 0.2, "RECONNECT_S_MIN"
        waiting = bench.plant.waiting()
        assert waiting
        await asyncio.to_thread(is_well)
        await until(lambda: agent._delivery.machine.receipted >= waiting)
        said = await asyncio.to_thread(bench.run, "edge status", bench.site.path, status=None)
        assert "broker: there since 20" in said
        assert re.search(r"\nbroker's certificate: until 20.* UTC, 729 days left\n", said)


async def test_every_no_is_named_with_what_to_do(bench: Bench) -> None:
    """No key, no certificate, ended, a stranger's; then the broker's: a stranger's, ended."""
    bench.configure()
    assert listens_beyond_loopback(bench) == set(), "as configured by default"
    await _is_refused(bench, "tls.pem: cannot be read", "edge enrol")
    bench.certify(ca=foreign_ca())
    await _is_refused(bench, "does not take this gateway's certificate", "CA")
    bench.certify(age_days=31)
    checks = await examine_broker(bench.site, SystemClock())
    (own,) = [c for c in checks if c.state is State.FAILED and "it ended on" in c.sentence]
    assert "edge enrol" in own.todo
    await _is_refused(bench, "does not take this gateway's certificate", "ended")
    (bench.folder / "tls.crt").unlink()
    await _is_refused(bench, "tls.crt is not there yet", "edge enrol")
    bench.certify()
    ours, broker = bench.ca, bench.folder / "broker"
    server = FileSigner.load(broker / "server.pem").public_key
    old = now() - dt.timedelta(days=731)
    for left, state in ((29, State.WARNING), (30, State.FINE)):  # of 730 days, and some hours
        begins = now() - dt.timedelta(days=730 - left, hours=-12)
        made = certify_server(["127.0.0.1"], server, ours, begins)
        (broker / "server.crt").write_bytes(certificate_to_pem(made))
        bench.broker.stop()
        bench.broker.start()
        checks = await examine_broker(bench.site, SystemClock())
        (its,) = [c for c in checks if c.sentence.startswith("the broker's certificate: until")]
        assert (its.state, f"{left} days left" in its.sentence) == (state, True), its
        assert ("stackproof cloud broker new" in its.todo) == (state is State.WARNING)
    for hosts, ca, begins, words in (
        (["127.0.0.1"], foreign_ca(), now(), ("the broker's certificate is by a stranger", "ca")),
        (["127.0.0.1"], Ca(ours.signer, ours.certificate), old, ("broker's certificate ended",)),
        (["10.0.0.9"], ours, now(), ("is for another", "in the url")),
    ):
        made = certify_server(hosts, server, ca, begins)
        (broker / "server.crt").write_bytes(certificate_to_pem(made))
        bench.broker.stop()
        bench.broker.start()
        await _is_refused(bench, *words)


@pytest.mark.parametrize("bench", ["nats"], indirect=True)
async def test_over_a_websocket_through_a_proxy_and_with_another_key_while_it_runs(
    bench: Bench, tmp_path: Path
) -> None:
    """The certificates are the same; and what is put in their place is shown without a restart."""
    bench.websocket = free_port()
    with proxying("socks5", tmp_path / "proxy", "edge:pass") as real:
        login = bench.folder / "proxy.login"
        login.write_text("edge:pass\n")
        login.chmod(0o600)
        proxy = f'proxy = "{real.url}"\nproxy_login = "file:proxy.login"'
        url = f'"wss://localhost:{bench.websocket}/mqtt"'
        bench.plant.text = bench.plant.text.replace('"mqtts://127.0.0.1:1883"', f"{url}\n{proxy}")
        register = Register(bench.folder / "broker", bench.ca.signer)

        def certify() -> None:
            made = bench.certify()
            register.approve(BrokerRequest(PLANT, GATEWAY, public_key(made)))
            bench.configure()

        await asyncio.to_thread(certify)
        assert listens_beyond_loopback(bench) == set()
        checks = await examine_broker(bench.site, SystemClock())
        assert "TLS by certificates, over WebSocket" in checks[-1].sentence, checks[-1]
        async with bench.collecting(), bench.plant.running() as agent:
            delivery = agent._delivery
            await until(lambda: delivery.machine.receipted >= 1)
            (bench.folder / "tls.pem").unlink()
            await asyncio.to_thread(certify)  # the broker's list has the new key alone
            before = delivery.machine.newest
            await until(lambda: delivery.machine.receipted > before)
            assert delivery.certificate_trouble == ""


async def test_the_doctor_beside_a_running_agent_leaves_its_connection_alone(bench: Bench) -> None:
    """Here mosquitto makes ids of certificates: a CONNECT would throw the agent off."""
    register = Register(bench.folder / "broker", bench.ca.signer)
    register.approve(BrokerRequest(PLANT, GATEWAY, public_key(bench.certify())))
    await asyncio.to_thread(bench.configure)
    async with bench.collecting(), bench.plant.running() as agent:
        uplink = agent._delivery._uplink
        assert uplink is not None
        await until(lambda: agent._delivery.machine.receipted >= 1)
        before = uplink._connections
        for _ in range(2):  # the second hears what the first would have done
            checks = await examine_broker(bench.site, SystemClock())
            assert checks[-1].state is State.FINE, checks[-1]
            assert "the running agent is left alone" in checks[-1].sentence
        assert uplink._connections == before
