"""Checkpoints of a plant's log: C2SP tlog-checkpoint text signed as a C2SP signed note. Pure.

    stackproof/<plant>
    <size>
    <root, base64>

    — stackproof/<plant> <base64 of 4 bytes key hash ‖ signature>

The key's name is the log's origin line. Key hash and signature are those of the note's Ed25519
type (0x01). A log signed by a P-256 key uses type 0xff with the identifier "ESP256" (C2SP leaves
0xff to its users).
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from evidence.errors import MalformedError, SignatureError
from evidence.keys import Signer
from evidence.suites import PublicKey, suite_of

ORIGIN_PREFIX = "stackproof/"
TEXT_BYTES_MAX = 4096


@dataclass(frozen=True)
class KeyType:
    """How a kind of signature marks its keys in a note.

    Attributes:
        ed25519: type byte of Ed25519 keys.
        p256: identifier of P-256 keys behind the type byte 0xff.
    """

    ed25519: int
    p256: bytes


LOG_KEY_TYPE = KeyType(0x01, b"ESP256")


@dataclass(frozen=True)
class Checkpoint:
    """A log's size and root at one moment.

    Attributes:
        plant: whose log.
        size: entries.
        root: 32 bytes.
    """

    plant: str
    size: int
    root: bytes

    @property
    def origin(self) -> str:
        """The log's name, also the name of its key."""
        return f"{ORIGIN_PREFIX}{self.plant}"

    def body(self) -> str:
        """The signed text, with its final newline."""
        root = base64.b64encode(self.root).decode("ascii")
        return f"{self.origin}\n{self.size}\n{root}\n"


def sign(checkpoint: Checkpoint, signer: Signer, key: PublicKey) -> str:
    """The checkpoint as a note signed by the log's key.

    Args:
        checkpoint: what to sign.
        signer: holds the private key.
        key: its public half; the note's key hash is made of it.
    """
    body = checkpoint.body()
    blob = note_key_id(checkpoint.origin, key, LOG_KEY_TYPE) + signer.sign(body.encode())
    return f"{body}\n— {checkpoint.origin} {base64.b64encode(blob).decode('ascii')}\n"


def verify(text: str, key: PublicKey) -> Checkpoint:
    """Check a signed note and give its checkpoint.

    Raises:
        MalformedError: not a checkpoint note.
        SignatureError: no good signature of this key.
    """
    checkpoint, lines = parse(text)
    wanted = note_key_id(checkpoint.origin, key, LOG_KEY_TYPE)
    for name, blob in lines:
        if name == checkpoint.origin and blob[:4] == wanted:
            suite_of(key).verify(key, blob[4:], checkpoint.body().encode())
            return checkpoint
    raise SignatureError(f"checkpoint of {checkpoint.origin} has no signature of its log's key")


def verify_any(text: str, keys: Iterable[PublicKey]) -> Checkpoint:
    """As `verify`, by one of several keys: a log goes on when its collector changes its key."""
    refused = SignatureError("there is no key to check the checkpoint with")
    for key in keys:
        try:
            return verify(text, key)
        except SignatureError as error:
            refused = error
    raise refused


def parse(text: str) -> tuple[Checkpoint, list[tuple[str, bytes]]]:
    """A note taken apart, nothing verified: the checkpoint, and (name, key id ‖ rest) a line.

    Raises:
        MalformedError: not a checkpoint note.
    """
    if len(text.encode()) > TEXT_BYTES_MAX:
        raise MalformedError("checkpoint text too long")
    head, _, tail = text.partition("\n\n")
    lines = tail.split("\n")
    if lines[-1] != "":
        raise MalformedError("checkpoint note does not end with a newline")
    return _parse_body(head + "\n"), [_signature_line(line) for line in lines[:-1]]


def _parse_body(body: str) -> Checkpoint:
    lines = body.split("\n")
    if len(lines) != 4 or lines[3] != "" or not lines[0].startswith(ORIGIN_PREFIX):
        raise MalformedError("not a checkpoint of a plant's log")
    if not lines[1].isascii() or not lines[1].isdigit():
        raise MalformedError("checkpoint size is not a number")
    if len(lines[1]) > 19 or str(int(lines[1])) != lines[1]:
        raise MalformedError("checkpoint size is not in shortest form")
    root = _base64(lines[2])
    if len(root) != 32:
        raise MalformedError("checkpoint root has not 32 bytes")
    return Checkpoint(lines[0][len(ORIGIN_PREFIX) :], int(lines[1]), root)


def _signature_line(line: str) -> tuple[str, bytes]:
    """(name, key hash and signature) of one line of a note."""
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "—":
        raise MalformedError("checkpoint signature line misformed")
    blob = _base64(parts[2])
    if len(blob) < 5:
        raise MalformedError("checkpoint signature line misformed")
    return parts[1], blob


def _base64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError("checkpoint holds bad base64") from error
    if base64.b64encode(data).decode("ascii") != text:
        raise MalformedError("checkpoint base64 is not canonical")
    return data


def note_key_id(name: str, key: PublicKey, key_type: KeyType) -> bytes:
    """The 4 bytes that find a key among a note's lines (C2SP signed-note)."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        material = bytes([key_type.ed25519]) + raw
    else:
        spki = key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        material = b"\xff" + key_type.p256 + spki
    return hashlib.sha256(name.encode() + b"\n" + material).digest()[:4]
