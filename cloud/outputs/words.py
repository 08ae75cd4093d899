"""What papers say, in both languages: one table of texts, `words.json`."""

import json
from collections.abc import Callable
from functools import cache
from importlib import resources

LANGUAGES = ("en", "zh")


@cache
def _table() -> dict[str, dict[str, str]]:
    text = resources.files("cloud.outputs").joinpath("words.json").read_text(encoding="utf-8")
    table: dict[str, dict[str, str]] = json.loads(text)
    return table


def word(key: str, language: str, **values: object) -> str:
    """A text with its places filled; KeyError when there is none of this name."""
    return _table()[key][language].format(**values)


def word_or(key: str, language: str, otherwise: str) -> str:
    """A text of the table, or what stands for it where the table has none."""
    return _table().get(key, {}).get(language, otherwise)


def in_both(say: Callable[[str], str]) -> str:
    """Chinese and English of what says something in a language."""
    return f"{say('zh')} {say('en')}".strip()


def both(key: str, **values: object) -> str:
    """Chinese and English beside each other, for papers that one file serves."""
    return f"{word(key, 'zh', **values)} {word(key, 'en', **values)}"
