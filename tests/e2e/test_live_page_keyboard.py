"""The live page without a mouse, without eyes, and on paper."""

import itertools
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.e2e.conftest import Server, Watched

pytestmark = pytest.mark.browser

Open = Callable[..., Watched]
Start = Callable[..., Server]


def focused(page: Page) -> str | None:
    name: str | None = page.evaluate("() => document.activeElement.getAttribute('data-pot')")
    return name


def test_one_tab_stop_arrows_move_enter_selects(open_page: Open, start_server: Start) -> None:
    page = open_page(f"{start_server().url}/en/plants/demo-smelter/line").page
    expect(page.locator('.pot[role=option][tabindex="0"]')).to_have_count(1)
    page.locator('.pot[role=option][tabindex="0"]').focus()
    assert focused(page) == "07"  # the running effect is selected at first
    for key, pot in (
        ("ArrowRight", "08"), ("ArrowDown", "20"), ("ArrowDown", "20"), ("ArrowLeft", "19"),
        ("ArrowUp", "07"), ("Home", "01"), ("ArrowLeft", "01"), ("End", "24"),
    ):  # fmt: skip
        page.keyboard.press(key)
        assert focused(page) == pot, key
    page.keyboard.press("Enter")
    expect(page.locator('.pot[data-pot="24"]')).to_have_attribute("aria-selected", "true")
    expect(page.locator(".pot[aria-selected=true]")).to_have_count(1)
    expect(page.locator(".trace h3")).to_have_text("Pot 24 · voltage, last 10 min")
    page.wait_for_timeout(2200)  # two ticks later the focus is where it was
    assert focused(page) == "24"


def test_what_is_focused_before_the_first_message_stays_so(
    open_page: Open, start_server: Start
) -> None:
    page = open_page("about:blank").page
    waiting: list[WebSocketRoute] = []
    page.route_web_socket(re.compile("/api/v1/live"), lambda socket: waiting.append(socket))
    page.goto(f"{start_server().url}/en/plants/demo-smelter/line")
    page.locator('.pot[role=option][tabindex="0"]').focus()
    while not waiting:
        page.wait_for_timeout(50)
    waiting[0].connect_to_server()
    expect(page.locator("#status .live")).to_be_visible()
    assert focused(page) == "07"


def test_arrows_follow_the_columns_of_a_phone(open_page: Open, start_server: Start) -> None:
    page = open_page(
        f"{start_server().url}/en/plants/demo-smelter/line", width=390, height=844
    ).page
    page.locator('.pot[role=option][tabindex="0"]').focus()
    page.keyboard.press("ArrowDown")
    assert focused(page) == "13"  # six columns


def test_a_slow_click_across_ticks_still_selects(open_page: Open, start_server: Start) -> None:
    page = open_page(f"{start_server().url}/en/plants/demo-smelter/line").page
    page.locator('.pot[data-pot="05"]').click(delay=1600)
    expect(page.locator('.pot[data-pot="05"]')).to_have_attribute("aria-selected", "true")


def test_the_trace_is_told_in_words(open_page: Open, mortal_server: Server) -> None:
    """Of a server of its own: what was before the effect leaves the ten minutes after a while."""
    page = open_page(f"{mortal_server.url}/en/plants/demo-smelter/line").page
    expect(page.locator(".trace .chart canvas")).to_be_visible()
    expect(page.locator(".live-trace .chart")).to_have_attribute("role", "img")
    summary = page.locator(".trace .note")
    expect(summary).to_have_text(
        re.compile(r"Lowest 3\.\d\d V, highest 3[45]\.\d\d V; at or above 8 V for \d+:\d\d; ")
    )
    page.locator('.pot[data-pot="18"]').click()
    expect(summary).to_have_text("No voltage recorded in the last 10 minutes.")


def test_language_names_and_landmarks(open_page: Open, start_server: Start) -> None:
    page = open_page(f"{start_server().url}/zh/").page
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    for selector in ("main", "header", "footer", "h1"):
        expect(page.locator(selector)).to_have_count(1)
    expect(page.get_by_role("listbox")).to_have_attribute("aria-label", re.compile("电解槽"))
    levels = page.evaluate(
        "() => [...document.querySelectorAll('h1,h2,h3')].map((e) => Number(e.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    page.get_by_role("link", name="EN").click()
    expect(page).to_have_url(re.compile(r"/en/plants/demo-smelter$"))


def test_an_old_browser_or_none_gets_a_sentence(open_page: Open, start_server: Start) -> None:
    url = f"{start_server().url}/en/"
    page = open_page(url, java_script_enabled=False).page
    expect(page.locator("#boot")).to_contain_text("Chromium 86, Firefox 78")
    expect(page.locator("#boot")).to_contain_text("/api/v1/live/snapshot?plant=demo-smelter")


def test_without_the_chart_library_the_rest_stands(open_page: Open, start_server: Start) -> None:
    page = open_page("about:blank").page
    page.route(re.compile("/vendor/"), lambda route: route.abort())
    page.goto(f"{start_server().url}/en/plants/demo-smelter/line")
    expect(page.locator(".trace .note")).to_contain_text("The chart library is missing")
    expect(page.locator(".pot[role=option]")).to_have_count(24)


def test_on_paper_nothing_is_cut_off(open_page: Open, start_server: Start) -> None:
    page = open_page(f"{start_server().url}/en/plants/demo-smelter/line").page
    expect(page.locator(".pot[role=option]")).to_have_count(24)
    page.emulate_media(media="print")
    expect(page.locator(".languages")).to_be_hidden()
    expect(page.locator(".tile").first).to_be_visible()
    cut = page.locator(".scroll").evaluate("e => e.scrollHeight > e.clientHeight + 1")
    assert cut is False
    page.set_viewport_size({"width": 700, "height": 900})  # paper is narrower than the screen
    inside = page.locator(".live-trace .chart").evaluate(
        "e => e.querySelector('canvas').getBoundingClientRect().width <= e.clientWidth + 1"
    )
    assert inside is True
