"""Pages of months in a real browser: both languages and widths, looked at after each step."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Server, Watched
from tests.e2e.fake_plant import PLANT
from tests.e2e.looking import DESK, PHONE
from tests.e2e.test_accounts import Visit

pytestmark = pytest.mark.browser

WORDS = {
    "en": ["Months", "waiting", "late", "no document of kind “invoice” about anthracite", "Close",
           "Something is owed", "46 % of 259,200 objects", "amended", "Samples of this month",
           "Back to the month", "archive", "none"],
    "zh": ["月度存证", "待补齐", "已逾期", "缺少关于 anthracite 的“发票”文件", "关账",
           "仍有未完成事项", "259,200 个对象的 46 %", "已更正", "本月样品", "返回本月",
           "存证档案", "无值"],
}  # fmt: skip


@pytest.mark.parametrize(("language", "size", "also"), [("en", DESK, PHONE), ("zh", PHONE, DESK)])
def test_from_all_months_to_one_that_is_closed_by_decision(
    open_page: Callable[..., Watched], start_server: Callable[..., Server], language: str,
    size: tuple[int, int], also: tuple[int, int],
) -> None:  # fmt: skip
    server, (width, height), words = (
        start_server(f"--accountant={language}{size[0]}"),
        size,
        WORDS[language],
    )
    watched = open_page(f"{server.url}/{language}/", width=width, height=height)
    page, visit = watched.page, Visit(watched, f"months-{language}-{width}", width, also)
    page.get_by_role("link", name=words[0], exact=True).click()
    expect(page.get_by_role("heading", name=words[0], exact=True)).to_be_visible()
    expect(page.get_by_role("link", name=words[2])).to_have_count(1)
    cell = page.locator(".matrix td", has_text=words[7])
    # by hand: of one day of 31 every 50th reading has no value, and every 100th is reserved
    expect(cell).to_contain_text(re.compile(r"0\.03 %.*0\.06 %"))
    expect(cell.get_by_role("link", name=words[10])).to_have_attribute(
        "href", f"/api/v1/plants/{PLANT}/months/2026-08/archive.tar"
    )
    visit.look("1-all")
    page.get_by_role("link", name=words[7]).click()
    expect(page.get_by_text(f"stackproof verify {PLANT}-2026-08.tar")).to_be_visible()
    visit.look("2-amended")
    page.goto(f"{server.url}/{language}/plants/{PLANT}/months/2026-07")
    # a gas analyser that answers and gives no value is no healthy meter: each of 31 days says so
    dead = page.locator("tr", has_text="meter-03").locator("td.dead")
    expect(dead).to_have_text([words[11]] * 31)
    expect(page.locator("td.dead")).to_have_count(31)
    visit.look("2-dead")
    page.goto(f"{server.url}/{language}/months")
    page.get_by_role("link", name=words[1]).click()
    expect(page.get_by_text(words[3])).to_be_visible()
    expect(page.locator("td.some").first).to_have_text("87")  # 21 of 24 hours
    visit.look("3-waiting")
    page.get_by_role("link", name=words[8]).click()
    expect(page.get_by_text("S-PDF-NUMBER")).to_be_visible()
    expect(page.get_by_text("S-NO-RECEIPT")).to_be_visible()
    page.locator("summary").first.click()
    visit.look("3-samples")
    page.get_by_role("link", name=words[9]).click()
    page.locator("#reason").evaluate("field => field.required = false")
    page.get_by_role("button", name=words[4], exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(words[5])
    watched.complaints.clear()  # the browser tells the 409
    page.locator("#reason").fill("the laboratory burnt 实验室失火")
    page.get_by_role("button", name=words[4], exact=True).click()
    expect(page.get_by_role("status")).to_contain_text(words[6])
    visit.look("4-closing")


def test_a_month_opens_within_300_ms_with_a_month_of_1296_million_readings(
    open_page: Callable[..., Watched], start_server: Callable[..., Server]
) -> None:
    """500 points a second; the middle of nine, from the click to the whole page."""
    server = start_server()
    watched = open_page(f"{server.url}/en/plants/{PLANT}/months/2026-09")
    taken = []
    for _ in range(9):
        watched.page.reload()
        timing = "() => performance.getEntriesByType('navigation')[0].duration"
        taken.append(watched.page.evaluate(timing))
    assert sorted(taken)[4] <= 300, taken
