"""A checkpoint that a person from outside the works has cosigned, in a document. Pure.

The person has seen the log of that size, and found that it continues what was seen before. Who
keeps such notes elsewhere can show a log that was rewritten. RECORDS.md "Witnesses".
"""

from collections.abc import Iterable

from evidence.checkpoint import Checkpoint
from evidence.cosignature import verify_cosigned, witness_name
from evidence.documents.document import Document
from evidence.errors import MalformedError
from evidence.suites import PublicKey


def person_name(plant: str, person: str) -> str:
    """A person's name as a witness: no gateway's id has a slash."""
    return witness_name(plant, f"witness/{person}")


def cosigned_by(
    document: Document, signer: PublicKey, collectors: Iterable[PublicKey]
) -> Checkpoint:
    """What a document of kind log-cosigned says was seen.

    Args:
        document: verified.
        signer: the key that signed it.
        collectors: the collector's key and its earlier ones.

    Raises:
        MalformedError: no checkpoint of this plant.
        SignatureError: not signed by the collector, or not cosigned by the signer.
    """
    name = person_name(document.plant, document.person)
    checkpoint = verify_cosigned(document.body["checkpoint"], name, signer, collectors).checkpoint
    if checkpoint.plant != document.plant:
        raise MalformedError(f"it is of {checkpoint.plant}'s log")
    return checkpoint
