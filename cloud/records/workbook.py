"""The first sheet of an XLSX workbook (ECMA-376), as the file writes it. Pure.

No library of spreadsheets: they hand out binary fractions, where a figure that is signed must be
the decimal that was typed. Parts are read with a limit each, whatever a zip says of its sizes;
entities are refused by defusedxml.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException  # type: ignore[import-untyped]  # it has no types
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]  # it has no types

from cloud.records.cells import Cell, format_of, number_cell
from cloud.records.tables import Table, TableError, collected, text_cell

PART_BYTES_MAX = 16 * 1024 * 1024
SHEETS_MAX, NAME_MAX = 100, 100
_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})", re.ASCII)
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, ParseError, DefusedXmlException, ValueError, KeyError,
    NotImplementedError, EOFError, OSError, RuntimeError,
)  # fmt: skip


@dataclass(frozen=True)
class _Book:
    """What the cells of a sheet refer to."""

    texts: Sequence[str]
    formats: Sequence[str]
    is_1904: bool


def read_workbook(data: bytes) -> Table:
    """The first sheet; TableError when it cannot be read, or is larger than may be."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return _read(package)
    except _UNREADABLE as error:
        raise TableError("broken") from error


def _read(package: zipfile.ZipFile) -> Table:
    book = _part(package, "xl/workbook.xml")
    sheets = _named(book, "sheet")[:SHEETS_MAX]
    names = [sheet.attrib["name"][:NAME_MAX] for sheet in sheets]
    if not sheets:
        raise TableError("empty")
    ids = [sheets[0].attrib.get(f"{{{space}}}id", "") for space in (_RELATION, _STRICT)]
    links = _part(package, "xl/_rels/workbook.xml.rels")
    targets = [one.attrib["Target"] for one in links if one.attrib["Id"] in ids]
    if len(targets) != 1:
        raise TableError("broken")
    target = targets[0]
    path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    settings = _named(book, "workbookPr")
    known = _Book(
        texts=_texts(package),
        formats=_formats(package),
        is_1904=any(one.attrib.get("date1904") in ("1", "true") for one in settings),
    )
    sheet = _part(package, path)
    return Table(names[0], collected(_cells(sheet, known)), tuple(names[1:]))


def _part(package: zipfile.ZipFile, name: str) -> Element:
    with package.open(name) as file:
        data = file.read(PART_BYTES_MAX + 1)
    if len(data) > PART_BYTES_MAX:
        raise TableError("bytes")
    found: Element = fromstring(data)
    return found


def _named(element: Element, name: str) -> list[Element]:
    """All of a local name below: there are two namespaces for the same."""
    return [one for one in element.iter() if _local(one) == name]


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _text_of(element: Element) -> str:
    """All runs of a text, without the readings (rPh) that stand above it."""
    parts = []
    for child in element:
        if _local(child) == "t":
            parts.append(child.text or "")
        elif _local(child) == "r":
            parts.append(_text_of(child))
    return "".join(parts)


def _texts(package: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in package.namelist():
        return []
    root = _part(package, "xl/sharedStrings.xml")
    return [_text_of(one) for one in root if _local(one) == "si"]


def _formats(package: zipfile.ZipFile) -> list[str]:
    if "xl/styles.xml" not in package.namelist():
        return []
    root = _part(package, "xl/styles.xml")
    codes = {one.attrib["numFmtId"]: one.attrib["formatCode"] for one in _named(root, "numFmt")}
    used = [one for part in root if _local(part) == "cellXfs" for one in part]
    ids = [one.attrib.get("numFmtId", "0") for one in used]
    return [format_of(int(number), codes.get(number, "")) for number in ids]


def _cells(sheet: Element, book: _Book) -> Iterator[tuple[int, int, Cell]]:
    row_number = 0
    for row in _named(sheet, "row"):
        row_number = int(row.attrib.get("r", row_number + 1))
        column = 0
        for cell in row:
            if _local(cell) != "c":
                continue
            column = _column(cell.attrib.get("r"), column + 1)
            yield row_number, column, _cell(cell, book)


def _column(reference: str | None, following: int) -> int:
    if reference is None:
        return following
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise TableError("broken")
    number = 0
    for letter in match[1]:
        number = number * 26 + ord(letter) - 64
    return number


def letters(column: int) -> str:
    """A column's name: 1 is A, 27 is AA."""
    name = ""
    while column:
        column, letter = divmod(column - 1, 26)
        name = chr(65 + letter) + name
    return name


def _cell(cell: Element, book: _Book) -> Cell:
    parts: dict[str, Any] = {_local(child): child for child in cell}
    raw = (parts["v"].text or "").strip() if "v" in parts else ""
    if "f" in parts:  # the value beside it is what some program once made of it
        return Cell(raw[:40], "formula")
    kind = cell.attrib.get("t", "n")
    if kind == "inlineStr":
        return text_cell(_text_of(parts["is"]) if "is" in parts else "")
    return Cell("") if raw == "" else _valued(kind, raw, cell.attrib.get("s", "0"), book)


def _valued(kind: str, raw: str, style: str, book: _Book) -> Cell:
    """A cell that has a value of its own: text, logical, error or number."""
    if kind == "s":
        return text_cell(book.texts[_index(raw, len(book.texts))])
    if kind in ("str", "d"):
        return text_cell(raw)
    if kind == "b":
        return Cell({"1": "true", "0": "false"}.get(raw, raw[:40]))
    if kind == "e":
        return Cell(raw[:40], "error")
    shown = book.formats[_index(style, len(book.formats))] if book.formats else "number"
    return number_cell(raw, shown, is_1904=book.is_1904)


def _index(text: str, count: int) -> int:
    if not 0 <= int(text) < count:
        raise TableError("broken")
    return int(text)
