"""The front's pages: plants, months, gateways; each row with its slice and its plant's page."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.responses import HTMLResponse, RedirectResponse

from cloud.api.month_texts import told
from cloud.api.rendering import Language, render
from cloud.front import view
from cloud.front.heard import Heard
from cloud.front.routes import Front, Given

router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)


@router.get("/")
async def home(accept_language: Annotated[str, Header()] = "") -> RedirectResponse:
    """To the page in the browser's first language: 中文 if that is Chinese, else English."""
    language = "zh" if accept_language.strip().lower().startswith("zh") else "en"
    return RedirectResponse(f"/{language}/", 302)


@router.get("/{language}/")
async def plants(given: Given, language: Language) -> HTMLResponse:
    """Every plant: state, what it emits now, alarms, gateways."""
    return await asyncio.to_thread(_plants, given, language)


@router.get("/{language}/months")
async def months(given: Given, language: Language) -> HTMLResponse:
    """Every plant's months: state, deadline, what is owed, seal, review."""
    return await asyncio.to_thread(_months, given, language)


@router.get("/{language}/gateways")
async def gateways(given: Given, language: Language) -> HTMLResponse:
    """Every gateway's stream."""
    return await asyncio.to_thread(_gateways, given, language)


# beside the event loop: of 1,500 plants they take up to a second. Not in FastAPI's own threads,
# which collectors' slow answers may hold up.


def _plants(given: Front, language: str) -> HTMLResponse:
    heard = given.heard
    rows = view.plant_rows(heard, given.clock.wall_ns(), language)
    return _page("front_plants.html", given, heard, language, "/", rows=rows)


def _months(given: Front, language: str) -> HTMLResponse:
    heard = given.heard
    rows = view.month_rows(heard, language)
    months = view.months_shown(rows)
    return _page("front_months.html", given, heard, language, "/months", rows=rows, months=months)


def _gateways(given: Front, language: str) -> HTMLResponse:
    heard = given.heard
    rows = view.gateway_rows(heard, language)
    return _page("front_gateways.html", given, heard, language, "/gateways", rows=rows)


def _page(
    template: str,
    given: Front,
    heard: Sequence[Heard],
    language: str,
    path: str,
    **values: Any,  # noqa: ANN401 - what the template names
) -> HTMLResponse:
    return render(
        template, language, path=path, told=told,
        collectors=view.collector_rows(heard, language),
        at=view.when(language, given.clock.wall_ns()), **values,
    )  # fmt: skip
