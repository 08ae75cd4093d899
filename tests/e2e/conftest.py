"""Chromium and servers over the fake plant, each as a process of its own.

Browser tests run in a pytest process of their own: Playwright keeps an event loop running, in
which asyncio tests cannot run. What is dear to make and can be used again serves all tests of a
run: servers of equal options, the browser, and its contexts once they are empty.
"""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

from tests.e2e.nursery import start
from tests.ports import free_port
from tests.unit.cloud.app_examples import TOKEN

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",  # root in a container
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]


# How long something is waited for where no test says how long it may take: the page is drawn by a
# browser that shares two cores with all other tests.
expect.set_options(timeout=20_000)


@dataclass
class Server:
    """The web application as a process on a port that stays the same over restarts."""

    port: int
    options: tuple[str, ...] = ()
    token: str = TOKEN
    process: BaseProcess | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = start(str(self.port), *self.options)

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.process = None


@dataclass
class Watched:
    """A page with everything it complained about and everything it asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def on_request(self, request: Request) -> None:
        self.requests.append(request.url)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    assert path is not None  # without it these tests are skipped before they start
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def start_server() -> Iterator[Callable[..., Server]]:
    """Start a server with options; equal options share one that nobody may kill."""
    servers: dict[tuple[str, ...], Server] = {}

    def start(*options: str) -> Server:
        if options not in servers:
            servers[options] = Server(free_port(), options)
            servers[options].start()
        return servers[options]

    yield start
    for server in servers.values():
        server.kill()


@pytest.fixture
def mortal_server() -> Iterator[Server]:
    """A server of this test alone, to be killed and started again."""
    server = Server(free_port())
    server.start()
    yield server
    server.kill()


class Rooms:
    """Contexts of the browser, used again: a new one takes three times what a page takes to load.

    Nothing of a test stays but a blank page, whose process draws the next test's too.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._rooms: list[BrowserContext] = []
        self._taken = 0

    def take(self) -> BrowserContext:
        """One that nobody has been in since it was emptied."""
        if self._taken == len(self._rooms):
            self._rooms.append(self._browser.new_context())
        self._taken += 1
        return self._rooms[self._taken - 1]

    def empty(self, origins: set[str]) -> None:
        """Pages, cookies, and what pages of these origins stored."""
        for room in self._rooms[: self._taken]:
            *others, last = room.pages
            for page in others:
                page.close()
            last.evaluate("() => location.replace('about:blank')")
            last.wait_for_url("about:blank")
            room.clear_cookies()
            devtools = room.new_cdp_session(last)
            for origin in origins:
                what = {"origin": origin, "storageTypes": "all"}
                devtools.send("Storage.clearDataForOrigin", what)
            devtools.detach()
        self._taken = 0


@pytest.fixture(scope="session")
def rooms(chromium: Browser) -> Rooms:
    return Rooms(chromium)


@contextmanager
def opening(chromium: Browser, rooms: Rooms | None = None) -> Iterator[Callable[..., Watched]]:
    """Open an address in an empty context: nothing is shared between pages.

    Without rooms, with `is_alone` or any option of a context's own, it is a new one.
    """
    alone: list[BrowserContext] = []
    opened: list[Watched] = []

    def open_(
        url: str, *, width: int = 1440, height: int = 900, is_alone: bool = False, **more: Any
    ) -> Watched:
        if rooms is None or is_alone or more:
            context = chromium.new_context(**more)
            alone.append(context)
        else:
            context = rooms.take()
        watched = Watched(context.new_page())
        opened.append(watched)
        watched.page.set_viewport_size({"width": width, "height": height})
        watched.page.on("console", watched.on_console)
        watched.page.on("pageerror", lambda error: watched.complaints.append(f"uncaught: {error}"))
        watched.page.on("request", watched.on_request)
        watched.page.goto(url)
        return watched

    yield open_
    if rooms is not None:
        asked = [urlsplit(url) for watched in opened for url in watched.requests]
        rooms.empty({f"{url.scheme}://{url.netloc}" for url in asked if url.scheme == "http"})
    for context in alone:
        context.close()


@pytest.fixture
def open_page(chromium: Browser, rooms: Rooms) -> Iterator[Callable[..., Watched]]:
    """As `opening`, for a test; its rooms are emptied for the next one."""
    with opening(chromium, rooms) as open_:
        yield open_
