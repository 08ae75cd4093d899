"""Pages and routes of records over a running collector: what each role is shown and told."""

import asyncio
import base64
import io
import json
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud.accounts.roles import ROLES, Principal
from cloud.api.record_imports import columns_of, label
from cloud.api.rendering import DASHBOARD, STRINGS
from cloud.records.forms import TABLES
from evidence.suites import suite_of
from tests.unit.cloud.app_examples import make_accounts, make_app, make_client
from tests.unit.cloud.test_papers import DOCUMENTS, Site, paper
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp

PLANT = "/en/plants/mini"
WRITTEN = {"number": "7", "party": "Coal Ltd", "part": "purchased", "value": "1.50", "unit": "t",
           "from_ns": "2026-10-01 00:00", "to_ns": "2026-11-01 00:00"}  # fmt: skip
SHA = re.compile("[0-9a-f]{64}")


class Works(Site):
    """The site, where each person of the papers asks with the rights of their role."""

    def start(self) -> None:
        super().start()
        self.client = make_client(make_app(records=self.desk))
        accounts = make_accounts()
        app = make_app(records=self.desk, evidence=self.running.desk, accounts=accounts)
        self.theirs = make_client(app)
        accounts.sign_in.by_token = lambda text: self.who(text)

    def who(self, name: str) -> Principal:
        return Principal(name, ROLES[pp.WHO[name][0]], ("mini",))

    async def by(self, person: str, method: str, url: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {person}"}
        return await asyncio.to_thread(
            lambda: self.theirs.request(method, url, headers=headers, **more)
        )

    async def page(self, person: str, path: str) -> str:
        answer = await self.by(person, "GET", PLANT + path)
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    async def add(self, data: bytes, *files: bytes) -> str:
        answer = await self.post(data, *files)
        assert answer.status_code == 200, answer.text
        return sm.sha256(data).hex()

    async def prepare(self, person: str, body: Any, **more: Any) -> Any:
        order = {
            "person": person, "key": pp.key_sha256(pp.key_of(person).public_key).hex(),
            "kind": "invoice", "about": "coal", "body": body, "written": True, **more,
        }  # fmt: skip
        return await self.by(person, "POST", f"{DOCUMENTS}/prepare", json=order)


@pytest.fixture
async def works(tmp_path: Path) -> AsyncIterator[Works]:
    made = Works(tmp_path)
    await made.persons()
    yield made
    await made.running.stop()


async def test_what_is_prepared_from_a_form_is_taken_and_verified(works: Works) -> None:
    made = (await works.prepare("li", WRITTEN)).json()
    message, before = (base64.b64decode(made[name]) for name in ("message", "before"))
    assert b"\x00\xa4dbody" in message  # not packed: method 0, then a map of four
    data = before + pp.key_of("li").sign(message)
    sha256 = await works.add(data)
    html = await works.page("zhao", f"/records/{sha256}")
    assert "2026-10-01 00:00" in html
    assert "Coal Ltd" in html


async def test_what_is_wrong_with_fields_is_told_by_field(works: Works) -> None:
    answer = await works.prepare("li", WRITTEN | {"value": "1,5", "to_ns": "soon", "part": ""})
    assert (answer.status_code, answer.json()["fields"]) == (
        422, {"part": "missing", "value": "decimal", "to_ns": "instant"},
    )  # fmt: skip
    answer = await works.prepare("li", WRITTEN | {"to_ns": WRITTEN["from_ns"]})
    assert answer.json()["fields"] == {"from_ns": "order"}
    rows = {"report": "r", "report_day": "2026-10-31", "laboratory": "l", "values": [{"name": "c"}]}
    answer = await works.prepare("lab", rows, kind="sample-result")
    assert answer.json()["fields"] == {"values.0.value": "missing", "values.0.unit": "missing"}


async def test_what_one_may_do_with_a_document_is_said_with_the_reason(works: Works) -> None:
    invoice = await works.add(paper("li", "invoice", "coal", pp.INVOICE))

    async def why(person: str, sha256: str = invoice) -> list[str]:
        html = await works.page(person, f"/records/{sha256}")
        texts = {STRINGS["en"][f"record.why.{name}"]: name
                 for name in ("own", "role", "ended", "approved", "not-enrolled")}  # fmt: skip
        return [texts[text] for text in re.findall(r'<span id="why-.*?>(.*?)</span>', html)]

    assert await why("li") == ["own"]
    assert await why("zhao") == ["role"]  # an engineer approves, and corrects no invoice
    assert await why("chen") == ["role", "role"]
    await works.add(paper("zhao", "approve", "coal", {}, bytes.fromhex(invoice)))
    assert await why("zhao") == ["role", "approved"]
    new = await works.add(paper("li", "invoice", "coal", pp.INVOICE, bytes.fromhex(invoice)))
    assert await why("li") == ["ended"] * 3
    assert await why("li", new) == ["own"]
    html = await works.page("li", f"/records/{new}")
    assert html.count(f"/records/{invoice}") == 1  # the history leads to the first wording
    listed = await works.page("li", "/records?state=corrected")
    assert set(re.findall(r"/records/([0-9a-f]{64})", listed)) == {invoice}


async def test_nobody_at_a_plant_undoes_why_a_month_was_closed(works: Works) -> None:
    body = {"reason": "fire", "by": "zhao", "owed": [{"what": "Silent.", "by": "operator"}]}
    signed = await works.desk.sign("mini", "month-decision", "2026-10", body, 0)
    follows = bytes.fromhex(signed["sha256"])
    for kind, made in (("withdraw", {"reason": "no"}), ("approve", {}), ("month-decision", body)):
        answer = await works.post(paper("zhao", kind, "2026-10", made, follows))
        told = "not for engineer" if kind == "month-decision" else f"nobody's {kind} ends or app"
        assert (answer.status_code, told in answer.text) == (422, True), answer.text
        assert f"/sign/{kind}" not in await works.page("zhao", f"/records/{signed['sha256']}")


async def test_an_operator_has_no_form_for_an_invoice_and_a_laboratory_sees_its_own(
    works: Works,
) -> None:
    invoice = await works.add(paper("li", "invoice", "coal", pp.INVOICE))
    tested = paper("lab", "sample-tested", "s-1", {"tested_ns": pp.MAY, "method": "GB/T 213"})
    own = await works.add(tested)
    assert "Your role does not sign this" in await works.page("chen", "/sign/invoice")
    assert "Your role does not sign this" in await works.page("chen", "/import/invoice")
    assert "sign/invoice" not in await works.page("chen", "/sign")
    assert (await works.by("lab", "GET", f"{PLANT}/persons")).status_code == 403
    assert (await works.by("lab", "GET", f"{PLANT}/records/{invoice}")).status_code == 404
    assert SHA.search(await works.page("lab", "/records")) is None  # nothing was sent to it
    assert "GB/T 213" in await works.page("lab", f"/records/{own}")  # its own wording
    other = await works.by("lab", "GET", f"{PLANT}/sign/invoice?follows={invoice}")
    assert other.status_code == 404
    assert "GB/T 213" in await works.page("lab", f"/sign/sample-tested?follows={own}")
    assert (await works.by("wang", "GET", f"{PLANT}/records")).status_code == 403
    assert SHA.search(await works.page("wang", "/persons"))


async def test_a_table_is_looked_at_and_what_stands_is_not_signed_twice(works: Works) -> None:
    head = "about,number,party,part,value,unit,from,to\n"
    row = "coal,7,Coal Ltd,外购,1.50,t,2026-10-01 00:00,2026-11-01 00:00\n"
    url = f"{DOCUMENTS}/preview?kind=invoice"
    seen = (await works.by("li", "POST", url, content=head + row)).json()
    assert (seen["wrong"], seen["refused"], seen["drafts"][0]["held"]) == ([], "", None)
    assert seen["columns"] == ["about", *WRITTEN]
    made = (await works.prepare("li", seen["drafts"][0]["body"])).json()
    message, before = (base64.b64decode(made[name]) for name in ("message", "before"))
    await works.add(before + pp.key_of("li").sign(message))
    again = (await works.by("li", "POST", url, content=head + row)).json()["drafts"][0]
    rows = (await works.by("li", "GET", f"{DOCUMENTS}?kind=invoice")).json()
    assert again["held"] == rows[0]["index"]
    refused = await works.by("li", "POST", url, content=b"%PDF-1.7")
    assert refused.json() == {"refused": "type"}
    assert (await works.by("li", "POST", url, content=bytes(5 * 2**20))).status_code == 413
    for kind in ("person", "approve", "month-decision", "nothing"):
        unknown = await works.by("li", "POST", f"{DOCUMENTS}/preview?kind={kind}", content=row)
        assert unknown.status_code == 404
    assert len((await works.by("li", "GET", f"{DOCUMENTS}?kind=invoice")).json()) == 1


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_templates_are_read_as_what_they_are(works: Works, form: str) -> None:
    for kind in TABLES:
        for language in STRINGS:
            url = f"/api/v1/plants/mini/templates/{kind}?language={language}&form={form}"
            answer = await works.by("li", "GET", url)
            preview = f"{DOCUMENTS}/preview?kind={kind}"
            seen = (await works.by("li", "POST", preview, content=answer.content)).json()
            assert [one["code"] for one in seen["wrong"]] == ["no-rows"], (kind, language)
    if form == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(answer.content))
        assert book.active.column_dimensions["A"].number_format == "@"
        assert book.active["A1"].value == label("zh", "about", kind)
        assert book.active.max_column == len(columns_of(kind))


