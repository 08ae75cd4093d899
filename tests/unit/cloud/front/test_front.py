"""One front over two collectors on loopback: lists, silence, a plant that moves, who may read."""

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud.front.passing import AT_ONCE
from tests.unit.cloud.fake_collector import FakeCollector
from tests.unit.cloud.front.front_examples import (
    HOSTILE,
    READER,
    Cells,
    FakeSlice,
    Fronted,
    Slice,
    over,
    rows_of,
)

BASIC = base64.b64encode(f"{READER}:{READER * 8}".encode()).decode()


@pytest.fixture
def slices() -> Iterator[dict[str, Slice]]:
    made = {"north": Slice("mini"), "south": Slice("kiln", name=HOSTILE)}
    yield made
    for one in made.values():
        one.kill()


def test_lists_are_merged_and_each_row_says_whose_it_is(fronted: Fronted) -> None:
    whose = {"collector_answers": True, "collector_heard_ns": fronted.clock.now_ns}
    for path, key in (("plants", ""), ("streams", ""), ("months", ""), ("overview", "plants")):
        told = fronted.get(path)
        rows = told[key] if key else told
        assert [row["collector"] for row in rows] == ["north", "south"], path
        raw = fronted.front.listeners[0].asked.get(path)
        assert {**(raw[key] if key else raw)[0], **whose, "collector": "north"} == rows[0]
    assert fronted.get("reviews") == {"reviews": [], "next": None, "more": 0}
    alarms = fronted.get("alarms")
    assert {one["collector"] for one in alarms["standing"]} <= {"north", "south"}
    assert (alarms["unacknowledged"], alarms["new_in_last_hour"]) == (0, 0)
    assert fronted.get("health")["status"] == "ok"
    assert 'stackproof_front_collector_up{collector="south"} 1.0' in fronted.page("/metrics")


def test_what_is_of_one_plant_comes_unchanged_from_where_it_is(fronted: Fronted) -> None:
    for plant, name in (("mini", "north"), ("kiln", "south")):
        for path in (f"points?plant={plant}", f"plants/{plant}/effects.csv?pot=01",
                     f"months?plant={plant}", f"plants/{plant}/months/2026-09"):  # fmt: skip
            answer = fronted.client.get(f"/api/v1/{path}")
            own = fronted.front.listeners[name == "south"].asked.reach(path)
            assert (answer.status_code, answer.content) == (200, own.read()), path
            assert answer.headers["stackproof-collector"] == name
            assert answer.headers["content-type"] == own.headers["content-type"]
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    # what the collector says no to is told as it says it
    assert "has no month" in fronted.get("plants/mini/months/2020-01", 404)["detail"]
    assert fronted.get("plants/nowhere/effects", 404)["detail"].startswith("no collector has")
    assert "?plant=" in fronted.get("points", 422)["detail"]
    # neither what needs more than reading, nor what leads elsewhere
    for path in ("plants/mini/receipts", "broker", "plants/mini/templates/invoice",
                 "plants/mini/documents/..", "plants/mini/documents/%2e%2e",
                 "plants/mini/documents/%2e%2e%2f%2e%2e", "session"):  # fmt: skip
        assert fronted.client.get(f"/api/v1/{path}").status_code == 404, path


def test_one_that_is_killed_is_named_with_since_when_and_its_rows_say_so(
    fronted: Fronted, slices: dict[str, Slice]
) -> None:
    heard_ns = fronted.clock.now_ns
    slices["north"].kill()
    for seconds in (10, 20):  # the first silence counts
        fronted.clock.now_ns = heard_ns + seconds * 10**9
        fronted.look()
    north, south = fronted.get("collectors")
    assert (north["answers"], south["answers"]) == (False, True)
    assert north["amiss"]["why"] == "silent"
    assert north["amiss"]["since_ns"] == heard_ns + 10 * 10**9
    assert north["plants"] == ["mini"]
    row, other = fronted.get("months")
    assert (row["plant"], row["collector_answers"]) == ("mini", False)
    assert (row["collector_heard_ns"], other["collector_answers"]) == (heard_ns, True)
    assert fronted.get("alarms")["unacknowledged"] is None
    assert fronted.get("points?plant=mini", 502)["detail"].startswith("north: ")
    assert "silent: north" in fronted.get("points?plant=other", 503)["detail"]
    assert fronted.get("health")["status"] == "amiss"
    rows = rows_of(fronted.page("/en/"))
    assert rows["Mini mini"][1].startswith("does not answer since 2026-09-21 22:13:30 (UTC+8)")
    assert set(rows["Mini mini"][2:]) == {"– not known now"}
    assert "as of 2026-09-21 22:13:20 (UTC+8); does not answer" in fronted.page("/en/gateways")
    page = fronted.page("/zh/")
    assert "端口无程序监听" in page
    assert "efused" not in page  # what the network said, in English, is for programs and the log
    assert "的数据；自" in next(
        head for head in rows_of(fronted.page("/zh/months")) if "mini" in head
    )
    slices["north"].start()
    fronted.look()
    assert [one["amiss"] for one in fronted.get("collectors")] == [None, None]
    assert rows_of(fronted.page("/en/"))["Mini mini"][1] == "its log goes on"
    assert fronted.get("alarms")["unacknowledged"] == 0


