"""What the doctor says, in Chinese: found again by its English, as the verifier's sentences are.

`doctor_zh.json` has each text of his with "{}" for what stands in it (ids, paths, figures, answers
of devices and of the machine, which stay as they came). Pure once loaded.
"""

import json
import re
from functools import cache
from pathlib import Path

#: a device may have answered at length
SENTENCE_MAX = 1_000


def in_chinese(english: str) -> str | None:
    """The sentence in Chinese, and what stands in it; None for one that the table does not have."""
    if len(english) > SENTENCE_MAX:
        return None
    for pattern, told in _book():
        if match := pattern.fullmatch(english):
            return told.format(*(in_chinese(held) or held for held in match.groups()))
    return None


@cache
def _book() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Patterns, those with most words of their own first: the others would match nearly all."""
    table: dict[str, str] = json.loads(
        Path(__file__).with_name("doctor_zh.json").read_text(encoding="utf-8")
    )
    by_words = sorted(table, key=lambda text: -len(text.replace("{}", "")))
    return tuple((_pattern(text), table[text]) for text in by_words)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("(.*?)".join(re.escape(part) for part in text.split("{}")), re.DOTALL)
