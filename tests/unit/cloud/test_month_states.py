"""One state of a month on every page that shows it: the same sentence, in both languages."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from edge.calc.flags import Flag
from tests.unit.cloud.app_examples import TOKEN, Nothing, make_app, make_client
from tests.unit.cloud.month.month_facts import found
from tests.unit.cloud.review.review_examples import MONTH, SealedMonths

TOTAL = "1,214,057.49"  # of the month that was published
#: by hand: verdict on the archive -> its sentence
STATES = {
    "plain": (found(), {"en": "PASSED", "zh": "通过"}),
    "lacks clinker": (
        found("no-clinker"),
        {"en": "PASSED, INCOMPLETE: clinker is missing (mandatory)",
         "zh": "通过，不完整：缺少熟料（必报项）"},
    ),
    "failed": (found(code="E-FILE-HASH"), {"en": "FAILED", "zh": "不通过"}),
}  # fmt: skip
BESIDE = {
    "lacks clinker": {"en": " — clinker is missing (mandatory)", "zh": "——缺少熟料（必报项）"},
    "failed": {"en": " — FAILED", "zh": "——不通过"},
}


class NoRecords(Nothing):
    """A plant without a document."""

    def newest(self, *_: Any, **__: Any) -> list[Any]:
        return []

    reviews = persons = newest


def client_of(months: SealedMonths) -> TestClient:
    made = make_client(make_app(months=months, records=NoRecords()))
    made.headers["Authorization"] = f"Bearer {TOKEN}"
    return made


def pages(months: SealedMonths, language: str) -> dict[str, str]:
    at = {
        "months": f"/{language}/months",
        "month": f"/{language}/plants/mini/months/{MONTH}",
        "review": f"/{language}/plants/mini/months/{MONTH}/review",
        "year": f"/{language}/plants/mini/year?year={MONTH[:4]}",
    }
    found_there = {}
    with client_of(months) as client:
        for name, path in at.items():
            answer = client.get(path)
            assert answer.status_code == 200, (path, answer.text)
            found_there[name] = answer.text
    return found_there


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("which", STATES)
def test_each_page_tells_the_same_state(which: str, language: str, tmp_path: Path) -> None:
    months = SealedMonths(tmp_path)
    months.verdict, sentences = STATES[which]
    told = pages(months, language)
    for name, text in told.items():
        assert f">{sentences[language]}<" in text or f"{sentences[language]} " in text, name
    for name in ("month", "review", "year"):
        beside = BESIDE.get(which, {}).get(language)
        if name == "year" and which == "failed":
            assert TOTAL not in told[name]  # no sum has it
        else:
            assert TOTAL in told[name]
            assert beside is None or beside in told[name]
            assert beside is not None or "beside" not in told[name]
    if which == "lacks clinker":
        for name in ("month", "review"):
            assert "W-INCOMPLETE" in told[name]
            assert Flag("no-clinker").sentence(language) in told[name]
    if which == "failed":
        assert "E-FILE-HASH" in told["months"]
        assert "E-FILE-HASH" in told["month"]


def test_programs_are_told_the_same(tmp_path: Path) -> None:
    months = SealedMonths(tmp_path)
    months.verdict, sentences = STATES["lacks clinker"]
    with client_of(months) as client:
        row: Any = client.get(f"/api/v1/plants/mini/months/{MONTH}").json()
        year: Any = client.get("/api/v1/plants/mini/year?year=2026").json()
    assert row["sealed"]["headline"] == sentences
    assert row["sealed"]["exit_status"] == 3
    assert [(one["flag"], one["code"], one["weight"]) for one in row["issues"]] == [
        ("no-clinker", "W-INCOMPLETE", "incomplete")
    ]
    assert year["archives"][0]["state"]["headline"] == sentences
    months.verdict = STATES["failed"][0]
    with client_of(months) as client:
        year = client.get("/api/v1/plants/mini/year?year=2026").json()
    assert year["archives"] == []
    assert [one["month"] for one in year["failed"]] == [MONTH]
