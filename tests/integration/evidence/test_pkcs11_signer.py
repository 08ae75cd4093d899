"""Keys that never leave their token, against a real PKCS#11 module (SoftHSM)."""

import datetime as dt
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from evidence import cli, cose
from evidence.certify import Request, certify
from evidence.errors import KeyFileError
from evidence.keys import (
    Signer,
    certificate_to_pem,
    is_issued_by,
    key_id,
    key_sha256,
    load_certificate,
)
from evidence.orders import Revoke, decode_order
from evidence.pkcs11_signer import TokenKey, parse_uri
from evidence.signers import open_signer
from tests.integration.softhsm import PIN, module_path, uri

pytestmark = pytest.mark.needs("softhsm2-util")


def test_an_ed25519_key_signs_what_the_library_verifies(token: Path) -> None:
    signer = open_signer(uri("ed"), token)
    key = signer.public_key
    assert isinstance(key, ed25519.Ed25519PublicKey)
    assert (signer.alg, signer.kid) == (-19, key_id(key))
    key.verify(signer.sign(b"a reading"), b"a reading")
    with pytest.raises(InvalidSignature):
        key.verify(signer.sign(b"a reading"), b"another")


def test_a_p256_key_signs_r_and_s(token: Path) -> None:
    signer = open_signer(uri("p256"), token)
    key = signer.public_key
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert signer.alg == -9
    signature = signer.sign(b"a reading")
    assert len(signature) == 64
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    key.verify(encode_dss_signature(r, s), b"a reading", ec.ECDSA(hashes.SHA256()))
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # SEC 2, 2.4.2
    made = [int.from_bytes(signer.sign(b"%d" % n)[32:], "big") for n in range(16)]
    assert max(made) <= order // 2, "the one of two ways that collectors know it by"


@pytest.mark.parametrize("label", ["ed", "p256"])
def test_signed_objects_of_a_token_verify_like_any_other(token: Path, label: str) -> None:
    signer: Signer = open_signer(uri(label), token)
    envelope = cose.parse(cose.sign(signer, {cose.TYP: "x"}, b"payload"))
    cose.verify(envelope, signer.public_key)
    assert envelope.alg == signer.alg


@pytest.mark.parametrize("label", ["ed", "p256"])
def test_a_root_and_a_gateway_in_a_token_make_certificates_and_orders(
    token: Path, label: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`stackproof keys` end to end, with no private key outside the token."""
    monkeypatch.chdir(token)
    made = open_signer(uri(label), token)
    at = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    root = certify(Request("root", "p1", "p1", made.public_key), made, None, not_before=at, days=99)
    (tmp_path / "root.crt").write_bytes(certificate_to_pem(root))
    csr, crt = str(tmp_path / "a.csr"), tmp_path / "a.crt"
    request = ["--key", uri("ed"), "--plant", "p1", "--name", "edge-1", "--out", csr]
    assert cli.main(["keys", "csr", *request]) == 0
    by = ["--root", uri(label), "--root-certificate", str(tmp_path / "root.crt")]
    key = key_sha256(open_signer(uri("ed"), token).public_key).hex()
    asked = [
        "--csr",
        csr,
        "--name",
        "edge-1",
        "--key-sha256",
        key,
        "--days",
        "9",
        "--out",
        str(crt),
    ]
    assert cli.main(["keys", "enrol", *by, *asked]) == 0
    assert is_issued_by(load_certificate(crt), root)
    told = ["--key", key, "--through", "7", "--reason", "stolen", "--out", str(tmp_path / "r")]
    assert cli.main(["keys", "revoke", *by, "--gateway", "edge-1", *told]) == 0
    order = decode_order((tmp_path / "r").read_bytes(), made.public_key)
    assert order == Revoke("p1", "edge-1", bytes.fromhex(key), 7, "stolen")


def test_several_signers_of_one_token_work_beside_each_other_and_in_threads(token: Path) -> None:
    signers = [open_signer(uri(label), token) for label in ("ed", "p256", "ed")]
    made: dict[int, bytes] = {}

    def work(index: int) -> None:
        made[index] = cose.sign(signers[index % 3], {cose.TYP: "x"}, b"%d" % index)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(made) == 30
    for index, data in made.items():
        envelope = cose.parse(data)
        assert envelope.payload == b"%d" % index
        cose.verify(envelope, signers[index % 3].public_key)


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        (lambda: uri("nobody"), "key 'nobody' of token 't1' cannot be used"),
        (lambda: uri("ed", named="t2"), "token 't2' is not there"),
        (lambda: uri("p384"), "use an Ed25519 or P-256 key"),
        (lambda: uri("ed", pin="none"), "PIN cannot be read"),
        (lambda: uri("ed").replace(module_path(), "/none/lib.so"), "module /none/lib.so"),
    ],
)
def test_what_is_not_there_is_said(token: Path, reference: object, says: str) -> None:
    assert callable(reference)
    with pytest.raises(KeyFileError, match=says):
        open_signer(reference(), token)


def test_a_wrong_pin_is_refused_and_not_repeated(token: Path) -> None:
    """In a process of its own: once logged in, a token asks no further session for its PIN."""
    wrong = token / "wrong"
    wrong.write_text("987654")
    wrong.chmod(0o600)
    code = (
        "import sys, pathlib\n"
        "from evidence.signers import open_signer\n"
        "open_signer(sys.argv[1], pathlib.Path(sys.argv[2]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, uri("ed", pin="wrong"), str(token)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert "KeyFileError: key 'ed' of token 't1' cannot be used: PinIncorrect" in done.stderr
    assert "987654" not in done.stderr


def test_a_pin_that_others_can_read_is_refused(token: Path) -> None:
    open_pin = token / "open"
    open_pin.write_text(PIN)
    open_pin.chmod(0o640)
    code_signer = parse_uri(uri("ed", pin="open"), token)
    assert code_signer.pin == open_pin
    with pytest.raises(KeyFileError, match="chmod 600"):
        open_signer(uri("ed", pin="open"), token)


def test_a_uri_is_taken_apart(tmp_path: Path) -> None:
    found = parse_uri("pkcs11:object=edge%201;token=plant?module-path=lib.so", tmp_path)
    assert found == TokenKey("plant", "edge 1", tmp_path / "lib.so", None)


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("pkcs11:token=a?module-path=/m", "object= is missing"),
        ("pkcs11:object=a?module-path=/m", "token= is missing"),
        ("pkcs11:token=a;object=b", "module-path= is missing"),
        ("pkcs11:token=a;object=b;slot=1?module-path=/m", "'slot' is not understood"),
        ("pkcs11:token=a;token=b;object=c?module-path=/m", "'token' is not understood"),
        ("pkcs11:token=a;object=?module-path=/m", "'object' is not understood"),
        ("pkcs11:token=a;object=b?module-path=/m&pin-source=1234", "pin-source must be file:"),
        ("pkcs11:token=a;object=b?module-path=/m&pin-value=1234", "must not hold the PIN"),
        ("pkcs11:token=a;object=b;pin-value=1234?module-path=/m", "must not hold the PIN"),
    ],
)
def test_a_uri_that_is_not_understood(tmp_path: Path, reference: str, says: str) -> None:
    with pytest.raises(KeyFileError, match=says) as caught:
        parse_uri(reference, tmp_path)
    assert "1234" not in str(caught.value)


def test_references_of_no_known_kind(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="write file:PATH or pkcs11:URI"):
        open_signer("keys/edge-1.pem", tmp_path)
    with pytest.raises(KeyFileError, match=r"edge-1\.pem"):
        open_signer("file:edge-1.pem", tmp_path)
