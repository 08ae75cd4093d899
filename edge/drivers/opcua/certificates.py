"""Certificates of OPC UA: whether ours can be used, and whether a server's is to be believed.

X.509 is read with what asyncua reads it with: keys and signatures of the evidence have nothing to
do with these, which live and die with the plant's OPC UA servers. No I/O.
"""

from typing import Any

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.crypto import uacrypto
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions

from edge.drivers.opcua.credentials import (
    CredentialError,
    Credentials,
    Pair,
    read_credentials,
    thumbprint_of,
)
from edge.drivers.opcua.refusals import RefusedError, not_own, not_trusted, out_of_date
from edge.drivers.opcua.security import OpcUaSecurity

KEY_BITS = range(2048, 4097)  # of Basic256Sha256 (Part 7)


def check_credentials(security: OpcUaSecurity) -> None:
    """See that the files a device's table names can be used; CredentialError when not."""
    credentials = read_credentials(security)
    if credentials is not None:
        Secured(security, credentials)


class Secured:
    """Certificates and keys as asyncua takes them; CredentialError when they will not do."""

    def __init__(self, security: OpcUaSecurity, credentials: Credentials) -> None:
        self.security = security
        self.credentials = credentials
        self.certificate, self.key = _loaded(credentials.own, "certificate", "key")
        self.user_certificate, self.user_key = None, None
        if credentials.person is not None:
            self.user_certificate, self.user_key = _loaded(
                credentials.person, "user_certificate", "user_key"
            )
        uris = _uris(self.certificate)
        if len(uris) != 1:
            raise CredentialError(
                "certificate", f"{credentials.own.where} must name one application URI "
                f"(subjectAltName=URI:urn:…), and names {len(uris)}",
            )  # fmt: skip
        self.uri = uris[0]
        self.thumbprint = thumbprint_of(credentials.own.certificate)


def _loaded(pair: Pair, name: str, key_name: str) -> tuple[Any, Any]:
    """Certificate and key of a pair, which must belong together."""
    try:
        certificate = certificate_of(pair.certificate)
        public = certificate.public_key()
        bits = getattr(public, "key_size", 0) if hasattr(public, "encrypt") else 0
    except ValueError as error:
        raise CredentialError(name, f"{pair.where} is no certificate: {error}") from None
    if bits not in KEY_BITS:
        raise CredentialError(
            name, f"{pair.where} is not of an RSA key of {KEY_BITS[0]} to {KEY_BITS[-1]} bits, "
            "which OPC UA's Basic256Sha256 takes",
        )  # fmt: skip
    form = "pem" if pair.key.startswith(b"-----BEGIN") else "der"
    load = getattr(uacrypto.serialization, f"load_{form}_private_key")  # type: ignore[attr-defined] # its own loader is a coroutine
    try:
        key = load(pair.key, None)
    except (ValueError, TypeError):  # TypeError: encrypted
        raise CredentialError(
            key_name, f"{pair.key_where} is no private key in unencrypted PEM or DER form"
        ) from None
    if key.public_key() != public:
        raise CredentialError(key_name, f"{pair.key_where} is not the private key of {pair.where}")
    return certificate, key


def _uris(certificate: Any) -> list[str]:  # noqa: ANN401 - cryptography's
    """The application URIs a certificate was made out to (Part 6, 6.2.2)."""
    x509 = uacrypto.x509  # type: ignore[attr-defined] # it hands nothing of it on
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    found: list[str] = names.get_values_for_type(x509.UniformResourceIdentifier)
    return found


def certificate_of(der: bytes | None) -> Any:  # noqa: ANN401 - cryptography's
    """A certificate, of a chain the first; None of nothing. ValueError when it is none."""
    return uacrypto.x509_from_der(der)  # type: ignore[no-untyped-call] # asyncua


async def check_dates(certificate: Any, whose: str) -> None:  # noqa: ANN401 - cryptography's
    """RefusedError when it is not valid today, by asyncua's clock."""
    dates = CertificateValidator(CertificateValidatorOptions.TIME_RANGE)
    try:
        await dates.validate(certificate, ua.ApplicationDescription())
    except ServiceError:
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        raise out_of_date(whose, f"{begin:%Y-%m-%d}", f"{end:%Y-%m-%d}") from None


async def check_server(certificate: Any, server: Any, secured: Secured) -> None:  # noqa: ANN401 - cryptography's, asyncua's
    """RefusedError unless the certificate is trusted, valid today and the server's own."""
    if certificate is None:
        raise RefusedError("the server shows no certificate; give it one")
    thumbprint = thumbprint_of(uacrypto.der_from_x509(certificate))  # type: ignore[no-untyped-call] # asyncua
    if thumbprint not in secured.credentials.trusted:
        raise not_trusted(thumbprint, certificate.subject.rfc4514_string(), secured.security)
    await check_dates(certificate, "the server's certificate")
    uris = _uris(certificate)
    if server.ApplicationUri not in uris:
        raise not_own(server.ApplicationUri, uris)
