"""The page of alarms and events. Reads and decides without a script; with one it stays fresh."""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from cloud.accounts.roles import Principal, Right
from cloud.alarms import rates
from cloud.alarms.core import SHELF_HOURS
from cloud.alarms.desk import CLEARED_NS
from cloud.alarms.facts import DAY_NS
from cloud.alarms.texts import told
from cloud.api.alarm_view import AlarmView
from cloud.api.alarms import REASON_MAX, NumberPath, PlantFilter, plants_for
from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.rendering import Language, render
from cloud.api.routes import PlantPath
from cloud.api.services import Services

router = APIRouter(
    default_response_class=HTMLResponse, include_in_schema=False, route_class=GuardedRoute
)
EFFECTS_SHOWN, EVENTS_SHOWN, CLEARED_SHOWN = 12, 50, 12
#: of all plants together, the most urgent: each row is half a kilobyte, asked for every ten seconds
ACTION_SHOWN = 500


@router.get("/{language}/alarms")
def alarms_page(
    given: Given,
    who: Who,
    language: Language,
    plant: PlantFilter = "",
    done: Annotated[str, Query(pattern="^[a-z]{0,12}$")] = "",
) -> HTMLResponse:
    """What needs action, what cleared, and what happened, of all plants or of one."""
    return _page(given, who, language, plant, done=done)


def _page(
    given: Services, who: Principal, language: str, plant: str, *, done: str = "", error: str = ""
) -> HTMLResponse:
    plants = plants_for(given, who, plant)
    now_ns, desk = given.clock.wall_ns(), given.alarms
    pairs = desk.standing(plants)
    action = [pair for pair in pairs if pair[1] is None]
    shown = action if plant else action[:ACTION_SHOWN]
    cleared = desk.store.cleared(plants, now_ns - CLEARED_NS, now_ns + 1)
    effects = [(name, one) for name in plants for one in desk.effects(name, now_ns - DAY_NS)]
    effects.sort(key=lambda pair: -pair[1].start_ns)
    unheard = [
        (name, one) for name in plants for one in desk.unheard(name, now_ns - DAY_NS, now_ns)
    ]
    return render(
        "alarms.html", language, status=409 if error else 200, path="/alarms", who=who,
        view=AlarmView(given, language, now_ns), plants=given.all_plants_of(who), of=plant,
        has_pages=plant in given.hub.plants(),
        action=shown, more_action=len(action) - len(shown),
        shelved=[pair for pair in pairs if pair[1] is not None],
        unseen=desk.unacknowledged(plants), lately=desk.rates(plants), target=rates,
        cleared=cleared[:CLEARED_SHOWN], more_cleared=max(0, len(cleared) - CLEARED_SHOWN),
        effects=effects[:EFFECTS_SHOWN], effects_in_day=len(effects), unheard=unheard,
        events=desk.store.events(plants, count=EVENTS_SHOWN),
        simulated=any(map(given.is_simulated, plants)),
        may=Right.OPERATE in who.rights, hours=SHELF_HOURS,
        most=REASON_MAX, done=done, error=error,
    )  # fmt: skip


def _decide(  # noqa: PLR0917 - one place for what three forms do
    given: Services,
    who: Principal,
    language: str,
    request: Request,
    done: str,
    work: Callable[[], None],
) -> Response:
    """Do it and go back to the page, with its filter; what no longer stands is told, no error."""
    form: dict[str, str] = request.state.form
    of = form.get("of", "")
    of = of if of in given.all_plants_of(who) else ""
    try:
        work()
    except LookupError:
        done = "gone"
    except ValueError:
        error = told(language, "alarms.error.reason", most=REASON_MAX)
        return _page(given, who, language, of, error=error)
    query = urlencode({"plant": of, "done": done} if of else {"done": done})
    return RedirectResponse(f"/{language}/alarms?{query}", 303)


@router.post("/{language}/plants/{plant}/alarms/{number}/acknowledge")
def acknowledge(  # noqa: PLR0917 - FastAPI calls it by names
    given: Given, who: Who, request: Request, language: Language, plant: PlantPath,
    number: NumberPath,
) -> Response:  # fmt: skip
    """Somebody has seen it."""
    return _decide(
        given, who, language, request, "seen",
        lambda: given.alarms.acknowledge(plant, number, who.account),
    )  # fmt: skip


@router.post("/{language}/plants/{plant}/alarms/{number}/shelve")
def shelve(  # noqa: PLR0917 - FastAPI calls it by names
    given: Given, who: Who, request: Request, language: Language, plant: PlantPath,
    number: NumberPath,
) -> Response:  # fmt: skip
    """Out of the way for some hours."""
    form: dict[str, str] = request.state.form
    hours, reason = form.get("hours", ""), form.get("reason", "")

    def work() -> None:
        if len(reason) > REASON_MAX or not hours.isdecimal():
            raise ValueError("too long a reason, or no hours")
        given.alarms.shelve(plant, number, int(hours), by=who.account, reason=reason)

    return _decide(given, who, language, request, "shelved", work)


@router.post("/{language}/plants/{plant}/alarms/{number}/unshelve")
def unshelve(  # noqa: PLR0917 - FastAPI calls it by names
    given: Given, who: Who, request: Request, language: Language, plant: PlantPath,
    number: NumberPath,
) -> Response:  # fmt: skip
    """Off its shelf before its time."""
    return _decide(
        given, who, language, request, "unshelved",
        lambda: given.alarms.take_down(plant, number, who.account),
    )  # fmt: skip
