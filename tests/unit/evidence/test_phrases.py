"""The texts of a report: whole in both languages, in the glossary's words, true to the verifier."""

import ast
import re
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

import evidence
from evidence.findings import CODES
from evidence.phrases import LANGUAGES, LONG, PHRASES, of_kind, phrase, translated

ROOM = Path(evidence.__file__).parent
HAN = "\u4e00-\u9fff"
#: kinds of which the verifier writes the English sentence itself
WRITTEN = ("identity", "timestamp", "unchecked", "where", "sentence")
KINDS = {
    "verdict",
    "headline",
    "short",
    "compare",
    "summary",
    "join",
    "count",
    "held",
    "code",
    *WRITTEN,
}


def places(text: str) -> list[tuple[str, str]]:
    """Names and forms of the places of a text."""
    return sorted((name, form or "") for _, name, form, _ in Formatter().parse(text) if name)


def test_every_text_is_there_in_both_languages_with_the_same_places() -> None:
    for key, texts in PHRASES.items():
        assert tuple(texts) == LANGUAGES, key
        assert all(text.strip() for text in texts.values()), key
        assert places(texts["en"]) == places(texts["zh"]), key
        assert key.partition(".")[0] in KINDS, key


def test_every_code_means_something_in_chinese() -> None:
    meanings = of_kind("code", "zh")
    assert meanings.keys() == CODES.keys()
    for code, meaning in meanings.items():
        assert re.search(f"[{HAN}]", meaning), code
        assert meaning.endswith("。"), code
    assert len(set(meanings.values())) == len(CODES)


def test_chinese_is_punctuated_as_chinese_and_english_holds_none() -> None:
    near = re.compile(rf"[{HAN}}}][,;:()!?.](?!\w)|[,;:()!?.][{HAN}]")
    assert [key for key, texts in PHRASES.items() if near.search(texts["zh"])] == []
    assert [key for key, texts in PHRASES.items() if re.search(f"[{HAN}]", texts["en"])] == []


def glossary() -> dict[str, str]:
    """English word -> 中文, as `docs/glossary.md` has them."""
    text = (ROOM.parent / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    return {row[0].strip(): row[1].strip() for row in rows[1:]}


@pytest.mark.parametrize(
    "word",
    [
        "archive", "certificate", "checkpoint", "collector", "configuration", "cosignature",
        "crypto suite", "gateway", "log", "manifest", "month", "rule set", "simulated",
        "root key", "statement", "time stamp", "witness",
    ],
)  # fmt: skip
def test_the_words_are_those_of_the_glossary(word: str) -> None:
    chinese = glossary()[word]
    wanted = re.compile(rf"(?<![-\w/]){word}(?:e?s)?(?![-\w])", re.IGNORECASE)
    meant = {key: texts["zh"] for key, texts in PHRASES.items() if wanted.search(texts["en"])}
    assert meant
    assert {key: zh for key, zh in meant.items() if chinese not in zh} == {}


# -- what the verifier writes ------------------------------------------------------------------


@cache
def sources() -> tuple[re.Pattern[str], ...]:
    """What finds each sentence of the room again: the places of an f-string hold anything."""
    found: set[str] = set()
    for path in ROOM.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            literal = [
                p.value if isinstance(p, ast.Constant) and isinstance(p.value, str) else None
                for p in parts
            ]
            if any(literal) and sum(c.isalpha() for part in literal for c in part or "") > 1:
                found.add("".join(".+" if p is None else re.escape(p) for p in literal))
    # an error's text becomes a sentence in `said`: without regard to upper case, with a full stop
    return tuple(re.compile(f"{text}\\.?", re.IGNORECASE) for text in found)


@pytest.mark.parametrize(
    "key", [key for key in PHRASES if key.partition(".")[0] in WRITTEN], ids=str
)
def test_the_verifier_does_write_this(key: str) -> None:
    """A sentence that is changed there must be changed in the table, or it is English again."""
    text = re.sub(r"\{\w+\}", "x", PHRASES[key]["en"])
    assert any(source.fullmatch(text) for source in sources())


def test_numbers_and_names_come_over_and_what_the_table_lacks_stays() -> None:
    english = "Objects 3 to 1,007 are missing; what was read there is not in this archive."
    chinese = "缺失签名对象 3 至 1,007；其中的读数不在存证档案中。"
    assert translated("sentence", english, "zh") == chinese
    assert translated("sentence", english, "en") == english
    assert translated("sentence", "Nobody wrote this.", "zh") == "Nobody wrote this."
    assert translated("where", "stream edge-1", "zh") == "数据流 edge-1"
    assert translated("where", "input.anode.gross_t", "zh") == "input.anode.gross_t"
    signed = "; signed by key ab of gateway edge-1 2026-06-15T05:00:10Z, before this month."
    assert translated("sentence", f"a.b was added: 8{signed}", "zh").startswith(
        "新增 a.b：8；由网关"
    )
    assert translated("sentence", f"a.b was removed, it was 8{signed}", "zh").startswith(
        "删除 a.b，原为 8；由网关"
    )
    assert phrase("summary.more", "zh", n=1985) == "另有 1,985 条同类发现"


def test_words_of_an_archive_are_no_template() -> None:
    english = "The statement says {0.__class__}; recomputed it is {stated}."
    chinese = "月度核算表所记为 {0.__class__}，重新计算为 {stated}。"
    assert translated("sentence", english, "zh") == chinese


def test_a_hostile_sentence_cannot_make_the_search_long() -> None:
    """Two places that hold any text, with words between them: no more than length squared."""
    for kind in WRITTEN:
        for key, text in of_kind(kind, "en").items():
            names = [name for name, _ in places(text)]
            assert sum(name in LONG for name in names) <= 2, key
            assert "}{" not in text, key
