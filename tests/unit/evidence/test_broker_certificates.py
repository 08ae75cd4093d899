"""Certificates for the broker: what they say, who else takes them, when one is renewed."""

import datetime as dt
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_crl

from evidence import cose
from evidence.broker_certificates import (
    Ca,
    certify_client,
    certify_node,
    certify_server,
    collector_name,
    decode_broker_request,
    encode_broker_request,
    gateway_name,
    hosts_of,
    is_by,
    make_ca,
    name_of,
    names_in,
    node_name,
    relay_name,
    renews_at,
    trouble_of,
    who_asks,
)
from evidence.broker_revocations import read_list, revocation_list
from evidence.errors import EvidenceError, KeyFileError, MalformedError, SignatureError
from evidence.keys import Certificate, FileSigner, certificate_to_pem, generate, key_sha256

T0 = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
EVIDENCE, TLS = FileSigner(generate()), FileSigner(generate("p256"))


def ca(kind: str = "p256") -> Ca:
    signer = FileSigner(generate(kind))
    return Ca(signer, make_ca("a broker's CA", signer, T0))


@pytest.mark.parametrize("kind", ["p256", "ed25519"])
def test_openssl_takes_them_and_refuses_what_the_list_names(tmp_path: Path, kind: str) -> None:
    """An independent reader, by RFC 5280's strict rules."""
    by = ca(kind)
    client = certify_client("smelter/edge-1", TLS.public_key, by, T0)
    server = certify_server(["broker.example", "10.0.0.9"], TLS.public_key, by, T0)
    (tmp_path / "ca").write_bytes(certificate_to_pem(by.certificate))
    (tmp_path / "client").write_bytes(certificate_to_pem(client))
    (tmp_path / "server").write_bytes(certificate_to_pem(server))
    node = certify_node(node_name("1"), ["10.0.0.11", "broker.example"], TLS.public_key, by, T0)
    (tmp_path / "node").write_bytes(certificate_to_pem(node))

    def verify(*words: str) -> str:
        done = subprocess.run(
            ["openssl", "verify", "-x509_strict", "-attime", str(int(T0.timestamp())),
             "-CAfile", "ca", *words],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout + done.stderr

    assert verify("-purpose", "sslclient", "client") == "client: OK\n"
    assert "unsuitable" in verify("-purpose", "sslserver", "client")
    for name in (["-verify_hostname", "broker.example"], ["-verify_ip", "10.0.0.9"]):
        assert verify("-purpose", "sslserver", *name, "server") == "server: OK\n"
    assert "mismatch" in verify("-verify_hostname", "other.example", "server")
    for name in (["-verify_hostname", "broker.example"], ["-verify_ip", "10.0.0.11"]):
        for purpose in ("sslserver", "sslclient"):
            assert verify("-purpose", purpose, *name, "node") == "node: OK\n"
    assert (name_of(node), hosts_of(node), hosts_of(server)) == (
        "node-1", ["10.0.0.11", "broker.example"], ["broker.example", "10.0.0.9"],
    )  # fmt: skip
    for none in (client, by.certificate):
        with pytest.raises(MalformedError, match="names no host"):
            hosts_of(none)
    # signed by a clock that was a year ahead
    (tmp_path / "crl").write_bytes(revocation_list(by, [client.serial_number], T0 + 400 * DAY))
    assert "certificate revoked" in verify("-crl_check", "-CRLfile", "crl", "client")
    assert verify("-crl_check", "-CRLfile", "crl", "server") == "server: OK\n"


@pytest.mark.parametrize(
    ("made", "ends", "is_authority", "purposes", "names"),
    [  # 7300 days are 20 years less their 5 days of February 29; in 730 there is one, 2028's
        (lambda by: by.certificate, "2046-10-27", True, None, []),
        (lambda by: certify_server(["b.example", "10.0.0.9"], TLS.public_key, by, T0), "2028-10-31",
         False, "TLS Web Server Authentication", ["b.example", "10.0.0.9"]),
        (lambda by: certify_node("node-1", ["b.example"], TLS.public_key, by, T0), "2028-10-31",
         False, "TLS Web Server Authentication, TLS Web Client Authentication", ["b.example"]),
        (lambda by: certify_client(relay_name("far"), TLS.public_key, by, T0), "2026-12-01",
         False, "TLS Web Client Authentication",
         ["urn:stackproof:broker:relay-far:" + TLS.kid.hex()]),
    ],
)  # fmt: skip
def test_what_a_certificate_says_and_what_all_must_know_of_it(
    made: Callable[[Ca], Certificate], ends: str, is_authority: bool, purposes: str | None,
    names: list[str],
) -> None:  # fmt: skip
    """As OpenSSL tells it; critical, or not, by RFC 5280, 4.2.1."""
    certificate = made(ca())
    told = subprocess.run(
        ["openssl", "x509", "-noout", "-text"], input=certificate_to_pem(certificate),
        capture_output=True, check=True,
    ).stdout.decode()  # fmt: skip
    found = re.findall(r"X509v3 ([^:]+): (critical)?\n +(\S.*)", told)
    of = {name: (bool(critical), value.strip()) for name, critical, value in found}
    basic, use = (
        ("CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign")
        if is_authority
        else ("CA:FALSE", "Digital Signature")
    )
    assert of.pop("Basic Constraints") == (True, basic)
    assert of.pop("Key Usage") == (True, use)
    assert of.pop("Extended Key Usage", (False, None)) == (False, purposes)
    assert not any(critical for critical, _ in of.values())
    alternative = set() if is_authority else {"Subject Alternative Name"}
    assert set(of) == {"Subject Key Identifier", "Authority Key Identifier"} | alternative
    assert names_in(certificate) == names
    begins, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    assert (f"{begins:%Y-%m-%d %H:%M}", f"{last:%Y-%m-%d %H:%M}") == (
        "2026-10-31 23:55", f"{ends} 00:00"
    )  # fmt: skip


def test_whose_a_certificate_is() -> None:
    by = ca()
    made = certify_client(collector_name("00"), TLS.public_key, by, T0)
    assert (name_of(made), is_by(made, by.certificate)) == ("collector-00", True)
    assert not is_by(made, ca().certificate), "of the same name, and another key"
    assert not is_by(made, ca("ed25519").certificate)
    assert not is_by(made, made)
    for names in ([], ["a", "b"]):
        named = [x509.NameAttribute(x509.NameOID.COMMON_NAME, name) for name in names]
        builder = x509.CertificateBuilder(
            x509.Name([]), x509.Name(named), TLS.public_key, 1, T0, T0 + DAY
        )
        with pytest.raises(MalformedError, match="no common name"):
            name_of(builder.sign(generate("p256"), hashes.SHA256()))


def test_a_list_ends_with_its_ca_and_names_each_once() -> None:
    by = ca()
    made = load_pem_x509_crl(revocation_list(by, [5, 3, 5], T0))
    # RFC 5280, 5.2: who signed it, and its number, are known to all or passed over
    assert [one.critical for one in made.extensions] == [False, False]
    assert [row.serial_number for row in made] == [3, 5]
    assert made.next_update_utc == by.certificate.not_valid_after_utc
    assert made.is_signature_valid(by.signer.public_key)
    assert made.last_update_utc == by.certificate.not_valid_before_utc


def test_lists_are_in_order_whatever_the_clock_says() -> None:
    by, begin = ca(), T0 - dt.timedelta(minutes=5)
    data = None
    # 2026-11-01 is second 1,793,491,200; 400 days are 34,560,000 s
    numbers = (1_793_491_200, 1_828_051_200, 1_828_051_201)
    for n, (days, number) in enumerate(zip((0, 400, 0), numbers, strict=True)):
        data = revocation_list(by, [n + 5], T0 + days * DAY, data)
        assert read_list(data) == (begin + dt.timedelta(seconds=n), number, {n + 5})
    short = Ca(by.signer, make_ca("one of then", by.signer, T0 + 400 * DAY))
    ahead = revocation_list(short, [7], T0)  # as clocks made them before dates were counts
    assert read_list(ahead).begins > T0
    mended = read_list(revocation_list(by, [7], T0 + DAY, ahead))
    assert mended == (T0 + DAY - dt.timedelta(minutes=5), 1_793_577_600, {7})
    builder = x509.CertificateRevocationListBuilder(by.certificate.subject, T0, T0 + DAY)
    unnumbered = builder.sign(generate("p256"), hashes.SHA256())
    assert read_list(unnumbered.public_bytes(Encoding.PEM)) == (T0, 0, set())
    for none in (b"", b"noise", certificate_to_pem(by.certificate)):
        with pytest.raises(MalformedError, match="no revocation list"):
            read_list(none)


def test_nothing_outlives_its_ca() -> None:
    signer = FileSigner(generate("p256"))
    short = Ca(signer, make_ca("short", signer, T0, days=10))
    made = certify_client("a/b", TLS.public_key, short, T0 + DAY)
    assert made.not_valid_after_utc == T0 + 10 * DAY
    with pytest.raises(KeyFileError, match="CA ended on 2026-11-11"):
        certify_client("a/b", TLS.public_key, short, T0 + 10 * DAY)


@pytest.mark.parametrize(
    ("days", "says"),
    [  # a life of 30 days: renewed after 20, and a twelfth, 2.5 days, to do it in
        (-1, "not valid before 2026-10-31 23:55"), (0, ""), (19.9, ""), (22.4, ""),
        (22.6, "ends on 2026-12-01 00:00 UTC, and no renewal has come since 2026-11-20 23:58"),
        (29.9, "no renewal has come"), (30.1, "ended on 2026-12-01 00:00 UTC"),
    ],
)  # fmt: skip
def test_when_a_person_is_told(days: float, says: str) -> None:
    made = certify_client("a/b", TLS.public_key, ca(), T0)
    said = trouble_of(made, T0 + days * DAY)
    assert (says in said) if says else said == ""
    assert abs(renews_at(made) - (T0 + 20 * DAY)) < dt.timedelta(minutes=5)


def test_a_request_is_by_both_keys() -> None:
    data = encode_broker_request("smelter", "edge-1", EVIDENCE, TLS)
    assert who_asks(data) == ("smelter", "edge-1", EVIDENCE.kid)
    asked = decode_broker_request(data, EVIDENCE.public_key)
    assert (asked.plant, asked.gateway) == ("smelter", "edge-1")
    assert key_sha256(asked.key) == key_sha256(TLS.public_key)
    with pytest.raises(SignatureError):
        decode_broker_request(data, FileSigner(generate()).public_key)
    with pytest.raises(MalformedError, match="P-256"):
        decode_broker_request(
            encode_broker_request("smelter", "edge-1", EVIDENCE, EVIDENCE), EVIDENCE.public_key
        )
    for size, is_long in ((4096, False), (4097, True)):
        with pytest.raises(MalformedError) as refused:
            who_asks(bytes(size))
        assert ("at most 4096 bytes" in str(refused.value)) == is_long
    envelope = cose.parse(data)
    header = {cose.TYP: envelope.typ, cose.CWT_CLAIMS: {1: "smelter", 2: "edge-2"}}
    for bent in (
        cose.sign(EVIDENCE, header, envelope.payload),  # the other key says another name
        cose.sign(EVIDENCE, {**header, cose.TYP: "x"}, envelope.payload),
        cose.sign(EVIDENCE, {**header, cose.CWT_CLAIMS: {1: "A/B", 2: "c"}}, envelope.payload),
    ):
        with pytest.raises(EvidenceError):
            decode_broker_request(bent, EVIDENCE.public_key)
    for claims in ({1: "smelter"}, [1, 2], {1: 7, 2: "edge-1"}, {1: "smelter", 2: "", 3: "x"}):
        bent = cose.sign(EVIDENCE, {**header, cose.CWT_CLAIMS: claims}, envelope.payload)
        with pytest.raises(MalformedError, match=r"who asks|names no ids"):
            who_asks(bent)
    last = envelope.payload[-1] ^ 1  # of the request's own signature
    stolen = cose.sign(EVIDENCE, dict(envelope.header), envelope.payload[:-1] + bytes([last]))
    with pytest.raises(MalformedError, match="not signed by the key it asks for"):
        decode_broker_request(stolen, EVIDENCE.public_key)


def test_names_fit_into_a_certificate() -> None:
    assert len(gateway_name("p" * 40, "g" * 23)) == 64
    made = certify_client(gateway_name("p" * 40, "g" * 23), TLS.public_key, ca(), T0)
    assert name_of(made) == f"{'p' * 40}/{'g' * 23}"
    with pytest.raises(MalformedError, match="65 characters"):
        gateway_name("p" * 40, "g" * 24)
