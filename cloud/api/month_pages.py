"""Pages of months: all plants' months in one table, and one month with its checklist. No script."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from cloud.accounts.roles import Principal, Right
from cloud.api import month_texts as texts
from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.month_names import for_eyes_of
from cloud.api.month_view import MonthCell, MonthView
from cloud.api.rendering import Language, render
from cloud.api.reviewed import DOCUMENTS_MAX, note, queue
from cloud.api.routes import MonthPath, PlantPath
from cloud.api.services import MonthRefusedError, Services
from cloud.closing.months import REASON_MAX
from cloud.errors import StoreError
from cloud.month.newest import NEWEST
from cloud.records.listing import of_month
from cloud.review.items import NO_ITEMS

router = APIRouter(
    default_response_class=HTMLResponse, include_in_schema=False, route_class=GuardedRoute
)
#: (plant, month) -> level -> its decision's state, "" for none
Reviews = Mapping[tuple[str, str], Mapping[str, str]]


@router.get("/{language}/months")
def months_page(given: Given, who: Who, language: Language) -> HTMLResponse:
    """Every plant's months, newest first: state, deadline, readings, seal, what reviews said."""
    rows = {
        plant: {row["month"]: MonthCell(row, language) for row in given.months.rows(plant)[:NEWEST]}
        for plant in given.plants_of(who)
    }
    months = sorted({month for of in rows.values() for month in of}, reverse=True)[:NEWEST]
    return render(
        "months.html", language, path="/months", who=who, rows=rows, months=months,
        reviews=reviews_of(given, who), told=texts.told, error="",
        is_simulated=given.is_simulated, left_out=given.others_of(who),
    )  # fmt: skip


def reviews_of(given: Services, who: Principal) -> Reviews:
    """How far reviews are, for who may see them."""
    if Right.RECORDS not in who.rights:
        return {}
    found = queue(given, who, NEWEST)
    return {
        (str(one.row["plant"]), str(one.row["month"])): {
            level: word.state for level, word in one.outline.levels.items()
        }
        for one in found
    }


@router.get("/{language}/plants/{plant}/months/{month}")
def month_page(  # noqa: PLR0917 - FastAPI calls it by names
    given: Given,
    who: Who,
    language: Language,
    plant: PlantPath,
    month: MonthPath,
    done: Annotated[str, Query(max_length=40)] = "",
) -> HTMLResponse:
    """One month of a plant."""
    return _month(given, who, language, (plant, month), done=done == "begun")


def _month(
    given: Services,
    who: Principal,
    language: str,
    of: tuple[str, str],
    *,
    done: bool = False,
    error: str = "",
) -> HTMLResponse:
    plant, month = of
    row = given.months.month(plant, month) if plant in given.plants_of(who) else None
    if row is None:
        raise HTTPException(404, f"{plant} has no month {month}")
    note(given, who, plant, month, "month")
    row, has_records = for_eyes_of(who, row), Right.RECORDS in who.rights
    return render(
        "month.html", language, status=409 if error else 200,
        path=f"/plants/{plant}/months/{month}", who=who, row=row, view=MonthView(row, language),
        done=done, error=error, may_close=Right.MONTHS in who.rights and bool(who.session),
        has_records=has_records, told=texts.told, most=REASON_MAX,
        simulated=given.is_simulated(plant),
        uncertified=_uncertified(given, plant, row) if has_records else [],
    )  # fmt: skip


def _uncertified(given: Services, plant: str, row: Mapping[str, Any]) -> list[str]:
    """Persons whose documents of the month count, and whom the plant's root has not certified."""
    wanted = of_month(row["month"], ZoneInfo(row["zone"]))
    try:
        found = given.records.newest(plant, wanted, DOCUMENTS_MAX)
    except (LookupError, StoreError):  # documents that cannot be read: told as amiss
        return []
    return sorted(
        {
            one["person"]
            for one in found
            if one["certified"] is False and not one["ended_by"] and one["kind"] not in NO_ITEMS
        }
    )


async def _month_again(
    given: Services, who: Principal, language: str, of: tuple[str, str], error: str
) -> HTMLResponse:
    """The page with what was wrong with an order; beside the event loop."""
    return await asyncio.to_thread(_month, given, who, language, of, error=error)


@router.post("/{language}/plants/{plant}/months/{month}/close")
async def close(  # noqa: PLR0917 - FastAPI calls it by names
    given: Given,
    who: Who,
    request: Request,
    language: Language,
    plant: PlantPath,
    month: MonthPath,
) -> Response:
    """Order a month closed for good, or amended: an accountant's. Its page tells how far it is."""
    form: dict[str, str] = request.state.form
    reason, amend = form.get("reason", "").strip(), form.get("amend") == "yes"
    if len(reason) > REASON_MAX or (amend and not reason):
        error = texts.told(language, "month.error.reason", most=REASON_MAX)
        return await _month_again(given, who, language, (plant, month), error)
    try:
        await given.months.begin(plant, month, amend=amend, reason=reason, by=who.account)
    except MonthRefusedError:
        error = texts.told(language, "month.error.reason", most=REASON_MAX)
        return await _month_again(given, who, language, (plant, month), error)
    return RedirectResponse(f"/{language}/plants/{plant}/months/{month}?done=begun", 303)
