"""Several collectors' slices at one nats-server, of the files that the product writes."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.transport.register import Register
from cloud.transport.served import alone, serve_again
from evidence.broker_certificates import BrokerRequest, certify_client, gateway_name, make_ca
from evidence.keys import FileSigner, certificate_to_pem, generate, public_key, write_private
from tests.integration.cloud.cloud_process import wait
from tests.integration.tls.bench import CLOUD, USER, Bench, benches, now
from tests.integration.tls.guest import Guest
from tests.unit.edge.sites import GATEWAY, PLANT

UP, DOWN = ("frames", "live", "state", "renew"), ("receipts", "config", "certificate", "order")
THERE = "south-works"
ALL, ITS_ALL = "stackproof/v1/00/+/+", "stackproof/v1/01/+/+"
MINE, ITS = f"stackproof/v1/00/{PLANT}/{GATEWAY}", f"stackproof/v1/01/{THERE}/{GATEWAY}"


class South:
    """A second collector as the first one's machine sees it: without a private key."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.folder = bench, bench.folder / "south"
        self.cloud, self.broker = self.folder / "CLOUD.toml", self.folder / "broker"
        self.broker.mkdir(parents=True)
        self.cloud.write_text(CLOUD.format(port=bench.port).replace('"00"', '"01"'))
        (self.broker / "ca.crt").write_bytes((bench.folder / "broker/ca.crt").read_bytes())
        bench.run("cloud broker new --out", self.broker, "--slice 01 --host 127.0.0.1 --ca-key",
                  f"file:{bench.folder}/broker/ca.pem")  # fmt: skip
        (self.broker / "collector.pem").rename(self.folder / "collector.pem")
        (self.folder / "collector.crt").write_bytes((self.broker / "collector.crt").read_bytes())

    def admit(self, plant: str, gateway: str) -> Path:
        """Approve a key of it, and make its certificate; what says that it was approved."""
        key, stem = generate("p256"), self.folder / f"{plant}-{gateway}"
        write_private(stem.with_suffix(".pem"), key)
        request = BrokerRequest(plant, gateway, key.public_key())
        made = certify_client(gateway_name(plant, gateway), key.public_key(), self.bench.ca, now())
        stem.with_suffix(".crt").write_bytes(certificate_to_pem(made))
        return Register(self.broker, None).approve(request).path