PAGES = ["/records", "/records/" + "ab" * 32, "/persons", "/sign", "/sign/invoice", "/sign/person",
         "/sign/withdraw", "/import/count", "/key", "/labels"]  # fmt: skip
VALUES = st.text(max_size=30) | st.sampled_from(
    ["2026-10", "invoice", "ab" * 32, "s-1", "0", "-1", str(2**64), "\x00", "\ud7ff", "approved"]
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    page=st.sampled_from(PAGES), language=st.sampled_from(["en", "zh", "fr"]),
    role=st.sampled_from(["accountant", "security", "audit"]),
    query=st.dictionaries(
        st.sampled_from(["month", "kind", "about", "state", "before", "follows", "key", "id",
                         "count"]), VALUES, max_size=4,
    ),
)  # fmt: skip
async def test_no_query_makes_a_page_fail(
    works: Works, page: str, language: str, role: str, query: dict[str, str]
) -> None:
    """Asked by somebody of each sort; of the route's answers a 5xx is the only wrong one."""
    person = {"accountant": "li", "security": "wang", "audit": "zhao"}[role]
    url = f"/{language}/plants/mini{page}"
    answer = await works.by(person, "GET", url, params=query)
    assert answer.status_code < 500, (url, query, answer.text)


# -- the modules that read what is signed ---------------------------------------------------------

