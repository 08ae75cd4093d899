"""Keys and certificates: one Signer interface, PEM files that nobody else can read.

A plant root (kept offline) signs the certificates of the plant's gateways and of its collector;
it signs nothing else. The role, plant and name of a certificate stand in one URI subject
alternative name, `urn:stackproof:<role>:<plant>:<name>`.

File I/O of this room's keys is here. Where a key lives in hardware, another Signer takes the
place of FileSigner; nothing else changes.
"""

import datetime as dt
import hashlib
import re
import stat
import warnings
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import NameOID

from evidence.errors import KeyFileError, MalformedError, UnknownSuiteError
from evidence.owners import make_file
from evidence.suites import PrivateKey, PublicKey, Suite, has_small_order_r, suite_of

Certificate = x509.Certificate
CertificateRequest = x509.CertificateSigningRequest

ROLES = ("root", "gateway", "collector")
PEM_BYTES_MAX = 64 * 1024
KEY_ID_BYTES = 8
#: of one certificate in DER: libraries make a list of all its names before anything is checked
CERTIFICATE_BYTES_MAX = 16 * 1024

#: a root key that a reader trusts, by its `key_sha256`: for one plant, or alone for any
Trusted = bytes | tuple[str, bytes]

_IDENTITY = re.compile(
    f"urn:stackproof:({'|'.join(ROLES)}):([a-z0-9-]{{1,40}}):([a-z0-9-]{{1,40}})", re.ASCII
)

#: of a stranger's serial number, with a path of ours: `_allowed` refuses the certificate
warnings.filterwarnings(
    "ignore", "Parsed a serial number which wasn't positive", CryptographyDeprecationWarning
)

#: what the certificate library raises at bytes that are no certificate, key or extension; a warning
#: of it is raised where warnings are made errors
UNREADABLE = (
    ValueError, TypeError, InternalError, x509.InvalidVersion, x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType, CryptographyDeprecationWarning,
)  # fmt: skip


class Signer(Protocol):
    """Something that holds a private key and signs with it."""

    @property
    def alg(self) -> int:
        """COSE algorithm number."""

    @property
    def kid(self) -> bytes:
        """Key id, 8 bytes."""

    @property
    def public_key(self) -> PublicKey:
        """The public half."""

    def sign(self, message: bytes) -> bytes:
        """Signature over the message."""


class FileSigner:
    """A private key from a PEM file that only its owner can read."""

    def __init__(self, key: PrivateKey) -> None:
        self._key = key
        self._suite: Suite = suite_of(key.public_key())
        self._kid = key_id(key.public_key())

    @classmethod
    def load(cls, path: Path) -> "FileSigner":
        """Read a PKCS#8 PEM key; KeyFileError as `load_private`."""
        return cls(load_private(path))

    @property
    def alg(self) -> int:
        """COSE algorithm number."""
        return self._suite.alg

    @property
    def kid(self) -> bytes:
        """Key id, 8 bytes."""
        return self._kid

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        return self._key.public_key()

    def sign(self, message: bytes) -> bytes:
        """Signature over the message."""
        return self._suite.sign(self._key, message)


def key_sha256(key: PublicKey) -> bytes:
    """SHA-256 over the SubjectPublicKeyInfo: a key's full fingerprint, 32 bytes."""
    return hashlib.sha256(spki(key)).digest()


def spki(key: PublicKey) -> bytes:
    """The SubjectPublicKeyInfo of a key (RFC 5280 §4.1.2.7), DER."""
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def key_id(key: PublicKey) -> bytes:
    """The first 8 bytes of `key_sha256`; finds a key, does not prove it."""
    return key_sha256(key)[:KEY_ID_BYTES]


def generate(kind: str = "ed25519") -> PrivateKey:
    """A new private key, "ed25519" or "p256"."""
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "p256":
        return ec.generate_private_key(ec.SECP256R1())
    raise ValueError(f"unknown key kind {kind!r}; known: ed25519 p256")


