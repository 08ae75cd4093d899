"""Cookies, CSRF, fixation, forms and the pages' way, as a browser and as a program meet them."""

import json
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from cloud.accounts.roles import VISITOR
from cloud.accounts.rows import IDLE_NS, TURN_NS
from cloud.api import guard, socket
from cloud.errors import StoreError
from tests.unit.cloud.accounts.people_examples import NS, PASSWORD, Town, csrf_of
from tests.unit.cloud.app_examples import BASE, TOKEN
from tests.unit.cloud.live_examples import PLANT

OTHER = "quarry vellum insect"
HOSTILE = '<img src=x onerror="alert(1)">&{{7*7}}</script>'
SECURE = BASE.replace("http:", "https:")


def order(town: Town, ident: str, **more: str) -> dict[str, str]:
    return {"account": ident, "password": PASSWORD, "code": town.code(ident), **more}


def test_a_program_signs_in_and_out_by_the_api(town: Town) -> None:
    town.join("accountant")
    client = town.client()
    answer = client.post("/api/v1/sessions", json=order(town, "accountant"))
    assert answer.status_code == 201
    me = answer.json()
    assert (me["account"], me["plants"], me["region"]) == ("accountant", [PLANT], None)
    assert me["rights"] == [
        "evidence", "months", "own", "records", "samples", "see", "sign",
    ]  # fmt: skip
    assert client.get("/api/v1/session").json() == me
    csrf = {"X-CSRF-Token": me["csrf"]}
    made = client.post("/api/v1/tokens", json={"name": "x", "scopes": ["months"]}, headers=csrf)
    bearer = {"Authorization": f"Bearer {made.json()['token']}"}
    other = town.client()
    close = f"/api/v1/months/{PLANT}/2026-09/close"
    assert other.post(close, json={"closing": "final"}, headers=bearer).status_code == 200
    assert other.get("/api/v1/plants", headers=bearer).status_code == 403
    assert other.get("/api/v1/session", headers=bearer).status_code == 403
    (row,) = client.get("/api/v1/tokens").json()
    assert client.delete(f"/api/v1/tokens/{row['id']}", headers=csrf).status_code == 204
    refused = other.post(close, json={"closing": "final"}, headers=bearer)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    new = {"password": PASSWORD, "new_password": OTHER}
    assert client.post("/api/v1/password", json=new, headers=csrf).status_code == 204
    assert [row["current"] for row in client.get("/api/v1/sessions").json()] == [True]
    assert client.delete("/api/v1/sessions", headers=csrf).json() == {"ended": 0}
    assert client.delete("/api/v1/session", headers=csrf).status_code == 204
    assert client.get("/api/v1/session").status_code == 401


def test_a_security_administrator_keeps_the_list_by_the_api(town: Town) -> None:
    done = town.join("security")
    client = town.client(done)
    client.headers["X-CSRF-Token"] = done.principal.csrf
    person = {"account": "ann", "name": "Ann", "organisation": "Works", "role": "engineer"}
    invited = client.post("/api/v1/accounts", json={**person, "plants": [PLANT]})
    assert invited.status_code == 201
    assert re.fullmatch(r"/invited/[\w-]{43}", invited.json()["link"])
    again = client.post("/api/v1/accounts/ann/link")
    assert again.json()["link"] != invited.json()["link"]
    role = {"role": "reviewer", "region": "37"}
    assert client.put("/api/v1/accounts/ann/role", json=role).status_code == 204
    assert client.delete("/api/v1/accounts/ann").status_code == 204
    assert client.delete("/api/v1/accounts/security").status_code == 409
    rows = {row["account"]: row for row in client.get("/api/v1/accounts").json()}
    assert (rows["ann"]["state"], rows["ann"]["region"]) == ("ended", "37")
    assert rows["security"]["state"] == "active"
    assert "password" not in json.dumps(rows)
    audit = town.client(town.join("audit"))
    log = audit.get("/api/v1/security-log?after=1&count=2").json()["rows"]
    assert [(row["seq"], row["event"]) for row in log] == [(2, "link-used"), (3, "invited")]
    assert log[1]["by"] == "security"


@pytest.mark.parametrize(
    ("base", "name", "flags"),
    [
        (BASE, "stackproof", {"httponly", "samesite=strict", "path=/"}),
        (SECURE, "__Host-stackproof", {"httponly", "samesite=strict", "path=/", "secure"}),
    ],
)
def test_cookies_are_of_this_host_and_no_script(
    town: Town, base: str, name: str, flags: set[str]
) -> None:
    town.join("operator")
    client = town.client()
    client.base_url = base
    client.headers["Origin"] = base
    answer = client.post("/en/sign-in", data=order(town, "operator"))
    assert answer.status_code == 303
    session, device = answer.headers.get_list("set-cookie")
    assert session.startswith(f"{name}-session=")
    parts = {part.strip().lower() for part in session.split(";")[1:]}
    assert parts == flags
    assert device.startswith(f"{name}-device=")
    assert {part.strip().lower() for part in device.split(";")[1:]} - flags == {"max-age=15552000"}
    assert client.get("/en/").status_code == 200


