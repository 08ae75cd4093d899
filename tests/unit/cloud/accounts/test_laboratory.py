"""A laboratory sees and brings in what is of its own samples: the desk's answers over the API."""

import base64
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from cloud.accounts.roles import Profile
from cloud.records.desk import RecordDesk
from cloud.records.laboratory import Laboratory, laboratory_of
from cloud.records.papers import Papers
from evidence.documents.document import Document, encode_document
from evidence.documents.standing import Logged, Standing
from tests.fraud.works import LAB, Works, at, honest
from tests.unit.cloud.accounts.people_examples import Town
from tests.unit.cloud.live_examples import PLANT
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.small_plant import keys, signer

DAY = at(2026, 7, 3)
JULY = {"from_ns": at(2026, 7, 1, 0), "to_ns": at(2026, 8, 1, 0)}
RESULT = {"report": "X-1", "report_day": "2026-07-04", "laboratory": "Other Testing",
          "values": [{"name": "ash", "value": "1", "unit": "%"}]}  # fmt: skip
COMPOSED = {"source": "coke", "composed_ns": DAY, **JULY,
            "parts": [{"sample": "C-202606", "weight": "1"}]}  # fmt: skip
#: what the laboratory of June's composite has nothing to do with
FILE = b"%PDF-1.7 of another laboratory"


class Shelf:
    """A plant's store: documents and files by their hashes."""

    def __init__(self, works: Works) -> None:
        self.all = {sm.sha256(data): data for _, _, data, _ in works.events} | works.pdfs()

    def document(self, sha256: bytes) -> bytes:
        return self.all[sha256]

    def attached(self, _: bytes, sha256: bytes) -> list[bytes]:
        return [self.all[sha256]]


@pytest.fixture
def works() -> Works:
    """June's composite went to `lab`; another sample, with its result, to `lab2`."""
    works = Works(PLANT)
    works.month(honest(2026, 6))
    taken = {"place": "belt", "source": "coke", "mass_kg": "2", "seal": "K-1", "taken_ns": DAY}
    works.sign("chen", "sample-taken", "K-1", taken | JULY, DAY)
    sent = {"sent_ns": DAY, "laboratory": "OTHER  testing", "carrier": "SF"}
    works.sign("chen", "sample-sent", "K-1", sent, DAY + 1)
    works.sign("lab2", "sample-result", "K-1", RESULT, DAY + 2, files={"x.pdf": FILE})
    works.sign("li", "count", "clinker", {"value": "7", "unit": "t", **JULY}, DAY + 3)
    return works


def desk_of(*of: Works) -> RecordDesk:
    """Of plants' documents; files are the first's."""
    enrolled = SimpleNamespace(received_ns=lambda: 0)
    shelf, plants = Shelf(of[0]), SimpleNamespace(require=lambda _: enrolled)
    intake: Any = SimpleNamespace(plants=plants, plant=lambda _: SimpleNamespace(reader=shelf))
    collector: Any = None
    desk = RecordDesk(collector, intake, keys().collector)
    desk._known |= {works.plant: works.papers() for works in of}
    return desk


@pytest.fixture
def client(works: Works, cheap_hashes: None) -> tuple[TestClient, Papers]:
    """Signed in as the account `lab`."""
    desk, town = desk_of(works), Town()
    papers = desk.papers(PLANT)
    done = town.join("lab", Profile("laboratory", plants=(PLANT,)))
    client = town.client(done, records=desk)
    client.headers["X-CSRF-Token"] = done.principal.csrf
    return client, papers


def test_a_laboratory_sees_what_is_of_its_samples(
    client: tuple[TestClient, Papers], works: Works
) -> None:
    browser, papers = client
    base = f"/api/v1/plants/{PLANT}"
    rows = browser.get(f"{base}/documents").json()
    assert {row["about"] for row in rows} == {"C-202606"}
    kinds = ["composed", "received", "result", "retained", "sent", "tested"]
    assert sorted(row["kind"] for row in rows) == [f"sample-{kind}" for kind in kinds]
    seen = {row["sha256"] for row in rows}
    for one in papers.all():
        answer = browser.get(f"{base}/documents/{one.sha256.hex()}")
        assert (answer.status_code == 200) is (one.sha256.hex() in seen)
    files = {sha256: browser.get(f"{base}/files/{sha256.hex()}") for sha256 in works.pdfs()}
    assert [sha256 for sha256, one in files.items() if one.status_code != 200] == [sm.sha256(FILE)]
    assert browser.get(f"{base}/records/findings").status_code == 403
    other = laboratory_of(papers, "lab2")
    assert other is not None
    assert other.samples == {"K-1"}
    assert laboratory_of(papers, "chen") is None


