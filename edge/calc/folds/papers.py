"""Documents of persons as a month reads them: which are about a source, and count. Pure.

A document counts when it stands and a second person's approval of it stands. What stands and waits
for one makes no figure, and the statement says so. FIGURES.md section 7.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Span = tuple[int, int]  # two instants, UTC ns, the second exclusive

TAKEN, COMPOSED, RESULT, PARAMETER = (
    "sample-taken", "sample-composed", "sample-result", "parameter"
)  # fmt: skip
INVOICE, STOCK_TAKE, COUNT = "invoice", "stock-take", "count"
METER_EVENT, REPLACEMENT = "meter-event", "replacement"
#: an instant this near to an edge of the period is the edge (table statement-checks, period.gap_s)
EDGE_NS = 3_600 * 10**9
#: as far from it what is bridged may begin or end; 40 % of a month's flow are 12 of 30 days
REACH_NS = 12 * 24 * EDGE_NS
#: documents of one figure: a sample an hour; each is named in the statement
PAPERS_MAX = 1_000


@dataclass(frozen=True)
class Paper:
    """A document that stands.

    Attributes:
        sha256: hex, of its bytes.
        kind, about, body: as its person signed them.
        is_approved: another person's approval of it stands.
    """

    sha256: str
    kind: str
    about: str
    body: Mapping[str, Any]
    is_approved: bool


@dataclass(frozen=True)
class Papers:
    """A plant's documents that stand, beside a month.

    Attributes:
        all: they.
        month: the plant's calendar month.
        period: what the statement is of.
    """

    all: Sequence[Paper] = ()
    month: Span = (0, 0)
    period: Span = (0, 0)
    _by: dict[tuple[str, str], list[Paper]] = field(default_factory=dict, init=False, repr=False)
    _takings: dict[str, list[Paper]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for paper in self.all:
            self._by.setdefault((paper.kind, paper.about), []).append(paper)
            # by the middle of its period, so that a day's sample is of one month
            if paper.kind in (TAKEN, COMPOSED) and is_of(paper, self.month):
                self._takings.setdefault(paper.body["source"], []).append(paper)

    def counting(self, kind: str, about: str) -> list[Paper]:
        """Those of a kind about something that count."""
        return [paper for paper in self._by.get((kind, about), ()) if paper.is_approved]

    def replacements(self, about: str, span: Span) -> list[Paper]:
        """Exchanges of a meter that somebody signed, whose period meets the span."""
        return [
            paper
            for paper in self.counting(METER_EVENT, about)
            if paper.body["event"] == REPLACEMENT
            and paper.body["from_ns"] <= span[1]
            and paper.body["to_ns"] >= span[0]
        ]

    def takings(self, sample: str) -> list[Paper]:
        """What tells when a sample was taken or composed, of what; one, unless it contradicts."""
        return [*self.counting(TAKEN, sample), *self.counting(COMPOSED, sample)]

    def samples(self, source: str) -> list[Paper]:
        """Takings of the month's samples of a source, those that count."""
        return [paper for paper in self._takings.get(source, ()) if paper.is_approved]

    def is_waiting(self, source: str, bridge: str = "") -> bool:
        """A document that would make a figure of this source if somebody approved it.

        `bridge` is the totaliser that brings them to the month: then what is near it may.
        """
        takings = self._takings.get(source, [])
        found = [*takings, *(p for t in takings for p in self._by.get((RESULT, t.about), ()))]
        for kind in (INVOICE, COUNT, PARAMETER):
            own = self._by.get((kind, source), ())
            found += [p for p in own if touches((p.body["from_ns"], p.body["to_ns"]), self.period)]
        stocks = self._by.get((STOCK_TAKE, source), ())
        found += [p for p in stocks if self.edges_of(p, REACH_NS if bridge else EDGE_NS)]
        if bridge:
            near = self.period[0] - REACH_NS, self.period[1] + REACH_NS
            own = self._by.get((COUNT, bridge), ())
            found += [p for p in own if touches((p.body["from_ns"], p.body["to_ns"]), near)]
        return not all(paper.is_approved for paper in found)

    def edges_of(self, stock_take: Paper, most_ns: int = EDGE_NS) -> list[int]:
        """Which edges of the period (0 opening, 1 closing) a stock-take is at, or near to."""
        at = stock_take.body["at_ns"]
        return [i for i, edge in enumerate(self.period) if abs(at - edge) <= most_ns]


def is_of(paper: Paper, span: Span) -> bool:
    """The middle of a document's period is in the span: of months in a row, in one."""
    middle: int = paper.body["from_ns"] + paper.body["to_ns"]
    return 2 * span[0] <= middle < 2 * span[1]


def touches(span: Span, other: Span) -> bool:
    """Two spans have an instant in common."""
    return span[0] < other[1] and other[0] < span[1]


def provenance(source: str, rule: str, made_of: Iterable[Paper], **more: str) -> dict[str, Any]:
    """Where a figure comes from, so that a reader finds the paper."""
    hashes = sorted({paper.sha256 for paper in made_of})
    return {"documents": {"about": source, "rule": rule, "sha256": hashes, **more}}
