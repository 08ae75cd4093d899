"""`stackproof keys show`: whose a key, request or certificate is, and its key's SHA-256. Prints.

That hash is what people tell each other by another way than the file; of a private key the public
half alone is told.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evidence.broker_certificates import name_of
from evidence.certify import decode_request
from evidence.errors import KeyFileError, MalformedError, UnknownSuiteError
from evidence.key_files import public_der, read_small
from evidence.keys import Certificate, identity, key_sha256, load_certificates, public_key
from evidence.printed import printable
from evidence.public_key import load_key
from evidence.suites import PublicKey

REQUEST, CERTIFICATE = b"-----BEGIN CERTIFICATE REQUEST-----", b"-----BEGIN CERTIFICATE-----"


def add_show_command(commands: Any) -> None:
    """Add `show` to the commands of `stackproof keys`."""
    show = commands.add_parser(
        "show",
        help="whose a key, request or certificate is, until when, and its key's SHA-256",
        description="PEM files of this product: certificates and requests, also of the broker, "
        "public keys, and the public half of private ones. Who signed a certificate is not "
        "checked.",
        epilog="Exit status: 0 shown, 2 a file is none of these.",
    )
    show.add_argument("files", type=Path, nargs="+", metavar="FILE", help="what to show")
    show.set_defaults(run=_show)


def _show(args: argparse.Namespace) -> int:
    for path in args.files:
        try:
            for line in _told(path):
                print(printable(line))
        except (MalformedError, UnknownSuiteError) as error:
            raise KeyFileError(f"{path}: {error}") from error
    return 0


def _told(path: Path) -> Iterator[str]:
    data = read_small(path)
    if REQUEST in data:
        asked = decode_request(data)
        yield f"{path}: request of {asked.role} {asked.plant}/{asked.name}"
        yield _hash(asked.key)
    elif CERTIFICATE in data:
        for one in load_certificates(path):
            begins, ends = one.not_valid_before_utc, one.not_valid_after_utc
            yield f"{path}: {_whose(one)}, {begins:%Y-%m-%d} to {ends:%Y-%m-%d}"
            yield _hash(public_key(one))
    else:
        key = load_key(public_der(path))
        yield f"{path}: {'private' if b'PRIVATE KEY-----' in data else 'public'} key"
        yield _hash(key)


def _whose(certificate: Certificate) -> str:
    try:
        role, plant, name = identity(certificate)
    except MalformedError:
        return f"for the broker: {name_of(certificate)}"
    return f"root of {plant}" if role == "root" else f"{role} {plant}/{name}"


def _hash(key: PublicKey) -> str:
    return f"key SHA-256: {key_sha256(key).hex()}"
