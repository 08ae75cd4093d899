"""Every route by everybody: one table, written by hand and not from the program's own."""

import re

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from httpx2 import Response
from starlette.websockets import WebSocketDisconnect

from cloud.accounts.roles import STRANGER, VISITOR, Profile
from cloud.api.access import ACCESS
from cloud.api.guard import GuardedRoute
from tests.unit.cloud.accounts.people_examples import PROFILES, Town
from tests.unit.cloud.app_examples import TOKEN
from tests.unit.cloud.live_examples import PLANT

#: s somebody unsigned, v likewise where no account is needed, o operator, e engineer, a accountant,
#: l laboratory, r reviewer, y system, c security, u audit, p a program on the collector's machine
EVERYBODY = "svoealrycup"
WORKS, PEOPLE = "voearp", "oealrycu"
MATRIX = {
    "GET /api/v1/health": EVERYBODY,
    "GET /api/v1/rights": EVERYBODY,
    "GET /metrics": "voearyup",
    "GET /livez": EVERYBODY,
    "GET /readyz": EVERYBODY,
    "GET /api/v1/plants": WORKS,
    "GET /api/v1/points": WORKS,
    "GET /api/v1/history": WORKS,
    "GET /api/v1/live/snapshot": WORKS,
    "GET /api/v1/overview": WORKS,
    "GET /api/v1/plants/{plant}/effects": WORKS,
    "GET /api/v1/plants/{plant}/effects.csv": WORKS,
    "GET /{language}/plants/{plant}/line": WORKS,
    "GET /{language}/plants/{plant}/lines/{line}/pots/{pot}": WORKS,
    "GET /{language}/plants/{plant}/figures": WORKS,
    "GET /{language}/plants/{plant}/meters": WORKS,
    "GET /{language}/plants/{plant}/fleet": WORKS,
    "WEBSOCKET /api/v1/live": WORKS,
    "GET /api/v1/months": WORKS,
    "GET /api/v1/plants/{plant}/accumulated": WORKS,
    "GET /api/v1/plants/{plant}/series": WORKS,
    "GET /api/v1/plants/{plant}/months/{month}": WORKS,
    "POST /api/v1/months/{plant}/{month}/close": "ap",
    "POST /api/v1/months/{plant}/{month}/seal": "ap",
    "GET /api/v1/plants/{plant}/months/{month}/report.pdf": WORKS,
    "GET /api/v1/plants/{plant}/months/{month}/workbook.xlsx": WORKS,
    "GET /api/v1/plants/{plant}/months/{month}/archive.tar": "oearup",
    "GET /api/v1/plants/{plant}/months/{month}/review": "oearup",
    "GET /api/v1/plants/{plant}/months/{month}/screening/{rank}.svg": "oearup",
    "GET /api/v1/reviews": "oearup",
    "POST /api/v1/verify": "oearup",
    "GET /api/v1/verify/{brought}": "oearup",
    "GET /{language}/verify": "oearup",
    "GET /{language}/verify/{brought}": "oearup",
    "GET /api/v1/draw": "oearup",
    "GET /{language}/reviews": "oearup",
    "GET /{language}/reviews/across": "oearup",
    "GET /{language}/plants/{plant}/months/{month}/review": "oearup",
    "GET /{language}/plants/{plant}/months/{month}/review/line": "oearup",
    "GET /{language}/plants/{plant}/months/{month}/review/decide": "r",
    "GET /api/v1/plants/{plant}/year": WORKS,
    "GET /api/v1/plants/{plant}/year/{paper}.xlsx": WORKS,
    "GET /api/v1/plants/{plant}/year/package.tar": WORKS,
    "GET /api/v1/plants/{plant}/year/upload.zip": "oearup",
    "GET /{language}/plants/{plant}/year": WORKS,
    "GET /api/v1/alarms": WORKS,
    "GET /api/v1/alarms/count": WORKS,
    "GET /api/v1/alarms/events": WORKS,
    "GET /api/v1/alarms/events.csv": WORKS,
    "POST /api/v1/plants/{plant}/alarms/{number}/acknowledge": "oe",
    "POST /api/v1/plants/{plant}/alarms/{number}/shelve": "oe",
    "POST /api/v1/plants/{plant}/alarms/{number}/unshelve": "oe",
    "GET /{language}/alarms": WORKS,
    "POST /{language}/plants/{plant}/alarms/{number}/acknowledge": "oe",
    "POST /{language}/plants/{plant}/alarms/{number}/shelve": "oe",
    "POST /{language}/plants/{plant}/alarms/{number}/unshelve": "oe",
    "GET /{language}/plants/{plant}/shift": WORKS,
    "POST /{language}/plants/{plant}/shift/leave": "oe",
    "POST /{language}/plants/{plant}/shift/take": "oe",
    "GET /api/v1/streams": "voearyup",
    "GET /api/v1/plants/{plant}/log/checkpoint": "voearyup",
    "GET /api/v1/plants/{plant}/log/proof/inclusion": "voearyup",
    "GET /api/v1/plants/{plant}/log/proof/consistency": "voearyup",
    "GET /api/v1/plants/{plant}/log/entries": "voearyup",
    "GET /api/v1/plants/{plant}/log/receipt": "voearyup",
    "GET /api/v1/plants/{plant}/streams/{gateway}": "voearyup",
    "GET /api/v1/plants/{plant}/quarantine": "voearyup",
    "GET /api/v1/plants/{plant}/quarantine/{sha256}": "voearyup",
    "POST /api/v1/plants/{plant}/keys/reload": "yp",
    "POST /api/v1/imports": "yp",
    "GET /api/v1/broker": "yp",
    "GET /api/v1/broker/revoked": EVERYBODY,
    "POST /api/v1/broker/requests": "yp",
    "POST /api/v1/plants/{plant}/broker/approve": "yp",
    "POST /api/v1/plants/{plant}/broker/revoke": "yp",
    "GET /api/v1/plants/{plant}/receipts": "yp",
    "POST /api/v1/plants/{plant}/documents": "oealrcp",
    "POST /api/v1/plants/{plant}/documents/prepare": "oealrcp",
    "POST /api/v1/plants/{plant}/documents/preview": "oealrcp",
    "GET /api/v1/plants/{plant}/templates/{kind}": "oealrcp",
    "POST /api/v1/plants/{plant}/persons": "p",
    "GET /api/v1/plants/{plant}/persons": "cup",
    "POST /api/v1/plants/{plant}/persons/certified": "yp",
    "GET /api/v1/plants/{plant}/documents": "oealrup",
    "GET /api/v1/plants/{plant}/documents/{sha256}": "oealrup",
    "GET /api/v1/plants/{plant}/files/{sha256}": "oealrup",
    "GET /api/v1/plants/{plant}/records/findings": "oearup",
    "GET /api/v1/plants/{plant}/plan": "oearup",
    "GET /api/v1/plants/{plant}/plan/departures": "oearup",
    "GET /{language}/plants/{plant}/plan": "oearup",
    "GET /api/v1/plants/{plant}/months/{month}/visit/compare": "r",
    "GET /{language}/plants/{plant}/months/{month}/visit": "r",
    "GET /api/v1/plants/{plant}/streams/{gateway}/frames/{seq}": WORKS,
    "GET /api/v1/plants/{plant}/streams/{gateway}/frames/{seq}/certificate": WORKS,
    "GET /{language}/plants/{plant}/commissioning": "voearyup",
    "GET /{language}/plants/{plant}/commissioning/{gateway}/{device}": "voearyup",
    "GET /{language}/plants/{plant}/months/{month}/drill": WORKS,
    "GET /{language}/plants/{plant}/months/{month}/drill/{gateway}/{point}": WORKS,
    "GET /{language}/plants/{plant}/months/{month}/drill/{gateway}/{point}/{seq}": WORKS,
    "GET /{language}/plants/{plant}/months/{month}/documents/{sha256}": "oearup",
    "POST /api/v1/sessions": EVERYBODY,
    "GET /api/v1/sessions": PEOPLE,
    "GET /api/v1/session": PEOPLE,
    "POST /api/v1/password": PEOPLE,
    "GET /api/v1/tokens": PEOPLE,
    "POST /api/v1/tokens": PEOPLE,
    "DELETE /api/v1/tokens/{token}": PEOPLE,
    "GET /api/v1/accounts": "cup",
    "POST /api/v1/accounts": "c",
    "PUT /api/v1/accounts/{account}/role": "c",
    "POST /api/v1/accounts/{account}/link": "c",
    "DELETE /api/v1/accounts/{account}": "c",
    "POST /api/v1/administrators": "p",
    "POST /api/v1/administrators/{account}/link": "p",
    "GET /api/v1/security-log": "up",
    "GET /": EVERYBODY,
    "GET /{language}/": WORKS,
    "GET /{language}/plants/{plant}": WORKS,
    "GET /{language}/plants/{plant}/records": "oealrup",
    "GET /{language}/plants/{plant}/records/{sha256}": "oealrup",
    "GET /{language}/plants/{plant}/persons": "cup",
    "GET /{language}/plants/{plant}/sign": "oealrcp",
    "GET /{language}/plants/{plant}/sign/{kind}": "oealrcp",
    "GET /{language}/plants/{plant}/import/{kind}": "oealrcp",
    "GET /{language}/plants/{plant}/key": "oealrcp",
    "GET /{language}/plants/{plant}/labels": "oealrcp",
    "GET /{language}/months": WORKS,
    "GET /{language}/plants/{plant}/months/{month}": WORKS,
    "GET /{language}/plants/{plant}/months/{month}/samples": "oearup",
    "POST /{language}/plants/{plant}/months/{month}/close": "ap",
    "GET /{language}/sign-in": EVERYBODY,
    "POST /{language}/sign-in": EVERYBODY,
    "GET /{language}/invited/{secret}": EVERYBODY,
    "POST /{language}/invited/{secret}": EVERYBODY,
    "GET /{language}/account": PEOPLE,
    "POST /{language}/account/password": PEOPLE,
    "POST /{language}/account/sessions/end": PEOPLE,
    "POST /{language}/account/tokens": PEOPLE,
    "POST /{language}/account/tokens/{token}/end": PEOPLE,
    "GET /{language}/accounts": "cup",
    "POST /{language}/accounts": "c",
    "POST /{language}/accounts/{account}/role": "c",
    "POST /{language}/accounts/{account}/link": "c",
    "POST /{language}/accounts/{account}/end": "c",
    "DELETE /api/v1/sessions": PEOPLE,
    # the last two end the session
    "DELETE /api/v1/session": PEOPLE,
    "POST /{language}/sign-out": PEOPLE,
}
WS = "ws://127.0.0.1:8600/api/v1/live"
NAMES = dict(zip("oealrycu", PROFILES, strict=True))
VALUES = {
    "plant": PLANT, "month": "2026-09", "gateway": "edge-1", "sha256": "ab" * 32, "language": "en",
    "token": "0" * 12, "account": "nobody", "secret": "none",
    "kind": "invoice", "paper": "statement", "point": "p.01.voltage", "seq": "1",
    "rank": "1", "brought": "none", "number": "1", "line": "line-1", "pot": "01",
    "device": "gas-1",
}  # fmt: skip
QUERY = {"alarms": "plant=mini", "events": "plant=mini", "events.csv": "plant=mini",
         "points": "plant=mini", "snapshot": "plant=mini", "months": "plant=mini",
         "history": "plant=mini&point=p.01.voltage", "series": "point=p.01.voltage",
         "departures": "month=2026-09"}  # fmt: skip


