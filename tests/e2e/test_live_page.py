"""The live page in a real browser: what an operator sees, in both languages and widths."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Server, Watched
from tests.e2e.looking import fits

pytestmark = pytest.mark.browser

Open = Callable[..., Watched]
Start = Callable[..., Server]
LINE = "/en/plants/demo-smelter/line"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Emitting now", "Month to date", "Needs action", "Potline line-1", "SIMULATED"]),
        ("zh", ["当前排放速率", "本月累计排放", "需要处理", "电解系列 line-1", "模拟数据"]),
    ],
)
def test_the_page_is_whole_live_and_complains_of_nothing(
    open_page: Open, start_server: Start, language: str, words: list[str]
) -> None:
    server = start_server()
    watched = open_page(f"{server.url}/{language}/")
    page = watched.page
    expect(page.locator("#status .live")).to_be_visible()
    for word in words:
        expect(page.get_by_text(word).first).to_be_visible()
    expect(page.locator(".pot[role=option]")).to_have_count(24)
    expect(page.locator(".tile").first.locator(".figure")).to_have_text(re.compile(r"^5\.8\d$"))
    expect(page.locator("#alarms")).to_be_hidden()
    fits(page)
    assert watched.complaints == []
    assert [url for url in watched.requests if not url.startswith(server.url)] == []


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "en",
            [
                r"edge-1: records 12 to 40 have not arrived: .* import them \(29, since .*\d\d:",
                r"this plant: the collector's clock does not fit its log, .* \(since .*\d\d:",
                r"edge-1: it hands over to a key .* sign a replace order \(since .*\d\d:",
                r"edge-1: two different records signed for one place; .* key \(2, newest .*\d\d:",
                r"edge-1: the log here is not the one the gateway was shown,",
                r"unknown gateway: data signed with a key nobody certified, .* \(1200, newest",
                r"edge-1: refused: <img src=x",
                r"edge-1: its disk is nearly full, .*: make room on it \(since .*\d\d:",
                r"edge-1: alarm at the gateway: edge.of-tomorrow \(since .*\d\d:",
            ],
        ),
        (
            "zh",
            [
                "记录 12 至 40 尚未到达",
                "本厂：采集端时钟与其日志不符",
                "新密钥不被接受",
                "两份不同的签名数据",
                "暂停签发回执",
                "未认证密钥",
                "已拒绝",
                "磁盘空间不足",
                "网关告警：edge.of-tomorrow",
            ],
        ),
    ],
)
def test_what_people_must_look_at_stands_above_all_else(
    open_page: Open, start_server: Start, language: str, lines: list[str]
) -> None:
    """One line each, the collector's first; of its own, what is older than a day is left out."""
    watched = open_page(f"{start_server('--alarms').url}/{language}/")
    rows = watched.page.locator("#alarms > div")
    expect(rows).to_have_count(len(lines))
    for n, line in enumerate(lines):
        expect(rows.nth(n)).to_have_text(re.compile(line))
    expect(watched.page.locator("#alarms")).to_be_visible()
    fits(watched.page)
    assert watched.page.evaluate("() => window.hacked") is None
    assert watched.complaints == []


def test_values_move_without_a_reload(open_page: Open, start_server: Start) -> None:
    page = open_page(f"{start_server().url}/en/").page
    volts = page.locator('.pot[data-pot="07"] .volts')
    expect(volts).to_have_text(re.compile(r"V$"))
    seen = volts.text_content() or ""
    expect(volts).not_to_have_text(seen, timeout=4000)
    assert page.evaluate("() => performance.getEntriesByType('navigation').length") == 1


