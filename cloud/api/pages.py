"""The live pages: server-rendered HTML in English and 中文; the browser modules take over there."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Header, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from cloud.accounts.roles import Principal, Right
from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.live_routes import overview_of
from cloud.api.rendering import LANGUAGES, Language, render
from cloud.api.routes import snapshot_of
from cloud.api.services import Services
from cloud.errors import StoreError
from edge.calc.method_texts import text_of
from edge.calc.registry import methods

router = APIRouter(
    default_response_class=HTMLResponse, include_in_schema=False, route_class=GuardedRoute
)


@router.get("/")
async def home(who: Who, accept_language: Annotated[str, Header()] = "") -> RedirectResponse:
    """To the page in the browser's first language: 中文 if that is Chinese, else English."""
    language = "zh" if accept_language.strip().lower().startswith("zh") else "en"
    return RedirectResponse(first_page(who, language), 302)


def first_page(who: Principal, language: str) -> str:
    """Where somebody begins: at the plants, or at the account where it is for none."""
    sees_nothing = who.account and Right.SEE not in who.rights
    return f"/{language}/account" if sees_nothing else f"/{language}/"


@router.get("/{language}/")
async def first_plant(given: Given, who: Who, language: Language) -> HTMLResponse:
    """The plant's overview where one sees one, else a line each; a waiting page before any."""
    plants, others = given.plants_of(who), given.others_of(who)
    if not plants and not any(others.values()):
        return render("waiting.html", language, path="/", who=who, one=None)
    if len(plants) == 1 and not others:
        return await plant_page(given, who, language, plants[0])
    return render("plants.html", language, path="/", who=who, told=overview_of(given, who))


@router.get("/{language}/plants/{plant}")
async def plant_page(given: Given, who: Who, language: Language, plant: str) -> HTMLResponse:
    """One plant's overview; why there is none, where its configuration is not known."""
    if (why := given.others_of(who).get(plant)) is not None:
        told, path = {"plant": plant, "reasons": why}, f"/plants/{plant}"
        return render("waiting.html", language, status=503, path=path, who=who, one=told)
    normal = [band.as_map() for band in given.normal.get(plant, ())]
    return _live_page("live.html", given, who, language, plant, normal=normal)


@router.get("/{language}/plants/{plant}/line")
async def line_page(given: Given, who: Who, language: Language, plant: str) -> HTMLResponse:
    """Its potlines, or its process with everything that is measured."""
    return _live_page("line.html", given, who, language, plant, "/line")


@router.get("/{language}/plants/{plant}/lines/{line}/pots/{pot}")
async def pot_page(  # noqa: PLR0917 - FastAPI calls it by names
    given: Given, who: Who, language: Language, plant: str, line: str, pot: str
) -> HTMLResponse:
    """One pot: its trace and its anode effects."""
    snapshot = snapshot_of(given, plant)
    found = [
        (known["id"], cell["id"])
        for known in snapshot["potlines"]
        if known["id"] == line
        for cell in known["pots"]
        if cell["id"] == pot
    ]
    if not found:
        raise HTTPException(404, f"{plant} has no such pot")
    at, below = "/line", f"/lines/{line}/pots/{pot}"
    return _live_page("pot.html", given, who, language, plant, at, below=below, line=line, pot=pot)


@router.get("/{language}/plants/{plant}/figures")
async def figures_page(given: Given, who: Who, language: Language, plant: str) -> HTMLResponse:
    """How the numbers are made: formula, inputs with their meters, factors with their source."""
    snapshot = snapshot_of(given, plant)
    rows = given.hub.made(snapshot["plant"]["id"])
    known = methods()
    texts = {
        name: {"text": text_of(known[name], language), "source": known[name].source,
               "version": known[name].version}
        for name in sorted({row["method"] for row in rows if row["method"]})
    }  # fmt: skip
    return _live_page("figures.html", given, who, language, plant, "/figures", methods=texts)


@router.get("/{language}/plants/{plant}/meters")
async def meters_page(given: Given, who: Who, language: Language, plant: str) -> HTMLResponse:
    """Every point: value, age, quality, share of the total, calibration due, last gap."""
    snapshot = snapshot_of(given, plant)
    ident = snapshot["plant"]["id"]
    due: Mapping[str, Any] | None = None
    if Right.RECORDS in who.rights:
        due = await asyncio.to_thread(_due, given, ident)
    return _live_page("meters.html", given, who, language, plant, "/meters", due=due)


@router.get("/{language}/plants/{plant}/fleet")
async def fleet_page(given: Given, who: Who, language: Language, plant: str) -> HTMLResponse:
    """Its gateways: version, spool, clock, certificate, last seen."""
    return _live_page("fleet.html", given, who, language, plant, "/fleet")


def _live_page(  # noqa: PLR0917 - what every page of a plant has
    template: str,
    given: Services,
    who: Principal,
    language: str,
    plant: str,
    at: str = "",
    *,
    below: str | None = None,
    **more: Any,  # noqa: ANN401 - what the template names
) -> HTMLResponse:
    """A page of a plant; `at` is its entry in the navigation, `below` its address where another."""
    snapshot = snapshot_of(given, plant)
    ident = snapshot["plant"]["id"]
    path = f"/plants/{ident}{at if below is None else below}"
    return render(
        template, language, path=path, at=at, snapshot=snapshot, made=given.hub.made(ident),
        plants=given.plants_of(who), who=who, **more,
    )  # fmt: skip


def _due(given: Services, plant: str) -> dict[str, Any]:
    """Device -> when the next check of its meter is due; empty without a plan. Reads the disk."""
    try:
        told = given.plans.plan(plant, given.plans.today(plant).year)
    except (LookupError, StoreError):  # the page stands without it, and says that it has none
        return {}
    return due_of(told, given.plans.today(plant).isoformat())


def due_of(told: Mapping[str, Any], today: str) -> dict[str, Any]:
    """Of a plan as programs are told it: device -> {"day", "is_late"} of its earliest due. Pure.

    A meter of the plan without a certificate has no day, which is told as one.
    """
    if told["plan"] is None:
        return {}
    newest: dict[str, str] = {}
    for one in told["certificates"]:
        newest[one["meter"]] = max(newest.get(one["meter"], ""), one["due"])
    found: dict[str, Any] = {}
    for meter in told["plan"]["meters"]:
        device, day = meter["device"], newest.get(meter["id"], "")
        if device and (device not in found or day < found[device]["day"]):
            found[device] = {"day": day, "is_late": day < today}
    return found


async def to_sign_in(request: Request, _: Exception) -> RedirectResponse:
    """Where somebody goes who asked for a page without saying who it is."""
    language = request.path_params.get("language")
    language = language if language in LANGUAGES else "en"
    behind = quote(request.url.path, safe="/")
    return RedirectResponse(f"/{language}/sign-in?next={behind}", 303)
