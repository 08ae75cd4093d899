"""A workbook's cells, made of a book. Pure: `xlsx_write` puts them into a file.

A number is a cell with the decimals of its own string, so that what is shown is that string; one
with more digits than a spreadsheet keeps is text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cloud.outputs.book import Book, Page, Row
from cloud.outputs.figures import decimals
from cloud.outputs.layout import UNVERIFIED, Layout, Sheet
from cloud.outputs.sealed import SealedMonth
from cloud.outputs.words import both, in_both

#: significant digits that a binary64, which is what a spreadsheet has, gives back as they were
DIGITS_MAX = 15
NOTES = "stackproof"
Look = Literal["plain", "head", "band"]


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: what it shows.
        is_number: it is a number and not text.
        look: how it is set.
    """

    text: str
    is_number: bool = False
    look: Look = "plain"

    @property
    def format(self) -> str:
        """A spreadsheet's number format that shows exactly `text`."""
        places = decimals(self.text)
        return f"0.{'0' * places}" if places else "0"


def number(text: str) -> Cell:
    """A figure's cell."""
    digits = text.lstrip("-").replace(".", "").lstrip("0")
    return Cell(text, is_number=bool(text) and len(digits) <= DIGITS_MAX)


def title_of(sheet: Sheet) -> str:
    """A sheet's name in a file, where "/" and others are not allowed."""
    return "".join("-" if mark in "/\\?*[]:" else mark for mark in sheet.title)[:31]


def sheet_cells(book: Book, page: Page) -> list[list[Cell]]:
    """The rows of a sheet: bands of warning, headings, rows."""
    layout, sheet = book.layout, page.sheet
    rows = [[Cell(text, look="band")] for text in bands(book, sheet)]
    rows.append([Cell(text, look="head") for text in _headings(layout, sheet)])
    beside = [Cell(book.beside_total, look="band")]
    return rows + [[*_row(row, sheet), *beside * row.is_total] for row in page.rows]


def bands(book: Book, sheet: Sheet | None = None) -> list[str]:
    """What must be seen before anything else, of the whole book or of one sheet."""
    told = [both("band.simulated")] if book.simulated else []
    confidence = book.layout.confidence if sheet is None else sheet.confidence
    told += [both("band.unverified")] if confidence == UNVERIFIED else []
    return told + [headline_of(m) for m in book.months if m.state.beside_total("en")]


def headline_of(month: SealedMonth) -> str:
    """Month, and its verdict and completeness in one line, in both languages."""
    return f"{month.month} {in_both(month.state.headline)}"


def _headings(layout: Layout, sheet: Sheet) -> Iterator[str]:
    for column in sheet.columns:
        if column == "months":
            for number_ in range(1, 13):
                yield layout.heading(sheet, "month").format(month=number_)
        else:
            yield layout.heading(sheet, column)


def _row(row: Row, sheet: Sheet) -> Iterator[Cell]:
    for column in sheet.columns:
        if column == "months":
            for month in range(1, 13):
                yield number(row.values[month].text) if month in row.values else Cell("")
        elif column == "year":
            yield number(row.year)
        else:
            yield Cell(row.texts.get(column, ""))


def notes_cells(book: Book) -> list[list[Cell]]:
    """The last sheet: where all this comes from, and how sure its form is."""
    layout = book.layout
    rows = [[Cell(text, look="band")] for text in bands(book)]
    rows.append([Cell(both("notes.layout")), Cell(layout.id), Cell(layout.confidence)])
    rows.append([Cell(both("notes.source")), Cell(layout.source)])
    rows += [[Cell(both("notes.sheet")), Cell(s.title), Cell(s.confidence)] for s in layout.sheets]
    rows.append([Cell(both("notes.rounding"))])
    head = ("month", "closing", "rule_set", "archive", "statement")
    rows.append([Cell(both(f"notes.{key}"), look="head") for key in head])
    rows += [
        [Cell(m.month), Cell(both(f"closing.{m.closing}")), Cell(str(m.output["rule_set"])),
         Cell(m.sha256), Cell(m.statement_sha256)]
        for m in book.months
    ]  # fmt: skip
    return rows + list(_open(book)) + list(_departures(book))


def _open(book: Book) -> Iterator[list[Cell]]:
    """The state of each month, and the sentences of what it lacks and what is to be explained."""
    yield [Cell(both("report.open"), look="head")]
    for month in book.months:
        yield [Cell(month.month), Cell(in_both(month.state.headline))]
        for issue in [*month.state.incomplete, *month.state.questions]:
            yield [Cell(month.month), Cell(issue.code), Cell(in_both(issue.sentence))]


def _departures(book: Book) -> Iterator[list[Cell]]:
    """The sentences of the report, in both languages: where months departed from the plan."""
    yield [Cell(both("report.plan"), look="head")]
    for month in book.months:
        planned = month.planned
        told = planned.problem or both("report.plan.kept" if planned.plan_sha256 else
                                       "report.plan.none")  # fmt: skip
        if not planned.departures:
            yield [Cell(month.month), Cell(told)]
        rows = zip(planned.sentences("zh"), planned.sentences("en"), strict=True)
        for (about, zh, _), (_, en, _) in rows:
            yield [Cell(month.month), Cell(about), Cell(f"{zh} / {en}")]
