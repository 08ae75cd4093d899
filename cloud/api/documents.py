"""Routes of the documents that persons sign: taken in, prepared for a key in a browser, given out.

`cloud.api.access` says who may. An account brings in what its own person signed, and nothing of
others; whether a document counts is never decided here, but by its signature.
"""

import asyncio
import base64
import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from cloud.accounts.roles import COLLECTOR, Right
from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.reviewed import check_review, note_document
from cloud.api.routes import PlantPath
from cloud.live.hub import UnknownPlantError
from cloud.records.desk import Wanted
from cloud.records.laboratory import Laboratory
from cloud.records.papers import FILES_BYTES_MAX
from evidence import cose
from evidence.documents.document import (
    ABOUT,
    FILE_BYTES_MAX,
    FILE_NAME_MAX,
    FILES_MAX,
    FOLLOWS_MAX,
    KIND,
    AttachedFile,
    Document,
    signed_by,
    unverified_document,
)
from evidence.documents.fields import FieldsError
from evidence.documents.kinds import check_document
from evidence.errors import EvidenceError, KeyFileError
from evidence.points import NAME_ID

#: base64 of a document and its files, and what JSON has around them
REQUEST_BYTES_MAX = (FILES_BYTES_MAX + cose.OBJECT_BYTES_MAX) // 3 * 4 + 64 * 1024
#: large requests that are held in memory at once, what is not large, seconds each has to arrive
AT_ONCE, SMALL_BYTES, ARRIVE_S = 2, 256 * 1024, 120.0
ROWS_MAX = 1_000
COSE_TYPE = "application/cose"

router = APIRouter(prefix="/api/v1/plants/{plant}", route_class=GuardedRoute)

_turns = asyncio.Semaphore(AT_ONCE)


def _from_base64(text: object) -> bytes:
    if not isinstance(text, str):
        raise ValueError("it is no base64 text")  # noqa: TRY004 - pydantic tells of ValueErrors
    return base64.b64decode(text, validate=True)


def _from_hex(text: object) -> bytes:
    if not isinstance(text, str) or len(text) != 64 or not text.isascii():
        raise ValueError("it is no SHA-256 in hex")
    return bytes.fromhex(text)


Base64 = Annotated[bytes, BeforeValidator(_from_base64, json_schema_input_type=str)]
Sha256 = Annotated[bytes, BeforeValidator(_from_hex, json_schema_input_type=str)]
Sha256Path = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256, hex")]
NameId = Annotated[str, Field(pattern=f"^(?:{NAME_ID.pattern})$")]


class Posted(BaseModel):
    """A signed document and the bytes of each file it names, base64; in any order."""

    model_config = ConfigDict(extra="forbid", strict=True)
    document: Base64
    files: list[Base64] = Field(default=[], max_length=FILES_MAX)


class NamedFile(BaseModel):
    """A file that is to be attached."""

    model_config = ConfigDict(extra="forbid", strict=True)
    name: str = Field(min_length=1, max_length=FILE_NAME_MAX)
    type: str = Field(max_length=100)
    size: int = Field(ge=1, le=FILE_BYTES_MAX)
    sha256: Sha256


class Preparing(BaseModel):
    """What a person is about to sign.

    `key` is the SHA-256 of the person's key. In `body`, instants are texts such as
    "2026-10-01T00:00:00+08:00", numbers are texts, hashes and keys are hex. Where it is `written`,
    every value is a text as people write it, and instants are the plant's own time, to the minute:
    "2026-10-01 00:00".
    """

    model_config = ConfigDict(extra="forbid", strict=True)
    person: NameId
    key: Sha256
    kind: str = Field(pattern=f"^(?:{KIND.pattern})$")
    about: str = Field(pattern=f"^(?:{ABOUT.pattern})$")
    body: dict[str, Any]
    written: bool = False
    follows: list[Sha256] = Field(default=[], max_length=FOLLOWS_MAX)
    files: list[NamedFile] = Field(default=[], max_length=FILES_MAX)


class Enrolling(BaseModel):
    """A person whom the collector enrols in its own name; `key` is the public key's DER in hex."""

    model_config = ConfigDict(extra="forbid", strict=True)
    person: NameId
    name: str
    organisation: str
    role: str
    region: str = ""
    key: str = Field(max_length=400)


