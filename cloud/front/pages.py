"""The front's pages: plants, months, gateways; each row with its slice and its plant's page."""

from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.responses import HTMLResponse, RedirectResponse

from cloud.api.month_texts import told
from cloud.api.rendering import Language, render
from cloud.front import view
from cloud.front.routes import Given

router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)


@router.get("/")
async def home(accept_language: Annotated[str, Header()] = "") -> RedirectResponse:
    """To the page in the browser's first language: 中文 if that is Chinese, else English."""
    language = "zh" if accept_language.strip().lower().startswith("zh") else "en"
    return RedirectResponse(f"/{language}/", 302)


@router.get("/{language}/")
async def plants(given: Given, language: Language) -> HTMLResponse:
    """Every plant: state, what it emits now, alarms, gateways."""
    rows = view.plant_rows(given.heard, given.clock.wall_ns(), language)
    return _page("front_plants.html", given, language, "/", rows=rows)


@router.get("/{language}/months")
async def months(given: Given, language: Language) -> HTMLResponse:
    """Every plant's months: state, deadline, what is owed, seal, review."""
    rows = view.month_rows(given.heard, language)
    shown = view.months_shown(rows)
    return _page("front_months.html", given, language, "/months", rows=rows, months=shown)


@router.get("/{language}/gateways")
async def gateways(given: Given, language: Language) -> HTMLResponse:
    """Every gateway's stream."""
    rows = view.gateway_rows(given.heard, language)
    return _page("front_gateways.html", given, language, "/gateways", rows=rows)


def _page(
    template: str, given: Given, language: str, path: str, **values: Any  # noqa: ANN401 - what the template names
) -> HTMLResponse:  # fmt: skip
    return render(
        template, language, path=path, told=told,
        collectors=view.collector_rows(given.heard, language),
        at=view.when(language, given.clock.wall_ns()), **values,
    )  # fmt: skip
