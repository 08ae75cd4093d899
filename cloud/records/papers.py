"""The documents of one plant: who may sign, what stands, and whether one more may be taken. Pure.

What is judged counts only when it is on disk: `judge` changes nothing, `take` is called after the
commit. So a commit that fails leaves nothing to undo here.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cloud.plan.attached import CONTROL_PLAN, check_plan, check_revision
from cloud.records.media import is_of_type
from evidence import cose
from evidence.documents.certified import CERTIFIED
from evidence.documents.document import AttachedFile, Document, signed_by, unverified_document
from evidence.documents.kinds import check_document
from evidence.documents.people import People
from evidence.documents.review import COSIGNED, REVIEWS
from evidence.documents.standing import Logged, Standing, detail_of
from evidence.documents.witness import cosigned_by
from evidence.errors import LimitError, MalformedError
from evidence.keys import key_sha256
from evidence.log import Entry, Kind
from evidence.suites import PublicKey

#: of all files of one document together
FILES_BYTES_MAX = 48 * 1024 * 1024
#: documents a plant may log in any `WINDOW_NS`: an archive's piece of the log holds 20,000
DOCUMENTS_MAX, WINDOW_NS = 18_000, 92 * 86_400 * 10**9


@dataclass(frozen=True)
class Offered:
    """A document as it came, its files held to what it says of them.

    Attributes:
        data: the document.
        sha256: of it.
        files: SHA-256 -> bytes of each file that it names.
    """

    data: bytes
    sha256: bytes
    files: Mapping[bytes, bytes] = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes of all."""
        return len(self.data) + sum(map(len, self.files.values()))


@dataclass(frozen=True)
class Judged:
    """A document that may be taken.

    Attributes:
        offered: as it came.
        logged: its place.
        entry: for the log.
        people: who may sign after it.
    """

    offered: Offered
    logged: Logged
    entry: Entry
    people: People


def offer(data: bytes, files: Sequence[bytes]) -> Offered:
    """Hold files to the document that names them; nothing is known of its signer yet.

    Raises:
        MalformedError, UnsupportedError: no document, a file too many or too few, or not of its
            type.
        LimitError: together larger than `FILES_BYTES_MAX`.
    """
    if sum(map(len, files)) > FILES_BYTES_MAX:
        raise LimitError(f"the files of a document have at most {FILES_BYTES_MAX} bytes together")
    document = unverified_document(data)
    named = document.files
    given = {hashlib.sha256(held).digest(): held for held in files}
    for file in named:
        _check(file, given.get(file.sha256))
    if given.keys() - {file.sha256 for file in named}:
        raise MalformedError("a file was sent that the document does not name")
    check_document(document)
    check_plan(document, given)
    return Offered(data, hashlib.sha256(data).digest(), given)


def _check(file: AttachedFile, held: bytes | None) -> None:
    if held is None:
        raise MalformedError(f"its file {file.name!r} was not sent with it, or was changed")
    if len(held) != file.size:
        raise MalformedError(f"its file {file.name!r} has {len(held)} bytes, not {file.size}")
    if not is_of_type(held, file.media_type):
        raise MalformedError(f"its file {file.name!r} is not of type {file.media_type}")


