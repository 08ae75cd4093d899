"""Certificates and keys of OPC UA applications, made for a test (Part 6, 6.2.2)."""

import datetime as dt
import functools
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CLIENT_URI = "urn:stackproof:test:edge-1"
SERVER_URI = "urn:stackproof:test:server"

_TODAY = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True)
class Made:
    """A certificate and its key as files, in both forms."""

    pem: Path
    der: Path
    key: Path
    key_der: Path

    @property
    def thumbprint(self) -> str:
        """SHA-256 of the certificate, hex."""
        return (
            x509.load_der_x509_certificate(self.der.read_bytes()).fingerprint(hashes.SHA256()).hex()
        )


@functools.cache
def _key(number: int, bits: int) -> rsa.RSAPrivateKey:
    """RSA keys take a while to make: one for each number serves the whole run."""
    return rsa.generate_private_key(65537, bits)


def make(
    folder: Path,
    name: str,
    uri: str | None,
    *,
    number: int = 0,
    bits: int = 2048,
    days: tuple[int, int] = (-1, 300),
) -> Made:
    """A self-signed application certificate.

    Args:
        folder: where the files go.
        name: their name, and the common name.
        uri: the application URI it is made out to.
        number: which key; the same number is the same key.
        bits: its size.
        days: first and last day of its validity, counted from today.
    """
    key = _key(number, bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    if uri is not None:
        names.insert(0, x509.UniformResourceIdentifier(uri))
    usage = dict.fromkeys(
        ("key_agreement", "crl_sign", "encipher_only", "decipher_only"), False
    ) | dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
         "key_cert_sign"), True,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_TODAY + dt.timedelta(days=days[0]))
        .not_valid_after(_TODAY + dt.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            critical=False,
        )
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    made = Made(*(folder / f"{name}.{end}" for end in ("pem", "der", "key.pem", "key.der")))
    made.pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    made.der.write_bytes(certificate.public_bytes(serialization.Encoding.DER))
    for path, form in ((made.key, serialization.Encoding.PEM),
                       (made.key_der, serialization.Encoding.DER)):  # fmt: skip
        path.touch(mode=0o600)
        path.write_bytes(
            key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
    return made


def secret_file(path: Path, text: str) -> Path:
    """A file only its owner may read."""
    path.touch(mode=0o600)
    path.write_text(text)
    return path
