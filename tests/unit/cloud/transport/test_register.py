"""The register: what is issued, listed, and kept through a power cut, here or by a copy."""

import datetime as dt
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.x509 import load_pem_x509_crl

from cloud.transport import register as module
from cloud.transport.broker_files import KnownNode
from cloud.transport.register import Register
from evidence.broker_certificates import (
    BrokerRequest,
    Ca,
    certify_client,
    certify_node,
    make_ca,
)
from evidence.errors import KeyFileError
from evidence.keys import Certificate, FileSigner, certificate_to_pem, generate
from tests.unit.cloud.transport.test_transport import BY, DAY, KEY, T0, TLS, folder_in


def test_a_certificate_is_made_anew_when_half_of_its_life_is_over(tmp_path: Path) -> None:
    register = Register(folder_in(tmp_path), BY)
    approved = register.approve(BrokerRequest("mini", "edge-1", TLS.public_key))
    first = register.certificate(approved, T0)
    assert register.certificate(approved, T0 + 14 * DAY) == first, "asked again: the same"
    second = register.certificate(approved, T0 + 15 * DAY)
    assert second is not None
    assert second.not_valid_after_utc == T0 + 45 * DAY
    assert register.newest(approved, T0 + 15 * DAY) == second
    corrected = register.certificate(approved, T0 + DAY)  # the clock had been ahead
    assert corrected is not None
    assert corrected.not_valid_before_utc < T0 + DAY, "not one that is not valid yet"
    assert corrected == first
    late = register.certificate(approved, T0 + 400 * DAY)
    (again,) = {register.certificate(approved, T0 + 17 * DAY) for _ in range(2)}
    assert again == second, "what a clock that was ahead made is in nobody's way"
    assert register.newest(approved, T0 + 17 * DAY) == second
    assert late is not None
    other = FileSigner(generate("p256"))
    ca = make_ca("another", other, T0 - 60 * DAY, days=80)
    (register.folder / "ca.crt").write_bytes(certificate_to_pem(ca))
    moved = Register(register.folder, other, days=5)
    third = moved.certificate(approved, T0 + 16 * DAY)
    assert third is not None
    assert third.issuer == ca.subject, "it ends before the second, and is by the CA of now"
    at = T0 + 17 * DAY
    assert moved.newest(approved, at) == moved.certificate(approved, at) == third
    fourth = moved.certificate(approved, T0 + 19 * DAY)
    assert fourth is not None
    assert fourth.not_valid_after_utc == third.not_valid_after_utc == ca.not_valid_after_utc
    assert moved.newest(approved, T0 + 19 * DAY) == fourth
    register.revoke(approved, "stolen", "somebody", T0 + 16 * DAY)
    assert register.write_list(T0 + 16 * DAY) == []
    crl = load_pem_x509_crl((register.folder / "crl.pem").read_bytes())
    made = (first, second, late, third, fourth)
    assert {row.serial_number for row in crl} == {one.serial_number for one in made if one}
    assert register.write_list(T0 + 16 * DAY) == []
    later = load_pem_x509_crl((register.folder / "crl.pem").read_bytes())
    assert later.last_update_utc > crl.last_update_utc, "brokers go by the later of two"
    assert list(register.approved()) == []
    assert register.ended() == {("mini", "edge-1")}
    assert register.find("mini", "edge-1", KEY) is None


