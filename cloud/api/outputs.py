"""Routes for sealed months: the report, the platform's workbook, the archive itself."""

import asyncio
import logging
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import FileResponse

from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.reviewed import note
from cloud.api.routes import MonthPath, PlantPath
from cloud.api.services import MonthRefusedError, Services
from cloud.api.without_paths import without_paths
from cloud.outputs.errors import OutputError
from cloud.review.items import archive_of
from evidence.log_lines import about

router = APIRouter(prefix="/api/v1/plants/{plant}/months/{month}", route_class=GuardedRoute)

log = logging.getLogger("stackproof.cloud.http")

PDF = "application/pdf"
TAR = "application/x-tar"
ZIP = "application/zip"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/report.pdf", response_class=Response, responses={200: {"content": {PDF: {}}}})
async def report(
    given: Given,
    who: Who,
    plant: PlantPath,
    month: MonthPath,
    language: Annotated[Literal["zh", "en"], Query()] = "zh",
) -> Response:
    """The report of a sealed month; the archive is verified for it, which may take minutes."""
    archive = (await _archives(given, plant, month))[-1]
    data = await _made(given, plant, "report", [archive], "--lang", language)
    await asyncio.to_thread(note, given, who, plant, month, "report")
    return _file(data, PDF, f"{plant}-{month}-{language}.pdf")


@router.get("/workbook.xlsx", response_class=Response, responses={200: {"content": {XLSX: {}}}})
async def workbook(given: Given, plant: PlantPath, month: MonthPath) -> Response:
    """The platform's workbook of a sealed month, with the year's sealed months before it."""
    archives = await _archives(given, plant, month)
    data = await _made(given, plant, "workbook", archives)
    return _file(data, XLSX, f"{plant}-{month}.xlsx")


@router.get("/archive.tar", response_class=FileResponse, responses={200: {"content": {TAR: {}}}})
def archive(given: Given, who: Who, plant: PlantPath, month: MonthPath) -> FileResponse:
    """The archive that stands, of a month that was closed for good: for `stackproof verify`."""
    try:
        row = given.months.month(plant, month)
    except LookupError as error:
        raise HTTPException(404, str(error)) from error
    found = None if row is None else archive_of(row)
    if found is None:
        raise HTTPException(404, f"plant {plant} has no sealed month {month}")
    note(given, who, plant, month, f"archive/{found['sha256']}")
    # a coding of its own keeps a gigabyte of signatures, which are not squeezed, off the event loop
    headers = {"Content-Encoding": "identity"}
    return FileResponse(found["archive"], 200, headers, media_type=TAR, filename=found["name"])


async def _archives(given: Services, plant: str, month: str) -> list[Path]:
    """The year's archives that stand, up to and with this month's."""
    try:
        rows = await asyncio.to_thread(given.months.archives, plant)
    except (LookupError, MonthRefusedError) as error:
        raise HTTPException(404, str(error)) from error
    found = {
        str(row["month"]): Path(str(row["archive"]))
        for row in rows
        if "archive" in row and not row.get("replaced") and str(row["month"])[:4] == month[:4]
    }
    if month not in found:
        raise HTTPException(404, f"plant {plant} has no sealed month {month}")
    return [found[name] for name in sorted(found) if name <= month]


async def _made(
    given: Services, plant: str, command: str, archives: list[Path], *options: str
) -> bytes:
    try:
        return await given.papers.make(plant, command, archives, *options)
    except OutputError as error:
        log.warning("%s", error, extra=about(plant))
        raise HTTPException(409, without_paths(str(error))) from error


def _file(data: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(data, media_type=media_type, headers=headers)
