"""Which documents stand: neither corrected nor withdrawn, and who else has approved them. Pure.

Nothing is ever overwritten: a correction is another document that follows the one it corrects, a
withdrawal one that follows what it ends. Four eyes: who approves must be another person than
everybody who wrote the document or one it corrects. RECORDS.md "What stands".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from evidence.documents.document import Document
from evidence.documents.kinds import shape_of
from evidence.documents.people import Person
from evidence.documents.review import ANSWER, check_followed
from evidence.errors import MalformedError

APPROVE, WITHDRAW = "approve", "withdraw"


@dataclass(frozen=True, slots=True)
class Logged:
    """A document at its place in the log.

    Attributes:
        index: of its entry.
        received_ns: when the collector took it, UTC nanoseconds by the collector's clock.
        sha256: of its bytes.
        document: what it says.
        signer: who signed it, None for the collector.
    """

    index: int
    received_ns: int
    sha256: bytes
    document: Document
    signer: Person | None


class Standing:
    """The documents of a plant so far, and what became of each."""

    def __init__(self) -> None:
        """Begin with none."""
        self._documents: dict[bytes, Logged] = {}
        self._ended: dict[bytes, bytes] = {}
        self._approved: dict[bytes, list[Logged]] = {}
        self._bits: dict[str, int] = {}  # person -> a bit of theirs
        #: of each document, bits: approvals of approvals, a hundred each, are a walk without end
        self._authors: dict[bytes, int] = {}

    def take(self, logged: Logged) -> None:
        """Take the next document of the log.

        Raises:
            MalformedError: it is here already; it follows one that is not, that stands no more, or
                that is about something else; it approves what its own signer wrote.
        """
        self.check(logged)
        for sha256 in logged.document.follows:
            if logged.document.kind == APPROVE:
                self._approved.setdefault(sha256, []).append(logged)
            elif shape_of(logged.document.kind).follows not in ("previous", "answered"):
                self._ended[sha256] = logged.sha256
        written = self._bits.setdefault(logged.document.person, 1 << len(self._bits))
        for sha256 in logged.document.follows:
            written |= self._authors[sha256]
        self._authors[logged.sha256] = written
        self._documents[logged.sha256] = logged  # last: others read meanwhile

    def check(self, logged: Logged) -> None:
        """Whether the next document could be taken; errors as for `take`, nothing is changed."""
        if logged.sha256 in self._documents:
            raise MalformedError("the log has this document twice")
        for sha256 in logged.document.follows:
            self._check(logged, sha256)

    def get(self, sha256: bytes) -> Logged | None:
        """A document that was taken, None when there is none of this hash."""
        return self._documents.get(sha256)

    def all(self) -> list[Logged]:
        """Every document that was taken, in the log's order; more may be taken meanwhile."""
        return list(self._documents.values())

    def __len__(self) -> int:
        return len(self._documents)

    def __getitem__(self, sha256: bytes) -> Logged:
        return self._documents[sha256]

    def approvals(self, sha256: bytes) -> list[Logged]:
        """Approvals of a document that stand, in the log's order; by others than its authors."""
        return [one for one in self._approved.get(sha256, ()) if one.sha256 not in self._ended]

    def authors(self, logged: Logged) -> set[str]:
        """Who wrote a document that was taken, and those it corrects."""
        written = self._authors[logged.sha256]
        return {person for person, bit in list(self._bits.items()) if written & bit}

    def ended_by(self, sha256: bytes) -> Logged | None:
        """What corrected or withdrew a document, None while it stands."""
        ended = self._ended.get(sha256)
        return None if ended is None else self._documents[ended]

    def _check(self, logged: Logged, sha256: bytes) -> None:
        document = logged.document
        followed = self._documents.get(sha256)
        if followed is None:
            raise MalformedError(f"the log has no document {sha256.hex()} before it to follow")
        if shape_of(document.kind).follows == "previous":
            return  # `People` has looked at it
        if document.about != followed.document.about:
            raise MalformedError(f"it follows a document about {followed.document.about}")
        if sha256 in self._ended:
            raise MalformedError("what it follows was corrected or withdrawn before")
        check_followed(document, followed.document)
        if document.kind == APPROVE:
            if self._authors[sha256] & self._bits.get(document.person, 0):
                raise MalformedError(f"{document.person} wrote it: another person must approve it")
        elif document.kind not in (WITHDRAW, ANSWER, followed.document.kind):
            raise MalformedError(f"a {document.kind} corrects no {followed.document.kind}")


def merged(parts: Iterable[Standing]) -> Standing:
    """What stands by the documents of one plant that several archives hold, in the log's order.

    Raises:
        MalformedError: they do not fit together: a document's predecessor is in none of them.
    """
    found = {logged.sha256: logged for part in parts for logged in part.all()}
    standing = Standing()
    for logged in sorted(found.values(), key=lambda logged: logged.index):
        standing.take(logged)
    return standing


def detail_of(document: Document) -> Mapping[str, str]:
    """What the log's record entry says of a document beside its hash."""
    return {"kind": document.kind, "about": document.about, "person": document.person}
