"""What documents of another period tell, brought to the statement's by a metered flow. Pure.

An invoice runs from the 26th to the 25th, coal is measured on the 30th at 16:00. What the entry's
`bridge` counted between is added, as the month's readings have it; what lies beside the month is
another archive's, and is subtracted as a signed count of that meter says. Each bridge is printed in
the statement's input: what was added or subtracted, by which meter, between which instants and
readings. FIGURES.md section 7, "Bridges".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from edge.calc.blocks import Bool, Int64
from edge.calc.decimal_text import printed, rounded_text
from edge.calc.errors import InputError
from edge.calc.folds.counter import Counter
from edge.calc.folds.marks import MINUTE_NS, Marks
from edge.calc.folds.paper_amounts import (
    BALANCED,
    CLINKER,
    Recorded,
    UnfitError,
    amounts_of,
    in_unit,
)
from edge.calc.folds.papers import (
    COUNT,
    EDGE_NS,
    INVOICE,
    REACH_NS,
    STOCK_TAKE,
    Papers,
    Span,
    is_of,
    provenance,
)
from edge.calc.folds.totaliser import Totaliser
from edge.calc.methods.bridge import brought
from evidence.counts import count_to_text
from evidence.points import Point

#: signs of a balance's parts
_BALANCE = {"opening": 1, "purchased": 1, "closing": -1, "output": -1}
_ENDS = ("start", "end")


class MarkedTotaliser(Totaliser):
    """A totaliser of statement format 1 that keeps what it read at whole minutes."""

    def __init__(self) -> None:
        super().__init__()
        self.marks = Marks()

    def feed(self, ticks_ns: Int64, counts: Int64, ok: Bool) -> Int64:
        """As of every totaliser."""
        totals = super().feed(ticks_ns, counts, ok)
        at = np.flatnonzero(ok)
        if at.size:
            self.marks.keep(ticks_ns[at], counts[at], totals[at] - counts[at])
        return totals


@dataclass(frozen=True)
class Bridge:
    """The meter of an entry.

    Attributes:
        point: the totaliser.
        amount: statement units per count of it.
        read: what it counted.
        marks: of it.
    """

    point: Point
    amount: Fraction
    read: Totaliser | Counter
    marks: Marks


@dataclass(frozen=True)
class Crossed:
    """What documents tell of the statement's period.

    Attributes:
        amounts: by their keys in the input; one "quantity" where a meter brought it.
        as_map: the bridge as the input has it, None where nothing was bridged.
        is_told: a part of it is a person's count of the meter.
    """

    amounts: Mapping[str, Recorded]
    as_map: Mapping[str, Any] | None = None
    is_told: bool = False


def bridged_amounts(papers: Papers, source: str, table: str, unit: str, by: Bridge) -> Crossed:
    """The amount of an entry with a bridge.

    Raises:
        UnfitError: documents contradict each other, have a gap, or are further from the period than
            the meter was read, was told of, or may bring.
    """
    span = _span(papers, source, table)
    amounts = amounts_of(replace(papers, period=span), source, table, unit)
    if span == papers.period or not amounts:
        return Crossed(amounts)
    whole = sum((_BALANCE.get(key, 1) * part.value for key, part in amounts.items()), Fraction(0))
    if whole < 0:
        raise UnfitError
    made_of = [paper for part in amounts.values() for paper in part.made_of]
    added, ends = dict[str, Fraction](), dict[str, Any]()
    is_told = False
    for i, end in enumerate(_ENDS):
        if span[i] == papers.period[i]:
            continue
        window = min(span[i], papers.period[i]), max(span[i], papers.period[i])
        if (span[i] > papers.period[i]) == (end == "start"):
            added[end], ends[end] = _read(by, window, end)
        else:
            told = _told(papers, by.point.id, window, unit)
            made_of += told.made_of
            is_told, added[end] = True, -told.value
            ends[end] = _end(-told.value, window) | provenance(by.point.id, told.rule, told.made_of)
    try:
        month = brought(whole, added)
    except InputError as error:
        raise UnfitError from error
    row = Recorded(month.quantity, "bridged", made_of)
    return Crossed(
        {"quantity": row},
        {
            "source": source, "point": by.point.id, "unit": unit,
            "from_ns": span[0], "to_ns": span[1], "period_quantity": printed(whole),
            "parts": {key: part.text for key, part in amounts.items()}, **ends,
            "quantity": row.text, "bridged_percent": rounded_text(month.share_percent, 2),
        },
        is_told,
    )  # fmt: skip


def _span(papers: Papers, source: str, table: str) -> Span:
    """The period that documents tell of; the statement's where they are nearly of it."""
    found: Sequence[int] = ()
    if table in BALANCED or table == CLINKER:
        found = _stocked(papers, source)
    if not found:
        found = _dated(papers, source, table)
    if not found:
        return papers.period
    first, last = (
        edge if abs(at - edge) <= EDGE_NS else at
        for at, edge in zip(found, papers.period, strict=True)
    )
    if first >= last:
        raise UnfitError
    return first, last


