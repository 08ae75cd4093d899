"""A plant's year: what programs are told of it, its workbooks, and its page. No script."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import HTMLResponse

from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.outputs import XLSX
from cloud.api.rendering import Language, render
from cloud.api.routes import PlantPath
from cloud.api.services import MonthRefusedError, Services
from cloud.api.year_view import YearView
from cloud.outputs.errors import OutputError
from cloud.year.shown import year_shown
from edge.calc.decimal_text import parse_decimal
from edge.calc.statements.position import CHANGES

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
    the log closed, are in `not_shown`.
    """
    return _told(given, plant, year or _this_year(given), {})


@router.get("/{paper}.xlsx", response_class=Response, responses={200: {"content": {XLSX: {}}}})
async def workbook(given: Given, plant: PlantPath, paper: Paper, year: Year = "") -> Response:
    """One of the year's tables as a workbook, from the archives that stand."""
    asked = year or _this_year(given)
    rows = await asyncio.to_thread(_archives, given, plant)
    archives = [
        Path(str(row["archive"]))
        for row in sorted(rows, key=lambda row: str(row["month"]))
        if not row.get("replaced") and str(row["month"])[:4] == asked
    ]
    if not archives:
        raise HTTPException(404, f"plant {plant} has no sealed month of {asked}")
    try:
        data = await given.papers.make(paper, archives)
    except OutputError as error:
        raise HTTPException(409, str(error)) from error
    name = quote(f"{plant}-{asked}-{paper}.xlsx")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(data, media_type=XLSX, headers=headers)


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
    currency: Annotated[str, Query(pattern=r"^[A-Z]{3}$")] = "CNY",
    output: Text = "",
    intensity: Text = "",
    new_price: Text = "",
) -> HTMLResponse:
    """A year for people, with its position and what if."""
    typed = {"allowance": allowance, "benchmark": benchmark, "held": held, "price": price}
    changes = dict(zip(CHANGES, (output, intensity, new_price), strict=True))
    changes = {name: text.strip() for name, text in changes.items() if text.strip()}
    asked, wrong = _numbers(typed)
    shown = year or _this_year(given)
    told = _told(given, plant, shown, {**asked, "currency": currency, "what_if": changes})
    return render(
        "year.html", language, path=f"/plants/{plant}/year", who=who, plant=plant,
        view=YearView(told, language), told=told, wrong=wrong,
        typed={**typed, "currency": currency, "output": output, "intensity": intensity,
               "new_price": new_price},
    )  # fmt: skip


def _numbers(typed: Mapping[str, str]) -> tuple[dict[str, Fraction], list[str]]:
    """What is a number, and the names of what is none."""
    found, wrong = dict[str, Fraction](), []
    for name, text in typed.items():
        if text.strip():
            try:
                found[name] = parse_decimal(text.strip())
            except ValueError:
                wrong.append(name)
    if "allowance" in found and "benchmark" in found:
        wrong.append("benchmark")
        del found["benchmark"]
    return found, wrong


def _told(given: Services, plant: str, year: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    rows = _archives(given, plant)

    def closed(month: str) -> str | None:
        row = given.months.month(plant, month)
        figures = None if row is None else row["figures"]
        return None if figures is None else str(figures["statement_sha256"])

    return {"plant": plant, **year_shown(year, rows, closed, _live(given, plant, year), asked)}


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
    return str(datetime.fromtimestamp(given.clock.wall_ns() // 10**9, UTC).year)
