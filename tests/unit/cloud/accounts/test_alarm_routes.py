"""Alarms by their routes and pages: what stands, what people decide, what is exported."""

import asyncio
import csv
import io
from typing import Any

import pytest
from starlette.requests import HTTPConnection

from cloud.accounts.roles import STRANGER, VISITING_OPERATOR, VISITOR
from cloud.api.passed_on import unsigned_of
from cloud.config_http import read_http
from cloud.live.hub import LiveHub
from firmware_configs.fields import Fields, Problem
from tests.unit.cloud.accounts.people_examples import Town
from tests.unit.cloud.alarms.key_examples import EndingKeys
from tests.unit.cloud.app_examples import (
    Months,
    alarm_parts,
    make_accounts,
    make_app,
    make_client,
)
from tests.unit.cloud.live_examples import GATEWAY, PLANT, ManualClock, configuration, payload


def test_the_routes_show_decide_and_export(cheap_hashes: None) -> None:
    town = Town()
    hub = LiveHub(town.clock)
    hub.on_config(PLANT, GATEWAY, configuration())
    hub.on_live(PLANT, GATEWAY, payload(0))
    alarms, shifts = alarm_parts(hub, town.clock, Months(), EndingKeys(), None)
    asyncio.run(alarms.look(PLANT))
    done = town.join("operator")
    client = town.client(done, alarms=alarms, shifts=shifts)
    head = {"X-CSRF-Token": done.principal.csrf}
    (row,) = client.get("/api/v1/alarms").json()["standing"]
    assert (row["kind"], row["gateway"], row["priority"]) == ("certificate", GATEWAY, 3)
    assert "2026-10-01 20:00" in row["en"]  # by the plant's clock
    assert client.get("/api/v1/alarms/count").json() == {"unacknowledged": 1, "elsewhere": 0}
    address = f"/api/v1/plants/{PLANT}/alarms/{row['number']}"
    reason = "=HYPERLINK(0) ordered"
    order = {"hours": 8, "reason": reason}
    assert client.post(f"{address}/acknowledge", headers=head).status_code == 204
    assert (
        client.post(f"{address}/shelve", headers=head, json={**order, "hours": 48}).status_code
        == 422
    )
    assert client.post(f"{address}/shelve", headers=head, json=order).status_code == 204
    assert client.post(f"{address}9/acknowledge", headers=head).status_code == 404
    told = client.get("/api/v1/alarms").json()
    assert told["standing"][0]["shelf"]["reason"] == reason
    assert told["standing"][0]["acknowledged_by"] == "operator"
    page = client.get("/api/v1/alarms/events?count=2").json()
    assert [one["what"] for one in page["events"]] == ["shelved", "acknowledged"]
    rest = client.get(f"/api/v1/alarms/events?before={page['next']}").json()
    assert [one["what"] for one in rest["events"]] == ["raised"]
    rows = list(csv.DictReader(io.StringIO(client.get("/api/v1/alarms/events.csv").text[1:])))
    assert [one["note"] for one in rows] == [f"'{reason}", "", ""]
    assert rows[0]["by"] == "operator"
    html = client.get("/zh/alarms").text
    assert "已搁置" in html
    assert "=HYPERLINK(0) ordered" in html
    assert client.post(f"{address}/unshelve", headers=head).status_code == 204
    assert client.get("/api/v1/alarms/count").json() == {"unacknowledged": 1, "elsewhere": 0}
    form = {"csrf": done.principal.csrf, "of": PLANT}
    origin = {"Origin": str(client.base_url).rstrip("/")}
    for number, told in ((row["number"], "seen"), (row["number"] + 9, "gone")):
        answer = client.post(
            f"/en/plants/{PLANT}/alarms/{number}/acknowledge", data=form, headers=origin,
            follow_redirects=False,
        )  # fmt: skip
        assert answer.headers["location"] == f"/en/alarms?plant={PLANT}&done={told}"
    assert "Nothing was done" in client.get(answer.headers["location"]).text


