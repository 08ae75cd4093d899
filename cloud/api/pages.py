"""The pages: server-rendered HTML in English and 中文; the browser modules take over from there."""

import json
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cloud.api.routes import Given
from cloud.live import UnknownPlantError

DASHBOARD = Path(__file__).resolve().parent.parent / "dashboard"
LANGUAGES = {"en": "en", "zh": "zh-CN"}  # path -> lang attribute

router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)

_templates = Environment(
    loader=FileSystemLoader(DASHBOARD / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# as the live message has them: a page that finds another order is built twice, and loses the focus
_templates.policies["json.dumps_kwargs"] = {}


def load_strings() -> dict[str, dict[str, str]]:
    """The one table of texts: key -> language -> text."""
    table: dict[str, dict[str, str]] = json.loads(
        (DASHBOARD / "strings.json").read_text(encoding="utf-8")
    )
    return table


_STRINGS = {
    language: {key: texts[language] for key, texts in load_strings().items()}
    for language in LANGUAGES
}


def _language(language: str) -> str:
    if language not in LANGUAGES:
        raise HTTPException(404, f"no page in language {language!r}; there are /en/ and /zh/")
    return language


Language = Annotated[str, Depends(_language)]


@router.get("/")
async def home(accept_language: Annotated[str, Header()] = "") -> RedirectResponse:
    """To the page in the browser's first language: 中文 if that is Chinese, else English."""
    language = "zh" if accept_language.strip().lower().startswith("zh") else "en"
    return RedirectResponse(f"/{language}/", 302)


@router.get("/{language}/")
async def first_plant(request: Request, given: Given, language: Language) -> HTMLResponse:
    """The first plant's live page, or a waiting page while no plant is known."""
    plants = given.hub.plants()
    if not plants:
        return _render("waiting.html", language, path="/")
    return _live_page(request, given, language, plants[0])


@router.get("/{language}/plants/{plant}")
async def plant_page(
    request: Request, given: Given, language: Language, plant: str
) -> HTMLResponse:
    """One plant's live page."""
    return _live_page(request, given, language, plant)


def _live_page(request: Request, given: Given, language: str, plant: str) -> HTMLResponse:
    try:
        snapshot = given.hub.snapshot(plant)
    except UnknownPlantError as error:
        raise HTTPException(404, str(error)) from error
    path = f"/plants/{snapshot['plant']['id']}"
    return _render("live.html", language, path=path, snapshot=snapshot, plants=given.hub.plants())


def _render(template: str, language: str, **values: object) -> HTMLResponse:
    text = _templates.get_template(template).render(
        language=language,
        lang=LANGUAGES[language],
        languages=LANGUAGES,
        strings=_STRINGS[language],
        t=_STRINGS[language].__getitem__,
        **values,
    )
    return HTMLResponse(text)
