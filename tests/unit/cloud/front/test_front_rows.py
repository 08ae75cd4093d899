"""Alarms of all slices, and which rows of many a page shows."""

from pathlib import Path
from typing import Any

from tests.unit.cloud.fake_collector import FakeCollector
from tests.unit.cloud.front.front_examples import HOSTILE, Cells, over, rows_of


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
