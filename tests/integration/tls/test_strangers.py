"""Client ids at real brokers, and who can read what the product writes for one."""

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from cloud.broker import MAX_PAYLOAD_BYTES
from cloud.collector.topics import filters
from cloud.transport.broker_files import MAX_PACKET_BYTES
from cloud.transport.register import Register
from cloud.transport.served import serve_again
from evidence.broker_certificates import BrokerRequest
from evidence.client_id import client_id
from evidence.keys import generate, public_key, write_private
from tests.integration.edge.brokers import NAMES
from tests.integration.tls.bench import Bench, benches, now
from tests.integration.tls.guest import Guest
from tests.unit.edge.sites import GATEWAY, PLANT
from tests.waiting import ENOUGH_S, until, until_now


@pytest.fixture(params=NAMES)
def bench(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Bench]:
    yield from benches(tmp_path, request.param, capsys)


@contextlib.contextmanager
def neighbour(bench: Bench, name: str) -> Iterator[list[str]]:
    """Gateway edge-9 with its own certificate and a client id; what came of it."""
    guest = Guest(bench, bench.shown(bench.folder / "edge-9"), name)
    yield guest.told
    guest.leave()


async def test_a_certificate_of_another_gateway_throws_nobody_off(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """By the id that can be guessed at either; by the true one where ids go by certificates."""
    register, made = Register(bench.folder / "broker", bench.ca.signer), bench.certify()
    register.approve(BrokerRequest(PLANT, GATEWAY, public_key(made)))
    bench.files()
    await asyncio.to_thread(bench.configure)
    known = f"edge-{PLANT}/{GATEWAY}"
    async with bench.plant.running() as agent:
        machine = agent._delivery.machine
        await until(lambda: machine.online)
        with neighbour(bench, known) as told:
            await until(lambda: told)
            await asyncio.sleep(0.5)
        assert told == ["Success"]
        assert machine.online
        assert "broker: away" not in caplog.text
        with neighbour(bench, client_id(known, bench.folder / "tls.pem")) as told:
            await until(lambda: told)
            await asyncio.sleep(0.5)
            # nats-server lets whoever knows the id take it: docs/threat-model.md
            assert ("broker: away" in caplog.text) == (bench.kind == "nats")


def test_nobody_leaves_messages_of_qos_2_half_done(bench: Bench) -> None:
    """Tried: nats-server, full of them, lets nobody of the slice in; mosquitto takes 2 GB each."""
    shown = bench.files()
    bench.configure()
    collector = Guest(bench, bench.shown(bench.folder / "broker/collector"), "collector")
    its, topic = Guest(bench, shown, "edge-9"), f"stackproof/v1/00/{PLANT}/edge-9/frames"
    collector.client.subscribe(topic, 2)
    until_now(lambda: its.told and collector.grants)
    its.say([topic], b"at 1")
    its.client.publish(topic, b"at 2", qos=2)
    until_now(lambda: not its.client.is_connected())
    again = Guest(bench, shown, "edge-9")
    until_now(lambda: again.told)
    again.say([topic], b"again at 1")
    until_now(lambda: len(collector.heard) == 2)
    assert collector.heard == [(topic, b"at 1"), (topic, b"again at 1")]
    for guest in (collector, again):
        guest.leave()
    its.client.loop_stop()


@pytest.mark.parametrize("bench", ["nats"], indirect=True)
def test_what_a_gateway_has_kept_for_many_of_its_names_is_forgotten(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100 kB of memory each, past restarts; who is there hears on, however long nothing comes."""
    monkeypatch.setattr("cloud.transport.broker_files.GONE", "1s")
    shown = bench.files()
    bench.configure()
    collector = Guest(bench, bench.shown(bench.folder / "broker/collector"), "collector")
    mine = f"stackproof/v1/00/{PLANT}/edge-9/receipts"
    its = [Guest(bench, shown, f"edge-9-{n}", keeps=True) for n in range(4)]
    for guest in its:
        guest.client.subscribe(mine, 1)
    until_now(lambda: [guest.grants for guest in its] == [1] * 4)

    def kept() -> int:
        """Consumers on disk; one is the server's own, of retained messages."""
        return len(list((bench.folder / "broker/jetstream").rglob("obs/*/meta.inf"))) - 1

    until_now(lambda: kept() == 4)
    for guest in its[1:]:
        guest.cut_off()
    until_now(lambda: kept() == 1)
    collector.say([mine], b"after a while")
    until_now(lambda: its[0].heard == [(mine, b"after a while")])
    for guest in (collector, its[0]):
        guest.leave()


@pytest.mark.parametrize("bench", ["nats"], indirect=True)
@pytest.mark.parametrize(
    ("spare", "names"), [(0, 5), pytest.param(300, 251, marks=pytest.mark.long)]
)
def test_a_slice_has_the_subscriptions_that_its_gateways_need(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, spare: int, names: int
) -> None:
    """And no more; nats-server 2.15 grants 1,000 where nothing is said: 250 gateways with four."""
    monkeypatch.setattr("cloud.transport.broker_files.SPARE_CONNECTIONS", spare)
    monkeypatch.setattr("cloud.transport.broker_files.FILTERS_EACH", 2 if spare == 0 else 4)
    shown, down = bench.files(), ("receipts", "config", "certificate", "order")
    bench.configure()
    granted = list[int]()
    for n in range(names):
        guest = Guest(bench, shown, f"edge-9-{n}", keeps=True)
        guest.client.on_subscribe = lambda *given: granted.extend(code.value for code in given[3])
        guest.client.subscribe([(f"stackproof/v1/00/{PLANT}/edge-9/{leaf}", 1) for leaf in down])
        until_now(lambda n=n: len(granted) == 4 * (n + 1))
        guest.leave()
    # of certificates there are two, so eight connections: two for each, where it is narrow
    assert granted == ([1] * 1004 if spare else [1] * 16 + [0x80] * 4)
    bench.broker.stop(signal.SIGKILL)  # with a thousand it takes its time to end


@pytest.mark.long  # the short one is in tests/unit/edge/test_mqtt_thread.py
@pytest.mark.parametrize("bench", ["nats"], indirect=True)
async def test_who_has_all_subscriptions_kept_keeps_no_gateway_from_its_receipts(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Tried at a cluster: a thousand are there for good after 20 s; an agent asks for none.

    A collector that is refused them hears without.
    """
    monkeypatch.setattr("cloud.transport.broker_files.GONE", "1h")
    monkeypatch.setattr("cloud.transport.broker_files.SPARE_CONNECTIONS", 0)
    monkeypatch.setattr("cloud.transport.broker_files.FILTERS_EACH", 1)
    made, shown = bench.certify(), bench.files()
    bench.register.approve(BrokerRequest(PLANT, GATEWAY, public_key(made)))
    await asyncio.to_thread(bench.configure)
    granted, down = list[int](), ("receipts", "config", "certificate", "order")
    numbers = count()

    async def keep_all() -> None:
        while 0x80 not in granted:
            before, name = len(granted), f"edge-9-{next(numbers)}"
            guest = await asyncio.to_thread(Guest, bench, shown, name, keeps=True)
            guest.client.on_subscribe = lambda *given: granted.extend(one.value for one in given[3])
            base = f"stackproof/v1/00/{PLANT}/edge-9"
            guest.client.subscribe([(f"{base}/{leaf}", 1) for leaf in down])
            await until(lambda before=before: len(granted) == before + 4)
            await asyncio.to_thread(guest.leave)

    async with bench.collecting():
        await keep_all()
        assert 1 in granted
        async with bench.plant.running() as agent:
            await until(lambda: agent._delivery.machine.receipted >= 0)
    granted.clear()
    await keep_all()  # of the collector's too, who has left
    async with bench.collecting(), bench.plant.running() as agent:
        known = agent._delivery.machine.receipted
        await until(lambda: agent._delivery.machine.receipted > known)
    assert "trying again at QoS 0" in caplog.text


@pytest.mark.parametrize("bench", ["nats"], indirect=True)
async def test_names_without_end_do_not_fill_the_disk_of_a_slice(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tried: 847 of 60 kB filled 48 MB, after which nobody of the slice connected any more."""
    monkeypatch.setattr("cloud.transport.broker_files.MAX_FILE_MB", 2)
    monkeypatch.setattr("cloud.transport.sessions.RECORDS", 4)
    monkeypatch.setattr("cloud.transport.sessions.EACH_S", 0.2)
    shown = bench.files()
    await asyncio.to_thread(bench.configure)
    async with bench.collecting():
        for n in range(40):  # 2.6 MB
            told = list[str]()
            while not told:  # a broker that reads its file just then hangs up, and says nothing
                guest = Guest(bench, shown, f"{n:02}" + "x" * 65_000, keeps=True)
                await until(lambda guest=guest: guest.told or guest.ended)
                told = guest.told
                await asyncio.to_thread(guest.leave)
            assert told == ["Success"]


@pytest.mark.parametrize("bench", ["nats"], indirect=True)
async def test_frames_that_nobody_fetches_do_not_fill_the_disk_of_a_slice(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tried: a cluster kept a subscription that it had refused, and each frame for it, for good."""
    monkeypatch.setattr("cloud.transport.broker_files.MAX_FILE_MB", 2)
    monkeypatch.setattr("cloud.transport.broker_files.GONE", "1h")
    monkeypatch.setattr("cloud.transport.sessions.MESSAGES", 4)
    monkeypatch.setattr("cloud.transport.sessions.EACH_S", 0.02)
    monkeypatch.setattr("cloud.transport.sessions.SELDOM", 6)
    shown, made = bench.files(), bench.shown(bench.folder / "broker/collector")
    await asyncio.to_thread(bench.configure)
    left = Guest(bench, made, "left", keeps=True)
    left.client.subscribe("stackproof/v1/00/+/+/frames", 1)
    await until(lambda: left.grants)
    await asyncio.to_thread(left.leave)
    async with bench.collecting():
        its = Guest(bench, shown, "edge-9")
        for _ in range(20):  # 2.6 MB; hung up on as soon as the disk is full
            one = its.client.publish(f"stackproof/v1/00/{PLANT}/edge-9/frames", b"x" * 130_000, 1)
            await until(lambda one=one: one.is_published() or its.ended)
            await asyncio.sleep(0.03)  # what is old is dropped once in every few of them
            assert not its.ended
        await asyncio.to_thread(its.leave)


@pytest.mark.parametrize("bench", ["mosquitto"], indirect=True)
def test_one_gateway_does_not_fill_the_brokers_memory(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By subscriptions, which mosquitto keeps though they grant nothing, or by one packet."""
    monkeypatch.setattr("cloud.transport.broker_files.MEMORY_BYTES", 32 * 1024 * 1024)
    shown, collector = bench.files(), bench.shown(bench.folder / "broker/collector")
    bench.configure()
    topic = f"stackproof/v1/00/{PLANT}/edge-9/frames"
    its = Guest(bench, shown, "edge-9")
    until_now(lambda: its.told)
    its.client.publish(topic, b"x" * (MAX_PACKET_BYTES + 1))
    until_now(lambda: not its.client.is_connected())
    its.client.loop_stop()
    its = Guest(bench, shown, "edge-9")
    until_now(lambda: its.told)
    for n in range(20):  # 120 kB each: 240 MB
        its.client.subscribe([(f"{n}-{m}" + "/a" * 190, 1) for m in range(100)])
    until_now(lambda: not its.client.is_connected())
    its.client.loop_stop()
    assert its.grants < 20
    with contextlib.suppress(subprocess.TimeoutExpired):  # or it ends, and systemd starts it
        assert bench.broker.process is not None
        bench.broker.process.wait(1)
        bench.broker.start()
    heard, again = Guest(bench, collector, "collector"), Guest(bench, shown, "edge-9")
    heard.client.subscribe(topic, 1)
    until_now(lambda: again.told and heard.grants)
    again.say([topic], b"x" * MAX_PAYLOAD_BYTES)  # the largest that passed before
    until_now(lambda: heard.heard == [(topic, b"x" * MAX_PAYLOAD_BYTES)])
    for guest in (heard, again):
        guest.leave()


def test_a_collector_that_acknowledges_nothing_takes_a_bounded_part_of_the_brokers_memory(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tried: 900 frames of 1 MiB were 980 MB, which mosquitto's `memory_limit` takes for an attack.

    And nats-server cut off a collector at 10 Mbit/s that had to take 41 MB of frames in 10 s.
    """
    many, payload, most = {"mosquitto": (9, b"x" * MAX_PAYLOAD_BYTES, 3), "nats": (60, b"x", 24)}[
        bench.kind
    ]
    monkeypatch.setattr("cloud.transport.broker_files.MAX_INFLIGHT_BYTES", 3 * MAX_PAYLOAD_BYTES)
    shown, collector = bench.files(), bench.shown(bench.folder / "broker/collector")
    bench.configure()
    topic = f"stackproof/v1/00/{PLANT}/edge-9/frames"
    heard, its = Guest(bench, collector, "collector"), Guest(bench, shown, "edge-9")
    heard.client.manual_ack_set(on=True)
    heard.client.subscribe(filters("00", renews=True))
    until_now(lambda: its.told and heard.grants)
    its.say([topic] * many, payload)
    until_now(lambda: len(heard.heard) >= most)
    heard.client.subscribe("answered/after/what/came/before", 1)
    until_now(lambda: heard.grants == 2)
    assert len(heard.heard) == most
    asks = [topic.replace("frames", leaf) for leaf in ("state", "renew")]
    its.say(asks, b"x")  # tried: nats-server kept these back for as long as frames waited
    until_now(lambda: [said for said, _ in heard.heard[most:]] == asks)
    for guest in (heard, its):
        guest.leave()


@pytest.mark.parametrize("bench", ["nats"], indirect=True)
def test_a_collector_that_is_busy_for_a_while_is_not_cut_off_by_a_backlog(bench: Bench) -> None:
    """Tried: 60 gateways after an outage; nats-server cuts off whom 64 MiB wait for, as slow."""
    shown, busy = bench.files(), threading.Event()
    bench.configure()
    topic = f"stackproof/v1/00/{PLANT}/edge-9/frames"
    collector = Guest(bench, bench.shown(bench.folder / "broker/collector"), "collector")
    its = Guest(bench, shown, "edge-9")
    collector.client.subscribe(topic, 1)
    until_now(lambda: its.told and collector.grants)
    note = collector.client.on_message
    collector.client.on_message = lambda *given: (busy.wait(ENOUGH_S), note(*given))
    its.say([topic] * 80, bytes(2**20))
    busy.set()
    until_now(lambda: len(collector.heard) == 80)
    busy.clear()  # and who reads nothing of what he asks for is, before it takes all memory
    order = topic.replace("frames", "order")
    collector.say([order], bytes(2**20), retain=True)
    its.client.on_message = lambda *_: busy.wait(ENOUGH_S)
    its.client.subscribe([(order, 0)] * 90)
    until_now(lambda: "MaxPending of 67108864 Exceeded" in bench.said_by_the_broker())
    busy.set()
    for guest in (collector, its):
        guest.leave()


def test_a_client_id_is_a_secret_of_its_key(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_private(tmp_path / name, generate("p256"))
    ids = {client_id("edge-1", tmp_path / name) for name in ("a", "b", "a")}
    assert len(ids) == 2, "the same at each start, and of each key another"
    assert client_id("edge-1", None) == "edge-1"


def test_mosquitto_reads_the_files_as_its_own_user(capsys: pytest.CaptureFixture[str]) -> None:
    """Started by root it gives root up at once: without --user `acl` is closed to it."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files to another user")
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("mosquitto is not installed")
    with tempfile.TemporaryDirectory() as named:  # pytest's folders are closed to others
        folder = Path(named)
        bench = Bench(folder, "mosquitto", capsys)
        words = ("cloud broker config", bench.cloud, "--for mosquitto --port", str(bench.port),
                 "--out", folder / "broker")  # fmt: skip
        assert "alone can read these files" in bench.run(*words)
        assert "cannot enter it" in bench.run(*words, "--user mosquitto")
        folder.chmod(0o711)
        said = bench.run(*words, "--user mosquitto")
        assert "cannot enter" not in said
        assert "must be restarted" not in said, "it says the same as before"
        acl = (folder / "broker" / "acl").stat()
        assert (acl.st_mode & 0o777, acl.st_uid) == (0o600, pwd.getpwnam("mosquitto").pw_uid)
        with (folder / "log").open("wb") as log:
            started = [program, "-c", folder / "broker" / "mosquitto.conf"]
            process = subprocess.Popen(started, stdout=log, stderr=log)
        try:
            _until_it_says(folder / "log", "running")
            assert "has been told to read" in bench.run(*words, "--user mosquitto")
            _until_it_says(folder / "log", "Reloading config")
            assert "rror" not in (folder / "log").read_text()
        finally:
            process.terminate()
            process.wait(10)
        acl_before = (folder / "broker" / "acl").read_text()
        with (folder / "broker" / "mosquitto.conf").open("a") as by_hand:
            by_hand.write("# by hand\n")
        register = Register(folder / "broker", bench.ca.signer)
        key = generate("p256")
        ended = register.approve(BrokerRequest(PLANT, GATEWAY, key.public_key()))
        register.revoke(ended, "lost", "somebody", now())
        register.write_list(now())
        said = "\n".join(serve_again(bench.cloud, register))
        assert "was changed by hand and stays" in said
        assert (folder / "broker" / "mosquitto.conf").read_text().endswith("# by hand\n")
        denied = f"user {PLANT}/{GATEWAY}\ntopic deny stackproof/v1/#\n"
        assert denied in (folder / "broker" / "acl").read_text().replace(acl_before, "")
        assert "no user nobody-here" in bench.run(*words, "--user nobody-here", status=2)


def _until_it_says(log: Path, words: str) -> None:
    until_s = time.monotonic() + ENOUGH_S
    while words not in log.read_text():
        assert time.monotonic() < until_s, log.read_text()
        time.sleep(0.05)