def test_the_table_has_every_route_there_is() -> None:
    assert set(MATRIX) == {f"{method} {path}" for method, path in ACCESS}


def test_a_route_that_is_not_in_the_table_cannot_be_made() -> None:
    with pytest.raises(KeyError, match="/api/v1/forgotten"):
        APIRouter(route_class=GuardedRoute).get("/api/v1/forgotten")(lambda: None)


def ask(client: TestClient, route: str, csrf: str) -> Response:
    method, path = route.split()
    query = QUERY.get(path.rpartition("/")[2], "")
    address = f"{path.format(**VALUES)}?{query}" if method == "GET" else path.format(**VALUES)
    if method == "GET":
        return client.get(address)
    if path.startswith("/api/"):
        return client.request(method, address, json={}, headers={"X-CSRF-Token": csrf})
    return client.request(method, address, data={"csrf": csrf})


def is_live(client: TestClient) -> bool:
    try:
        with client.websocket_connect(f"{WS}?plant={PLANT}"):
            return True
    except WebSocketDisconnect:
        return False


@pytest.fixture(params=EVERYBODY)
def somebody(request: pytest.FixtureRequest, cheap_hashes: None) -> tuple[str, Town]:
    letter = str(request.param)
    return letter, Town(VISITOR if letter == "v" else STRANGER)


