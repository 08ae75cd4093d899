"""Accounts in a real browser: from a one-time link to the end, in both languages and widths."""

import base64
import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from cloud.accounts.totp import code_of
from tests.e2e.conftest import Server, Watched
from tests.e2e.looking import DESK, PHONE, shoot, violations, width_of

pytestmark = pytest.mark.browser

Open = Callable[..., Watched]
Start = Callable[..., Server]
PASSWORD = "plover mast yonder"  # noqa: S105 - of this test
WORDS = {
    "en": ["Your account", "Open the account", "My account", "Sign out", "Sign in", "Accounts",
           "Make the link", "wrong", "one-time link"],
    "zh": ["开通账户", "开通账户", "我的账户", "退出登录", "登录", "账户管理",
           "生成链接", "有误", "一次性链接"],
}  # fmt: skip


def invite(server: Server, ident: str) -> str:
    """The path behind the language, as the command on the collector's machine gets it."""
    order = {"account": ident, "name": "李伟 Li Wei", "organisation": "Works", "role": "security"}
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    request = urllib.request.Request(
        f"{server.url}/api/v1/administrators", json.dumps(order).encode(), headers
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        link: str = json.load(answer)["link"]
    return link


class Visit:
    """A page that is looked at after each step; as `also` too, where that is given."""

    def __init__(
        self, watched: Watched, name: str, width: int, also: tuple[int, int] | None = None
    ) -> None:
        self.watched, self.page, self._name, self._width = watched, watched.page, name, width
        self._also = also

    def look(self, step: str) -> None:
        """Nothing stands out of the page, nothing complains, and everybody can use it."""
        self._look(step)
        own = self.page.viewport_size
        if self._also is not None and own is not None:
            width, height = self._also
            self.page.set_viewport_size({"width": width, "height": height})
            Visit(self.watched, self._name, width)._look(f"{step}-{width}")
            self.page.set_viewport_size(own)

    def _look(self, step: str) -> None:
        self.glance(step)
        assert violations(self.page) == [], step

    def glance(self, step: str) -> None:
        """Likewise but for the last: the live page has tests of its own."""
        self.page.wait_for_load_state()  # without its style sheets a page is wide
        shoot(self.page, f"{self._name}-{step}")
        assert (width_of(self.page), self.watched.complaints) == (self._width, []), step

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.locator(f"[name={name}]:visible").fill(value)


def key_of(page: Page) -> bytes:
    return base64.b32decode((page.locator("code.key").text_content() or "").replace(" ", ""))


def code(key: bytes, steps: int = 0) -> str:
    """Of now, or of a step that a phone's clock may be ahead: so that nobody has to wait."""
    return code_of(key, int(time.time()) // 30 + steps)


@pytest.mark.parametrize(("language", "size", "also"), [("en", DESK, PHONE), ("zh", PHONE, DESK)])
def test_from_the_link_to_signing_out_and_the_next_person(
    open_page: Open, start_server: Start, language: str, size: tuple[int, int],
    also: tuple[int, int],
) -> None:  # fmt: skip
    server, (width, height), words = start_server("--accounts"), size, WORDS[language]
    ident = f"chief-{language}-{width}"
    link = invite(server, ident)
    watched = open_page(f"{server.url}/{language}{link}", width=width, height=height)
    visit, page = Visit(watched, ident, width, also), watched.page
    expect(page.get_by_role("heading", name=words[0], exact=True)).to_be_visible()
    visit.look("1-invited")
    key = key_of(page)
    visit.fill(password=PASSWORD, again=PASSWORD, code=code(key))
    page.get_by_role("button", name=words[1]).click()
    expect(page.get_by_role("heading", name=words[2])).to_be_visible()
    visit.look("2-account")
    page.get_by_role("button", name=words[3]).click()
    expect(page.get_by_role("heading", name=words[4], exact=True)).to_be_visible()
    visit.look("3-sign-in")
    page.goto(f"{server.url}/{language}/account")
    expect(page).to_have_url(f"{server.url}/{language}/sign-in?next=/{language}/account")
    visit.fill(account=ident, password=PASSWORD[::-1], code=code(key, 1))
    page.get_by_role("button", name=words[4], exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(words[7])
    watched.complaints.clear()  # the browser tells the 401
    visit.look("4-refused")
    visit.fill(password=PASSWORD, code=code(key, 1))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=words[2])).to_be_visible()
    page.get_by_role("link", name=words[5]).click()
    expect(page.locator("[name=organisation]:visible")).to_be_visible()
    visit.look("5-accounts")
    person = f"ann-{language}-{width}"
    visit.fill(account=person, name="Ann", organisation="Works", plants="*")
    page.get_by_role("button", name=words[6]).click()
    expect(page.get_by_role("status")).to_contain_text(words[8])
    visit.look("6-link")
    next_link = page.locator("#link").text_content() or ""
    page.get_by_role("link", name=person).click()
    expect(page.locator("#change")).to_contain_text(person)
    visit.look("7-change")
    page.get_by_role("button", name=words[3]).click()
    watch_live(open_page(next_link, width=width, height=height), person, words, also)


def watch_live(
    watched: Watched, person: str, words: list[str], also: tuple[int, int] | None = None
) -> None:
    """The invited operator opens the account, sees the live page move, and signs out of it."""
    page, width = watched.page, watched.page.viewport_size["width"]  # type: ignore[index]  # is set
    visit = Visit(watched, person, width, also)
    visit.fill(password=PASSWORD, again=PASSWORD, code=code(key_of(page)))
    page.get_by_role("button", name=words[1]).click()
    expect(page.get_by_role("heading", name=words[2])).to_be_visible()
    visit.look("1-account")
    page.goto(page.url.partition("/account")[0] + "/")
    expect(page.locator("#status .live")).to_be_visible()
    expect(page.get_by_role("link", name=person)).to_be_visible()
    visit.glance("2-live")
    page.get_by_role("button", name=words[3]).click()
    expect(page.get_by_role("heading", name=words[4], exact=True)).to_be_visible()
    cookies: list[dict[str, Any]] = page.context.cookies()  # type: ignore[assignment]  # TypedDicts
    assert [c["name"] for c in cookies] == ["stackproof-device"]
    assert all(c["httpOnly"] and c["sameSite"] == "Strict" for c in cookies)