def test_on_a_demo_whoever_is_there_acknowledges_from_its_own_pages_alone() -> None:
    """`visitors_operate`: no session, so that where a form comes from is what counts."""
    clock = ManualClock()
    hub = LiveHub(clock)
    hub.on_config(PLANT, GATEWAY, configuration())
    hub.on_live(PLANT, GATEWAY, payload(0))
    alarms, shifts = alarm_parts(hub, clock, Months(), EndingKeys(), None)
    asyncio.run(alarms.look(PLANT))
    accounts = make_accounts(unsigned=VISITING_OPERATOR)
    client = make_client(make_app(hub, accounts=accounts, alarms=alarms, shifts=shifts))
    base = str(client.base_url).rstrip("/")
    assert ">Acknowledge</button>" in client.get("/en/alarms").text
    ((alarm, _),) = alarms.standing([PLANT])
    path = f"/en/plants/{PLANT}/alarms/{alarm.number}/acknowledge"
    for origin in ("http://evil.example", "null"):
        answer = client.post(path, data={"of": ""}, headers={"Origin": origin})
        assert answer.status_code == 403
    assert client.post(path, data={"of": ""}).status_code == 403
    assert alarms.unacknowledged([PLANT]) == 1
    answer = client.post(path, data={"of": ""}, headers={"Origin": base}, follow_redirects=False)
    assert answer.headers["location"] == "/en/alarms?done=seen"
    assert alarms.standing([PLANT])[0][0].acknowledged_by == "visitor"
    # all else that needs an account needs one still
    assert client.get("/en/account", follow_redirects=False).headers["location"] == (
        "/en/sign-in?next=/en/account"
    )
    assert client.post("/api/v1/months/mini/2026-09/close", json={}).status_code == 401


@pytest.mark.parametrize(
    ("header", "is_taken"),  # RFC 7239, RFC 9110 section 7.6.3; the rest by custom
    [("Accept-Language", True), ("Forwarded", False), ("Via", False), ("X-Forwarded-For", False),
     ("X-Forwarded-Proto", False), ("x-forwarded-server", False), ("X-Real-IP", False)],
)  # fmt: skip
def test_on_a_demo_nobody_behind_a_proxy_acknowledges(header: str, *, is_taken: bool) -> None:
    """It asks from this machine, and with its Host and Origin; whoever asks it reads, as before."""
    hub = LiveHub(ManualClock())
    hub.on_config(PLANT, GATEWAY, configuration())
    hub.on_live(PLANT, GATEWAY, payload(0))
    alarms, shifts = alarm_parts(hub, ManualClock(), Months(), EndingKeys(), None)
    asyncio.run(alarms.look(PLANT))
    accounts = make_accounts(unsigned=VISITING_OPERATOR)
    client = make_client(make_app(hub, accounts=accounts, alarms=alarms, shifts=shifts))
    client.headers |= {header: "", "Origin": str(client.base_url).rstrip("/")}
    page = client.get("/en/alarms")
    assert (page.status_code, ">Acknowledge</button>" in page.text) == (200, is_taken)
    ((alarm, _),) = alarms.standing([PLANT])
    for base in ("/api/v1", "/en"):
        path = f"{base}/plants/{PLANT}/alarms/{alarm.number}/acknowledge"
        assert (client.post(path, data={"of": ""}).status_code == 401) is not is_taken
    assert alarms.unacknowledged([PLANT]) == int(not is_taken)


def test_http_1_0_is_a_proxys_and_no_browsers() -> None:
    versions = {v: {"type": "http", "http_version": v, "headers": []} for v in ("1.0", "1.1")}
    found = {v: unsigned_of(HTTPConnection(s), VISITING_OPERATOR) for v, s in versions.items()}
    assert found == {"1.0": VISITOR, "1.1": VISITING_OPERATOR}
    # everybody else is who they are, by whatever way they come
    assert unsigned_of(HTTPConnection(versions["1.0"]), STRANGER) == STRANGER


@pytest.mark.parametrize(
    ("http", "is_taken"),
    [({"accounts": False}, True), ({}, False), ({"accounts": False, "names": ["a.example"]}, False),
     ({"accounts": False, "allow_remote": True, "host": "0.0.0.0"}, False)],  # noqa: S104 - it is refused
)  # fmt: skip
def test_visitors_operate_on_one_machine_without_accounts_alone(
    http: dict[str, Any], *, is_taken: bool
) -> None:
    problems: list[Problem] = []
    for table in ({}, http, {**http, "visitors_operate": True}):
        read = read_http(Fields(table, file="CLOUD.toml", prefix="http", problems=problems))
        assert read.visitors_operate is ("visitors_operate" in table)
    assert [one.key for one in problems] == ([] if is_taken else ["http.visitors_operate"])
