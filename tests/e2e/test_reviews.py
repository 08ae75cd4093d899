"""Reviewers in a real browser: question, answer, return, decision; what screening says."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from cloud.api.rendering import STRINGS
from evidence.screen.texts import question_text
from tests.e2e.conftest import Server, Watched
from tests.e2e.test_accounts import Visit
from tests.e2e.test_records import Clerk, security
from tests.unit.cloud.review.review_examples import MONTH

pytestmark = pytest.mark.browser

Open = Callable[..., Watched]
Start = Callable[..., Server]


def decide(shi: Clerk, choice: str, reason: str, step: str) -> None:
    shi.go(f"months/{MONTH}/review")
    shi.page.get_by_role("link", name=shi.texts["review.decide"]).click()
    expect(shi.page.locator("#form")).to_be_visible()
    shi.page.locator("[data-field=decision]").select_option(choice)
    shi.write(reason=reason)
    shi.sign(step)


@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("zh", 390)])
def test_a_provinces_review_of_a_month(
    open_page: Open, start_server: Start, tmp_path: Path, language: str, width: int
) -> None:
    server = start_server("--accounts", "--records", "--reviews", f"--apart=reviews-{language}")
    chief = security(open_page, server, tmp_path, language, width, f"chief-{language}")
    people = []
    for name, role, region in (("shi", "reviewer", "37"), ("li", "accountant", "")):
        ident = f"{name}-{language}"
        link = chief.invite(ident, role, region=region)
        one = Clerk(open_page, server, link, ident, language, width)
        chief.enrol(one.make_key(tmp_path))
        one.visit = Visit(one.watched, f"reviews-{ident}", width)
        people.append(one)
    shi, li = people
    page, texts = shi.page, shi.texts

    # what waits, and the month: nothing is opened yet
    page.goto(f"{shi.base}/months")
    cell = page.locator(".matrix td", has_text=texts["month.cell.review"])
    expect(cell).to_contain_text(texts["review.state.none"])
    page.goto(f"{shi.base}/reviews")
    shi.visit.look("1-list")
    page.get_by_role("link", name=re.compile(MONTH)).click()
    shi.visit.look("2-month")
    line = page.locator("section", has_text=texts["review.lines.hint"]).locator("th a").first
    line.click()
    shi.visit.look("3-line")

    # a question about that line, answered by the plant with a file
    page.get_by_role("link", name=texts["review.ask"]).click()
    shi.write(question="Why less than in August? 为何少于八月？", answer_by="2026-10-20")
    asked = shi.sign("4-question")
    li.go(f"months/{MONTH}/review")
    own = f'div.said:has(a[href$="{asked}"])'
    li.page.locator(own).get_by_role("link", name=texts["review.answer.do"], exact=True).click()
    li.write(answer="Stock was used up.")
    li.page.locator("#files").set_input_files(
        {"name": "stock.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 stock"}
    )
    li.sign("5-answer")
    shi.go(f"months/{MONTH}/review")
    expect(page.locator(own)).to_contain_text(texts["review.point.answered"])
    shi.go(f"records/{asked}")
    shi.visit.look("6-question")

    # returned, then approved, and what was not opened is said in words
    decide(shi, "return", "The scale's certificate is missing.", "7-return")
    decide(shi, "approve", "Settled. 已解决。", "8-approve")
    shi.go(f"months/{MONTH}/review")
    blind = (
        re.escape(texts["review.blind"]).replace(r"\{n\}", "[0-9]+").replace(r"\{all\}", "[0-9]+")
    )
    expect(page.locator("main")).to_contain_text(re.compile(blind))
    shi.visit.look("9-decided")
    page.goto(f"{shi.base}/reviews/across?seed=7-12-31&count=2")
    shi.visit.look("10-across")
    assert shi.watched.complaints == []
    assert json.dumps(li.watched.complaints) == "[]"


@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("zh", 390)])
def test_what_stands_out_of_a_month(
    open_page: Open, start_server: Start, language: str, width: int
) -> None:
    server = start_server("--records", "--reviews", "--screened", "--reviewer")
    base, texts = f"{server.url}/{language}", STRINGS[language]
    watched = open_page(f"{base}/plants/mini/months/{MONTH}/review", width=width)
    page, visit = watched.page, Visit(watched, f"screening-{language}", width)
    section, first = page.locator("#screening"), page.locator("#screening .screened li").first
    expect(section).to_contain_text(texts["review.screening.no-verdict"])
    visit.look("1-begun")
    while not first.count():  # it is made meanwhile; whoever reads the page comes again
        expect(section.locator(".said")).not_to_have_class(re.compile("wrong"))
        page.wait_for_timeout(200)
        page.reload()
    told = {"en": "Constant values · gas.flow", "zh": "数值长时间不变 · gas.flow"}
    expect(first.get_by_role("heading")).to_have_text(f"1. {told[language]}")
    expect(first).to_contain_text(question_text("constant-values", "causes", language))
    plot = first.get_by_role("img")
    plot.scroll_into_view_if_needed()
    expect(plot).to_have_js_property("naturalWidth", 960)
    visit.look("2-month")
    page.goto(f"{base}/reviews/across")
    row = page.locator("#screening tbody tr").first
    expect(row).to_contain_text(told[language])
    visit.look("3-across")
    row.get_by_role("link").click()
    expect(section).to_be_in_viewport()
