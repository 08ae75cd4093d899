"""Keys and certificates on disk: modes, roles, who issued what, and whom a reviewer trusts."""

import base64
import datetime as dt
import hashlib
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519
from cryptography.x509.oid import NameOID

from evidence.errors import EvidenceError, KeyFileError, MalformedError, UnknownSuiteError
from evidence.keys import (
    PEM_BYTES_MAX,
    FileSigner,
    certificate_from_der,
    certificate_from_pem,
    certificate_to_der,
    certificate_to_pem,
    generate,
    identity,
    is_issued_by,
    issue,
    key_id,
    key_sha256,
    load_certificate,
    load_private,
    load_trust,
    public_key,
    write_private,
)
from evidence.suites import SUITES, PublicKey, suite, suite_of
from tests.unit.evidence.small_plant import keys

SINCE = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
PLAIN = serialization.NoEncryption()
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo

ROOT = generate()
ROOT_CERTIFICATE = issue("root", "p", "p", ROOT.public_key(), issuer=ROOT, not_before=SINCE, days=9)
LEAF = generate("p256")
LEAF_CERTIFICATE = issue(
    "gateway", "p", "edge-1", LEAF.public_key(), issuer=(ROOT, ROOT_CERTIFICATE), not_before=SINCE,
    days=9,
)  # fmt: skip


def pem(key: PublicKey) -> bytes:
    return key.public_bytes(PEM, SPKI)


# -- fingerprints -----------------------------------------------------------------------------


def test_a_fingerprint_is_of_the_subject_public_key_info() -> None:
    """Checked against the DER put together by hand (RFC 8410)."""
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    spki = bytes.fromhex("302a300506032b6570032100") + key.public_bytes_raw()
    assert key_sha256(key) == hashlib.sha256(spki).digest()
    assert key_id(key) == hashlib.sha256(spki).digest()[:8]


def test_the_key_of_rfc_8032_has_the_public_half_it_says() -> None:
    secret = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    signer = FileSigner(ed25519.Ed25519PrivateKey.from_private_bytes(secret))
    assert signer.public_key.public_bytes_raw() == public  # type: ignore[union-attr] # Ed25519
    assert signer.sign(b"").hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974")


# -- suites -----------------------------------------------------------------------------------


def test_the_table_of_suites() -> None:
    assert {alg: s.alg for alg, s in SUITES.items()} == {-19: -19, -9: -9, -8: -8, -7: -7}
    assert [s.alg for s in SUITES.values() if s.written] == [-19, -9]
    assert suite(-19).name == "Ed25519"
    assert suite_of(ROOT.public_key()).alg == -19
    assert suite_of(LEAF.public_key()).alg == -9
    for unknown in (0, 1, -10, -48, 257):
        with pytest.raises(UnknownSuiteError, match=str(unknown)):
            suite(unknown)


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1(), ec.SECP256K1()])
def test_other_curves_have_no_suite(curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    with pytest.raises(UnknownSuiteError):
        suite_of(key.public_key())
    with pytest.raises(UnknownSuiteError):
        FileSigner(key)


def test_a_suite_signs_only_with_its_own_kind_of_key() -> None:
    with pytest.raises(TypeError, match="Ed25519"):
        suite(-19).sign(LEAF, b"x")
    with pytest.raises(TypeError, match="P-256"):
        suite(-9).sign(ROOT, b"x")


def test_a_kind_nobody_knows_is_not_generated() -> None:
    with pytest.raises(ValueError, match="ed25519 p256"):
        generate("rsa")


# -- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
def test_a_written_key_is_its_owners_alone_and_reads_back(tmp_path: Path, kind: str) -> None:
    key, path = generate(kind), tmp_path / "new" / "edge.pem"
    write_private(path, key)
    assert path.stat().st_mode & 0o777 == 0o600
    assert key_sha256(load_private(path).public_key()) == key_sha256(key.public_key())
    assert FileSigner.load(path).kid == key_id(key.public_key())


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "edge.pem"
    write_private(path, ROOT)
    before = path.read_bytes()
    with pytest.raises(KeyFileError, match="never overwritten"):
        write_private(path, LEAF)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o610, 0o601])
