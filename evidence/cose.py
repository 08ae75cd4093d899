"""COSE_Sign1 (RFC 9052 §4.2), the envelope of everything signed.

Tag 18 of [protected, {}, payload, signature]. The algorithm stands in the protected header and
must fit the key; the unprotected map is empty. Bytes are verified first and the same bytes are
parsed after: nothing is taken from an object whose signature was not checked, except the header
that says which key to check it with.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from evidence import cbor
from evidence.errors import LimitError, MalformedError, SignatureError
from evidence.keys import Signer, key_id
from evidence.suites import PublicKey, other_way, suite

OBJECT_BYTES_MAX = 1024 * 1024
#: leaves more room than any header and signature of ours take
PAYLOAD_BYTES_MAX = OBJECT_BYTES_MAX - 4096

# header labels
ALG, KID, CWT_CLAIMS, TYP = 1, 4, 15, 16
CWT_ISS, CWT_SUB, CWT_IAT = 1, 2, 6

# written and read by hand, as payloads are large: RFC 9052 §4.2 and §4.4
_TAG_18, _ARRAY_OF_4, _EMPTY_MAP = b"\xd2", b"\x84", b"\xa0"
_SIGNATURE_1 = _ARRAY_OF_4 + cbor.encode("Signature1")


@dataclass(frozen=True)
class Envelope:
    """One COSE_Sign1, parsed but not yet verified.

    Attributes:
        data: the whole object's bytes.
        protected: the protected header's bytes, as signed.
        header: the protected header, decoded.
        payload: the payload's bytes.
        signature: the signature's bytes.
    """

    data: bytes
    protected: bytes
    header: dict[int, Any]
    payload: bytes
    signature: bytes

    @property
    def alg(self) -> int:
        """COSE algorithm number."""
        return int(self.header[ALG])

    @property
    def kid(self) -> bytes:
        """Key id: the first 8 bytes of SHA-256 over the SubjectPublicKeyInfo."""
        return bytes(self.header[KID])

    @property
    def typ(self) -> str:
        """What kind of object the payload is."""
        return str(self.header[TYP])


@dataclass(frozen=True)
class Unsigned:
    """A COSE_Sign1 but for its signature: for keys that sign somewhere else, as in a browser.

    Attributes:
        protected: the protected header's bytes.
        payload: the payload's bytes.
    """

    protected: bytes
    payload: bytes

    @property
    def message(self) -> bytes:
        """What is to be signed: the Sig_structure of RFC 9052 §4.4."""
        return _to_be_signed(self.protected, self.payload)

    def signed_with(self, signature: bytes) -> bytes:
        """The whole object; LimitError when it is larger than any reader takes."""
        strings = (cbor.encode_bytes(part) for part in (self.payload, signature))
        head = [_TAG_18, _ARRAY_OF_4, cbor.encode_bytes(self.protected), _EMPTY_MAP]
        data = b"".join([*head, *strings])
        if len(data) > OBJECT_BYTES_MAX:
            raise LimitError(f"object of {len(data)} bytes; the limit is {OBJECT_BYTES_MAX}")
        return data


def sign(signer: Signer, header: dict[int, Any], payload: bytes) -> bytes:
    """A COSE_Sign1 over payload; alg and kid are filled in from the signer.

    Args:
        signer: holds the key.
        header: protected header without alg and kid; integer labels.
        payload: the bytes to sign.

    Raises:
        LimitError: the object would be larger than any reader takes.
    """
    unsigned = prepare(signer.alg, signer.kid, header, payload)
    return unsigned.signed_with(signer.sign(unsigned.message))


def prepare(alg: int, kid: bytes, header: dict[int, Any], payload: bytes) -> Unsigned:
    """What a key of this algorithm and id is to sign; `header` without alg and kid."""
    return Unsigned(cbor.encode({**header, ALG: alg, KID: kid}), payload)


def parse(data: bytes) -> Envelope:
    """Take a COSE_Sign1 apart without verifying it.

    Raises:
        MalformedError: not exactly one COSE_Sign1 of the allowed form.
        LimitError: larger than `OBJECT_BYTES_MAX`.
    """
    if len(data) > OBJECT_BYTES_MAX:
        raise LimitError(f"signed object of {len(data)} bytes; the limit is {OBJECT_BYTES_MAX}")
    if data[:1] != _TAG_18:
        raise MalformedError("not a COSE_Sign1 (tag 18 missing)")
    if data[1:2] != _ARRAY_OF_4:
        raise MalformedError("a COSE_Sign1 has four parts")
    protected, at = cbor.read_bytes(data, 2)
    if data[at : at + 1] != _EMPTY_MAP:
        raise MalformedError("the unprotected header must be empty")
    payload, at = cbor.read_bytes(data, at + 1)
    signature, at = cbor.read_bytes(data, at)
    if at != len(data):
        raise MalformedError("a COSE_Sign1 has trailing bytes")
    header = cbor.decode(protected)
    if not isinstance(header, dict):
        raise MalformedError("the protected header must be a map")
    for label, kind in ((ALG, int), (KID, bytes), (TYP, str)):
        if type(header.get(label)) is not kind:
            raise MalformedError(f"protected header label {label} missing or of the wrong type")
    if len(header[KID]) != 8:
        raise MalformedError("a key id has 8 bytes")
    return Envelope(data, protected, header, payload, signature)


def verify(envelope: Envelope, key: PublicKey) -> None:
    """Check the signature against one key.

    Raises:
        SignatureError: wrong key, wrong algorithm for the key, or altered bytes.
        UnknownSuiteError: the algorithm is not in the table.
    """
    chosen = suite(envelope.alg)
    if not chosen.fits(key):
        raise SignatureError(f"the key does not fit algorithm {chosen.name}")
    if envelope.kid != key_id(key):
        raise SignatureError("the object names another key")
    chosen.verify(key, envelope.signature, _to_be_signed(envelope.protected, envelope.payload))


def rewritten_sha256(envelope: Envelope) -> bytes:
    """SHA-256 of the object as anybody can write it without its key, if that is a P-256 key.

    It verifies as well (ADR 0085). With another key it is the hash of what verifies nowhere.
    """
    signature = envelope.signature  # the object's last bytes
    unsigned = envelope.data[: len(envelope.data) - len(signature)]
    return hashlib.sha256(unsigned + other_way(signature)).digest()


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    strings = (cbor.encode_bytes(part) for part in (protected, b"", payload))
    return b"".join([_SIGNATURE_1, *strings])
