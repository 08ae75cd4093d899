"""The register and its desk: who is let wait, approved, answered, refused, revoked."""

import asyncio
import datetime as dt
import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.x509 import load_pem_x509_crl

from cloud.accounts.desks import Accounts
from cloud.accounts.digest import counted
from cloud.accounts.roles import PROGRAM
from cloud.asking import RunningCollector
from cloud.cli import main
from cloud.collector.intake import Intake
from cloud.collector.opening import open_plants
from cloud.collector.topics import Sender
from cloud.errors import ClockError, NoRegisterError, StoreError
from cloud.transport.desk import BrokerDesk
from cloud.transport.register import Register
from evidence.broker_certificates import (
    REQUEST_BYTES_MAX,
    BrokerRequest,
    encode_broker_request,
    make_ca,
)
from evidence.errors import EvidenceError, KeyFileError
from evidence.keys import (
    FileSigner,
    certificate_from_pem,
    certificate_to_pem,
    generate,
    key_sha256,
    write_private,
)
from tests.unit.cloud.app_examples import make_accounts
from tests.unit.cloud.evidence_examples import ExamplePlant, ManualClock, make_plant
from tests.unit.cloud.kept import evidence_in
from tests.waiting import ENOUGH_S, until

T0 = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
BY_KEY = generate("p256")
BY, TLS = FileSigner(BY_KEY), FileSigner(generate("p256"))
KEY = key_sha256(TLS.public_key).hex()
ROW = {"plant": "mini", "gateway": "edge-1", "key": KEY}


def folder_in(tmp_path: Path) -> Path:
    folder = tmp_path / "broker"
    folder.mkdir()
    (folder / "ca.crt").write_bytes(certificate_to_pem(make_ca("a CA", BY, T0 - 60 * DAY)))
    return folder


def test_sign_is_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_in(tmp_path)
    here = Register(folder, None)
    approved = here.approve(BrokerRequest("mini", "edge-1", TLS.public_key))
    write_private(tmp_path / "ca.pem", BY_KEY)
    sign = ["broker", "sign", str(folder), "--ca-key", f"file:{tmp_path / 'ca.pem'}"]
    assert main(sign) == 0
    assert f"mini/edge-1 key {KEY[:16]}: until " in capsys.readouterr().out
    assert here.newest(approved, T0) is not None
    assert load_pem_x509_crl((folder / "crl.pem").read_bytes()).is_signature_valid(BY.public_key)
    no_token = ["broker", "requests", "CLOUD.toml", "--url", "https://collector.example"]
    assert main(no_token) == 2
    assert "--url needs --token" in capsys.readouterr().err