def test_a_session_that_was_planted_is_not_the_one_that_is_signed_in(town: Town) -> None:
    """Fixation: neither a made-up cookie nor somebody's own is taken over."""
    attacker, client = town.join("engineer"), town.client()
    town.join("operator")
    for planted in ("planted-by-somebody", attacker.cookie):
        client.cookies.clear()
        client.cookies.set("stackproof-session", planted, domain="127.0.0.1")
        answer = client.post("/api/v1/sessions", json=order(town, "operator"))
        given = answer.headers.get_list("set-cookie")[0].split(";")[0].partition("=")[2]
        assert given != planted
        who, _ = town.accounts.sign_in.by_cookie(planted)
        assert who is None or who.account == "engineer"
        town.clock.now_ns += 30 * NS


@pytest.mark.parametrize(
    ("headers", "csrf", "status"),
    [
        ({"Origin": BASE}, "own", 303),
        ({"Sec-Fetch-Site": "same-origin"}, "own", 303),
        ({"Origin": BASE}, "", 403),
        ({"Origin": BASE}, "other", 403),
        ({"Origin": BASE}, "é", 403),
        ({"Origin": "http://evil.example"}, "own", 403),
        ({"Origin": "null"}, "own", 403),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, "own", 403),
        ({"Sec-Fetch-Site": "same-site"}, "own", 403),
        ({"Sec-Fetch-Site": "cross-site"}, "own", 403),
        ({}, "own", 403),
    ],
)
def test_forms_count_from_our_own_pages_only(
    town: Town, headers: dict[str, str], csrf: str, status: int
) -> None:
    done, other = town.join("operator"), town.join("engineer")
    client = town.client(done)
    del client.headers["Origin"]
    value = {"own": done.principal.csrf, "other": other.principal.csrf}.get(csrf, csrf)
    answer = client.post("/en/sign-out", data={"csrf": value}, headers=headers)
    assert answer.status_code == status
    stands = town.accounts.sign_in.by_cookie(done.cookie)[0] is not None
    assert stands is (status == 403)
    if status == 403:
        assert "text/html" in answer.headers["content-type"]
        assert town.accounts.people.log_rows()[-1].detail.endswith("request of another page")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": BASE, "X-CSRF-Token": "own"}, 204),
        ({"X-CSRF-Token": "own"}, 204),  # no browser
        ({}, 403),
        ({"Origin": BASE}, 403),
        ({"Origin": "http://evil.example", "X-CSRF-Token": "own"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "X-CSRF-Token": "own"}, 403),
    ],
)
def test_so_do_orders_by_cookie(town: Town, headers: dict[str, str], status: int) -> None:
    done = town.join("operator")
    client = town.client(done)
    del client.headers["Origin"]
    sent = {k: v.replace("own", done.principal.csrf) for k, v in headers.items()}
    assert client.delete("/api/v1/session", headers=sent).status_code == status


def test_signing_somebody_in_from_another_page_fails(town: Town) -> None:
    town.join("operator")
    client = town.client()
    evil = {"Origin": "http://evil.example"}
    for path, body in (("/en/sign-in", {"data": 1}), ("/api/v1/sessions", {"json": 1})):
        sent: dict[str, Any] = {next(iter(body)): order(town, "operator")}
        assert client.post(path, **sent, headers=evil).status_code == 403
    assert town.accounts.people.log_rows()[-1].event == "refused"


def test_who_asks_for_a_page_is_sent_to_sign_in_and_then_there(town: Town) -> None:
    town.join("operator")
    client = town.client()
    answer = client.get("/zh/plants/mini?x=1")
    assert (answer.status_code, answer.headers["location"]) == (
        303, "/zh/sign-in?next=/zh/plants/mini",
    )  # fmt: skip
    form = client.get(answer.headers["location"])
    assert 'name="next" value="/zh/plants/mini"' in form.text
    sent = order(town, "operator", next="/zh/plants/mini")
    assert client.post("/zh/sign-in", data=sent).headers["location"] == "/zh/plants/mini"
    assert "Mini" in client.get("/zh/plants/mini").text
    town.clock.now_ns += IDLE_NS
    assert client.get("/zh/plants/mini").status_code == 303


