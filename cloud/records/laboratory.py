"""What a laboratory sees and may bring in: of samples that were sent to it, and no others. Pure.

A laboratory is what its people are enrolled under: `organisation` of the person is the `laboratory`
that a sample was sent to, letter for letter but for spaces, case and width.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cloud.records.papers import Papers
from evidence.documents.document import Document
from evidence.documents.observed.numbers import as_written
from evidence.documents.standing import APPROVE, WITHDRAW, Logged

LABORATORY = "laboratory"
_TAKEN, _COMPOSED = "sample-taken", "sample-composed"
_SENT, _RESULT = "sample-sent", "sample-result"


@dataclass(frozen=True)
class Laboratory:
    """A laboratory at a plant.

    Attributes:
        organisation: as its people are enrolled under, `as_written`.
        samples: ids of those that were sent to it, or that it composed of such.
    """

    organisation: str
    samples: frozenset[str]

    def sees(self, logged: Logged, papers: Papers) -> bool:
        """Is a document of one of its samples, and not another laboratory's?"""
        waiting, met = [logged], set[bytes]()
        while waiting:  # of approvals of approvals each once: they have ways without end
            one = waiting.pop()
            if one.document.kind in (APPROVE, WITHDRAW):
                waiting += [papers.standing[h] for h in one.document.follows if h not in met]
                met.update(one.document.follows)
            elif not self._sees(one):
                return False
        return True

    def _sees(self, logged: Logged) -> bool:
        document, signer = logged.document, logged.signer
        if not document.kind.startswith("sample-") or document.about not in self.samples:
            return False
        if signer is not None and signer.role == LABORATORY:
            return self._signed(logged)
        return document.kind != _RESULT or self._is_own(document)

    def may_bring(self, document: Document, papers: Papers) -> bool:
        """Is a document about one of its samples, or composes a new one of nothing else?

        It corrects and withdraws what it signed itself.
        """
        followed = (papers.standing.get(sha256) for sha256 in document.follows)
        if not all(one is None or self._signed(one) for one in followed):
            return False
        if document.kind == _COMPOSED and not _parts(document) <= self.samples:
            return False
        is_new = document.kind == _COMPOSED and not _is_known(papers, document.about)
        return is_new or document.about in self.samples

    def _signed(self, logged: Logged) -> bool:
        return _is_by(logged, self.organisation)

    def _is_own(self, document: Document) -> bool:
        return as_written(document.body["laboratory"]) == self.organisation


def laboratory_of(papers: Papers, person: str) -> Laboratory | None:
    """The laboratory that somebody is of, None for all others and for who is not in the list."""
    people = papers.people.active.values()
    known = next((one for one in people if one.id == person and one.role == LABORATORY), None)
    if known is None:
        return None
    organisation = as_written(known.organisation)
    samples = set(_sent(papers, organisation))
    origins = [one for one in papers.all() if one.document.kind in (_TAKEN, _COMPOSED)]
    of_others = {one.document.about for one in origins if not _is_by(one, organisation)}
    for one in origins:  # in the log's order: a composite comes after its parts
        document = one.document
        # composing under a name that somebody else's sample has gets at nothing of it
        if document.about not in of_others and _parts(document) <= samples:
            samples.add(document.about)
    return Laboratory(organisation, frozenset(samples))


def _is_by(logged: Logged, organisation: str) -> bool:
    """Somebody of this laboratory signed it."""
    signer = logged.signer
    if signer is None or signer.role != LABORATORY:
        return False
    return as_written(signer.organisation) == organisation


def _parts(composed: Document) -> set[str]:
    return {part["sample"] for part in composed.body["parts"]}


def _is_known(papers: Papers, sample: str) -> bool:
    """A document of it is there."""
    every = (one.document for one in papers.all())
    return any(one.about == sample and one.kind.startswith("sample-") for one in every)


def _sent(papers: Papers, organisation: str) -> Iterator[str]:
    for one in papers.all():
        if one.document.kind != _SENT or papers.standing.ended_by(one.sha256) is not None:
            continue
        if as_written(one.document.body["laboratory"]) == organisation:
            yield one.document.about
