"""Reads a public key from its SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), DER."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_der_public_key

from evidence.errors import MalformedError, UnknownSuiteError
from evidence.keys import UNREADABLE, spki
from evidence.suites import PublicKey, suite_of


def load_key(der: bytes) -> PublicKey:
    """The public key of a SubjectPublicKeyInfo.

    Raises:
        UnknownSuiteError: of a kind this program has no suite for.
        MalformedError: it cannot be read, or is in another form than the shortest.
    """
    try:
        key = load_der_public_key(der)
    except UnsupportedAlgorithm as error:
        raise UnknownSuiteError(f"no crypto suite for the key: {error}") from error
    except UNREADABLE as error:
        raise MalformedError(f"the key cannot be read: {error}") from error
    if not isinstance(key, ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey):
        raise UnknownSuiteError("no crypto suite for this kind of key")
    suite_of(key)
    if spki(key) != der:
        raise MalformedError("the key is not in the one form it has")
    return key