class Certifying(BaseModel):
    """A list that vouches for keys of persons, base64, as `stackproof keys persons` wrote it.

    `by` is the public key's DER in hex of an organisation that signed it; "" for the plant's root.
    """

    model_config = ConfigDict(extra="forbid", strict=True)
    signed: Base64
    by: str = Field(default="", max_length=400, pattern="^(?:[0-9a-f]{2})*$")


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except LookupError as error:
        raise HTTPException(404, str(error)) from error
    except KeyFileError as error:
        raise HTTPException(503, f"the collector's key does not sign just then: {error}") from error
    except FieldsError:
        raise  # the application's own handler says which
    except EvidenceError as error:
        raise HTTPException(422, str(error)) from error


@router.post(
    "/documents",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": Posted.model_json_schema()}},
        }
    },
)
async def take(given: Given, who: Who, plant: PlantPath, request: Request) -> Mapping[str, Any]:
    """Take a signed document with its files; it is on disk and in the log when this answers.

    The same document again is the same answer.
    """
    async with contextlib.nullcontext() if _is_small(request) else _turns:
        posted = await _posted(request)
        with _refusing():
            person, kid = signed_by(posted.document)
            _require_own(who, person)
            document = unverified_document(posted.document)
            check_document(document)
            _require_sent(given, who, plant, document)
            if given.records.one(plant, hashlib.sha256(posted.document).digest()) is None:
                await asyncio.to_thread(check_review, given, plant, document, kid)
            return await given.records.take(plant, posted.document, posted.files)


def _is_small(request: Request) -> bool:
    """A document with no file, or a small one, waits for nobody's slow scan."""
    length = request.headers.get("content-length", "")
    return length.isdecimal() and length.isascii() and 0 <= int(length[:20]) <= SMALL_BYTES


def _require_own(who: Who, person: str) -> None:
    """403 for a document of somebody else; a program beside the collector may carry anybody's."""
    if who.account not in (COLLECTOR, person):
        raise HTTPException(403, f"a document of {person} is brought in by {person}'s own account")


def _require_sent(given: Given, who: Who, plant: str, document: Document) -> None:
    """403 for a laboratory's document about what was not sent to it, or that it did not sign."""
    if who.account != COLLECTOR and not given.records.may_bring(plant, document):
        raise HTTPException(
            403,
            f"{document.about} was not sent to this laboratory, or what the document follows is "
            "not its own; the plant's document sample-sent comes first",
        )


def seen_by(given: Given, who: Who, plant: str) -> Laboratory | None:
    """What somebody sees of a plant's documents: None for all of them.

    An account that is a laboratory's sees nothing before its person is in the plant's list.
    """
    if Right.RECORDS in who.rights:
        return None
    return given.records.laboratory(plant, who.account) or Laboratory("", frozenset())


