"""Step 5, its second part: what persons signed, each document at its place in the log.

A document of this piece of the log has its entry there; one of before brings the entry and the
path that leads from it to the checkpoint. RECORDS.md "Verifying".
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from evidence import cbor, cose, merkle
from evidence.archive import paths
from evidence.documents.document import AttachedFile, Document
from evidence.documents.people import People, Person
from evidence.documents.review import COSIGNED
from evidence.documents.standing import Logged, Standing, detail_of
from evidence.documents.witness import cosigned_by
from evidence.errors import (
    EvidenceError,
    MalformedError,
    UnknownSuiteError,
    UnsupportedError,
)
from evidence.findings import Report, said
from evidence.keys import key_sha256, public_key
from evidence.log import Entry, Kind, decode_entry
from evidence.verifier.identities import Identities
from evidence.verifier.log_view import LogView
from evidence.verifier.opened import Opened
from evidence.verifier.vouched import Seen, Vouching, tell_persons, tell_witnesses

#: entries and bytes of a proof of inclusion: an entry's detail is three ids
PROOF_BYTES_MAX = 16 * 1024


_COLLECTORS = "data/keys/collector"


@dataclass(frozen=True)
class _Place:
    """A record entry, wherever in the log it stands."""

    index: int
    entry: Entry


class DocumentCheck:
    """Reads the documents of an archive in the log's order.

    Attributes:
        people: who may sign, at the end.
        standing: what stands, at the end.
        undecided: True when a document is newer than this program.
    """

    def __init__(
        self, archive: Opened, report: Report, identities: Identities, log: LogView,
        witnesses: frozenset[bytes] | None = None,
    ) -> None:  # fmt: skip
        """Prepare with what the earlier steps found; `witnesses` as of `verify`."""
        self._archive, self._report, self._log = archive, report, log
        keys = [key for key in (identities.collector, *identities.earlier) if key is not None]
        self.people, self.standing = People(identities.plant, keys), Standing()
        self.undecided = any(path.startswith(_COLLECTORS) for path in identities.foreign)
        self._known: set[str] = set()
        self._sha256: dict[str, str] = {}  # of attached files, each read once
        root = None if identities.root is None else key_sha256(public_key(identities.root))
        for brought in identities.lists:
            self.people.vouched.take(root or b"", brought)
        self._vouching = Vouching(self.people.vouched, root, witnesses)
        self._seen: list[Seen] = []

    def check(self) -> None:
        """Check every document, and that there is nothing beside them."""
        places = sorted([*self._earlier(), *self._here()], key=lambda place: place.index)
        for place in places:
            self._take(place)
        for path in self._archive.paths():
            if path.startswith(paths.RECORDS) and path not in self._known and not self.undecided:
                sentence = "No document of the log here is or names this file."
                self._report.add("E-FILE-EXTRA", path, sentence)
        if not self.undecided:
            tell_persons(self._report, self.standing, self._vouching)
            tell_witnesses(
                self._report, self.standing, self._seen, self._vouching, self._log.size
            )  # fmt: skip
        if self._report.counts["attached_files"]:
            self._report.not_checked.append(
                "What the attached files say: only that they are the files which were signed for."
            )

    def _here(self) -> Iterator[_Place]:
        for number, entry in self._log.records():
            yield _Place(number, entry)

    def _earlier(self) -> Iterator[_Place]:
        """Documents from before the log's piece in this archive."""
        for path in self._archive.paths():
            if match := paths.RECORD_PROOF.fullmatch(path):
                self._known.add(path)
                try:
                    yield self._proved(path, bytes.fromhex(match[1]))
                except UnsupportedError as error:
                    self._newer("C-FORMAT", path, error)
                except EvidenceError as error:
                    self._report.add("E-DOCUMENT", path, said(error))

    def _proved(self, path: str, sha256: bytes) -> _Place:
        if self._archive.size(path) > PROOF_BYTES_MAX:
            raise MalformedError(f"a proof has at most {PROOF_BYTES_MAX} bytes")
        proof = cbor.decode(self._archive.read(path))
        if not isinstance(proof, list) or len(proof) != 3 or type(proof[0]) is not int:
            raise MalformedError("a proof is [index, entry, path]")
        index, data, hashes = proof
        is_path = isinstance(hashes, list) and all(_is_hash(one) for one in hashes)
        if not isinstance(data, bytes) or not is_path:
            raise MalformedError("a proof is [index, entry, path]")
        if not 0 <= index < self._log.start.size:
            raise MalformedError("it is not of an entry before those in this archive")
        root = merkle.root_by_path(merkle.leaf_hash(data), index, self._log.size, hashes)
        if root is None or root != self._log.root:
            raise MalformedError("entry and path do not lead to the checkpoint's root")
        entry = decode_entry(data)
        if entry.kind is not Kind.RECORD or entry.sha256 != sha256:
            raise MalformedError("its entry is not that of this document")
        return _Place(index, entry)

    def _take(self, place: _Place) -> None:
        path = paths.record(place.entry.sha256)
        self._known.add(path)
        try:
            self._standing(place, path)
        except (UnsupportedError, UnknownSuiteError) as error:
            code = "C-SUITE" if isinstance(error, UnknownSuiteError) else "C-FORMAT"
            self._newer(code, path, error)
        except EvidenceError as error:
            self._report.add("E-DOCUMENT", path, said(error))
        self._report.counts["documents"] += 1

    def _standing(self, place: _Place, path: str) -> None:
        entry, data = place.entry, self._archive.read(path)
        if hashlib.sha256(data).digest() != entry.sha256 or len(data) != entry.length:
            raise MalformedError("it is not the document its name and the log say")
        if self.undecided:
            return  # who may sign, and what stands, hangs on what is newer
        document, signer = self.people.read(data)
        for file in document.files:
            self._file(file)
        if dict(entry.detail) != detail_of(document):
            raise MalformedError("the log says something else of it than it says itself")
        if entry.certificate not in self._keys_of(signer):
            raise MalformedError("the log names another key than the one that signed it")
        if self.standing.get(cose.rewritten_sha256(cose.parse(data))) is not None:
            raise MalformedError(
                "the log has this document twice, once with its signature rewritten"
            )
        self.people.take(document, entry.sha256)
        self.standing.take(Logged(place.index, entry.received_ns, entry.sha256, document, signer))
        if document.kind == COSIGNED and signer is not None:
            self._cosigned(document, signer, place, path)

    def _cosigned(self, document: Document, signer: Person, place: _Place, path: str) -> None:
        """What a person from outside has seen of the log, as far as it is here."""
        try:
            cosigned = cosigned_by(document, signer.key, self.people.collectors)
        except UnknownSuiteError:
            raise
        except EvidenceError as error:
            self._report.add("E-COSIGNATURE", path, said(error))
            return
        start, seen = self._log.start.size, cosigned.checkpoint
        is_here = start <= seen.size <= place.index
        if seen.size > place.index or (is_here and self._log.root_at(seen.size) != seen.root):
            sentence = f"{signer.id} saw another log of {seen.size} entries than the one here."
            self._report.add("E-COSIGNATURE", path, sentence)
        elif is_here:
            received_ns = place.entry.received_ns
            self._seen.append(Seen(signer, seen.size, cosigned.at_s, received_ns))

    def _keys_of(self, signer: Person | None) -> set[bytes]:
        """Hashes of the keys that may have signed in this name."""
        if signer is not None:
            return {signer.key_sha256}
        return {key_sha256(key) for key in self.people.collectors}

    def _file(self, file: AttachedFile) -> None:
        path = paths.record_file(file.sha256)
        if path not in self._known:
            self._known.add(path)
            self._report.counts["attached_files"] += 1
        if path not in self._archive or self._archive.size(path) != file.size:
            raise MalformedError(f"its file {file.name!r} is not here as it was signed for")
        if path not in self._sha256:
            self._sha256[path] = self._archive.sha256(path)
        if self._sha256[path] != file.sha256.hex():
            raise MalformedError(f"its file {file.name!r} was changed")

    def _newer(self, code: str, path: str, error: EvidenceError) -> None:
        self.undecided = True
        self._report.add(code, path, said(error))


def _is_hash(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == 32
