"""A plant's year in a real browser: read, asked what if, and asked wrongly."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server, Watched
from tests.e2e.looking import shoot, violations, width_of
from tests.unit.cloud.app_examples import TOKEN

pytestmark = pytest.mark.browser

WORDS = {
    "en": ("Allowance position", "What if", "Output, such as +5%"),
    "zh": ("配额盈缺", "假设情形", "产量，如 +5%"),
}
TOTAL = "1214057.49"  # of the month that was published


@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("zh", 390)])
def test_the_year(
    open_page: Callable[..., Watched], start_server: Callable[..., Server], language: str,
    width: int,
) -> None:  # fmt: skip
    server, words = start_server("--accounts", "--reviews"), WORDS[language]
    watched = open_page(f"{server.url}/{language}/sign-in", width=width, height=900)
    page = watched.page
    page.set_extra_http_headers({"Authorization": f"Bearer {TOKEN}"})
    page.goto(f"{server.url}/{language}/plants/mini/year?year=2026")
    expect(page.get_by_role("heading", name=words[0])).to_be_visible()
    expect(page.get_by_text(f"{float(TOTAL):,.2f}", exact=True).first).to_be_visible()
    ask(page, benchmark="2", price="60", output="+5%")
    expect(page.get_by_role("columnheader", name=words[1])).to_be_attached()
    assert page.locator("#benchmark").input_value() == "2"
    shoot(page, f"year-{language}-{width}")
    assert violations(page) == []
    ask(page, output="much")
    expect(page.get_by_role("alert")).to_contain_text(words[2])
    expect(page.locator("#output")).to_have_attribute("aria-invalid", "true")
    assert (width_of(page), watched.complaints) == (width, [])


def ask(page: Page, **fields: str) -> None:
    for name, text in fields.items():
        page.locator(f"#{name}").fill(text)
    page.locator("#position").get_by_role("button").click()
    page.wait_for_load_state()
