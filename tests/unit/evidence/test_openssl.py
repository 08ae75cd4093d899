"""What we sign and certify, checked by OpenSSL's own commands."""

import base64
import hashlib
import subprocess
from pathlib import Path

import pytest

from evidence import cose
from evidence.archive import paths
from evidence.keys import certificate_to_pem
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.test_cose import cose_der

pytestmark = pytest.mark.needs("openssl")


def openssl(*arguments: object, given: bytes = b"") -> str:
    command = ["openssl", *map(str, arguments)]
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    return (done.stdout + done.stderr).decode()


@pytest.mark.parametrize("p256", [False, True])
def test_openssl_builds_the_chain_of_certificates(tmp_path: Path, p256: bool) -> None:
    who = sm.keys(p256=p256)
    for role, certificate in who.certificates.items():
        (tmp_path / f"{role}.crt").write_bytes(certificate_to_pem(certificate))
    at = int(who.certificates["root"].not_valid_before_utc.timestamp()) + 60
    for role in ("gateway", "collector"):
        said = openssl(
            "verify", "-attime", at, "-check_ss_sig", "-x509_strict", "-CAfile",
            tmp_path / "root.crt", tmp_path / f"{role}.crt",
        )  # fmt: skip
        assert said.strip().endswith("OK"), said
    other = tmp_path / "other.crt"
    other.write_bytes(certificate_to_pem(sm.keys(60).certificates["root"]))
    refused = openssl("verify", "-attime", at, "-CAfile", other, tmp_path / "gateway.crt")
    assert "error" in refused


def signed_bytes(envelope: cose.Envelope) -> bytes:
    """RFC 9052 Sig_structure, put together here."""

    def text(data: bytes) -> bytes:
        head = b"\x58" + bytes([len(data)]) if len(data) < 256 else b"\x59" + len(data).to_bytes(2)
        return (bytes([0x40 + len(data)]) if len(data) < 24 else head) + data

    return b"\x84\x6aSignature1" + text(envelope.protected) + b"\x40" + text(envelope.payload)


@pytest.mark.parametrize("p256", [False, True])
def test_openssl_verifies_objects_and_refuses_a_changed_one(tmp_path: Path, p256: bool) -> None:
    who = sm.keys(p256=p256)
    chain = sm.Chain(who.gateway)
    chain.sign("stackproof-frame+cbor", b"\x00payload")
    envelope = cose.parse(chain.objects[0])
    signature = envelope.signature
    if p256:
        half = len(signature) // 2
        r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
        signature = cose_der(r, s)
    certificate, key = tmp_path / "c.crt", tmp_path / "key.pem"
    certificate.write_bytes(certificate_to_pem(who.certificates["gateway"]))
    key.write_text(openssl("x509", "-in", certificate, "-pubkey", "-noout"))
    message, sig = tmp_path / "message", tmp_path / "signature"
    sig.write_bytes(signature)
    how = ["-rawin", "-digest", "sha256"] if p256 else ["-rawin"]
    for change, wanted in ((b"", "Successfully"), (b"x", "Failure")):
        message.write_bytes(signed_bytes(envelope) + change)
        said = openssl(
            "pkeyutl", "-verify", "-pubin", "-inkey", key, *how, "-in", message, "-sigfile", sig
        )
        assert wanted in said, said


def test_openssl_verifies_the_checkpoint_and_the_seal_names_the_bag(tmp_path: Path) -> None:
    files = sm.unpack(sm.honest())
    key = tmp_path / "key.pem"
    certificate = tmp_path / "c.crt"
    certificate.write_bytes(files[paths.COLLECTOR_CERTIFICATE])
    key.write_text(openssl("x509", "-in", certificate, "-pubkey", "-noout"))
    body, _, line = files[paths.LOG_CHECKPOINT].decode().partition("\n\n")
    (tmp_path / "m").write_text(f"{body}\n")
    (tmp_path / "s").write_bytes(base64.b64decode(line.rpartition(" ")[2])[4:])
    said = openssl(
        "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", tmp_path / "m",
        "-sigfile", tmp_path / "s",
    )  # fmt: skip
    assert "Successfully" in said, said
    tag_manifest = files["tagmanifest-sha256.txt"]
    assert cose.parse(files[paths.SEAL]).payload == hashlib.sha256(tag_manifest).digest()
