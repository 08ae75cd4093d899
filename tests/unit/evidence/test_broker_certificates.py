"""Certificates for the broker: what they say, who else takes them, when one is renewed."""

import datetime as dt
import subprocess
from pathlib import Path

import pytest
from cryptography.x509 import load_pem_x509_crl

from evidence import cose
from evidence.broker_certificates import (
    Ca,
    certify_client,
    certify_node,
    certify_server,
    decode_broker_request,
    encode_broker_request,
    gateway_name,
    hosts_of,
    make_ca,
    name_of,
    node_name,
    renews_at,
    trouble_of,
    who_asks,
)
from evidence.broker_revocations import read_list, revocation_list
from evidence.errors import EvidenceError, MalformedError, SignatureError
from evidence.keys import FileSigner, certificate_to_pem, generate, key_sha256

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


def test_a_list_ends_with_its_ca_and_names_each_once() -> None:
    by = ca()
    made = load_pem_x509_crl(revocation_list(by, [5, 3, 5], T0))
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
    for none in (b"", b"noise", certificate_to_pem(by.certificate)):
        with pytest.raises(MalformedError, match="no revocation list"):
            read_list(none)


def test_nothing_outlives_its_ca() -> None:
    signer = FileSigner(generate("p256"))
    short = Ca(signer, make_ca("short", signer, T0, days=10))
    made = certify_client("a/b", TLS.public_key, short, T0 + DAY)
    assert made.not_valid_after_utc == T0 + 10 * DAY


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
    envelope = cose.parse(data)
    header = {cose.TYP: envelope.typ, cose.CWT_CLAIMS: {1: "smelter", 2: "edge-2"}}
    for bent in (
        cose.sign(EVIDENCE, header, envelope.payload),  # the other key says another name
        cose.sign(EVIDENCE, {**header, cose.TYP: "x"}, envelope.payload),
        cose.sign(EVIDENCE, {**header, cose.CWT_CLAIMS: {1: "A/B", 2: "c"}}, envelope.payload),
    ):
        with pytest.raises(EvidenceError):
            decode_broker_request(bent, EVIDENCE.public_key)
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
