"""Alarms of all slices, and which rows of many a page shows."""

from pathlib import Path
from typing import Any

from tests.unit.cloud.fake_collector import FakeCollector
from tests.unit.cloud.front.front_examples import HOSTILE, Cells, over, rows_of, serve


def alarm(number: int, plant: str, priority: int, raised_s: int, **more: Any) -> dict[str, Any]:
    return {
        "number": number, "plant": plant, "priority": priority, "raised_ns": raised_s * 10**9,
        "phase": "raised", "is_unsure": False, "en": f"alarm {number}", "zh": f"告警 {number}",
        "acknowledged_by": "", "acknowledged_ns": None, "shelf": None, **more,
    }  # fmt: skip


def test_alarms_of_all_slices_the_most_urgent_first(tmp_path: Path, strange: FakeCollector) -> None:
    """By priority, then what nobody acknowledged, then the newest; none that lies on a shelf."""
    seen = {"acknowledged_by": "li-wei", "acknowledged_ns": 1_789_999_000 * 10**9}
    standing = [
        alarm(1, "mini", 3, 1_789_999_990), alarm(2, "mini", 1, 1_789_999_990, **seen),
        alarm(3, "kiln", 1, 1_789_990_000, en=HOSTILE), alarm(4, "mini", 1, 1_789_999_000),
        alarm(5, "mini", 1, 1_789_999_999, shelf={"by": "x"}),
    ]  # fmt: skip
    told = {"standing": standing, "cleared": [], "unacknowledged": 3, "new_in_last_hour": 5}
    strange.answer("alarms", told)
    fronted = over(tmp_path, strange)
    page = fronted.page("/zh/alarms")
    order = [link.rpartition("#")[2] for link in Cells(page).links if "#alarm" in link]
    assert order == [f"alarm-{number}" for number in (4, 3, 2, 1)]
    assert (
        f"{fronted.front.listeners[0].heard.pages}/zh/alarms?plant=kiln#alarm-3"
        in Cells(page).links
    )
    assert "li-wei 于 2026-09-21 21:56:40（北京时间） 确认" in page
    english = fronted.page("/en/alarms?only=1&q=KILN")
    assert next(one for one in Cells(english).links if "#alarm" in one).endswith("#alarm-3")
    assert "1 to 1 of 1 shown; 4 in all, of which 3 need somebody." in english
    assert "img" not in Cells(english).tags
    strange.answer("alarms", told, 500)
    fronted.look()
    assert "as of 2026-09-21 22:13:20 (UTC+8); refuses since" in fronted.page("/en/alarms")


def review(plant: str, month: str, **more: Any) -> dict[str, Any]:
    counts = {"open": 0, "overdue": 0, "answered": 0, "next_due": ""}
    levels = {"city": "", "province": "", "nation": ""}
    return {"plant": plant, "month": month, "state": "sealed", "levels": levels, **counts, **more}


def test_reviews_of_all_slices_say_what_is_open_and_what_each_level_decided(
    tmp_path: Path, strange: FakeCollector
) -> None:
    """The newest month first; a question that is owed, and a month that was returned, need one."""
    decided = {"city": "approve", "province": "return", "nation": "older"}
    told = [
        review("mini", "2026-08", levels=decided, state="amended"),
        review("mini", "2026-09", open=2, overdue=1, answered=3, next_due="2026-10-04"),
        review("kiln", "2026-09", answered=1),
    ]
    told.sort(key=lambda one: (one["month"], one["plant"]), reverse=True)  # as a collector has them
    serve(strange, ("kiln", "mini"))
    strange.answer("reviews", {"reviews": told, "next": None})
    fronted = over(tmp_path, strange)
    page = fronted.page("/en/reviews")
    rows = rows_of(page)
    assert list(rows)[1:4] == ["kiln 2026-09", "mini 2026-09", "mini 2026-08"]
    none = ["not decided"] * 3
    assert rows["kiln 2026-09"] == ["north", "sealed", "1 answered", "none", *none]
    counts = "1 overdue; 2 open; 3 answered"
    assert rows["mini 2026-09"] == ["north", "sealed", counts, "2026-10-04", *none]
    assert rows["mini 2026-08"][1:] == [
        "amended", "none", "none", "approved", "returned",
        "decided on an archive that was replaced",
    ]  # fmt: skip
    base = fronted.front.listeners[0].heard.pages
    assert f"{base}/en/plants/mini/months/2026-09/review" in Cells(page).links
    chinese = rows_of(fronted.page("/zh/reviews?only=1&q=MINI"))
    assert chinese["mini 2026-09"][2] == "逾期 1 项；待答复 2 项；已答复 3 项"
    assert set(rows_of(fronted.page("/en/reviews?only=1"))) & set(rows) >= {"mini 2026-08"}
    assert "kiln 2026-09" not in rows_of(fronted.page("/en/reviews?only=1"))
    strange.answer("reviews", {}, 503)
    fronted.look()
    late = [name for name in rows_of(fronted.page("/en/reviews")) if "2026-09-21" in name]
    assert len(late) == 3, "they stay, and say of which instant they are"


def test_1500_plants_are_shown_by_pages(tmp_path: Path, strange: FakeCollector) -> None:
    plants = [f"works-{n:04}" for n in range(1_500)]
    amiss = {"works-1400": {"not-written": "disk"}}
    strange.answer("health", {"status": "amiss", "served": plants, "amiss": amiss})
    fronted = over(tmp_path, strange)

    def shown(query: str) -> list[str]:
        page = fronted.page(f"/en/{query}")
        return [row for row in rows_of(page) if row.startswith("works-")]

    assert shown("") == plants[:100]
    assert shown("?page=15") == plants[1400:]
    assert shown("?page=99") == plants[1400:], "the last there is"
    assert shown("?q=0123") == ["works-0123"]
    assert shown("?q=north&page=2") == plants[100:200]
    links = Cells(fronted.page("/en/?q=north&page=2")).links
    assert {"/en/?q=north", "/en/?q=north&page=3", "/zh/?q=north&page=2"} <= set(links)
    assert "None of them fits" in fronted.page("/en/?q=nowhere")
    assert "1 to 100 of 1,500 shown; 1,500 in all" in fronted.page("/en/")
    for query in ("page=0", "page=x", f"q={'x' * 101}", "only=2"):
        assert fronted.client.get(f"/en/?{query}").status_code == 422, query
