"""Months and reviews of ten years: what a front keeps of them, and what it takes from nobody."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cloud.front.listener import PAGES_S
from cloud.month.sealed import sealed_row
from tests.unit.cloud.app_examples import Months
from tests.unit.cloud.fake_collector import FakeCollector
from tests.unit.cloud.front.front_examples import Cells, Fronted, Slice, over, rows_of, serve
from tests.unit.cloud.front.test_front import MONTH
from tests.unit.cloud.front.test_front_rows import review
from tests.unit.cloud.month.month_facts import found

#: 40 months, the newest first: 2026-09 back to 2023-06
MONTHS = [f"{n // 12}-{n % 12 + 1:02}" for n in range(2026 * 12 + 8, 2026 * 12 - 32, -1)]


def month(plant: str, of: str, **more: Any) -> dict[str, Any]:
    return {**MONTH, "plant": plant, "month": of, **more}


def sealed_row_of(verdict: dict[str, Any]) -> dict[str, Any]:
    """What a row of a collector tells of an archive with this verdict."""
    archive = {"newest": True, "replaced": False, "sha256": "0" * 64, "verified": verdict}
    told = ("verdict", "code", "substituted_percent", "version", "at_ns")
    shown = {**archive, "verified": {name: verdict[name] for name in told}}
    return {"archives": [shown], "sealed": sealed_row(archive)}


def amiss(strange: FakeCollector, tmp_path: Path, part: str) -> Any:
    (told,) = over(tmp_path, strange).get("collectors")
    return told["parts"][part]["amiss"]


def failed(of: str) -> dict[str, Any]:
    verified = {"verdict": "failed", "code": "", "substituted_percent": None, "version": "1",
                "at_ns": 0}  # fmt: skip
    return month("kiln", of, archives=[{"newest": True, "sha256": "0" * 64, "verified": verified}])


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (sealed_row_of(found("no-clinker")), {
            "en": "PASSED, INCOMPLETE: clinker is missing (mandatory)",
            "zh": "通过，不完整：缺少熟料（必报项）"}),
        (sealed_row_of(found(code="E-FILE-HASH")), {
            "en": "FAILED (E-FILE-HASH)", "zh": "不通过 (E-FILE-HASH)"}),
        # an earlier program told a verdict alone, and trusted no root
        ({**sealed_row_of(found()), "sealed": None}, {
            "en": "PASSED, NOT IDENTIFIED: no --trust", "zh": "通过，未核对身份：没有 --trust"}),
    ],
)  # fmt: skip
def test_the_table_of_months_tells_the_state_that_the_collector_tells(
    tmp_path: Path, strange: FakeCollector, row: dict[str, Any], words: dict[str, str]
) -> None:
    serve(strange, ("mini",))
    strange.answer("months", [month("mini", "2026-09", **row)])
    strange.answer("reviews", {"reviews": [], "next": None})
    fronted = over(tmp_path, strange)
    for language, text in words.items():
        assert f"{text} ·" in fronted.page(f"/{language}/months")


def test_of_a_collector_of_before_as_much_is_kept_as_of_one_of_now(
    tmp_path: Path, strange: FakeCollector
) -> None:
    """It knows no `newest` and gives all: 13 of each are kept, and what needs somebody."""
    assert (MONTHS[0], MONTHS[12]) == ("2026-09", "2025-09")
    assert (len(MONTHS), MONTHS[13], MONTHS[39]) == (40, "2025-08", "2023-06")
    late = ("2024-02", "2023-09")
    mini = [month("mini", of, **({"state": "late", "level": "alarm"} if of in late else {}))
            for of in MONTHS]  # fmt: skip
    kiln = [failed(of) if of in ("2024-03", "2025-07") else month("kiln", of) for of in MONTHS]
    told = [review(plant, of) for of in MONTHS for plant in ("mini", "kiln")]
    for one in told:
        if (one["plant"], one["month"]) in (("mini", "2024-01"), ("mini", "2023-07")):
            one["overdue"] = 1
        if (one["plant"], one["month"]) == ("kiln", "2023-06"):
            one["levels"]["nation"] = "return"
    serve(strange, ("mini", "kiln"))
    strange.answer("months", [*mini, *kiln])
    strange.answer("reviews", {"reviews": told[:30], "next": "1/2025-07/kiln"})
    strange.answer("reviews?after=1%2F2025-07%2Fkiln", {"reviews": told[30:], "next": None})
    fronted = over(tmp_path, strange)
    answer = fronted.client.get("/api/v1/months")
    assert [(row["plant"], row["month"]) for row in answer.json()] == [
        *[("mini", of) for of in (*MONTHS[:13], "2023-09")],
        *[("kiln", of) for of in (*MONTHS[:13], "2024-03")],
    ], "of the older ones the oldest that needs somebody"
    assert answer.headers["stackproof-newest"] == "13"
    reviews = fronted.client.get("/api/v1/reviews")
    assert reviews.headers["stackproof-newest"] == "13"
    assert [(row["plant"], row["month"]) for row in reviews.json()["reviews"]] == [
        *[(plant, of) for of in MONTHS[:13] for plant in ("mini", "kiln")],
        ("mini", "2024-01"), ("mini", "2023-07"), ("kiln", "2023-06"),
    ]  # fmt: skip
    page = fronted.page("/en/months")
    (head,) = [name for name in rows_of(page) if name.startswith("kiln")]
    assert head == "kilnnorthneeds somebody too: 2024-03needs somebody too: 2023-06"
    base = fronted.front.listeners[0].heard.pages
    assert f"{base}/en/plants/mini/months/2023-09" in Cells(page).links
    assert fronted.get("health")["status"] == "ok"


def test_what_is_asked_for_grows_with_no_year(tmp_path: Path, strange: FakeCollector) -> None:
    over(tmp_path, strange)
    asked = [path for _, path, _, _ in strange.asked if "months" in path or "reviews" in path]
    assert asked == ["/api/v1/months?newest=13", "/api/v1/reviews?newest=13"]


def test_pages_go_on_while_months_are_closed(tmp_path: Path, strange: FakeCollector) -> None:
    """Between two pages one is closed before where the front is, and one behind it."""
    serve(strange, ("a", "b", "c"))
    strange.answer("reviews", {"reviews": [review("b", "2026-09")], "next": "1/2026-09/b"})
    # c 2026-09 comes before it: it is told with the next look; a 2026-08 comes behind it
    rest = [review("c", "2026-08"), review("a", "2026-08")]
    strange.answer("reviews?after=1%2F2026-09%2Fb", {"reviews": rest[:1], "next": "1/2026-08/c"})
    strange.answer("reviews?after=1%2F2026-08%2Fc", {"reviews": rest[1:], "next": None})
    fronted = over(tmp_path, strange)

    def told() -> list[str]:
        return [f"{row['plant']} {row['month']}" for row in fronted.get("reviews")["reviews"]]

    assert told() == ["b 2026-09", "c 2026-08", "a 2026-08"]
    first = [review("c", "2026-09"), review("b", "2026-09")]
    strange.answer("reviews", {"reviews": first, "next": "1/2026-09/b"})
    fronted.look()
    assert told() == ["c 2026-09", "b 2026-09", "c 2026-08", "a 2026-08"]


class Sealing(Months):
    """15 sealed months of each plant; behind the first page of reviews one more is sealed of b."""

    is_sealed = False

    def rows(self, plant: str) -> list[dict[str, Any]]:
        archive = {"newest": True, "replaced": False, "sha256": "0" * 64, "statement_sha256": "00",
                   "verified": None}  # fmt: skip
        first = 20 - (plant == "b" and self.is_sealed)
        return [month(plant, of, archives=[archive]) for of in MONTHS[first:35]]

    def count(self, plant: str) -> int:
        self.is_sealed |= plant == "c"  # the last that a page goes through
        return 1

    def reviews_in_brief(self, plant: str) -> list[dict[str, Any]]:
        """The nation returned the oldest month of c."""
        body = {"level": "nation", "decision": "return", "openings": "recorded",
                "archive_sha256": "0" * 64, "statement_sha256": "00"}  # fmt: skip
        row = {"kind": "review-decision", "about": MONTHS[34], "ended_by": None, "index": 7}
        return [{**row, "body": body}] if plant == "c" else []


def test_pages_of_a_collector_while_it_seals_a_month(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is there twice; what comes before the page that was told is there a look later."""
    monkeypatch.setattr("cloud.api.reviews.COUNT_MAX", 5)
    one, sealing = Slice("a", "b", "c"), Sealing()
    for name in ("months", "records"):
        object.__setattr__(one._services, name, sealing)
    try:
        fronted = Fronted(tmp_path, {"north": one})
        fronted.look()

        def told(plant: str) -> list[str]:
            rows = fronted.get("reviews")["reviews"]
            return [row["month"] for row in rows if row["plant"] == plant]

        assert told("a") == MONTHS[20:33]
        assert told("c") == [*MONTHS[20:33], MONTHS[34]]
        assert told("b") == MONTHS[20:32], "its thirteenth was the newest no more"
        fronted.look()
        assert told("b") == MONTHS[19:32]
        assert told("a") == MONTHS[20:33]
        found = [row["month"] for row in fronted.get("months") if row["plant"] == "b"]
        assert found == MONTHS[19:32]
    finally:
        one.kill()