def test_a_certificate_that_cannot_be_made_here_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The key is approved, and nothing lies where `--out` says."""
    row = {**ROW, "certificate": "", "broker": "told"}
    monkeypatch.setattr(RunningCollector, "__init__", lambda *_: None)
    monkeypatch.setattr(RunningCollector, "order", lambda *_: row)
    out = tmp_path / "broker.crt"
    whose = ["--plant", "mini", "--gateway", "edge-1", "--key", KEY, "--out", str(out)]
    assert main(["broker", "approve", "CLOUD.toml", *whose]) == 0
    assert f"{out}: not written: the CA's key is elsewhere" in capsys.readouterr().out
    assert not out.exists()


@dataclass
class Bench:
    desk: BrokerDesk
    plant: ExamplePlant
    accounts: Accounts
    sent: list[tuple[Sender, bytes]] = field(default_factory=list)
    doubt: str = ""
    behind: list[str] = field(default_factory=list)
    served: int = 0
    heard_ns: int | None = None

    def serve(self, _: Register) -> list[str]:
        self.served += 1
        return ["told"]

    def request(self, evidence: FileSigner | None = None, plant: str = "mini") -> bytes:
        signer = evidence or self.plant.gateways["edge-1"].signer
        return encode_broker_request(plant, "edge-1", signer, TLS)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    plant = make_plant(tmp_path, gateways=("edge-1", "edge-2", "edge-3"))
    clock = ManualClock()
    store = evidence_in(tmp_path / "evidence")
    intake = Intake(store, clock, plant.collector)
    open_plants(intake, [plant.identity()])
    accounts, sent = make_accounts(), list[tuple[Sender, bytes]]()
    register = Register(folder_in(tmp_path), BY)
    desk = BrokerDesk(
        register, intake, accounts.book, clock,
        publish=lambda s, c: sent.append((s, c)), serve=lambda one: bench.serve(one),
        behind=lambda _: bench.behind, heard_ns=lambda *_: bench.heard_ns,
        doubt=lambda: bench.doubt,
    )  # fmt: skip
    bench = Bench(desk, plant, accounts, sent)
    yield bench
    store.close()


def test_a_key_waits_is_approved_answered_and_revoked(bench: Bench) -> None:
    desk = bench.desk
    assert desk.take(bench.request()) == {**ROW, "certificate": ""}
    assert desk.standing()["waiting"] == [{**ROW, "problem": ""}]
    with pytest.raises(LookupError, match="no list yet"):
        desk.revoked()
    with pytest.raises(LookupError, match="not for the one that was named"):
        desk.approve(PROGRAM, {**ROW, "key": "0" * 64}, "")
    given = desk.approve(PROGRAM, ROW, "127.0.0.1")["certificate"]
    assert bench.sent == [(Sender("mini", "edge-1"), given.encode())]
    assert desk.take(bench.request())["certificate"] == given, "nobody is asked again"
    with pytest.raises(LookupError, match="key is approved"):
        desk.approve(PROGRAM, ROW, "")
    assert certificate_from_pem(given.encode())
    assert desk.standing()["waiting"] == []
    revoked = desk.revoke(PROGRAM, ROW, "stolen", "127.0.0.1")
    assert (revoked["list"], revoked["broker"]) == ("written", "told")
    serial = certificate_from_pem(given.encode()).serial_number
    assert [row.serial_number for row in load_pem_x509_crl(desk.revoked())] == [serial]
    with pytest.raises(LookupError, match="is revoked"):
        desk.take(bench.request())
    with pytest.raises(LookupError, match=r"certificate$"):
        desk.approve(PROGRAM, ROW, "")


@pytest.mark.parametrize("by_a_start", [False, True])
async def test_a_revocation_that_was_cut_short_is_finished(
    bench: Bench, caplog: pytest.LogCaptureFixture, by_a_start: bool
) -> None:
    """By the same order again, or by the next start."""
    desk, register = bench.desk, bench.desk._register()
    desk.take(bench.request())
    given = certificate_from_pem(desk.approve(PROGRAM, ROW, "")["certificate"].encode())
    register.write_list(T0)
    part = register.folder / ".crl.pem.part"
    part.mkdir()  # the disk takes the key's end, and not the list
    assert desk.revoke(PROGRAM, ROW, "stolen", "")["list"].startswith("NOT written: ")

    def listed() -> list[int]:
        crl = load_pem_x509_crl((register.folder / "crl.pem").read_bytes())
        return [row.serial_number for row in crl]

    assert listed() == []
    part.rmdir()
    caplog.clear()
    if by_a_start:
        running = asyncio.create_task(desk.watch())
        await until(lambda: caplog.messages, 10)
        running.cancel()
    else:
        assert desk.revoke(PROGRAM, ROW, "stolen", "")["list"] == "written"
    assert listed() == [given.serial_number]
    desk.look()  # all is said: nothing is written
    said = "brokers are told again what the register says: a key was revoked, and not listed; told"
    assert caplog.messages == [said] * by_a_start
    with pytest.raises(LookupError, match="no approved key"):
        desk.revoke(PROGRAM, {**ROW, "key": "0" * 64}, "", "")


async def test_what_brokers_do_not_do_is_told_until_they_do(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    desk, why = bench.desk, "nats.conf is not as the register says"
    monkeypatch.setattr("cloud.transport.desk.AGAIN_S", 0.01)
    monkeypatch.setattr("cloud.transport.desk.LOOKS_REST", 10**9)  # but for what it does meanwhile
    assert desk.trouble == ""
    bench.behind = [why]
    desk.take(bench.request())
    desk.approve(PROGRAM, ROW, "")
    assert (desk.trouble, bench.served) == (why, 1), "at once"
    running = asyncio.create_task(desk.watch())
    await until(lambda: bench.served > 3, 10)  # tried again, by itself
    assert desk.trouble == f"{why}\ntold"
    bench.behind = []
    await until(lambda: desk.trouble == "", 10)
    running.cancel()
    assert caplog.messages.count("the broker's register: brokers do what it says") == 1
    (desk._register().folder / "revoked").write_text("where a folder must be")
    desk.look()
    assert "revoked cannot be written (Not a directory)" in str(desk.trouble)


def test_who_comes_in_though_he_was_revoked_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a broker on another machine, to which nobody has carried anything."""
    desk, seconds, told = bench.desk, [0.0], list[bool]()
    monkeypatch.setattr("cloud.transport.desk.time.monotonic", lambda: seconds[-1])
    desk.take(bench.request())
    desk.approve(PROGRAM, ROW, "")
    bench.heard_ns = 1
    desk.look()
    bench.heard_ns = 2
    desk.look()
    assert desk.trouble == "", "it may"
    desk.revoke(PROGRAM, ROW, "stolen", "")
    for at_s, heard_ns in (
        (60, 3), (239, 4), (240, 5),  # the list may be on its way until then
        (300, 5), (360, 6), (2_159, 6), (2_160, 6), (2_170, 6),
    ):  # fmt: skip
        seconds.append(at_s)
        bench.heard_ns = heard_ns
        desk.look()
        told.append("mini/edge-1 comes in, whose every key is revoked" in str(desk.trouble))
    assert told == [False, False, False, False, True, True, False, False]
    bench.heard_ns = 5
    other = FileSigner(generate("p256"))
    desk._register().approve(BrokerRequest("mini", "edge-1", other.public_key))
    desk.look()
    assert desk.trouble == "", "it has another key"


