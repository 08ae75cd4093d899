"""The list of months and the plants side by side at the scale of the nation: 1,500 plants."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.accounts.roles import ROLES, Principal
from cloud.api.review_pages import across_page, reviews_page
from cloud.api.reviews import ROWS_MAX, reviews
from cloud.review.place import Place, place_of
from cloud.screening.desk import Looked, Screenings
from cloud.screening.kept import kept_of
from tests.unit.cloud.app_examples import ManualClock
from tests.unit.cloud.test_screening import answer, screened

PLANTS = [f"plant-{n:04}" for n in range(1_500)]
MONTHS = ("2026-08", "2026-09")
GUO = Principal("guo", ROLES["reviewer"], region="")


class Nation:
    """A collector of the nation's plants; every third month was approved by the nation."""

    records: Any
    clock = ManualClock()

    def __init__(self, tmp_path: Any) -> None:
        self.records = self.months = self.hub = self
        self.screenings = Screenings(tmp_path)

    def plants(self) -> list[str]:
        return PLANTS

    def is_simulated(self, _plant: str) -> bool:
        return False

    def plants_of(self, _who: Principal) -> list[str]:
        return PLANTS

    def others_of(self, _who: Principal) -> dict[str, list[str]]:
        return {f"gone-{n:04}": ["damaged"] if n else [] for n in range(1_500)}

    def rows(self, plant: str) -> list[dict[str, Any]]:
        return [
            {"plant": plant, "month": month, "zone": "Asia/Shanghai", "state": "sealed",
             "archives": [self.archive(plant, month)]} for month in MONTHS
        ]  # fmt: skip

    def archive(self, plant: str, month: str) -> dict[str, Any]:
        return {"newest": True, "replaced": False, "sha256": f"{plant} {month}",
                "archive": "/nowhere/x.tar", "statement_sha256": "ab", "name": "x"}  # fmt: skip

    def count(self, _plant: str) -> int:
        return 1

    def newest(self, *_: Any) -> list[Any]:
        return []

    persons = newest

    def reviews_in_brief(self, plant: str) -> list[dict[str, Any]]:
        return [
            {"kind": "review-decision", "about": month, "ended_by": None, "index": 7, "body": {
                "level": "nation", "decision": "approve", "openings": "recorded",
                "archive_sha256": self.archive(plant, month)["sha256"], "statement_sha256": "ab",
            }}
            for month in MONTHS if int(plant[-4:]) % 3 == 0
        ]  # fmt: skip


@pytest.fixture
def nation(tmp_path: Any) -> Any:
    return Nation(tmp_path)


def test_of_the_newest_one_answer_has_many_and_of_the_older_what_needs_somebody(
    nation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program asks for the newest month of each: 2026-08 is there where it was returned."""
    brief = nation.reviews_in_brief

    def returned(plant: str) -> list[dict[str, Any]]:
        rows = brief(plant)
        for row in rows:
            row["body"]["decision"] = "return" if plant == "plant-0006" else "approve"
        return rows

    monkeypatch.setattr(nation, "reviews_in_brief", returned)
    monkeypatch.setattr(nation, "rows", lambda plant: Nation.rows(nation, plant)[::-1])
    of = reviews(nation, GUO, newest=1)
    found = [(row["month"], row["plant"]) for row in of["reviews"]]
    assert len(found) == 1_501
    assert [one for one in found if one[0] == "2026-08"] == [("2026-08", "plant-0006")]
    assert (of["next"], of["more"]) == (None, 0)
    assert len(reviews(nation, GUO)["reviews"]) == ROWS_MAX
    assert len(reviews(nation, GUO, count=1_000, newest=1)["reviews"]) == 1_000


def test_every_month_is_on_one_of_the_pages_what_waits_first(nation: Any) -> None:
    seen, after, answers = list[tuple[str, str]](), "", 0
    while True:
        of = reviews(nation, GUO, after, ROWS_MAX)
        assert len(of["reviews"]) <= ROWS_MAX
        seen += [(row["month"], row["plant"]) for row in of["reviews"]]
        answers += 1
        assert of["more"] == len(PLANTS) * len(MONTHS) - len(seen)
        if of["next"] is None:
            break
        after = of["next"]
    waiting = [(m, p) for m in MONTHS for p in PLANTS if int(p[-4:]) % 3]
    done = [(m, p) for m in MONTHS for p in PLANTS if not int(p[-4:]) % 3]
    assert seen == sorted(waiting, reverse=True) + sorted(done, reverse=True)
    assert answers == 10


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pages_of_all_plants_are_bounded(
    nation: Any, language: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = bytes(reviews_page(nation, GUO, language).body).decode()
    assert first.count("<tr><th") == 1 + ROWS_MAX
    assert "/reviews?after=0/2026-09/plant-" in first
    assert ("gone-0000" in first, "gone-0020" in first, "gone-0021" in first) == (0, 1, 0)
    assert "1479" in first  # more, of 1,499 that are damaged
    last = bytes(reviews_page(nation, GUO, language, "1/2026-08/plant-0003").body).decode()
    assert ("plant-0000" in last, "?after=" in last, "plant-0001" in last) == (True, False, False)
    across = bytes(across_page(nation, GUO, language).body).decode()
    assert len(across) < 100_000
    assert "1500" in across  # being screened
    kept = kept_of(screened(*(answer(str(n)) for n in range(50))), "x.tar")
    monkeypatch.setattr(nation.screenings, "of", lambda *_, **__: Looked(kept))
    across = bytes(across_page(nation, GUO, language).body).decode()
    assert len(across) < 200_000
    assert f"{1_500 * 50 - 100}" in across


@given(*[st.builds(Place, st.booleans(), st.sampled_from(MONTHS), st.sampled_from("abc"))] * 2)
def test_places_are_read_as_written_and_have_one_order(one: Place, other: Place) -> None:
    assert place_of(str(one)) == one
    assert [one < other, other < one].count(True) == (one != other)
