"""What is newer than this program is neither passed nor failed: "cannot decide", exit status 2.

Each archive here is whole and agreed between gateway and collector; only one part of it uses
something this program does not know. A forger must not reach "cannot decide" by spoiling bytes.
"""

import dataclasses
import datetime as dt
import json
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from evidence import cbor, cose
from evidence.archive import bag, paths
from evidence.blocks import compress
from evidence.findings import Verdict
from evidence.frame import TYP_CLOSE, TYP_FRAME
from evidence.keys import FileSigner, key_id
from evidence.log import Kind
from evidence.recompute import statement_bytes
from tests.unit.evidence import sealed_month as sm


class UnknownSuite(FileSigner):
    """Signs like any other and calls its algorithm by a number nobody knows."""

    @property
    def alg(self) -> int:
        """Far from every number in use."""
        return -65_000


class Mixed(sm.Chain):
    """Signs the object at one seq with an unknown suite, the others as the gateway does."""

    def __init__(self, seq: int) -> None:
        super().__init__(sm.keys().gateway)
        self._seq = seq

    def sign(self, *args: Any, **fields: Any) -> bytes:
        private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([2]) * 32)
        here = len(self.objects) == self._seq
        self.by = UnknownSuite(private) if here else sm.keys().gateway
        return super().sign(*args, **fields)


def undecided(archive: bytes) -> set[str]:
    report = sm.check(archive)
    assert report.verdict is Verdict.CANNOT_DECIDE, report.findings
    assert report.verdict.exit_status == 2
    return {code for code in sm.codes(report) if code[0] == "C"}


def with_item(index: int, **fields: Any) -> sm.Month:
    stream = sm.items()
    stream[index] = dataclasses.replace(stream[index], **fields)
    return sm.make_month(stream)


def test_a_frame_of_an_unknown_suite() -> None:
    assert undecided(sm.build(sm.contents(sm.make_month(sm.items(), chain=Mixed(2))))) == {
        "C-SUITE"
    }


def test_a_configuration_of_an_unknown_suite() -> None:
    month = sm.make_month(sm.items(), chain=Mixed(0))
    assert undecided(sm.build(sm.contents(month))) == {"C-SUITE"}


@pytest.mark.parametrize(
    "payload",
    [
        compress(cbor.encode({1: 2, 9: "newer"})),
        b"\x03" + cbor.encode({1: 1}),
        compress(cbor.encode({1: 2**64 - 1})),
    ],
    ids=["newer version", "newer compression", "newest version"],
)
def test_a_frame_of_a_newer_version(payload: bytes) -> None:
    assert undecided(sm.build(sm.contents(with_item(2, payload=payload)))) == {"C-FORMAT"}


def section(groups: list[Any]) -> bytes:
    at = sm.START_NS + 10 * sm.SECOND
    lag = bytes(4)
    return compress(
        cbor.encode(
            {
                1: 1, 2: at, 3: ["ntp", 1, 0, bytes(16)], 4: 8,
                5: [[0, at, sm.SECOND, 1, groups, [0], lag]],
            }
        )
    )  # fmt: skip


def test_a_filter_and_a_number_type_nobody_knows() -> None:
    for group in ([0, 64, 3, 1, b"\x00", [], b""], [0, 200, 0, 1, b"\x00", [], b""]):
        month = with_item(2, payload=section([group]))
        assert undecided(sm.build(sm.contents(month))) == {"C-FORMAT"}


def test_an_object_of_a_newer_type_keeps_its_place_in_the_chain() -> None:
    month = with_item(5, typ="stackproof-balance+cbor")
    assert undecided(sm.build(sm.contents(month))) == {"C-FORMAT"}


def test_a_configuration_of_a_newer_format() -> None:
    config = sm.configuration() | {"format": 2}
    month = sm.make_month([sm.config_item(config), *sm.items()[1:]])
    assert undecided(sm.build(sm.contents(month))) == {"C-FORMAT"}


def test_a_rule_set_this_program_does_not_have() -> None:
    config = sm.configuration()
    config["plant"]["rule_set"] = "cets-ag-04.01-v09-2031"
    stated = json.loads(sm.month().statement)
    stated["input"]["rule_set"] = stated["output"]["rule_set"] = "cets-ag-04.01-v09-2031"
    month = sm.make_month(
        [sm.config_item(config), *sm.items()[1:]], statement=statement_bytes(stated)
    )
    assert undecided(sm.build(sm.contents(month))) == {"C-RULES"}


def test_a_statement_of_a_newer_format_is_undecided_and_its_seal_still_checked() -> None:
    stated = json.loads(sm.month().statement) | {"format": 2}
    month = sm.make_month(sm.items(), statement=statement_bytes(stated))
    archive = sm.build(sm.contents(month))
    assert undecided(archive) == {"C-FORMAT"}
    report = sm.check(sm.repack(sm.unpack(archive), by=sm.signer(90)))
    assert report.verdict is Verdict.FAILED
    assert "E-SEAL" in sm.codes(report)


@pytest.mark.parametrize(
    "newer",
    [
        cbor.encode([2, "everything else is new"]),
        cbor.encode([1, 99, 0, 1, "", None, bytes(32), 0, None, "accepted", None, {}]),
    ],
    ids=["version", "kind"],
)
def test_a_log_entry_of_a_newer_version_or_kind(newer: bytes) -> None:
    month = sm.make_month(sm.items(), first_entries=[sm.entry(Kind.ENROL, b"c", 0), newer])
    assert undecided(sm.build(sm.contents(month))) == {"C-FORMAT"}