def _stocked(papers: Papers, source: str) -> list[int]:
    """When stock was taken, nearest to each edge; none or both."""
    instants = [paper.body["at_ns"] for paper in papers.counting(STOCK_TAKE, source)]
    found = []
    for edge in papers.period:
        near = sorted(abs(at - edge) for at in instants if abs(at - edge) <= REACH_NS)
        if not near:
            continue
        nearest = [at for at in instants if abs(at - edge) == near[0]]
        if len(nearest) > 1:
            raise UnfitError
        found += nearest
    if len(found) == 1:
        raise UnfitError
    return found


def _dated(papers: Papers, source: str, table: str) -> list[int]:
    """From where to where the period's invoices or counts go, one after the other."""
    for kind in (INVOICE, COUNT) if table in BALANCED else (COUNT,):
        own = [p.body for p in papers.counting(kind, source) if is_of(p, papers.period)]
        spans = sorted((body["from_ns"], body["to_ns"]) for body in own)
        if not spans:
            continue
        last = spans[0][1]
        for span in spans[1:]:
            if span[0] - last > EDGE_NS:
                raise UnfitError
            last = max(last, span[1])
        return [spans[0][0], last]
    return []


def _read(by: Bridge, window: Span, end: str) -> tuple[Fraction, dict[str, Any]]:
    """What the meter counted in a part of the period at one of its ends, by its readings."""
    read = by.read
    inner = window[1] if end == "start" else window[0]
    mark = None if inner % MINUTE_NS else by.marks.at(inner)
    if mark is None or read.first is None or read.last is None:
        raise UnfitError
    first, last = ((*read.first, 0), mark) if end == "start" else (mark, (*read.last, read.total))
    if abs(first[0] - window[0]) > EDGE_NS or window[1] - last[0] > EDGE_NS:
        raise UnfitError
    amount = (last[2] - first[2]) * by.amount
    return amount, {
        **_end(amount, window),
        **{
            name: {"tick_ns": tick_ns, "value": count_to_text(count, by.point.decimals)}
            for name, (tick_ns, count, _) in (("first", first), ("last", last))
        },
    }


def _told(papers: Papers, point: str, window: Span, unit: str) -> Recorded:
    """A person's count of the meter beside the period."""
    found = [
        paper
        for paper in papers.counting(COUNT, point)
        if (paper.body["from_ns"], paper.body["to_ns"]) == window
    ]
    if len(found) != 1 or (value := in_unit(found[0], unit)) < 0:
        raise UnfitError
    return Recorded(value, "counts", found)


def _end(added: Fraction, window: Span) -> dict[str, Any]:
    return {"from_ns": window[0], "to_ns": window[1], "added": printed(added)}
