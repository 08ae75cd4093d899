"""Chromium and a server over the fake plant, each as a process of its own.

Browser tests run in a pytest process of their own: Playwright keeps an event loop running, in
which asyncio tests cannot run.
"""

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

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
    process: "subprocess.Popen[str] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        module = "tests.e2e.fake_server"
        command = [sys.executable, "-m", module, str(self.port), *self.options]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
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


@contextmanager
def opening(chromium: Browser) -> Iterator[Callable[..., Watched]]:
    """Open an address in a fresh context: nothing is shared between pages."""
    contexts = []

    def open_(url: str, *, width: int = 1440, height: int = 900, **more: Any) -> Watched:
        context = chromium.new_context(viewport={"width": width, "height": height}, **more)
        contexts.append(context)
        watched = Watched(context.new_page())
        watched.page.on("console", watched.on_console)
        watched.page.on("pageerror", lambda error: watched.complaints.append(f"uncaught: {error}"))
        watched.page.on("request", watched.on_request)
        watched.page.goto(url)
        return watched

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Watched]]:
    """As `opening`, for a test."""
    with opening(chromium) as open_:
        yield open_


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
