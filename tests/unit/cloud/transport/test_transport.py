"""The register and its desk: who is let wait, approved, answered, refused, revoked."""

import asyncio
import datetime as dt
import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.x509 import load_pem_x509_crl

from cloud.accounts.desks import Accounts
from cloud.accounts.digest import counted
from cloud.accounts.roles import PROGRAM
from cloud.cli import main
from cloud.collector.intake import Intake
from cloud.collector.opening import open_plants
from cloud.collector.topics import Sender
from cloud.errors import NoRegisterError, StoreError
from cloud.store.slice import SliceStore
from cloud.transport.broker_files import KnownNode
from cloud.transport.desk import BrokerDesk
from cloud.transport.register import Register
from cloud.transport.tls import TlsFiles, watch_own
from evidence.broker_certificates import (
    REQUEST_BYTES_MAX,
    BrokerRequest,
    Ca,
    certify_client,
    certify_node,
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


def test_a_certificate_is_made_anew_when_half_of_its_life_is_over(tmp_path: Path) -> None:
    register = Register(folder_in(tmp_path), BY)
    approved = register.approve(BrokerRequest("mini", "edge-1", TLS.public_key))
    first = register.certificate(approved, T0)
    assert register.certificate(approved, T0 + 14 * DAY) == first, "asked again: the same"
    second = register.certificate(approved, T0 + 15 * DAY)
    assert second is not None
    assert second.not_valid_after_utc == T0 + 45 * DAY
    assert register.newest(approved) == second
    corrected = register.certificate(approved, T0 + DAY)  # the clock had been ahead
    assert corrected is not None
    assert corrected.not_valid_before_utc < T0 + DAY, "not one that is not valid yet"
    other = FileSigner(generate("p256"))
    ca = make_ca("another", other, T0 - 60 * DAY, days=80)
    (register.folder / "ca.crt").write_bytes(certificate_to_pem(ca))
    moved = Register(register.folder, other, days=5)
    third = moved.certificate(approved, T0 + 16 * DAY)
    assert third is not None
    assert third.issuer == ca.subject, "it ends before the second, and is by the CA of now"
    assert moved.newest(approved) == moved.certificate(approved, T0 + 17 * DAY) == third
    fourth = moved.certificate(approved, T0 + 19 * DAY)
    assert fourth is not None
    assert fourth.not_valid_after_utc == third.not_valid_after_utc == ca.not_valid_after_utc
    assert moved.newest(approved) == fourth
    register.revoke(approved, "stolen", "somebody", T0 + 16 * DAY)
    register.write_crl(T0 + 16 * DAY)
    crl = load_pem_x509_crl((register.folder / "crl.pem").read_bytes())
    made = (first, second, corrected, third, fourth)
    assert {row.serial_number for row in crl} == {one.serial_number for one in made if one}
    register.write_crl(T0 + 16 * DAY)
    later = load_pem_x509_crl((register.folder / "crl.pem").read_bytes())
    assert later.last_update_utc > crl.last_update_utc, "brokers go by the later of two"
    assert list(register.approved()) == []
    assert register.ended() == {("mini", "edge-1")}
    assert register.find("mini", "edge-1", KEY) is None


def test_a_ca_that_is_elsewhere_signs_a_copy(tmp_path: Path) -> None:
    here = Register(folder_in(tmp_path), None)
    approved = here.approve(BrokerRequest("mini", "edge-1", TLS.public_key))
    assert here.certificate(approved, T0) is None
    assert not here.write_crl(T0)
    made = Register(here.folder, BY).certificate(approved, T0)
    assert here.certificate(approved, T0 + DAY) == made
    with pytest.raises(KeyFileError, match="does not belong"):
        Register(here.folder, TLS)


def test_a_node_that_another_ca_has_certified_is_none(tmp_path: Path) -> None:
    register, foreign = Register(folder_in(tmp_path), BY), Ca(TLS, make_ca("another", TLS, T0))
    folder = register.folder / "nodes/1"
    folder.mkdir(parents=True)
    assert register.nodes() == []
    made = certify_node("node-1", ["fd00::1"], TLS.public_key, Ca(BY, register.ca), T0)
    (folder / "server.crt").write_bytes(certificate_to_pem(made))
    assert register.nodes() == [KnownNode("node-1", "fd00::1", KEY)]
    bad = certify_node("node-1", ["fd00::1"], TLS.public_key, foreign, T0)
    (folder / "server.crt").write_bytes(certificate_to_pem(bad))
    with pytest.raises(KeyFileError, match=r"server\.crt is not by .*ca\.crt"):
        register.nodes()
    nowhere = certify_client("mini/edge-1", TLS.public_key, Ca(BY, register.ca), T0)
    (folder / "server.crt").write_bytes(certificate_to_pem(nowhere))
    with pytest.raises(KeyFileError, match="it names no host"):
        register.nodes()


def test_sign_is_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_in(tmp_path)
    here = Register(folder, None)
    approved = here.approve(BrokerRequest("mini", "edge-1", TLS.public_key))
    write_private(tmp_path / "ca.pem", BY_KEY)
    sign = ["broker", "sign", str(folder), "--ca-key", f"file:{tmp_path / 'ca.pem'}"]
    assert main(sign) == 0
    assert f"mini/edge-1 key {KEY[:16]}: until " in capsys.readouterr().out
    assert here.newest(approved) is not None
    assert load_pem_x509_crl((folder / "crl.pem").read_bytes()).is_signature_valid(BY.public_key)
    no_token = ["broker", "requests", "CLOUD.toml", "--url", "https://collector.example"]
    assert main(no_token) == 2
    assert "--url needs --token" in capsys.readouterr().err


@dataclass
class Bench:
    desk: BrokerDesk
    plant: ExamplePlant
    accounts: Accounts
    sent: list[tuple[Sender, bytes]] = field(default_factory=list)

    def request(self, evidence: FileSigner | None = None, plant: str = "mini") -> bytes:
        signer = evidence or self.plant.gateways["edge-1"].signer
        return encode_broker_request(plant, "edge-1", signer, TLS)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    plant = make_plant(tmp_path, gateways=("edge-1", "edge-2", "edge-3"))
    clock = ManualClock()
    store = SliceStore(tmp_path / "evidence")
    intake = Intake(store, clock, plant.collector)
    open_plants(intake, [plant.identity()])
    accounts, sent = make_accounts(), list[tuple[Sender, bytes]]()
    register = Register(folder_in(tmp_path), BY)
    desk = BrokerDesk(
        register, intake, accounts.book, clock,
        publish=lambda s, c: sent.append((s, c)), serve=lambda _: ["told"],
    )  # fmt: skip
    yield Bench(desk, plant, accounts, sent)
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
    assert certificate_from_pem(given.encode())
    assert desk.standing()["waiting"] == []
    revoked = desk.revoke(PROGRAM, ROW, "stolen", "127.0.0.1")
    assert (revoked["list"], revoked["broker"]) == ("written", "told")
    serial = certificate_from_pem(given.encode()).serial_number
    assert [row.serial_number for row in load_pem_x509_crl(desk.revoked())] == [serial]
    with pytest.raises(LookupError, match="is revoked"):
        desk.take(bench.request())
    with pytest.raises(LookupError, match="does not ask"):
        desk.approve(PROGRAM, ROW, "")


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
    def away(_: Register, __: dt.datetime) -> bool:
        raise KeyFileError("the token is not there")

    bench.desk.take(bench.request())
    bench.desk.approve(PROGRAM, ROW, "")
    monkeypatch.setattr(Register, "write_crl", away)
    row = bench.desk.revoke(PROGRAM, ROW, "stolen", "")
    assert row["list"].startswith("NOT written: the token is not there")
    assert row["broker"] == "told"
    assert logged(bench) == ["broker-key-revoked", "broker-key-approved"]
    with pytest.raises(LookupError, match="is revoked"):
        bench.desk.take(bench.request())


def test_who_is_not_heard(bench: Bench) -> None:
    for data, error in (
        (bench.request(FileSigner(generate())), EvidenceError),  # nobody certified this key
        (bench.request(plant="maxi"), LookupError),
        (b"\xd2\x84", EvidenceError),
    ):
        with pytest.raises(error):
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
    assert bench.desk.standing() == {"waiting": [], "approved": []}
    assert bench.sent == []


def test_a_certificate_of_another_ca_is_not_handed_out(tmp_path: Path) -> None:
    register = Register(folder_in(tmp_path), BY)
    approved = register.approve(BrokerRequest("mini", "edge-1", TLS.public_key))
    register.certificate(approved, T0)
    (path,) = (register.folder / "issued").glob("*")
    other = FileSigner(generate("p256"))
    stranger = Ca(other, make_ca("a CA", other, T0))
    path.write_bytes(
        certificate_to_pem(certify_client("mini/edge-1", TLS.public_key, stranger, T0))
    )
    again = register.certificate(approved, T0)
    assert again is not None
    assert again.verify_directly_issued_by(register.ca) is None


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
    await asyncio.wait_for(done.wait(), 5)
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


def test_what_is_written_survives_a_power_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register = Register(folder_in(tmp_path), BY)
    synced, fsync = set[int](), os.fsync

    def note(file: int) -> None:
        fsync(file)
        synced.add(os.fstat(file).st_ino)

    monkeypatch.setattr("os.fsync", note)
    approved = register.approve(BrokerRequest("mini", "edge-1", TLS.public_key))
    register.certificate(approved, T0)
    register.revoke(approved, "stolen", "somebody", T0)
    register.write_crl(T0)
    written = {path for path in register.folder.rglob("*") if path != register.folder / "ca.crt"}
    names = {path.name for path in (register.folder, *written) if path.stat().st_ino not in synced}
    assert len(written) == 7
    assert names == set(), "files, and the folders that hold their names"


async def test_the_collectors_own_certificate_is_looked_at_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It lasts two years, and a collector's run may be longer."""
    path, days = tmp_path / "collector.crt", iter((0, 600, 731))
    made = certify_client("collector-00", TLS.public_key, Ca(BY, make_ca("a CA", BY, T0)), T0, 730)
    path.write_bytes(certificate_to_pem(made))

    class Clock(ManualClock):
        def wall_ns(self) -> int:
            if (day := next(days, None)) is None:
                raise EOFError
            return int((T0 + day * DAY).timestamp()) * 10**9

    monkeypatch.setattr("cloud.transport.tls.LOOK_S", 0.0)
    with pytest.raises(EOFError):
        await watch_own(TlsFiles(path, path, path), Clock())
    assert ["it ends on" in caplog.messages[0], "it ended on" in caplog.messages[1]] == [True] * 2
    caplog.clear()
    path.unlink()
    days = iter((0,))
    with pytest.raises(EOFError):
        await watch_own(TlsFiles(path, path, path), Clock())
    assert "cannot be read" in caplog.text