@pytest.mark.parametrize(
    "behind",
    [
        "//evil.example", "https://evil.example/", "/\\evil.example", "/en/../../x?", "/en//evil",
        "javascript:alert(1)", "/fr/", "/en/\r\nX: y", "/en/" + "a" * 200,
    ],
)  # fmt: skip
def test_nobody_is_sent_elsewhere(town: Town, behind: str) -> None:
    town.join("operator")
    client = town.client()
    answer = client.post("/en/sign-in", data=order(town, "operator", next=behind))
    location = answer.headers["location"]
    assert location in ("/en/", behind)
    assert re.fullmatch(r"/en/[a-z0-9/-]*", location)
    assert (
        behind not in client.get("/en/sign-in", params={"next": behind}).text or location == behind
    )


@pytest.mark.parametrize(("role", "first"), [("operator", "/en/"), ("security", "/en/account")])
def test_everybody_begins_where_there_is_something(town: Town, role: str, first: str) -> None:
    town.join(role)
    client = town.client()
    assert client.post("/en/sign-in", data=order(town, role)).headers["location"] == first
    assert client.get("/").headers["location"] == first
    refused = client.get("/en/accounts" if role == "operator" else "/en/")
    assert refused.status_code == 403
    assert "Your role does not include this." in refused.text
    assert 'href="/en/account"' in refused.text


