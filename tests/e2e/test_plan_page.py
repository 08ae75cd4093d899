"""The control plan in a real browser, in both languages and widths."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Server, Watched
from tests.e2e.fake_plant import PLANT
from tests.e2e.looking import shoot, violations, width_of
from tests.unit.cloud.app_examples import TOKEN

pytestmark = pytest.mark.browser

WORDS = {
    "en": ["Months in doubt", "valid until 2026-09-30", "late", "There is no plan"],
    "zh": ["存疑月份", "有效期至 2026-09-30", "逾期", "尚无计划"],
}


@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("zh", 390)])
def test_the_plan(
    open_page: Callable[..., Watched], start_server: Callable[..., Server], language: str,
    width: int,
) -> None:  # fmt: skip
    server, words = start_server("--accounts"), WORDS[language]
    watched = open_page(f"{server.url}/{language}/sign-in", width=width, height=900)
    page = watched.page
    page.set_extra_http_headers({"Authorization": f"Bearer {TOKEN}"})
    address = f"{server.url}/{language}/plants/{PLANT}/plan"
    page.goto(f"{address}?year=2026")
    expect(page.get_by_role("heading", name=words[0])).to_be_visible()
    expect(page.locator("main")).to_contain_text(words[2])
    page.locator("#month").select_option("2026-10")
    page.get_by_role("button").click()
    expect(page.locator("#departures")).to_contain_text(words[1])
    page.goto(f"{address}?year=2026&month=2026-10")
    shoot(page, f"plan-{language}-{width}")
    assert violations(page) == []
    assert (width_of(page), watched.complaints) == (width, [])
    page.goto(f"{address}?year=2027")
    expect(page.get_by_role("alert")).to_contain_text(words[3])
    assert watched.complaints == []
