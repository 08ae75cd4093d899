"""Verify in a real browser: an archive is brought and its verdict read."""

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Server, Watched
from tests.e2e.looking import DESK, PHONE
from tests.e2e.test_accounts import Visit

pytestmark = pytest.mark.browser

SEALED = Path(__file__).parents[1] / "vectors/sealed-2026-11-27.tar.xz"
WORDS = {
    "en": ["Verify", "PASSED", "FAILED", "does not know the plant", "Another archive"],
    "zh": ["核验", "通过", "不通过", "未登记", "核验另一份档案"],
}  # fmt: skip


@pytest.mark.parametrize(("language", "sizes"), [("en", (DESK, PHONE)), ("zh", (PHONE, DESK))])
def test_an_archive_is_brought_and_its_verdict_read(
    open_page: Callable[..., Watched], start_server: Callable[..., Server], tmp_path: Path,
    language: str, sizes: tuple[tuple[int, int], tuple[int, int]],
) -> None:  # fmt: skip
    with tarfile.open(SEALED) as packed:
        packed.extract("cement.tar", tmp_path, filter="data")
    bent = tmp_path / "<b>bent 弯.tar"
    bent.write_bytes((tmp_path / "cement.tar").read_bytes().replace(b'"total_t"', b'"total_T"', 1))
    server = start_server(f"--accountant={language}{sizes[0][0]}")
    words, ((width, height), also) = WORDS[language], sizes
    watched = open_page(f"{server.url}/{language}/months", width=width, height=height)
    page, visit = watched.page, Visit(watched, f"verify-{language}-{width}", width, also)
    page.get_by_role("link", name=words[0], exact=True).click()
    button = page.locator("#bring button")
    button.click()  # nothing is chosen
    expect(page.locator("#said")).to_be_visible()
    visit.look("1-nothing")
    page.locator("#file").set_input_files(tmp_path / "cement.tar")
    button.click()
    expect(page.locator(".verdict.passed")).to_contain_text(words[1], timeout=30_000)
    expect(page.get_by_text(words[3])).to_be_visible()
    visit.look("2-passed")
    page.get_by_role("link", name=words[4]).click()
    page.locator("#file").set_input_files(bent)
    button.click()
    expect(page.locator(".verdict.failed")).to_contain_text(words[2], timeout=30_000)
    visit.look("3-failed")
    page.get_by_role("link", name=words[4]).click()
    expect(page.locator("tbody tr")).to_have_count(2)
    visit.look("4-mine")
