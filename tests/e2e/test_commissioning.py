"""The collector's commissioning pages, as an engineer with a phone at the meter would use them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from cloud.api.rendering import STRINGS
from tests.e2e.conftest import Server, Watched
from tests.e2e.test_accounts import Visit
from tests.unit.cloud.drill_examples import DEVICE, VOLUME

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("language", "width"), [("en", 390), ("zh", 1440)])
def test_a_display_is_held_against_the_signed_log(
    open_page: Callable[..., Watched],
    start_server: Callable[..., Server],
    language: str,
    width: int,
) -> None:
    server = start_server("--records", "--reviewer")
    watched = open_page(f"{server.url}/{language}/plants/mini/commissioning", width=width)
    page, visit = watched.page, Visit(watched, f"commissioning-{language}", width)
    visit.look("1-gateways")
    page.get_by_role("link", name=DEVICE).click()
    expect(page.locator("tbody tr").first).to_contain_text("100,089.5 Nm³")
    expect(page.locator(".no")).to_have_count(0)
    page.locator(f"[name='face.{VOLUME}']").fill("100061")
    page.locator(f"[name='at.{VOLUME}']").fill("2026-09-21 16:01")
    page.locator("form[method=get] button").click()
    said = STRINGS[language]["visit.result.agrees"].partition("{")[0]
    expect(page.locator("form[method=get] tbody tr").first).to_contain_text(f"{said}100,045.0 Nm³")
    expect(page.locator(f"[name='face.{VOLUME}']")).to_have_value("100061")
    visit.look("2-compared")
    page.emulate_media(media="print")
    expect(page.locator(".printed")).to_be_visible()
    expect(page.locator("form[method=get] button")).to_be_hidden()
