"""Requests for certificates, certificates by a key that may never leave its token, whose one is.

A request is PKCS#10 (RFC 2986) with the identity that the certificate will have; its signature
shows that whoever asks holds the key. Pure.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any, NoReturn

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from evidence.errors import MalformedError
from evidence.keys import (
    UNREADABLE,
    Certificate,
    Signer,
    identity,
    is_issued_by,
    issue,
    public_key,
)
from evidence.suites import PrivateKey, PublicKey


@dataclass(frozen=True)
class Request:
    """Who asks for a certificate, and for which key.

    Attributes:
        role: "gateway" or "collector"; "root" where a plant's root certifies itself.
        plant: plant id.
        name: gateway id or collector's name.
        key: the key to certify; the asker holds its private half.
    """

    role: str
    plant: str
    name: str
    key: PublicKey


def encode_request(role: str, plant: str, name: str, signer: Signer) -> bytes:
    """A request for a certificate of the signer's key, PEM."""
    uri = x509.UniformResourceIdentifier(f"urn:stackproof:{role}:{plant}:{name}")
    subject = [
        x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, plant),
        x509.NameAttribute(x509.NameOID.COMMON_NAME, name),
    ]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    builder = builder.add_extension(x509.SubjectAlternativeName([uri]), critical=False)
    key = as_private(signer)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, algorithm).public_bytes(Encoding.PEM)


def decode_request(data: bytes) -> Request:
    """A request whose signature is that of the key it asks for.

    Raises:
        UnknownSuiteError: no suite for its key.
        MalformedError: no request, not signed by its key, or without a plant's identity.
    """
    try:
        asked = x509.load_pem_x509_csr(data)
        is_held = asked.is_signature_valid
    except (*UNREADABLE, UnsupportedAlgorithm) as error:
        raise MalformedError(f"not a PEM certificate request: {error}") from error
    if not is_held:
        raise MalformedError("the request is not signed by the key it asks for")
    return Request(*identity(asked), public_key(asked))


def certify(
    request: Request,
    root: Signer,
    certificate: Certificate | None,
    *,
    not_before: dt.datetime,
    days: int,
) -> Certificate:
    """The certificate that a request asks for, signed by the plant's root.

    Args:
        request: who asks.
        root: the root's signer.
        certificate: the root's own; None makes it, self-signed, of the signer's key.
        not_before: aware UTC start of validity.
        days: length of validity.
    """
    key = as_private(root)
    return issue(
        request.role, request.plant, request.name, request.key,
        issuer=key if certificate is None else (key, certificate), not_before=not_before, days=days,
    )  # fmt: skip


def objection_to(
    certificate: Certificate, role: str, plant: str, name: str = "", *, root: Certificate | None
) -> str:
    """Why a certificate is not the one that is asked for, "" when it is.

    Args:
        certificate: any.
        role: it must have.
        plant: it must be of.
        name: it must have; "" for any.
        root: must have issued it; None leaves that aside.

    Raises:
        MalformedError: it carries no identity of ours.
    """
    has_role, of_plant, has_name = identity(certificate)
    if (has_role, of_plant) != (role, plant) or name not in ("", has_name):
        return f"the certificate is for {has_role} {of_plant}/{has_name}"
    if root is not None and not is_issued_by(certificate, root):
        return "the plant's root did not issue this certificate"
    return ""


def as_private(signer: Signer) -> PrivateKey:
    """A signer as the certificate library takes a private key; it signs, and is not shown."""
    if isinstance(signer.public_key, ed25519.Ed25519PublicKey):
        return _HeldEd25519(signer)
    return _HeldP256(signer)


class _Held:
    """A signer in the shape in which the certificate library takes a private key: it signs."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def public_key(self) -> Any:
        """The public half."""
        return self._signer.public_key

    def _kept(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("the private key stays with its signer")

    private_bytes = private_bytes_raw = private_numbers = exchange = _kept
    __copy__ = __deepcopy__ = _kept


class _HeldEd25519(_Held, ed25519.Ed25519PrivateKey):
    def sign(self, data: Any) -> bytes:
        """Signature over the data."""
        return self._signer.sign(bytes(data))


class _HeldP256(_Held, ec.EllipticCurvePrivateKey):
    curve = ec.SECP256R1()
    key_size = 256

    def sign(self, data: Any, signature_algorithm: Any) -> bytes:
        """Signature over the data, DER; the signer hashes with SHA-256."""
        raw = self._signer.sign(bytes(data))
        return encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
