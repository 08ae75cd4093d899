"""Files that the key commands read and write: small, and never overwritten."""

import datetime as dt
import stat
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from evidence.errors import KeyFileError, MalformedError, UnknownSuiteError
from evidence.keys import (
    UNREADABLE,
    certificate_from_pem,
    key_sha256,
    load_private,
    public_key,
)
from evidence.owners import make_file
from evidence.points import NAME_ID
from evidence.public_key import load_key

FILE_BYTES_MAX = 64 * 1024
OF_A_CONTAINER = "/run/secrets"
REFERENCE = "file:PATH or pkcs11:URI"


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet; KeyFileError when it is."""
    must_not_exist(path)
    make_file(path, data)


def public_der(path: Path) -> bytes:
    """SubjectPublicKeyInfo of a PEM file's public key, or of the public half of a private key.

    Raises:
        KeyFileError: no such file, or no key that this program has a suite for.
    """
    data = read_small(path)
    try:
        is_private = b"PRIVATE KEY-----" in data
        key = load_private(path).public_key() if is_private else load_pem_public_key(data)
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        load_key(der)
    except (*UNREADABLE, UnsupportedAlgorithm, MalformedError, UnknownSuiteError) as error:
        raise KeyFileError(f"{path}: no key that can be used: {error}") from error
    return der


def witness_keys(paths: Iterable[Path]) -> frozenset[bytes]:
    """Hashes of every key and every certificate's key in PEM files of reviewers' organisations.

    Raises:
        KeyFileError: no such file, one without a key, or one with something else.
    """
    found = set[bytes]()
    for path in paths:
        blocks = read_small(path).split(b"-----BEGIN ")[1:]
        if not blocks:
            raise KeyFileError(f"{path}: no PEM key or certificate in this file")
        for block in blocks:
            pem = b"-----BEGIN " + block
            try:
                if block.startswith(b"CERTIFICATE-----"):
                    found.add(key_sha256(public_key(certificate_from_pem(pem))))
                    continue
                key = load_pem_public_key(pem)
                der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
                found.add(key_sha256(load_key(der)))
            except (*UNREADABLE, UnsupportedAlgorithm, MalformedError, UnknownSuiteError) as error:
                raise KeyFileError(
                    f"{path}: not PEM public keys or certificates that can be used: {error}"
                ) from error
    return frozenset(found)


def must_not_exist(path: Path) -> None:
    """KeyFileError when there is a file of this name."""
    if path.exists():
        raise KeyFileError(f"{path}: exists already and is not overwritten; choose another --out")


def read_small(path: Path, most: int = FILE_BYTES_MAX) -> bytes:
    """A file of at most so many bytes; KeyFileError otherwise."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > most:
        raise KeyFileError(f"{path}: more than {most} bytes")
    return data


def open_to_all(path: Path) -> str:
    """What to do where any user of this machine can read a secret, a sentence; "" elsewhere.

    A container's own secrets are its engine's, and no other user is in there.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:  # whoever reads it says so
        return ""
    if not mode & stat.S_IROTH or path.is_relative_to(OF_A_CONTAINER):
        return ""
    return f"{path} is a secret that is open to others (mode {mode:04o}); run: chmod o= {path}"


def id_of(text: str) -> str:
    """The text, if it is an id; KeyFileError otherwise."""
    if not NAME_ID.fullmatch(text):
        raise KeyFileError(f"{text!r} must match {NAME_ID.pattern}")
    return text


def now() -> dt.datetime:
    """Aware UTC."""
    return dt.datetime.now(dt.UTC)  # noqa: TID251 - a certificate starts when it is made
