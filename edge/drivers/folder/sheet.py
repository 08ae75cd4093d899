"""An XLSX file's bytes to rows; the only file that touches openpyxl (extra `xlsx`).

An XLSX file is a ZIP archive of XML. How large it becomes is looked up before anything is
unpacked, and Python's zipfile unpacks no more than that; what it takes as objects in `parts`.
"""

import importlib
import importlib.util
import io
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

from edge.drivers.folder.content import ROWS_MAX, FileRefusedError, Line, check_header
from edge.drivers.folder.parts import Archive
from firmware_configs.row_source import FolderSource

MEMBERS_MAX = 1_000
UNPACKED_MAX = 64 * 2**20
SHEET_COLUMNS_MAX = 1_000


def is_installed() -> bool:
    """True when openpyxl is there."""
    return importlib.util.find_spec("openpyxl") is not None


def sheet_lines(data: bytes, source: FolderSource) -> Iterator[Line]:
    """The rows of the declared sheet: values, never formulas; empty rows are left out.

    Raises:
        FileRefusedError: it is no XLSX file, too large unpacked, or not as declared.
    """
    _check_size(data)
    # It has one for each date that is none, which would fill log and memory.
    warnings.filterwarnings("ignore", module=r"openpyxl\.")
    try:
        reader = importlib.import_module("openpyxl.reader.excel").ExcelReader(
            io.BytesIO(data), read_only=True, data_only=True, keep_links=False
        )
        reader.archive = Archive(io.BytesIO(data))
        reader.read()  # as load_workbook does
        book = reader.wb
    except FileRefusedError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a strange file makes the library raise
        raise FileRefusedError(f"it is no XLSX file: {_told(error)}") from None
    try:
        if source.sheet not in book.sheetnames:
            names = " ".join(book.sheetnames)[:200]
            raise FileRefusedError(f"it has no sheet {source.sheet!r}, but {names!r}")
        yield from _lines(book[source.sheet], source)
    finally:
        book.close()


def _lines(sheet: Any, source: FolderSource) -> Iterator[Line]:  # noqa: ANN401 - openpyxl's
    width = len(source.rows.columns)
    is_header = True
    if not hasattr(sheet, "iter_rows"):
        raise FileRefusedError(f"sheet {source.sheet!r} is a chart")
    sheet.reset_dimensions()  # what the file says of its size is not to be believed
    rows = sheet.iter_rows(values_only=True, max_col=SHEET_COLUMNS_MAX)
    number = 0
    while True:
        try:
            cells = next(rows, None)
        except FileRefusedError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a strange file makes the library raise
            raise FileRefusedError(f"row {number + 1} cannot be read: {_told(error)}") from None
        if cells is None:
            break
        number += 1
        if number > ROWS_MAX:
            raise FileRefusedError(f"it has more than {ROWS_MAX} rows")
        row = _cut(cells, width)
        if is_header:
            check_header(row, source)
            is_header = False
        elif any(cell is not None for cell in row):
            yield number, row
    if is_header:
        raise FileRefusedError("its sheet is empty: a header is required")


def _cut(cells: Sequence[object], width: int) -> list[object]:
    """The cells without the empty ones behind; at least `width`."""
    row = [cell.strip(" ") or None if isinstance(cell, str) else cell for cell in cells]
    while len(row) > width and row[-1] is None:
        row.pop()
    return row + [None] * (width - len(row))


def _check_size(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError) as error:
        raise FileRefusedError(f"it is no XLSX file: {_told(error)}") from None
    if len(members) > MEMBERS_MAX:
        raise FileRefusedError(f"it holds more than {MEMBERS_MAX} parts")
    if any(member.flag_bits & 1 for member in members):
        raise FileRefusedError("it is encrypted")
    if sum(member.file_size for member in members) > UNPACKED_MAX:
        raise FileRefusedError(f"it is more than {UNPACKED_MAX >> 20} MiB unpacked")


def _told(error: Exception) -> str:
    return " ".join(str(error).split())[:100] or type(error).__name__