def test_what_was_not_heard_again_in_time_is_not_of_now(fronted: Fronted) -> None:
    """Due after 5 s, and 30 s late: whatever holds up the asking."""
    heard_ns = fronted.clock.now_ns
    fronted.clock.now_ns = heard_ns + 35 * 10**9
    assert rows_of(fronted.page("/en/"))["Mini mini"][3] == "35 s"  # 0 s old when it was heard
    fronted.clock.now_ns += 1
    assert {one["amiss"]["since_ns"] for one in fronted.get("collectors")} == {heard_ns}
    assert rows_of(fronted.page("/en/"))["Mini mini"][3] == "– not known now"


def test_a_list_without_a_collectors_rows_is_none(tmp_path: Path, slices: dict[str, Slice]) -> None:
    fronted = Fronted(tmp_path, slices)
    assert fronted.client.get("/readyz").status_code == 503
    slices["south"].kill()
    fronted.look()
    assert fronted.client.get("/readyz").status_code == 200
    assert "months of south are not known" in fronted.get("months", 503)["detail"]
    assert "south" in rows_of(fronted.page("/en/"))
    slices["south"].start()
    fronted.look()
    assert len(fronted.get("months")) == 2


def test_a_plant_that_moves_is_followed_and_one_at_two_is_told(
    fronted: Fronted, slices: dict[str, Slice]
) -> None:
    slices["south"].take("mini")
    fronted.look()
    assert fronted.get("health")["twice"] == {"mini": ["north", "south"]}
    assert fronted.get("points?plant=mini", 409)["detail"].startswith("mini is at north, south")
    assert "also at south: only one collector may have it" in fronted.page("/en/")
    slices["north"].give_up("mini")
    fronted.look()
    assert fronted.get("health")["twice"] == {}
    assert fronted.client.get("/api/v1/points?plant=mini").headers["stackproof-collector"] == (
        "south"
    )
    fronted.look()
    assert {row["collector"] for row in fronted.get("months")} == {"south"}
    # that one falls silent, and the plant is restored elsewhere: who answers has it
    slices["south"].kill()
    slices["north"].take("mini")
    fronted.look()
    assert fronted.client.get("/api/v1/points?plant=mini").headers["stackproof-collector"] == (
        "north"
    )
    slices["south"].start()


def test_hostile_names_are_text(fronted: Fronted) -> None:
    page = fronted.page("/en/")
    assert f"{HOSTILE} kiln" in rows_of(page)
    assert "img" not in Cells(page).tags
    assert set(Cells(page).links) >= {f"{one.heard.pages}/en/" for one in fronted.front.listeners}


@pytest.mark.parametrize(
    ("reader", "headers", "status"),
    [
        ("", {}, 200),
        (READER, {}, 401),
        (READER, {"Authorization": f"Bearer {READER * 8}"}, 200),
        (READER, {"Authorization": f"Basic {BASIC}"}, 200),
        (READER, {"Authorization": f"Basic {BASIC[:-4]}"}, 401),
        (READER, {"Authorization": "Basic !!"}, 401),
        (READER, {"Authorization": f"Bearer {READER * 7}"}, 401),
        (READER, {"Authorization": f"Digest {READER * 8}"}, 401),
        (READER, {"Authorization": "Bearer \xff".encode("latin-1")}, 401),
    ],
)
def test_who_may_read(tmp_path: Path, reader: str, headers: Any, status: int) -> None:
    fronted = Fronted(tmp_path, {"north": FakeSlice()}, reader=reader)
    for path in ("/en/", "/api/v1/collectors", "/metrics", "/static/css/base.css"):
        answer = fronted.client.get(path, headers=headers)
        assert answer.status_code == status, path
        assert answer.headers["x-frame-options"] == "DENY"
    assert fronted.client.get("/livez").status_code == 200
    assert fronted.client.get("/en/", headers={"Host": "evil.example"}).status_code == 400
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert fronted.client.request(method, "/api/v1/plants", headers=headers).status_code == 405