def issue(
    role: str,
    plant: str,
    name: str,
    key: PublicKey,
    *,
    issuer: tuple[PrivateKey, x509.Certificate] | PrivateKey,
    not_before: dt.datetime,
    days: int,
) -> x509.Certificate:
    """A certificate for a key.

    Args:
        role: one of `ROLES`.
        plant: plant id.
        name: gateway id, collector name, or the plant id for a root.
        key: the key to certify.
        issuer: root key and certificate, or the key itself for a self-signed root.
        not_before: aware UTC start of validity.
        days: length of validity.
    """
    if role not in ROLES:
        raise ValueError(f"unknown role {role!r}; known: {' '.join(ROLES)}")
    signing_key, issuer_certificate = issuer if isinstance(issuer, tuple) else (issuer, None)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, plant),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    is_root = role == "root"
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_certificate.subject if issuer_certificate else subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_before + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=0 if is_root else None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), False
        )
        .add_extension(key_usage(is_authority=is_root), True)
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.UniformResourceIdentifier(f"urn:stackproof:{role}:{plant}:{name}")]
            ),
            False,
        )
    )
    algorithm = None if isinstance(signing_key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(signing_key, algorithm)


def key_usage(*, is_authority: bool) -> x509.KeyUsage:
    """What a certificate's key may sign: certificates and their end, or anything but those."""
    return x509.KeyUsage(
        digital_signature=not is_authority, key_cert_sign=is_authority, crl_sign=is_authority,
        content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def identity(certificate: Certificate | CertificateRequest) -> tuple[str, str, str]:
    """(role, plant, name) of a certificate; MalformedError when it is not of ours, and theirs only.

    A second name would be read by programs that look for another one than we do.
    """
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = list(found.value)
    except (x509.ExtensionNotFound, *UNREADABLE) as error:
        raise MalformedError("the certificate has no stackproof identity") from error
    is_one = len(names) == 1 and isinstance(names[0], x509.UniformResourceIdentifier)
    parts = _IDENTITY.fullmatch(names[0].value) if is_one else None
    if parts is None:
        raise MalformedError("the certificate has no stackproof identity")
    return parts[1], parts[2], parts[3]


def public_key(certificate: Certificate | CertificateRequest) -> PublicKey:
    """The certificate's key.

    Raises:
        UnknownSuiteError: it is of a kind this program has no suite for.
        MalformedError: it cannot be read.
    """
    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm as error:
        raise UnknownSuiteError(f"no crypto suite for the certificate's key: {error}") from error
    except UNREADABLE as error:
        raise MalformedError(f"the certificate's key cannot be read: {error}") from error
    if not isinstance(key, ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey):
        raise UnknownSuiteError("no crypto suite for the certificate's kind of key")
    suite_of(key)
    return key


def is_issued_by(certificate: x509.Certificate, root: x509.Certificate) -> bool:
    """True when the root's key signed this certificate and the root may do so."""
    try:
        certificate.verify_directly_issued_by(root)
        constraints = root.extensions.get_extension_for_class(x509.BasicConstraints).value
        key = root.public_key()
        if isinstance(key, ed25519.Ed25519PublicKey):  # the library takes what suites refuses
            suite_of(key)
            if has_small_order_r(certificate.signature):
                return False
    except (
        InvalidSignature, MalformedError, UnsupportedAlgorithm, x509.ExtensionNotFound, *UNREADABLE,
    ):  # fmt: skip
        return False
    return bool(constraints.ca)


def certificate_from_pem(data: bytes) -> x509.Certificate:
    """One PEM certificate; MalformedError otherwise."""
    if len(data) > PEM_BYTES_MAX:
        raise MalformedError(f"a certificate of {len(data)} bytes of PEM is too long")
    try:
        return _allowed(x509.load_pem_x509_certificate(data))
    except UNREADABLE as error:
        raise MalformedError(f"not a PEM certificate: {error}") from error


def certificate_from_der(data: bytes) -> x509.Certificate:
    """One DER certificate; MalformedError otherwise."""
    if len(data) > CERTIFICATE_BYTES_MAX:
        raise MalformedError(f"a certificate of {len(data)} bytes; {CERTIFICATE_BYTES_MAX} at most")
    try:
        return _allowed(x509.load_der_x509_certificate(data))
    except UNREADABLE as error:
        raise MalformedError(f"not a DER certificate: {error}") from error


def _allowed(certificate: x509.Certificate) -> x509.Certificate:
    """The library still reads what RFC 5280 forbids, and dates that it cannot say."""
    if len(certificate_to_der(certificate)) > CERTIFICATE_BYTES_MAX:
        raise ValueError(f"it has more than {CERTIFICATE_BYTES_MAX} bytes")
    if certificate.serial_number <= 0:
        raise ValueError("its serial number is not positive (RFC 5280 §4.1.2.2)")
    if certificate.not_valid_before_utc > certificate.not_valid_after_utc:
        raise ValueError("it ends before it begins")
    return certificate


def certificate_to_der(certificate: x509.Certificate) -> bytes:
    """DER bytes of a certificate."""
    return certificate.public_bytes(serialization.Encoding.DER)


def certificate_to_pem(certificate: x509.Certificate) -> bytes:
    """PEM bytes."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def load_certificate(path: Path) -> x509.Certificate:
    """Read one PEM certificate; KeyFileError names the file."""
    try:
        return certificate_from_pem(_read(path))
    except MalformedError as error:
        raise KeyFileError(f"{path}: {error}") from error


def load_certificates(path: Path) -> tuple[x509.Certificate, ...]:
    """Every certificate of a PEM file, one at least; KeyFileError names the file."""
    try:
        return tuple(x509.load_pem_x509_certificates(_read(path)))
    except UNREADABLE as error:
        raise KeyFileError(f"{path}: not PEM certificates: {error}") from error


def load_trust(path: Path) -> frozenset[Trusted]:
    """The fingerprints (`key_sha256`) of every root certificate and public key in a PEM file.

    A certificate's key is trusted for its plant only: whoever rules another plant's root, which
    stands in the same file, must not pass for this one. A public key names no plant.

    Raises:
        KeyFileError: missing, empty, or with something that is neither; a certificate of a gateway
            or collector too: whoever has that key could pass for a plant's root.
    """
    fingerprints: set[Trusted] = set()
    blocks = _read(path).split(b"-----BEGIN ")[1:]
    for block in blocks:
        pem = b"-----BEGIN " + block
        try:
            fingerprints.add(_trusted(path, pem))
        except (UnsupportedAlgorithm, UnknownSuiteError) as error:
            raise KeyFileError(f"{path}: a key this program cannot use: {error}") from error
        except (*UNREADABLE, MalformedError) as error:
            raise KeyFileError(f"{path}: not PEM keys or certificates: {error}") from error
    if not fingerprints:
        raise KeyFileError(f"{path}: no PEM key or certificate in this file")
    return frozenset(fingerprints)


def _trusted(path: Path, pem: bytes) -> Trusted:
    if pem.startswith(b"-----BEGIN CERTIFICATE-----"):
        certificate = certificate_from_pem(pem)
        role, plant, name = identity(certificate)
        if role != "root":
            raise KeyFileError(
                f"{path}: it holds the certificate of {role} {plant}/{name}; only a root is to be "
                "trusted: take this certificate out of the file"
            )
        return plant, key_sha256(public_key(certificate))
    key = serialization.load_pem_public_key(pem)
    if not isinstance(key, ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey):
        raise UnknownSuiteError("no crypto suite for this kind of key")
    suite_of(key)
    return key_sha256(key)


def load_private(path: Path) -> PrivateKey:
    """Read a private key (PKCS#8 PEM).

    Raises:
        KeyFileError: missing, readable by group or others, or not a usable key.
    """
    data = _read(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise KeyFileError(
            f"{path}: private key is open to others (mode {mode:04o}); run: chmod 600 {path}"
        )
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except (*UNREADABLE, UnsupportedAlgorithm) as error:
        raise KeyFileError(f"{path}: not an unencrypted PEM private key: {error}") from error
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise KeyFileError(f"{path}: key type not supported; use Ed25519 or P-256")


def write_private(path: Path, key: PrivateKey, like: Path | None = None) -> None:
    """Write a private key as PKCS#8 PEM with mode 0600; KeyFileError if the file exists.

    `like` as of `make_file`: the key that it takes the place of, say.
    """
    data = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        make_file(path, data, 0o600, like)
    except FileExistsError:
        raise KeyFileError(f"{path}: exists already; a key is never overwritten") from None


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > PEM_BYTES_MAX:
            raise KeyFileError(f"{path}: too large for a key or certificate")
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read: {error.strerror}") from error
