"""A private key that never leaves its token: PKCS#11, named by an RFC 7512 URI.

The only file that imports python-pkcs11 (extra `hsm`). Ed25519 and P-256 keys; the token must hold
the public key beside the private one, both with the label the URI names. The PIN comes from a file
that only its owner can read, never from the URI.
"""

import stat
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from evidence.errors import KeyFileError, MalformedError, TokenAwayError
from evidence.keys import key_id
from evidence.suites import PublicKey, lower, suite_of

PIN_BYTES_MAX = 256
_PATH_NAMES = frozenset({"token", "object"})
_P256_OID = bytes.fromhex("06082a8648ce3d030107")  # OBJECT IDENTIFIER 1.2.840.10045.3.1.7, in DER
#: the package starts a module without asking it to lock: one call at a time in the whole process
_ONE_CALL = threading.Lock()
_QUERY_NAMES = frozenset({"module-path", "pin-source"})


@dataclass(frozen=True)
class TokenKey:
    """Where a key is.

    Attributes:
        token: label of the token.
        label: label of the key pair in it.
        module: the vendor's PKCS#11 library.
        pin: file that holds the PIN, None for a token without one.
    """

    token: str
    label: str
    module: Path
    pin: Path | None


def parse_uri(reference: str, folder: Path) -> TokenKey:
    """Take a `pkcs11:` URI apart.

    Args:
        reference: `pkcs11:token=T;object=O?module-path=/…/lib.so&pin-source=file:pin`.
        folder: relative paths start there.

    Raises:
        KeyFileError: a part is missing, unknown, or holds a PIN in clear.
    """
    path, _, query = reference.removeprefix("pkcs11:").partition("?")
    named = _attributes(reference, path, ";", _PATH_NAMES)
    asked = _attributes(reference, query, "&", _QUERY_NAMES)
    for name in sorted(_PATH_NAMES - named.keys()) + sorted({"module-path"} - asked.keys()):
        raise KeyFileError(f"{reference}: {name}= is missing")
    pin = asked.get("pin-source")
    if pin is not None and not pin.startswith("file:"):
        # what stands there may be the PIN itself: it is not repeated
        raise KeyFileError("a pkcs11: reference: pin-source must be file:PATH")
    return TokenKey(
        named["token"],
        named["object"],
        folder / asked["module-path"],
        None if pin is None else folder / pin.removeprefix("file:"),
    )


