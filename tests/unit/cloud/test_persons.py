"""Lists that vouch for persons at a collector: exported, brought in, shown beside documents.

What a list is worth is the verifier's matter; here: who may bring one, what is refused, that it
lasts, and what the pages say.
"""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from evidence.documents.certified import Certified, PersonsList, Withdrawn, encode_list
from evidence.keys import FileSigner
from tests.unit.cloud.review.review_examples import MONTH, Bureau
from tests.unit.cloud.test_papers import DOCUMENTS, PERSONS, paper
from tests.unit.cloud.test_record_pages import PLANT, Works
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp

CERTIFIED = f"{PERSONS}/certified"
DAY = 86_400 * 10**9
#: 2026-09-10T00:00:00Z
SEPTEMBER = 1_788_998_400 * 10**9
NOT_YET = "not certified by the root"


@pytest.fixture
async def works(tmp_path: Path) -> AsyncIterator[Works]:
    made = Works(tmp_path)
    await made.persons()
    yield made
    await made.running.stop()


def rows(works: Works, told: list[dict[str, Any]]) -> tuple[Certified, ...]:
    """What the keeper of the root makes of the exported list."""
    names = ("person", "name", "organisation", "role", "region")
    return tuple(
        Certified(*(row[name] for name in names), bytes.fromhex(row["key"])) for row in told
    )


async def exported(works: Works) -> list[dict[str, Any]]:
    answer = await works.ask("GET", PERSONS)
    assert answer.headers["content-disposition"].endswith('"mini-persons.json"')
    told = answer.json()
    assert told["plant"] == "mini"
    return list(told["persons"])


async def bring(works: Works, said: PersonsList, signer: FileSigner, **more: str) -> Any:
    signed = base64.b64encode(encode_list(said, signer)).decode()
    return await works.ask("POST", CERTIFIED, {"signed": signed, **more})


def root(works: Works) -> FileSigner:
    return FileSigner(works.plant.root_key)


async def test_the_list_goes_out_and_comes_back_and_documents_are_certified(works: Works) -> None:
    sha256 = await works.add(paper("li", "invoice", "coal", pp.INVOICE))
    assert NOT_YET in await works.page("zhao", "/records")
    assert NOT_YET in await works.page("zhao", f"/records/{sha256}")
    assert (await works.page("wang", "/persons")).count(NOT_YET) == len(pp.WHO)
    told = await exported(works)
    assert [row["certified"] for row in told] == [False] * len(pp.WHO)
    answer = await bring(works, PersonsList("mini", rows(works, told)), root(works))
    assert (answer.status_code, answer.json()) == (
        200,
        {"certified": sorted(pp.WHO), "unknown": [], "withdrawn": [], "waiting": []},
    )
    assert NOT_YET not in await works.page("zhao", "/records")
    assert NOT_YET not in await works.page("zhao", f"/records/{sha256}")
    assert NOT_YET not in await works.page("wang", "/persons")
    (row,) = (await works.ask("GET", DOCUMENTS, kind="invoice")).json()
    assert row["certified"] is True


async def test_a_list_is_logged_once_and_counts_after_a_start(works: Works) -> None:
    said = PersonsList("mini", rows(works, await exported(works)))
    for _ in range(2):
        assert (await bring(works, said, root(works))).status_code == 200
    (row,) = (await works.ask("GET", DOCUMENTS, kind="persons-certified")).json()
    assert (row["person"], row["about"], row["certified"]) == ("collector", "persons", None)
    assert len(row["body"]["list"]) == 64  # its hash: a list may be long
    page = await works.page("zhao", f"/records/{row['sha256']}")
    assert "Certified keys of persons" in page
    await works.running.stop()
    works.start()
    assert [row["certified"] for row in await exported(works)] == [True] * len(pp.WHO)


async def test_who_is_not_in_the_list_still_waits_and_is_named(works: Works) -> None:
    made = rows(works, await exported(works))
    stranger = Certified("eve", "Eve", "Mini", "accountant", "", bytes(32))
    answer = await bring(works, PersonsList("mini", (*made[:2], stranger)), root(works))
    assert answer.json() == {
        "certified": ["li", "wang"], "unknown": ["eve"], "withdrawn": [],
        "waiting": ["chen", "lab", "zhao"],
    }  # fmt: skip


async def test_a_withdrawn_key_waits_again(works: Works) -> None:
    made = rows(works, await exported(works))
    await bring(works, PersonsList("mini", made), root(works))
    end = Withdrawn(made[0].key, None, "lost")
    answer = await bring(works, PersonsList("mini", (), (end,)), root(works))
    assert answer.json()["withdrawn"] == [made[0].key.hex()]
    assert answer.json()["waiting"] == ["wang"]


