"""What pages ask beside the stream: plants in one line, effects as JSON and CSV; due dates."""

import csv
import io
from typing import Any

import pytest

from cloud.api.pages import due_of
from tests.unit.cloud.app_examples import make_app, make_client, make_hub
from tests.unit.cloud.live_examples import GATEWAY, PLANT, effect, payload


def client() -> Any:
    hub = make_hub()
    ended = effect(0, 62, polarised_ns=60_000_000_000, integral_v_s="1550.25", flags=["hole"])
    hub.on_live(PLANT, GATEWAY, payload(63, effects=[ended, effect(60, pot="02")]))
    return make_client(make_app(hub))


def test_effects_of_a_pot_and_of_all() -> None:
    ask = client()
    rows = ask.get("/api/v1/plants/mini/effects").json()
    assert [row["pot"] for row in rows] == ["02", "01"]
    rows = ask.get("/api/v1/plants/mini/effects?potline=line-1&pot=01").json()
    assert [row["integral_v_s"] for row in rows] == ["1550.25"]
    assert ask.get("/api/v1/plants/nowhere/effects").status_code == 404
    assert ask.get("/api/v1/plants/mini/effects?pot=%3Cscript").status_code == 422


def test_effects_as_a_table_a_spreadsheet_reads() -> None:
    """T0 is 2026-09-21 14:13:20 UTC; an effect of 62 s, then one that runs."""
    answer = client().get("/api/v1/plants/mini/effects.csv?potline=line-1")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="mini-line-1-anode-effects.csv"' in answer.headers["content-disposition"]
    running, ended = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (running["state"], running["end_utc"], running["over_target_v_s"]) == ("running", "", "")
    assert ended == {
        "potline": "line-1", "pot": "01", "start_utc": "2026-09-21 14:13:20 UTC",
        "end_utc": "2026-09-21 14:14:22 UTC", "time_zone": "Asia/Shanghai", "duration_s": "62.0",
        "polarised_s": "60.0", "v_max_v": "31.2", "over_target_v_s": "1550.25",
        "cf4_kg_indicator": "0.013", "state": "ended", "flags": "hole",
    }  # fmt: skip


def test_plants_in_one_line_each() -> None:
    told = client().get("/api/v1/overview").json()
    assert [row["plant"]["id"] for row in told["plants"]] == ["mini"]
    assert told["plants"][0]["effects"][0]["pot"] == "02"


@pytest.mark.parametrize("page", ["line", "figures", "meters", "fleet", "lines/line-1/pots/01"])
def test_pages_of_a_plant_and_of_none(page: str) -> None:
    ask = client()
    html = ask.get(f"/zh/plants/mini/{page}")
    assert html.status_code == 200
    assert f'href="/en/plants/mini/{page}"' in html.text  # the language switch stays on the page
    assert ask.get(f"/zh/plants/nowhere/{page}").status_code == 404


def test_a_pot_that_is_not_there() -> None:
    assert client().get("/en/plants/mini/lines/line-1/pots/99").status_code == 404
    assert client().get("/en/plants/mini/lines/line-9/pots/01").status_code == 404


METERS = [{"id": "m-1", "device": "gas-1"}, {"id": "m-2", "device": "gas-1"},
          {"id": "m-3", "device": "ac-1"}, {"id": "m-4", "device": ""}]  # fmt: skip
CERTIFICATES = [
    {"meter": "m-1", "due": "2026-03-01"}, {"meter": "m-1", "due": "2027-03-01"},
    {"meter": "m-2", "due": "2026-01-15"},
]  # fmt: skip


def test_what_of_a_device_falls_due_first() -> None:
    """The newest certificate of each meter counts; of a device the earliest of its meters."""
    told = {"plan": {"meters": METERS}, "certificates": CERTIFICATES}
    assert due_of(told, "2026-01-15") == {
        "gas-1": {"day": "2026-01-15", "is_late": False}, "ac-1": {"day": "", "is_late": True},
    }  # fmt: skip
    assert due_of(told, "2026-01-16")["gas-1"]["is_late"] is True
    assert due_of({"plan": None, "certificates": []}, "2026-01-16") == {}