def test_nothing_is_certified_by_a_clock_in_doubt(bench: Bench) -> None:
    desk = bench.desk
    bench.doubt = "the clock jumped"
    assert desk.take(bench.request())["certificate"] == "", "whoever waits needs no clock"
    with pytest.raises(ClockError, match="no certificate is made: the clock jumped"):
        desk.approve(PROGRAM, ROW, "")
    assert desk.standing()["approved"] == [], "as if nobody had asked"
    bench.doubt = ""
    desk.approve(PROGRAM, ROW, "")
    bench.doubt = "the clock jumped"
    with pytest.raises(ClockError):
        desk.take(bench.request())
    assert len(bench.sent) == 1
    assert desk.revoke(PROGRAM, ROW, "stolen", "")["list"] == "written"


def test_what_happened_is_counted_for_the_plant_alone(bench: Bench) -> None:
    bench.desk.take(bench.request())
    bench.desk.approve(PROGRAM, ROW, "")
    bench.desk.revoke(PROGRAM, ROW, "stolen", "")
    with bench.accounts.book.begin() as (transaction, _):
        rows = list(transaction.log_rows_back(0))
    tallies = counted(rows, lambda _: None, {"mini": "", "maxi": ""}, {"mini": 0, "maxi": 0})
    assert {plant: dict(tally.events) for plant, tally in tallies.items()} == {
        "mini": {"broker-key-approved": 1, "broker-key-revoked": 1}
    }


def logged(bench: Bench) -> list[str]:
    with bench.accounts.book.begin() as (transaction, _):
        return [row.event for row in transaction.log_rows_back(0)]


def test_what_the_disk_refuses_was_not_done_and_is_not_logged(bench: Bench) -> None:
    """A register below /etc, which the unit does not let the collector write."""
    desk, register = bench.desk, bench.desk._register()
    assert register.barred() == ""
    for name, act, then in (
        ("approved", lambda: desk.approve(PROGRAM, ROW, ""), []),
        ("revoked", lambda: desk.revoke(PROGRAM, ROW, "stolen", ""), ["broker-key-approved"]),
    ):
        desk.take(bench.request())
        (register.folder / name).write_text("where a folder must be")
        assert f"{register.folder / name} cannot be written (Not a directory)" in register.barred()
        with pytest.raises(StoreError, match="cannot be written"):
            act()
        assert logged(bench) == then
        (register.folder / name).unlink()
        assert register.barred() == ""
        act()
    assert logged(bench) == ["broker-key-revoked", "broker-key-approved"]
    assert {path.name for path in register.folder.iterdir()} == {
        "ca.crt", "crl.pem", "pending", "approved", "issued", "revoked"
    }  # fmt: skip


