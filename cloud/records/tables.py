"""A table as rows of cells, within bounds, and how a CSV file becomes one. Pure."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cloud.records.cells import Cell

BYTES_MAX = 4 * 1024 * 1024
ROWS_MAX, COLUMNS_MAX, TEXT_MAX = 1_000, 100, 2_000
_DELIMITERS = ",;\t"


class TableError(Exception):
    """A file that cannot be read as a table.

    Attributes:
        code: "type", "broken", "more", "bytes", "rows", "columns" or "empty".
    """

    def __init__(self, code: str, sentence: str = "") -> None:
        """Say which, and in a sentence what."""
        super().__init__(sentence or code)
        self.code = code


@dataclass(frozen=True)
class Table:
    """One sheet.

    Attributes:
        sheet: its name, "" of a CSV file.
        rows: row number from 1 -> column number from 1 -> cell; those that are not empty.
        unread: names of the workbook's other sheets.
    """

    sheet: str
    rows: Mapping[int, Mapping[int, Cell]]
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bounds:
    """How much of a file is read.

    Attributes:
        sheets: from the first; of others only the names.
        rows, columns: that a sheet may have.
    """

    sheets: int
    rows: int
    columns: int


#: a table that is imported, and the row of its headers
ONE_TABLE = Bounds(sheets=1, rows=ROWS_MAX + 1, columns=COLUMNS_MAX)


def read_csv(data: bytes) -> Table:
    """The table of a CSV file in UTF-8 or GB 18030, with commas, semicolons or tabs."""
    return Table("", collected(_csv_cells(data), ONE_TABLE))


def collected(cells: Iterator[tuple[int, int, Cell]], bounds: Bounds) -> dict[int, dict[int, Cell]]:
    """Cells by row and column, empty ones left out; TableError when there are too many."""
    rows = dict[int, dict[int, Cell]]()
    for row, column, cell in cells:
        if cell == Cell(""):
            continue
        if column > bounds.columns:
            raise TableError("columns", f"it has more than {bounds.columns} columns")
        rows.setdefault(row, {})[column] = cell
        if len(rows) > bounds.rows:
            raise TableError("rows", f"it has more than {bounds.rows} rows")
    return rows


def text_cell(text: str) -> Cell:
    """A cell of text; longer than any field may be is cut, and so refused by its field."""
    return Cell(text.strip()[: TEXT_MAX + 1])


def _csv_cells(data: bytes) -> Iterator[tuple[int, int, Cell]]:
    text = _decoded(data)
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for number, row in enumerate(reader, 1):
            for column, value in enumerate(row, 1):
                yield number, column, _csv_cell(value)
    except csv.Error as error:
        raise TableError("broken") from error


def _csv_cell(value: str) -> Cell:
    cell = text_cell(value)
    return Cell(cell.text[:40], "formula") if cell.text.startswith("=") else cell


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030")
