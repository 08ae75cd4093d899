"""What a verification says, in the reader's language: one table of texts, and how to look into it.

`phrases.json` holds every text in all languages; it is read once, here. The verifier writes its
sentences in English only. They are found in the table again by that English text, so that no step
of it knows of languages; a sentence the table does not have stays English.
"""

import json
import re
from functools import cache
from importlib import resources

from edge.calc.flags import flag_rows

LANGUAGES = ("en", "zh")
#: key -> language -> text; the key's first part is its kind
PHRASES: dict[str, dict[str, str]] = json.loads(
    resources.files("evidence").joinpath("phrases.json").read_text(encoding="utf-8")
)
#: places that may hold several words; in all others stands one, which keeps the search short
LONG = frozenset(
    {
        "authority", "differ", "documents", "error", "file", "made", "name", "names", "new", "old",
        "reason", "stated",
    }
)  # fmt: skip


def phrase(key: str, language: str, **values: object) -> str:
    """A text of the table with its places filled; KeyError when it has none of this name."""
    return PHRASES[key][language].format(**values)


def phrase_or(key: str, language: str, otherwise: str) -> str:
    """A text of the table, or the other one where the table has none of this name."""
    return PHRASES.get(key, {}).get(language, otherwise)


def of_kind(kind: str, language: str) -> dict[str, str]:
    """Key without its kind -> text, in the table's order."""
    start = f"{kind}."
    return {
        key.removeprefix(start): texts[language]
        for key, texts in PHRASES.items()
        if key.startswith(start)
    }


def translated(kind: str, english: str, language: str) -> str:
    """What the verifier wrote, in this language.

    Args:
        kind: which part of the table to look in: "identity", "timestamp", "unchecked", "where" or
            "sentence".
        english: as the verifier wrote it; may hold words of a hostile archive.
        language: one of `LANGUAGES`.
    """
    if language != "en":
        for pattern, text in _book(kind, language):
            if match := pattern.fullmatch(english):
                return text.format(**match.groupdict())
    return english


@cache
def _book(kind: str, language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    texts = of_kind(kind, language)
    own = tuple((_pattern(en), texts[key]) for key, en in of_kind(kind, "en").items())
    if kind != "sentence":
        return own
    return own + tuple(
        (_pattern(row.sentence["en"]), row.sentence[language]) for row in flag_rows().values()
    )


def _pattern(template: str) -> re.Pattern[str]:
    """What finds this text again, whatever stands in its places."""
    literal, *rest = re.split(r"\{(\w+)\}", template)
    found = re.escape(literal)
    for place, literal in zip(rest[::2], rest[1::2], strict=True):
        held = ".+" if place in LONG else r"\S*"  # a bare flag names nothing
        found += f"(?P<{place}>{held}){re.escape(literal)}"
    return re.compile(found)
