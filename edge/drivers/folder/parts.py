"""An XLSX file's parts, looked through before openpyxl gets them.

openpyxl makes an object of each tag, a whole row at a time and most parts as one: 20 kB of file are
64 MiB of `<c/>`, and gigabytes then. Hence tags are counted first. That takes text in which each
`<` is a tag: UTF-8 (expat knows others, and asks Python for more), without entities, comments or
CDATA, which no program writes into these parts.
"""

import re
import zipfile
from typing import IO, Literal

from edge.drivers.folder.content import FileRefusedError

PART_TAGS_MAX = 500_000  # of a part without rows; 100,000 shared strings are 400,000
ROW_TAGS_MAX = 100_000  # within a row, and before the first and behind the last
SHEET_TAGS_MAX = 8_000_000  # a cell is four, with a formula six
_BLOCK = 2**20
_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml\s([^>]*)\?>)?")
_ENCODING = re.compile(rb"encoding\s*=\s*[\"']([^\"']*)")
_PLAIN = (b"utf-8", b"utf8", b"us-ascii")
_ROW_END = re.compile(rb"</(?:[^<>/\s:]+:)?row\s*>")


class Archive(zipfile.ZipFile):
    """One whose parts are refused (`FileRefusedError`) where they would take too much to read."""

    def open(
        self,
        name: str | zipfile.ZipInfo,
        mode: Literal["r", "w"] = "r",
        pwd: bytes | None = None,
        *,
        force_zip64: bool = False,
    ) -> IO[bytes]:
        """As of ZipFile, whose `read` comes here too."""
        with super().open(name) as part:
            _check(part)
        return super().open(name, mode, pwd, force_zip64=force_zip64)


def _check(part: IO[bytes]) -> None:
    held = part.read(_BLOCK)
    began = _START.match(held)
    told = _ENCODING.search((began and began[1]) or b"")
    if told is not None and told[1].lower() not in _PLAIN:
        raise FileRefusedError("a part of it is not UTF-8")
    held = held[began.end() if began else 0 :]
    tags, of_row, of_widest, has_rows = 0, 0, 0, False
    while held:
        block = part.read(_BLOCK)
        end = held.rfind(b"<") if block else len(held)  # the last tag may not be whole
        whole, held = held[: max(end, 0)], held[max(end, 0) :] + block
        if b"\0" in whole or b"<!" in whole or b"<?" in whole:
            raise FileRefusedError("a part of it holds a comment, entity or NUL")
        at = 0
        for row_end in [*_ROW_END.finditer(whole), None]:
            until = len(whole) if row_end is None else row_end.end()
            count = whole.count(b"<", at, until)
            tags, of_row, at = tags + count, of_row + count, until
            of_widest = max(of_widest, of_row)
            if row_end is not None:
                has_rows, of_row = True, 0
        most = SHEET_TAGS_MAX if has_rows else PART_TAGS_MAX
        if tags > most or of_widest > (ROW_TAGS_MAX if has_rows else PART_TAGS_MAX):
            raise FileRefusedError("a part or row of it holds more tags than there is room for")
