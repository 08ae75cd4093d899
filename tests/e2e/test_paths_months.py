"""Accountant and reviewers over a whole collector: a month from its checklist to a decision.

One way through: people get accounts and keys through the pages, the accountant enters a document,
closes the month and takes the sealed archive away, and the reviewer, who has nothing but that
file and the pages, comes from it to one signed reading, asks, and decides. The collector verifies
the archive by itself, and again after somebody altered it on the disk.
"""

import hashlib
import re
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from evidence.phrases import phrase
from tests.e2e.conftest import Server, Watched
from tests.e2e.looking import DESK, PHONE
from tests.e2e.real_works import MONTH, POINT, RealWorks
from tests.e2e.test_accounts import Visit
from tests.e2e.test_records import Clerk, security

pytestmark = pytest.mark.browser

Open = Callable[..., Watched]
INVOICE = {"number": "K-7", "party": "Coal Ltd 煤业", "value": "120.50", "unit": "t",
           "from_ns": "2026-10-01 00:00", "to_ns": "2026-11-01 00:00"}  # fmt: skip


@pytest.fixture
def real_works(tmp_path: Path) -> Iterator[RealWorks]:
    """A whole collector with a month that nobody has closed yet."""
    server = RealWorks(tmp_path / "works")
    try:
        server.start()
        yield server
    finally:
        server.kill()


def person(  # noqa: PLR0917 - each is another thing
    chief: Clerk, opened: Open, server: Server, folder: Path, role: str, size: tuple[int, int]
) -> Clerk:
    """Somebody of a role, with an account and an enrolled key."""
    language = chief.base[-2:]
    link = chief.invite(f"{role}-1", role, region="37")
    one = Clerk(opened, server, link, f"{role}-1", language, size[0])
    one.page.set_viewport_size({"width": size[0], "height": size[1]})
    one.visit = Visit(one.watched, f"path-{role}-{language}", size[0])
    chief.enrol(one.make_key(folder))
    return one


def documents(li: Clerk) -> None:
    """From the month's checklist to its documents, and one more signed."""
    page = li.page
    page.goto(f"{li.base}/months")
    li.visit.look("1-months")
    page.locator(f".matrix a[href$='/months/{MONTH}']").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(MONTH)
    li.visit.look("2-checklist")
    page.get_by_role("link", name=li.texts["month.made.records"]).click()
    page.get_by_role("link", name=li.t("new"), exact=True).first.click()
    page.get_by_role("link", name=li.t("kind.invoice"), exact=True).click()
    expect(page.locator("#form")).to_be_visible()
    li.write(about="kiln-coal", **INVOICE)
    page.locator("[data-field=part]").select_option("purchased")
    li.sign("3-invoice")


def close(li: Clerk, folder: Path) -> Path:
    """Close, watch it being sealed, and take the archive away; its hash is the page's."""
    page, base = li.page, f"{li.base}/plants/mini/months/{MONTH}"
    page.goto(base)
    reason = page.locator("#reason[required]")
    if reason.count():
        reason.fill("papers follow 单据后补")
    page.get_by_role("button", name=li.texts["month.close.do"], exact=True).click()
    archive = page.locator("a[href$='archive.tar']")
    while not archive.count():  # it is made meanwhile; whoever waits asks again
        page.wait_for_timeout(300)
        page.goto(base)
    li.visit.look("4-sealed")
    with page.expect_download() as begun:
        archive.first.click()
    path = folder / begun.value.suggested_filename
    begun.value.save_as(path)
    expect(page.locator("main")).to_contain_text(hashlib.sha256(path.read_bytes()).hexdigest())
    return path


def verify(sun: Clerk, archive: Path) -> None:
    page = sun.page
    page.goto(f"{sun.base}/verify")
    page.locator("#file").set_input_files(archive)
    page.locator("#bring button").click()
    expect(page.locator(".verdict.passed")).to_be_visible(timeout=60_000)
    sun.visit.look("1-passed")