def _attributes(reference: str, text: str, separator: str, known: frozenset[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, text.split(separator)):
        name, equals, value = part.partition("=")
        if name == "pin-value":
            # the PIN itself must not be repeated in an error or a log
            raise KeyFileError(
                "a pkcs11: reference must not hold the PIN; use pin-source=file:PATH"
            )
        if name not in known or not equals or not value or name in found:
            names = " ".join(sorted(known))
            raise KeyFileError(f"{reference}: {name!r} is not understood here; known once: {names}")
        found[name] = unquote(value)
    return found


class Pkcs11Signer:
    """Signs with a key in a token; safe from any thread."""

    def __init__(self, where: TokenKey) -> None:
        """Open the token and find the key.

        Raises:
            KeyFileError: the package, module, token, PIN or key is missing or refused.
        """
        try:
            import pkcs11
        except ImportError as error:
            sentence = "keys in a token need python-pkcs11: pip install 'stackproof[hsm]'"
            raise KeyFileError(sentence) from error
        self._pkcs11, self._where = pkcs11, where
        # everything else that a module says may be over later; each says something else for that
        self._refusals = (
            pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange, pkcs11.PinLocked,
            pkcs11.PinExpired, pkcs11.UserPinNotInitialized, pkcs11.NoSuchKey,
            pkcs11.MultipleObjectsReturned, pkcs11.MultipleTokensReturned,
        )  # fmt: skip
        with _ONE_CALL:
            try:
                self._private = self._open()
            except TokenAwayError:
                self._private = self._open_again()
            self._public = self._read_public()
        try:
            self._suite = suite_of(self._public)
        except MalformedError as error:
            raise self._refused("has a public key that is none", error) from error

    @property
    def alg(self) -> int:
        """COSE algorithm number."""
        return self._suite.alg

    @property
    def kid(self) -> bytes:
        """Key id, 8 bytes."""
        return key_id(self._public)

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """Signature over the message.

        A token that was unplugged and put back has lost its session: it is opened once more, and
        if that fails the module begins anew, as some see a token again only then. (Whoever else
        uses it has lost their sessions by that, and opens them once more likewise.)

        Raises:
            TokenAwayError: the token is not there.
            KeyFileError: the token does not sign.
        """
        with _ONE_CALL:
            try:
                return self._sign(message)
            except self._pkcs11.PKCS11Error:
                self._private = self._open_again()
            try:
                return self._sign(message)
            except self._pkcs11.PKCS11Error as error:
                raise self._refused("does not sign", error) from error

    def _sign(self, message: bytes) -> bytes:
        mechanism = self._pkcs11.Mechanism
        if isinstance(self._public, ed25519.Ed25519PublicKey):
            return bytes(self._private.sign(message, mechanism=mechanism.EDDSA))
        digest = hashes.Hash(hashes.SHA256())
        digest.update(message)
        # raw ECDSA over the digest: r and s, 32 bytes each, as COSE has them
        return lower(bytes(self._private.sign(digest.finalize(), mechanism=mechanism.ECDSA)))

    def _open_again(self) -> Any:
        try:
            return self._open()
        except KeyFileError as refused:
            try:
                self._pkcs11.lib(str(self._where.module)).reinitialize()
            except (self._pkcs11.PKCS11Error, RuntimeError):
                raise refused from None
        return self._open()

    def _open(self) -> Any:
        where, library = self._where, self._pkcs11
        try:
            token = library.lib(str(where.module)).get_token(token_label=where.token)
            try:
                pin = None if where.pin is None else _read_pin(where.pin)
                self._session = token.open(user_pin=pin)
            except library.UserAlreadyLoggedIn:  # by another signer of this process
                self._session = token.open()
            return self._session.get_key(
                object_class=library.ObjectClass.PRIVATE_KEY, label=where.label
            )
        except self._refusals as error:
            raise self._refused("cannot be used", error) from error
        except library.PKCS11Error as error:
            raise TokenAwayError(str(self._refused("is not there", error))) from error
        except RuntimeError as error:  # the module cannot be loaded
            raise self._refused("cannot be used", error) from error

    def _read_public(self) -> PublicKey:
        library = self._pkcs11
        try:
            found = self._session.get_key(
                object_class=library.ObjectClass.PUBLIC_KEY, label=self._where.label
            )
            kind, point = found.key_type, bytes(found[library.Attribute.EC_POINT])
            curve = bytes(found[library.Attribute.EC_PARAMS])
        except (library.PKCS11Error, AttributeError, KeyError) as error:
            raise self._refused("has no usable public key", error) from error
        try:
            if kind == library.KeyType.EC_EDWARDS:
                return ed25519.Ed25519PublicKey.from_public_bytes(_unwrapped(point))
            if kind == library.KeyType.EC and curve == _P256_OID:
                curve_point = _unwrapped(point)
                return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), curve_point)
        except ValueError as error:
            raise self._refused("has a public key that is none", error) from error
        raise KeyFileError(f"{self._name}: use an Ed25519 or P-256 key")

    @property
    def _name(self) -> str:
        return f"key {self._where.label!r} of token {self._where.token!r}"

    def _refused(self, what: str, error: Exception) -> KeyFileError:
        said = f"{type(error).__name__} {error}".strip()
        return KeyFileError(f"{self._name} {what}: {said} (module {self._where.module})")


def _unwrapped(point: bytes) -> bytes:
    """A public point without the OCTET STRING that PKCS#11 puts around it (some tokens do not)."""
    wrapped = len(point) > 2 and point[0] == 0x04 and point[1] == len(point) - 2
    return point[2:] if wrapped else point


def _read_pin(path: Path) -> str:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        data = path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"{path}: PIN cannot be read: {error.strerror}") from error
    if mode & 0o077:
        raise KeyFileError(
            f"{path}: PIN is open to others (mode {mode:04o}); run: chmod 600 {path}"
        )
    pin = data.strip()
    if not 1 <= len(pin) <= PIN_BYTES_MAX or not pin.isascii():
        raise KeyFileError(f"{path}: holds no PIN")
    return pin.decode("ascii")