def test_each_kind_of_pot_by_colour_shape_and_word(open_page: Open, start_server: Start) -> None:
    page = open_page(f"{start_server().url}/en/").page

    def pot(ident: str) -> tuple[str, str]:
        cell = page.locator(f'.pot[data-pot="{ident}"]')
        return cell.get_attribute("class") or "", cell.get_attribute("aria-label") or ""

    expect(page.locator(".pot.effect[role=option]")).to_have_count(1)
    kind, label = pot("07")
    assert "effect" in kind
    assert re.fullmatch(r"Pot 07, anode effect, (?:2[89]|3\d)\.\d volts", label)
    expect(page.locator('.pot[data-pot="07"] .word')).to_have_text(re.compile(r"AE \d:\d\d"))
    assert pot("03")[0] == "pot out"
    assert "start-up" in pot("03")[1]
    assert "bridged" in pot("20")[1]
    assert pot("18") == ("pot nodata", "Pot 18, sensor or device fault, no voltage")
    assert re.fullmatch(r"Pot 01, normal, 4\.\d volts", pot("01")[1])
    legend = page.locator(".legend")
    expect(legend).to_contain_text("1 anode effect")
    expect(legend).to_contain_text("2 out of count")
    colours = {
        page.locator(f'.pot[data-pot="{n}"]').evaluate("e => getComputedStyle(e).backgroundColor")
        for n in ("07", "03", "18")
    }
    assert len(colours) == 3


def test_pfc_is_three_things_and_the_indicator_is_not_in_the_sum(
    open_page: Open, start_server: Start
) -> None:
    page = open_page(f"{start_server().url}{LINE}").page
    rows = page.locator(".pfc .row")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("Figure of record")
    expect(rows.nth(0).locator(".figure")).to_have_text("0.413")
    expect(rows.nth(1)).to_contain_text("not added")
    expect(rows.nth(1).locator(".figure")).to_have_text("2.871")
    assert not re.search(r"\d", rows.nth(2).text_content() or "")
    page.goto(f"{start_server().url}/en/")
    expect(page.locator(".parts")).to_have_text(
        re.compile(
            r"anode CO₂ 4\.5\d t/h.*PFC, figure of record 0\.41 t CO₂e/h.*fuel CO₂ 0\.9\d t/h"
        )
    )


def test_what_is_not_yet_sealed_says_so(open_page: Open, start_server: Start) -> None:
    page = open_page(f"{start_server().url}/en/plants/demo-smelter/fleet").page
    expect(page.locator("#status .tag")).to_have_text(
        re.compile(r"not yet sealed · sealed up to \d\d:\d\d:\d\d")
    )
    expect(page.locator(".gateway")).to_contain_text("frames: 1 (")


def test_effects_table_running_first_with_its_flags(open_page: Open, start_server: Start) -> None:
    page = open_page(f"{start_server().url}{LINE}").page
    rows = page.locator("table.effects tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_have_class("running")
    expect(rows.nth(0)).to_contain_text("35.1")
    expect(rows.nth(1).locator("td")).to_have_text(
        [re.compile(r"\d\d:\d\d:\d\d"), "15", "1:02", "29.6", "1,550", "0.284",
         "ended · a sample is missing inside"]
    )  # fmt: skip


def test_a_dead_meter_is_a_dash_with_its_reason_never_zero(
    open_page: Open, start_server: Start
) -> None:
    server = start_server("--dead-gas")
    page = open_page(f"{server.url}/en/").page
    emission = page.locator(".tile").first
    expect(emission.locator(".figure")).to_have_text("–")
    expect(emission).to_contain_text("an input of the calculation is missing")
    expect(emission).to_have_class(re.compile(r"\bdq\b"))
    # one of four inputs is dead: the mean over inputs shows it, a mean over points would not
    trusted = page.locator(".tile", has_text="Trusted data")
    expect(trusted.locator(".figure")).to_have_text(re.compile(r"^7[345]\.\d$"))
    expect(trusted).to_contain_text("lowest: gas-1.volume 0.0 %")
    page.goto(f"{server.url}{LINE}")
    gas = page.locator('.facts > div[title="gas-1.flow"]')
    expect(gas.locator(".figure")).to_have_text("–")
    expect(gas).to_contain_text("device did not answer in time")
    zh = open_page(f"{server.url}/zh/").page
    expect(zh.locator(".tile").first).to_contain_text("计算输入缺失")


def test_a_potline_of_300_pots_fits_both_widths(open_page: Open, start_server: Start) -> None:
    watched = open_page(f"{start_server('--pots', '300').url}/en/")
    expect(watched.page.locator(".pots.dense .pot[role=option]")).to_have_count(300)
    expect(watched.page.locator(".legend")).to_contain_text("296 normal")
    fits(watched.page)
    assert watched.complaints == []


def test_a_second_potline_has_its_own_map_and_figures(open_page: Open, start_server: Start) -> None:
    watched = open_page(f"{start_server('--lines', '2').url}{LINE}")
    page = watched.page
    switch = page.locator(".head .switch button")
    expect(switch).to_have_text(["line-1", "line-2"])
    expect(switch.nth(0)).to_have_attribute("aria-pressed", "true")
    switch.nth(1).click()
    expect(page.get_by_role("heading", name="Potline line-2")).to_be_visible()
    expect(switch.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".pot.effect[role=option]")).to_have_count(0)  # it runs on line-1
    expect(page.locator(".pot.high[role=option]").first).to_contain_text("above 8 V")
    record = page.locator(".pfc .row").first
    expect(record).to_contain_text("not configured")  # no computed points of line-2
    expect(record.locator(".figure")).to_have_text("–")
    assert watched.complaints == []


