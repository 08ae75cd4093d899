"""The files that an OPC UA device's security keys name: certificates, keys, a password.

I/O: reads these files, nothing else; no OPC UA library. They are read anew at every connection, so
a certificate that was added or a password that was changed counts without a restart.
"""

import base64
import binascii
import hashlib
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge.drivers.opcua.security import OpcUaSecurity

FILE_BYTES_MAX = 64 * 1024
TRUSTED_MAX = 200  # certificates in a folder
PASSWORD_CHARACTERS_MAX = 512

_PEM = re.compile(
    rb"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----", re.ASCII
)


class CredentialError(Exception):
    """A file of a device's security keys cannot be used; the sentence says why.

    Attributes:
        key: the key of the device's table that names the file.
    """

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(sentence)
        self.key = key


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, as the files give them.

    Attributes:
        certificate: DER.
        key: PEM or DER; never shown.
        where, key_where: their files, for sentences.
    """

    certificate: bytes
    key: bytes = field(repr=False)
    where: Path
    key_where: Path


@dataclass(frozen=True)
class Credentials:
    """Who we are, and to which server we say it.

    Attributes:
        own: the certificate this client shows.
        trusted: SHA-256 thumbprint (hex) of each server certificate that will do.
        user: name to log in with; "" when not by name.
        password: its password, never shown.
        person: X.509 identity to log in with.
    """

    own: Pair
    trusted: frozenset[str]
    user: str = ""
    password: str = field(default="", repr=False)
    person: Pair | None = None


def thumbprint_of(der: bytes) -> str:
    """SHA-256 of a certificate (DER), hex."""
    return hashlib.sha256(der).hexdigest()


def read_credentials(security: OpcUaSecurity) -> Credentials | None:
    """What the files hold; None without security.

    Raises:
        CredentialError: a file is not there, not readable or not of its form.
    """
    files = security.certificate, security.key
    if files[0] is None or files[1] is None:
        return None
    person = None
    if security.user_certificate is not None and security.user_key is not None:
        person = _pair(
            {"user_certificate": security.user_certificate, "user_key": security.user_key}
        )
    return Credentials(
        own=_pair({"certificate": files[0], "key": files[1]}),
        trusted=_trusted(security),
        user=security.user,
        password=_password(security.password) if security.password is not None else "",
        person=person,
    )


def _pair(files: Mapping[str, Path]) -> Pair:
    (name, certificate), (key_name, key) = files.items()
    der = _certificate(name, certificate)
    return Pair(der, _read(key_name, key, is_secret=True), certificate, key)


def _trusted(security: OpcUaSecurity) -> frozenset[str]:
    if security.trusted is None:
        return frozenset({security.thumbprint})
    if not security.trusted.is_dir():
        return frozenset({thumbprint_of(_certificate("trust", security.trusted))})
    try:
        files = sorted(path for path in security.trusted.iterdir() if path.is_file())
    except OSError as error:
        raise CredentialError("trust", f"{security.trusted}: {error.strerror}") from None
    if len(files) > TRUSTED_MAX:
        reason = f"{security.trusted} holds {len(files)} files; {TRUSTED_MAX} at most"
        raise CredentialError("trust", reason)
    return frozenset(thumbprint_of(_certificate("trust", path)) for path in files)


def _certificate(key: str, path: Path) -> bytes:
    """A certificate's DER, from PEM or DER; of a chain the first."""
    data = _read(key, path)
    pem = _PEM.search(data)
    try:
        der = base64.b64decode(re.sub(rb"\s", b"", pem[1]), validate=True) if pem else data
    except binascii.Error:
        der = b""
    if not der.startswith(b"\x30\x82"):  # a SEQUENCE of 256 to 65,535 bytes (X.690)
        raise CredentialError(key, f"{path} is no certificate in PEM or DER form")
    return der


def _password(path: Path) -> str:
    data = _read("password", path, is_secret=True)
    try:
        password = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise CredentialError("password", f"{path} is no UTF-8 text") from None
    if not password or "\n" in password or len(password) > PASSWORD_CHARACTERS_MAX:
        reason = f"one line of 1 to {PASSWORD_CHARACTERS_MAX} characters"
        raise CredentialError("password", f"{path} must hold the password and no more: {reason}")
    return password


def _read(key: str, path: Path, *, is_secret: bool = False) -> bytes:
    try:
        status = path.stat()
        if is_secret and status.st_mode & 0o077:
            mode = stat.S_IMODE(status.st_mode)
            reason = f"{path} is open to others (mode {mode:04o}); run: chmod 600 {path}"
            raise CredentialError(key, reason)
        if status.st_size > FILE_BYTES_MAX:
            raise CredentialError(key, f"{path} has more than {FILE_BYTES_MAX} bytes")
        return path.read_bytes()
    except OSError as error:
        raise CredentialError(key, f"{path} cannot be read: {error.strerror}") from None
