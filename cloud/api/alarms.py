"""Alarms under /api/v1: what stands, what happened, and what people decide about it."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from cloud.accounts.roles import Principal
from cloud.alarms.core import Alarm, Happening, Shelf
from cloud.alarms.desk import CLEARED_NS, is_unsure
from cloud.alarms.rates import TARGET_AN_HOUR
from cloud.alarms.store import Event
from cloud.alarms.texts import clock_time, line
from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.routes import PlantPath, found
from cloud.api.services import Services
from evidence.points import NAME_ID

router = APIRouter(prefix="/api/v1", route_class=GuardedRoute)

PlantFilter = Annotated[
    str, Query(pattern=f"^({NAME_ID.pattern})?$", description="plant id; all one may see without")
]
NumberPath = Annotated[int, Path(ge=1, le=2**53, description="number of a standing alarm")]
Before = Annotated[int, Query(ge=0, le=2**53, description="only events before this id; 0 for all")]
EVENTS_MAX, CSV_MAX = 1_000, 50_000
REASON_MAX = 200
#: what a spreadsheet takes for a formula
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = (
    "id", "at_utc", "plant", "what", "priority", "number", "kind", "gateway", "about", "raised_utc",
    "by", "note", "told", "en", "zh",
)  # fmt: skip


class ShelveRequest(BaseModel):
    """For how many hours, and why."""

    model_config = ConfigDict(extra="forbid")
    hours: Literal[1, 8, 24]
    reason: str = Field(min_length=1, max_length=REASON_MAX)


def plants_for(given: Services, who: Principal, plant: str) -> list[str]:
    """The plants that a list is about; a plant that one does not see is refused before."""
    seen = given.all_plants_of(who)
    if plant and plant not in seen:
        raise HTTPException(404, f"no plant {plant!r} has sent its configuration")
    return [plant] if plant else seen


@router.get("/alarms")
def alarms(given: Given, who: Who, plant: PlantFilter = "") -> dict[str, Any]:
    """What stands, the most urgent first, what cleared in two hours, and how many are new.

    Made of live values and of the collector's own state: no evidence.
    """
    plants = plants_for(given, who, plant)
    now_ns, desk = given.clock.wall_ns(), given.alarms
    rates = desk.rates(plants)
    cleared = desk.store.cleared(plants, now_ns - CLEARED_NS, now_ns + 1)
    return {
        "server_ns": now_ns,
        "new_in_last_ten_minutes": rates.ten_min,
        "new_in_last_hour": rates.hour,
        "new_in_last_day": rates.day,
        "most_in_ten_minutes": rates.worst,
        "target_an_hour": TARGET_AN_HOUR,
        **_unacknowledged(given, who, plants),
        "standing": [_standing(given, *pair) for pair in desk.standing(plants)],
        "cleared": [event_row(given, one) for one in cleared],
    }


@router.get("/alarms/count")
def count(given: Given, who: Who, plant: PlantFilter = "") -> dict[str, int]:
    """How many alarms nobody has acknowledged, of a plant or of all plants one may see.

    `elsewhere` are those of the other plants. A plant that has sent no configuration has none.
    """
    seen = given.all_plants_of(who)
    return _unacknowledged(given, who, [one for one in seen if plant in ("", one)])


def _unacknowledged(given: Services, who: Principal, plants: Sequence[str]) -> dict[str, int]:
    everywhere = given.alarms.unacknowledged(given.all_plants_of(who))
    here = given.alarms.unacknowledged(plants)
    return {"unacknowledged": here, "elsewhere": everywhere - here}


@router.get("/alarms/events")
def events(
    given: Given,
    who: Who,
    plant: PlantFilter = "",
    before: Before = 0,
    count: Annotated[int, Query(ge=1, le=EVENTS_MAX)] = 200,
) -> dict[str, Any]:
    """The log of alarms, the newest first; `next` is the `before` of the page behind it."""
    found = given.alarms.store.events(plants_for(given, who, plant), before=before, count=count)
    behind = found[-1].id if len(found) == count else None
    return {"events": [event_row(given, one) for one in found], "next": behind}


@router.get("/alarms/events.csv", response_class=Response)
def events_csv(
    given: Given,
    who: Who,
    plant: PlantFilter = "",
    before: Before = 0,
    count: Annotated[int, Query(ge=1, le=CSV_MAX)] = CSV_MAX,
) -> Response:
    """The same as a table, UTF-8 with a byte order mark; what looks like a formula is text."""
    found = given.alarms.store.events(plants_for(given, who, plant), before=before, count=count)
    text = io.StringIO()
    write = csv.writer(text)
    write.writerow(COLUMNS)
    for one in found:
        write.writerow(map(_cell, csv_row(given, one)))
    head = {"Content-Disposition": 'attachment; filename="alarm-events.csv"'}
    return Response("\ufeff" + text.getvalue(), media_type="text/csv; charset=utf-8", headers=head)


@router.post("/plants/{plant}/alarms/{number}/acknowledge", status_code=204)
def acknowledge(given: Given, who: Who, plant: PlantPath, number: NumberPath) -> None:
    """Say that it was seen. It writes nothing to any controller, and clears nothing."""
    with found():
        given.alarms.acknowledge(plant, number, who.account)


@router.post("/plants/{plant}/alarms/{number}/shelve", status_code=204)
def shelve(
    given: Given, who: Who, plant: PlantPath, number: NumberPath, order: ShelveRequest
) -> None:
    """Out of the way for 1, 8 or 24 hours; then it is new again if it stands."""
    try:
        given.alarms.shelve(plant, number, order.hours, by=who.account, reason=order.reason)
    except LookupError as error:
        raise HTTPException(404, str(error)) from error
    except ValueError as error:
        raise HTTPException(422, str(error)) from error


@router.post("/plants/{plant}/alarms/{number}/unshelve", status_code=204)
def unshelve(given: Given, who: Who, plant: PlantPath, number: NumberPath) -> None:
    """Off its shelf before its time."""
    with found():
        given.alarms.take_down(plant, number, who.account)


# -- rows -----------------------------------------------------------------------------------------


def _row(given: Services, alarm: Alarm) -> dict[str, Any]:
    zone = given.hub.clock_of(alarm.key.plant).key
    return {
        **alarm.key._asdict(),
        "number": alarm.number,
        "priority": alarm.priority,
        "raised_ns": alarm.raised_ns,
        "values": dict(alarm.values),
        **{language: line(alarm, language, zone) for language in ("en", "zh")},
    }


def _standing(given: Services, alarm: Alarm, shelf: Shelf | None) -> dict[str, Any]:
    told = None
    if shelf is not None:
        names = ("by", "reason", "from_ns", "until_ns")
        told = {name: getattr(shelf, name) for name in names}
    return {
        **_row(given, alarm),
        "phase": alarm.phase.value,
        "is_unsure": is_unsure(given.alarms, alarm),
        "acknowledged_by": alarm.acknowledged_by,
        "acknowledged_ns": alarm.acknowledged_ns or None,
        "shelf": told,
    }


def event_row(given: Services, event: Event) -> dict[str, Any]:
    """One line of the log, JSON-ready."""
    one: Happening = event.happening
    return {
        "id": event.id, "at_ns": one.at_ns, "what": one.what.value, "by": one.by, "note": one.note,
        "told": one.is_told, **_row(given, one.alarm),
    }  # fmt: skip


def csv_row(given: Services, event: Event) -> Sequence[object]:
    """One line of the log as `COLUMNS` names it."""
    row: Mapping[str, Any] = event_row(given, event)
    times = {f"{name}_utc": clock_time(row[f"{name}_ns"], "UTC") for name in ("at", "raised")}
    return [{**row, **times}[name] for name in COLUMNS]


def _cell(value: object) -> object:
    is_formula = isinstance(value, str) and value.startswith(_FORMULAS)
    return f"'{value}" if is_formula else value
