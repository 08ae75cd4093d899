"""A plant's year: what programs are told of it, its workbooks, and its page. No script."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import HTMLResponse

from cloud.accounts.roles import Right
from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.outputs import TAR, XLSX, ZIP
from cloud.api.rendering import Language, render
from cloud.api.routes import PlantPath
from cloud.api.services import MonthRefusedError, Services
from cloud.api.without_paths import without_paths
from cloud.api.year_view import YearView
from cloud.outputs.errors import OutputError
from cloud.year.shown import standing, year_shown
from edge.calc.decimal_text import parse_decimal
from edge.calc.local_time import PlantDays
from edge.calc.statements.position import CHANGES, CURRENCY, is_change
from evidence.log_lines import about

log = logging.getLogger("stackproof.cloud.http")

#: whose calendar a year is of: the market's
ZONE = "Asia/Shanghai"

router = APIRouter(prefix="/api/v1/plants/{plant}/year", route_class=GuardedRoute)
pages = APIRouter(
    default_response_class=HTMLResponse, include_in_schema=False, route_class=GuardedRoute
)

Year = Annotated[str, Query(pattern=r"^(20[2-9][0-9])?$", description="this year by default")]
Text = Annotated[str, Query(max_length=40)]
Paper = Literal["statement", "footprint", "inventory", "cbam"]


@router.get("")
def year_of(given: Given, plant: PlantPath, year: Year = "") -> Mapping[str, Any]:
    """The sealed months of a calendar year: statement, footprint, and position where it is known.

    `position.reason` says why there is none. Months whose archive does not stand, or is not what
    the log closed, are in `not_shown`; those that failed their check are in `failed`, in no sum.
    """
    return _told(given, plant, year or _this_year(given), {})


@router.get("/{paper}.xlsx", response_class=Response, responses={200: {"content": {XLSX: {}}}})
async def workbook(given: Given, plant: PlantPath, paper: Paper, year: Year = "") -> Response:
    """One of the year's tables as a workbook, from the archives that the year's page shows."""
    return await _paper(given, plant, year, f"{paper}.xlsx")


@router.get("/package.tar", response_class=Response, responses={200: {"content": {TAR: {}}}})
async def package(given: Given, plant: PlantPath, year: Year = "") -> Response:
    """The verifier's package of those archives, with their hashes; signed by nobody."""
    return await _paper(given, plant, year, "package.tar")


@router.get("/upload.zip", response_class=Response, responses={200: {"content": {ZIP: {}}}})
async def upload(given: Given, plant: PlantPath, year: Year = "") -> Response:
    """What is uploaded to the platform by hand, one folder a month, with the attached papers."""
    return await _paper(given, plant, year, "upload.zip")


async def _paper(given: Services, plant: str, year: str, name: str) -> Response:
    asked, (command, ending) = year or _this_year(given), name.split(".")
    archives = await asyncio.to_thread(_files, given, plant, asked)
    if not archives:
        raise HTTPException(404, f"plant {plant} has no sealed month of {asked}")
    try:
        data = await given.papers.make(plant, command, archives)
    except OutputError as error:
        log.warning("%s", error, extra=about(plant))
        raise HTTPException(409, without_paths(str(error))) from error
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'{plant}-{asked}-{name}')}"
    }
    return Response(
        data, media_type={"xlsx": XLSX, "tar": TAR, "zip": ZIP}[ending], headers=headers
    )


@pages.get("/{language}/plants/{plant}/year")
def page(  # noqa: PLR0917 - FastAPI calls it by names
    given: Given,
    who: Who,
    language: Language,
    plant: PlantPath,
    year: Year = "",
    allowance: Text = "",
    benchmark: Text = "",
    held: Text = "",
    price: Text = "",
    currency: Text = "CNY",
    output: Text = "",
    intensity: Text = "",
    new_price: Text = "",
) -> HTMLResponse:
    """A year for people, with its position and what if."""
    typed = {"allowance": allowance, "benchmark": benchmark, "held": held, "price": price}
    asked, wrong = _numbers(typed)
    money = currency.strip().upper() or "CNY"
    if not CURRENCY.fullmatch(money):
        money, wrong = "CNY", [*wrong, "currency"]
    then = {"output": output, "intensity": intensity, "new_price": new_price}
    changes = dict[str, str]()
    for change, (name, text) in zip(CHANGES, then.items(), strict=True):
        if is_change(text.strip()):
            changes[change] = text.strip()
        elif text.strip():
            wrong.append(name)
    shown = year or _this_year(given)
    told = _told(given, plant, shown, {**asked, "currency": money, "what_if": changes})
    return render(
        "year.html", language, path=f"/plants/{plant}/year", who=who, plant=plant,
        view=YearView(told, language), told=told, wrong=wrong,
        simulated=told["simulated"] or given.is_simulated(plant),
        sees_records=Right.RECORDS in who.rights,
        typed={**typed, **then, "currency": currency},
    )  # fmt: skip


def _numbers(typed: Mapping[str, str]) -> tuple[dict[str, Fraction], list[str]]:
    """What is a number, and the names of what is none, or below zero."""
    found, wrong = dict[str, Fraction](), []
    for name, text in typed.items():
        if text.strip():
            try:
                value = parse_decimal(text.strip())
            except ValueError:
                value = Fraction(-1)
            if value < 0:
                wrong.append(name)
            else:
                found[name] = value
    if "allowance" in found and "benchmark" in found:
        wrong.append("benchmark")
        del found["benchmark"]
    return found, wrong


def _told(given: Services, plant: str, year: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    rows, closed, live = _archives(given, plant), _closed(given, plant), _live(given, plant, year)
    states = _states(given, plant)
    told = year_shown(year, rows, closed, states, projection=live, asked=asked)
    return {"plant": plant, **told}


def _files(given: Services, plant: str, year: str) -> list[Path]:
    found = standing(year, _archives(given, plant), _closed(given, plant), _states(given, plant))
    return list(found.files.values())


def _states(given: Services, plant: str) -> Mapping[str, Mapping[str, Any]]:
    """Month -> what is known of its archive."""
    rows = given.months.rows(plant)
    return {str(row["month"]): row["sealed"] for row in rows if row.get("sealed")}


def _closed(given: Services, plant: str) -> Callable[[str], str | None]:
    """Month -> the statement that its figures may be shown of."""
    # of months that are sealed the rows say it; a month's own checklist is more to make
    sealed = {
        row.get("month"): str(one["statement_sha256"])
        for row in given.months.rows(plant)
        for one in row.get("archives", ())
        if one["newest"] and not one["replaced"]
    }

    def closed(month: str) -> str | None:
        if month in sealed:
            return sealed[month]
        row = given.months.month(plant, month)
        figures = None if row is None else row["figures"]
        return None if figures is None else str(figures["statement_sha256"])

    return closed


def _archives(given: Services, plant: str) -> Any:  # noqa: ANN401 - rows of the archive folder
    try:
        return given.months.archives(plant)
    except (LookupError, MonthRefusedError) as error:
        raise HTTPException(404, str(error)) from error


def _live(given: Services, plant: str, year: str) -> Mapping[str, Any] | None:
    """What the live page projects of this very year."""
    try:
        told = given.accumulated.of(plant)
    except LookupError:
        return None
    if str(told.get("month", ""))[:4] != year:
        return None
    found: Mapping[str, Any] | None = told.get("projection", {}).get("year")
    return found


def _this_year(given: Services) -> str:
    return PlantDays(ZONE).date_text(given.clock.wall_ns())[:4]
