"""Emitted so far, and each sector's headline, as an operator sees them."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Server, Watched
from tests.e2e.looking import fits

pytestmark = pytest.mark.browser

Open = Callable[..., Watched]
Start = Callable[..., Server]

HOUR = {
    "en": ["This hour", "4,321.00 t CO₂e", "a part is missing", "98.70 % (gas-1.volume)",
           "Fuel: Natural gas", "no usable reading of pot-gateway.metal_tapped"],
    "zh": ["本小时", "4,321.00 t CO₂e", "有缺项", "98.70 %（gas-1.volume）", "燃料: 天然气",
           "pot-gateway.metal_tapped 无可用读数"],
}  # fmt: skip
REST = {
    "en": [["Today", "–", "nothing delivered of it yet"],
           ["This month", "every due reading is usable", "±216.05 t CO₂e (5.00 %)",
            "80 % of it assessed in full", "Clinker by the kiln feed", "5,280.00 t",
            "Its process CO₂ 2,824.80", "indicator, not counted", "usable kiln feed 98.40 %",
            "Total with that clinker 7,145.80"],
           ["Month, projected", "17,284.00", "Total with that clinker 28,583.20",
            "7.50 of 30 days", "Allowance 16,000.00", "Short"],
           ["Year, projected", "–", "less than an hour was counted"]],
    "zh": [["今日", "–", "尚无已交付数据"], ["本月", "应有读数均可用", "±216.05 t CO₂e (5.00 %)",
            "按入窑生料推算的熟料：硅酸盐水泥熟料", "指示值，不计入"],
           ["本月预测", "17,284.00", "含推算熟料的合计",
            "7.50 天外推至 30 天", "配额 16,000.00", "缺口"],
           ["全年预测", "–", "计数不足一小时"]],
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
def test_hour_day_month_and_where_they_are_heading(
    open_page: Open, start_server: Start, language: str
) -> None:
    page = open_page(f"{start_server().url}/{language}/plants/demo-smelter/figures").page
    columns = page.locator(".accumulated .columns > div")
    expect(columns).to_have_count(5)
    for column, words in enumerate([HOUR[language], *REST[language]]):
        for word in words:
            loosely = re.compile(r"\s*".join(map(re.escape, word.split())))
            expect(columns.nth(column)).to_contain_text(loosely)
    fits(page)


def test_a_kilns_headline_is_called_an_indicator(open_page: Open, start_server: Start) -> None:
    page = open_page(f"{start_server('--sector', 'cement').url}/en/").page
    first = page.locator(".tile").first
    expect(first.locator("h2")).to_have_text("Emitting now: an indicator")
    expect(first.locator(".figure")).to_have_text(re.compile(r"^5\.8\d$"))
    expect(first).to_contain_text("not the figure of record")
    expect(first).to_contain_text("clinker CO₂, indicator")
    expect(page.locator(".tile")).to_have_count(5)


def test_a_steelworks_has_both_views_apart_or_says_why_not(
    open_page: Open, start_server: Start
) -> None:
    watched = open_page(f"{start_server('--sector', 'steel').url}/en/")
    tiles = watched.page.locator(".tile")
    expect(tiles.locator("h2")).to_have_text(
        ["Leaving by the stacks now", "As the month counts it, now",
         "Intensity this month", "Month to date", "Trusted data, last 10 min",
         "Evidence due next"]
    )  # fmt: skip
    expect(tiles.nth(0).locator(".figure")).to_have_text(re.compile(r"^5\.8\d$"))
    expect(tiles.nth(1).locator(".figure")).to_have_text("–")  # not every entry has a flow
    expect(tiles.nth(1)).to_contain_text("not configured")
    expect(tiles.nth(1)).to_contain_text("Not everything that it counts has a flow meter")
    assert watched.complaints == []
