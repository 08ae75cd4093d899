"""Which documents of persons a month needs, and which of them are there. Pure.

What is expected comes from the plant's control plan, as rows; a month without rows is one of which
nobody said what is due besides the meters. A statement that is made from meters and default factors
needs no document.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from cloud.closing.records import MonthTime
from cloud.records.papers import Papers
from evidence.documents.review import CLOSED_OWING, REVIEWS
from evidence.documents.standing import Logged

#: "batch" is as often as something comes: nobody knows how many, so one at least is asked for
Frequency = Literal["day", "month", "batch"]

#: kinds that somebody else must approve before they count: those that make figures (FIGURES.md
#: section 7), what is said of meters and ledgers, and the plan by which all this is asked for
APPROVED = frozenset(
    {
        "sample-taken", "sample-composed", "sample-result", "invoice", "stock-take", "count",
        "parameter", "counter-correction", "meter-event", "meter-certificate", "ledger",
        "control-plan",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Expected:
    """A document that a month, or each day of it, needs.

    Attributes:
        parameter: what it gives, as the plan names it.
        kind, about: of the document.
        frequency: how often.
        responsible: who owes it, as the plan names them.
    """

    parameter: str
    kind: str
    about: str
    frequency: Frequency
    responsible: str


class Plans(Protocol):
    """Where rows of control plans come from."""

    def expected(self, plant: str, month: str) -> Sequence[Expected] | None:
        """What a month needs; None where the plant has no control plan for it.

        Raises:
            StoreError: the disk does not give its documents.
        """


@dataclass(frozen=True)
class Given:
    """What there is of something expected.

    Attributes:
        expected: it.
        documents: those that stand, in the log's order.
        unapproved: how many of them nobody else approved.
        missing_days: days without one, of what is due daily, of the days that are over.
        is_missing: none is there where one is due.
    """

    expected: Expected
    documents: Sequence[Logged]
    unapproved: int
    missing_days: Sequence[str]
    is_missing: bool


@dataclass(frozen=True)
class Due:
    """A certificate that ends.

    Attributes:
        device: the meter's.
        scope, number: of the newest certificate that stands.
        due: its last day.
    """

    device: str
    scope: str
    number: str
    due: str


def standing_of(papers: Papers, time: MonthTime) -> list[Logged]:
    """Documents that touch a month and are neither corrected nor withdrawn."""
    return [
        one
        for one in papers.all()
        if time.touches(one.document) and papers.standing.ended_by(one.sha256) is None
    ]


def given(
    papers: Papers,
    standing: Sequence[Logged],
    expected: Iterable[Expected],
    days: Mapping[str, MonthTime],
) -> list[Given]:
    """What there is of what is expected.

    Args:
        papers: of the plant.
        standing: of the month.
        expected: rows of the plan.
        days: the month's days that are over -> their time.
    """
    found, sources = list[Given](), _sources(papers)
    for row in expected:
        held = [
            one for one in standing
            if one.document.kind == row.kind
            and row.about in (one.document.about, *sources.get(one.document.about, ()))
        ]  # fmt: skip
        missing = [
            day for day, time in days.items()
            if row.frequency == "day" and not any(time.touches(one.document) for one in held)
        ]  # fmt: skip
        is_missing = bool(missing) if row.frequency == "day" else not held
        open_ones = sum(not papers.standing.approvals(one.sha256) for one in held)
        found.append(Given(row, held, open_ones, missing, is_missing))
    return found


def _sources(papers: Papers) -> dict[str, set[str]]:
    """Sample -> what it was taken of: documents of a sample are about the sample."""
    found: dict[str, set[str]] = {}
    for kind in ("sample-taken", "sample-composed"):
        for one in papers.of_kind(kind):
            found.setdefault(one.document.about, set()).add(str(one.document.body["source"]))
    return found


def unapproved(papers: Papers, standing: Iterable[Logged]) -> list[Logged]:
    """Documents that wait for somebody else to approve them."""
    return [
        one
        for one in standing
        if one.document.kind in APPROVED and not papers.standing.approvals(one.sha256)
    ]


def after_close(papers: Papers, time: MonthTime, index: int) -> list[Logged]:
    """Documents of a month that came after the log entry that closed it; reviews always do."""
    return [
        one for one in papers.since(index + 1)
        if one.document.kind not in REVIEWS and time.touches(one.document)
    ]  # fmt: skip


def decisions(papers: Papers, month: str) -> list[Logged]:
    """Decisions to close a month although something is owed, those that stand."""
    return [
        one
        for one in papers.of_kind(CLOSED_OWING)
        if one.document.about == month and papers.standing.ended_by(one.sha256) is None
    ]


def open_events(standing: Iterable[Logged], now_ns: int) -> list[Logged]:
    """Meter events that are not over."""
    return [
        one
        for one in standing
        if one.document.kind == "meter-event" and one.document.body["to_ns"] > now_ns
    ]


def due_in(papers: Papers, month: str) -> list[Due]:
    """Of each meter the newest certificate, where it ends in a month or ended before."""
    newest: dict[str, Logged] = {}
    for one in papers.of_kind("meter-certificate"):
        document = one.document
        if papers.standing.ended_by(one.sha256) is None:
            held = newest.get(document.about)
            if held is None or document.body["due"] >= held.document.body["due"]:
                newest[document.about] = one
    return [
        Due(about, str(body["scope"]), str(body["number"]), str(body["due"]))
        for about, one in sorted(newest.items())
        if str((body := one.document.body)["due"])[:7] <= month
    ]
