"""The pages: server-rendered HTML in English and 中文; the browser modules take over from there."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Header, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from cloud.accounts.roles import Principal, Right
from cloud.api.guard import Given, GuardedRoute, Who
from cloud.api.rendering import LANGUAGES, Language, render
from cloud.live.hub import UnknownPlantError

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
    """The first plant's live page, or a waiting page while no plant is known."""
    plants = given.plants_of(who)
    if not plants:
        return render("waiting.html", language, path="/", who=who)
    return _live_page(given, who, language, plants[0])


@router.get("/{language}/plants/{plant}")
async def plant_page(given: Given, who: Who, language: Language, plant: str) -> HTMLResponse:
    """One plant's live page."""
    return _live_page(given, who, language, plant)


def _live_page(given: Given, who: Principal, language: str, plant: str) -> HTMLResponse:
    try:
        snapshot = given.hub.snapshot(plant)
    except UnknownPlantError as error:
        raise HTTPException(404, str(error)) from error
    path = f"/plants/{snapshot['plant']['id']}"
    plants = given.plants_of(who)
    return render("live.html", language, path=path, snapshot=snapshot, plants=plants, who=who)


async def to_sign_in(request: Request, _: Exception) -> RedirectResponse:
    """Where somebody goes who asked for a page without saying who it is."""
    language = request.path_params.get("language")
    language = language if language in LANGUAGES else "en"
    behind = quote(request.url.path, safe="/")
    return RedirectResponse(f"/{language}/sign-in?next={behind}", 303)