@pytest.mark.parametrize(
    ("profile", "names"),
    [
        (Profile("operator", plants=(PLANT,)), False),
        (Profile("operator", plants=(PLANT, "maxi")), True),
        (Profile("reviewer", "3707"), False),
        (Profile("reviewer", "37"), True),
        (Profile("audit"), True),
    ],
)
def test_findings_name_no_plant_that_one_is_not_for(
    profile: Profile, names: bool, cheap_hashes: None
) -> None:
    """A report's number, sample and day of another works, by a result of one's own."""
    own, other = Works(PLANT), Works("maxi")
    for number, plant in enumerate((other, own)):
        body = RESULT | {"accreditation": "CMA 1"}
        plant.sign("lab2", "sample-result", f"of-{plant.plant}", body, DAY + number)
    town = Town()
    browser = town.client(town.join("ann", profile), records=desk_of(own, other))
    told = browser.get(f"/api/v1/plants/{PLANT}/records/findings")
    assert told.status_code == 200
    codes = {one["code"] for one in told.json()["findings"]}
    assert "S-RESULT-WITHOUT-SAMPLE" in codes  # of its own documents all is told
    assert ("S-REPORT-SEEN" in codes) is ("of-maxi" in told.text) is names
    page = browser.get(f"/en/plants/{PLANT}/months/2026-07/samples")
    assert "of-mini" in page.text
    assert ("of-maxi" in page.text) is names


@pytest.mark.parametrize(
    ("kind", "about", "body", "may"),
    [
        ("sample-tested", "C-202606", {"tested_ns": DAY, "method": "x"}, True),
        ("sample-tested", "K-1", {"tested_ns": DAY, "method": "x"}, False),
        ("sample-tested", "D-20260601", {"tested_ns": DAY, "method": "x"}, False),
        ("sample-result", "made-up", RESULT, False),
        ("sample-composed", "new", COMPOSED, True),
        ("sample-composed", "new", {"source": "coke", "composed_ns": DAY, **JULY,
                                    "parts": [{"sample": "K-1", "weight": "1"}]}, False),
        ("sample-composed", "K-1", COMPOSED, False),
    ],
)  # fmt: skip
def test_a_laboratory_brings_in_what_is_of_its_samples(
    client: tuple[TestClient, Papers], kind: str, about: str, body: dict[str, Any], may: bool
) -> None:
    """Nothing else: neither signed by itself, nor prepared for its browser's key."""
    browser, papers = client
    data = encode_document(Document(PLANT, "lab", 1, kind, about, body), signer(54))
    sent = {"document": base64.b64encode(data).decode()}
    # the plant's own step of its own sample is not its to take back
    (composed,) = (one for one in papers.all() if one.document.kind == "sample-composed")
    gone = Document(PLANT, "lab", 1, "withdraw", "C-202606", {"reason": "x"}, (composed.sha256,))
    order = {"document": base64.b64encode(encode_document(gone, signer(54))).decode()}
    assert browser.post(f"/api/v1/plants/{PLANT}/documents", json=order).status_code == 403
    person = next(one for one in papers.people.active.values() if one.id == "lab")
    wanted = {"person": "lab", "key": person.key_sha256.hex(), "kind": kind, "about": about,
              "body": body}  # fmt: skip
    prepared = browser.post(f"/api/v1/plants/{PLANT}/documents/prepare", json=wanted)
    assert (prepared.status_code == 200) is may, prepared.text
    if not may:
        taken = browser.post(f"/api/v1/plants/{PLANT}/documents", json=sent)
        assert taken.status_code == prepared.status_code == 403
        assert "was not sent to this laboratory" in taken.text
    assert person.organisation == LAB


@pytest.mark.parametrize("when", [DAY - 1, DAY + 9])
def test_composing_under_the_name_of_a_sample_gets_at_nothing_of_it(
    works: Works, when: int
) -> None:
    """Neither after it was taken, nor with a name that is guessed before."""
    works.sign("lab", "sample-composed", "K-1", COMPOSED, when)
    works.sign("lab", "sample-composed", "own", COMPOSED, when + 1)
    papers = works.papers()
    found = laboratory_of(papers, "lab")
    assert found is not None
    assert found.samples == {"C-202606", "own"}
    of_k1 = [one for one in papers.all() if one.document.about == "K-1"]
    assert not any(found.sees(one, papers) for one in of_k1)


def test_approvals_of_approvals_are_not_walked_through() -> None:
    """Each of a hundred follows a hundred: there are 10^8 ways from the last to the sample."""
    standing, above = Standing(), list[bytes]()
    for depth in range(5):
        level = [bytes([depth, number, 1]) for number in range(100)]
        for sha256 in level:
            kind = "approve" if depth else "sample-taken"
            document = Document(PLANT, f"p{depth}", 0, kind, "K-1", {}, tuple(above))
            standing.take(Logged(len(standing), 0, sha256, document, None))
        above = level
    papers: Any = SimpleNamespace(standing=standing)
    last = standing[above[0]]
    seen = [Laboratory("Other", frozenset({name})).sees(last, papers) for name in ("K-1", "K-2")]
    assert seen == [True, False]