class Shared:
    """Two collectors of one broker, each with a gateway that is let in."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.south = bench, South(bench)
        self.clouds = (bench.cloud, self.south.cloud)
        made = bench.certify()
        bench.register.approve(BrokerRequest(PLANT, GATEWAY, public_key(made)))
        self.south.admit(THERE, GATEWAY)
        said = self.config(*self.clouds)
        assert "nats.conf, slice 00, 1 gateway key(s)" in said
        assert "nats.conf, slice 01, 1 gateway key(s)" in said

    def config(self, *clouds: Path, kind: str = "nats", status: int = 0) -> str:
        """Its port and user are said once, and stay."""
        out = self.bench.folder / "broker"
        place = "" if (out / "nats.conf").exists() else f"--port {self.bench.port} --user {USER}"
        return self.bench.run(
            "cloud broker config", *clouds, f"--for {kind} {place} --out", out, status=status
        )

    def come_in(self, stem: Path) -> Guest:
        """One more; again where the broker read its file just then: it refuses that after 5 s."""
        for _ in range(4):
            guest = Guest(self.bench, self.bench.shown(stem), "three")
            with contextlib.suppress(AssertionError):
                wait(lambda guest=guest: guest.told == ["Success"], 7)
                return guest
            guest.leave()
        raise AssertionError("never let in")

    def sit_down(self) -> list[Guest]:
        """Collectors, north and south, then their gateways; alike by client id."""
        self.bench.broker.start()
        ours, theirs = self.bench.folder, self.south.folder
        stems = (ours / "broker/collector", theirs / "collector", ours / "tls",
                 theirs / f"{THERE}-{GATEWAY}")  # fmt: skip
        guests = [
            Guest(self.bench, self.bench.shown(stem), name)
            for stem, name in zip(stems, ("one", "one", "two", "two"), strict=True)
        ]
        wait(lambda: [guest.told for guest in guests] == [["Success"]] * 4)
        return guests


@pytest.fixture
def shared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Shared]:
    for bench in benches(tmp_path, "nats", capsys):
        yield Shared(bench)


def served_by(cloud: Path) -> str:
    """What its collector says that has approved or revoked a key."""
    return "\n".join(serve_again(cloud, Register(cloud.parent / "broker", None)))


def named(base: str, leaves: tuple[str, ...]) -> list[str]:
    return [f"{base}/{leaf}" for leaf in leaves]


def test_no_collector_reads_or_answers_the_plants_of_another(shared: Shared) -> None:
    """Each silence is held against something that came after it, by the same way."""
    guests = shared.sit_down()
    north, other, mine, its = guests
    its.say(named(ITS, UP), b"kept", retain=True)
    for guest, ours, theirs, leaves in (
        (north, ALL, ITS_ALL, UP), (other, ITS_ALL, ALL, UP),
        (mine, MINE, ITS, DOWN), (its, ITS, MINE, DOWN),
    ):  # fmt: skip
        topics = [*named(theirs, leaves), "#", "stackproof/v1/+/+/+/frames", *named(ours, leaves)]
        for topic in topics:  # each by itself: one that is refused takes no other with it
            guest.client.subscribe(topic, 1)
        wait(lambda guest=guest, topics=topics: guest.grants == len(topics))
    north.say(named(ITS, (*UP, *DOWN)), b"forged")
    other.say(named(MINE, (*UP, *DOWN)), b"forged", retain=True)
    mine.say(named(ITS, (*UP, *DOWN)), b"forged")
    its.say(named(MINE, (*UP, *DOWN)), b"forged")
    mine.say(named(MINE, UP), b"true")
    its.say(named(ITS, UP), b"true")
    north.say(named(MINE, DOWN), b"true")
    other.say(named(ITS, DOWN), b"true")
    kept = [(topic, b"kept") for topic in named(ITS, UP)]
    for guest, base, leaves, before in (
        (north, MINE, UP, []), (other, ITS, UP, kept), (mine, MINE, DOWN, []), (its, ITS, DOWN, []),
    ):  # fmt: skip
        came = sorted([*before, *((topic, b"true") for topic in named(base, leaves))])
        wait(lambda guest=guest, came=came: sorted(guest.heard) == came, 10)
    for guest in guests:
        guest.leave()


def test_each_collector_writes_for_all_and_undoes_nothing_of_another(shared: Shared) -> None:
    """By approving or revoking; one that was left out does not write itself in again."""
    bench, south = shared.bench, shared.south
    guests = shared.sit_down()
    south.admit(THERE, "edge-2")
    for cloud in reversed(shared.clouds):
        said = served_by(cloud)
        assert said.count("has been told to read") == 1, said
        assert "by hand" not in said
    waits = threading.Thread(target=served_by, args=(south.cloud,))
    with alone(bench.folder / "broker"):  # as while the other collector reads and writes
        waits.start()
        waits.join(0.2)
        assert waits.is_alive()
    waits.join()
    late = shared.come_in(south.folder / f"{THERE}-edge-2")
    assert all(guest.client.is_connected() for guest in guests)
    said = shared.config(bench.cloud)
    assert f"left out, and so cut off with its gateways: {south.cloud}" in said
    wait(lambda: not any(guest.client.is_connected() for guest in (guests[1], guests[3], late)))
    assert "stays: it was written for other collectors since" in served_by(south.cloud)
    assert guests[0].client.is_connected()
    assert guests[2].client.is_connected()
    for guest in (*guests, late):
        guest.leave()


def test_who_cannot_share_a_broker_is_told_why(shared: Shared) -> None:
    north, south = shared.clouds
    approved = shared.south.admit(PLANT, "edge-7")
    for said in (served_by(north), served_by(south), shared.config(north, south, status=2)):
        assert f"plant {PLANT} is at two collectors: {PLANT}/{GATEWAY} at {north}" in said
    approved.unlink()
    said = shared.config(north, south, kind="mosquitto", status=2)
    assert "each register has its own" in said
    signer = FileSigner(generate("p256"))
    foreign = certificate_to_pem(make_ca("another", signer, now()))
    (shared.south.broker / "ca.crt").write_bytes(foreign)
    assert "are two CAs, and a broker believes one" in shared.config(north, south, status=2)
    south.write_text(south.read_text().replace('"01"', '"1"'))
    assert "cloud.slice: '1' is not two hex digits" in shared.config(north, south, status=2)
    south.unlink()
    assert f"{south}: cannot be read" in served_by(north)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection for each certificate, and none to spare."""
    monkeypatch.setattr("cloud.transport.broker_files.SPARE_CONNECTIONS", 0)
    monkeypatch.setattr("cloud.transport.broker_files.CONNECTIONS_EACH", 1)


@pytest.mark.usefixtures("narrow")
def test_who_comes_in_without_end_keeps_nobody_of_another_slice_out(shared: Shared) -> None:
    guests = shared.sit_down()
    one_more = Guest(shared.bench, shared.bench.shown(shared.bench.folder / "tls"), "again")
    wait(lambda: one_more.ended)
    one_more.leave()
    assert "Success" not in one_more.told, "its slice has two certificates, so two connections"
    guests[3].leave()
    there = shared.bench.shown(shared.south.folder / f"{THERE}-{GATEWAY}")
    guests[3] = Guest(shared.bench, there, "again")
    wait(lambda: guests[3].told == ["Success"])
    for guest in guests:
        guest.leave()