def drill(sun: Clerk) -> None:
    """From a line of the review to one signed reading."""
    page = sun.page
    sun.go(f"months/{MONTH}/review")
    page.locator("section", has_text=sun.texts["review.lines.hint"]).locator("th a").first.click()
    page.locator("a[href*='/drill?line=']").first.click()
    page.get_by_role("link", name=POINT).first.click()
    page.get_by_role("link", name=f"{MONTH}-12").click()
    page.get_by_role("link", name="16:00 – 17:00").click()
    page.locator("tbody tr a").first.click()
    page.locator("tbody tr a").first.click()
    expect(page.locator(".value")).to_have_text(re.compile(r"^[0-9.,]+ t$"))
    expect(page.locator(".no")).to_have_count(0)  # signature, root and log all fit
    sun.visit.look("2-reading")


def ask_and_decide(sun: Clerk) -> None:
    page = sun.page
    page.goto(f"{sun.base}/reviews")
    page.get_by_role("link", name=re.compile(MONTH)).click()
    page.locator("section", has_text=sun.texts["review.lines.hint"]).locator("th a").first.click()
    page.get_by_role("link", name=sun.texts["review.ask"]).click()
    expect(page.locator("#form")).to_be_visible()
    sun.write(question="Which scale? 哪台秤？", answer_by="2026-11-20")
    asked = sun.sign("3-question")
    sun.go(f"months/{MONTH}/review")
    expect(page.locator(f"div.said:has(a[href$='{asked}'])")).to_be_visible()
    page.get_by_role("link", name=sun.texts["review.decide"]).click()
    expect(page.locator("#form")).to_be_visible()
    page.locator("[data-field=decision]").select_option("return")
    sun.write(reason="The scale is not named. 未注明秤号。")
    sun.sign("4-decision")
    sun.go(f"months/{MONTH}/review")
    expect(page.locator("main")).to_contain_text("未注明秤号")
    sun.visit.look("5-decided")


def verdict(one: Clerk, look: str, told: tuple[str, ...], step: str) -> None:
    """What the collector found of the archive, on the page of all months and on its own pages."""
    page, found = one.page, one.page.locator(f".matrix .verdict.{look}")
    page.goto(f"{one.base}/months")
    while not found.count():  # it is verified meanwhile; whoever waits asks again
        page.wait_for_timeout(300)
        page.reload()
    for text in told:
        expect(found).to_contain_text(text)
    one.visit.look(step)
    page.goto(f"{one.base}/plants/mini/months/{MONTH}")
    headline = page.locator(f".headline.{look} strong")
    expect(headline).to_contain_text(told[0])
    sentence = headline.inner_text()
    one.go(f"months/{MONTH}/review")
    expect(headline).to_have_text(sentence)
    one.go(f"year?year={MONTH[:4]}")
    expect(page.locator(f"tr:has-text('{MONTH}') .verdict.{look}")).to_have_text(sentence)
    one.visit.look(f"{step}-year")


def alter(archive: Path) -> None:
    """One bit of a frame, on the collector's disk."""
    with tarfile.open(archive) as bag:
        frames = next(one for one in bag if one.isfile() and "/data/frames/" in one.name)
    with archive.open("r+b") as file:
        file.seek(frames.offset_data + frames.size // 2)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 1]))


@pytest.mark.parametrize(
    ("language", "size"), [("en", DESK), pytest.param("zh", PHONE, marks=pytest.mark.long)]
)
def test_a_month_is_closed_taken_away_verified_and_decided(
    open_page: Open, real_works: RealWorks, tmp_path: Path, language: str, size: tuple[int, int]
) -> None:
    chief = security(open_page, real_works, tmp_path, language, size[0], "chief")
    li = person(chief, open_page, real_works, tmp_path, "accountant", size)
    sun = person(chief, open_page, real_works, tmp_path, "reviewer", size)
    real_works.wait_for_month()
    documents(li)
    archive = close(li, tmp_path)
    verify(sun, archive)
    drill(sun)
    ask_and_decide(sun)
    # sound, and some of its points have too few values
    verdict(li, "open", (phrase("verdict.passed", language),), "5-passed")
    alter(real_works.archive())
    # a file of the bag is another one than its manifest says: evidence/FORMAT.md
    verdict(li, "failed", (phrase("verdict.failed", language), "(E-FILE-HASH)"), "6-failed")
    expect(li.page.get_by_role("alert")).to_contain_text(phrase("verdict.failed", language))
    expect(li.page.locator("main")).not_to_contain_text(li.texts["year.figures"])  # no sum has it
    for one in (chief, li, sun):
        assert one.watched.complaints == []
