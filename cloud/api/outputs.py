"""Routes for papers of sealed months: the report and the platform's workbook."""

import asyncio
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Query, Response

from cloud.api.guard import Given, GuardedRoute
from cloud.api.routes import MonthPath, PlantPath
from cloud.api.services import MonthRefusedError, Services
from cloud.outputs.errors import OutputError

router = APIRouter(prefix="/api/v1/plants/{plant}/months/{month}", route_class=GuardedRoute)

PDF = "application/pdf"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/report.pdf", response_class=Response, responses={200: {"content": {PDF: {}}}})
async def report(
    given: Given,
    plant: PlantPath,
    month: MonthPath,
    language: Annotated[Literal["zh", "en"], Query()] = "zh",
) -> Response:
    """The report of a sealed month; the archive is verified for it, which may take minutes."""
    archive = (await _archives(given, plant, month))[-1]
    data = await _made(given, "report", [archive], "--lang", language)
    return _file(data, PDF, f"{plant}-{month}-{language}.pdf")


@router.get("/workbook.xlsx", response_class=Response, responses={200: {"content": {XLSX: {}}}})
async def workbook(given: Given, plant: PlantPath, month: MonthPath) -> Response:
    """The platform's workbook of a sealed month, with the year's sealed months before it."""
    archives = await _archives(given, plant, month)
    data = await _made(given, "workbook", archives)
    return _file(data, XLSX, f"{plant}-{month}.xlsx")


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


async def _made(given: Services, command: str, archives: list[Path], *options: str) -> bytes:
    try:
        return await given.papers.make(command, archives, *options)
    except OutputError as error:
        raise HTTPException(409, str(error)) from error


def _file(data: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(data, media_type=media_type, headers=headers)
