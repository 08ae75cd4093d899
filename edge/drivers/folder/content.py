"""A file's bytes to rows with their line numbers. Pure.

A file whose form is not the declared one is refused whole; a row that is wrong costs itself.
"""

import csv
import io
from collections.abc import Iterator, Sequence

from firmware_configs.row_source import FolderSource

ROWS_MAX = 100_000  # of one file, and of its lines
_CODECS = {"utf-8": "utf-8-sig", "gbk": "gbk"}

#: line of the file (from 1), its cells (None for empty ones) or why it is no row
Line = tuple[int, Sequence[object] | str]


class FileRefusedError(Exception):
    """A file that is not of the declared form; the text says why."""


def csv_lines(data: bytes, source: FolderSource) -> Iterator[Line]:
    """The rows of a CSV file (RFC 4180 with the declared delimiter).

    Raises:
        FileRefusedError: its encoding, header or number of lines is not what was declared.
    """
    try:
        text = data.decode(_CODECS[source.encoding])
    except UnicodeDecodeError as error:
        raise FileRefusedError(f"byte {error.start} is not {source.encoding}") from None
    if "\0" in text:
        raise FileRefusedError("it holds a NUL: it is no text, or was not written whole")
    lines = _records(text, source.delimiter)
    _, header = next(lines, (1, []))
    if isinstance(header, str):
        raise FileRefusedError(f"its header {header}")
    if not header:
        raise FileRefusedError("it does not begin with a header")
    check_header(header, source)
    yield from ((line, cells) for line, cells in lines if cells)


def _records(text: str, delimiter: str) -> Iterator[Line]:
    """Each record with the number of its first line; [] for an empty line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        first = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield first, f"is not CSV: {error}"
            continue
        if reader.line_num > ROWS_MAX:
            raise FileRefusedError(f"it has more than {ROWS_MAX} lines")
        yield first, [cell.strip(" ") or None for cell in cells]


def check_header(cells: Sequence[object], source: FolderSource) -> None:
    """FileRefusedError unless the header is exactly the profile's columns."""
    if list(cells) != list(source.rows.columns):
        shown = " ".join(str(name) for name in cells)[:200]
        wanted = " ".join(source.rows.columns)[:200]
        raise FileRefusedError(f"its header is {shown!r}, not {wanted!r}")
