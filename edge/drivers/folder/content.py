"""A file's bytes to rows with their line numbers. Pure.

A file whose form is not the declared one is refused whole; a row that is wrong costs itself.
"""

import csv
import re
from collections.abc import Iterator, Sequence

from firmware_configs.row_source import FolderSource

ROWS_MAX = 100_000  # of one file, and of its lines
#: Of one row, however many lines it goes over: a row of 16 MiB would be a million cells.
ROW_CHARS_MAX = 100_000
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n|\Z)")
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
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.room = ROW_CHARS_MAX
        first = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield first, f"is not CSV: {error}"
            continue
        if lines.number > ROWS_MAX:
            raise FileRefusedError(f"it has more than {ROWS_MAX} lines")
        yield first, [cell.strip(" ") or None for cell in cells]


class _Lines:
    """A text's lines with their ends, as csv.reader takes them.

    Attributes:
        number: of the last one taken, from 1.
        room: characters that may still be taken; csv.Error at the line that is too much.
    """

    def __init__(self, text: str) -> None:
        self._found = _LINE.finditer(text)
        self.room = self.number = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        found = next(self._found)
        if found.end() == found.start():
            raise StopIteration  # behind the last line
        self.number += 1
        self.room -= found.end() - found.start()
        if self.room < 0:
            raise csv.Error(f"it has more than {ROW_CHARS_MAX} characters")
        return found[0]


def check_header(cells: Sequence[object], source: FolderSource) -> None:
    """FileRefusedError unless the header is exactly the profile's columns."""
    if list(cells) != list(source.rows.columns):
        shown = " ".join(str(name) for name in cells)[:200]
        wanted = " ".join(source.rows.columns)[:200]
        raise FileRefusedError(f"its header is {shown!r}, not {wanted!r}")
