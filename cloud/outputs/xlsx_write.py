"""A book as the bytes of an XLSX file: the same book, the same bytes. Touches openpyxl.

Text is written as text whatever it begins with: "=1+1" from an archive is never a formula.
"""

import io
import re
import zipfile
from collections.abc import Sequence
from decimal import Decimal

from openpyxl import Workbook  # type: ignore[import-untyped]  # it has no types
from openpyxl.cell import Cell as SheetCell  # type: ignore[import-untyped]  # it has no types
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side  # type: ignore[import-untyped]  # it has no types
from openpyxl.worksheet.worksheet import Worksheet  # type: ignore[import-untyped]  # it has no types

from cloud.outputs.blocks import for_xml
from cloud.outputs.book import Book
from cloud.outputs.sheets import NOTES, Cell, notes_cells, sheet_cells, title_of

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # a zip knows no time before
_WRITTEN = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
_WIDTH_MIN, _WIDTH_MAX = 8, 40
_THIN = Side(style="thin", color="B0B8B4")


def workbook_bytes(book: Book) -> bytes:
    """The workbook of a book."""
    pages = [(title_of(page.sheet), sheet_cells(book, page)) for page in book.pages]
    return sheets_bytes([*pages, (NOTES, notes_cells(book))])


def sheets_bytes(sheets: Sequence[tuple[str, Sequence[Sequence[Cell]]]]) -> bytes:
    """A workbook of some sheets: (title, rows) of each."""
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for title, rows in sheets:
        _fill(workbook.create_sheet(title), rows)
    out = io.BytesIO()
    workbook.save(out)
    return _without_times(out.getvalue())


def _fill(sheet: Worksheet, rows: Sequence[Sequence[Cell]]) -> None:
    widths: dict[int, int] = {}
    for r, row in enumerate(rows, 1):
        for c, cell in enumerate(row, 1):
            if cell.text:
                _put(sheet.cell(r, c), cell)
            if cell.look != "band" and len(row) > 1:
                widths[c] = max(widths.get(c, _WIDTH_MIN), 2 * len(cell.text))
    heads = [r for r, row in enumerate(rows, 1) if any(cell.look == "head" for cell in row)]
    if heads:
        sheet.freeze_panes = f"A{heads[0] + 1}"
    for column, width in widths.items():
        letter = sheet.cell(1, column).column_letter
        sheet.column_dimensions[letter].width = min(width, _WIDTH_MAX)
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _put(at: SheetCell, cell: Cell) -> None:
    if cell.is_number:
        at.value, at.number_format = Decimal(cell.text), cell.format
    else:
        at.value = for_xml(cell.text)
        at.data_type = "s"  # openpyxl would make a formula of what begins with "="
        at.quotePrefix = cell.text[:1] in "=+-@"
    if cell.look == "head":
        at.font, at.fill = Font(bold=True), PatternFill("solid", fgColor="E3EFE9")
        at.alignment = Alignment(wrap_text=True, vertical="center")
    elif cell.look == "band":
        at.font, at.fill = Font(bold=True, color="9C2A10"), PatternFill("solid", fgColor="FBE5DC")
    else:
        at.border = Border(bottom=_THIN)


def _without_times(data: bytes) -> bytes:
    """The same package without the time of writing."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = _WRITTEN.sub(rb"\g<1>1980-01-01T00:00:00Z", content)
            new.writestr(zipfile.ZipInfo(name, _EARLIEST), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()
