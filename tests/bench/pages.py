"""What the operators' pages cost: weight, first paint, main thread, heap, and the server's clients.

    ./run bench pages [--seconds N] [--clients N] [--json]

A fake plant of 300 pots and 500 further points, all new each second, in a process of its own;
headless Chromium looks at each page. Each figure stands beside its floor of the same run: another
page of one word from another server (first paint, main thread, heap), the same server without a
viewer (clients).
A page's weight is that of all its files but live answers, each compressed by gzip as it is served.
Measured on a shared machine: the load is told with the figures.
"""

import argparse
import asyncio
import gzip
import json
import os
import shutil
import statistics
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from playwright.sync_api import Browser, Page, Response, sync_playwright
from websockets.asyncio.client import connect

from tests.bench.load.spent import machine_busy_s, spent
from tests.e2e.conftest import CHROMIUM_ARGUMENTS, Server
from tests.e2e.fake_plant import PLANT
from tests.ports import free_port

POTS, METERS = 300, 500
PAGES = {
    "overview": "", "line": "/line", "pot": "/lines/line-1/pots/07", "figures": "/figures",
    "meters": "/meters", "fleet": "/fleet",
}  # fmt: skip
#: those that change most each second are looked at for long
WATCHED = ("overview", "line", "meters")
PAINTS = 5
BUDGETS = {"kb": 150.0, "paint_ms": 500.0, "busy_percent": 10.0, "heap_mb": 1.0, "client": 0.05}


class OneWord(BaseHTTPRequestHandler):
    """A page of one word."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>.</title><p>word")

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def main(argv: list[str]) -> int:
    """Measure and print; 0 when every budget is kept."""
    parser = argparse.ArgumentParser(prog="./run bench pages")
    parser.add_argument("--seconds", type=int, default=120, help="each page (%(default)s)")
    parser.add_argument("--clients", type=int, default=200, help="WebSockets (%(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    args = parser.parse_args(argv)
    server = Server(free_port(), ("--pots", str(POTS), "--meters", str(METERS)))
    server.start()
    try:
        found = measure(server, args)
    finally:
        server.kill()
    print(json.dumps(found) if args.json else told(found))
    return 1 if wrong(found) else 0


def measure(server: Server, args: argparse.Namespace) -> dict[str, Any]:
    """All figures, floors first."""
    busy_s, of_s = machine_busy_s(), os.times().elapsed
    idle, served = (
        asyncio.run(server_percent(server, clients, args.seconds)) for clients in (0, args.clients)
    )
    with one_word() as empty, browser() as chromium:
        pages = looked_at(chromium, server, empty, args.seconds)
    return {
        "pages": pages, "seconds": args.seconds, "clients": args.clients, "idle_percent": idle,
        "served_percent": served, "client_percent": (served - idle) / args.clients,
        "load": os.getloadavg()[0],
        "machine_percent": 100 * (machine_busy_s() - busy_s) / (os.times().elapsed - of_s),
        "cores": os.cpu_count(),
    }  # fmt: skip


def looked_at(
    chromium: Browser, server: Server, empty: str, seconds: int
) -> dict[str, dict[str, float]]:
    """Weight and first paint of each page; thread and heap of those that are watched."""
    urls = {name: f"{server.url}/zh/plants/{PLANT}{at}" for name, at in PAGES.items()}
    pages = {"floor": {"kb": 0.0, "paint_ms": paint_ms(chromium, empty)}}
    for name, url in urls.items():
        pages[name] = {"kb": weight_kb(chromium, url), "paint_ms": paint_ms(chromium, url)}
    for name, url in {"floor": empty, **{one: urls[one] for one in WATCHED}}.items():
        pages[name] |= watched(chromium, url, seconds)
    return pages


def weight_kb(chromium: Browser, url: str) -> float:
    """Of the page and all its files, kB (10^3 bytes), by gzip where the browser would take it."""
    with opened(chromium) as page:
        answers: list[Response] = []
        page.on("response", lambda answer: answers.append(answer))
        page.goto(url, wait_until="networkidle")
        bodies = [one.body() for one in answers if "/api/" not in one.url]
        return sum(min(len(body), len(gzip.compress(body, 6))) for body in bodies) / 1e3


def paint_ms(chromium: Browser, url: str) -> float:
    """First contentful paint, the middle of some, nothing cached."""
    found = []
    for _ in range(PAINTS):
        with opened(chromium) as page:
            page.goto(url)
            page.wait_for_function(
                "() => performance.getEntriesByName('first-contentful-paint').length"
            )
            found.append(
                page.evaluate(
                    "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"
                )
            )
    return float(statistics.median(found))


def watched(chromium: Browser, url: str, seconds: int) -> dict[str, float]:
    """Share of time in which the main thread had a task, and what the heap grew by, collected."""
    with opened(chromium) as page:
        page.goto(url)
        page.wait_for_timeout(3_000)
        protocol = page.context.new_cdp_session(page)
        protocol.send("Performance.enable")

        def now() -> dict[str, float]:
            protocol.send("HeapProfiler.collectGarbage")
            rows = protocol.send("Performance.getMetrics")["metrics"]
            return {row["name"]: row["value"] for row in rows}

        begun = now()
        page.wait_for_timeout(seconds * 1_000)
        rows = protocol.send("Performance.getMetrics")["metrics"]
        busy = {row["name"]: row["value"] for row in rows}  # before the garbage is collected
        ended = now()
        lasted = busy["Timestamp"] - begun["Timestamp"]
        return {
            "busy_percent": 100 * (busy["TaskDuration"] - begun["TaskDuration"]) / lasted,
            "heap_mb": (ended["JSHeapUsedSize"] - begun["JSHeapUsedSize"]) / 1e6,
            "nodes": ended["Nodes"] - begun["Nodes"],
        }


async def server_percent(server: Server, clients: int, seconds: int) -> float:
    """Share of a core that the server takes with so many viewers, each reading all it is sent."""
    assert server.process is not None
    live = f"ws://127.0.0.1:{server.port}/api/v1/live?plant={PLANT}"

    async def view(begun: asyncio.Event) -> None:
        async with connect(live, max_size=None, compression=None) as viewer:
            await viewer.recv()
            begun.set()
            async for _ in viewer:
                pass

    begun = [asyncio.Event() for _ in range(clients)]
    viewers = [asyncio.create_task(view(one)) for one in begun]
    try:
        async with asyncio.timeout(60):
            for one in begun:
                await one.wait()
        await asyncio.sleep(2)
        before_s, at_s = spent(server.process.pid).cpu_s, os.times().elapsed
        await asyncio.sleep(seconds)
        cpu_s, lasted_s = spent(server.process.pid).cpu_s - before_s, os.times().elapsed - at_s
        if any(one.done() for one in viewers):
            raise RuntimeError("a viewer was sent away")
    finally:
        for viewer in viewers:
            viewer.cancel()
        await asyncio.gather(*viewers, return_exceptions=True)
    return 100 * cpu_s / lasted_s


@contextmanager
def one_word() -> Iterator[str]:
    """The floor's address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), OneWord) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/"
        http.shutdown()