@pytest.mark.parametrize(
    ("role", "scopes", "why"),
    [
        ("engineer", ("see", "evidence", "records", "sign"), "sign"),
        ("accountant", ("see", "months"), "months"),
        ("reviewer", ("see", "evidence", "records"), ""),
    ],
)
def test_a_token_that_may_more_or_is_a_reviewers_is_not_used(
    tmp_path: Path, role: str, scopes: tuple[str, ...], why: str
) -> None:
    one = Slice("mini", role=role, scopes=scopes)
    try:
        fronted = Fronted(tmp_path, {"north": one})
        fronted.look()
        amiss = fronted.get("collectors")[0]["amiss"]
        assert (amiss["why"], amiss["detail"]) == ("more" if why else "reviewer", why)
        fronted.get("points?plant=mini", 503)
    finally:
        one.kill()


def test_what_a_token_may_not_is_said(tmp_path: Path) -> None:
    one = Slice("mini", scopes=("see",))
    try:
        fronted = Fronted(tmp_path, {"north": one})
        fronted.look()
        assert len(fronted.get("months")) == 1
        assert "lacks evidence" in fronted.get("streams", 503)["detail"]
        page = fronted.page("/en/")
        told = "not shown: its token may not read the evidence log (evidence)"
        assert rows_of(page)["Mini mini"][1] == told
        assert fronted.get("plants/mini/log/checkpoint", 502)["detail"].endswith(": 403")
    finally:
        one.kill()


MONTH = {
    "plant": "mini", "month": "2026-09", "zone": "UTC", "state": "sealed", "level": "none",
    "deadline": None, "days_left": None, "owed": [], "archives": [],
    "readings": {"count": 1, "due": 1, "reserved": 0, "bad": 0},
}  # fmt: skip
STRANGE: list[tuple[str, Any]] = [
    ("rights", {"rights": "see"}), ("rights", b"<html>"), ("overview", {"plants": [{"plant": 3}]}),
    ("overview", {"plants": [{"plant": {"id": "../../x"}, "headline": None, "trusted": None,
                              "gateways": {"all": 1, "offline": 0, "silent": 0}}]}),
    ("months", [{"plant": "mini", "month": "2026-13"}]), ("reviews", {"reviews": 7}),
    ("streams", {"plant": "mini"}), ("health", []), ("alarms", b"[" * 100_000),
    ("plants", [{"id": "mini", "name": 3}]),
    # what Python reads as JSON and nobody can write again, or no page can show
    ("plants", b'[{"id": "mini", "x": NaN}]'), ("plants", b'[{"id": "mini", "x": 1e999}]'),
    ("plants", b'[{"id": "mini", "x": "\\ud800"}]'),
    ("plants", b'[{"id": "mini", "x": ' + b"[" * 500 + b"]" * 500 + b"}]"),
    ("overview", {"plants": [{"plant": {"id": "mini"}, "headline": None,
                              "trusted": {"share": float("nan"), "lowest": "", "lowest_share": 1.0},
                              "gateways": {"all": 1, "offline": 0, "silent": 0}}]}),
    ("streams", b'[{"plant": "mini", "gateway": "a", "next_seq": %b, "receipted_seq": null, '
                b'"missing": null, "refused": {}, "alarms": []}]' % (b"9" * 4_300)),
    ("months", [{**MONTH, "readings": {"count": 1, "reserved": 0, "bad": 0}}]),
    ("months", [{**MONTH, "zone": "Mars/Olympus"}]),
    ("months", [{**MONTH, "archives": [{"newest": True, "sha256": "0" * 64}]}]),
    ("months", [{**MONTH, "archives": [{"newest": True, "sha256": "0" * 64, "verified": {
        "verdict": "fine", "code": "", "substituted_percent": None, "version": "", "at_ns": 0}}]}]),
    ("months", [{**MONTH, "sealed": {"exit_status": 3, "headline": {"en": "PASSED"}, "code": "",
                                     "beside_total": {"en": "", "zh": ""}, "why": {}}}]),
    # pages that never end
    ("reviews", {"reviews": [], "next": ""}),
]  # fmt: skip


