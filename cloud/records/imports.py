"""Rows of a table as documents to be, with what is wrong with each cell. Pure, stores nothing.

Each column names a field by its header; a row is a document. Where a kind has a list (the values of
a laboratory's report), rows that are alike in everything else are one document.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from cloud.records.cells import Cell
from cloud.records.forms import FieldForm, fields_of
from cloud.records.tables import Table
from cloud.records.workbook import letters
from cloud.records.written import body_of_written
from evidence.documents.document import ABOUT, Document
from evidence.documents.fields import FieldsError
from evidence.documents.kinds import check_document

ABOUT_FIELD = "about"
_DAY = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?: 0?0:00(?::00)?)?", re.ASCII)
_MOMENT = re.compile(
    r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})[ T]+([0-9]{1,2}):([0-9]{2})(?::00|(:[0-9]{2}))?",
    re.ASCII,
)


@dataclass(frozen=True)
class Wrong:
    """What is wrong with one cell.

    Attributes:
        row: number from 1.
        column: its letters, "" of a whole row.
        field: the column's field, "" when its header names none.
        text: what the cell says.
        code: name of the check that failed, "missing", "order", "header", "twice", "no-column", or
            a cell's own problem.
    """

    row: int
    column: str
    field: str
    text: str
    code: str


@dataclass
class Draft:
    """A document to be.

    Attributes:
        rows: numbers of the table's rows it comes from.
        about: what it is about.
        body: as people write it, see `body_of_written`.
    """

    rows: list[int]
    about: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Preview:
    """What a table would become.

    Attributes:
        drafts: documents in the table's order.
        wrong: every cell that is wrong; while there is one, nothing is to be signed.
    """

    drafts: Sequence[Draft]
    wrong: Sequence[Wrong] = field(default_factory=tuple)


@dataclass(frozen=True)
class Words:
    """What headers and chosen words may be called.

    Attributes:
        headers: folded header -> field, or "list.field".
        choices: folded word -> the word that is signed.
    """

    headers: Mapping[str, str]
    choices: Mapping[str, str]


def folded(text: str) -> str:
    """A header or word without what people write differently: case, blanks, units in brackets."""
    return re.sub(r"[\s_:：*]|\([^()]*\)|（[^（）]*）", "", text).casefold()


def columns_of(kind: str) -> dict[str, FieldForm]:
    """The columns of a table of this kind, "about" first; fields of a list as "list.field"."""
    columns = {ABOUT_FIELD: FieldForm(ABOUT_FIELD, "name_id", required=True)}
    for form in fields_of(kind):
        if form.columns:
            columns |= {f"{form.name}.{inner.name}": inner for inner in form.columns}
        else:
            columns[form.name] = form
    return columns


def preview(table: Table, kind: str, zone: ZoneInfo, words: Words) -> Preview:
    """Read every row of a table as a document of a kind.

    Args:
        table: it.
        kind: of all its rows.
        zone: of the plant.
        words: what headers may be called.
    """
    header, *numbers = sorted(table.rows)
    columns, wrong = _columns(table.rows[header], header, kind, words)
    if wrong:
        return Preview((), wrong)
    drafts = list[Draft]()
    for number in numbers:
        texts = dict[str, str]()
        for column, (name, form) in columns.items():
            cell = table.rows[number].get(column, Cell(""))
            if cell.problem:
                wrong.append(Wrong(number, letters(column), name, cell.text, cell.problem))
            texts[name] = "" if cell.problem else _normal(cell.text, form, words)
        _collect(drafts, number, texts)
    seen = {(one.row, one.field) for one in wrong}
    place = {name: letters(column) for column, (name, _) in columns.items()}
    for draft in drafts:
        for row, name, code in _problems(draft, kind, zone):
            if (row, name) not in seen:
                cell = _cell_of(table, columns, row, name)
                wrong.append(Wrong(row, place.get(name, ""), name, cell.text, code))
    if not drafts and not wrong:
        wrong.append(Wrong(header, "", "", "", "no-rows"))
    return Preview(drafts, sorted(wrong, key=lambda one: (one.row, len(one.column), one.column)))


def _columns(
    cells: Mapping[int, Cell], row: int, kind: str, words: Words
) -> tuple[dict[int, tuple[str, FieldForm]], list[Wrong]]:
    """Column -> field, and headers that name none, one twice, or one that is needed and missing."""
    known, found, wrong = columns_of(kind), dict[int, tuple[str, FieldForm]](), list[Wrong]()
    for column, cell in cells.items():
        name = words.headers.get(folded(cell.text), "")
        taken = name in (taken for taken, _ in found.values())
        if name not in known or taken:
            wrong.append(Wrong(row, letters(column), "", cell.text, "twice" if taken else "header"))
        else:
            found[column] = name, known[name]
    have = {name for name, _ in found.values()}
    missing = [name for name, form in known.items() if form.required and name not in have]
    return found, [*wrong, *(Wrong(row, "", name, "", "no-column") for name in missing)]


def _normal(text: str, form: FieldForm, words: Words) -> str:
    """A cell's text in the one form that is signed; what is none stays, and is refused later."""
    if form.options:
        return words.choices.get(folded(text), text)
    pattern = {"day": _DAY, "instant": _MOMENT}.get(form.check)
    match = pattern.fullmatch(text) if pattern is not None else None
    if match is None:
        return text
    parts = match.groups()
    day = f"{parts[0]}-{parts[1]:0>2}-{parts[2]:0>2}"
    return day if form.check == "day" else f"{day} {parts[3]:0>2}:{parts[4]}{parts[5] or ''}"


def _collect(drafts: list[Draft], number: int, texts: Mapping[str, str]) -> None:
    """Add a row: to the document before it when only the list goes on, or as one of its own."""
    body, inner = dict[str, Any](), dict[str, dict[str, str]]()
    for name, text in texts.items():
        listed, _, part = name.rpartition(".")
        if listed:
            inner.setdefault(listed, {}).update({part: text} if text else {})
        elif name != ABOUT_FIELD and text:
            body[name] = text
    about = texts.get(ABOUT_FIELD, "")
    last = drafts[-1] if drafts else None
    if inner and last is not None and last.about == about and _scalars(last.body) == body:
        for listed, row in inner.items():
            last.body[listed].append(row)
        last.rows.append(number)
        return
    body |= {listed: [row] for listed, row in inner.items()}
    drafts.append(Draft([number], about, body))


def _scalars(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if isinstance(value, str)}


def _problems(draft: Draft, kind: str, zone: ZoneInfo) -> Iterable[tuple[int, str, str]]:
    """(row, column's field, code) of each that is wrong."""
    if not ABOUT.fullmatch(draft.about):
        yield draft.rows[0], ABOUT_FIELD, "missing" if draft.about == "" else "name_id"
    body = body_of_written(kind, draft.body, zone)
    try:
        check_document(Document("plant", "person", 0, kind, "about", body))
    except FieldsError as error:
        for path, code in error.problems.items():
            listed, at, name = [*path.split("."), "", ""][:3]
            if name:
                yield draft.rows[int(at)], f"{listed}.{name}", code
            else:
                yield draft.rows[0], listed, code


def _cell_of(
    table: Table, columns: Mapping[int, tuple[str, FieldForm]], row: int, name: str
) -> Cell:
    for column, (known, _) in columns.items():
        if known == name:
            return table.rows[row].get(column, Cell(""))
    return Cell("")