def test_a_list_that_cannot_be_signed_keeps_no_broker_from_being_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: Register, __: dt.datetime) -> list[str]:
        raise KeyFileError("the token is not there")

    bench.desk.take(bench.request())
    bench.desk.approve(PROGRAM, ROW, "")
    monkeypatch.setattr(Register, "write_list", away)
    row = bench.desk.revoke(PROGRAM, ROW, "stolen", "")
    assert row["list"].startswith("NOT written: the token is not there")
    assert row["broker"] == "told"
    assert logged(bench) == ["broker-key-revoked", "broker-key-approved"]
    with pytest.raises(LookupError, match="is revoked"):
        bench.desk.take(bench.request())


def test_who_is_not_heard(bench: Bench) -> None:
    for data, error, said in (
        # nobody certified this key, or nobody has told the collector
        (bench.request(FileSigner(generate())), EvidenceError, "key folder, then stackproof cloud"),
        (bench.request(plant="maxi"), LookupError, "maxi"),
        (b"\xd2\x84", EvidenceError, "."),
    ):
        with pytest.raises(error, match=said):
            bench.desk.take(data)
    with pytest.raises(LookupError, match="another gateway than its topic"):
        bench.desk._answer(Sender("mini", "edge-2"), bench.request())
    bare = BrokerDesk(
        None, bench.desk._intake, bench.desk._book, ManualClock(),
        publish=lambda *_: None, serve=lambda _: [],
    )  # fmt: skip
    with pytest.raises(NoRegisterError, match="register"):
        bare.take(bench.request())
    with pytest.raises(NoRegisterError, match="register"):
        bare.revoked()
    bare.look()
    assert bare.trouble is None
    assert bench.desk.standing() == {"waiting": [], "approved": []}
    assert bench.sent == []


async def test_a_flood_or_a_disk_that_fails_keeps_nobody_waiting(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    desk, answered, done = bench.desk, list[Sender](), asyncio.Event()
    flooding, patient, last = (Sender("mini", f"edge-{n}") for n in (1, 2, 3))

    def take(sender: Sender, data: bytes) -> None:
        answered.append(sender)
        if sender == flooding:
            raise OSError(errno.ENOSPC, "no space")
        if sender == last:
            done.set()

    monkeypatch.setattr(desk, "_answer", take)
    monkeypatch.setattr("cloud.transport.desk.PACE_S", 0.0)
    monkeypatch.setattr("asyncio.to_thread", _here)
    desk.asked(patient, b"x" * (REQUEST_BYTES_MAX + 1))
    for nobody in (Sender("mini", "edge-4"), Sender("else", "edge-1")):
        desk.asked(nobody, b"asks")
    for sender in (flooding, patient, flooding, last, flooding):
        desk.asked(sender, b"asks")
    running = asyncio.create_task(desk.run())
    await asyncio.wait_for(done.wait(), ENOUGH_S)
    assert answered == [flooding, patient, last]
    assert "no space" in caplog.text
    desk.asked(flooding, b"asks")
    assert not desk._waiting, "each minute is enough: a gateway asks each hour"
    running.cancel()


async def _here(work: Callable[..., None], *arguments: object) -> None:
    work(*arguments)
    await asyncio.sleep(0)


def test_a_revoked_key_that_still_waits_is_not_approved_again(bench: Bench) -> None:
    bench.desk.take(bench.request())
    (asks,) = (bench.desk._register().folder / "pending").iterdir()
    kept = asks.read_bytes()
    bench.desk.approve(PROGRAM, ROW, "")
    asks.write_bytes(kept)  # as after a kill in the middle, or out of a copy of the folder
    bench.desk.revoke(PROGRAM, ROW, "stolen", "")
    bench.sent.clear()
    with pytest.raises(LookupError, match="is revoked"):
        bench.desk.approve(PROGRAM, ROW, "")
    assert bench.sent == []