def test_what_is_no_answer_of_a_collector_is_told_and_shown_nowhere(
    tmp_path: Path, strange: FakeCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud.front.listener.REVIEW_PAGES_MAX", 3)
    fronted = over(tmp_path, strange)
    assert fronted.get("collectors")[0]["amiss"] is None
    for path, body in STRANGE:
        before = strange.answers[f"/api/v1/{path}"]
        strange.answer(path, body)
        strange.answer(f"{path}?after=", body)
        fronted.look()
        (told,) = fronted.get("collectors")
        assert told["parts"][path]["amiss"]["why"] in ("strange", "silent"), (path, body)
        for page in ("/en/", "/zh/months", "/en/gateways"):
            fronted.page(page)
        for name in ("overview", "streams", "plants", "months", "reviews"):
            fronted.get(name)
        strange.answers[f"/api/v1/{path}"] = before
    fronted.look()
    assert fronted.get("collectors")[0]["amiss"] is None
    assert {json.dumps(asked[0]) for asked in strange.asked} == {'"GET"'}


@pytest.mark.parametrize(
    ("part", "body"),
    [
        ("streams", [{}] * 30_000),
        ("months", [{"archives": [{}] * 30_000}]),
        ("health", {"status": "ok", "served": [], "amiss": {f"A{n}": "" for n in range(30_000)}}),
    ],
)
def test_what_is_wrong_of_many_rows_is_told_once(
    tmp_path: Path,
    strange: FakeCollector,
    caplog: pytest.LogCaptureFixture,
    *,
    part: str,
    body: Any,
) -> None:
    """Of 6 MB, two million errors took 12 GB of memory, and as many lines of the log."""
    strange.answer(part, body)
    (told,) = over(tmp_path, strange).get("collectors")
    assert told["parts"][part]["amiss"]["why"] == "strange"
    (said,) = [one for one in caplog.messages if one.startswith(f"north: {part}:")]
    assert len(said) < 600


def test_a_page_that_a_collector_sends_is_never_a_page_of_the_front(
    tmp_path: Path, strange: FakeCollector
) -> None:
    fronted = over(tmp_path, strange)
    strange.answer("plants/mini/effects", b"<script>alert(1)</script>")
    for kind in ("", "text/html; charset=utf-8", "text/javascript", "application/xhtml+xml",
                 "image/svg+xml"):  # fmt: skip
        strange.kinds["/api/v1/plants/mini/effects"] = kind
        answer = fronted.client.get("/api/v1/plants/mini/effects")
        assert answer.headers["content-type"] == "application/octet-stream", kind
        assert answer.headers["content-disposition"] == "attachment"
    strange.answer("plants/mini/plan", b"", 302)
    assert "refuses the front: 302" in fronted.get("plants/mini/plan", 502)["detail"]
    strange.answer("plants/mini/plan", b"", 777)
    assert "refuses the front: 777" in fronted.get("plants/mini/plan", 502)["detail"]
    strange.answer("plants/mini/plan", {"detail": "x"}, 401)
    assert "refuses the front: 401" in fronted.get("plants/mini/plan", 502)["detail"]


def test_a_reader_who_takes_nothing_holds_no_place(
    tmp_path: Path, strange: FakeCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    fronted = over(tmp_path, strange)
    strange.answer("plants/mini/effects", b"x" * 1000)
    monkeypatch.setattr("cloud.front.passing.ANSWER_S", 0.05)
    app = fronted.client.app
    scope = {
        "type": "http", "method": "GET", "path": "/api/v1/plants/mini/effects", "query_string": b"",
        "headers": [(b"host", b"localhost")], "asgi": {"version": "3.0"}, "http_version": "1.1",
        "scheme": "http", "server": ("localhost", 80), "client": ("127.0.0.1", 1), "root_path": "",
    }  # fmt: skip

    async def never(_: object = None) -> Any:
        await asyncio.Event().wait()

    for _ in range(AT_ONCE + 1):
        with pytest.raises(TimeoutError):
            asyncio.run(app(dict(scope), never, never))
