"""Records in a real browser, as an accountant would: both languages, a desk's width and a phone's.

The words are the pages' own table of texts, so that what is looked for is what is written.
"""

import base64
import json
import re
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from playwright.sync_api import Route, expect

from cloud.accounts.totp import code_of
from cloud.api.rendering import STRINGS
from tests.e2e.conftest import Server, Watched
from tests.e2e.test_accounts import PASSWORD, Visit, code, invite, key_of

pytestmark = pytest.mark.browser

Open = Callable[..., Watched]
Start = Callable[..., Server]
SCAN = b"%PDF-1.7 an invoice"
INVOICE = {"number": "0001", "party": "Coal Ltd 煤业", "value": "120.50", "unit": "t",
           "from_ns": "2026-10-01 00:00", "to_ns": "2026-11-01 00:00"}  # fmt: skip
TABLE = """\
源流,编号,对方单位,用途,数值,计量单位,起,止
{source},0002,Coal Ltd,购入,{value},t,2026/10/1 0:00,2026-10-15 00:00
{source},0003,Coal Ltd,purchased,7.25,t,2026-10-15 00:00,{to}
"""


class Clerk:
    """Somebody with an account, at a browser of their own."""

    def __init__(  # noqa: PLR0917 - each is another thing
        self, opened: Open, server: Server, link: str, ident: str, language: str, width: int
    ) -> None:
        self.server = server
        self.watched = opened(f"{server.url}/{language}{link}", width=width, height=900)
        self.visit, self.page = Visit(self.watched, f"records-{ident}", width), self.watched.page
        self.ident, self.texts, self.base = ident, STRINGS[language], f"{server.url}/{language}"
        self.secret = key_of(self.page)
        self.visit.fill(password=PASSWORD, again=PASSWORD, code=code(self.secret))
        self.page.locator("form button").first.click()
        expect(self.page.get_by_role("heading", name=self.texts["account.mine"])).to_be_visible()

    def t(self, key: str) -> str:
        return self.texts[f"record.{key}"]

    def go(self, path: str) -> None:
        self.page.goto(f"{self.base}/plants/mini/{path}")

    def press(self, key: str) -> None:
        self.page.get_by_role("button", name=self.t(key), exact=True).click()

    def write(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.locator(f"[data-field={name}], #f-{name}").first.fill(value)

    def make_key(self, folder: Path) -> Path:
        """The request to be enrolled, as a file."""
        self.page.get_by_role("link", name="mini").click()
        self.go("key")
        self.press("key.make")
        expect(self.page.locator("#key-state")).to_have_text(self.t("key.waits"))
        with self.page.expect_download() as begun:
            self.page.locator("#request").click()
        path = folder / begun.value.suggested_filename
        begun.value.save_as(path)
        return path

    def sign(self, step: str = "") -> str:
        """Look, sign; the document's hash as the page says it."""
        self.page.locator("#look").click()
        expect(self.page.locator("#review")).to_be_visible()
        if step:
            self.visit.look(step)
        self.page.locator("#sign").click()
        done = self.page.locator("#done")
        expect(done).to_be_visible()
        found = re.search("[0-9a-f]{64}", done.text_content() or "")
        assert found is not None
        return found[0]

    def enrol(self, request: Path) -> None:
        self.go("persons")
        self.page.get_by_role("link", name=self.t("persons.enrol")).click()
        expect(self.page.locator("#request-file")).to_be_visible()
        self.page.locator("#request-file").set_input_files(request)
        expect(self.page.locator("#f-about")).not_to_have_value("")
        self.sign()

    def invite(self, ident: str, role: str, plants: str = "mini", region: str = "") -> str:
        """The one-time link behind the language; a reviewer has a region, others plants."""
        self.page.goto(f"{self.base}/accounts")
        where = {"region": region} if role == "reviewer" else {"plants": plants}
        self.visit.fill(account=ident, name=ident.title(), organisation="Works", **where)
        self.page.locator("select[name=role]").last.select_option(role)
        self.page.get_by_role("button", name=self.texts["account.invite.send"]).click()
        link = self.page.locator("#link").text_content() or ""
        return link[link.index("/invited/") :]


def first_person(server: Server, request: Path) -> None:
    """As the command on the collector's machine enrols it."""
    told = json.loads(request.read_text())
    body = {name: told[name] for name in ("person", "name", "organisation", "role", "key")}
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    url = f"{server.url}/api/v1/plants/mini/persons"
    asked = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert answer.status == 200


def security(  # noqa: PLR0917 - each is another thing
    opened: Open, server: Server, folder: Path, language: str, width: int, ident: str
) -> Clerk:
    """A security administrator whose key is enrolled."""
    chief = Clerk(opened, server, invite(server, ident), ident, language, width)
    first_person(server, chief.make_key(folder))
    return chief


def works(opened: Open, server: Server, folder: Path, language: str, width: int) -> list[Clerk]:
    """Two accountants whose keys a security administrator enrolled."""
    chief = security(opened, server, folder, language, width, f"chief-{language}")
    made = []
    for name in (f"li-{language}", f"zhao-{language}"):
        link = chief.invite(name, "accountant")
        clerk = Clerk(opened, server, link, name, language, width)
        chief.enrol(clerk.make_key(folder))
        made.append(clerk)
    return made


def _get(server: Server, path: str) -> str:
    headers = {"Authorization": f"Bearer {server.token}"}
    asked = urllib.request.Request(f"{server.url}/api/v1/plants/mini/{path}", headers=headers)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def spoil(route: Route) -> None:
    """A collector that lets somebody sign another value than the one that was written."""
    answer = route.fetch()
    told: dict[str, Any] = answer.json()
    for name, data in told.items():
        bent = base64.b64decode(data).replace(b"120.50", b"920.50")
        told[name] = base64.b64encode(bent).decode()
    route.fulfill(response=answer, json=told)


def enter(li: Clerk, source: str) -> str:
    """An invoice with its scan; its hash."""
    page = li.page
    # an invoice: first nothing, then all but one field, then a collector that cheats
    li.go("sign")
    li.visit.look("2-kinds")
    page.get_by_role("link", name=li.t("kind.invoice"), exact=True).click()
    page.locator("#look").click()
    expect(page.locator("#e-f-about")).to_have_text(li.t("wrong.name_id"))
    li.write(about=source, **(INVOICE | {"value": "12,5"}))
    page.locator("#files").set_input_files(
        {"name": "scan.pdf", "mimeType": "application/pdf", "buffer": SCAN}
    )
    page.locator("#look").click()
    expect(page.locator("#e-f-value")).to_have_text(li.t("wrong.decimal"))
    expect(page.locator("#e-f-part")).to_have_text(li.t("wrong.missing"))
    li.watched.complaints.clear()  # the browser tells the 422
    li.visit.look("3-wrong")
    li.write(value="120.50")
    page.locator("[data-field=part]").select_option("purchased")
    page.route("**/documents/prepare", spoil)
    page.locator("#look").click()
    expect(page.locator("#said")).to_contain_text("what the collector gave to sign is another body")
    page.unroute("**/documents/prepare")
    return li.sign("4-review")


def approve_and_correct(li: Clerk, zhao: Clerk, invoice: str) -> None:
    """Nobody approves an own document, and a correction leaves the first wording to be read."""
    page = li.page
    # the own document is approved by somebody else
    li.go(f"records/{invoice}")
    expect(page.locator("#why-approve")).to_have_text(li.t("why.own"))
    li.visit.look("5-record")
    zhao.go(f"records/{invoice}")
    zhao.page.get_by_role("link", name=zhao.t("action.approve")).click()
    zhao.page.route(f"**/documents/{invoice}", lambda route: route.fulfill(body=b"\xd2 other"))
    zhao.page.locator("#look").click()
    expect(zhao.page.locator("#said")).to_contain_text(zhao.t("followed.other"))
    zhao.page.unroute(f"**/documents/{invoice}")
    zhao.page.locator("#look").click()
    expect(zhao.page.locator("#paper dl").last).to_contain_text("120.50")
    zhao.sign("6-approve")
    zhao.go(f"records/{invoice}")
    expect(zhao.page.locator("p.state")).to_contain_text(
        f"{zhao.t('state.approved')} ({zhao.ident})"
    )

    # a correction follows; the first wording stays to be read
    li.go(f"records/{invoice}")
    page.get_by_role("link", name=li.t("action.correct")).click()
    expect(page.locator("[data-field=party]")).to_have_value(INVOICE["party"])
    li.write(value="121.75")
    corrected = li.sign()
    li.go(f"records/{corrected}")
    expect(page.locator(".history li")).to_have_count(2)
    li.go(f"records/{invoice}")
    expect(page.locator("p.state")).to_contain_text(li.t("state.corrected"))
    li.visit.look("7-corrected")


def bring_in(li: Clerk, source: str) -> None:
    """A table, first with errors; the list and labels after it."""
    page = li.page
    # a table with two wrong cells, and without
    li.go("import/invoice")
    expect(page.locator("#table")).to_be_visible()
    for value, to, wrong in (("=1+1", "2026-13-01 00:00", 2), ("8.50", "2026-11-01 00:00", 0)):
        data = TABLE.format(source=source, value=value, to=to).encode("gb18030")
        page.locator("#table").set_input_files(
            {"name": "t.csv", "mimeType": "text/csv", "buffer": data}
        )
        expect(page.locator("#mistakes tbody tr")).to_have_count(wrong)
        expect(page.locator("#drafts tbody tr")).to_have_count(2)
        li.visit.look(f"8-import-{wrong}")
    page.locator("#sign").click()
    expect(page.locator("#said")).to_have_text(li.t("all-done").replace("{n}", "2"))
    li.go(f"records?month=2026-10&kind=invoice&about={source}")
    expect(page.locator("tbody tr")).to_have_count(4)
    li.visit.look("9-list")
    li.go("labels?id=coal-2026-10-01&count=3")
    expect(page.locator("figure")).to_have_count(3)
    li.visit.look("10-labels")


@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("zh", 390)])
def test_an_accountants_month(
    open_page: Open, start_server: Start, tmp_path: Path, language: str, width: int
) -> None:
    server = start_server("--accounts", "--records")
    li, zhao = works(open_page, server, tmp_path, language, width)
    page = li.page

    # sign out, and in again with both factors; the page one wanted comes back
    page.get_by_role("button", name=li.texts["account.sign-out"]).click()
    li.go("key")
    li.visit.fill(
        account=li.ident, password=PASSWORD, code=code_of(li.secret, int(time.time()) // 30 + 1)
    )
    page.keyboard.press("Enter")
    expect(page.locator("#key-state")).to_have_text(li.t("key.is-enrolled"))
    li.visit.look("1-key")

    source = f"coal-{language}"
    invoice = enter(li, source)
    stored = json.loads(_get(server, f"documents?about={source}&kind=invoice"))
    assert [row["body"]["value"] for row in stored] == ["120.50"]
    approve_and_correct(li, zhao, invoice)
    bring_in(li, source)


def test_a_laboratorys_result_by_keyboard_and_with_a_key_file(
    open_page: Open, start_server: Start, tmp_path: Path
) -> None:
    """Rows of values that are added and dropped; the key is a file's, chosen once."""
    server = start_server("--accounts", "--records")
    chief = security(open_page, server, tmp_path, "en", 1440, "chief-lab")
    lab = Clerk(open_page, server, chief.invite("lab-1", "laboratory"), "lab-1", "en", 1440)
    request, page = lab.make_key(tmp_path), lab.page
    key = ec.generate_private_key(ec.SECP256R1())
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem = {"name": "lab.pem", "mimeType": "text/plain", "buffer": key.private_bytes(*form)}
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    request.write_text(json.dumps(json.loads(request.read_text()) | {"key": public.hex()}))
    chief.enrol(request)
    li = Clerk(open_page, server, chief.invite("li-lab", "accountant"), "li-lab", "en", 1440)
    chief.enrol(li.make_key(tmp_path))
    li.go("sign/sample-sent")
    sent = {"sent_ns": "2026-10-30 08:00", "laboratory": "Works", "carrier": "by hand"}
    li.write(about="s-1", **sent)
    li.sign()

    lab.go("sign/sample-result")
    expect(page.locator("#form")).to_be_visible()
    lab.write(about="s-1", report="R-1", report_day="2026-10-31", laboratory="Works")
    fields = page.locator("[data-field^='values.']")
    for name, value in (("name", "carbon"), ("value", "61.2"), ("unit", "%")):
        page.locator(f"[data-field='values.{name}']").first.fill(value)
    page.keyboard.press("Tab")  # to the basis
    page.keyboard.press("Tab")  # to the button that drops the row
    page.keyboard.press("Enter")
    expect(fields).to_have_count(4)  # the last row stays
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(fields).to_have_count(8)
    page.keyboard.type("moisture")  # the new row has the focus
    page.locator("#look").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_have_text(lab.t("key.not-enrolled"))  # this browser's
    page.locator("summary").click()
    page.locator("#key-file").set_input_files(pem)
    page.locator("#look").click()
    problem = page.locator(".row").nth(1).locator(".problem:visible")
    expect(problem.first).to_have_text(lab.t("wrong.missing"))
    expect(problem).to_have_count(2)
    lab.watched.complaints.clear()  # the browser tells the 422
    lab.visit.look("wrong-row")
    page.locator(".row").nth(1).locator("[data-field='values.value']").fill("8.10")
    page.locator(".row").nth(1).locator("[data-field='values.unit']").fill("%")
    lab.sign("rows")
    rows = json.loads(_get(server, "documents?kind=sample-result"))
    assert rows[0]["body"]["values"] == [
        {"name": "carbon", "value": "61.2", "unit": "%"},
        {"name": "moisture", "value": "8.10", "unit": "%"},
    ]
    lab.go("records")  # what was sent to it and what it told; nobody's key, no plan
    expect(page.locator("tbody tr")).to_have_count(2)
    lab.go("plan")
    expect(page.get_by_role("alert")).to_contain_text(lab.texts["account.error.no-right"])
