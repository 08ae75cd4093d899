"""What every browser test asks of a page as it stands: axe, its width, and a picture if wanted."""

import os
from pathlib import Path

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

#: a desk's and a phone's
DESK, PHONE = (1440, 900), (390, 844)
#: all that axe knows of a page is long: only what is wrong leaves the browser
AXE = """axe.run({resultTypes: ["violations"]}).then(
  (told) => told.violations.map((one) => [one.id, one.impact, one.nodes[0].html.slice(0, 200)]))"""
#: scripts that answer a new width have done so
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def violations(page: Page) -> list[list[str]]:
    """What axe finds: rule, impact, and the first element that breaks it."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[list[str]] = page.evaluate(AXE)
    return found


def serious(page: Page) -> list[list[str]]:
    """Those that keep somebody from using it."""
    return [one for one in violations(page) if one[1] in ("serious", "critical")]


def width_of(page: Page) -> int:
    """Of all that it shows, in px, once it is drawn."""
    page.evaluate(DRAWN)
    width: int = page.evaluate("() => document.documentElement.scrollWidth")
    return width


def fits(page: Page) -> None:
    """A desk's width and a phone's."""
    for width, height in (DESK, PHONE):
        page.set_viewport_size({"width": width, "height": height})
        assert width_of(page) == width


def shoot(page: Page, name: str) -> None:
    """A picture of all of it, where `STACKPROOF_SCREENSHOTS` names a folder for them."""
    if folder := os.environ.get("STACKPROOF_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