def test_meters_stand_with_what_is_wrong_first_and_are_found(
    open_page: Open, start_server: Start
) -> None:
    watched = open_page(f"{start_server().url}/en/plants/demo-smelter/meters")
    page, rows = watched.page, watched.page.locator("table.meters tbody tr:visible")
    expect(rows).to_have_count(7)  # neither pots nor what is computed
    expect(rows.first).to_contain_text("pot-gateway.line_current")  # the heaviest
    expect(page.locator("tr", has_text="ac-1.power")).to_contain_text("from the meter · ac-1")
    page.locator("#kind").select_option("")
    expect(rows).to_have_count(65)
    expect(rows.first).to_contain_text("pot-gateway.pot-18.voltage")
    expect(rows.first).to_contain_text("sensor or device fault")
    expect(rows.first).to_contain_text(re.compile(r"since .*\d\d:\d\d:\d\d"))
    page.locator("#find").fill("GAS-1")
    expect(rows).to_have_count(2)
    page.locator("button.sort", has_text="Point").click()
    page.locator("button.sort", has_text="Point").click()
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Point")
    expect(rows.locator("th")).to_have_text(["gas-1.volume", "gas-1.flow"])
    assert watched.complaints == []


def test_times_are_the_plants_not_the_browsers(open_page: Open, start_server: Start) -> None:
    page = open_page(f"{start_server().url}/en/", timezone_id="America/New_York").page
    expect(page.locator("#status .clock")).to_have_text(re.compile(r"· \d\d:\d\d:\d\d \(UTC\+8\)"))
    shown = page.locator("#status .clock").text_content() or ""
    shanghai = page.evaluate(
        "() => new Date().toLocaleTimeString('en-GB', {timeZone: 'Asia/Shanghai'})"
    )
    assert shown.split()[1][:2] in {shanghai[:2], f"{(int(shanghai[:2]) - 1) % 24:02}"}


def test_the_wrong_clock_of_a_pc_changes_nothing(open_page: Open, start_server: Start) -> None:
    watched = open_page("about:blank", is_alone=True)
    page = watched.page
    page.clock.set_fixed_time("2001-01-01T00:00:00Z")
    page.goto(f"{start_server().url}/en/")
    expect(page.locator("#status .live")).to_be_visible()
    expect(page.locator(".tile").first.locator(".tag.dq")).to_be_hidden()
    expect(page.locator("#status .clock")).not_to_contain_text("08:00:00")
