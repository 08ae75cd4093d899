"""What operators find on their pages: other sectors, hostile names, ways from page to page."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Server, Watched
from tests.e2e.looking import serious, shoot, width_of

pytestmark = pytest.mark.browser

Open = Callable[..., Watched]
Start = Callable[..., Server]
PLANT = "/plants/demo-smelter"


def check(watched: Watched, server: Server, shot: str, *, with_axe: bool = True) -> None:
    """Both widths; nothing is cut, nothing complains, nothing is asked of anybody else."""
    page = watched.page
    expect(page.locator("#status .live")).to_be_visible()
    for width, height in ((1440, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        shoot(page, f"{shot}-{width}")
        assert width_of(page) == width
    if with_axe:
        assert serious(page) == []
    assert page.evaluate("() => window.hacked") is None
    assert watched.complaints == []
    assert [url for url in watched.requests if not url.startswith(server.url)] == []


def test_the_emission_stands_against_what_the_plant_calls_normal(
    open_page: Open, start_server: Start
) -> None:
    page = open_page(f"{start_server().url}/en{PLANT}").page
    band = page.locator(".normal-band")
    expect(band).to_contain_text("normal (5.00 – 7.00 t CO₂e/h)")
    assert "Wang Li, process control, 2026-11-02" in (band.get_attribute("title") or "")


def test_rows_out_of_sight_wait_until_they_come_into_sight(
    open_page: Open, start_server: Start
) -> None:
    watched = open_page(f"{start_server('--meters', '200').url}/en{PLANT}/meters", height=400)
    page = watched.page
    expect(page.locator("#status .live")).to_be_visible()
    last = page.locator(".meters tbody tr:visible").last
    changes = last.evaluate(
        """row => new Promise(done => {
          let n = 0;
          new MutationObserver(() => { n += 1; })
            .observe(row, {subtree: true, childList: true, characterData: true});
          setTimeout(() => done(n), 3000);
        })"""
    )
    assert changes <= 2  # its turn may have come once: value and age
    before = last.inner_text()
    last.scroll_into_view_if_needed()
    expect(last).not_to_have_text(before)
    assert watched.complaints == []


@pytest.mark.parametrize("sector", ["cement", "steel"])
def test_a_works_without_potlines_has_its_process(
    open_page: Open, start_server: Start, sector: str
) -> None:
    server = start_server("--sector", sector)
    for page in ("", "/line"):
        watched = open_page(f"{server.url}/zh{PLANT}{page}")
        expect(watched.page.locator(".strip .stage").first).to_be_visible()
        check(watched, server, f"{sector}{page.replace('/', '-')}")


def test_a_line_for_each_plant(open_page: Open, start_server: Start) -> None:
    watched = open_page(f"{start_server('--second', '--damaged', 'maxi').url}/en/")
    page = watched.page
    expect(page.locator("#plants tr")).to_have_count(3)
    damaged, live, second = (page.locator("#plants tr").nth(n) for n in range(3))
    expect(damaged).to_contain_text(re.compile(r"^maxi ?nothing is accepted: .* cloud fsck"))
    expect(live).to_contain_text(re.compile(r"5\.8\d t CO₂e/h"))
    expect(second).to_contain_text("no value received yet")
    expect(live).to_contain_text("1 now: 07")
    assert watched.complaints == []


def test_a_pot_is_gone_to_from_the_map(open_page: Open, start_server: Start) -> None:
    page = open_page(f"{start_server().url}/en/").page
    expect(page.locator(".in-effect")).to_contain_text(
        re.compile(r"In anode effect now \(1\): 07 since .*\d\d:\d\d:\d\d \(\d+:\d\d\)")
    )
    page.locator('.pot[role=option][data-pot="01"]').focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/lines/line-1/pots/01$"))
    expect(page.locator(".tile").first).to_contain_text("normal")
    page.get_by_role("link", name="Pot 02 ▶").click()
    expect(page.get_by_role("heading", name="Pot 02", exact=True)).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("link", name="CSV").click()
    text = Path(saved.value.path()).read_text(encoding="utf-8-sig")
    assert text.startswith("potline,pot,start_utc,")


def test_each_number_says_how_it_is_made(open_page: Open, start_server: Start) -> None:
    page = open_page(f"{start_server().url}/en{PLANT}/figures").page
    cards = page.locator(".made")
    expect(cards.first).to_contain_text("Emission now, figure of record")
    expect(cards.first.locator("tbody tr")).to_have_count(3)
    gas = page.locator('[id="figure-plant.gas_co2_t_h"]')
    for words in ("389.310", "GJ/10⁴ Nm³", "seen in one source", "from the meter · gas-1"):
        expect(gas).to_contain_text(words)
    gas.get_by_role("link", name="gas-1.flow").click()
    expect(page.locator("#find")).to_have_value("gas-1.flow")


#: function of overview_model.js, its arguments, what it must say
MONTH = {"total_t": "180", "output_t": "100", "missing": [], "since_ns": 1, "from_ns": 0}
AHEAD = {"days": "10", "of_days": "30", "allowance_t": "500", "benchmark_t_t": "1.6"}
TOLD = {"unit": "tCO2e", "periods": {"month": MONTH}, "projection": {"month": AHEAD}}
OPEN: dict[str, Any] = {"month": "2026-11", "state": "open", "days_left": 40, "deadline": "x"}
OPEN |= {"owed": []}
OWES = {**OPEN, "month": "2026-10", "state": "waiting", "days_left": 12, "owed": [{"blocks": True}]}
SEALED = {**OPEN, "month": "2026-09", "state": "sealed"}


def sealed(month: str, exit_status: int) -> dict[str, Any]:
    return {**SEALED, "month": month, "sealed": {"exit_status": exit_status}}


def with_month(**changed: Any) -> dict[str, Any]:
    return {**TOLD, "periods": {"month": {**MONTH, **changed}}}


CASES: list[tuple[str, list[Any], dict[str, Any] | None]] = [
    ("intensity", [TOLD], {"value": 1.8, "benchmark": 1.6, "over": 0.125, "unit": "tCO2e/t"}),
    ("intensity", [with_month(missing=[{}])], {"reason": "partial"}),
    ("intensity", [with_month(output_t=None)], {"reason": "no-output"}),
    ("intensity", [with_month(output_t="0")], {"reason": "nothing-made"}),
    ("intensity", [with_month(total_t=None)], {"reason": "no-total"}),
    ("intensity", [None], {"reason": "counting"}),
    ("monthToDate", [TOLD], {"total": 180, "due": 500 / 3, "over": 180 - 500 / 3}),
    ("monthToDate", [{**TOLD, "projection": {"month": {"reason": "too-soon"}}}],
     {"total": 180, "due": None, "why": "too-soon"}),
    ("monthToDate", [{"reason": "no-readings"}], {"reason": "no-readings"}),
    ("doubtful", [[OPEN, sealed("2026-09", 0), sealed("2026-08", 3)]], None),
    ("doubtful", [[OPEN, sealed("2026-09", 3), sealed("2026-08", 0)]], {"month": "2026-09"}),
    ("doubtful", [[sealed("2026-09", 3), sealed("2026-08", 1)]], {"month": "2026-08"}),
    ("doubtful", [None], None),
    ("pressing", [[OPEN, OWES, SEALED]], {"month": "2026-10", "daysLeft": 12, "blocking": 1}),
    ("pressing", [[SEALED]], None),
    ("pressing", [None], None),
]  # fmt: skip


def test_what_the_overview_says_follows_from_what_it_was_told(
    open_page: Open, start_server: Start
) -> None:
    """By hand: 180 t of 100 t product, a third of the month over, 500 t allowed in all of it."""
    page = open_page(f"{start_server().url}/en/").page
    found = page.evaluate(
        """async (cases) => { const m = await import('/static/js/overview_model.js');
           return cases.map(([name, given]) => JSON.stringify(m[name](...given))); }""",
        [[name, given] for name, given, _ in CASES],
    )
    for (name, given, wanted), text in zip(CASES, found, strict=True):
        said = json.loads(text)
        if wanted is None:
            assert said is None, (name, given)
        else:
            assert {key: said[key] for key in wanted} == pytest.approx(wanted), (name, given)


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ("FAILED", "PASSED, INCOMPLETE: clinker is missing (mandatory)")),
     ("zh", ("不通过", "通过，不完整：缺少熟料（必报项）"))],
)  # fmt: skip
def test_all_plants_and_the_overview_tell_of_a_sealed_month_that_is_not_all(
    open_page: Open, start_server: Start, language: str, words: tuple[str, str]
) -> None:
    """Of the fake plant's months August failed and September lacks clinker."""
    page = open_page(f"{start_server('--second').url}/{language}/").page
    cell = page.locator("#plants td.alert-text", has_text=f"2026-08: {words[0]}")
    expect(cell).to_have_count(1)
    shoot(page, f"sealed-plants-{language}")
    page.goto(page.url.rstrip("/") + PLANT)
    card = page.locator(".evidence", has_text="2026-09")
    for text in words:
        expect(card.locator(".sealed", has_text=text).first).to_be_visible()
    shoot(page, f"sealed-overview-{language}")
