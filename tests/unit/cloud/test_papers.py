"""Documents of persons at a collector: what is taken, refused and why, and there after a start.

Whether the signatures and rules are right is the verifier's tests' matter; here: what comes with a
document, twice the same, full disks, and the list of kept papers over HTTP.
"""

import asyncio
import base64
import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, delete, func, select

from cloud.accounts.roles import Principal, Right
from cloud.api import documents as routes
from cloud.database.schema import document, file_chunk
from cloud.errors import StoreError
from cloud.records import desk as desk_module
from cloud.records import papers as papers_module
from cloud.records.desk import RecordDesk
from cloud.records.media import CSV, JPEG, PDF, PNG, XLSX, is_of_type, type_of
from cloud.records.papers import Papers, offer
from evidence.documents.document import COLLECTOR, AttachedFile, Document, encode_document
from evidence.errors import EvidenceError
from evidence.keys import FileSigner, generate
from evidence.log import Kind, decode_entry
from tests.unit.cloud.app_examples import TOKEN, make_accounts, make_app, make_client
from tests.unit.cloud.collector.running import Running
from tests.unit.cloud.evidence_examples import T0_NS, make_plant
from tests.unit.cloud.kept import full, kept_in
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp

BEARER = {"Authorization": f"Bearer {TOKEN}"}
PERSONS, DOCUMENTS = "/api/v1/plants/mini/persons", "/api/v1/plants/mini/documents"
WANG = {"person": "wang", "name": "Wang", "organisation": "Mini", "role": "security"}


def paper(person: str, kind: str, about: str, body: Any, *follows: bytes, **more: Any) -> bytes:
    return pp.paper(person, kind, about, body, *follows, plant="mini", **more)


class Site:
    """A running collector with its documents' API, over a folder that lasts."""

    def __init__(self, folder: Path) -> None:
        self.plant, self.root = make_plant(folder), folder / "00"
        self.start()

    def start(self) -> None:
        self.running = Running(self.plant, self.root)
        self.desk = RecordDesk(self.running.collector, self.running.intake, self.plant.collector)
        self.notes = [note for _, note in self.desk.load()]
        self.client = make_client(make_app(records=self.desk))

    async def ask(self, method: str, url: str, body: Any = None, **query: Any) -> Any:
        return await asyncio.to_thread(
            self.client.request, method, url, json=body, params=query, headers=BEARER
        )

    def rows(self, table: Table) -> int:
        with self.running.store.database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(table)) or 0

    async def post(self, data: bytes, *files: bytes) -> Any:
        body = {"document": text(data), "files": list(map(text, files))}
        return await self.ask("POST", DOCUMENTS, body)

    async def persons(self) -> None:
        """Wang by the collector; Li, Zhao and the others by Wang."""
        first = await self.ask("POST", PERSONS, WANG | {"key": pp.spki(pp.key_of("wang")).hex()})
        assert first.status_code == 200, first.text
        head = bytes.fromhex(first.json()["sha256"])
        for person in list(pp.WHO)[1:]:
            data = paper("wang", "person", person, pp.person_body(person), head)
            assert (await self.post(data)).status_code == 200
            head = sm.sha256(data)


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site(tmp_path)
    await made.persons()
    yield made
    await made.running.stop()


