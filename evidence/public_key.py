"""Reads a public key from its SubjectPublicKeyInfo (RFC 5280 §4.1.2.7)."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from evidence.errors import MalformedError
from evidence.keys import UNREADABLE
from evidence.suites import PublicKey


def from_spki(data: bytes) -> PublicKey:
    """The key that `spki` has written; MalformedError for anything else."""
    try:
        key = serialization.load_der_public_key(data)
    except (*UNREADABLE, UnsupportedAlgorithm) as error:
        raise MalformedError(f"no public key: {error}") from error
    if not isinstance(key, ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey):
        raise MalformedError("a public key of a kind that signs no evidence")
    return key