def test_pages_from_invitation_to_the_end_of_an_account(town: Town) -> None:
    done = town.join("security")
    chief = town.client(done)
    csrf = csrf_of(chief.get("/en/accounts").text)
    person = {
        "csrf": csrf,
        "account": "ann",
        "name": HOSTILE,
        "organisation": "W",
        "role": "operator",
    }
    refused = chief.post("/en/accounts", data=person)
    assert refused.status_code == 422
    assert "This role needs its plants" in refused.text
    assert 'name="account" value="ann"' in refused.text  # what was typed stays
    made = chief.post("/zh/accounts", data={**person, "plants": "mini，maxi"})
    link = re.search(r'id="link"[^>]*>([^<]+)<', made.text)
    assert link is not None
    ann = town.client()
    page = ann.get(link.group(1))
    assert "<img" not in page.text
    assert "&lt;img src=x" in page.text
    assert '<svg width="' in page.text
    key = re.search(r'class="key"[^>]*>([A-Z2-7 ]+)<', page.text)
    assert key is not None
    town._keys["ann"] = town.accounts.people.invited(link.group(1).rpartition("/")[2]).second_factor
    form = {"password": PASSWORD, "again": PASSWORD, "code": town.code("ann")}
    for wrong, text in (
        ({"again": OTHER}, "两次输入的密码不一致"),
        ({"password": "short", "again": "short"}, "密码至少需要 12 个字符"),
        ({"code": "000000"}, "动态码有误"),
    ):
        answer = ann.post(link.group(1), data={**form, **wrong})
        assert answer.status_code in (403, 422)
        assert text in answer.text
        assert PASSWORD not in answer.text
    assert ann.post(link.group(1), data=form).headers["location"] == "/zh/account?done=password"
    assert "链接已使用" in ann.get(link.group(1)).text
    mine = ann.get("/zh/account?done=password").text
    assert "ann" in mine
    assert "操作员" in mine
    token = ann.post(
        "/en/account/tokens",
        data={"csrf": csrf_of(mine), "name": "t", "scopes": ["see", "evidence"], "days": "7"},
    )
    shown = re.search(r'id="new-token"[^>]*>(sp_[\w-]+)<', token.text)
    assert shown is not None
    assert shown.group(1) not in ann.get("/en/account").text
    change = {"csrf": csrf, "role": "accountant", "plants": "*"}
    assert chief.post("/en/accounts/ann/role", data=change).status_code == 303
    assert ann.get("/en/account").status_code == 303
    again = chief.post("/en/accounts/ann/end", data={"csrf": csrf, "again": "bob"})
    assert "To end an account, type its id." in again.text
    assert chief.post("/en/accounts/ann/end", data={"csrf": csrf, "again": "ann"}).is_redirect
    assert 'class="ended"' in chief.get("/en/accounts?done=ended").text
    assert "nobody" not in chief.get("/en/accounts?done=%3Cnobody%3E").text


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/x-www-form-urlencoded", 401),
        (b"account=%ff", "application/x-www-form-urlencoded", 422),
        (b"a=\xff", "application/x-www-form-urlencoded", 422),
        (b"account", "application/x-www-form-urlencoded", 422),
        (b"&".join(b"a=b" for _ in range(33)), "application/x-www-form-urlencoded", 422),
        (b"a=" + b"x" * guard.FORM_BYTES_MAX, "application/x-www-form-urlencoded", 413),
        (b"{}", "application/json", 415),
        (b"", "", 415),
    ],
)
def test_forms_are_bounded_and_strict(town: Town, body: bytes, kind: str, status: int) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = town.client().post("/en/sign-in", content=body, headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("role", "path", "most"),
    [  # a stranger: 32 KiB; who signs: 4 MiB
        ("", "/api/v1/sessions", 32_768),
        ("accountant", f"/api/v1/plants/{PLANT}/documents/prepare", 4_194_304),
    ],
)
def test_no_more_is_read_of_a_body_than_may_be(town: Town, role: str, path: str, most: int) -> None:
    """In pieces, so that no length is told before; JSON's spaces, so that only length is wrong."""
    done = town.join(role) if role else None
    client = town.client(done)
    head = {"Content-Type": "application/json"}
    if done is not None:
        head["X-CSRF-Token"] = done.principal.csrf
    for count, status in ((most // 4_096, 422), (most // 4_096 + 1, 413)):
        answer = client.post(path, content=(b" " * 4_096 for _ in range(count)), headers=head)
        assert answer.status_code == status
    assert answer.json() == {"detail": f"this takes at most {most} bytes"}


def test_an_address_that_a_proxy_makes_up_does_not_fill_the_log(town: Town) -> None:
    client = TestClient(town.client().app, base_url=BASE, client=("x" * 10_000, 1))
    typed = {"account": "nobody", "password": PASSWORD, "code": "1"}
    assert client.post("/api/v1/sessions", json=typed).status_code == 401
    newest = town.accounts.people.log_rows()[-1]
    assert (newest.event, newest.address) == ("sign-in-refused", "x" * 64)


def test_several_fields_of_one_name_are_joined() -> None:
    assert guard.parse_form(b"s=a&s=b+c&n=%E6%9D%8E") == {"s": "a,b c", "n": "李"}


def test_the_cookie_is_replaced_on_the_way(town: Town) -> None:
    client = town.client(town.join("operator"))
    client.cookies.clear()
    answer = client.post("/api/v1/sessions", json=order(town, "operator"))
    before = client.cookies["stackproof-session"]
    town.clock.now_ns += TURN_NS
    answer = client.get("/api/v1/plants")
    assert answer.headers["set-cookie"].startswith("stackproof-session=")
    assert client.cookies["stackproof-session"] != before
    assert "set-cookie" not in client.get("/api/v1/plants").headers
    assert client.get("/api/v1/session").json()["account"] == "operator"


def test_a_live_page_ends_with_its_session(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "LOOK_AGAIN_S", 0.01)
    done = town.join("operator")
    with (
        town.client(done) as client,
        client.websocket_connect(f"ws://127.0.0.1:8600/api/v1/live?plant={PLANT}") as viewer,
    ):
        assert viewer.receive_json()["type"] == "snapshot"
        town.accounts.sign_in.sign_out(done.principal)
        while (message := viewer.receive())["type"] == "websocket.send":
            pass
        assert (message["type"], message["code"]) == ("websocket.close", 1001)


def test_without_accounts_pages_are_open_and_orders_are_not(cheap_hashes: None) -> None:
    town = Town(VISITOR)
    client = town.client()
    assert client.get("/en/").status_code == 200
    assert client.get("/api/v1/plants").status_code == 200
    assert client.get("/en/accounts").status_code == 303
    assert client.get("/api/v1/accounts").status_code == 401
    assert client.post("/api/v1/imports", content=b"x").status_code == 401


def test_health_tells_strangers_the_status_alone(town: Town) -> None:
    assert town.client().get("/api/v1/health").json() == {"status": "ok"}


@pytest.mark.parametrize(
    "header", [f"Bearer {TOKEN}x", "Bearer sp_000000000000_x", "Basic YTpi", "", "sp_x", "Bearer é"]
)
def test_a_wrong_token_is_refused_also_beside_a_good_cookie(town: Town, header: str) -> None:
    client = town.client(town.join("operator"))
    answer = client.get("/api/v1/plants", headers={"Authorization": header.encode()})
    assert answer.status_code == 401
    assert town.accounts.people.log_rows()[-1].event == "refused"


def test_a_disk_that_refuses_is_told_and_lets_nobody_in(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = town.client(town.join("operator"))

    def refuse(*_: object, **__: object) -> None:
        raise StoreError("accounts cannot be read or written (x): disk I/O error")

    monkeypatch.setattr(town.store, "begin", refuse)
    assert client.get("/api/v1/plants").status_code == 503
