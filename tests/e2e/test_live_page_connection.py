"""The live page when the server dies, hangs, or the socket is blocked; and how it comes back."""

import re
import signal
from collections.abc import Callable

import pytest
from playwright.sync_api import WebSocket, expect

from tests.e2e.conftest import Server, Watched

pytestmark = pytest.mark.browser

Open = Callable[..., Watched]
BACK_MS = 20_000  # back-off grows to 15 s


def test_killed_server_banner_frozen_time_and_back_without_reload(
    open_page: Open, mortal_server: Server
) -> None:
    page = open_page(f"{mortal_server.url}/en/plants/demo-smelter/line").page
    banner = page.locator("#banner")
    expect(page.locator("#status .live")).to_be_visible()
    expect(banner).to_be_hidden()
    page.evaluate("() => { window.mark = 'same page'; }")
    page.locator('.pot[data-pot="12"]').click()
    mortal_server.kill()
    expect(banner).to_be_visible(timeout=6000)
    text = re.compile(r"Connection lost\. Values below are frozen at \d\d:\d\d:\d\d and are NOT")
    expect(banner).to_have_text(text)
    expect(page.locator("body")).to_have_class("lost")
    expect(page.locator("#status")).to_contain_text("Not live")
    # what was seen last stays readable, only hatched: it does not decay into "no data"
    expect(page.locator('.pot[data-pot="07"]')).to_have_class(re.compile("effect"))
    expect(page.locator(".legend")).to_contain_text("1 no data")
    frozen = re.search(r"\d\d:\d\d:\d\d", banner.text_content() or "")
    expect(banner).to_have_text(re.compile(r"\((?:[6-9]|\d\d) s old\)"), timeout=8000)
    assert frozen is not None
    assert frozen.group() in (banner.text_content() or "")
    mortal_server.start()
    expect(banner).to_be_hidden(timeout=BACK_MS)
    expect(page.locator("body")).not_to_have_class("lost")
    expect(page.locator("#status .live")).to_be_visible()
    assert page.evaluate("() => window.mark") == "same page"
    expect(page.locator('.pot[data-pot="12"]')).to_have_attribute("aria-selected", "true")


def test_every_live_page_freezes_and_comes_back_whole(
    open_page: Open, mortal_server: Server
) -> None:
    """Each of its own socket, and what comes first on the new one is a snapshot."""
    pages, begun = [], []

    def listen(socket: WebSocket) -> None:
        socket.once("framereceived", lambda frame: begun.append(str(frame)[:18]))

    for below in ("", "/line", "/lines/line-1/pots/07", "/figures", "/meters", "/fleet"):
        page = open_page("about:blank").page
        page.on("websocket", listen)
        page.goto(f"{mortal_server.url}/zh/plants/demo-smelter{below}")
        expect(page.locator("#status .live")).to_be_visible()
        pages.append(page)
    mortal_server.kill()
    for page in pages:
        expect(page.locator("#banner")).to_contain_text("连接已断开")
        expect(page.locator("body")).to_have_class("lost")
    begun.clear()
    mortal_server.start()
    for page in pages:
        expect(page.locator("#banner")).to_be_hidden(timeout=BACK_MS)
        expect(page.locator("#status .live")).to_be_visible()
    assert begun == ['{"type":"snapshot"'] * len(pages)


def test_a_server_that_hangs_is_noticed_by_the_watchdog(
    open_page: Open, mortal_server: Server
) -> None:
    page = open_page(f"{mortal_server.url}/zh/").page
    expect(page.locator("#status .live")).to_be_visible()
    mortal_server.send(signal.SIGSTOP)
    expect(page.locator("#banner")).to_be_visible(timeout=6000)
    expect(page.locator("#banner")).to_contain_text("连接已断开")
    mortal_server.send(signal.SIGCONT)
    expect(page.locator("#banner")).to_be_hidden(timeout=BACK_MS)


def test_where_the_socket_is_blocked_the_page_polls(
    open_page: Open, start_server: Callable[..., Server]
) -> None:
    watched = open_page("about:blank")
    page = watched.page
    page.route_web_socket(re.compile("/api/v1/live"), lambda socket: socket.close())
    page.goto(f"{start_server().url}/en/")
    expect(page.locator("#status .polling")).to_be_visible(timeout=10_000)
    volts = page.locator('.pot[data-pot="07"] .volts')
    seen = volts.text_content() or ""
    expect(volts).not_to_have_text(seen, timeout=6000)
    expect(page.locator("#banner")).to_be_hidden()


def test_a_gap_in_the_sequence_brings_a_snapshot(
    open_page: Open, start_server: Callable[..., Server]
) -> None:
    watched = open_page("about:blank")
    page = watched.page
    asked: list[str] = []
    deltas = 0

    def relay(socket: object) -> None:
        server = socket.connect_to_server()  # type: ignore[attr-defined] # playwright's route type

        def down(message: str) -> None:
            nonlocal deltas
            deltas += '"type":"delta"' in message[:40]
            if deltas != 2:  # the second delta gets lost
                socket.send(message)  # type: ignore[attr-defined] # playwright's route type

        def up(message: str) -> None:
            asked.append(message)
            server.send(message)

        server.on_message(down)
        socket.on_message(up)  # type: ignore[attr-defined] # playwright's route type

    page.route_web_socket(re.compile("/api/v1/live"), relay)
    page.goto(f"{start_server().url}/en/")
    expect(page.locator("#status .live")).to_be_visible()
    page.wait_for_timeout(4500)
    assert asked == ['{"type":"snapshot"}']
    expect(page.locator("#banner")).to_be_hidden()


def test_a_silent_gateway_makes_values_old_while_the_page_stays_live(
    open_page: Open, start_server: Callable[..., Server]
) -> None:
    page = open_page(f"{start_server('--silent').url}/en/").page
    emission = page.locator(".tile").first
    expect(emission.locator(".tag.dq")).to_have_text(re.compile(r"^\d+ (?:s|min) old$"))
    expect(emission.locator(".reading")).to_have_class(re.compile("reserved"))
    expect(page.locator('.pot[data-pot="01"]')).to_have_class(re.compile("nodata"))
    expect(page.locator('.pot[data-pot="01"] .word')).to_have_text(re.compile(r"^\d+ s old$"))
    expect(page.locator(".tile", has_text="Trusted data")).to_contain_text(
        "55 of 55 points without a current value"
    )
    expect(page.locator("#status .live")).to_be_visible()
