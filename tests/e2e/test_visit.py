"""The on-site sheet at a phone's width, and the drill at a desk's, as reviewers would use them."""

import base64
import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from cloud.api.rendering import STRINGS
from tests.e2e.conftest import Server, Watched
from tests.e2e.test_accounts import Visit
from tests.e2e.test_records import Clerk, first_person, security
from tests.e2e.test_reviews import decide
from tests.unit.cloud.app_examples import TOKEN
from tests.unit.cloud.drill_examples import BEGIN_NS, DEVICE, LOST, MONTH, VOLUME
from tests.unit.cloud.evidence_examples import SECOND_NS
from tests.unit.cloud.test_papers import paper
from tests.unit.evidence.documents import papers as pp

pytestmark = pytest.mark.browser

Open = Callable[..., Watched]
Start = Callable[..., Server]


def reviewer(
    chief: Clerk, opened: Open, server: Server, folder: Path, region: str, **of: Any
) -> Clerk:
    """A reviewer of a region, with an account and an enrolled key."""
    ident = f"sun-{region or 'nation'}-{of['language']}"
    one = Clerk(opened, server, chief.invite(ident, "reviewer", region=region or "*"), ident, **of)
    chief.enrol(one.make_key(folder))
    return one


def logged(server: Server, sha256: str) -> Any:
    """The visit as the log has it."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    url = f"{server.url}/api/v1/plants/mini/documents?kind=site-visit&about={MONTH}"
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        (row,) = (row for row in json.load(answer) if row["sha256"] == sha256)
    return row


def keep_a_sample(server: Server, folder: Path) -> None:
    """A works' operator signs, by program, where a sample is kept."""
    request = folder / "chen.json"
    request.write_text(json.dumps(pp.person_body("chen") | {
        "person": "chen", "key": pp.spki(pp.key_of("chen")).hex(),
    }))  # fmt: skip
    first_person(server, request)
    kept = {"place": "store 2", "seal": "R-7", "until": "2999-12-31", "retained_ns": pp.MAY}
    data = paper("chen", "sample-retained", "S-1", kept)
    order = {"document": base64.b64encode(data).decode(), "files": []}
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    url = f"{server.url}/api/v1/plants/mini/documents"
    asked = urllib.request.Request(url, json.dumps(order).encode(), headers)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert answer.status == 200


def fail_and_send(page: Page, visit: Visit, card: Locator) -> None:
    """The link fails while the phone sends; what was signed is discarded, and signed anew."""
    page.route("**/documents", lambda route: route.abort())
    page.locator("#sign").click()
    expect(page.locator("#outbox li")).to_have_count(1)
    visit.watched.complaints.clear()  # the browser tells the failed request
    visit.look("4-kept")
    page.unroute("**/documents")
    page.reload()
    expect(page.locator("#form")).to_be_hidden()  # what was signed is not written twice
    page.locator("#outbox button").last.click()  # discarded: a draft again, and signed anew
    expect(card.locator("[data-field=face]")).to_have_value("100061")
    page.locator("#look").click()
    page.locator("#sign").click()
    expect(page.locator("#done")).to_contain_text("SHA-256")
    expect(page.locator("#outbox")).to_be_hidden()
    visit.look("5-sent")


def correct(sun: Clerk, server: Server, visit: Visit, row: Any) -> None:
    """Its signer corrects a visit from its record: face, minute and photo are as they were."""
    page, (meter,) = sun.page, row["body"]["meters"]
    card = page.locator(f".meter[data-device='{DEVICE}']")
    page.locator(".actions a").click()
    expect(card.locator("[data-field=face]")).to_have_value("100061")
    expect(card.locator(".photographed")).not_to_be_empty()
    expect(card.locator("[data-field=is_seal_whole]")).to_have_value("true")
    card.locator("[data-field=face]").fill("100060")
    visit.look("7-correct")
    corrected = logged(server, sun.sign("8-corrected"))
    assert corrected["follows"] == [row["sha256"]]
    assert corrected["body"]["meters"][0] == meter | {"face": "100060"}
    assert corrected["files"][0]["sha256"] == meter["photo"]
    assert logged(server, row["sha256"])["ended_by"] == corrected["sha256"]