def test_a_close_of_a_newer_version_is_undecided() -> None:
    """Its payload is compressed by a method of tomorrow; the gateway's signature is good."""
    chain = sm.Chain(sm.keys().gateway)
    month = sm.make_month(sm.items(), chain=chain)
    close = chain.sign(TYP_CLOSE, b"\x09...")
    archive = sm.build(sm.contents(month, closes={sm.STREAM: close}))
    assert undecided(archive) == {"C-FORMAT"}


def certificate(role: str, name: str, key: Any, issuer: Any = None) -> x509.Certificate:
    """As `evidence.keys.issue`, for a key of any kind."""
    root = sm.keys().certificates["root"]
    by = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
    since = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    uri = f"urn:stackproof:{role}:{sm.PLANT}:{name}"
    builder = (
        x509.CertificateBuilder()
        .subject_name(root.subject)
        .issuer_name(root.subject)
        .public_key(key)
        .serial_number(7)
        .not_valid_before(since)
        .not_valid_after(since + dt.timedelta(days=400))
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=False
        )
    )
    return builder.sign(issuer or by, sm.SHA256 if issuer else None)


FOREIGN_KEYS: dict[str, Any] = {
    "P-384": ec.generate_private_key(ec.SECP384R1()),
    "RSA": rsa.generate_private_key(65537, 2048),
}


@pytest.mark.parametrize("kind", FOREIGN_KEYS)
def test_a_gateway_of_an_unknown_suite(kind: str) -> None:
    """Its signatures cannot be read, nor its frames' figures; everything else is whole."""
    foreign = certificate("gateway", sm.STREAM, FOREIGN_KEYS[kind].public_key())
    files = sm.unpack(sm.honest())
    old = next(path for path in files if path.startswith("data/keys/gateway-"))
    files[old] = foreign.public_bytes(sm.PEM)
    assert undecided(sm.repack(files, by=sm.keys().collector)) == {"C-SUITE"}


@pytest.mark.parametrize("kind", FOREIGN_KEYS)
def test_a_collector_of_an_unknown_suite(kind: str) -> None:
    foreign = certificate("collector", "collector", FOREIGN_KEYS[kind].public_key())
    files = sm.unpack(sm.honest())
    files[paths.COLLECTOR_CERTIFICATE] = foreign.public_bytes(sm.PEM)
    archive = sm.repack(files)
    assert undecided(archive) == {"C-SUITE"}
    assert any(s.startswith("Seal") for s in sm.check(archive).not_checked)


def test_a_root_of_an_unknown_suite_is_not_one_that_anybody_trusts() -> None:
    key = FOREIGN_KEYS["P-384"]
    foreign = certificate("root", sm.PLANT, key.public_key(), key)
    files = sm.unpack(sm.honest()) | {paths.ROOT_CERTIFICATE: foreign.public_bytes(sm.PEM)}
    archive = sm.repack(files)
    trusting_nobody = sm.check(archive, trust=None)
    assert trusting_nobody.verdict is Verdict.CANNOT_DECIDE
    assert sm.codes(trusting_nobody) >= {"C-SUITE"}
    assert "unknown" in trusting_nobody.identity or "does not know" in trusting_nobody.identity
    assert sm.check(archive).verdict is Verdict.FAILED
    assert "E-TRUST" in sm.codes(sm.check(archive))


def test_a_foreign_certificate_the_root_did_not_issue_is_a_forgery() -> None:
    key = FOREIGN_KEYS["P-384"]
    stranger = certificate("collector", "collector", key.public_key(), key)
    files = sm.unpack(sm.honest())
    files[paths.COLLECTOR_CERTIFICATE] = stranger.public_bytes(sm.PEM)
    report = sm.check(sm.repack(files))
    assert report.verdict is Verdict.FAILED
    assert "E-CERTIFICATE" in sm.codes(report)


def test_spoiling_the_suite_number_of_seal_or_close_fails() -> None:
    """Nothing else vouches for these bytes, so anybody could write an unknown number there."""
    private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([3]) * 32)
    files = sm.unpack(sm.honest())
    digest = sm.sha256(files[bag.TAG_MANIFEST])
    files[paths.SEAL] = bag.seal(digest, UnknownSuite(private))
    report = sm.check(sm.repack(files, manifest=False))
    assert {c for c in sm.codes(report) if c[0] in "EC"} == {"E-SEAL"}

    close = cose.parse(sm.month().close)
    header = {k: v for k, v in close.header.items() if k not in (cose.ALG, cose.KID)}
    gateway = UnknownSuite(ed25519.Ed25519PrivateKey.from_private_bytes(bytes([2]) * 32))
    assert gateway.kid == key_id(sm.keys().gateway.public_key) == close.kid
    files = sm.unpack(sm.honest())
    files[paths.close(sm.STREAM)] = cose.sign(gateway, header, close.payload)
    report = sm.check(sm.repack(files, manifest=False))
    assert {c for c in sm.codes(report) if c[0] in "EC"} == {"E-CLOSE"}


def test_spoiling_the_suite_number_of_a_frame_fails() -> None:
    """The log and the next frame know the bytes it had."""
    spoilt = sm.make_month(sm.items(), chain=Mixed(2)).objects[2]
    files = sm.unpack(sm.honest())
    path = paths.frames(sm.STREAM, "2026-06-15/04")
    files[path] = sm.seg([*sm.records(files[path])[:2], spoilt])
    report = sm.check(sm.repack(files, by=sm.keys().collector))
    assert report.verdict is Verdict.FAILED
    assert {"C-SUITE", "E-CHAIN"} <= sm.codes(report)


def test_frames_are_what_the_type_says() -> None:
    assert all(item.typ == TYP_FRAME for item in sm.items()[1:])