async def _posted(request: Request) -> Posted:
    """The request's body, never more of it than may be."""
    body = bytearray()
    try:
        async with asyncio.timeout(ARRIVE_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > REQUEST_BYTES_MAX:
                    raise HTTPException(
                        413, f"the files of a document have {FILES_BYTES_MAX} bytes at most"
                    )
    except TimeoutError as error:
        raise HTTPException(408, f"the request did not arrive in {ARRIVE_S:.0f} s") from error
    try:
        return await asyncio.to_thread(Posted.model_validate_json, body)
    except ValidationError as error:
        rows = [{key: row[key] for key in ("type", "loc", "msg")} for row in error.errors()]
        raise HTTPException(422, rows) from error


@router.post("/documents/prepare")
def prepare(given: Given, who: Who, plant: PlantPath, wanted: Preparing) -> Mapping[str, Any]:
    """The bytes a key in a browser is to sign, and the document but for its signature, base64.

    Sign `message`; the document is `before` and the 64 bytes of the signature, one after the other.
    Where it is for the list of persons and says nothing, it follows the newest of the list.
    """
    _require_own(who, wanted.person)
    files = tuple(AttachedFile(f.name, f.type, f.size, f.sha256) for f in wanted.files)
    fields = Wanted(
        wanted.person, wanted.key, wanted.kind, wanted.about, wanted.body, tuple(wanted.follows),
        files, zone_of(given, plant) if wanted.written else None,
    )  # fmt: skip
    with _refusing():
        body, follows = fields.signed_body(), tuple(wanted.follows)
        document = Document(
            plant, wanted.person, 0, wanted.kind, wanted.about, body, follows, files
        )
        _require_sent(given, who, plant, document)
        check_document(document)
        check_review(given, plant, document, wanted.key[:8])
        unsigned = given.records.prepare(plant, fields, _now_s(given))
        before = unsigned.signed_with(bytes(64))[:-64]
    parts = {"message": unsigned.message, "before": before}
    return {name: base64.b64encode(data).decode() for name, data in parts.items()}


@router.post("/persons")
async def enrol(given: Given, plant: PlantPath, person: Enrolling) -> Mapping[str, Any]:
    """Enrol a person in the collector's own name, as the first of a plant must be."""
    body = person.model_dump(exclude={"person"})
    with _refusing():
        return await given.records.enrol(plant, person.person, body, _now_s(given))


@router.get("/persons")
def persons(given: Given, plant: PlantPath) -> Response:
    """The list of persons for whoever certifies their keys, to be saved; with ended keys."""
    with _refusing():
        rows = given.records.persons(plant, are_ended=True)
    told = json.dumps({"plant": plant, "persons": rows}, ensure_ascii=False, indent=1)
    return download(told.encode(), "application/json", f"{plant}-persons.json")


@router.post("/persons/certified")
async def certify(given: Given, plant: PlantPath, wanted: Certifying) -> Mapping[str, Any]:
    """Take in a signed list; whom it certifies, whom it does not know, and who still waits.

    The same list again is the same answer.
    """
    with _refusing():
        by = bytes.fromhex(wanted.by)
        told: Mapping[str, Any] = await given.records.certify(
            plant, by, wanted.signed, _now_s(given)
        )
        return told


@router.get("/documents")
def documents(  # noqa: PLR0917 - FastAPI calls it by names
    given: Given,
    who: Who,
    plant: PlantPath,
    kind: Annotated[str, Query(max_length=40)] = "",
    about: Annotated[str, Query(max_length=80)] = "",
    first: Annotated[int, Query(alias="from", ge=0, lt=2**63)] = 0,
    count: Annotated[int, Query(ge=1, le=ROWS_MAX)] = ROWS_MAX,
) -> Sequence[Any]:
    """Documents in the log's order, from a log index on, with what became of each.

    A laboratory has those of the samples that were sent to it.
    """
    with _refusing():
        only = seen_by(given, who, plant)
        return given.records.rows(plant, kind, about, first, count, only=only)


@router.get("/records/findings")
def findings(
    given: Given,
    who: Who,
    plant: PlantPath,
    month: Annotated[str, Query(pattern="^(?:[0-9]{4}-(?:0[1-9]|1[0-2]))?$")] = "",
) -> Mapping[str, Any]:
    """What the documents of samples show, of a month's samples or of all; docs/sample-findings.md.

    They are held against those of the other plants one sees, and of no others.
    PDFs that were not read before are read now, a second each.
    """
    with _refusing():
        return given.records.findings(plant, partial(given.accounts.sees, who), month)


@router.get(
    "/documents/{sha256}",
    response_class=Response,
    responses={200: {"content": {COSE_TYPE: {}}}},
)
def document(given: Given, who: Who, plant: PlantPath, sha256: Sha256Path) -> Response:
    """One document as it was signed."""
    with _refusing():
        only = seen_by(given, who, plant)
        data = given.records.document(plant, bytes.fromhex(sha256), only)
        row = given.records.one(plant, bytes.fromhex(sha256), only)
    if data is None or row is None:
        raise HTTPException(404, f"plant {plant} has no document {sha256}")
    note_document(given, who, plant, row, f"document/{sha256}")
    return download(data, COSE_TYPE, f"{sha256}.cose")


@router.get(
    "/files/{sha256}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
def file(given: Given, who: Who, plant: PlantPath, sha256: Sha256Path) -> Response:
    """One attached file, to be saved and not shown: somebody outside made it."""
    with _refusing():
        only = seen_by(given, who, plant)
        found = given.records.file(plant, bytes.fromhex(sha256), only)
    if found is None:
        raise HTTPException(404, f"plant {plant} has no file {sha256}")
    if who.region is not None:
        for row in given.records.with_file(plant, bytes.fromhex(sha256)):
            note_document(given, who, plant, row, f"file/{sha256}")
    return download(found[1], found[0].media_type, f"{sha256[:16]}{_ENDING[found[0].media_type]}")


_ENDING = {
    "application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png", "text/csv": ".csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/toml": ".toml",
}  # fmt: skip


def download(data: bytes, media_type: str, name: str) -> Response:
    """An answer that browsers save and never show."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=media_type, headers=headers)


def zone_of(given: Given, plant: str) -> ZoneInfo:
    """A plant's time zone; 404 when no plant of this name has sent its configuration."""
    try:
        return given.hub.zone(plant)
    except UnknownPlantError as error:
        raise HTTPException(404, str(error)) from error


def _now_s(given: Given) -> int:
    return given.clock.wall_ns() // 10**9