def test_a_key_others_can_reach_is_refused_and_the_remedy_said(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "edge.pem"
    write_private(path, ROOT)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match=f"chmod 600 .*{path.name}"):
        load_private(path)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_key_only_its_owner_can_reach_is_taken(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "edge.pem"
    write_private(path, ROOT)
    path.chmod(mode)
    assert load_private(path)


def private_pem(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 2048),
        x25519.X25519PrivateKey.generate(),
        ed448.Ed448PrivateKey.generate(),
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP256K1()),
    ],
    ids=["RSA", "X25519", "Ed448", "P-384", "secp256k1"],
)
def test_a_private_key_of_another_kind_is_refused(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    path = private_pem(tmp_path / "k.pem", key.private_bytes(PEM, PKCS8, PLAIN))
    with pytest.raises(KeyFileError, match="use Ed25519 or P-256"):
        load_private(path)


def test_an_encrypted_or_broken_private_key_is_refused(tmp_path: Path) -> None:
    locked = ROOT.private_bytes(PEM, PKCS8, serialization.BestAvailableEncryption(b"secret"))
    whole = ROOT.private_bytes(PEM, PKCS8, PLAIN)
    for data in (locked, whole[:-40], b"", b"junk", pem(ROOT.public_key())):
        path = private_pem(tmp_path / "k.pem", data)
        with pytest.raises(KeyFileError, match=r"k\.pem"):
            load_private(path)


def test_missing_and_oversized_files_are_named(tmp_path: Path) -> None:
    missing, large = tmp_path / "no.pem", tmp_path / "large.pem"
    large.write_bytes(b"x" * (PEM_BYTES_MAX + 1))
    for read in (load_private, load_certificate, load_trust):
        with pytest.raises(KeyFileError, match=r"no\.pem: cannot be read"):
            read(missing)
        with pytest.raises(KeyFileError, match=r"large\.pem: too large"):
            read(large)
        with pytest.raises(KeyFileError, match="cannot be read"):
            read(tmp_path)


# -- certificates -----------------------------------------------------------------------------


def test_a_certificate_says_who_it_is_for() -> None:
    assert identity(ROOT_CERTIFICATE) == ("root", "p", "p")
    assert identity(LEAF_CERTIFICATE) == ("gateway", "p", "edge-1")
    assert key_sha256(public_key(LEAF_CERTIFICATE)) == key_sha256(LEAF.public_key())
    with pytest.raises(ValueError, match="root gateway collector"):
        issue("owner", "p", "p", LEAF.public_key(), issuer=ROOT, not_before=SINCE, days=1)


def test_only_the_root_may_issue() -> None:
    extensions = LEAF_CERTIFICATE.extensions
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    of_root = ROOT_CERTIFICATE.extensions
    assert of_root.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    assert not of_root.get_extension_for_class(x509.KeyUsage).value.digital_signature


def test_who_issued_what() -> None:
    stranger = generate()
    strange_root = issue(
        "root", "p", "p", stranger.public_key(), issuer=stranger, not_before=SINCE, days=9
    )
    assert is_issued_by(ROOT_CERTIFICATE, ROOT_CERTIFICATE)
    assert is_issued_by(LEAF_CERTIFICATE, ROOT_CERTIFICATE)
    assert not is_issued_by(LEAF_CERTIFICATE, strange_root)  # same names, another key
    assert not is_issued_by(ROOT_CERTIFICATE, LEAF_CERTIFICATE)
    below = issue(
        "gateway", "p", "x", stranger.public_key(), issuer=(LEAF, LEAF_CERTIFICATE),
        not_before=SINCE, days=9,
    )  # fmt: skip
    assert not is_issued_by(below, LEAF_CERTIFICATE)  # a gateway's key is no root's
    assert not is_issued_by(LEAF_CERTIFICATE, LEAF_CERTIFICATE)


def other_certificate(
    key: PublicKey, names: list[x509.GeneralName], since: dt.datetime = SINCE
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(ROOT_CERTIFICATE.subject)
        .public_key(key)
        .serial_number(1)
        .not_valid_before(since)
        .not_valid_after(since + dt.timedelta(days=1))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    assert isinstance(ROOT, ed25519.Ed25519PrivateKey)
    return builder.sign(ROOT, None)


URI = x509.UniformResourceIdentifier


@pytest.mark.parametrize(
    "names",
    [
        [],
        [x509.DNSName("example.org")],
        [URI("urn:example:gateway:p:edge-1")],
        [URI("urn:stackproof:gateway:p")],
        [URI("urn:stackproof:gateway:p:edge:1")],
        [URI("urn:stackproof:owner:p:edge-1")],
        [URI("urn:stackproof:gateway:p:a"), URI("urn:stackproof:gateway:p:b")],
        [URI("urn:stackproof:gateway:p:a"), x509.DNSName("example.org")],
        [URI("urn:stackproof:gateway:p:a"), URI("https://example.org")],
        [URI("urn:stackproof:collector:p:Mine")],
        [URI("urn:stackproof:collector:p:" + 41 * "a")],
    ],
)
def test_a_certificate_without_one_identity_of_ours_is_refused(
    names: list[x509.GeneralName],
) -> None:
    with pytest.raises(MalformedError, match="no stackproof identity"):
        identity(other_certificate(ROOT.public_key(), names))


def test_a_certificate_of_another_kind_of_key_is_undecided_not_malformed() -> None:
    rsa_key = rsa.generate_private_key(65537, 2048).public_key()
    p384 = ec.generate_private_key(ec.SECP384R1()).public_key()
    for key in (rsa_key, p384):
        with pytest.raises(UnknownSuiteError):
            public_key(other_certificate(key, []))  # type: ignore[arg-type] # the point of it


def test_pem_reads_back_and_junk_does_not(tmp_path: Path) -> None:
    data = certificate_to_pem(LEAF_CERTIFICATE)
    assert certificate_from_pem(data) == LEAF_CERTIFICATE
    for junk in (b"", b"junk", data[:100], pem(ROOT.public_key())):
        path = tmp_path / "c.crt"
        path.write_bytes(junk)
        with pytest.raises(MalformedError):
            certificate_from_pem(junk)
        with pytest.raises(KeyFileError, match=r"c\.crt"):
            load_certificate(path)


def test_what_no_reader_takes_is_refused_where_it_is_read() -> None:
    """Serial numbers that are none, dates that no calendar has; and the library says nothing."""
    far = dt.timedelta(days=36_525)
    text = certificate_to_der(other_certificate(ROOT.public_key(), [], SINCE + far))
    serial, begins = b"\xa0\x03\x02\x01\x02\x02\x01\x01", f"{SINCE + far:%Y%m%d}".encode()
    for old, new, why in (
        (serial, serial[:7] + b"\x00", "serial number"),
        (serial, serial[:7] + b"\x80", "serial number"),
        (begins, b"0000" + begins[4:], "year 0"),
        (begins, b"9999" + begins[4:], "ends before it begins"),
    ):
        assert text.count(old) == 1
        with pytest.raises(MalformedError, match=why):
            certificate_from_der(text.replace(old, new))
    negative = text.replace(serial, serial[:7] + b"\x80").hex()
    program = f"from evidence.keys import *\ntry: certificate_from_der(bytes.fromhex('{negative}'))"
    ask = [sys.executable, "-c", f"{program}\nexcept MalformedError: print('refused')"]
    done = subprocess.run(ask, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("refused\n", "")


@pytest.mark.parametrize("certificate", [ROOT_CERTIFICATE, LEAF_CERTIFICATE])
def test_no_spoilt_certificate_draws_a_foreign_error(certificate: x509.Certificate) -> None:
    """Every bit of the DER: the library's own exceptions are many, ours are these."""
    der = certificate.public_bytes(serialization.Encoding.DER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library warns of serial numbers below one
        for at in range(len(der)):
            spoilt = bytearray(der)
            spoilt[at] ^= 1 << at % 8
            text = base64.encodebytes(bytes(spoilt))
            body = b"-----BEGIN CERTIFICATE-----\n" + text + b"-----END CERTIFICATE-----\n"
            try:
                read = certificate_from_pem(body)
            except MalformedError:
                continue
            for ask in (identity, public_key):
                try:
                    ask(read)
                except EvidenceError:
                    continue
            assert is_issued_by(read, ROOT_CERTIFICATE) in (False, True)
            assert not is_issued_by(read, LEAF_CERTIFICATE)


# -- trust ------------------------------------------------------------------------------------


def test_trust_takes_keys_and_certificates_together(tmp_path: Path) -> None:
    path = tmp_path / "trust.pem"
    path.write_bytes(
        b"# the plant's root\n" + certificate_to_pem(ROOT_CERTIFICATE) + pem(LEAF.public_key())
    )
    certified = identity(ROOT_CERTIFICATE)[1], key_sha256(ROOT.public_key())
    assert load_trust(path) == {certified, key_sha256(LEAF.public_key())}


@pytest.mark.parametrize("role", ["gateway", "collector"])
def test_trust_is_of_roots_only(tmp_path: Path, role: str) -> None:
    """Whoever has a gateway's key could call it a root's and make a month with it."""
    path = tmp_path / "bundle.pem"
    path.write_bytes(b"".join(certificate_to_pem(keys().certificates[r]) for r in ("root", role)))
    with pytest.raises(KeyFileError, match=rf"of {role} test-smelter/.*take this certificate out"):
        load_trust(path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nothing here",
        ROOT.private_bytes(PEM, PKCS8, PLAIN),
        certificate_to_pem(ROOT_CERTIFICATE)[:-60],
        certificate_to_pem(ROOT_CERTIFICATE)
        + b"-----BEGIN X509 CRL-----\nAA==\n-----END X509 CRL-----\n",
        rsa.generate_private_key(65537, 2048).public_key().public_bytes(PEM, SPKI),
        ec.generate_private_key(ec.SECP384R1()).public_key().public_bytes(PEM, SPKI),
        certificate_to_pem(
            other_certificate(ec.generate_private_key(ec.SECP384R1()).public_key(), [])
        ),
    ],
    ids=["empty", "text", "private key", "cut", "crl", "RSA key", "P-384 key", "P-384 certificate"],
)
def test_a_trust_file_with_anything_else_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "trust.pem"
    path.write_bytes(data)
    with pytest.raises(KeyFileError, match=r"trust\.pem"):
        load_trust(path)