READ = """
import { decode } from "./cbor.js";
import { check, localText, read } from "./paper.js";
const bytes = (hex) => Uint8Array.from(hex.match(/../g) || [], (two) => parseInt(two, 16));
const told = JSON.parse(process.argv[2]);
const why = (work) => { try { work(); return null; } catch (error) { return error.message; } };
const out = { refused: [], differs: [] };
for (const hex of told.malformed) {
  out.refused.push(why(() => decode(bytes(hex))));
}
const paper = read(bytes(told.message));
const wanted = { ...told.wanted, key: bytes(told.wanted.key) };
check(paper, wanted, told.zone);
for (const [name, value] of told.others) {
  const other = { ...wanted, [name]: name === "key" ? bytes(value) : value };
  out.differs.push(why(() => check(paper, other, told.zone)));
}
out.texts = told.instants.map((ns) => localText(BigInt(ns), told.zone));
console.log(JSON.stringify(out));
"""
#: RFC 8949 §4.2 forbids each: longer than needed, unordered, twice, of no length, cut, trailing;
#: floats, tags, null and keys of other types are of no document
MALFORMED = ["1800", "190001", "1a00000001", "1b0000000000000001", "a2616201616102",
             "a2616101616101", "9fff", "5f", "62c3", "61ff", "0000", "", "f93c00", "c100", "f6",
             "a1f401", "44010203",
             "81" * 20 + "01", "ff", "1c"]  # fmt: skip