async def test_ended_keys_are_exported_too_since_what_they_signed_stands(works: Works) -> None:
    persons = (await works.ask("GET", DOCUMENTS, kind="person")).json()
    head = bytes.fromhex(persons[-1]["sha256"])
    key = pp.key_sha256(pp.key_of("li").public_key)
    await works.add(paper("wang", "person-end", "li", {"key": key, "reason": "left"}, head))
    assert {row["person"]: row["is_ended"] for row in await exported(works)}["li"] is True
    assert ">Li<" not in await works.page("wang", "/persons")


@pytest.mark.parametrize(
    ("plant", "of_root", "by", "words"),
    [
        ("other", True, "", "plant other"),
        ("mini", False, "", "not"),  # the collector signs in the root's name
        ("mini", True, pp.spki(pp.ORGANISATION).hex(), "not"),
        ("mini", True, "00", "key"),
    ],
)
async def test_what_is_no_list_of_this_plants_root_is_refused(
    works: Works, plant: str, of_root: bool, by: str, words: str
) -> None:
    said = PersonsList(plant, rows(works, await exported(works)))
    signer = root(works) if of_root else works.plant.collector
    answer = await bring(works, said, signer, **({"by": by} if by else {}))
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert (await works.ask("GET", DOCUMENTS, kind="persons-certified")).json() == []


async def test_an_organisation_vouches_for_reviewers_and_for_nobody_of_the_works(
    works: Works,
) -> None:
    persons = (await works.ask("GET", DOCUMENTS, kind="person")).json()
    body = {"name": "qin", "organisation": "Bureau", "role": "reviewer", "region": "37",
            "key": pp.spki(pp.key_of("qin"))}  # fmt: skip
    head = bytes.fromhex(persons[-1]["sha256"])
    await works.add(paper("wang", "person", "qin", body, head))
    assert "by no organisation yet" in await works.page("wang", "/persons")
    said = PersonsList("mini", rows(works, await exported(works)))
    answer = await bring(works, said, pp.ORGANISATION, by=pp.spki(pp.ORGANISATION).hex())
    assert answer.json()["waiting"] == sorted(pp.WHO)
    told = {row["person"]: row for row in await exported(works)}
    assert (told["qin"]["certified"], told["li"]["certified"]) == (None, False)
    own = pp.key_sha256(pp.ORGANISATION.public_key).hex()
    assert told["qin"]["certified_by"] == [own]
    assert "by the reviewers&#39; organisation" in await works.page("wang", "/persons")


@pytest.mark.parametrize("person", ["li", "zhao", "chen", "lab", "wang"])
async def test_persons_bring_no_list_and_administrators_alone_export_it(
    works: Works, person: str
) -> None:
    posted = await works.by(person, "POST", CERTIFIED, json={"signed": ""})
    assert posted.status_code == 403
    status = (await works.by(person, "GET", PERSONS)).status_code
    assert status == (200 if person == "wang" else 403)
    if person == "wang":
        assert f'href="/api/v1{PLANT[3:]}/persons"' in await works.page("wang", "/persons")


@pytest.fixture
async def bureau(tmp_path: Path) -> AsyncIterator[Bureau]:
    made = Bureau(tmp_path)
    await made.persons()
    yield made
    await made.running.stop()


async def test_a_month_and_its_review_name_who_is_not_certified(bureau: Bureau) -> None:
    span = {"from_ns": SEPTEMBER, "to_ns": SEPTEMBER + DAY}
    invoice = paper("li", "invoice", "coal", pp.INVOICE | span)
    await bureau.add(invoice)
    wrong = paper("chen", "count", "clinker", {"value": "1", "unit": "t", **span})
    await bureau.add(wrong)
    gone = paper("chen", "withdraw", "clinker", {"reason": "typed twice"}, sm.sha256(wrong))
    await bureau.add(gone)
    # a withdrawal takes an amount away: it counts, too
    sentence = "Not certified by the plant&#39;s root: chen, li."
    assert sentence in await bureau.page("qin", f"/months/{MONTH}")
    assert NOT_YET in await bureau.page("qin", f"/months/{MONTH}/review")
    said = PersonsList("mini", rows(bureau, await exported(bureau)))
    assert (await bring(bureau, said, root(bureau))).status_code == 200
    assert "Not certified by" not in await bureau.page("qin", f"/months/{MONTH}")
    assert NOT_YET not in await bureau.page("qin", f"/months/{MONTH}/review")
