"""A spreadsheet of whatever form as a table. Pure; nothing is evaluated, nothing executed."""

from cloud.records.media import CSV, XLSX, type_of
from cloud.records.tables import BYTES_MAX, ONE_TABLE, Table, TableError, read_csv
from cloud.records.workbook import read_workbook


def read_table(data: bytes) -> Table:
    """The table of a CSV file, or of the first sheet of a workbook.

    Raises:
        TableError: it is neither, is broken, empty, or larger than may be.
    """
    if len(data) > BYTES_MAX:
        raise TableError("bytes")
    readers = {CSV: read_csv, XLSX: _first_sheet}
    reader = readers.get(type_of(data) or "")
    if reader is None:
        raise TableError("type")
    table = reader(data)
    if not table.rows:
        raise TableError("empty")
    return table


def _first_sheet(data: bytes) -> Table:
    book = read_workbook(data, ONE_TABLE)
    if not book.names:
        raise TableError("empty")
    return Table(book.names[0], book.sheets[0], book.names[1:])
