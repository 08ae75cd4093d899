"""The control plan: what programs are told of it, and its page."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from cloud.api.documents import zone_of
from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.rendering import Language, render
from cloud.api.routes import PlantPath, found
from cloud.api.times import offset, written

YEAR_MIN, YEAR_MAX = 2020, 2099

router = APIRouter(prefix="/api/v1/plants/{plant}", route_class=GuardedRoute)
pages = APIRouter(
    default_response_class=HTMLResponse, include_in_schema=False, route_class=GuardedRoute
)

Year = Annotated[int | None, Query(ge=YEAR_MIN, le=YEAR_MAX, description="this year by default")]
Month = Annotated[
    str | None,
    Query(
        pattern=r"^20[2-9][0-9]-(0[1-9]|1[0-2])$",
        description="YYYY-MM in the plant's time zone; this month by default",
    ),
]


@router.get("/plan")
def plan(given: Given, plant: PlantPath, year: Year = None) -> Mapping[str, Any]:
    """A year's control plan as its newest document has it, and what stands beside it.

    `plan` is null while there is none. `certificates` of its meters; `doubtful`, the months that an
    error found later puts in doubt, with the effect in tonnes, which changes no figure;
    `falls_due`, what is late or falls due within 60 days, of this year's plan.
    """
    with found():
        return given.plans.plan(plant, year or given.plans.today(plant).year)


@router.get("/plan/departures")
def departures(given: Given, plant: PlantPath, month: Month = None) -> Mapping[str, Any]:
    """Where a month departed from its plan, each with what mends it; and who owes what in it.

    `departures` is null where the year has no plan.
    """
    with found():
        return given.plans.departures(plant, month or _month(given.plans.today(plant)))


@pages.get("/{language}/plants/{plant}/plan")
def page(
    given: Given, who: Who, language: Language, plant: PlantPath, *, year: Year = None,
    month: Month = None,
) -> HTMLResponse:  # fmt: skip
    """The control plan for people."""
    with found():
        today = given.plans.today(plant)
        shown = year or (int(month[:4]) if month else today.year)
        told = given.plans.plan(plant, shown)
        asked = month or (_month(today) if shown == today.year else f"{shown}-12")
        departed = given.plans.departures(plant, asked)
    zone = zone_of(given, plant)
    return render(
        "plan.html", language, path=f"/plants/{plant}/plan", who=who, plant=plant, told=told,
        departed=departed, month=asked, clock=lambda ns: f"{written(ns, zone)} {offset(ns, zone)}",
        simulated=given.is_simulated(plant),
    )  # fmt: skip


def _month(day: date) -> str:
    return day.isoformat()[:7]
