"""Alarms and the shift in a real browser: both languages and widths, and the sheet on paper."""

from collections.abc import Callable

import pypdfium2
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server, Watched
from tests.e2e.fake_plant import PLANT
from tests.e2e.looking import DESK, PHONE
from tests.e2e.test_accounts import Visit

pytestmark = pytest.mark.browser

WORDS = {
    "en": {
        "title": "Alarms and events", "gas": "Meter gas-1 does not answer", "seen": "by li-wei",
        "ack": "Acknowledge: ", "shelve": "Shelve: ", "do": "Shelve",
        "shelved": "On the shelf", "off": "to be acknowledged again",
        "down": "Take off the shelf: ", "emitted": "t CO₂e",
        "leave": "Leave note", "take": "Take over", "taken": "Taken over by li-wei",
    },
    "zh": {
        "title": "告警与事件", "gas": "仪表 gas-1 无应答", "seen": "li-wei 于", "ack": "确认：",
        "shelve": "搁置：", "do": "搁置", "down": "取消搁置：", "shelved": "已搁置",
        "off": "需重新确认", "emitted": "t CO₂e", "leave": "提交交班记录", "take": "接班",
        "taken": "li-wei 于",
    },
}  # fmt: skip
BOTH = pytest.mark.parametrize(
    ("language", "size", "also"), [("en", DESK, PHONE), ("zh", PHONE, DESK)]
)


def server_of(start_server: Callable[..., Server], language: str) -> Server:
    return start_server("--dead-gas", f"--operator={language}")


@BOTH
def test_an_operator_sees_acknowledges_and_shelves(
    open_page: Callable[..., Watched], start_server: Callable[..., Server], language: str,
    size: tuple[int, int], also: tuple[int, int],
) -> None:  # fmt: skip
    server, words = server_of(start_server, language), WORDS[language]
    watched = open_page(f"{server.url}/{language}/alarms", width=size[0], height=size[1])
    page, visit = watched.page, Visit(watched, f"alarms-{language}-{size[0]}", size[0], also)
    expect(page.get_by_role("heading", name=words["title"], exact=True)).to_be_visible()
    row = page.locator(".alarm", has_text=words["gas"])
    expect(row).to_have_class("alarm unseen-yet")
    expect(page.locator(".alarm-count")).not_to_have_text("")
    visit.look("1-standing")
    button = row.get_by_role("button", name=words["ack"])
    button.focus()
    page.keyboard.press("Enter")
    expect(row).to_have_class("alarm")
    expect(row).to_contain_text(words["seen"])
    row.locator("summary").press("Enter")
    row.locator("[name=reason]").fill("flow meter at the workshop 流量计送检")
    visit.look("2-shelving")
    row.get_by_role("button", name=words["do"], exact=True).click()
    expect(page.get_by_role("heading", name=words["shelved"])).to_be_visible()
    expect(row).to_contain_text("流量计送检")
    visit.look("3-shelved")
    row.get_by_role("button", name=words["down"]).click()
    expect(page.get_by_role("status")).to_contain_text(words["off"])
    expect(row).to_have_class("alarm unseen-yet")


def test_the_page_stays_fresh_and_says_when_it_cannot(
    open_page: Callable[..., Watched], mortal_server: Server
) -> None:
    mortal_server.options = ("--dead-gas", "--operator=of-its-own")
    mortal_server.kill()
    mortal_server.start()
    watched = open_page(f"{mortal_server.url}/en/alarms", is_alone=True)
    page = watched.page
    page.clock.install()
    page.reload()
    other = open_page(f"{mortal_server.url}/en/alarms").page
    gas = WORDS["en"]["gas"]
    page.locator(".alarm", has_text=gas).locator("summary").click()
    page.locator(".alarm [name=reason]:visible").fill("half a sen")
    other.locator(".alarm", has_text=gas).get_by_role("button", name="Acknowledge").click()
    expect(other.locator(".alarm", has_text=gas)).to_have_class("alarm")
    page.clock.run_for(10_500)
    expect(page.locator("[data-live=log]")).to_contain_text("acknowledged")
    # somebody writes there: it is left as it is
    expect(page.locator(".alarm [name=reason]:visible")).to_have_value("half a sen")
    page.locator(".alarm", has_text=gas).locator("summary").click()
    page.locator("h1").click()
    page.clock.run_for(10_500)
    expect(page.locator(".alarm", has_text=gas)).to_have_class("alarm")
    mortal_server.kill()
    page.clock.run_for(10_500)
    expect(page.locator("#frozen")).to_contain_text("No connection to the collector")
    page.clock.run_for(15_500)
    expect(page.locator(".alarm-count")).to_have_text("?")


@BOTH
def test_a_shift_is_handed_over_and_fits_on_a_page(
    open_page: Callable[..., Watched], start_server: Callable[..., Server], language: str,
    size: tuple[int, int], also: tuple[int, int],
) -> None:  # fmt: skip
    server, words = server_of(start_server, language), WORDS[language]
    address = f"{server.url}/{language}/plants/{PLANT}/shift"
    watched = open_page(address, width=size[0], height=size[1])
    page, visit = watched.page, Visit(watched, f"shift-{language}-{size[0]}", size[0], also)
    expect(page.locator(".shift-figure")).to_have_text(f"121.00 {words['emitted']}")
    visit.look("1-running")
    page.locator("#note").fill("Pot 12 quenched by hand.\n九号槽换极。")
    page.get_by_role("button", name=words["leave"]).click()
    expect(page.locator(".shift-text").last).to_contain_text("九号槽换极")
    page.get_by_role("button", name=words["take"], exact=True).click()
    expect(page.locator(".shift-notes")).to_contain_text(words["taken"])
    visit.look("2-taken")
    assert pages_of(page) == 1


def pages_of(page: Page) -> int:
    """As Chromium prints it on A4."""
    edges = ("top", "right", "bottom", "left")
    made = page.pdf(format="A4", print_background=True, margin={edge: "10mm" for edge in edges})
    paper = pypdfium2.PdfDocument(made)
    try:
        return len(paper)
    finally:
        paper.close()
