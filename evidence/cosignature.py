"""Cosignatures: a witness has seen a checkpoint and found it consistent. Pure.

C2SP tlog-cosignature v1: a line in the checkpoint's note, over the checkpoint and a time. The key's
type is 0x04 for Ed25519; P-256 keys use 0xff with the identifier "ESP256-cosignature" (C2SP leaves
0xff to its users). FORMAT.md "Checkpoint".
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from evidence.blocks import content
from evidence.checkpoint import Checkpoint, KeyType, note_key_id, parse, verify_any
from evidence.errors import MalformedError, SignatureError
from evidence.keys import Signer
from evidence.suites import PublicKey, suite_of

KEY_TYPE = KeyType(0x04, b"ESP256-cosignature")
_TIME_BYTES = 8


@dataclass(frozen=True)
class Cosigned:
    """A checkpoint that a witness has cosigned.

    Attributes:
        checkpoint: what was seen.
        at_s: when, by the witness's clock, seconds since 1970 UTC.
    """

    checkpoint: Checkpoint
    at_s: int


def witness_name(plant: str, gateway: str) -> str:
    """A gateway's name as a witness."""
    return f"stackproof/{plant}/{gateway}"


def cosign(note: str, name: str, at_s: int, signer: Signer, key: PublicKey) -> str:
    """The note with a witness's line added.

    Args:
        note: checkpoint as the log signed it; the caller has verified it.
        name: the witness's name.
        at_s: now, seconds since 1970 UTC.
        signer: holds the witness's key.
        key: its public half.

    Raises:
        MalformedError: the note is no checkpoint.
    """
    checkpoint, _ = parse(note)
    signature = signer.sign(_signed(checkpoint, at_s))
    blob = note_key_id(name, key, KEY_TYPE) + at_s.to_bytes(_TIME_BYTES, "big") + signature
    return f"{note}— {name} {base64.b64encode(blob).decode('ascii')}\n"


def verify_cosigned(
    note: str, name: str, witness: PublicKey, collectors: Iterable[PublicKey]
) -> Cosigned:
    """A checkpoint signed by its log and cosigned by a witness.

    Args:
        note: the signed note.
        name: the witness's name.
        witness: the witness's key.
        collectors: the collector's key and its earlier ones; one of them has signed the note.

    Raises:
        MalformedError: no checkpoint, or a line misformed.
        SignatureError: one of the two did not sign it.
    """
    checkpoint = verify_any(note, collectors)
    _, lines = parse(note)
    wanted = note_key_id(name, witness, KEY_TYPE)
    for line_name, blob in lines:
        if line_name == name and blob[:4] == wanted:
            if len(blob) <= 4 + _TIME_BYTES:
                raise MalformedError("cosignature line misformed")
            at_s = int.from_bytes(blob[4 : 4 + _TIME_BYTES], "big")
            signed = _signed(checkpoint, at_s)
            suite_of(witness).verify(witness, blob[4 + _TIME_BYTES :], signed)
            return Cosigned(checkpoint, at_s)
    raise SignatureError(f"checkpoint of {checkpoint.origin} has no cosignature of {name}")


def note_time_s(note: str, name: str) -> int | None:
    """When a witness of this name says it cosigned, seconds since 1970 UTC; nothing is verified.

    Raises:
        MalformedError: no checkpoint note.
    """
    for line_name, blob in parse(note)[1]:
        if line_name == name and len(blob) > 4 + _TIME_BYTES:
            return int.from_bytes(blob[4 : 4 + _TIME_BYTES], "big")
    return None


def decode_cosignature(payload: bytes) -> str:
    """The note in the payload of a cosignature object; MalformedError when it holds another."""
    fields = content(payload)
    if not isinstance(fields, dict) or set(fields) != {"checkpoint"}:
        raise MalformedError("a cosignature holds a checkpoint and nothing else")
    if not isinstance(fields["checkpoint"], str):
        raise MalformedError("a cosignature's checkpoint must be text")
    note: str = fields["checkpoint"]
    return note


def _signed(checkpoint: Checkpoint, at_s: int) -> bytes:
    return f"cosignature/v1\ntime {at_s}\n{checkpoint.body()}".encode()
