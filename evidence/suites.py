"""Crypto suites as a table: COSE algorithm number -> how to sign and verify with it.

To add a suite, add a row. A number that is not here is `UnknownSuiteError`: the verdict becomes
"cannot decide", never a pass and never a crash. Numbers from RFC 9864 (-19, -9) and RFC 9053
(-8, -7; accepted when reading, never written).
"""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from evidence.ed25519_points import SMALL_ORDER, check_point
from evidence.errors import SignatureError, UnknownSuiteError

#: order of P-256's group (FIPS 186-4, D.1.2.3)
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P256_HALF = 32  # bytes of r, and of s
_ED25519_HALF = 32  # bytes of R, and of S

PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey
PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Suite:
    """One signature algorithm.

    Attributes:
        alg: COSE algorithm number, stands in the protected header.
        name: for people.
        written: True when this program signs with it; False: read only.
        fits: whether a public key is of this suite.
        sign: private key, message -> signature bytes.
        verify: public key, signature, message -> None or SignatureError.
    """

    alg: int
    name: str
    written: bool
    fits: Callable[[PublicKey], bool]
    sign: Callable[[PrivateKey, bytes], bytes]
    verify: Callable[[PublicKey, bytes, bytes], None]


def _ed25519_fits(key: PublicKey) -> bool:
    return isinstance(key, ed25519.Ed25519PublicKey)


def _ed25519_sign(key: PrivateKey, message: bytes) -> bytes:
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise TypeError("an Ed25519 key is needed")
    return key.sign(message)


def _ed25519_verify(key: PublicKey, signature: bytes, message: bytes) -> None:
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise SignatureError("the key is not an Ed25519 key")
    if has_small_order_r(signature):
        raise SignatureError("the Ed25519 signature has an R of small order")
    # the library refuses S >= L, and compares R with the one encoding of S·B - h·A
    try:
        key.verify(signature, message)
    except InvalidSignature:
        raise SignatureError("Ed25519 signature does not verify") from None


def has_small_order_r(signature: bytes) -> bool:
    """True for an Ed25519 signature that shows its key: no signer makes one by chance."""
    return signature[:_ED25519_HALF] in SMALL_ORDER


def _p256_fits(key: PublicKey) -> bool:
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)


def _p256_sign(key: PrivateKey, message: bytes) -> bytes:
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("a P-256 key is needed")
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return lower(r.to_bytes(_P256_HALF, "big") + s.to_bytes(_P256_HALF, "big"))


def _p256_verify(key: PublicKey, signature: bytes, message: bytes) -> None:
    if not isinstance(key, ec.EllipticCurvePublicKey) or not _p256_fits(key):
        raise SignatureError("the key is not a P-256 key")
    if len(signature) != 64:
        raise SignatureError(f"a P-256 signature has 64 bytes, this has {len(signature)}")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise SignatureError("P-256 signature does not verify") from None


def has_two_ways(key: PublicKey) -> bool:
    """Whoever has a signature of this key can write it in another way, that verifies as well."""
    return not isinstance(key, ed25519.Ed25519PublicKey)


def other_way(signature: bytes) -> bytes:
    """A P-256 signature with n-s in place of s; what is no signature becomes none."""
    r, s = signature[:_P256_HALF], int.from_bytes(signature[_P256_HALF : 2 * _P256_HALF], "big")
    return r + (-s % _P256_ORDER).to_bytes(_P256_HALF, "big")


def lower(signature: bytes) -> bytes:
    """The one of a P-256 signature's two ways that this program writes: with the lower s."""
    return min(signature, other_way(signature))


ED25519 = Suite(-19, "Ed25519", True, _ed25519_fits, _ed25519_sign, _ed25519_verify)
ESP256 = Suite(-9, "ESP256", True, _p256_fits, _p256_sign, _p256_verify)

SUITES: dict[int, Suite] = {
    -19: ED25519,
    -9: ESP256,
    -8: Suite(-8, "EdDSA", False, _ed25519_fits, _ed25519_sign, _ed25519_verify),
    -7: Suite(-7, "ES256", False, _p256_fits, _p256_sign, _p256_verify),
}


def suite(alg: int) -> Suite:
    """The suite of a COSE algorithm number; UnknownSuiteError when this program has none."""
    try:
        return SUITES[alg]
    except KeyError:
        raise UnknownSuiteError(f"crypto suite {alg} unknown to this program") from None


def suite_of(key: PublicKey) -> Suite:
    """The suite this program signs with for a key: the one door that every key comes in by.

    Raises:
        UnknownSuiteError: there is none.
        MalformedError: an Ed25519 key that nobody can have, or under which anybody can sign.
    """
    for candidate in SUITES.values():
        if candidate.written and candidate.fits(key):
            if isinstance(key, ed25519.Ed25519PublicKey):
                check_point(key.public_bytes_raw())
            return candidate
    raise UnknownSuiteError("no crypto suite for this kind of key")