def test_everybody_may_what_the_table_says_and_nothing_else(somebody: tuple[str, Town]) -> None:
    letter, town = somebody
    done = town.join(NAMES[letter]) if letter in NAMES else None
    client = town.client(done)
    if letter == "p":
        client.headers["Authorization"] = f"Bearer {TOKEN}"
    wrong = []
    for route, may in MATRIX.items():
        if route == "POST /{language}/sign-out" and done is not None:  # the one before ended it
            town.clock.now_ns += 30_000_000_000
            done = town.sign_in(NAMES[letter])
            client = town.client(done)
        if route.startswith("WEBSOCKET"):
            passed = is_live(client)
        else:
            answer = ask(client, route, done.principal.csrf if done else "")
            assert answer.status_code < 500, (route, answer.text)
            to_sign_in = answer.headers.get("location", "").startswith("/en/sign-in?next=")
            refused = answer.status_code in (401, 403) and (
                "needs an account" in answer.text or "does not include this" in answer.text
            )
            passed = not (refused or to_sign_in)
        if passed is not (letter in may):
            wrong.append(route)
    assert wrong == []


PLANT_ROUTES = [
    route for route in MATRIX if "{plant}" in route or route.rpartition("/")[2] in QUERY
]  # fmt: skip


@pytest.mark.parametrize(
    ("role", "profile"),
    [
        ("reviewer", Profile("reviewer", "3707")),
        ("reviewer", Profile("reviewer", "370700")),
        ("operator", Profile("operator", plants=("mini",))),
        ("accountant", Profile("accountant", plants=("mini",))),
    ],
)
def test_another_plant_is_as_if_it_were_not_there(town: Town, role: str, profile: Profile) -> None:
    """By every route that names one, and in every list."""
    done = town.join(role, profile)
    client = town.client(done)
    letter = "roa"[["reviewer", "operator", "accountant"].index(role)]
    told = set()
    for route in PLANT_ROUTES:
        if letter not in MATRIX[route]:
            continue
        for plant in ("maxi", "unplaced", "nowhere"):
            path = route.replace("{plant}", plant)
            query = {k: v.replace("mini", plant) for k, v in QUERY.items()}
            method, address = path.format(**VALUES).split()
            tail = query.get(address.rpartition("/")[2], "")
            answer = client.request(method, f"{address}?{tail}")
            told.add((answer.status_code, answer.text.replace(plant, "…")))
    pages = {one for one in told if one[1].startswith("<!doctype html>")}
    assert told - pages == {(404, '{"detail":"no plant \'…\' has sent its configuration"}')}
    assert [(status, "There is no such page" in text) for status, text in pages] == [(404, True)]
    assert [row["id"] for row in client.get("/api/v1/plants").json()] == ["mini"]
    assert {row["plant"] for row in client.get("/api/v1/streams").json()} == {"mini"}
    assert client.get("/api/v1/health").json()["plants"] == 1
    assert not {"maxi", "unplaced"} & set(re.findall(r"[a-z]+", client.get("/en/").text))
    twice = client.get("/api/v1/points?plant=maxi&plant=mini")
    assert twice.status_code == 404
    for plant in ("maxi", "unplaced"):
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(f"{WS}?plant={plant}"):
            pass


def test_a_national_reviewer_sees_all_and_a_city_elsewhere_nothing(town: Town) -> None:
    country = town.client(town.join("reviewer", Profile("reviewer")))
    assert [row["id"] for row in country.get("/api/v1/plants").json()] == [
        "maxi", "mini", "unplaced",
    ]  # fmt: skip
    elsewhere = town.client(town.join("other", Profile("reviewer", "1302")))
    assert elsewhere.get("/api/v1/plants").json() == []
    assert "Waiting for the first plant" in elsewhere.get("/en/").text


@pytest.mark.parametrize(
    ("language", "told"), [("en", "CLOUD.toml: unplaced."), ("zh", "：unplaced。")]
)
def test_administrators_are_told_which_plants_have_no_region(
    town: Town, language: str, told: str
) -> None:
    """No reviewer but those of the whole country sees them."""
    page = town.client(town.join("security")).get(f"/{language}/accounts").text
    assert told in page
    assert "maxi" not in page
