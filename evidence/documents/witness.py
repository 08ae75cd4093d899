"""A witness from outside the works: holds a log against what was seen before, and cosigns. Pure.

A log that went back, or that forked since, is found by whoever keeps the last note. A cosigned note
goes to the log in a document of kind log-cosigned. RECORDS.md "Witnesses".
"""

from collections.abc import Iterable, Sequence

from evidence import merkle
from evidence.checkpoint import Checkpoint, verify_any
from evidence.cosignature import Cosigned, cosign, verify_cosigned, witness_name
from evidence.documents.document import Document
from evidence.errors import MalformedError
from evidence.keys import Signer
from evidence.suites import PublicKey


def person_name(plant: str, person: str) -> str:
    """A person's name as a witness: no gateway's id has a slash."""
    return witness_name(plant, f"witness/{person}")


def cosigned_by(document: Document, signer: PublicKey, collectors: Iterable[PublicKey]) -> Cosigned:
    """Checkpoint and time that a document of kind log-cosigned names.

    Args:
        document: verified.
        signer: the key that signed it.
        collectors: the collector's key and its earlier ones.

    Raises:
        MalformedError: no checkpoint of this plant.
        SignatureError: not signed by the collector, or not cosigned by the signer.
    """
    name = person_name(document.plant, document.person)
    seen = verify_cosigned(document.body["checkpoint"], name, signer, collectors)
    if seen.checkpoint.plant != document.plant:
        raise MalformedError(f"it is of {seen.checkpoint.plant}'s log")
    return seen


def check_continues(kept: Checkpoint | None, new: Checkpoint, path: Sequence[bytes]) -> None:
    """Hold a log against what was seen of it before.

    Args:
        kept: what was seen last, None before the first.
        new: what the collector shows now.
        path: its proof that the first continues to the second (RFC 6962 §2.1.2).

    Raises:
        MalformedError: it does not: keep both notes, they are the proof.
    """
    if kept is None or kept.size == 0:
        return
    if kept.plant != new.plant:
        raise MalformedError(f"the kept note is of {kept.plant}'s log, not of {new.plant}'s")
    if new.size < kept.size:
        raise MalformedError(
            f"the log has {new.size} entries, and had {kept.size} before: it went back"
        )
    if not merkle.is_consistent(kept.size, kept.root, new.size, new.root, path):
        raise MalformedError(
            f"the log of {new.size} entries does not continue the one of {kept.size} that was "
            "seen before"
        )


def cosigned_note(
    note: str, collectors: Iterable[PublicKey], person: str, at_s: int, signer: Signer
) -> str:
    """The note with the person's line; SignatureError, MalformedError when it is not the log's.

    Args:
        note: the checkpoint as the collector gave it.
        collectors: keys of the collector that the witness believes.
        person: account id of the witness.
        at_s: now, seconds since 1970 UTC.
        signer: holds the person's key.
    """
    plant = verify_any(note, collectors).plant
    return cosign(note, person_name(plant, person), at_s, signer, signer.public_key)
