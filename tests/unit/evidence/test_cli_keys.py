"""`stackproof keys csr|enrol|rotate|revoke|replace`: from a key to orders that verifiers honour.

What the commands write is read back by openssl, by the certificate library, and by the rules that
collector and verifier share.
"""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence import cli
from evidence.custody import KeyFault, KeyRefusedError, StreamKeys
from evidence.keys import (
    Certificate,
    certificate_to_der,
    identity,
    is_issued_by,
    key_sha256,
    load_certificate,
    load_private,
    public_key,
)
from evidence.orders import Replace, Revoke, decode_order
from evidence.site_order import SiteOrder, decode_site_order
from evidence.suites import PublicKey
from tests.attacks.by_points import ORDER_8, Nobodys, request_for
from tests.service_user import given, needs_root, not_given

HEAD = bytes(range(32))
KINDS = pytest.mark.parametrize("kind", ["ed25519", "p256"])


def run(*arguments: object) -> int:
    return cli.main(["keys", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Root, collector and gateway edge-1 of plant p1, made in the working folder."""
    monkeypatch.chdir(tmp_path)
    assert run("new", "--out", ".", "--plant", "p1", "--gateway", "edge-1") == 0
    return tmp_path


ROOT = ["--root", "file:root.pem", "--root-certificate", "root.crt"]


def csr(key: str = "file:new.pem", name: str = "edge-1", *more: object) -> list[object]:
    return ["csr", "--key", key, "--plant", "p1", "--name", name, "--out", "new.csr", *more]


def enrol(sha256: str, *more: object, name: str = "edge-1") -> list[object]:
    asked = ["--csr", "new.csr", "--name", name, "--key-sha256", sha256]
    return ["enrol", *asked, *ROOT, "--out", "new.crt", *more]


def sha256_of(path: str) -> str:
    return key_sha256(load_private(Path(path)).public_key()).hex()


def enrolled(name: str = "edge-1") -> Certificate:
    """A new key for the gateway, certified."""
    assert run(*csr(name=name)) == 0
    assert run(*enrol(sha256_of("new.pem"), name=name)) == 0
    return load_certificate(Path("new.crt"))


def root_key() -> PublicKey:
    return public_key(load_certificate(Path("root.crt")))


@KINDS
@pytest.mark.usefixtures("folder")
def test_a_request_becomes_a_certificate_of_its_key(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*csr("file:new.pem", "edge-2", "--kind", kind)) == 0
    sha256 = sha256_of("new.pem")
    assert f"key SHA-256: {sha256}" in capsys.readouterr().out
    assert Path("new.pem").stat().st_mode & 0o777 == 0o600
    asked = x509.load_pem_x509_csr(Path("new.csr").read_bytes())
    assert asked.is_signature_valid
    assert run(*enrol(sha256.upper(), "--days", 400, name="edge-2")) == 0
    made, root = load_certificate(Path("new.crt")), load_certificate(Path("root.crt"))
    assert identity(made) == ("gateway", "p1", "edge-2")
    assert is_issued_by(made, root)
    assert key_sha256(public_key(made)).hex() == sha256
    assert (made.not_valid_after_utc - made.not_valid_before_utc).days == 400


@pytest.mark.needs("openssl")
@KINDS
@pytest.mark.usefixtures("folder")
def test_openssl_verifies_request_and_certificate(kind: str) -> None:
    assert run(*csr("file:new.pem", "edge-2", "--kind", kind)) == 0
    assert run(*enrol(sha256_of("new.pem"), name="edge-2")) == 0
    for command in (
        ["openssl", "req", "-in", "new.csr", "-verify", "-noout"],
        ["openssl", "verify", "-x509_strict", "-CAfile", "root.crt", "new.crt"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "OK" in done.stdout + done.stderr


def test_a_collector_may_ask_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*csr("file:new.pem", "collector-2", "--role", "collector")) == 0
    told = enrol(sha256_of("new.pem"), "--role", "collector", name="collector-2")
    assert run(*told) == 0
    assert identity(load_certificate(folder / "new.crt")) == ("collector", "p1", "collector-2")
    out = capsys.readouterr().out
    assert "CLOUD.toml, [cloud] certificate" in out
    assert "[uplink] collector" in out
    assert "key folder" not in out


@pytest.mark.usefixtures("folder")
def test_an_existing_key_is_asked_for_as_it_is() -> None:
    before = Path("edge-1.pem").read_bytes()
    assert run(*csr("file:edge-1.pem")) == 0
    assert Path("edge-1.pem").read_bytes() == before
    assert run(*enrol(sha256_of("edge-1.pem"))) == 0
    renewed, first = (load_certificate(Path(name)) for name in ("new.crt", "edge-1.crt"))
    assert public_key(renewed) == public_key(first)
    assert renewed.serial_number != first.serial_number


def test_rotate_prepares_the_next_key_and_says_what_to_write(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    arguments = ["rotate", *csr()[1:], "--previous", "file:edge-1.pem"]
    assert run(*arguments) == 0
    out = capsys.readouterr().out
    for line in (
        'key = "file:new.pem"', 'certificate = "file:new.crt"', 'previous_key = "file:edge-1.pem"',
        'root = "file:root.crt"',
    ):  # fmt: skip
        assert line in out
    assert run(*enrol(sha256_of("new.pem"))) == 0
    assert identity(load_certificate(folder / "new.crt")) == ("gateway", "p1", "edge-1")


@needs_root
def test_the_next_key_is_whose_the_one_before_is(folder: Path) -> None:
    """In a folder of root's, as /etc/stackproof is: the agent, which is not root, must read it."""
    given(folder / "edge-1.pem")
    assert run("rotate", *csr()[1:], "--previous", "file:edge-1.pem") == 0
    assert not_given(folder / "new.pem") == []
    assert (folder / "new.pem").stat().st_mode & 0o777 == 0o600
    assert (folder / "new.csr").stat().st_uid == 0
    for path in ("new.pem", "new.csr"):
        (folder / path).unlink()
    given(folder)
    assert run(*csr()) == 0
    assert run("new", "--out", "more", "--plant", "p2") == 0
    assert not_given(folder) == []


@pytest.mark.parametrize(("through", "last"), [("41", 41), ("none", -1)])
@pytest.mark.parametrize("by_certificate", [False, True])
@pytest.mark.usefixtures("folder")
def test_a_revoke_ends_a_key(through: str, last: int, by_certificate: bool) -> None:
    certificate = load_certificate(Path("edge-1.crt"))
    key = key_sha256(public_key(certificate))
    named = "file:edge-1.crt" if by_certificate else key.hex()
    arguments = ["--key", named, "--through", through, "--reason", "stolen", "--out", "r.cose"]
    assert run("revoke", *ROOT, "--gateway", "edge-1", *arguments) == 0
    order = decode_order(Path("r.cose").read_bytes(), root_key())
    assert order == Revoke("p1", "edge-1", key, None if last < 0 else last, "stolen")
    keys = StreamKeys()
    keys.certify(certificate)
    keys.begin(key)
    keys.apply(order)
    if last >= 0:
        assert keys.check(last, key[:8], None).sha256 == key
    with pytest.raises(KeyRefusedError) as caught:
        keys.check(last + 1, key[:8], None)
    assert caught.value.fault is KeyFault.REVOKED


@pytest.mark.usefixtures("folder")
def test_a_site_file_is_ordered(capsys: pytest.CaptureFixture[str]) -> None:
    Path("new.toml").write_bytes(b"format = 1\n")
    of = ["site", *ROOT, "--gateway", "edge-1", "--site", "new.toml", "--reason", "why"]
    assert run(*of, "--number", 7, "--out", "7.order") == 0
    order = decode_site_order(Path("7.order").read_bytes(), root_key())
    assert order == SiteOrder("p1", "edge-1", 7, b"format = 1\n", "why")
    for number in ("0", "-1", "1.5", "9007199254740992"):
        assert "must be 1 to 9007199254740991" in refused(
            capsys, *of, f"--number={number}", "--out", "x.order"
        )
    assert not Path("x.order").exists()


def state(**other: Any) -> Mapping[str, Any]:
    """Where the stream stands, as the collector tells it."""
    return {
        "plant": "p1", "gateway": "edge-1", "seq": 41, "head": HEAD.hex(), "through_ns": 10**18,
        "key": sha256_of("edge-1.pem"), "revoked": {}, "certificates": [],
    } | other  # fmt: skip


def replace(told: object, certificate: str = "new.crt") -> list[object]:
    Path("state.json").write_text(told if isinstance(told, str) else json.dumps(told))
    return [
        "replace", *ROOT, "--certificate", certificate, "--state", "state.json",
        "--reason", "burnt", "--out", "o.cose",
    ]  # fmt: skip


@pytest.mark.usefixtures("folder")
def test_a_replace_continues_the_stream_with_the_new_device() -> None:
    new = enrolled()
    assert run(*replace(state())) == 0
    order = decode_order(Path("o.cose").read_bytes(), root_key())
    old = bytes.fromhex(sha256_of("edge-1.pem"))
    assert order == Replace("p1", "edge-1", old, certificate_to_der(new), 41, HEAD, 10**18, "burnt")
    keys = StreamKeys()
    for certificate in (load_certificate(Path("edge-1.crt")), new):
        keys.certify(certificate)
    keys.begin(old)
    keys.apply(order, key_sha256(public_key(new)))
    assert (keys.current(41), keys.current(42)) == (old, key_sha256(public_key(new)))


# -- refusals ---------------------------------------------------------------------------------


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What the refusal says; nothing may have been written."""
    capsys.readouterr()
    before = {p.name: p.read_bytes() for p in Path().iterdir() if p.is_file()}
    assert run(*arguments) == 2
    after = {p.name: p.read_bytes() for p in Path().iterdir() if p.is_file()}
    assert after == before
    captured = capsys.readouterr()
    assert captured.err.startswith("stackproof keys: ")
    return captured.err


@pytest.mark.usefixtures("folder")
def test_nothing_is_ever_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    enrolled()
    key = sha256_of("edge-1.pem")
    revoke = ["revoke", *ROOT, "--gateway", "edge-1", "--key", key, "--through", 1, "--reason", "x"]
    again = [csr(), enrol(sha256_of("new.pem")), [*revoke, "--out", "root.pem"]]
    again.append([*replace(state())[:-1], "new.crt"])
    for arguments in again:
        assert "is not overwritten; choose another --out" in refused(capsys, *arguments)


@pytest.mark.usefixtures("folder")
def test_a_request_for_another_key_than_was_told_is_not_signed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(*csr()) == 0
    told = refused(capsys, *enrol(sha256_of("edge-1.pem")))
    assert f"asks for key {sha256_of('new.pem')}, not for the one you were told" in told


@pytest.mark.usefixtures("folder")
def test_a_request_that_is_not_signed_by_its_key_is_not_signed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(*csr()) == 0
    der = x509.load_pem_x509_csr(Path("new.csr").read_bytes()).public_bytes(Encoding.DER)
    other = load_private(Path("edge-1.pem")).public_key()
    own, theirs = (
        key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        for key in (load_private(Path("new.pem")).public_key(), other)
    )
    forged = x509.load_der_x509_csr(der.replace(own, theirs)).public_bytes(Encoding.PEM)
    Path("new.csr").write_bytes(forged)
    told = refused(capsys, *enrol(key_sha256(other).hex()))
    assert "not signed by the key it asks for" in told


@pytest.mark.usefixtures("folder")
def test_a_request_for_a_key_under_which_anybody_can_sign_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(*csr()) == 0
    Path("new.csr").write_bytes(request_for(Nobodys(ORDER_8), Path("new.csr").read_bytes()))
    told = refused(capsys, *enrol(key_sha256(Nobodys(ORDER_8).public_key).hex()))
    assert "new.csr: the Ed25519 key is a point of small order" in told


@pytest.mark.parametrize("junk", [b"", b"junk", b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"])
@pytest.mark.usefixtures("folder")
def test_what_is_no_request_is_refused(junk: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    Path("new.csr").write_bytes(junk)
    assert "new.csr: not a PEM certificate request" in refused(capsys, *enrol("00" * 32))


@pytest.mark.usefixtures("folder")
def test_a_request_of_another_plant_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*csr()]
    arguments[arguments.index("p1")] = "p2"
    assert run(*arguments) == 0
    told = refused(capsys, *enrol(sha256_of("new.pem")))
    assert "asks for gateway p2/edge-1, and you would make it gateway p1/edge-1" in told


@pytest.mark.usefixtures("folder")
def test_who_asks_does_not_say_what_the_key_may_be(capsys: pytest.CaptureFixture[str]) -> None:
    """The key's SHA-256 is the same whatever the request says of it: the root's keeper says it."""
    assert run(*csr("file:new.pem", "collector-2", "--role", "collector")) == 0
    for name in ("edge-1", "collector-2"):
        told = refused(capsys, *enrol(sha256_of("new.pem"), name=name))
        assert f"asks for collector p1/collector-2, and you would make it gateway p1/{name}" in told
    Path("new.csr").unlink()
    assert run(*csr("file:new.pem", "edge-2")) == 0
    told = refused(capsys, *enrol(sha256_of("new.pem")))
    assert "asks for gateway p1/edge-2, and you would make it gateway p1/edge-1" in told


@pytest.mark.usefixtures("folder")
def test_a_certificate_may_not_outlive_the_root(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*csr()) == 0
    told = refused(capsys, *enrol(sha256_of("new.pem"), "--days", 7300))
    assert "choose fewer --days" in told


@pytest.mark.usefixtures("folder")
def test_root_key_and_certificate_belong_together(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*csr()) == 0
    arguments = enrol(sha256_of("new.pem"))
    wrong = ["file:edge-1.pem" if a == "file:root.pem" else a for a in arguments]
    assert "root.crt does not belong to file:edge-1.pem" in refused(capsys, *wrong)
    wrong = ["edge-1.crt" if a == "root.crt" else a for a in arguments]
    assert "edge-1.crt is no plant's root certificate" in refused(capsys, *wrong)
    Path("root.pem").chmod(0o640)
    assert "chmod 600" in refused(capsys, *arguments)


@pytest.mark.usefixtures("folder")
def test_a_key_does_not_rotate_to_itself(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["rotate", *csr("file:edge-1.pem")[1:], "--previous", "file:edge-1.pem"]
    assert "is the key in use: name another for --key" in refused(capsys, *arguments)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("--key", "beef", "64 hex digits, or file:PATH"), ("--through", "-1", "seq, or none"),
        ("--through", "last", "seq, or none"), ("--reason", "", "reason must have 1 to 200"),
        ("--reason", "x" * 201, "reason must have 1 to 200"), ("--gateway", "Edge", "must match"),
        ("--key", "file:collector.crt", "is no certificate of gateway p1/edge-1 by this root"),
        ("--key", "file:nothing.crt", "cannot be read"), ("--root", "root.pem", "file:PATH"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("folder")
def test_a_revoke_that_says_something_else_is_refused(
    name: str, value: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {
        "--root": "file:root.pem", "--root-certificate": "root.crt", "--gateway": "edge-1",
        "--key": "ab" * 32, "--through": "7", "--reason": "stolen", "--out": "r.cose",
    } | {name: value}  # fmt: skip
    assert told in refused(capsys, "revoke", *(f"{k}={v}" for k, v in given.items()))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("{", "not JSON"), ("[]", "not the state of a stream"), ("[" * 5000, "not JSON"),
        ({"seq": "41"}, "seq is missing or not as"), ({"seq": True}, "seq is missing or not as"),
        ({"head": "beef"}, "head is missing"), ({"key": None}, "key is missing"),
        ({"plant": "p2"}, "is of plant p2; this is p1's root"), ({"seq": -1}, "seq is no number"),
        ({"gateway": "edge-2"}, "is no certificate of gateway p1/edge-2 by this root"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("folder")
def test_a_replace_of_another_state_is_refused(
    told: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    enrolled()
    given = told if isinstance(told, str) else state(**told)
    assert words in refused(capsys, *replace(given))


@pytest.mark.usefixtures("folder")
def test_a_device_is_not_replaced_by_its_own_key(capsys: pytest.CaptureFixture[str]) -> None:
    told = refused(capsys, *replace(state(), "edge-1.crt"))
    assert "a new device needs a key of its own (keys csr)" in told


@pytest.mark.parametrize("command", ["new", "csr", "enrol", "rotate", "revoke", "replace", "site"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(command, "--help")
    assert caught.value.code == 0
    assert len(capsys.readouterr().out.split()) > 50
