"""A trace beyond ten minutes and the trend of a point, in a browser; the arithmetic by hand."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Server, Watched
from tests.e2e.fake_plant import PLANT
from tests.e2e.looking import DESK, PHONE
from tests.e2e.test_pages import check

pytestmark = pytest.mark.browser

Open = Callable[..., Watched]
Start = Callable[..., Server]
POT = f"/plants/{PLANT}/lines/line-1/pots/07"
#: ranges, their words, and what is said of the fake series: an effect each 200th bucket, at 33.6 V;
#: ten minutes, thirty hours, ten days are missing, and of one bucket more no reading was usable
WORDS = {
    "en": [("1 h", "by the minute", "for 11 min"), ("72 h", "by the minute", "for 11 min"),
           ("1 month", "by the hour", "for 31 h"), ("1 year", "by the plant's day", "for 11 d")],
    "zh": [("1 小时", "按分钟", "共 11 分钟"), ("72 小时", "按分钟", "共 11 分钟"),
           ("1 个月", "按小时", "共 31 小时"), ("1 年", "按厂区自然日", "共 11 天")],
}  # fmt: skip


@pytest.mark.parametrize(("language", "size"), [("en", DESK), ("zh", PHONE)])
def test_a_pots_trace_to_a_year(
    open_page: Open, start_server: Start, tmp_path: Path, language: str, size: tuple[int, int]
) -> None:
    server = start_server()
    watched = open_page(f"{server.url}/{language}{POT}", width=size[0], height=size[1])
    page = watched.page
    shown, words = page.locator(".drawn"), page.locator(".drawn .words")
    expect(shown).to_be_hidden()
    for name, step, empty in WORDS[language]:
        page.get_by_role("button", name=name, exact=True).click()
        expect(words).to_contain_text(step)
        expect(words).to_contain_text(empty)
        expect(words).to_contain_text("33.600 V")
        expect(shown.locator(".title")).to_contain_text("V (UTC+8)")
        expect(shown.locator("canvas")).to_have_count(1)
    asked = [url for url in watched.requests if "/series?" in url]
    assert len(asked) == 1 + 3 + 1 + 1
    assert all("step=auto" in url for url in asked)
    shown.locator(".chart").focus()
    page.keyboard.press("ArrowRight")
    reading = r"20\d\d-\d\d-\d\d 00:00:00 \(UTC\+8\).*4\.\d{3} V"  # a day begins at midnight there
    expect(shown.locator(".cursor")).to_have_text(re.compile(reading))
    with page.expect_download() as saved:
        shown.get_by_role("link", name="CSV").click()
    lines = Path(saved.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("gateway,point,unit,from_utc,count,min,mean,max")
    assert len(lines) > 300
    with page.expect_download() as saved:
        shown.get_by_role("button", name="PNG").click()
    assert saved.value.suggested_filename == f"{PLANT}-pot-gateway.pot-07.voltage-year.png"
    picture = Path(saved.value.path()).read_bytes()
    assert picture.startswith(b"\x89PNG")
    (tmp_path / "year.png").write_bytes(picture)
    check(watched, server, f"trend-{language}")


def test_a_point_of_which_nothing_is_stored_says_so(open_page: Open, start_server: Start) -> None:
    page = open_page(f"{start_server().url}/en/plants/{PLANT}/line").page
    words = page.locator(".trend-card .words")
    expect(words).to_contain_text("t CO₂e/h; without a usable value for 11 min")
    page.get_by_label("Point").select_option("ac-1.power")
    expect(words).to_have_text("Nothing is stored of this range.")
    expect(page.locator(".trend-card").get_by_role("button", name="PNG")).to_be_hidden()


MINUTE = 60_000
DAY = 86_400_000
NS = 1_000_000


def answer(*begins: int, step_s: int = 60, counts: list[int], **more: Any) -> dict[str, Any]:
    """As the series tell it: lowest 1, mean 2, highest 3 where a reading was usable."""
    columns = {
        name: [value if n else None for n in counts]
        for name, value in (("min", "1"), ("mean", "2"), ("max", "3"))
    }
    one = {"gateway": "a", "quantity": {"unit": "V"}, "unit": "V", "decimals": 0,
           "from_ns": [at * NS for at in begins], "count": counts, "quality": [0] * len(counts),
           "through_ns": 10 * MINUTE * NS, "open_ns": None, **columns, **more}  # fmt: skip
    return {"step_s": step_s, "series": [one]}


#: minutes 0, 1, 4 and 5 of ten; of minute 5 no reading was usable
FOUR = answer(0, MINUTE, 4 * MINUTE, 5 * MINUTE, counts=[60, 60, 60, 0])
OTHER = answer(-9 * MINUTE, counts=[1], gateway="b")
#: function of buckets.js, its arguments, what it must say
CASES: list[tuple[str, list[Any], Any]] = [
    ("pieces", [3 * DAY, 5 * DAY + 1],
     [{"from": 2 * DAY + MINUTE, "to": 3 * DAY + MINUTE},
      {"from": 3 * DAY + MINUTE, "to": 4 * DAY + MINUTE},
      {"from": 4 * DAY + MINUTE, "to": 5 * DAY + MINUTE}]),
    ("pieces", [31 * DAY, 40 * DAY], [{"from": 9 * DAY, "to": 40 * DAY}]),
    ("joined", [[{"step_s": 60, "series": []}]], None),
    ("joined", [[OTHER, FOUR]], {"times": [30, 90, 150, 270, 330], "mean": [2, 2, None, 2, None],
                                 "count": [60, 60, 0, 60, 0], "others": 1, "stepMs": MINUTE}),
]  # fmt: skip


def test_what_is_drawn_follows_from_what_the_series_said(
    open_page: Open, start_server: Start
) -> None:
    """By hand: of ten minutes three are held, so seven are empty; pieces end on whole minutes."""
    page = open_page(f"{start_server().url}/en{POT}").page
    call = """async (cases) => { const m = await import('/static/js/buckets.js');
        return cases.map(([name, given]) => JSON.stringify(m[name](...given))); }"""
    found = page.evaluate(call, [[name, given] for name, given, _ in CASES])
    for (name, _, wanted), text in zip(CASES, found, strict=True):
        said = json.loads(text)
        if isinstance(wanted, dict):
            said = {key: said[key] for key in wanted}
        assert said == wanted, name
    call = """async ([rows, span]) => { const m = await import('/static/js/buckets.js');
        return m.summed(m.joined([rows]), span); }"""
    said = page.evaluate(call, [FOUR, {"from": 0, "to": 20 * MINUTE}])
    assert said == {"low": 1, "high": 3, "emptyMs": 7 * MINUTE}
