"""A month's review over a running collector: question, answer, return, decision; who sees what."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cloud.accounts.roles import ROLES, Principal
from cloud.front.shapes import Reviews
from evidence.documents.plainly import body_of
from tests.unit.cloud.review.review_examples import (
    MONTH,
    SECOND,
    STATEMENTS,
    Bureau,
    archive,
)
from tests.unit.cloud.test_papers import paper
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp

ARCHIVE = sm.sha256(archive(STATEMENTS[0])).hex()
PLANT = "/api/v1/plants/mini"
LINE = "line/fuel/anthracite"
ASKED = {"item": LINE, "question": "Why less than in August?", "answer_by": "2026-01-10"}
SECOND_NS = 10**9
SEPTEMBER = {"from_ns": 1_788_192_000 * 10**9, "to_ns": 1_790_784_000 * 10**9}


@pytest.fixture
async def bureau(tmp_path: Path) -> AsyncIterator[Bureau]:
    made = Bureau(tmp_path)
    await made.persons()
    yield made
    await made.running.stop()


def decision(draft: Any, person: str, **more: Any) -> bytes:
    body = body_of("review-decision", {**draft, "decision": "approve", "reason": "fine", **more})
    return paper(person, "review-decision", MONTH, body)


async def test_a_month_from_question_to_decision_and_on_to_the_next_level(bureau: Bureau) -> None:
    scan = pp.file_of(pp.SCAN)
    invoice = await bureau.add(
        paper("li", "invoice", "coal", pp.INVOICE | SEPTEMBER, files=[scan]), pp.SCAN
    )
    items = [f"document/{invoice}", f"file/{scan.sha256.hex()}"]
    told = await bureau.review("qin")
    assert (told["archive"]["sha256"], told["levels"]["province"]) == (ARCHIVE, "")
    assert "archive" not in told["archive"]  # where the collector has it is not a reviewer's matter
    assert told["items"][:2] == [f"archive/{ARCHIVE}", LINE]
    assert told["items"][-2:] == items
    assert told["draft"]["not_opened"] == [{"item": one} for one in told["items"]]
    assert (await bureau.review("li"))["draft"] is None

    # asked and answered, in that order; the plant cannot answer what was not asked
    asked = paper("qin", "review-question", MONTH, ASKED)
    answer = paper("li", "review-answer", MONTH, {"answer": "Stock."}, sm.sha256(asked))
    assert "no document" in (await bureau.brought("li", answer)).text
    assert (await bureau.brought("qin", asked)).status_code == 200
    assert (await bureau.review("guo"))["overdue"] == 1
    assert (await bureau.brought("li", answer)).status_code == 200
    assert (await bureau.review("guo"))["answered"] == 1

    # opened: line, document, its file and the archive; the plant's own look is nobody's record
    await bureau.page("qin", f"/months/{MONTH}/review/line?item={LINE}")
    await bureau.page("qin", f"/records/{invoice}")
    await bureau.page("li", f"/records/{invoice}")
    assert (await bureau.by("qin", "GET", f"{PLANT}/files/{scan.sha256.hex()}")).status_code == 200
    got = await bureau.by("qin", "GET", f"{PLANT}/months/{MONTH}/archive.tar")
    assert (got.status_code, got.content) == (200, archive(STATEMENTS[0]))
    assert bureau.openings.of("li", "mini", MONTH) == []
    told = await bureau.review("qin")
    opened = {row["item"] for row in told["draft"]["opened"]}
    assert opened == {f"archive/{ARCHIVE}", LINE, *items}
    left = len(told["items"]) - 4
    assert len(told["draft"]["not_opened"]) == left > 0

    # a claim of more is refused; what is true is taken, and the next level is told in words
    more = {"opened": [*told["draft"]["opened"], told["draft"]["not_opened"][0] | {"first_ns": 1}],
            "not_opened": told["draft"]["not_opened"][1:]}  # fmt: skip
    refused = await bureau.brought("qin", decision(told["draft"], "qin", **more))
    assert (refused.status_code, "no record" in refused.text) == (422, True)
    assert (await bureau.brought("qin", decision(told["draft"], "qin"))).status_code == 200
    html = await bureau.page("guo", f"/months/{MONTH}/review")
    assert f"Approved without opening {left} of the month&#39;s {len(told['items'])} items" in html

    await replaced(bureau, told["draft"], invoice)


async def replaced(bureau: Bureau, draft: Any, invoice: str) -> None:
    """What was decided is of an older archive, and stays to be read; `draft` was decided by qin."""
    bureau.months.amend()
    assert (await bureau.review("guo"))["levels"]["province"] == "older"
    again = (await bureau.review("qin"))["draft"]  # a line of other figures was not opened
    assert LINE in {row["item"] for row in again["not_opened"]}
    assert f"document/{invoice}" in {row["item"] for row in again["opened"]}
    # sent twice, as after a link that broke, it is the same document
    assert (await bureau.brought("qin", decision(draft, "qin"))).status_code == 200
    stale = await bureau.brought("qin", decision(draft, "qin", reason="again"))
    assert "another archive" in stale.text
    offline = decision(draft, "qin", openings="told", reason="read elsewhere")
    assert (await bureau.brought("qin", offline)).status_code == 200  # by the signer's own word
    held = (await bureau.review("guo"))["decisions"]
    assert [one["of_archive"] for one in held] == ["older", "older"]
    fresh = (await bureau.review("guo"))["draft"]
    assert (fresh["level"], fresh["statement_sha256"]) == ("nation", SECOND)
    back = decision(fresh, "guo", decision="return")
    assert (await bureau.brought("guo", back)).status_code == 200
    assert (await bureau.review("qin"))["levels"] == {
        "city": "", "province": "older", "nation": "return",
    }  # fmt: skip


async def test_what_is_not_of_its_kind_is_refused_before_anything_is_looked_up(
    bureau: Bureau,
) -> None:
    monthless = decision({"archive_sha256": ARCHIVE}, "qin")
    for data in (monthless, paper("qin", "log-cosigned", "log", {"note": "none"})):
        assert (await bureau.brought("qin", data)).status_code == 422


async def test_a_visit_is_of_the_month_that_it_is_about(bureau: Bureau) -> None:
    visit = paper("qin", "site-visit", MONTH, {
        "from_ns": 1_791_000_000 * SECOND_NS, "to_ns": 1_791_000_060 * SECOND_NS,  # October
        "meters": [{"point": "a", "at_ns": 0, "face": "1", "unit": "t"}],
    })  # fmt: skip
    of = await bureau.add(visit)
    assert f"document/{of}" in (await bureau.review("guo"))["items"]


async def test_what_is_no_months_and_whose_region_it_is_not(bureau: Bureau) -> None:
    of = paper("qin", "review-decision", "2026-08", pp.DECISION)
    assert "mini has no month 2026-08" in (await bureau.brought("qin", of)).text
    regions = bureau.client.app.state.services.accounts.regions  # type: ignore[attr-defined]  # of FastAPI
    regions["mini"] = "130000"  # carried there by the program that may bring in anybody's
    elsewhere = await bureau.post(paper("qin", "review-question", MONTH, ASKED))
    assert "plant mini does not lie in region 37 of qin" in elsewhere.text
    other = await bureau.brought("li", paper("qin", "review-question", MONTH, ASKED))
    assert other.status_code == 403  # brought in by another account
    who = Principal("far", ROLES["reviewer"], region="13")
    bureau.who = lambda name: who  # type: ignore[method-assign]  # a reviewer of elsewhere
    bureau.theirs.app.state.services.accounts.sign_in.by_token = bureau.who  # type: ignore[attr-defined]  # of FastAPI
    for path in (f"{PLANT}/months/{MONTH}/review", f"{PLANT}/months/{MONTH}/archive.tar",
                 f"/en/plants/mini/months/{MONTH}/review/decide"):  # fmt: skip
        assert (await bureau.by("far", "GET", path)).status_code == 404
    assert (await bureau.by("far", "GET", "/api/v1/reviews")).json()["reviews"] == []
    assert (await bureau.by("far", "GET", "/api/v1/draw?seed=x")).json() == []
    assert "mini" not in (await bureau.by("far", "GET", "/en/reviews/across")).text


async def test_what_waits_for_ones_level_stands_in_the_list(bureau: Bureau) -> None:
    answer = (await bureau.by("qin", "GET", "/api/v1/reviews")).json()
    (row,) = answer["reviews"]
    assert (row["plant"], row["month"], row["levels"]["province"]) == ("mini", MONTH, "")
    assert Reviews.model_validate(answer).reviews[0].month == MONTH  # as a front reads it
    for language, word in (("en", "Plants side by side"), ("zh", "各厂区对比")):
        html = (await bureau.by("qin", "GET", f"/{language}/reviews/across?seed=s&count=3")).text
        assert word in html
        assert "2.0395" in html  # the published intensity, beside no peers
        assert (await bureau.by("qin", "GET", f"/{language}/reviews")).status_code == 200
    ((drawn),) = (await bureau.by("guo", "GET", "/api/v1/draw?seed=s&count=3")).json()
    assert (drawn["plant"], drawn["month"]) == ("mini", MONTH)
    assert (await bureau.by("guo", "GET", "/api/v1/draw?seed=")).status_code == 422
