"""Documents of the running collector's plants: taken in, given out. The I/O of this room.

Files are written and synced in the caller's thread; a document is judged and logged on the
collector's, in its turn, and acknowledged after the sync. What is read is read in the caller's.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from cloud.collector.intake import Intake
from cloud.collector.service import Collector
from cloud.errors import StoreError
from cloud.records.findings import READ_S, PdfShelf, findings
from cloud.records.laboratory import Laboratory, laboratory_of
from cloud.records.listing import Filter
from cloud.records.papers import Offered, Papers, offer
from cloud.records.persons import list_laid, person_rows, told_of
from cloud.records.replay import papers_of
from cloud.records.rows import in_brief, row, state_of
from cloud.records.written import body_of_written
from evidence import cose
from evidence.documents.certified import CERTIFIED, PERSONS, decode_list
from evidence.documents.document import (
    COLLECTOR,
    AttachedFile,
    Document,
    encode_document,
    unsigned_document,
)
from evidence.documents.kinds import check_document
from evidence.documents.observed.stories import Stories, stories_of
from evidence.documents.people import PERSON, PERSON_END
from evidence.documents.plainly import body_of
from evidence.documents.standing import Logged
from evidence.errors import MalformedError
from evidence.keys import Signer, spki
from evidence.public_key import load_key

#: left free for readings: files must never be why a frame is not taken
FREE_BYTES_MIN = 1024 * 1024 * 1024


@dataclass(frozen=True)
class Wanted:
    """What a person is about to sign.

    Attributes:
        person: account id.
        key: SHA-256 of the key the person will sign with.
        kind, about: as in the document.
        body: as `evidence.documents.plainly.body_of` takes it, or as `body_of_written` does where
            there is a zone.
        follows, files: as in the document.
        zone: of the plant, where the body is as people write it.
    """

    person: str
    key: bytes
    kind: str
    about: str
    body: Mapping[str, Any]
    follows: tuple[bytes, ...] = ()
    files: tuple[AttachedFile, ...] = ()
    zone: ZoneInfo | None = None

    def signed_body(self) -> dict[str, Any]:
        """The body as it is signed."""
        if self.zone is None:
            return body_of(self.kind, self.body)
        return body_of_written(self.kind, self.body, self.zone)


class RecordDesk:
    """Takes documents in and gives them out. LookupError for a plant that is not of this collector.

    Args:
        collector: it runs, or will.
        intake: its plants.
        signer: the collector's key.
    """

    def __init__(self, collector: Collector, intake: Intake, signer: Signer) -> None:
        self._collector, self._intake, self._signer = collector, intake, signer
        self._known: dict[str, Papers] = {}
        self._amiss: dict[str, str] = {}
        self._shelf = PdfShelf()
        self._stories_of: dict[str, tuple[int, Stories]] = {}

    def load(self) -> list[tuple[str, str]]:
        """Read every plant's documents; before the collector starts. Blocking disk I/O.

        Returns:
            (plant, sentence) of each whose documents cannot be gone on with; its readings can.
        """
        for plant in self._intake.plants:
            enrolled = self._intake.plants.require(plant)
            try:
                self._known[plant] = papers_of(
                    enrolled.store.reader, enrolled.keyring.collectors,
                    root=enrolled.identity.root.fingerprint,
                )  # fmt: skip
            except (StoreError, OSError) as error:
                self._amiss[plant] = f"plant {plant}: documents are NOT taken: {error}"
        return list(self._amiss.items())

    # -- taking in: the event loop's thread -------------------------------------------------------

    async def take(self, plant: str, data: bytes, files: Sequence[bytes]) -> Mapping[str, Any]:
        """Take a document with its files; JSON-ready, its row. The same again is the same answer.

        Raises:
            LookupError: no such plant.
            EvidenceError: it is refused; the sentence says why.
            StoreError: the disk refuses, is too full, or disagrees.
        """
        self.papers(plant)
        offered = await asyncio.to_thread(offer, data, files)
        laid = await asyncio.to_thread(self._laid, plant, offered)
        try:
            future = self._collector.submit(lambda: self._taken(plant, offered, laid))
        except StoreError:  # the collector is stopping
            self._unlay(plant, laid)
            raise
        future.add_done_callback(lambda _: self._unlay(plant, laid))
        return await asyncio.wrap_future(future)

    def _laid(self, plant: str, offered: Offered) -> frozenset[bytes]:
        """Its files on disk, before the collector's thread has anything to do with them."""
        papers, enrolled = self.papers(plant), self._intake.plants.require(plant)
        if not offered.files or papers.held(offered) is not None:
            return frozenset()
        papers.judge(offered, enrolled.store.state.size, enrolled.received_ns())
        self._require_room(plant, offered.size)
        return enrolled.store.lay_files(offered.files)

    def _unlay(self, plant: str, laid: frozenset[bytes]) -> None:
        """Remove files that no document has; what stays of them costs room alone."""
        store = self._intake.store.plants.get(plant)
        if laid and store is not None:
            store.unlay(laid)

    async def enrol(
        self, plant: str, person: str, body: Mapping[str, Any], signed_s: int
    ) -> Mapping[str, Any]:
        """Enrol a person in the collector's own name: the first of a plant. Errors as for `take`.

        Args:
            plant: plant id.
            person: its account id.
            body: of the document, as `body_of` takes it.
            signed_s: now, seconds since 1970.
        """
        made = body_of(PERSON, body)
        return await self.sign(plant, PERSON, person, made, signed_s)

    async def certify(self, plant: str, by: bytes, data: bytes, signed_s: int) -> Mapping[str, Any]:
        """Lay a list in the log by which somebody vouches for persons; as `told_of` and `take`.

        Args:
            plant: plant id.
            by: SubjectPublicKeyInfo of the key that signed it; b"" for the plant's root.
            data: the list.
            signed_s: now, seconds since 1970.
        """
        enrolled = self._intake.plants.require(plant)
        key = load_key(by) if by else enrolled.identity.root.key
        decode_list(data, key)
        if list_laid(self.papers(plant), key, data) is None:
            await self.sign(plant, CERTIFIED, PERSONS, {"by": spki(key), "list": data}, signed_s)
        return told_of(self.papers(plant), key, data, enrolled.received_ns())

    async def sign(
        self, plant: str, kind: str, about: str, body: Mapping[str, Any], signed_s: int
    ) -> Mapping[str, Any]:
        """Write something down in the collector's own name. Errors as for `take`.

        Args:
            plant: plant id.
            kind: of the document: one that the collector signs.
            about: of it.
            body: of it, as it is signed.
            signed_s: now, seconds since 1970.
        """
        self.papers(plant)

        def work() -> Mapping[str, Any]:
            head = self.papers(plant).people.head if kind == PERSON else None
            follows = () if head is None else (head,)
            document = Document(plant, COLLECTOR, signed_s, kind, about, body, follows)
            check_document(document)
            return self._taken(
                plant, offer(encode_document(document, self._signer), ()), frozenset()
            )

        return await asyncio.wrap_future(self._collector.submit(work))

    def _taken(self, plant: str, offered: Offered, laid: frozenset[bytes]) -> Mapping[str, Any]:
        """On the collector's thread."""
        papers = self.papers(plant)
        held = papers.held(offered)
        if held is not None:
            return row(papers, held)
        self._intake.watch.require_clock()
        enrolled = self._intake.plants.require(plant)
        store = enrolled.store
        judged = papers.judge(offered, store.state.size, enrolled.received_ns())
        self._require_room(plant, len(offered.data))
        stage: Any = store.stage_record  # what it laid itself
        stage(judged.entry, offered.data, laid)
        self._collector.commit_for(plant)
        papers.take(judged)
        return row(papers, judged.logged)

    def _require_room(self, plant: str, size: int) -> None:
        try:
            free = self._intake.store.free_bytes(plant)
        except OSError as error:
            raise StoreError(f"plant {plant}: evidence cannot be written: {error}") from error
        if free is not None and free - size < FREE_BYTES_MIN:
            raise StoreError(
                f"plant {plant}: the document is not taken: {free} bytes are free on the disk, and "
                f"{FREE_BYTES_MIN} are kept for readings; make room and send it again"
            )

    # -- giving out: any thread -------------------------------------------------------------------

    def prepare(self, plant: str, wanted: Wanted, signed_s: int) -> cose.Unsigned:
        """The document for a key that signs elsewhere; errors as for `take`."""
        people = self.papers(plant).people
        person = people.active.get(wanted.key)
        if person is None or person.id != wanted.person:
            raise MalformedError(f"{wanted.person} has no such key in the list of persons")
        body, follows = wanted.signed_body(), wanted.follows
        if wanted.kind in (PERSON, PERSON_END) and people.head is not None:
            follows = follows or (people.head,)
        document = Document(
            plant, wanted.person, signed_s, wanted.kind, wanted.about, body, follows, wanted.files
        )
        check_document(document)
        return unsigned_document(document, person.key)

    def laboratory(self, plant: str, person: str) -> Laboratory | None:
        """The laboratory that a person of the plant's list is of, None for all others."""
        return laboratory_of(self.papers(plant), person)

    def may_bring(self, plant: str, document: Document) -> bool:
        """May its signer bring in a document? Of a laboratory: only what is of its samples."""
        laboratory = self.laboratory(plant, document.person)
        if laboratory is None:
            return True
        check_document(document)
        return laboratory.may_bring(document, self.papers(plant))

    def findings(
        self, plant: str, sees: Callable[[str], bool], month: str = "", read_s: float = READ_S
    ) -> Mapping[str, Any]:
        """What documents of samples show, JSON-ready; of a month "YYYY-MM", or "" of all.

        Reads the disk, and PDFs in a process of their own: other ones for `read_s` seconds.

        Args:
            plant: plant id.
            sees: is whoever asks for a plant? A finding names the other plant, its report and
                its day: those of plants that one is not for are held against nothing.
            month: of the samples that are told of.
            read_s: as for `PdfShelf.papers`.
        """
        others = [self._stories(name) for name in self._known if name != plant and sees(name)]
        held = self.papers(plant).standing

        def bytes_of(sha256: bytes) -> bytes:
            found = self.file(plant, sha256)
            if found is None:
                raise StoreError(f"plant {plant}: file {sha256.hex()} is not here")
            return found[1]

        return {
            "plant": plant,
            **findings(held, others, self._shelf, bytes_of, month, read_s=read_s),
        }

    def _stories(self, plant: str) -> Stories:
        """Of a plant's samples, made again when there is a document more."""
        standing = self._known[plant].standing
        kept = self._stories_of.get(plant)
        if kept is None or kept[0] != len(standing):
            kept = self._stories_of[plant] = len(standing), stories_of(standing)
        return kept[1]

    def rows(
        self, plant: str, kind: str, about: str, first: int, count: int,
        *, only: Laboratory | None = None,
    ) -> list[Any]:  # fmt: skip
        """JSON-ready documents in the log's order; "" for any kind or about.

        Args:
            plant: plant id.
            kind: of the document.
            about: what it is about.
            first: log index to begin at.
            count: at most so many.
            only: what this laboratory sees; None for all.
        """
        papers, found = self.papers(plant), list[Any]()
        for logged in papers.all():
            document = logged.document
            if logged.index < first or kind not in ("", document.kind):
                continue
            if about in ("", document.about) and (only is None or only.sees(logged, papers)):
                found.append(row(papers, logged))
            if len(found) == count:
                break
        return found

    def standing(self, plant: str, kind: str) -> list[Logged]:
        """Documents of a kind that were neither corrected nor withdrawn, in the log's order."""
        papers = self.papers(plant)
        return [one for one in papers.of_kind(kind) if papers.standing.ended_by(one.sha256) is None]

    def newest(
        self, plant: str, wanted: Filter, count: int, only: Laboratory | None = None
    ) -> list[Any]:
        """JSON-ready documents that are looked for and seen, the newest first; at most so many."""
        papers = self.papers(plant)
        fitting = (
            logged
            for logged in reversed(list(papers.all()))
            if wanted.fits(logged, state_of(papers, logged))
            and (only is None or only.sees(logged, papers))
        )
        return [row(papers, logged) for logged in islice(fitting, count)]

    def abouts(self, plant: str, kinds: Collection[str]) -> list[str]:
        """What documents of these kinds were about, sorted."""
        papers = self.papers(plant)
        return sorted({one.document.about for kind in kinds for one in papers.of_kind(kind)})

    def one(
        self, plant: str, sha256: bytes, only: Laboratory | None = None
    ) -> Mapping[str, Any] | None:
        """A document's row, with who wrote it and what it corrects; None when there is none."""
        papers = self.papers(plant)
        logged = papers.standing.get(sha256)
        if logged is None or not (only is None or only.sees(logged, papers)):
            return None
        return {**row(papers, logged), "authors": sorted(papers.standing.authors(logged))}

    def reviews(self, plant: str, month: str) -> list[Any]:
        """JSON-ready: questions, answers and decisions about a month, in the log's order."""
        papers = self.papers(plant)
        return [row(papers, one) for one in papers.reviews() if one.document.about == month]

    def reviews_in_brief(self, plant: str) -> list[Any]:
        """Those of all months, without the lists in them: of what was not opened, how many."""
        papers = self.papers(plant)
        return [row(papers, in_brief(one)) for one in papers.reviews()]

    def count(self, plant: str) -> int:
        """How many documents a plant has: what is made of them stands until there is one more."""
        return len(self.papers(plant).standing)

    def with_file(self, plant: str, sha256: bytes) -> list[Any]:
        """JSON-ready documents that a file is attached to, in the log's order."""
        papers = self.papers(plant)
        return [row(papers, papers.standing[held]) for held in papers.with_file(sha256)]

    def persons(self, plant: str, *, are_ended: bool = False) -> list[Any]:
        """JSON-ready: every key that may sign now, and maybe ended ones, with whose it is."""
        now_ns = self._intake.plants.require(plant).received_ns()
        return person_rows(self.papers(plant), now_ns, are_ended=are_ended)

    def document(self, plant: str, sha256: bytes, only: Laboratory | None = None) -> bytes | None:
        """A document, verbatim; None when the plant has none of this hash that `only` sees."""
        papers = self.papers(plant)
        logged = papers.standing.get(sha256)
        if logged is None or not (only is None or only.sees(logged, papers)):
            return None
        return self._intake.plant(plant).reader.document(sha256)

    def file(
        self, plant: str, sha256: bytes, only: Laboratory | None = None
    ) -> tuple[AttachedFile, bytes] | None:
        """An attached file and its bytes; None when no document that `only` sees has it."""
        papers = self.papers(plant)
        for document in papers.with_file(sha256):
            logged = papers.standing[document]
            if only is None or only.sees(logged, papers):
                file = next(one for one in logged.document.files if one.sha256 == sha256)
                reader = self._intake.plant(plant).reader
                return file, b"".join(reader.attached(document, sha256))
        return None

    def papers(self, plant: str) -> Papers:
        """A plant's documents so far. LookupError, StoreError as for `take`."""
        self._intake.plants.require(plant)
        if plant in self._amiss:
            raise StoreError(self._amiss[plant])
        return self._known[plant]
