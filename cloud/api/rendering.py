"""How pages are made: the templates, the one table of texts, the two languages."""

import json
from functools import cache, partial
from pathlib import Path
from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cloud.accounts.errors import AccountError
from cloud.api.amounts import amount, figure, size, unit
from cloud.api.page_words import keys_of

DASHBOARD = Path(__file__).resolve().parent.parent / "dashboard"
LANGUAGES = {"en": "en", "zh": "zh-CN"}  # path -> lang attribute

_templates = Environment(
    loader=FileSystemLoader(DASHBOARD / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# as the live message has them: a page that finds another order is built twice, and loses the focus
_templates.policies["json.dumps_kwargs"] = {}


_templates.filters |= {"unit": unit, "figure": figure, "amount": amount, "size": size}


def load_strings() -> dict[str, dict[str, str]]:
    """The one table of texts: key -> language -> text."""
    table: dict[str, dict[str, str]] = json.loads(
        (DASHBOARD / "strings.json").read_text(encoding="utf-8")
    )
    return table


STRINGS = {
    language: {key: texts[language] for key, texts in load_strings().items()}
    for language in LANGUAGES
}


def _language(language: str) -> str:
    if language not in LANGUAGES:
        raise HTTPException(404, f"no page in language {language!r}; there are /en/ and /zh/")
    return language


Language = Annotated[str, Depends(_language)]


@cache
def _words(language: str, module: str) -> dict[str, str]:
    """What a page's module can say."""
    texts = STRINGS[language]
    return {key: texts[key] for key in keys_of(module, texts)}


def render(template: str, language: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """A page.

    Args:
        template: its file.
        language: a key of `LANGUAGES`.
        status: HTTP status.
        values: what the template names; `path` is the page's address behind the language.
    """
    text = _templates.get_template(template).render(
        language=language,
        lang=LANGUAGES[language],
        languages=LANGUAGES,
        words=partial(_words, language),
        t=STRINGS[language].__getitem__,
        **values,
    )
    return HTMLResponse(text, status)


def sentence(error: AccountError, language: str = "en") -> str:
    """What an account's error says."""
    text = STRINGS[language][f"account.error.{error.key}"]
    for name, value in error.values.items():
        text = text.replace(f"{{{name}}}", value)
    return text
