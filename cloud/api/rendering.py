"""How pages are made: the templates, the one table of texts, the two languages."""

import json
from pathlib import Path
from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cloud.accounts.errors import AccountError

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

_OF_PAGES = (
    "account.", "alarms.", "commissioning.", "drill.", "front.", "month.", "plan.", "record.",
    "review.", "shift.", "verify.", "visit.", "year.",
)  # fmt: skip
#: of those, what the live pages say as well
_SHARED = ("month.state.", "month.left", "alarms.priority")
#: those that the live pages' modules need
SCRIPT_STRINGS = {
    language: {
        key: text
        for key, text in texts.items()
        if key.startswith(_SHARED) or not key.startswith(_OF_PAGES)
    }
    for language, texts in STRINGS.items()
}
#: those that the modules of the records' pages need
RECORD_STRINGS = {
    language: {key: text for key, text in texts.items() if key.startswith("record.")}
    for language, texts in STRINGS.items()
}
#: those that the modules of the page of a visit need
VISIT_STRINGS = {
    language: {k: text for k, text in texts.items() if k.startswith(("record.", "visit."))}
    for language, texts in STRINGS.items()
}

#: those that the module of the page of archives needs
VERIFY_STRINGS = {
    language: {key: text for key, text in texts.items() if key.startswith("verify.")}
    for language, texts in STRINGS.items()
}


def _language(language: str) -> str:
    if language not in LANGUAGES:
        raise HTTPException(404, f"no page in language {language!r}; there are /en/ and /zh/")
    return language


Language = Annotated[str, Depends(_language)]


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
        strings=SCRIPT_STRINGS[language],
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
