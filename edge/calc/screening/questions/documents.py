"""Do invoices and stock-takes agree with the meter, and one month's stock with the next's?"""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from edge.calc.factors import rule_set
from edge.calc.folds.paper_amounts import BALANCED, UnfitError, invoices, stocks
from edge.calc.folds.papers import Papers
from edge.calc.screening.month import ScreenedMonth
from edge.calc.screening.question import Result, question, question_of_all

_TABLES = {"fuels": "fuel", "process": "process", "substitutes": "substitute"}


@question(
    "documents-meter",
    source="difference in percent against the limit; no chance level",
)
def documents_meter(month: ScreenedMonth) -> Iterator[Result]:
    """Each metered fuel and material: purchased, less what left, plus what the stock fell."""
    limit = rule_set("screening").row("documents.percent").value
    papers = _papers(month)
    for table, listed in _TABLES.items():
        for entry in month.config["statement"].get(table, ()):
            source, point = entry.get("source"), entry.get("point")
            row = _row(month, listed, point)
            if not source or row is None or listed not in BALANCED:
                continue
            used = _by_documents(papers, str(source), str(row[1]))
            if used is None or not row[0]:
                continue
            percent = (used - row[0]) / row[0] * 100
            yield Result(
                "documents-meter", month.plant, month.month, str(source),
                f"{float(percent):+.1f} %", None, float(abs(percent) / limit),
                facts={
                    "percent": f"{float(percent):+.1f}", "limit": f"{float(limit):g}",
                    "documents": f"{float(used):.2f}", "meter": f"{float(row[0]):.2f}",
                    "unit": str(row[1]), "point": str(point),
                },
            )  # fmt: skip


def _row(month: ScreenedMonth, table: str, point: object) -> tuple[Fraction, str] | None:
    """Amount and unit of the statement's line that a point makes."""
    for line in month.statement["output"].get("lines", ()):
        quantity = line.get("parameters", {}).get("quantity", {})
        frames = quantity.get("provenance", {}).get("frames", {})
        if line.get("category") == table and point and frames.get("point") == point:
            return Fraction(quantity["value"]), str(quantity["unit"])
    return None


def _by_documents(papers: Papers, source: str, unit: str) -> Fraction | None:
    """What was used by the documents; None without invoices, or where they are not usable."""
    try:
        bought, left = (invoices(papers, source, unit, part) for part in ("purchased", "output"))
        stock = stocks(papers, source, unit)
    except UnfitError:
        return None
    if bought is None:
        return None
    used = bought.value - (left.value if left else 0)
    if stock:
        used += stock["opening"].value - stock["closing"].value
    return used


@question_of_all(
    "stock-chain",
    source="one month's closing stock is the next's opening stock; no chance level",
)
def stock_chain(months: Sequence[ScreenedMonth]) -> Iterator[Result]:
    """Each source whose stock two consecutive months of a plant have."""
    for month in months:
        for later in months:
            if later.plant != month.plant or later.from_ns != month.to_ns:
                continue
            closing, opening = _stock(month, "closing"), _stock(later, "opening")
            for where in sorted(closing.keys() & opening.keys()):
                differs = closing[where] != opening[where]
                yield Result(
                    "stock-chain", month.plant, later.month, where,
                    f"{float(opening[where] - closing[where]):+.2f}", None,
                    10.0 if differs else 0.0,
                    facts={
                        "closing": f"{float(closing[where]):.2f}", "before": month.month,
                        "opening": f"{float(opening[where]):.2f}",
                    },
                )  # fmt: skip


def _stock(month: ScreenedMonth, end: str) -> dict[str, Fraction]:
    """Source -> its stock at one end, of statement rows and of documents at that edge."""
    found: dict[str, Fraction] = {}
    papers = _papers(month)
    for source in sorted({p.about for p in month.papers if p.kind == "stock-take"}):
        for unit in ("t", "10^4 Nm3"):
            try:
                stock = stocks(papers, source, unit)
            except UnfitError:
                continue
            if stock:
                found[source] = stock[end].value
    return found


def _papers(month: ScreenedMonth) -> Papers:
    span = month.from_ns, month.to_ns
    return Papers(month.papers, span, span)
