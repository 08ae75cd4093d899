"""Documents of persons that go into a month's archive. Any thread.

Those of its piece of the log; every earlier one of persons and of their keys; of the other earlier
those whose time touches the month, and with each all it follows, all that follows it, and all of
its sample. So what stands in the archive stands in the log, and nothing is told by half.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from cloud.closing.log import Span
from cloud.collector.desk import PlantEvidence
from cloud.errors import StoreError
from cloud.records.papers import Papers
from cloud.records.replay import papers_of
from edge.calc.folds.papers import EDGE_NS, REACH_NS, STOCK_TAKE, Paper
from evidence.archive.build import Records, encode_proof
from evidence.documents.actions import ACTIONS
from evidence.documents.certified import CERTIFIED
from evidence.documents.counted import papers_that_stand
from evidence.documents.document import Document
from evidence.documents.people import PERSON, PERSON_END
from evidence.documents.review import OF_MONTHS
from evidence.documents.standing import Logged
from evidence.suites import PublicKey

#: documents of an archive's piece of the log (RECORDS.md "Log and archive")
PIECE_MAX = 20_000
#: kinds that say who may sign, and who vouches for them: every archive has all of them
OF_PERSONS = (PERSON, PERSON_END, CERTIFIED)


@dataclass(frozen=True)
class MonthTime:
    """A month.

    Attributes:
        month: "YYYY-MM".
        from_ns, to_ns: its first instant, and the next month's.
    """

    month: str
    from_ns: int
    to_ns: int

    def touches(self, document: Document) -> bool:
        """True when what a document says is of this month, or may be: opening and closing stock."""
        if document.kind in OF_MONTHS:
            return document.about == self.month
        if document.kind == ACTIONS:
            return False  # they stand in the log's piece that has them, whatever their clock said
        body = document.body
        # what a meter bridges may lie further away
        beside = REACH_NS if document.kind == STOCK_TAKE else EDGE_NS
        first, last = self.from_ns - beside, self.to_ns + beside
        if "from_ns" in body:
            return bool(body["from_ns"] < last and body["to_ns"] > first)
        if "due" in body:  # a certificate: from its day until it is due
            day, due = (date.fromisoformat(body[name]) for name in ("day", "due"))
            return day.isoformat()[:7] <= self.month <= due.isoformat()[:7]
        if document.kind == "control-plan":
            return document.about == self.month[:4]
        instants = (value for name, value in body.items() if name.endswith("_ns"))
        return any(first <= at <= last for at in instants)


def first_entry(evidence: PlantEvidence, spans: Mapping[str, Span]) -> int:
    """Where a month begins in the log: the first entry when a stream begins in it."""
    firsts = []
    for stream, span in spans.items():
        if span.first == 0:
            return 0
        firsts.append(next(evidence.objects(stream, span.first)).log_index)
    return min(firsts)


def records_of(
    evidence: PlantEvidence, collectors: Sequence[PublicKey], first: int, size: int, time: MonthTime
) -> Records:
    """What persons signed, of the log's entries first..size-1 and of before.

    Args:
        evidence: of the plant.
        collectors: keys that the collector has, or had.
        first: index of the archive's first entry.
        size: entries of the log up to the close of the month.
        time: the month.

    Raises:
        StoreError: a document or file is missing or altered, or there are more than an archive may
            hold.
    """
    chosen = _chosen(papers_of(evidence, collectors, size), first, time)
    proofs = {
        one.sha256: encode_proof(
            one.index, _entry(evidence, one.index), evidence.inclusion_path(one.index, size)
        )
        for one in chosen
        if one.index < first
    }
    documents = (evidence.document(one.sha256) for one in chosen)
    return Records(documents, proofs, _files(evidence, chosen))


def figures_of(
    evidence: PlantEvidence, collectors: Sequence[PublicKey], first: int, size: int, time: MonthTime
) -> list[Paper]:
    """What stands among the documents that `records_of` puts into the archive; errors likewise."""
    papers = papers_of(evidence, collectors, size)
    held = {one.sha256 for one in _chosen(papers, first, time)}
    return papers_that_stand(papers.standing, held)


def _chosen(papers: Papers, first: int, time: MonthTime) -> list[Logged]:
    """Those of the log's entries from `first` on, and the earlier ones that the month needs."""
    held = list(papers.all())
    here = [one for one in held if one.index >= first]
    if len(here) > PIECE_MAX:
        raise StoreError(f"it would hold {len(here)} documents of persons, {PIECE_MAX} at most")
    return [*_earlier([one for one in held if one.index < first], here, time), *here]


def _entry(evidence: PlantEvidence, index: int) -> bytes:
    ((_, data),) = evidence.entries(index, index + 1)
    return data


def _files(
    evidence: PlantEvidence, chosen: Iterable[Logged]
) -> Iterator[tuple[bytes, Iterator[bytes]]]:
    """Each file once, whatever number of documents have it."""
    done: set[bytes] = set()
    for one in chosen:
        for file in one.document.files:
            if file.sha256 not in done:
                done.add(file.sha256)
                yield file.sha256, evidence.attached(one.sha256, file.sha256)


def _earlier(before: Sequence[Logged], here: Sequence[Logged], time: MonthTime) -> list[Logged]:
    """Of the documents before the archive's piece those that it needs, in the log's order."""
    known = {one.sha256: one for one in before}
    beside = _beside([*before, *here])
    waiting = [*here, *(one for one in before if time.touches(one.document))]
    needed = {one.sha256 for one in before if one.document.kind in OF_PERSONS}
    seen: set[object] = set()
    while waiting:
        one = waiting.pop()
        needed.add(one.sha256)
        for link in _links(one):
            if link not in seen:
                seen.add(link)
                waiting += beside[link]
    return [one for one in known.values() if one.sha256 in needed]


def _beside(held: Iterable[Logged]) -> Mapping[object, list[Logged]]:
    """What stands at either end of each link."""
    found: dict[object, list[Logged]] = defaultdict(list)
    for one in held:
        for link in _links(one):
            found[link].append(one)
    return found


def _links(one: Logged) -> Iterator[object]:
    """What joins a document to others: who follows whom, and the sample it is about.

    The list of persons is whole anyway, and joins nothing.
    """
    document = one.document
    if document.kind in OF_PERSONS:
        return
    yield one.sha256
    yield from document.follows
    if document.kind.startswith("sample-"):
        yield document.about
        if document.kind == "sample-composed":
            yield from (part["sample"] for part in document.body["parts"])