async def in_node(folder: Path, script: str, told: Any) -> Any:
    """What a script prints beside the pages' own modules."""
    for name in ("cbor.js", "paper.js", "keys.js"):
        (folder / name).write_text((DASHBOARD / "static/js" / name).read_text())
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "script.js").write_text(script)
    done = await asyncio.to_thread(
        subprocess.run, ["node", str(folder / "script.js"), json.dumps(told)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


PEM = """
import { hex } from "./cbor.js";
import { fromPem, idOf, pem, sign } from "./keys.js";
const [good, ...others] = JSON.parse(process.argv[2]);
const key = await fromPem(good);
const refused = [];
for (const text of others) refused.push(await fromPem(text).then(() => "", (error) => error.name));
const signature = await sign(key, new TextEncoder().encode("message"));
console.log(JSON.stringify({
  spki: hex(key.spki), id: idOf(key), pem: pem(key.spki), signature: hex(signature), refused,
  isReadable: key.privateKey.extractable,
}));
"""


@pytest.mark.needs("node")
async def test_a_key_file_is_read_where_it_is_and_only_p256(tmp_path: Path) -> None:
    def written(key: Any) -> str:
        form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        text: str = key.private_bytes(*form).decode()
        return text

    key = ec.generate_private_key(ec.SECP256R1())
    others = [ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()]
    texts = [written(key), *map(written, others), "no key", written(key).replace("M", "", 1)]
    said = await in_node(tmp_path, PEM, texts)
    public = key.public_key()
    assert bytes.fromhex(said["spki"]) == public.public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    assert said["id"] == pp.key_sha256(public).hex()
    assert said["pem"].encode() == public.public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    suite_of(public).verify(public, bytes.fromhex(said["signature"]), b"message")
    assert (all(said["refused"]), said["isReadable"]) == (True, False)


@pytest.mark.needs("node")
async def test_the_browser_reads_what_it_signs_and_believes_nothing(
    works: Works, tmp_path: Path
) -> None:
    file = {"name": "a.pdf", "type": "application/pdf", "size": 3, "sha256": "ab" * 32}
    body = WRITTEN | {"note": "two\nlines"}
    made = (await works.prepare("li", body, files=[file])).json()
    key = pp.key_sha256(pp.key_of("li").public_key).hex()
    wanted = {"plant": "mini", "person": "li", "kind": "invoice", "about": "coal", "key": key,
              "body": body | {"note": "two\nlines"}, "follows": [], "files": [file]}  # fmt: skip
    others = [
        ("plant", "maxi"), ("person", "zhao"), ("kind", "count"), ("about", "coke"),
        ("key", "00" * 32), ("body", body | {"value": "1.5"}), ("body", WRITTEN),
        ("body", body | {"to_ns": "2026-10-31 23:59"}), ("follows", ["ab" * 32]), ("files", []),
        ("files", [file | {"sha256": "cd" * 32}]), ("files", [file | {"size": 4}]),
    ]  # fmt: skip
    # -7 (ES256) instead of the Ed25519 of the examples' keys: the same length, as -19 is
    message = base64.b64decode(made["message"]).replace(b"\x01\x32", b"\x01\x26", 1)
    told = {
        "malformed": MALFORMED, "message": message.hex(), "wanted": wanted, "others": others,
        "zone": "Asia/Shanghai", "instants": ["1790784000000000000", "1790784009000000005"],
    }  # fmt: skip
    said = await in_node(tmp_path, READ, told)
    refused = dict(zip(MALFORMED, said["refused"], strict=True))
    assert [hex for hex, reason in refused.items() if reason is None] == []
    assert None not in said["differs"], said["differs"]
    assert said["texts"] == ["2026-10-01 00:00", "2026-10-01 00:00:09 +5 ns"]
