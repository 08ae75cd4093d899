"""The platform's own export held against the archives: every cell that differs, lacks or is extra.

Cells are found by their labels, never by their places: by sheet, then by what stands left of a row.
Full width, spaces and "/" make no difference, nor do superscripts in units. Pure.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from cloud.outputs.book import Book, Page, material_of
from cloud.outputs.figures import kinds_of
from cloud.outputs.layout import Sheet
from cloud.records.cells import Cell
from cloud.records.tables import Bounds
from cloud.records.workbook import SHEETS_MAX, letters, read_workbook

DIFFERS, MISSING, EXTRA = "differs", "missing", "extra"
#: columns that say which row it is, from the left
_LABELS = ("line_type", "line_name", "source", "material", "item")
#: columns beside the figures that are compared too
_BESIDE = ("basis", "direct", "unit")
_DASHES = {"", "-", "--", "/", "—", "——", "无"}
EXPORT = Bounds(sheets=SHEETS_MAX, rows=20_000, columns=200)


@dataclass(frozen=True)
class Found:
    """A cell as it was found, not empty.

    Attributes:
        text: what it holds.
        place: "Sheet!B12", for people.
        is_formula: it holds a formula, and `text` is that.
    """

    text: str
    place: str
    is_formula: bool


Key = tuple[str, ...]
#: in order; column number from 1, from the left -> cell
Rows = Sequence[Mapping[int, Found]]


@dataclass(frozen=True)
class Difference:
    """One cell that is not as it is sealed.

    Attributes:
        kind: "differs", "missing" or "extra".
        sheet: its sheet.
        row: the labels of its row, from the left.
        column: its heading.
        sealed: what the archive gives, "" for nothing.
        found: what the export has, "" for nothing.
        place: where it stands in the export, "" where it is missing.
    """

    kind: str
    sheet: str
    row: str
    column: str
    sealed: str
    found: str
    place: str


@dataclass(frozen=True)
class _Line:
    """A row of the export.

    Attributes:
        shown: its labels, as they are.
        cells: column of the layout, or "m10" for October -> cell.
    """

    shown: str
    cells: Mapping[str, Found]


def read_export(data: bytes) -> Mapping[str, Rows]:
    """Sheet name -> its rows, without empty ones.

    Raises:
        TableError: it is no XLSX file, is larger than any export is, or holds more than figures.
    """
    book = read_workbook(data, EXPORT)
    return {
        name: [_found(name, row, cells) for row, cells in sorted(sheet.items())]
        for name, sheet in zip(book.names, book.sheets, strict=True)
    }


def _found(sheet: str, row: int, cells: Mapping[int, Cell]) -> Mapping[int, Found]:
    return {
        column: Found(cell.text, f"{sheet}!{letters(column)}{row}", cell.problem == "formula")
        for column, cell in sorted(cells.items())
    }


def compare(book: Book, export: Mapping[str, Rows]) -> list[Difference]:
    """What differs between the archives' workbook and an export, sheet by sheet."""
    sheets = {same(name): rows for name, rows in export.items()}
    found: list[Difference] = []
    for page in book.pages:
        if page.sheet.holds in ("enterprise", "units"):
            found += _page(book, page, sheets.get(same(page.sheet.title)))
    return found


