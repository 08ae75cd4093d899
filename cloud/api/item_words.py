"""What people call the items of a review: a line of the statement, a document, a reading. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from cloud.api.rendering import STRINGS
from cloud.outputs.headline import line_name
from cloud.review.across import Compared
from cloud.review.items import Row, line_item, lines_of
from edge.calc.statements.statement import statement_rules

_SHA256 = re.compile("[0-9a-f]{64}")


def line_words(rule_set: str, category: str, kind: str, language: str) -> str:
    """All lines of a kind as people call them, whatever their meters."""
    line: Mapping[str, Any] = {"category": category, "kind": kind, "parameters": {}}
    return line_name(statement_rules(rule_set), line, language)


def figure_words(language: str, of: Compared) -> str:
    """What a figure that is compared is called; of a line's factor also the line."""
    name, _, line = of.figure.partition("/")
    words = STRINGS[language][f"review.figure.{name}"]
    if not line:
        return words
    category, _, kind = line.partition("/")
    return f"{words} {line_words(of.rule_set, category, kind, language)}"


def line_names(month: Row, language: str) -> dict[str, str]:
    """Item -> what its line is called, of a month's sealed statement; none where none is sealed."""
    if month["figures"] is None:
        return {}
    rule_set = month["figures"]["rule_set"]
    return {
        line_item(line): line_words(rule_set, line["category"], line["kind"], language)
        for line in lines_of(month)
    }


def item_words(item: str, names: Mapping[str, str], language: str) -> str:
    """An item in words, as far as it has any; a hash is cut.

    Args:
        item: its path.
        names: as `line_names` gives them.
        language: "en" or "zh".
    """
    if item in names:
        return names[item]
    kind, _, rest = item.partition("/")
    word = STRINGS[language].get(f"review.item.{kind}")
    name = rest[:12] if _SHA256.fullmatch(rest) else rest
    return item if word is None else f"{word} {name}".strip()
