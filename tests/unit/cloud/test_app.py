"""The JSON routes, the bearer token, the Host check and the headers of every answer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from starlette.datastructures import Headers
from starlette.types import Message

from cloud.api.security import same_origin, token_matches
from cloud.errors import NotServedError
from cloud.live.hub import LiveHub
from tests.unit.cloud.app_examples import (
    TOKEN,
    Months,
    NoSeries,
    Streams,
    make_app,
    make_client,
    make_hub,
    make_services,
)
from tests.unit.cloud.live_examples import GATEWAY, PLANT, T0, ManualClock, configuration

STRICT = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self'"
)
CLOSE = f"/api/v1/months/{PLANT}/2026-09/close"


def bearer(token: str = TOKEN) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_health_tells_what_the_live_view_refused() -> None:
    hub = make_hub()
    hub.on_live(PLANT, GATEWAY, b"x")
    health = make_client(make_app(hub)).get("/api/v1/health").json()
    series = health.pop("series")
    assert (series["kind"], series["plants"][0]["behind_ns"]) == ("influxdb", 90 * 10**9)
    assert health == {
        "status": "ok", "server_ns": T0, "plants": 1, "viewers": 0, "live_refused": {"json": 1},
        "strangers_refused": {"unknown-plant": 3}, "served": [PLANT], "amiss": {},
        "broker_away_s": None, "broker_unkept_s": None,
        "broker_register": "", "scrub": [],
    }  # fmt: skip


def test_health_tells_why_series_of_a_plant_that_was_never_followed_do_not_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    amiss = {
        (PLANT, "another"): "is of another gateway", (PLANT, ""): "refuses (400)",
        ("maxi", ""): "/srv/evidence/maxi/index: damaged",
    }  # fmt: skip
    monkeypatch.setattr(NoSeries, "trouble", lambda _: amiss)
    told = make_client().get("/api/v1/health").json()["series"]["plants"]
    assert [(one["plant"], one["gateway"], one["through_ns"]) for one in told] == [
        (PLANT, GATEWAY, T0), ("maxi", "", 0)
    ]  # fmt: skip
    assert told[0]["trouble"] == "refuses (400)"
    assert "damaged" in told[1]["trouble"]
    assert "/srv" not in told[1]["trouble"]
    del amiss[PLANT, ""]
    told = make_client().get("/api/v1/health").json()["series"]["plants"]
    assert told[0]["trouble"] == ""
    amiss[PLANT, GATEWAY] = "its evidence cannot be read"
    told = make_client().get("/api/v1/health").json()["series"]["plants"]
    assert told[0]["trouble"] == "its evidence cannot be read"


def test_health_names_the_plants_that_are_not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    amiss = {"maxi": {"not-served": "Too many open files"}}
    monkeypatch.setattr(Streams, "amiss", lambda _: amiss)
    answer = make_client().get("/api/v1/health").json()
    assert (answer["status"], answer["amiss"]) == ("amiss", amiss)


def test_months_of_a_plant_that_cannot_be_asked_are_a_sentence() -> None:
    class Refusing(Months):
        error: Exception

        def rows(self, plant: str) -> Sequence[Mapping[str, Any]]:
            raise self.error

    months = Refusing()
    client = make_client(make_app(months=months))
    months.error = NotServedError("waits")
    answer = client.get("/api/v1/months", params={"plant": PLANT})
    assert (answer.status_code, answer.json()) == (503, {"detail": "waits"})
    page = client.get("/zh/months")
    assert (page.status_code, "采集端磁盘无法提供本页内容" in page.text) == (503, True)


def test_plants_streams_and_months() -> None:
    client = make_client()
    assert client.get("/api/v1/plants").json()[0]["name"] == "Mini"
    assert client.get("/api/v1/streams").json()[0]["next_seq"] == 8
    for params in ({"plant": PLANT}, {}):
        (row,) = client.get("/api/v1/months", params=params).json()
        assert (row["month"], row["plant"], row["state"]) == ("2026-09", PLANT, "open")
    row = client.get(f"/api/v1/plants/{PLANT}/months/2026-09").json()
    assert [one["sentence"] for one in row["owed"]] == ["No readings of this month have come."]
    assert client.get(f"/api/v1/plants/{PLANT}/months/2026-08").status_code == 404


def test_points_stand_with_and_without_a_value() -> None:
    rows = make_client().get("/api/v1/points", params={"plant": PLANT}).json()
    by_id = {row["id"]: row for row in rows}
    volts, energy = by_id["p.01.voltage"], by_id["ac.energy"]
    assert (volts["value"], volts["unit"], volts["quality"]) == ("4.21", "V", 0)
    assert (volts["tick_ns"], volts["source_ns"]) == (T0, T0)
    assert (energy["value"], energy["quality"], energy["unit"]) == (None, None, "kWh")


def test_live_snapshot_is_what_the_socket_sends_first() -> None:
    hub = make_hub()
    answer = make_client(make_app(hub)).get("/api/v1/live/snapshot", params={"plant": PLANT})
    assert answer.json() == hub.snapshot(PLANT)


def test_history_is_two_columns() -> None:
    query = {"plant": PLANT, "point": "p.01.voltage"}
    got = make_client().get("/api/v1/history", params=query).json()
    assert got == {"point": "p.01.voltage", "ticks_ns": [T0], "values": [4.21]}


@pytest.mark.parametrize("path", ["points", "months", "live/snapshot", "history?point=p"])
def test_an_unknown_plant_is_404_and_named(path: str) -> None:
    answer = make_client().get(f"/api/v1/{path}", params={"plant": "nowhere", "point": "p"})
    assert answer.status_code == 404
    assert "nowhere" in answer.json()["detail"]


def test_history_of_an_unknown_point_is_404_and_of_an_unrecorded_one_is_empty() -> None:
    client = make_client()
    answer = client.get("/api/v1/history", params={"plant": PLANT, "point": "p.99.voltage"})
    assert answer.status_code == 404
    assert answer.json() == {"detail": f"plant {PLANT!r} has no point 'p.99.voltage'"}
    answer = client.get("/api/v1/history", params={"plant": PLANT, "point": "ac.energy"})
    assert answer.json() == {"point": "ac.energy", "ticks_ns": [], "values": []}
    # the page asks for the plant's rate before it knows whether a gateway computes it
    answer = client.get("/api/v1/history", params={"plant": PLANT, "point": "plant.co2e_t_h"})
    assert answer.status_code == 200


@pytest.mark.parametrize("plant", ["", "A B", "../etc", "x" * 41, "é"])
def test_what_is_no_plant_id_is_422(plant: str) -> None:
    assert make_client().get("/api/v1/points", params={"plant": plant}).status_code == 422


def test_closing_a_month_with_the_token() -> None:
    months = Months()
    client = make_client(make_app(months=months))
    answer = client.post(CLOSE, json={"closing": "interim"}, headers=bearer())
    assert answer.status_code == 200
    assert answer.json() == {"archive": "mini-2026-09.tar"}
    assert months.closed == [(PLANT, "2026-09", "interim")]


def test_amending_a_month_and_sealing_it_again() -> None:
    months = Months()
    client = make_client(make_app(months=months))
    order = {"closing": "final", "amend": True, "reason": "frames of day 3 came late"}
    assert client.post(CLOSE, json=order, headers=bearer()).status_code == 200
    assert months.amended == ["frames of day 3 came late"]
    sealing = CLOSE.replace("/close", "/seal")
    assert client.post(sealing, json={}, headers=bearer()).status_code == 200
    assert client.post(sealing, json={"reason": "why"}, headers=bearer()).status_code == 200
    stamp = {"time_stamp": "MAAC"}  # 30 00 02
    assert client.post(sealing, json=stamp, headers=bearer()).status_code == 200
    month = PLANT, "2026-09"
    assert months.sealed == [
        (*month, "", b""), (*month, "why", b""), (*month, "", b"\x30\x00\x02"),
    ]  # fmt: skip
    for junk in ("?", "MAA", "MAA C", 7, None, "A" * 200_000):
        wrong = client.post(sealing, json={"time_stamp": junk}, headers=bearer())
        assert wrong.status_code == 422, junk
    assert client.post(sealing, json={}).status_code == 401
    assert client.post(sealing, json={"reason": "x" * 201}, headers=bearer()).status_code == 422
    refused = client.post(sealing.replace("09", "01"), json={}, headers=bearer())
    assert (refused.status_code, refused.json()) == (409, {"detail": "2026-01 is not closed yet"})
    assert len(months.sealed) == 3


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Bearer {TOKEN.upper()}"},
    ],
)
def test_closing_a_month_without_the_right_token_is_401_and_does_nothing(
    headers: dict[str, str],
) -> None:
    months = Months()
    client = make_client(make_app(months=months))
    answer = client.post(CLOSE, json={"closing": "interim"}, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert months.closed == []


@pytest.mark.parametrize("headers", [{}, bearer("wrong")])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"/api/v1/months/{PLANT}/2026-13/close", b'{"closing": "final"}'),
        ("/api/v1/months/A_B/x/close", b'{"closing": "final"}'),
        ("/api/v1/months/nowhere/2026-09/close", b'{"closing": "final"}'),
        (CLOSE, b'{"closing": "maybe"}'),
        (CLOSE, b"{"),
        (CLOSE, b"\xff"),
        (CLOSE, b""),
    ],
)
def test_who_has_no_token_learns_nothing_of_what_else_is_wrong(
    path: str, body: bytes, headers: dict[str, str]
) -> None:
    sent = headers | {"Content-Type": "application/json"}
    answer = make_client().post(path, content=body, headers=sent)
    assert (answer.status_code, answer.json()) == (
        401, {"detail": "this needs an account, or a bearer token"},
    )  # fmt: skip
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-security-policy"] == STRICT


async def test_without_the_token_the_body_is_not_even_read() -> None:
    async def receive() -> Message:
        raise AssertionError("the body was read")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": CLOSE, "raw_path": CLOSE.encode(),
        "query_string": b"", "headers": [(b"host", b"127.0.0.1")], "http_version": "1.1",
        "scheme": "http", "root_path": "", "server": ("127.0.0.1", 8600), "client": None,
    }  # fmt: skip
    await make_app()(scope, receive, send)
    assert sent[0]["status"] == 401


def test_the_scheme_is_case_insensitive_and_odd_bytes_are_only_wrong() -> None:
    assert token_matches(f"bearer {TOKEN}", TOKEN)
    assert not token_matches("Bearer é", TOKEN)
    assert not token_matches(None, TOKEN)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"/api/v1/months/{PLANT}/2026-13/close", {"closing": "final"}),
        (f"/api/v1/months/{PLANT}/26-09/close", {"closing": "final"}),
        (f"/api/v1/months/{PLANT}/2026-09x/close", {"closing": "final"}),
        ("/api/v1/months/A_B/2026-09/close", {"closing": "final"}),
        (CLOSE, {"closing": "maybe"}),
        (CLOSE, {}),
        (CLOSE, {"closing": "final", "extra": 1}),
        (CLOSE, []),
    ],
)
def test_a_malformed_closing_is_422_and_does_nothing(path: str, body: object) -> None:
    months = Months()
    answer = make_client(make_app(months=months)).post(path, json=body, headers=bearer())
    assert answer.status_code == 422
    assert months.closed == []


def test_a_month_that_cannot_be_closed_is_409_with_the_sentence() -> None:
    path = f"/api/v1/months/{PLANT}/2026-01/close"
    answer = make_client().post(path, json={"closing": "final"}, headers=bearer())
    assert answer.status_code == 409
    assert answer.json()["detail"] == "2026-01 is closed already"


def test_closing_a_month_of_an_unknown_plant_is_404() -> None:
    path = "/api/v1/months/nowhere/2026-09/close"
    answer = make_client().post(path, json={"closing": "final"}, headers=bearer())
    assert answer.status_code == 404


def test_openapi_is_there_and_pages_that_load_foreign_scripts_are_not() -> None:
    client = make_client()
    paths = client.get("/api/openapi.json").json()["paths"]
    assert {"/api/v1/health", "/api/v1/plants", "/api/v1/months"} <= set(paths)
    assert all(path.startswith("/api/v1/") for path in paths)
    for page in ("/docs", "/redoc"):
        assert client.get(page, follow_redirects=True).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/", "/en/", "/api/v1/health", "/api/v1/points", "/static/css/base.css", "/nowhere"],
)
def test_every_answer_carries_the_security_headers(path: str) -> None:
    headers = make_client().get(path).headers
    assert headers["content-security-policy"] == STRICT
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


def test_live_answers_are_never_cached_and_files_are_asked_for_again() -> None:
    client = make_client()
    assert client.get("/api/v1/health").headers["cache-control"] == "no-store"
    assert client.get("/en/").headers["cache-control"] == "no-store"
    first = client.get("/static/css/base.css")
    assert first.headers["cache-control"] == "no-cache"
    again = client.get("/static/css/base.css", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


def test_a_cross_origin_preflight_gets_no_permission() -> None:
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    answer = make_client().options(CLOSE, headers=headers)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8600", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("[::1]:8600", 200),
        ("collector.plant.example", 200),
        ("evil.example", 400),
        ("127.0.0.1.evil.example", 400),
        ("www.collector.plant.example", 400),
        ("plant.example", 400),
        ("", 400),
    ],
)
def test_only_known_hosts_are_served(host: str, status: int) -> None:
    client = make_client(make_app(hosts=("collector.plant.example",)))
    answer = client.get("/api/v1/health", headers={"Host": host})
    assert answer.status_code == status
    assert answer.headers["content-security-policy"] == STRICT


@pytest.mark.parametrize(
    ("origin", "same"),
    [
        (None, True),
        ("http://127.0.0.1:8600", True),
        ("https://127.0.0.1:8600", True),
        ("http://127.0.0.1", False),
        ("http://127.0.0.1:8601", False),
        ("http://evil.example", False),
        ("http://127.0.0.1:8600.evil.example", False),
        ("http://127.0.0.1:8600@evil.example", False),
        ("file://127.0.0.1:8600", False),
        ("null", False),
        ("", False),
        ("http://[", False),
    ],
)
def test_origin_must_name_the_host_that_was_asked(origin: str | None, same: bool) -> None:
    given = {"host": "127.0.0.1:8600"} | ({} if origin is None else {"origin": origin})
    assert same_origin(Headers(given)) is same


def test_a_short_token_is_refused_and_no_token_is_ever_printed() -> None:
    services = make_services()
    with pytest.raises(ValueError, match="at least 16"):
        replace(services, token="short")  # noqa: S106 - the test
    assert TOKEN not in repr(services)


def test_large_answers_are_compressed_when_asked_for() -> None:
    query = {"plant": PLANT}
    answer = make_client().get("/api/v1/live/snapshot", params=query)
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json()["plant"]["id"] == PLANT


def test_a_plant_that_appears_later_is_served() -> None:
    hub = LiveHub(ManualClock())
    client = make_client(make_app(hub))
    assert client.get("/api/v1/plants").json() == []
    hub.on_config("late", "g", configuration(id="late"))
    assert [row["id"] for row in client.get("/api/v1/plants").json()] == ["late"]
