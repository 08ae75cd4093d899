"""The front's pages: plants, live, alarms, months, reviews, gateways; each row with its slice."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from cloud.api.month_texts import told
from cloud.api.rendering import Language, render
from cloud.front import view
from cloud.front.alarm_rows import alarm_rows
from cloud.front.chosen import PAGE_MAX, WORDS_MAX, Ask, Chosen, choose
from cloud.front.heard import Heard
from cloud.front.live_rows import live_rows
from cloud.front.readers import person_of
from cloud.front.review_rows import review_rows
from cloud.front.routes import Front, Given

router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)


@dataclass(frozen=True)
class Viewer:
    """Who asks for a page, and for which part of it.

    Attributes:
        front: what is shown.
        language: "en" or "zh".
        ask: which rows.
        person: who has signed in at the proxy, "" for a reader.
    """

    front: Front
    language: str
    ask: Ask
    person: str


def _viewer(
    request: Request,
    given: Given,
    language: Language,
    *,
    q: Annotated[str, Query(max_length=WORDS_MAX)] = "",
    only: Annotated[str, Query(pattern="^1?$")] = "",
    page: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 1,
) -> Viewer:
    ask = Ask(" ".join(q.split()), bool(only), page)
    return Viewer(given, language, ask, person_of(request))


By = Annotated[Viewer, Depends(_viewer)]


@router.get("/")
async def home(accept_language: Annotated[str, Header()] = "") -> RedirectResponse:
    """To the page in the browser's first language: 中文 if that is Chinese, else English."""
    language = "zh" if accept_language.strip().lower().startswith("zh") else "en"
    return RedirectResponse(f"/{language}/", 302)


@router.get("/{language}/")
async def plants(by: By) -> HTMLResponse:
    """Plants: state, what they emit now, alarms, gateways."""
    return await asyncio.to_thread(_plants, by)


@router.get("/{language}/live")
async def live(by: By) -> HTMLResponse:
    """What each plant emits now: value, quality, age."""
    return await asyncio.to_thread(_live, by)


@router.get("/{language}/alarms")
async def alarms(by: By) -> HTMLResponse:
    """Alarms that stand, the most urgent first."""
    return await asyncio.to_thread(_alarms, by)


@router.get("/{language}/months")
async def months(by: By) -> HTMLResponse:
    """Plants' months: state, deadline, what is owed, seal, review."""
    return await asyncio.to_thread(_months, by)


@router.get("/{language}/reviews")
async def reviews(by: By) -> HTMLResponse:
    """Closed months: questions, and what each level decided."""
    return await asyncio.to_thread(_reviews, by)


@router.get("/{language}/gateways")
async def gateways(by: By) -> HTMLResponse:
    """Gateways' streams."""
    return await asyncio.to_thread(_gateways, by)


# beside the event loop: rows of 1,500 plants take some tenths of a second


def _plants(by: Viewer) -> HTMLResponse:
    heard = by.front.heard
    rows = view.plant_rows(heard, by.front.clock.wall_ns(), by.language)
    return _page("plants", by, heard, choose(rows, by.ask))


def _live(by: Viewer) -> HTMLResponse:
    heard = by.front.heard
    rows = live_rows(heard, by.front.clock.wall_ns(), by.language)
    return _page("live", by, heard, choose(rows, by.ask))


def _alarms(by: Viewer) -> HTMLResponse:
    heard = by.front.heard
    rows = alarm_rows(heard, by.front.clock.wall_ns(), by.language)
    return _page("alarms", by, heard, choose(rows, by.ask))


def _months(by: Viewer) -> HTMLResponse:
    heard = by.front.heard
    rows = view.month_rows(heard, by.language)
    return _page("months", by, heard, choose(rows, by.ask), months=view.months_shown(rows))


def _reviews(by: Viewer) -> HTMLResponse:
    heard = by.front.heard
    return _page("reviews", by, heard, choose(review_rows(heard, by.language), by.ask))


def _gateways(by: Viewer) -> HTMLResponse:
    heard = by.front.heard
    return _page("gateways", by, heard, choose(view.gateway_rows(heard, by.language), by.ask))


def _page(
    page: str,
    by: Viewer,
    heard: Sequence[Heard],
    found: Chosen[Any],
    **values: Any,  # noqa: ANN401 - what the template names
) -> HTMLResponse:
    address = "/" if page == "plants" else f"/{page}"
    return render(
        f"front_{page}.html", by.language, page=page, told=told, found=found, rows=found.rows,
        address=address, path=address + found.ask.query(found.ask.page), person=by.person,
        sign_out=by.front.sign_out, collectors=view.collector_rows(heard, by.language),
        at=view.when(by.language, by.front.clock.wall_ns()), **values,
    )  # fmt: skip