def test_who_has_which_certificate_is_known_at_once_after_years(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1,500 gateways have 27,000 certificates a year: each was read for each list of gateways."""
    register, gateways = Register(folder_in(tmp_path), BY), ["edge-1", "edge-10", "edge-2"]
    for gateway in gateways:
        approved = register.approve(BrokerRequest("mini", gateway, TLS.public_key))
        for age in (800, 780, 40, 20):
            register.certificate(approved, T0 - age * DAY)
    looks, reads = list[str](), list[Path]()
    look, read = Path.glob, module.load_certificate

    def looked(folder: Path, pattern: str) -> Iterator[Path]:
        looks.append(pattern)
        return look(folder, pattern)

    def was_read(path: Path) -> Certificate:
        reads.append(path)
        return read(path)

    monkeypatch.setattr(Path, "glob", looked)
    monkeypatch.setattr(module, "load_certificate", was_read)
    found = list(register.all_newest(T0))
    assert [one.gateway for one, _ in found] == gateways
    assert {made.not_valid_after_utc for _, made in found if made} == {T0 + 10 * DAY}
    assert (len(looks), len(reads)) == (2, 3), "keys, certificates; of each key the newest alone"


def test_a_ca_that_has_ended_certifies_nobody_and_says_so(tmp_path: Path) -> None:
    register = Register(folder_in(tmp_path), BY)
    approved = register.approve(BrokerRequest("mini", "edge-1", TLS.public_key))
    ends = register.ca.not_valid_after_utc
    last = register.certificate(approved, ends - dt.timedelta(hours=1))
    assert last is not None
    assert last.not_valid_after_utc == ends
    with pytest.raises(KeyFileError, match=f"CA ended on {ends:%Y-%m-%d}: another has to be made"):
        register.certificate(approved, ends + dt.timedelta(hours=1))


def test_a_ca_that_is_elsewhere_signs_a_copy(tmp_path: Path) -> None:
    here = Register(folder_in(tmp_path), None)
    approved = here.approve(BrokerRequest("mini", "edge-1", TLS.public_key))
    assert here.certificate(approved, T0) is None
    assert here.write_list(T0) == []
    assert not (here.folder / "crl.pem").exists()
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


def test_a_list_that_lacks_who_is_revoked_takes_no_better_ones_place(tmp_path: Path) -> None:
    """The CA is elsewhere: what was signed there is of a copy, which may be an older one."""
    here, there = Register(folder_in(tmp_path), None), tmp_path / "broker.crl"
    keys = [FileSigner(generate("p256")) for _ in range(2)]
    one, two = (
        here.approve(BrokerRequest("mini", f"edge-{n}", key.public_key))
        for n, key in enumerate(keys, 1)
    )
    for approved in (one, two):
        Register(here.folder, BY).certificate(approved, T0)

    def signed(*names: str) -> bytes:
        """What a copy makes that knows these ends."""
        copy = tmp_path / f"copy{len(names)}"
        shutil.copytree(here.folder, copy)
        for path in (copy / "revoked").glob("*"):
            if path.stem not in names:
                path.unlink()
        Register(copy, BY).write_list(T0)
        data = (copy / "crl.pem").read_bytes()
        shutil.rmtree(copy)
        return data

    (here.folder / "crl.pem").write_bytes(first := signed())
    here.revoke(one, "stolen", "somebody", T0)
    data, (said,) = here.list_for(there)
    assert data == first, "a broker has one at least"
    assert "does not name 1 certificate(s) of revoked keys" in said
    here.revoke(two, "stolen", "somebody", T0)
    older, newer = signed(one.key), signed(one.key, two.key)
    (here.folder / "crl.pem").write_bytes(older)
    there.write_bytes(newer)
    data, said_of = here.list_for(there)
    assert (data, said_of[-1]) == (None, f"{there} stays: it names more of them")
    (here.folder / "crl.pem").write_bytes(newer)
    there.write_bytes(older)
    data, (said,) = here.list_for(there)
    assert data == newer
    assert "goes by that one until it is restarted" in said, "both are the second of this CA"
    (here.folder / "crl.pem").write_bytes(older)
    Register(here.folder, BY).write_list(T0)
    assert here.list_for(there) == ((here.folder / "crl.pem").read_bytes(), [])


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


def test_what_is_cut_short_or_no_fact_stands_in_nobodys_way(tmp_path: Path) -> None:
    """Copies of somebody's, and of a folder that was brought back onto a full disk."""
    register = Register(folder_in(tmp_path), BY)
    stolen, other = FileSigner(generate("p256")), FileSigner(generate("p256"))
    approved = register.approve(BrokerRequest("mini", "edge-1", stolen.public_key))
    kept = register.approve(BrokerRequest("mini", "edge-2", other.public_key))
    first = register.certificate(kept, T0)
    (path,) = (register.folder / "issued").iterdir()
    path.write_bytes(path.read_bytes()[:100])
    second = register.certificate(kept, T0 + DAY)
    assert second is not None
    assert second != first, "another is made"
    register.revoke(approved, "stolen", "somebody", T0)
    (file,) = (register.folder / "revoked").iterdir()
    file.write_bytes(b"")  # who it was stands in approved/
    for name in ("approved/edge-1.copy.der", "approved/x.der", "issued/old.crt", "issued/a.b.crt",
                 "pending/mini.cose", "revoked/a.b.json"):  # fmt: skip
        (register.folder / name).parent.mkdir(exist_ok=True)
        (register.folder / name).write_bytes(b"")
    assert [one.gateway for one in register.approved()] == ["edge-2"]
    assert register.ended() == {("mini", "edge-1")}
    assert list(register.pending()) == []
    assert register.write_list(T0) == []
    register.revoke(kept, "stolen", "somebody", T0)
    with pytest.raises(KeyFileError, match=r"issued/mini\.edge-2"):
        register.write_list(T0)  # nobody knows its number any more: it must be told


def test_a_command_and_the_collector_write_one_after_the_other(tmp_path: Path) -> None:
    """Each list is a second later than the one before, and none is half another."""
    folder = folder_in(tmp_path)
    Register(folder, BY).write_list(T0)
    first = load_pem_x509_crl((folder / "crl.pem").read_bytes())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: Register(folder, BY).write_list(T0), range(24)))
    last = load_pem_x509_crl((folder / "crl.pem").read_bytes())
    assert last.last_update_utc - first.last_update_utc == dt.timedelta(seconds=24)
    assert {path.name for path in folder.iterdir()} == {"ca.crt", "crl.pem"}


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
    register.write_list(T0)
    written = {path for path in register.folder.rglob("*") if path != register.folder / "ca.crt"}
    names = {path.name for path in (register.folder, *written) if path.stat().st_ino not in synced}
    assert len(written) == 7
    assert names == set(), "files, and the folders that hold their names"