@contextmanager
def browser() -> Iterator[Browser]:
    """Headless Chromium of the system."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS
        )
        yield found
        found.close()


@contextmanager
def opened(chromium: Browser) -> Iterator[Page]:
    """A page of a context of its own: nothing is cached."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


def wrong(found: dict[str, Any]) -> list[str]:
    """Budgets that are not kept."""
    late = [
        f"{page} {name}"
        for page, row in found["pages"].items()
        for name, value in row.items()
        if value > BUDGETS.get(name, value)
    ]
    return late + ["client"] * (found["client_percent"] > BUDGETS["client"])


def told(found: dict[str, Any]) -> str:
    """The figures as people read them."""
    lines = [
        f"{POTS} pots and {METERS} points each second; {found['seconds']} s a page; load"
        f" {found['load']:.1f}, {found['machine_percent']:.0f} % of {found['cores']} cores busy",
        f"{'page':10}{'gzip kB':>9}{'paint ms':>10}{'thread %':>10}{'heap MB':>9}{'nodes':>7}",
    ]
    forms = {"kb": "9.1f", "paint_ms": "10.0f", "busy_percent": "10.2f", "heap_mb": "9.2f"}
    for name, row in found["pages"].items():
        cells = [f"{row[key]:{form}}" if key in row else "" for key, form in forms.items()]
        lines.append(f"{name:10}{''.join(cells)}{row.get('nodes', 0) if cells[-1] else '':>7}")
    lines += [
        "budgets   " + "".join(f"{BUDGETS[key]:{form}}" for key, form in forms.items()),
        f"server: idle {found['idle_percent']:.2f} % of a core, with {found['clients']} clients "
        f"{found['served_percent']:.2f} %: {found['client_percent']:.4f} % a client "
        f"(budget {BUDGETS['client']} %)",
        f"not kept: {', '.join(wrong(found)) or 'none'}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
