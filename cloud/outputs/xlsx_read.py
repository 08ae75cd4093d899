"""A spreadsheet from outside as plain cells, or a refusal. Touches openpyxl and defusedxml's guard.

An XLSX file is a ZIP of XML that anybody may have made: how large it becomes is looked up before
anything is unpacked (Python unpacks no more than that), links to other files and programs are
refused, and formulas are told apart from values.
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import openpyxl  # type: ignore[import-untyped]  # openpyxl has no types of its own

from cloud.outputs.errors import OutputError

FILE_BYTES_MAX = 16 * 2**20
MEMBERS_MAX = 500
UNPACKED_MAX = 64 * 2**20
SHEETS_MAX, ROWS_MAX, COLUMNS_MAX, CELLS_MAX, TEXT_MAX = 100, 20_000, 200, 500_000, 2_000
#: parts that make a file more than figures
_REFUSED = {
    "xl/vbaProject.bin": "macros",
    "xl/externalLinks/": "links to other files",
    "xl/connections.xml": "connections to data elsewhere",
    "xl/embeddings/": "embedded objects",
    "xl/activeX/": "controls",
}


@dataclass(frozen=True)
class Found:
    """A cell as it was found.

    Attributes:
        text: what it holds; a number as its shortest decimal string.
        place: "Sheet!B12", for people.
        is_formula: it holds a formula, and `text` is that.
    """

    text: str
    place: str
    is_formula: bool = False


def read_sheets(data: bytes) -> Mapping[str, Sequence[Sequence[Found]]]:
    """Sheet name -> rows of cells; blank ones are "" and rows may be of different lengths.

    Raises:
        OutputError: it is no XLSX file, is larger than any export is, or holds more than figures.
    """
    _check_package(data)
    try:
        book = openpyxl.load_workbook(
            io.BytesIO(data), read_only=True, data_only=False, keep_links=False
        )
    except Exception as error:
        raise OutputError(f"it is no XLSX file: {_told(error)}") from error
    try:
        if len(book.sheetnames) > SHEETS_MAX:
            raise OutputError(f"it has more than {SHEETS_MAX} sheets")
        left = CELLS_MAX
        sheets: dict[str, Sequence[Sequence[Found]]] = {}
        for name in book.sheetnames:
            if hasattr(book[name], "iter_rows"):  # a chart has no cells
                sheets[name] = _rows(book[name], name, left)
                left -= sum(map(len, sheets[name]))
        return sheets
    finally:
        book.close()


def _check_package(data: bytes) -> None:
    if not openpyxl.DEFUSEDXML:
        raise OutputError("defusedxml is not installed: pip install 'stackproof[cloud]'")
    if len(data) > FILE_BYTES_MAX:
        raise OutputError(f"it has {len(data)} bytes; at most {FILE_BYTES_MAX} are read")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            members = package.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError) as error:
        raise OutputError(f"it is no XLSX file: {_told(error)}") from error
    names = [member.filename for member in members]
    if len(members) > MEMBERS_MAX or sum(m.file_size for m in members) > UNPACKED_MAX:
        raise OutputError(f"unpacked it has more than {UNPACKED_MAX} bytes or {MEMBERS_MAX} parts")
    if len(set(names)) != len(names) or any(member.flag_bits & 1 for member in members):
        raise OutputError("it is encrypted, or has a part twice")
    for name in names:
        for start, what in _REFUSED.items():
            if name.startswith(start):
                raise OutputError(f"it holds {what} ({name[:80]}): export it without them")


def _rows(sheet: Any, name: str, left: int) -> list[list[Found]]:  # noqa: ANN401 - openpyxl's own
    sheet.reset_dimensions()  # what the file says of its size is not to be believed
    rows: list[list[Found]] = []
    try:
        for number, cells in enumerate(sheet.iter_rows(max_col=COLUMNS_MAX), 1):
            left -= len(cells)
            _check_room(number, left)
            rows.append(_trimmed([_found(cell, name) for cell in cells]))
    except OutputError:
        raise
    except Exception as error:
        raise OutputError(f"sheet {name[:40]!r} cannot be read: {_told(error)}") from error
    return rows


def _check_room(rows: int, cells_left: int) -> None:
    if rows > ROWS_MAX or cells_left < 0:
        raise OutputError(f"it has more than {ROWS_MAX} rows or {CELLS_MAX} cells")


def _found(cell: Any, sheet: str) -> Found:  # noqa: ANN401 - openpyxl's own
    value = cell.value
    if value is None:
        return Found("", sheet)
    place = f"{sheet}!{cell.column_letter}{cell.row}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        text = str(value)[:TEXT_MAX].strip()
    elif isinstance(value, float) and value == value // 1 and abs(value) < 1e15:
        text = str(int(value))
    else:
        text = repr(value)
    return Found(text, place, is_formula=cell.data_type == "f")


def _trimmed(row: list[Found]) -> list[Found]:
    while row and not row[-1].text:
        row.pop()
    return row


def _told(error: Exception) -> str:
    """The library's words without what could steer a terminal."""
    return "".join(c for c in str(error) if c.isprintable())[:200] or type(error).__name__
