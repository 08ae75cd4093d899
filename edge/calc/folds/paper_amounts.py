"""Amounts of a month from invoices, stock-takes and counts. Pure.

What is not of the statement's period is not brought to it by a guess: a document whose period
crosses an edge by more than an hour, or two stock-takes at one edge, make no amount. One stock-take
at the edge of two months is the closing stock of one and the opening stock of the other.
FIGURES.md section 7.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from edge.calc.decimal_text import parse_decimal, printed
from edge.calc.errors import InputError
from edge.calc.folds.papers import (
    COUNT,
    EDGE_NS,
    INVOICE,
    PAPERS_MAX,
    STOCK_TAKE,
    Paper,
    Papers,
    is_of,
    touches,
)
from edge.calc.methods.clinker_stock import NEEDED, clinker_made

#: unit of the statement's amount -> unit a document may have -> how many of it one is
UNITS = {
    "t": {"t": Fraction(1), "kg": Fraction(1, 1000)},
    "10^4 Nm3": {"10^4 Nm3": Fraction(1), "Nm3": Fraction(1, 10_000)},
}
#: tables of the input whose amounts may be a balance of stock
BALANCED, CLINKER = ("fuel", "process", "substitute"), "clinker"
#: above what no works has; an input has 30 digits at most
_MOST = 10**15


class UnfitError(Exception):
    """There are documents, and no amount can be made of them."""


@dataclass(frozen=True)
class Recorded:
    """An amount of documents.

    Attributes:
        value: in the statement's unit.
        rule: what made it: "invoices", "stock-take", "counts" or "stock-taking".
        made_of: the documents.
    """

    value: Fraction
    rule: str
    made_of: Sequence[Paper]

    @property
    def text(self) -> str:
        """As the input has it."""
        return printed(self.value)


def amounts_of(papers: Papers, source: str, table: str, unit: str) -> Mapping[str, Recorded]:
    """The amount of an entry that has no meter, by its keys in the input; none without documents.

    Raises:
        UnfitError: they are not of the period, contradict each other, or are in another unit.
    """
    if table == CLINKER:
        return _clinker(papers, source, unit)
    if table not in BALANCED:
        return {"quantity": counted} if (counted := counts(papers, source, unit)) else {}
    parts = {
        **stocks(papers, source, unit),
        **{part: found for part in PARTS if (found := invoices(papers, source, unit, part))},
    }
    if parts:
        return parts
    return {"quantity": counted} if (counted := counts(papers, source, unit)) else {}


PARTS = ("purchased", "output")


def _clinker(papers: Papers, source: str, unit: str) -> Mapping[str, Recorded]:
    """What a kiln made: counted, or by stock-taking, where counts are what the mills used."""
    stock = stocks(papers, source, unit)
    used = counts(papers, source, unit)
    if not stock:
        return {"quantity": used} if used else {}
    despatched, purchased = (invoices(papers, source, unit, part) for part in ("output", PARTS[0]))
    parts = {"despatched": despatched, "used": used, "purchased": purchased, **stock}
    there = {key: part for key, part in parts.items() if part is not None}
    if not set(NEEDED) <= there.keys():
        raise UnfitError
    try:
        made = clinker_made({key: part.value for key, part in there.items()})
    except InputError as error:
        raise UnfitError from error
    made_of = [paper for part in there.values() for paper in part.made_of]
    return {"quantity": Recorded(made, "stock-taking", made_of)}


def stocks(papers: Papers, source: str, unit: str) -> Mapping[str, Recorded]:
    """Opening and closing stock, both or none; UnfitError for one alone, or two at an edge."""
    found: dict[str, Recorded] = {}
    counting = papers.counting(STOCK_TAKE, source)
    for i, key in enumerate(("opening", "closing")):
        there = [paper for paper in counting if i in papers.edges_of(paper)]
        if len(there) > 1:
            raise UnfitError
        if there:
            found[key] = _sum(there, "stock-take", unit)
    if len(found) == 1:
        raise UnfitError
    return found


def invoices(papers: Papers, source: str, unit: str, part: str) -> Recorded | None:
    """What came ("purchased") or left ("output"), None without an invoice; else UnfitError."""
    own = [paper for paper in papers.counting(INVOICE, source) if paper.body["part"] == part]
    found = _of_period(papers, own)
    return _sum(found, "invoices", unit) if found else None


def counts(papers: Papers, source: str, unit: str) -> Recorded | None:
    """What was counted, None where nothing was; else UnfitError."""
    found = _of_period(papers, papers.counting(COUNT, source))
    return _sum(found, "counts", unit) if found else None


def _of_period(papers: Papers, own: Sequence[Paper]) -> list[Paper]:
    """Those of the period; UnfitError when a part of one is, and nobody knows how much."""
    first, last = papers.period
    found = []
    for paper in own:
        span = paper.body["from_ns"], paper.body["to_ns"]
        if not touches(span, papers.period):
            continue
        is_inside = first - EDGE_NS <= span[0] and span[1] <= last + EDGE_NS
        if is_inside and is_of(paper, papers.period):
            found.append(paper)
        elif min(span[1], last) - max(span[0], first) > EDGE_NS or is_of(paper, papers.period):
            raise UnfitError
    return found


def in_unit(paper: Paper, unit: str) -> Fraction:
    """A document's value in the statement's unit; UnfitError when it is in none of these."""
    times = UNITS.get(unit, {}).get(paper.body["unit"])
    if times is None:
        raise UnfitError
    return parse_decimal(paper.body["value"]) * times


def _sum(found: Sequence[Paper], rule: str, unit: str) -> Recorded:
    total = sum((in_unit(paper, unit) for paper in found), Fraction(0))
    if not 0 <= total < _MOST or len(found) > PAPERS_MAX:
        raise UnfitError
    return Recorded(total, rule, found)