def same(text: str) -> str:
    """A label without what does not tell it from another."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(mark for mark in plain if not mark.isspace() and mark not in "/-_^·・()")


def _page(book: Book, page: Page, rows: Rows | None) -> Iterator[Difference]:
    of = _Sheet(book, page.sheet)
    if rows is None or (lines := _lines(of, rows)) is None:
        if any(row.values for row in page.rows):
            yield Difference(MISSING, of.title, "", "", of.title, "", "")
        return
    months = [int(month.month[5:]) for month in book.months]
    seen = set()
    for row in page.rows:
        key = of.key(row.texts)
        seen.add(key)
        line = lines[key][0] if key in lines else None
        if row.is_ours:
            for month in months:
                sealed = row.values[month].text if month in row.values else ""
                yield from _figure(of, key, line, month, sealed)
            if line is not None and row.values:
                yield from _beside(of, row.texts, line)
    again = [line for key in seen & lines.keys() for line in lines[key][1:]]
    others = {key: found for key, found in lines.items() if key not in seen}
    for month in months:
        for line in [*again, *_busy(others, month)]:
            yield from _figure(of, (), line, month, "")


def not_compared(book: Book) -> list[str]:
    """Items of the platform for which archives have no figure."""
    return [row.texts["item"] for page in book.pages for row in page.rows if not row.is_ours]


def _figure(
    of: "_Sheet", key: Key, line: _Line | None, month: int, sealed: str
) -> Iterator[Difference]:
    cell = line.cells.get(f"m{month}") if line is not None else None
    shown = line.shown if line is not None else " · ".join(filter(None, key))
    column = of.heading(f"m{month}")
    if cell is None or cell.text in _DASHES:
        if sealed:
            yield Difference(MISSING, of.title, shown, column, sealed, "", "")
    elif not sealed:
        if _number(cell.text) != 0:
            yield Difference(EXTRA, of.title, shown, column, "", cell.text, cell.place)
    elif cell.is_formula or _number(cell.text) != Decimal(sealed):
        yield Difference(DIFFERS, of.title, shown, column, sealed, cell.text, cell.place)


def _beside(of: "_Sheet", texts: Mapping[str, str], line: _Line) -> Iterator[Difference]:
    for column in _BESIDE:
        cell, sealed = line.cells.get(column), texts.get(column, "")
        # an export without the column, or without a word in it, contradicts nothing
        if cell is not None and sealed and cell.text and same(cell.text) != same(sealed):
            heading = of.heading(column)
            yield Difference(DIFFERS, of.title, line.shown, heading, sealed, cell.text, cell.place)


def _busy(others: Mapping[Key, Sequence[_Line]], month: int) -> Iterator[_Line]:
    """Rows that the archives do not have, of materials of which something was used.

    The platform lists materials of other months with their factors and an amount of 0.
    """
    busy = {
        key[:-1]
        for key, lines in others.items()
        if any(_counts(line) and _amount(line, month) for line in lines)
    }
    for key, lines in others.items():
        if key[:-1] in busy:
            yield from lines


def _counts(line: _Line) -> bool:
    """Its figure is an amount and no factor, by its unit; one without a unit may be."""
    unit = line.cells.get("unit")
    plain = unicodedata.normalize("NFKC", unit.text).casefold() if unit is not None else ""
    return "/" not in plain and "%" not in plain


def _amount(line: _Line, month: int) -> str:
    """What stands there, "" for nothing and for zero."""
    cell = line.cells.get(f"m{month}")
    if cell is None or cell.text in _DASHES or _number(cell.text) == 0:
        return ""
    return cell.text


class _Sheet:
    """A sheet of the layout, as the export is read by it."""

    def __init__(self, book: Book, sheet: Sheet) -> None:
        self._layout, self._sheet = book.layout, sheet
        self._called = _other_names(book, sheet)
        self.title = sheet.title
        self.labels = [column for column in _LABELS if column in sheet.columns]
        columns = [column for column in sheet.columns if column not in ("months", "year")]
        months = [f"m{month}" for month in range(1, 13)]
        self.wanted = {same(self.heading(name)): name for name in (*columns, *months)}

    def heading(self, column: str) -> str:
        """What stands above a column; "m10" is October's."""
        if column[1:].isdigit():
            return self._layout.heading(self._sheet, "month").format(month=int(column[1:]))
        return self._layout.heading(self._sheet, column)

    def key(self, texts: Mapping[str, str]) -> Key:
        """A row's labels as they are compared."""
        plain = {label: same(texts.get(label, "")) for label in self.labels}
        material = plain.get("source", ""), plain.get("material", "")
        if material in self._called:
            plain["material"] = self._called[material]
        return tuple(plain.values())


def _other_names(book: Book, sheet: Sheet) -> dict[tuple[str, str], str]:
    """(source, another name of a material) -> its name in our workbook, as they are compared."""
    rules = book.months[-1].rules
    return {
        (same(block.source), same(name)): same(material_of(book.layout, block, rules, kind.id))
        for block in sheet.blocks
        for kind in kinds_of(rules, block.category).values()
        for name in kind.names
    }


def _lines(of: _Sheet, rows: Rows) -> dict[Key, list[_Line]] | None:
    """Rows by their labels; None where no row of headings is found."""
    at, columns = _header(of, rows)
    if at < 0:
        return None
    found: dict[Key, list[_Line]] = {}
    before: dict[str, str] = {}
    for row in rows[at + 1 :]:
        cells = {name: row[c] for name, c in columns.items() if c in row}
        texts = {label: cells[label].text if label in cells else "" for label in of.labels}
        if not texts.get("item"):
            continue
        # a merged cell's label stands in its first row only
        for n, label in enumerate(of.labels[:-1]):
            if not texts[label] and all(
                same(texts[left]) == same(before.get(left, "")) for left in of.labels[:n]
            ):
                texts[label] = before.get(label, "")
        before = texts
        line = _Line(" · ".join(filter(None, texts.values())), cells)
        found.setdefault(of.key(texts), []).append(line)
    return found


def _header(of: _Sheet, rows: Rows) -> tuple[int, Mapping[str, int]]:
    """(row number, column -> its number) of the headings; -1 where there are none."""
    item = same(of.heading("item"))
    for number, row in enumerate(rows):
        names = {column: same(cell.text) for column, cell in row.items()}
        places: dict[str, int] = {}
        for column, name in names.items():
            if name in of.wanted:
                places.setdefault(of.wanted[name], column)
        if item in names.values() and any(place[1:].isdigit() for place in places):
            return number, places
    return -1, {}


def _number(text: str) -> Decimal | None:
    """A figure as people and platforms write it; None for what is none."""
    plain = unicodedata.normalize("NFKC", text).replace(",", "").replace(" ", "")
    try:
        value = Decimal(plain)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