FIRST = [review("mini", "2026-09"), review("kiln", "2026-09")]


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (FIRST, "mini 2026-09 comes behind kiln 2026-09"),
        (FIRST[1:], "kiln 2026-09 comes behind kiln 2026-09"),
        ([review("kiln", "2026-08"), review("mini", "2026-08")],
         "mini 2026-08 comes behind kiln 2026-08"),
        ([review("works", "2026-08")], "tells of works, which it does not say it has"),
        ([], "a page of reviews has none, and leads to another"),
    ],
)  # fmt: skip
def test_pages_that_go_back_or_lead_nowhere_are_refused_at_once(
    tmp_path: Path, strange: FakeCollector, caplog: pytest.LogCaptureFixture,
    *, second: Sequence[Any], said: str,
) -> None:  # fmt: skip
    serve(strange, ("mini", "kiln"))
    strange.answer("reviews", {"reviews": FIRST, "next": "x"})
    strange.answer("reviews?after=x", {"reviews": second, "next": None if "works" in said else "x"})
    told = amiss(strange, tmp_path, "reviews")
    assert (told["why"], told["detail"]) == ("strange", "reviews")
    assert f"north: reviews: {said}" in caplog.text.replace("it tells", "tells")
    assert len([path for _, path, _, _ in strange.asked if "reviews" in path]) == 2


