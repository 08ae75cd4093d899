"""Everybody on their way without a mouse: Tab, Enter, arrows, and where the focus is.

Whoever goes one has an account of that role and is signed in by it. Every place that Tab comes by
shows that it has the focus and has a name. No page has a dialog; what folds out folds in again by
the key that opened it.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.conftest import Server, Watched, opening
from tests.e2e.fake_plant import PLANT
from tests.e2e.test_accounts import invite
from tests.e2e.test_alarms import pages_of
from tests.e2e.test_commission_page import WORDS, commissioning
from tests.e2e.test_records import Clerk
from tests.unit.cloud.drill_examples import DEVICE, MONTH, VOLUME

pytestmark = pytest.mark.browser

Open = Callable[..., Watched]
Start = Callable[..., Server]
#: role and language: somebody new with an account
Join = Callable[[str, str], Clerk]
STOPS_MAX = 200
#: what has the focus: is it the one that is looked for; can one see that it has it; its name
FOCUSED = """(wanted) => {
  const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
  const label = e.labels && e.labels.length ? e.labels[0].textContent : '';
  return {found: e === wanted,
          seen: (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1)
                && box.width > 0 && box.bottom > 0 && box.top < innerHeight,
          name: e.getAttribute('aria-label') || e.textContent.trim() || label || e.title
                || e.value || '', html: e.outerHTML.slice(0, 200)};
}"""
LANGUAGES = pytest.mark.parametrize("language", ["en", pytest.param("zh", marks=pytest.mark.long)])


class Keyboard:
    """A person who has no mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def to(self, target: Locator) -> None:
        """Tab on until it has the focus; every stop before it can be seen and has a name."""
        expect(target).to_be_visible()
        wanted = target.element_handle()
        for _ in range(STOPS_MAX):
            self.page.keyboard.press("Tab")
            at = self.page.evaluate(FOCUSED, wanted)
            assert at["seen"], at
            assert at["name"], at
            if at["found"]:
                return
        raise AssertionError(f"{STOPS_MAX} stops, and none is {target}")

    def press(self, target: Locator, key: str = "Enter") -> None:
        """Go there and use it."""
        self.to(target)
        self.page.keyboard.press(key)

    def skip(self) -> None:
        """The first stop of a page leads past its navigation."""
        self.page.keyboard.press("Tab")
        expect(self.page.locator(".skip")).to_be_focused()
        expect(self.page.locator(".skip")).to_be_in_viewport()
        self.page.keyboard.press("Enter")
        expect(self.page.locator("main")).to_be_focused()


@pytest.fixture(scope="module")
def chiefs(chromium: Browser, start_server: Start) -> Iterator[Callable[[str], Clerk]]:
    """By language, who invites; all paths of a language are of one server."""
    made: dict[str, Clerk] = {}
    with opening(chromium) as opened:

        def chief(language: str) -> Clerk:
            if language not in made:
                options = ("--accounts", "--records", "--dead-gas", f"--operator=keys-{language}")
                server = start_server(*options)
                link = invite(server, "chief")
                made[language] = Clerk(opened, server, link, "chief", language, 1440)
            return made[language]

        yield chief


@pytest.fixture
def join(chiefs: Callable[[str], Clerk], open_page: Open) -> Join:
    """Somebody is invited, opens the link, and is signed in."""

    def join_(role: str, language: str) -> Clerk:
        chief = chiefs(language)
        role, _, which = role.partition(" ")
        link = chief.invite(ident := role + which, role, plants="*", region="37")
        return Clerk(open_page, chief.server, link, ident, language, 1440)

    return join_


@LANGUAGES
def test_an_operators_shift(join: Join, language: str) -> None:
    """Overview, the alarm, seen, on the shelf; the pot in effect; the next one takes over."""
    leaving, after = join("operator", language), join("operator 2", language)
    page, texts, plant = leaving.page, leaving.texts, f"{leaving.base}/plants/{PLANT}"
    keys = Keyboard(page)
    page.goto(plant)
    expect(page.locator("#status .live")).to_be_visible()
    keys.skip()
    keys.press(page.locator("#needs-action li a", has_text="gas-1").first)
    see_and_shelve(leaving, keys)
    page.goto(plant)
    expect(page.locator("#status .live")).to_be_visible()
    keys.press(page.locator(".in-effect a").first)
    expect(page).to_have_url(re.compile(r"/lines/line-1/pots/07$"))
    expect(page.locator("#status .live")).to_be_visible()
    expect(page.locator(".tile").first).to_contain_text("V")
    keys.press(page.get_by_role("link", name=texts["shift.nav"], exact=True))
    page.wait_for_url("**/shift")
    keys.skip()
    keys.to(page.locator("#note"))
    page.keyboard.type("Pot 07 quenched. 07 号槽已熄灭。")
    keys.press(page.get_by_role("button", name=texts["shift.leave"]))
    expect(page.locator(".shift-text").last).to_contain_text("07 号槽已熄灭")
    page = after.page
    page.goto(f"{plant}/shift")
    expect(page.locator(".shift-text").last).to_contain_text("07 号槽已熄灭")
    keys = Keyboard(page)
    keys.press(page.get_by_role("button", name=texts["shift.take"], exact=True))
    expect(page.locator(".shift-notes")).to_contain_text(after.ident)
    assert pages_of(page) == 1
    assert leaving.watched.complaints + after.watched.complaints == []