def read_above(
    chief: Clerk, opened: Open, server: Server, folder: Path, language: str
) -> None:  # fmt: skip
    """What province and nation read of the city's word; the province returns the month."""
    for region in ("37", ""):
        above = reviewer(chief, opened, server, folder, region, language=language, width=1440)
        above.go(f"months/{MONTH}/review")
        expect(above.page.locator("main")).to_contain_text("Seen on site. 已现场核查。")
        if region:
            decide(above, "return", "A question is open. 尚有疑问。", "1-return")
        else:
            above.page.goto(f"{above.base}/reviews/across?seed=7-12-31&count=1")
            expect(above.page.locator("#alike")).to_contain_text(STRINGS[language]["review.alike"])
            above.visit.look("1-across")
        assert above.watched.complaints == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_visit_is_compared_signed_kept_and_sent_again(
    open_page: Open, start_server: Start, tmp_path: Path, language: str
) -> None:
    server = start_server("--accounts", "--records", "--reviews", f"--apart=visit-{language}")
    chief = security(open_page, server, tmp_path, language, 1440, f"chief-{language}")
    sun = reviewer(chief, open_page, server, tmp_path, "3707", language=language, width=390)
    keep_a_sample(server, tmp_path)
    base, watched, page = f"{server.url}/{language}/plants/mini", sun.watched, sun.page
    visit = Visit(watched, f"visit-{language}", 390)
    # from what waits for the city to its sheet
    page.goto(f"{sun.base}/reviews")
    page.get_by_role("link", name=f"mini {MONTH}").click()
    page.locator(f"a[href$='/months/{MONTH}/visit']").first.click()
    card = page.locator(f".meter[data-device='{DEVICE}']")
    expect(card).to_be_visible()
    visit.look("1-sheet")
    card.locator("summary").first.click()
    # second 60..119 of the register, 100030.0 to 100059.5 Nm3, and 100029.5 and 100060.0 beside
    card.locator("[data-field=face]").fill("100071")
    card.locator("[data-field=at_ns]").fill("2026-09-21 16:01")
    card.locator("[data-field=note]").click()
    expect(card.locator(".result.differs")).to_contain_text("100,045.0 Nm³")
    card.locator("[data-field=face]").fill("100061")
    card.locator("[data-field=note]").click()
    expect(card.locator(".result:not(.differs)")).to_contain_text("edge-1/10")
    card.locator(".photo").set_input_files(
        {"name": "face.png", "mimeType": "image/png", "buffer": page.screenshot()}
    )
    expect(card.locator(".photographed")).not_to_be_empty()
    card.locator("[data-field=seal]").fill("A 17")
    card.locator("[data-field=is_seal_whole]").select_option("true")
    sample = page.locator(".sample[data-sample='S-1']")
    expect(sample).to_contain_text("R-7")
    sample.locator("[data-field=is_present]").select_option("true")
    sample.locator("[data-field=is_seal_whole]").select_option("false")
    visit.look("2-filled")
    # the page is closed and opened: the draft is there, photo and all
    page.reload()
    expect(card.locator("[data-field=face]")).to_have_value("100061")
    expect(card.locator(".photographed")).not_to_be_empty()
    page.locator("#look").click()
    expect(page.locator("#review")).to_be_visible()
    expect(page.locator("#paper")).to_contain_text("100061")
    visit.look("3-review")
    fail_and_send(page, visit, card)
    sha256 = (page.locator("#done a").get_attribute("href") or "")[-64:]
    row = logged(server, sha256)
    (meter,) = row["body"]["meters"]
    assert (meter["face"], meter["result"], meter["reading"]) == ("100061", "agrees", "100045.0")
    assert (meter["allowed"], meter["quality"], meter["frame"]) == ("16.1", "0", "edge-1/10")
    assert meter["photo"] == row["files"][0]["sha256"]
    (seen,) = row["body"]["samples"]
    assert (seen["sample"], seen["is_present"], seen["is_seal_whole"]) == ("S-1", True, False)
    page.goto(f"{base}/records/{sha256}")
    expect(page.locator("main")).to_contain_text(STRINGS[language]["record.choice.agrees"])
    visit.look("6-record")
    correct(sun, server, visit, row)
    decide(sun, "approve", "Seen on site. 已现场核查。", "9-decision")
    if language == "zh":  # tests/e2e/test_reviews.py has the province in both
        read_above(chief, open_page, server, tmp_path, language)


@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("zh", 390)])
def test_a_month_is_drilled_down_to_a_reading(
    open_page: Open, start_server: Start, language: str, width: int
) -> None:
    server = start_server("--records", "--reviewer")
    base = f"{server.url}/{language}/plants/mini/months/{MONTH}/drill"
    watched = open_page(base, width=width)
    page, visit = watched.page, Visit(watched, f"drill-{language}", width)
    visit.look("1-lines")
    page.locator("tbody a").first.click()
    visit.look("2-line")
    page.get_by_role("link", name=VOLUME).click()
    visit.look("3-days")
    page.get_by_role("link", name="2026-09-21").click()
    visit.look("4-hours")
    page.get_by_role("link", name="16:00 – 17:00").click()
    expect(page.locator("tbody tr")).to_have_count(3)
    # minute 2: seconds 120..179; the register from 100060.0 to 100089.5, one second lost
    row = page.locator("tbody tr").nth(2)
    expect(row).to_contain_text("100,060.0")
    expect(row).to_contain_text("100,089.5")
    visit.look("5-minutes")
    row.get_by_role("link").click()
    expect(page.locator("tbody tr")).to_have_count(60)
    visit.look("6-readings")
    page.locator("tbody tr").nth(LOST - 120 + 1).get_by_role("link").click()
    expect(page.locator(".value")).to_have_text("100,063.0 Nm³")
    tick_ns = BEGIN_NS + (LOST + 1) * SECOND_NS
    assert page.url.endswith(f"/drill/edge-1/{VOLUME}/13?tick={tick_ns}")
    expect(page.locator(".no")).to_have_count(0)
    visit.look("7-reading")
    with page.expect_download() as begun:
        page.locator(".actions .button").first.click()
    assert begun.value.suggested_filename == "edge-1-13.cose"