async def test_a_document_whose_signature_is_written_anew_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a browser's key, P-256: anybody could have an invoice logged again in another's name."""
    key = FileSigner(generate("p256"))
    monkeypatch.setattr(pp, "key_of", lambda who, of=pp.key_of: key if who == "li" else of(who))
    site = Site(tmp_path)
    await site.persons()
    invoice = paper("li", "invoice", "coal", pp.INVOICE)
    row = (await site.post(invoice)).json()
    size = site.running.intake.plant("mini").reader.size
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # SEC 2, 2.4.2
    s = order - int.from_bytes(invoice[-32:], "big")
    again = await site.post(invoice[:-32] + s.to_bytes(32, "big"))
    assert (again.status_code, again.json()) == (200, row)
    assert site.running.intake.plant("mini").reader.size == size
    await site.running.stop()


async def test_a_document_is_on_disk_in_the_log_and_there_after_a_start(site: Site) -> None:
    invoice = paper("li", "invoice", "coal", pp.INVOICE, files=[pp.file_of(pp.SCAN)])
    answer = await site.post(invoice, pp.SCAN)
    row = answer.json()
    assert (answer.status_code, row["person"], row["role"]) == (200, "li", "accountant")
    assert row["body"]["from_ns"] == "2026-05-01T04:59:40Z"  # START_NS - 45 days, by hand
    reader = site.running.intake.plant("mini").reader
    ((_, data),) = reader.entries(row["index"], row["index"] + 1)
    entry = decode_entry(data)
    assert (entry.kind, entry.sha256) == (Kind.RECORD, sm.sha256(invoice))
    assert entry.certificate == pp.key_sha256(pp.key_of("li").public_key)
    approve = paper("zhao", "approve", "coal", {}, sm.sha256(invoice))
    assert (await site.post(approve)).status_code == 200
    await site.running.stop()

    site.start()
    assert site.notes == []
    size = site.running.intake.plant("mini").reader.size
    again = (await site.post(invoice, pp.SCAN)).json()
    assert again == row | {"approved_by": ["zhao"], "state": "approved"}
    assert (await site.post(invoice)).status_code == 422  # without its file it is another request
    assert site.running.intake.plant("mini").reader.size == size
    rows = (await site.ask("GET", DOCUMENTS, kind="invoice", about="coal")).json()
    assert rows == [again]
    assert (await site.ask("GET", DOCUMENTS, about="coke")).json() == []
    assert len((await site.ask("GET", DOCUMENTS, count=2, **{"from": 5})).json()) == 2
    held = await site.ask("GET", f"{DOCUMENTS}/{row['sha256']}")
    assert held.content == invoice
    scan = await site.ask("GET", f"/api/v1/plants/mini/files/{sm.sha256(pp.SCAN).hex()}")
    assert (scan.content, scan.headers["content-type"]) == (pp.SCAN, "application/pdf")
    assert scan.headers["content-disposition"].startswith("attachment; filename=")
    for path in ("documents", "files"):
        missing = await site.ask("GET", f"/api/v1/plants/mini/{path}/{'0' * 64}")
        assert missing.status_code == 404


async def test_files_of_a_document_that_comes_while_the_collector_stops_are_not_left(
    site: Site,
) -> None:
    invoice = paper("li", "invoice", "coal", pp.INVOICE, files=[pp.file_of(pp.SCAN)])
    site.running.inbox.close()
    with pytest.raises(StoreError, match="stopping"):
        await site.desk.take("mini", invoice, [pp.SCAN])
    assert list(site.root.rglob(f"*{sm.sha256(pp.SCAN).hex()}*")) == []


WRONG_SCAN = b"MZ\x90 a program"
#: what is sent, and words of the sentence; none of it is logged
REFUSED: list[tuple[str, bytes, list[bytes], str]] = [
    ("no document", b"no document", [], "tag 18 missing"),
    ("another plant", pp.paper("li", "invoice", "coal", pp.INVOICE), [], "plant test-smelter"),
    ("a stranger", paper("mallory", "invoice", "coal", pp.INVOICE), [], "no such key"),
    ("a role", paper("chen", "invoice", "coal", pp.INVOICE), [], "not for operator to sign"),
    ("a field", paper("li", "invoice", "coal", {}), [], "number: missing; party: missing"),
    ("newer", paper("li", "hologram", "coal", {}), [], "kind 'hologram' are unknown"),
    ("what is not there", paper("zhao", "approve", "coal", {}, bytes(32)), [], "no document 00"),
    ("the list's head", paper("wang", "person", "eve", pp.person_body("li")), [],
     "newest document"),
    ("a file too few", paper("li", "invoice", "coal", pp.INVOICE, files=[pp.file_of(pp.SCAN)]), [],
     "was not sent with it"),
    ("a file too many", paper("li", "invoice", "coal", pp.INVOICE), [pp.SCAN], "does not name"),
    ("a size", paper("li", "invoice", "coal", pp.INVOICE, files=[
        AttachedFile("a.pdf", PDF, 3, sm.sha256(pp.SCAN))]), [pp.SCAN], "bytes, not 3"),
    ("a program", paper("li", "invoice", "coal", pp.INVOICE, files=[
        pp.file_of(WRONG_SCAN)]), [WRONG_SCAN], "is not of type application/pdf"),
]  # fmt: skip


async def test_what_is_refused_is_said_and_not_logged(site: Site) -> None:
    size = site.running.intake.plant("mini").reader.size
    for name, data, files, words in REFUSED:
        answer = await site.post(data, *files)
        assert (answer.status_code, words in answer.json()["detail"]) == (422, True), (
            name, answer.text,
        )  # fmt: skip
    assert site.running.intake.plant("mini").reader.size == size
    assert site.rows(document) == len(pp.WHO)
    assert site.rows(file_chunk) == 0


async def test_only_with_the_token_and_for_plants_there_are(site: Site) -> None:
    for method, path in (("POST", ""), ("POST", "/prepare"), ("GET", ""), ("GET", f"/{'0' * 64}")):
        answer = await asyncio.to_thread(site.client.request, method, DOCUMENTS + path)
        assert answer.status_code == 401
    other = await site.ask("GET", "/api/v1/plants/maxi/documents")
    assert (other.status_code, "maxi" in other.json()["detail"]) == (404, True)


async def test_bounds(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    count = paper("li", "count", "clinker", {"value": "1", "unit": "t", **pp.PERIOD})
    with monkeypatch.context() as patch:
        patch.setattr(desk_module, "FREE_BYTES_MIN", 2**62)
        full = await site.post(count)
        assert (full.status_code, "kept for readings" in full.json()["detail"]) == (503, True)
    with monkeypatch.context() as patch:
        patch.setattr(papers_module, "DOCUMENTS_MAX", len(pp.WHO))
        many = await site.post(count)
        assert (many.status_code, "at most 5 documents in 92" in many.json()["detail"]) == (
            422,
            True,
        )
    with monkeypatch.context() as patch:
        patch.setattr(routes, "REQUEST_BYTES_MAX", 100)
        assert (await site.post(count)).status_code == 413
    with monkeypatch.context() as patch:
        patch.setattr(papers_module, "FILES_BYTES_MAX", 3)
        large = await site.post(count, b"four")
        assert (large.status_code, "3 bytes together" in large.json()["detail"]) == (422, True)
    assert (await site.ask("POST", DOCUMENTS, {"document": "?"})).status_code == 422
    assert (await site.ask("POST", DOCUMENTS, {"document": "", "x": 1})).status_code == 422
    assert (await site.post(count)).status_code == 200


async def test_a_failed_commit_leaves_nothing_and_the_same_comes_again(site: Site) -> None:
    invoice = paper("li", "invoice", "coal", pp.INVOICE, files=[pp.file_of(pp.SCAN)])
    size = site.running.intake.plant("mini").reader.size
    with full(site.running.store.database, "stackproof/mini"):  # the checkpoint; files are laid
        assert (await site.post(invoice, pp.SCAN)).status_code == 503
    assert (await site.ask("GET", DOCUMENTS, kind="invoice")).json() == []
    assert (site.rows(document), site.rows(file_chunk)) == (len(pp.WHO), 0)
    answer = await site.post(invoice, pp.SCAN)
    assert (answer.status_code, answer.json()["index"]) == (200, size)


async def test_a_document_that_is_gone_stops_documents_and_not_readings(site: Site) -> None:
    await site.running.stop()
    with kept_in(site.root).writing() as connection:
        connection.execute(delete(document))
    site.start()
    (note,) = site.notes
    assert "documents are NOT taken" in note
    answer = await site.ask("GET", DOCUMENTS)
    assert (answer.status_code, "missing, or altered" in answer.json()["detail"]) == (503, True)
    gateway = site.plant.gateways["edge-1"]
    site.running.send(gateway.config(), gateway.frame(T0_NS))
    await site.running.until(lambda: site.running.receipted()[-1:] == [1])


async def test_a_browser_signs_what_was_prepared(site: Site) -> None:
    key = pp.key_of("li")
    wanted = {
        "person": "li", "key": pp.key_sha256(key.public_key).hex(), "kind": "count",
        "about": "clinker", "follows": [], "files": [],
        "body": {"value": "7.50", "unit": "t", "from_ns": "2026-09-01T00:00:00+08:00",
                 "to_ns": "2026-10-01T00:00:00+08:00"},
    }  # fmt: skip
    answer = (await site.ask("POST", f"{DOCUMENTS}/prepare", wanted)).json()
    before, message = (base64.b64decode(answer[name]) for name in ("before", "message"))
    taken = await site.post(before + key.sign(message))
    assert (taken.status_code, taken.json()["body"]["to_ns"]) == (200, "2026-09-30T16:00:00Z")
    for change, words in (
        ({"person": "zhao"}, "no such key"),
        ({"kind": "hologram"}, "are unknown"),
        ({"body": {"value": 7.5}}, "must be a number as text"),
        ({"body": {"from_ns": "yesterday"}}, "must be an instant with its zone"),
    ):
        refused = await site.ask("POST", f"{DOCUMENTS}/prepare", wanted | change)
        assert (refused.status_code, words in refused.json()["detail"]) == (422, True), refused.text


def workbook(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        for name in names:
            package.writestr(name, "x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"%PDF-1.4 x", PDF),
        (b"\xff\xd8\xff\xe0 x", JPEG),
        (b"\x89PNG\r\n\x1a\n x", PNG),
        (workbook("[Content_Types].xml", "xl/workbook.xml"), XLSX),
        (workbook("xl/workbook.xml", "xl/vbaProject.bin"), None),
        (workbook("a.exe"), None),
        (b"PK\x03\x04 no zip", None),
        ("日期,热值\r\n2026-09-01,23.1\r\n".encode(), CSV),
        ("日期,热值\r\n".encode("gb18030"), CSV),
        (b"MZ\x90\x00", None),
        (b"\xff\xff", None),
    ],
)
def test_types_are_told_by_content(data: bytes, media_type: str | None) -> None:
    assert type_of(data) == media_type
    assert [one for one in (PDF, JPEG, PNG, CSV, XLSX) if is_of_type(data, one)] == (
        [] if media_type is None else [media_type]
    )


def test_the_collector_signs_nothing_but_persons() -> None:
    collector: FileSigner = pp.key_of(COLLECTOR)
    papers = Papers("mini", [collector.public_key])
    body = {"value": "1", "unit": "t", **pp.PERIOD}
    data = encode_document(Document("mini", COLLECTOR, 1, "count", "x", body), collector)
    with pytest.raises(EvidenceError, match="not for collector to sign"):
        papers.judge(offer(data, []), 0, T0_NS)


async def test_an_account_brings_in_what_its_own_person_signed(site: Site) -> None:
    """And no signature of somebody else, however good it is."""
    count = paper("li", "count", "clinker", {"value": "1", "unit": "t", **pp.PERIOD})
    accounts = make_accounts()
    site.client = make_client(make_app(records=site.desk, accounts=accounts))
    rights = frozenset({Right.SIGN, Right.RECORDS})
    who = {name: Principal(name, rights, ("mini",)) for name in ("li", "zhao")}
    for name, status in (("zhao", 403), ("li", 200)):
        accounts.sign_in.by_token = lambda _, name=name: who[name]
        url, body = DOCUMENTS, {"document": text(count)}
        answer = await asyncio.to_thread(
            lambda url=url, body=body: site.client.post(
                url, json=body, headers={"Authorization": "Bearer sp_somebody"}
            )
        )
        assert answer.status_code == status, answer.text
