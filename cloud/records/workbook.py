"""An XLSX workbook (ECMA-376) that anybody may have made, as the file writes it. Pure.

No library of spreadsheets: they hand out binary fractions, where a figure that is signed must be
the decimal that was typed. What a zip says of its sizes is looked up before anything is unpacked
(Python unpacks no more than that), and parts are read with a limit each; links to other files and
programs are refused, entities by defusedxml.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException  # type: ignore[import-untyped]  # it has no types
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]  # it has no types

from cloud.records.cells import Cell, format_of, number_cell
from cloud.records.tables import Bounds, TableError, collected, text_cell

FILE_BYTES_MAX = PART_BYTES_MAX = 16 * 1024 * 1024
PARTS_MAX, UNPACKED_MAX = 500, 4 * PART_BYTES_MAX
SHEETS_MAX, NAME_MAX, CELLS_MAX = 100, 100, 500_000
#: parts that make a file more than figures
_REFUSED = {
    "xl/vbaProject.bin": "macros",
    "xl/externalLinks/": "links to other files",
    "xl/connections.xml": "connections to data elsewhere",
    "xl/embeddings/": "embedded objects",
    "xl/activeX/": "controls",
}
_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})", re.ASCII)
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, ParseError, DefusedXmlException, ValueError, KeyError,
    NotImplementedError, EOFError, OSError, RuntimeError,
)  # fmt: skip


@dataclass(frozen=True)
class Workbook:
    """What was read of a file.

    Attributes:
        names: of all its sheets, in their order.
        sheets: those that were read, from the first: row number from 1 -> column number from 1 ->
            cell; those that are not empty. A merged cell is its first one.
    """

    names: tuple[str, ...]
    sheets: Sequence[Mapping[int, Mapping[int, Cell]]]


@dataclass(frozen=True)
class _Known:
    """What the cells of a sheet refer to."""

    texts: Sequence[str]
    formats: Sequence[str]
    is_1904: bool


def read_workbook(data: bytes, bounds: Bounds) -> Workbook:
    """The sheets of a workbook.

    Raises:
        TableError: it is none, is broken, is larger than may be, or holds more than figures.
    """
    if len(data) > FILE_BYTES_MAX:
        raise TableError("bytes", f"it has {len(data)} bytes; at most {FILE_BYTES_MAX} are read")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            _check(package.infolist())
            return _read(package, bounds)
    except _UNREADABLE as error:
        raise TableError("broken", "it is no XLSX file, or a broken one") from error


def _check(parts: Sequence[zipfile.ZipInfo]) -> None:
    names = [part.filename for part in parts]
    if len(parts) > PARTS_MAX or sum(part.file_size for part in parts) > UNPACKED_MAX:
        most = f"{UNPACKED_MAX} bytes or {PARTS_MAX} parts"
        raise TableError("bytes", f"unpacked it has more than {most}")
    if len(set(names)) != len(names) or any(part.flag_bits & 1 for part in parts):
        raise TableError("broken", "it is encrypted, or has a part twice")
    for start, what in _REFUSED.items():
        if any(name.startswith(start) for name in names):
            raise TableError("more", f"it holds {what} ({start}): export it without them")


def _read(package: zipfile.ZipFile, bounds: Bounds) -> Workbook:
    book = _part(package, "xl/workbook.xml")
    listed = _named(book, "sheet")
    if len(listed) > SHEETS_MAX:
        raise TableError("broken", f"it has more than {SHEETS_MAX} sheets")
    links = _part(package, "xl/_rels/workbook.xml.rels")
    settings = _named(book, "workbookPr")
    known = _Known(
        texts=_texts(package),
        formats=_formats(package),
        is_1904=any(one.attrib.get("date1904") in ("1", "true") for one in settings),
    )
    sheets, left = list[Mapping[int, Mapping[int, Cell]]](), CELLS_MAX
    for sheet in listed[: bounds.sheets]:
        cells = _cells(_part(package, _path(sheet, links)), known)
        sheets.append(collected(cells, bounds))
        left -= sum(map(len, sheets[-1].values()))
        if left < 0:
            raise TableError("rows", f"it has more than {CELLS_MAX} cells")
    return Workbook(tuple(sheet.attrib["name"][:NAME_MAX] for sheet in listed), sheets)


def _path(sheet: Element, links: Element) -> str:
    """The part that a sheet is, by its relation."""
    ids = [sheet.attrib.get(f"{{{space}}}id", "") for space in (_RELATION, _STRICT)]
    targets = [one.attrib["Target"] for one in links if one.attrib["Id"] in ids]
    if len(targets) != 1:
        raise TableError("broken", "it has a sheet without a part")
    target = targets[0]
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _part(package: zipfile.ZipFile, name: str) -> Element:
    with package.open(name) as file:
        data = file.read(PART_BYTES_MAX + 1)
    if len(data) > PART_BYTES_MAX:
        raise TableError("bytes", f"{name} has more than {PART_BYTES_MAX} bytes")
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


def _cells(sheet: Element, known: _Known) -> Iterator[tuple[int, int, Cell]]:
    row_number = 0
    for row in _named(sheet, "row"):
        row_number = int(row.attrib.get("r", row_number + 1))
        column = 0
        for cell in row:
            if _local(cell) != "c":
                continue
            column = _column(cell.attrib.get("r"), column + 1)
            yield row_number, column, _cell(cell, known)


def _column(reference: str | None, following: int) -> int:
    if reference is None:
        return following
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise TableError("broken", "it has a cell without a place")
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


def _cell(cell: Element, known: _Known) -> Cell:
    parts: dict[str, Any] = {_local(child): child for child in cell}
    raw = (parts["v"].text or "").strip() if "v" in parts else ""
    if "f" in parts:  # the value beside it is what some program once made of it
        formula = parts["f"].text or raw  # of a shared one the first cell alone has it
        return Cell(f"={formula}"[:40], "formula")
    kind = cell.attrib.get("t", "n")
    if kind == "inlineStr":
        return text_cell(_text_of(parts["is"]) if "is" in parts else "")
    return Cell("") if raw == "" else _valued(kind, raw, cell.attrib.get("s", "0"), known)


def _valued(kind: str, raw: str, style: str, known: _Known) -> Cell:
    """A cell that has a value of its own: text, logical, error or number."""
    if kind == "s":
        return text_cell(known.texts[_index(raw, len(known.texts))])
    if kind in ("str", "d"):
        return text_cell(raw)
    if kind == "b":
        return Cell({"1": "true", "0": "false"}.get(raw, raw[:40]))
    if kind == "e":
        return Cell(raw[:40], "error")
    shown = known.formats[_index(style, len(known.formats))] if known.formats else "number"
    return number_cell(raw, shown, is_1904=known.is_1904)


def _index(text: str, count: int) -> int:
    if not 0 <= int(text) < count:
        raise TableError("broken", "it has a cell that refers to nothing")
    return int(text)
