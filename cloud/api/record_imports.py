"""Routes of imports: what a table would become, and empty tables. Nothing is stored."""

import asyncio
import csv
import io
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

import openpyxl  # type: ignore[import-untyped]  # it has no types
from fastapi import APIRouter, HTTPException, Path, Query, Request, Response

from cloud.api.documents import zone_of
from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.rendering import STRINGS
from cloud.api.routes import PlantPath, found
from cloud.records.forms import ABOUT_OF, TABLES
from cloud.records.imports import Draft, Words, columns_of, folded, preview
from cloud.records.listing import Filter
from cloud.records.media import XLSX
from cloud.records.papers import DOCUMENTS_MAX
from cloud.records.spreadsheet import read_table
from cloud.records.tables import BYTES_MAX, TableError
from cloud.records.workbook import letters
from cloud.records.written import written_body
from evidence.documents.document import KIND
from evidence.documents.plainly import body_of

#: seconds that a table has to arrive; tables that are read at once, as each takes memory
ARRIVE_S, AT_ONCE = 60.0, 2
#: other names that people give to fields and to words: data, to be added to
ALIASES: Mapping[str, Mapping[str, list[str]]] = json.loads(
    FilePath(__file__).with_name("aliases.json").read_text(encoding="utf-8")
)

router = APIRouter(prefix="/api/v1/plants/{plant}", route_class=GuardedRoute)
KindName = Annotated[str, Query(pattern=f"^(?:{KIND.pattern})$")]
KindPath = Annotated[str, Path(pattern=f"^(?:{KIND.pattern})$")]
_turns, _asked = asyncio.Semaphore(AT_ONCE), Counter[str]()


@router.post(
    "/documents/preview",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def preview_table(
    given: Given, who: Who, plant: PlantPath, request: Request, kind: KindName
) -> Mapping[str, Any]:
    """What each row of a CSV file or workbook would be, and each cell that is wrong.

    `refused` says why the file cannot be read at all, "" when it can.
    """
    _known(kind)
    zone = zone_of(given, plant)
    async with _turn(who.account):
        data = await _table(request)
        try:
            table = await asyncio.to_thread(read_table, data)
            found = await asyncio.to_thread(preview, table, kind, zone, words_of(kind))
        except TableError as error:
            return {"refused": error.code}
    held = await asyncio.to_thread(_held, given, who.account, plant, kind)
    used = {name for one in found.drafts for name in _names(one)}
    return {
        "refused": "",
        "sheet": table.sheet,
        "unread": table.unread,
        "columns": [name for name in columns_of(kind) if name in used],
        "drafts": [asdict(one) | {"held": held.get(_key(one.about, one.body))}
                   for one in found.drafts],
        "wrong": [asdict(one) for one in found.wrong],
    }  # fmt: skip


@asynccontextmanager
async def _turn(account: str) -> AsyncIterator[None]:
    """One of `AT_ONCE`; 429 where as many of this account's came already: others have tables too.

    A table that arrives a byte at a time has its turn for a minute, and anybody can send hundreds.
    """
    if _asked[account] >= AT_ONCE:
        raise HTTPException(429, f"{AT_ONCE} tables of yours are being read: ask again then")
    _asked[account] += 1
    try:
        async with _turns:
            yield
    finally:
        _asked[account] -= 1
        if not _asked[account]:
            del _asked[account]


def _known(kind: str) -> None:
    if kind not in TABLES:
        raise HTTPException(404, f"no table of {kind[:40]!r} can be imported")


async def _table(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(ARRIVE_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > BYTES_MAX:
                    raise HTTPException(413, f"a table has at most {BYTES_MAX} bytes")
    except TimeoutError as error:
        raise HTTPException(408, f"the table did not arrive in {ARRIVE_S:.0f} s") from error
    return bytes(body)


def _names(draft: Draft) -> set[str]:
    """The columns a draft has something in."""
    names = {"about"}
    for name, value in draft.body.items():
        rows = value if isinstance(value, list) else []
        names |= {f"{name}.{inner}" for row in rows for inner in row} if rows else {name}
    return names


def _held(given: Given, account: str, plant: str, kind: str) -> dict[str, int]:
    """What one has signed before and still stands -> its log index: not to be signed twice."""
    with found():
        zone = zone_of(given, plant)
        rows = given.records.newest(plant, Filter(kind=kind), DOCUMENTS_MAX)
    return {
        _key(row["about"], written_body(kind, body_of(kind, row["body"]), zone)): row["index"]
        for row in rows
        if row["person"] == account and row["ended_by"] is None
    }


def _key(about: str, body: Mapping[str, Any]) -> str:
    return json.dumps([about, body], sort_keys=True)


def words_of(kind: str) -> Words:
    """What headers and chosen words may be called: their labels in all languages, and aliases."""
    headers, choices = dict[str, str](), dict[str, str]()
    columns = columns_of(kind)
    for name in columns:
        for header in (name, *(label(language, name, kind) for language in STRINGS)):
            headers.setdefault(folded(header), name)
    for name, form in columns.items():  # a label goes before another field's alias
        leaf = name.rpartition(".")[2]
        for header in (leaf, *ALIASES["headers"].get(leaf, ())):
            headers.setdefault(folded(header), name)
        for word in form.options:
            said = [texts.get(f"record.choice.{word}", word) for texts in STRINGS.values()]
            for text in (word, *said, *ALIASES["choices"].get(word, ())):
                choices[folded(text)] = word
    return Words(headers, choices)


def label(language: str, name: str, kind: str) -> str:
    """A column's header."""
    if name == "about":
        return STRINGS[language][f"record.about.{ABOUT_OF.get(kind, 'other')}"]
    leaf = name.rpartition(".")[2]
    return STRINGS[language].get(f"record.field.{leaf}", leaf)


@router.get("/templates/{kind}", response_class=Response)
def template(
    plant: PlantPath, kind: KindPath, language: Literal["en", "zh"] = "en",
    form: Literal["csv", "xlsx"] = "xlsx",
) -> Response:  # fmt: skip
    """An empty table of a kind, its headers in a language; every cell of the workbook is text."""
    _known(kind)
    headers = [label(language, name, kind) for name in columns_of(kind)]
    data, media_type = (_workbook(headers), XLSX) if form == "xlsx" else (_csv(headers), "text/csv")
    disposition = f'attachment; filename="{kind}-{language}.{form}"'
    return Response(data, media_type=media_type, headers={"Content-Disposition": disposition})


def _csv(headers: list[str]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerow(headers)
    return out.getvalue().encode("utf-8-sig")


def _workbook(headers: list[str]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    sheet.append(headers)
    for at in range(1, len(headers) + 1):
        column = sheet.column_dimensions[letters(at)]
        column.number_format, column.width = "@", 24
    book.save(out)
    return out.getvalue()
