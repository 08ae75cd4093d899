"""Visit of one plant's log: hold it against what was kept, cosign it, keep it, send it."""

import base64
from dataclasses import dataclass
from typing import Protocol

from evidence.checkpoint import verify_any
from evidence.documents.document import Document, encode_document
from evidence.documents.review import COSIGNED, LOG
from evidence.documents.witness import check_continues, cosigned_note
from evidence.errors import EvidenceError, MalformedError
from evidence.keys import Signer
from witness.config import Watched
from witness.errors import ForkError, NotAskedError
from witness.notebook import Notebook


class Asked(Protocol):
    """A collector that answers."""

    def checkpoint(self, plant: str) -> str:
        """The newest signed note."""

    def consistency(self, plant: str, old: int, new: int) -> list[bytes]:
        """The proof that a log continues another."""

    def log(self, plant: str, document: str) -> int:
        """Log a signed document; the index of its entry."""


@dataclass(frozen=True)
class Visited:
    """Outcome of one visit.

    Attributes:
        plant: whose log.
        before: size of the log that was kept last, None at the first visit.
        size: of the log now.
        logged: index of the log's entry about it, None where it was not sent.
    """

    plant: str
    before: int | None
    size: int
    logged: int | None


def visit(
    plant: str, watched: Watched, *, asked: Asked, notebook: Notebook, signer: Signer, now_s: int
) -> Visited:
    """Cosign a plant's log if it continues what was kept; keep the note before it is sent.

    Raises:
        ForkError: it does not continue it; the note that shows this is kept beside.
        NotAskedError: the collector does not answer, says no, or shows another log than this.
        KeyFileError: the notes kept cannot be read or written.
    """
    kept = notebook.last(watched.keys)
    note = asked.checkpoint(plant)
    try:
        seen = verify_any(note, watched.keys)
        if seen.plant != plant:
            raise MalformedError(f"it is of the log of {seen.plant}")
    except EvidenceError as error:
        raise NotAskedError(
            f"what {watched.url} shows is no checkpoint of this collector: {error}. If it "
            "changed its key, add the new one to keys"
        ) from error
    path = list[bytes]()
    if kept is not None and 0 < kept.size < seen.size:
        path = asked.consistency(plant, kept.size, seen.size)
    try:
        check_continues(kept, seen, path)
    except MalformedError as error:
        notebook.refuse(note)
        raise ForkError(
            f"FORK at {watched.url}: {error}. Not cosigned. Keep {notebook.notes} and "
            f"{notebook.refused}: they are the proof"
        ) from error
    signed = cosigned_note(note, watched.keys, watched.person, now_s, signer)
    notebook.keep(signed)
    logged = None
    if watched.is_sent:
        body = {"checkpoint": signed}
        document = Document(plant, watched.person, now_s, COSIGNED, LOG, body)
        logged = _logged(asked, plant, encode_document(document, signer))
    return Visited(plant, None if kept is None else kept.size, seen.size, logged)


def _logged(asked: Asked, plant: str, document: bytes) -> int:
    try:
        return asked.log(plant, base64.b64encode(document).decode())
    except NotAskedError as error:
        raise NotAskedError(f"cosigned and kept, but not logged there: {error}") from error