class Papers:
    """The documents of a plant so far.

    Args:
        plant: plant id.
        collectors: keys that the collector has, or had.
        root: hash of the plant's root key; b"" where nobody asks who vouches for persons.

    Attributes:
        people: who may sign.
        standing: what stands.
        root: as given.
    """

    def __init__(self, plant: str, collectors: Sequence[PublicKey], root: bytes = b"") -> None:
        self.people, self.standing = People(plant, tuple(collectors)), Standing()
        self.root = root
        self._all: list[Logged] = []
        self._of_kind: dict[str, list[Logged]] = {}
        self._with_file: dict[bytes, list[bytes]] = {}
        self._reviews: list[Logged] = []

    def all(self) -> Iterator[Logged]:
        """Every document, in the log's order; more may be taken meanwhile."""
        return iter(self._all[:])

    def reviews(self) -> list[Logged]:
        """Questions, answers and decisions about months, in the log's order."""
        return self._reviews[:]

    def of_kind(self, kind: str) -> Iterator[Logged]:
        """Every document of a kind, in the log's order; more may be taken meanwhile."""
        return iter(self._of_kind.get(kind, [])[:])

    def since(self, index: int) -> list[Logged]:
        """Documents from a log index on, in the log's order."""
        return self._all[bisect_left(self._all, index, key=lambda one: one.index) :]

    def with_file(self, sha256: bytes) -> list[bytes]:
        """SHA-256 of the documents that have this file, in the log's order."""
        return self._with_file.get(sha256, [])[:]

    def held(self, offered: Offered) -> Logged | None:
        """A document that was taken already; it is no other where its signature is written anew."""
        other = cose.rewritten_sha256(cose.parse(offered.data))
        return self.standing.get(offered.sha256) or self.standing.get(other)

    def judge(self, offered: Offered, index: int, received_ns: int) -> Judged:
        """Whether a document that is not held may be taken now.

        Args:
            offered: it.
            index: of the next log entry.
            received_ns: of it.

        Raises:
            EvidenceError: it may not; the sentence says why.
        """
        since = bisect_left(self._all, received_ns - WINDOW_NS, key=lambda one: one.received_ns)
        if len(self._all) - since >= DOCUMENTS_MAX:
            raise LimitError(
                f"a plant logs at most {DOCUMENTS_MAX} documents in {WINDOW_NS // 86_400 // 10**9} "
                "days: no archive of a month could hold more"
            )
        judged = self._judge(offered, index, received_ns)
        document = judged.logged.document
        former = self.standing[document.follows[0]].document if document.follows else None
        check_revision(document, former, self._plan_of(document.about))
        return judged

    def _plan_of(self, year: str) -> Document | None:
        """The control plan of a year that stands."""
        plans = self.of_kind(CONTROL_PLAN)
        standing = (one.document for one in plans if self.standing.ended_by(one.sha256) is None)
        return next((document for document in standing if document.about == year), None)

    def _judge(self, offered: Offered, index: int, received_ns: int) -> Judged:
        document, signer = self.people.read(offered.data)
        if document.kind == COSIGNED and signer is not None:
            cosigned_by(document, signer.key, self.people.collectors)
        logged = Logged(index, received_ns, offered.sha256, document, signer)
        self.standing.check(logged)
        people = replace(
            self.people, active=dict(self.people.active), ended=dict(self.people.ended)
        )
        if document.kind == CERTIFIED:
            people.vouched = self.people.vouched.copy()
        people.take(document, offered.sha256)
        by = self._collector(offered.data) if signer is None else signer.key_sha256
        entry = Entry(
            kind=Kind.RECORD,
            received_ns=received_ns,
            epoch=0,
            stream="",
            seq=None,
            sha256=offered.sha256,
            length=len(offered.data),
            certificate=by,
            detail=detail_of(document),
        )
        return Judged(offered, logged, entry, people)

    def take(self, judged: Judged) -> None:
        """A judged document is on disk and in the log."""
        logged = judged.logged
        self.standing.take(logged)
        self.people = judged.people
        for file in logged.document.files:
            self._with_file.setdefault(file.sha256, []).append(logged.sha256)
        self._of_kind.setdefault(logged.document.kind, []).append(logged)
        self._all.append(logged)
        if logged.document.kind in REVIEWS:
            self._reviews.append(logged)

    def replay(self, index: int, entry: Entry, data: bytes) -> None:
        """Take a document again that the log has.

        Raises:
            EvidenceError: this program would not have taken it, or not so.
        """
        judged = self._judge(Offered(data, entry.sha256, {}), index, entry.received_ns)
        if replace(judged.entry, epoch=entry.epoch) != entry:
            raise MalformedError("the log says something else of it than it says itself")
        self.take(judged)

    def _collector(self, data: bytes) -> bytes:
        """Hash of the collector's key that a document names."""
        _, kid = signed_by(data)
        return next(h for h in map(key_sha256, self.people.collectors) if h.startswith(kid))