def test_pages_that_never_end_have_a_number_a_time_and_memory(
    tmp_path: Path, strange: FakeCollector, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """Each page leads to the next, and says of another month than the one before."""
    for n, of in enumerate(MONTHS):
        body = {"reviews": [review("mini", of, more="x" * 9_000)], "next": f"{n + 1}"}
        strange.answer("reviews" if n == 0 else f"reviews?after={n}", body)
    for bound, value, asked, said in (
        ("REVIEW_PAGES_MAX", 4, 4, "more than 4 pages of reviews"),
        ("PAGES_S", -1.0, 1, "take longer than -1 s"),
        ("BYTES_MAX", 100_000, 3, "take more memory than 100000 bytes"),
    ):
        strange.asked.clear()
        with monkeypatch.context() as patch:
            patch.setattr(f"cloud.front.listener.{bound}", value)
            assert amiss(strange, tmp_path, "reviews")["why"] == "strange"
        assert said in caplog.text
        assert len([path for _, path, _, _ in strange.asked if "reviews" in path]) == asked
    assert PAGES_S == 300


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([month("mini", "2026-09"), month("works", "2026-09")],
         "tells of works, which it does not say it has"),
        ([month("mini", "2026-09"), month("mini", "2026-08"), month("mini", "2026-09")],
         "tells of mini 2026-09 twice"),
    ],
)  # fmt: skip
def test_months_are_of_its_own_plants_and_each_is_there_once(
    tmp_path: Path, strange: FakeCollector, caplog: pytest.LogCaptureFixture,
    *, rows: Sequence[Any], said: str,
) -> None:  # fmt: skip
    strange.answer("months", rows)
    assert amiss(strange, tmp_path, "months")["why"] == "strange"
    assert said in caplog.text


def test_a_collector_whose_months_are_too_many_is_to_be_upgraded(
    tmp_path: Path, strange: FakeCollector, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """It is of before, and gives all it has: more than an answer may have."""
    strange.answer("months", [month("mini", of) for of in MONTHS])
    monkeypatch.setattr("cloud.asking.ANSWER_BYTES_MAX", 4_000)  # 40 of some 200 bytes are more
    assert amiss(strange, tmp_path, "months")["why"] == "strange"
    assert "its answer has more than 4000 bytes: where it is older, upgrade it" in caplog.text