def see_and_shelve(one: Clerk, keys: Keyboard) -> None:
    """The alarm one came to is acknowledged, and shelved until a time that is told."""
    page, texts = one.page, one.texts
    alarm = page.locator(".alarm:target")
    expect(alarm).to_have_class(re.compile("unseen-yet"))
    ident = alarm.get_attribute("id")
    fold = alarm.locator("summary")
    keys.press(fold)
    expect(alarm.locator("[name=reason]")).to_be_visible()
    page.keyboard.press("Enter")
    expect(alarm.locator("[name=reason]")).to_be_hidden()
    keys.press(alarm.get_by_role("button", name=re.compile(re.escape(texts["alarms.acknowledge"]))))
    alarm = page.locator(f"#{ident}")
    expect(alarm).to_contain_text(one.ident)
    keys.press(alarm.locator("summary"))
    keys.to(alarm.locator("[name=reason]"))
    page.keyboard.type("at the workshop 送检")
    keys.press(alarm.get_by_role("button", name=texts["alarms.shelve.do"], exact=True))
    # "by {by} until {time} (in {left}): {reason}": the first choice is one hour
    by = re.escape(texts["alarms.shelved.by"])
    time = r"[0-9-]{10} [0-9:]{5,8}[^(（]*"
    for name, found in (("by", one.ident), ("time", time), ("left", ".+"), ("reason", ".*送检")):
        by = by.replace(rf"\{{{name}\}}", found)
    expect(alarm).to_contain_text(re.compile(by))


@LANGUAGES
def test_an_engineers_round(open_page: Open, join: Join, tmp_path: Path, language: str) -> None:
    """The gateway and its certificate, the meter that is away, and commissioning at both ends."""
    engineer = join("engineer", language)
    page, texts, keys = engineer.page, engineer.texts, Keyboard(engineer.page)
    page.goto(f"{engineer.base}/plants/{PLANT}/fleet")
    expect(page.locator("#status .live")).to_be_visible()
    expect(page.locator(".gateway")).to_contain_text("2099-12-31")  # until when its certificate is
    keys.press(page.get_by_role("link", name=texts["nav.meters"], exact=True))
    page.wait_for_url("**/meters")
    expect(page.locator("#status .live")).to_be_visible()
    keys.skip()
    keys.to(page.locator("#find"))
    page.keyboard.type("gas-1.flow")
    row = page.locator("table.meters tbody tr:visible")
    expect(row).to_have_count(1)
    expect(row).to_contain_text({"en": "did not answer in time", "zh": "未按时应答"}[language])
    compare(engineer, keys)
    assert engineer.watched.complaints == []
    words = WORDS[language]
    with commissioning(tmp_path) as url:
        watched = open_page(f"{url}{language}/devices")
        page, keys = watched.page, Keyboard(watched.page)
        keys.press(page.get_by_role("button", name=words["all"], exact=True))
        expect(page.locator("#gas-1")).to_contain_text(words["away"])
        keys.press(page.get_by_role("link", name="ac-1.power"))
        keys.press(page.get_by_role("button", name=words["read"], exact=True))
        for name, text in (("face", "8000"), ("tolerance", "0.1"), ("instrument", "A12"),
                           ("by", "Li Wei")):  # fmt: skip
            field = page.locator(f"input[name={name}]")
            keys.to(field)
            page.keyboard.type(text)
        keys.press(page.get_by_role("button", name=words["compare"], exact=True))
        expect(page.locator("#face")).to_contain_text(words["within"])
        assert watched.complaints == []


def compare(one: Clerk, keys: Keyboard) -> None:
    """At the collector: a meter's face against the signed minute; the sheet has one's name."""
    page = one.page
    one.go("commissioning")
    keys.press(page.get_by_role("link", name=DEVICE))
    expect(page.locator(".about").first).to_contain_text(one.ident)
    for name, text in (("face", "100061"), ("at", "2026-09-21 16:01")):
        keys.to(page.locator(f"[name='{name}.{VOLUME}']"))
        page.keyboard.press("Control+a")
        page.keyboard.type(text)
    keys.press(page.locator("form[method=get] button"))
    said = one.texts["visit.result.agrees"].partition("{")[0]
    expect(page.locator("form[method=get] tbody tr").first).to_contain_text(f"{said}100,045.0 Nm³")


@LANGUAGES
def test_an_accountants_close(join: Join, language: str) -> None:
    """From all months to the one that waits: what is owed, the reason, and it is being closed."""
    accountant = join("accountant", language)
    page, texts, keys = accountant.page, accountant.texts, Keyboard(accountant.page)
    page.goto(f"{accountant.base}/months")
    keys.skip()
    keys.press(page.get_by_role("link", name=texts["month.state.waiting"]))
    page.wait_for_url("**/months/2026-10")
    keys.skip()
    keys.to(page.locator("#reason"))
    page.keyboard.type("burnt 失火")
    keys.press(page.get_by_role("button", name=texts["month.close.do"], exact=True))
    expect(page.get_by_role("status")).to_contain_text("259,200")


@LANGUAGES
def test_a_reviewers_drill(join: Join, language: str) -> None:
    """From the month's lines to one signed reading and its frame, of its region's plant alone."""
    reviewer = join("reviewer", language)
    page, keys = reviewer.page, Keyboard(reviewer.page)
    page.goto(f"{reviewer.base}/months")
    expect(page.locator("body")).not_to_contain_text(PLANT)  # CLOUD.toml has no region of it
    reviewer.go(f"months/{MONTH}/drill")
    for step in (VOLUME, VOLUME, "2026-09-21", "16:00 – 17:00", "16:00", "16:00:00"):
        link = page.locator("main section a", has_text=step).first
        at = page.url
        keys.press(link)
        page.wait_for_url(lambda url, at=at: url != at)
    expect(page.locator(".value")).to_have_text("100,000.0 Nm³")
    with page.expect_download() as begun:
        keys.press(page.locator(".actions .button").first)
    assert begun.value.suggested_filename == "edge-1-1.cose"
