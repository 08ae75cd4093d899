"""A shift's sheet: for who leaves, for who comes, and on one page of paper. No script is needed."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from cloud.accounts.roles import Principal, Right
from cloud.alarms.texts import told
from cloud.api.alarm_view import AlarmView
from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.month_texts import by as owed_by
from cloud.api.month_texts import owed as owed_text
from cloud.api.rendering import Language, render
from cloud.api.routes import PlantPath
from cloud.api.services import Services
from cloud.shift.store import LEFT, NOTE_MAX, TAKEN

router = APIRouter(
    default_response_class=HTMLResponse, include_in_schema=False, route_class=GuardedRoute
)
#: rows of a list on the sheet: it has to fit on one page of A4
ROWS_MAX = 6
AtNs = Annotated[int, Query(alias="at", ge=0, le=2**63 - 1, description="an instant in the shift")]


@router.get("/{language}/plants/{plant}/shift")
def shift_page(  # noqa: PLR0917 - FastAPI calls it by names
    given: Given, who: Who, language: Language, plant: PlantPath, at_ns: AtNs = 0,
    done: Annotated[str, Query(pattern="^[a-z]{0,12}$")] = "",
) -> HTMLResponse:  # fmt: skip
    """A shift of a plant, by default the running one."""
    return _page(given, who, language, (plant, at_ns), done=done)


def _page(
    given: Services, who: Principal, language: str, of: tuple[str, int], *, done: str = "",
    error: str = "",
) -> HTMLResponse:  # fmt: skip
    plant, at_ns = of
    if plant not in given.plants_of(who):
        raise HTTPException(404, f"no plant {plant!r} has sent its configuration")
    try:
        sheet = given.shifts.sheet(plant, at_ns or None)
    except (ValueError, OverflowError) as error_:  # a year that no calendar has
        raise HTTPException(404, "no shift is then") from error_
    facts = given.hub.facts(plant)
    left = {one.by for one in sheet.notes if one.what == LEFT}
    taken = {one.by for one in sheet.notes if one.what == TAKEN}
    may = Right.OPERATE in who.rights
    return render(
        "shift.html", language, status=409 if error else 200,
        path=f"/plants/{plant}/shift", who=who, sheet=sheet, plant=plant, facts=facts,
        simulated=given.is_simulated(plant),
        view=AlarmView(given, language, given.clock.wall_ns()), rows=ROWS_MAX,
        owed=lambda one: owed_text(language, one, sheet.zone.key),
        by=lambda one: owed_by(language, one["by"]),
        may=may, may_take=may and bool(left - {who.account}) and who.account not in taken,
        most=NOTE_MAX, done=done, error=error,
    )  # fmt: skip


@router.post("/{language}/plants/{plant}/shift/leave")
def leave(
    given: Given, who: Who, request: Request, language: Language, plant: PlantPath
) -> Response:
    """Leave a note to the next shift."""
    form: dict[str, str] = request.state.form
    at_ns = _instant(form)
    try:
        given.shifts.leave(plant, at_ns, who.account, form.get("note", ""))
    except (ValueError, OverflowError):
        error = told(language, "shift.error.note", most=NOTE_MAX)
        return _page(given, who, language, (plant, at_ns), error=error)
    return RedirectResponse(f"/{language}/plants/{plant}/shift?at={at_ns}&done=left", 303)


@router.post("/{language}/plants/{plant}/shift/take")
def take(
    given: Given, who: Who, request: Request, language: Language, plant: PlantPath
) -> Response:
    """Take over from a shift."""
    at_ns = _instant(request.state.form)
    try:
        given.shifts.take(plant, at_ns, who.account)
    except (ValueError, OverflowError):
        error = told(language, "shift.error.take")
        return _page(given, who, language, (plant, at_ns), error=error)
    return RedirectResponse(f"/{language}/plants/{plant}/shift?at={at_ns}&done=taken", 303)


def _instant(form: dict[str, str]) -> int:
    """The shift that a form is about; 0, which is none, for what is no number."""
    text = form.get("at", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0
