"""What people read of screening, in both languages: `texts.json`. Pure but for that file."""

import json
from importlib import resources
from typing import Any

from edge.calc.screening.question import Result

LANGUAGES = ("en", "zh")
_TEXTS: dict[str, Any] = json.loads(
    resources.files("evidence.screen").joinpath("texts.json").read_text(encoding="utf-8")
)


def question_text(name: str, part: str, language: str) -> str:
    """Of a question: its "name", what it "asks", what "chance" means there, innocent "causes"."""
    return str(_TEXTS["questions"][name][part][language])


def report_text(key: str, language: str, **values: object) -> str:
    """A text of the report with its places filled."""
    return str(_TEXTS["report"][key][language]).format(**values)


def sentence_of(result: Result, language: str) -> str:
    """What a result says, in one language."""
    facts = {name: _word(fact, language) for name, fact in result.facts.items()}
    if "unit" in facts:  # "1" is none
        facts["unit"] = "" if facts["unit"] == "1" else f" {facts['unit']}"
    if "relation" in facts:
        facts["relation"] = _TEXTS["relations"][result.facts["relation"]][language]
    if sentence := result.facts.get(f"sentence_{language}"):
        facts["sentence"] = sentence
    return question_text(result.question, "sentence", language).format(**facts)


def _word(fact: str, language: str) -> str:
    return ", ".join(_TEXTS["words"].get(one, {}).get(language, one) for one in fact.split(", "))
