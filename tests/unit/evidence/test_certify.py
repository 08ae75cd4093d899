"""Requests, held against OpenSSL, and the one rule of whose a certificate is."""

import datetime as dt
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence.certify import certify, decode_request, encode_request, objection_to
from evidence.errors import MalformedError
from evidence.keys import Certificate, FileSigner, certificate_to_pem, generate, issue

AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
KEY, OTHER = generate(), generate()
ROOT, STRANGER = (
    issue("root", "mini", "mini", key.public_key(), issuer=key, not_before=AT, days=10)
    for key in (KEY, OTHER)
)
EDGE = issue(
    "gateway", "mini", "edge-1", generate().public_key(), issuer=(KEY, ROOT), not_before=AT, days=10
)


@pytest.mark.parametrize("name", ["edge-1", ""])
@pytest.mark.parametrize("root", [ROOT, None])
def test_the_one_that_is_asked_for_is_fine(name: str, root: Certificate | None) -> None:
    assert objection_to(EDGE, "gateway", "mini", name, root=root) == ""


@pytest.mark.parametrize(
    "asked", [("collector", "mini", ""), ("gateway", "maxi", "edge-1"), ("gateway", "mini", "edge")]
)
def test_one_of_somebody_else_is_not(asked: tuple[str, str, str]) -> None:
    told = "the certificate is for gateway mini/edge-1"
    assert [objection_to(EDGE, *asked, root=root) for root in (ROOT, None)] == [told, told]


def test_a_root_of_the_same_name_did_not_issue_it() -> None:
    assert objection_to(EDGE, "gateway", "mini", root=STRANGER) == (
        "the plant's root did not issue this certificate"
    )


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
def test_a_request_is_signed_by_its_key_and_becomes_a_certificate(
    tmp_path: Path, kind: str
) -> None:
    """The root's key and the asker's sign where they are, as a token's do."""
    root, asker = FileSigner(generate(kind)), FileSigner(generate(kind))
    asked = encode_request("gateway", "mini", "edge-1", asker)
    own = certify(
        decode_request(encode_request("root", "mini", "mini", root)), root, None,
        not_before=AT, days=10,
    )  # fmt: skip
    made = certify(decode_request(asked), root, own, not_before=AT, days=10)
    for name, data in (("csr", asked), ("root", certificate_to_pem(own))):
        (tmp_path / name).write_bytes(data)

    def openssl(*words: str, given: bytes = b"") -> str:
        done = subprocess.run(
            ["openssl", *words], cwd=tmp_path, input=given, capture_output=True, check=True
        )
        return (done.stdout + done.stderr).decode()

    told = openssl("req", "-in", "csr", "-verify", "-noout", "-text")
    assert "verify OK" in told
    assert "URI:urn:stackproof:gateway:mini:edge-1" in told
    assert "Subject Alternative Name: critical" not in told
    at = str(int(AT.timestamp()))
    given = certificate_to_pem(made)
    assert openssl("verify", "-attime", at, "-CAfile", "root", given=given) == "stdin: OK\n"
    spki = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    assert made.public_key().public_bytes(*spki) == asker.public_key.public_bytes(*spki)
    der = x509.load_pem_x509_csr(asked).public_bytes(Encoding.DER)
    stolen = x509.load_der_x509_csr(der[:-1] + bytes([der[-1] ^ 1])).public_bytes(Encoding.PEM)
    with pytest.raises(MalformedError, match="not signed by the key it asks for"):
        decode_request(stolen)
