"""/api/v1/plants/{plant}/series: buckets as JSON columns and CSV, single readings, bounds."""

import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from cloud.drill.desk import DrillDesk
from cloud.live.hub import LiveHub
from cloud.series.bucket import DAY_S, SECOND_NS
from cloud.series.desk import SeriesDesk
from cloud.series.embedded import EmbeddedSeries
from cloud.series.follow import SeriesFollower
from evidence import cbor
from evidence.blocks import compress
from evidence.frame import TYP_CONFIG, TYP_FRAME, Body, Clock, Section, encode_body
from evidence.groups import Group
from evidence.log import Kind
from evidence.points import Dtype
from tests.unit.cloud.app_examples import make_app, make_client
from tests.unit.cloud.evidence_examples import ManualClock
from tests.unit.cloud.live_examples import ManualClock as HubClock
from tests.unit.cloud.month_examples import Desk
from tests.unit.evidence import sealed_month as sm

PATH = f"/api/v1/plants/{sm.PLANT}/series"
MINUTE_NS = 60 * SECOND_NS
#: 2026-06-15T05:00:00Z
HOUR_NS = sm.START_NS + 20 * SECOND_NS


class NoPapers:
    standing = None

    def papers(self, plant: str) -> "NoPapers":
        return self


def frame(start_ns: int, flows: list[float], marks: list[int], energy: list[int]) -> Body:
    """Gas flow and energy every ten seconds."""
    ticks, zeros = len(flows), np.zeros((2, len(flows)), np.uint8)
    flow = np.array([flows, flows], "<f4")
    quality = np.array([marks, [0] * ticks], np.uint8)
    groups = (
        Group(3, Dtype.U32, np.array([energy, energy], "<u4"), zeros),
        Group(4, Dtype.F32, flow, quality),
    )
    section = Section(
        1, start_ns, 10 * SECOND_NS, ticks, groups, np.zeros((1, ticks), np.int32), (1,)
    )
    return Body(start_ns, Clock("simulated", 1, 0, bytes(16)), 8, (section,))


@pytest.fixture
def client(desk: Desk, tmp_path: Path) -> Iterator[TestClient]:
    """A minute with a bad reading, one without any good, one that is missing, two more."""
    config = sm.configuration()
    desk.take(Kind.CONFIG, TYP_CONFIG, compress(cbor.encode(config)))
    energy = [4_294_967_290, 4_294_967_291, 4_294_967_292, 0, 1, 2]
    for minute, flows, marks in (
        (0, [1.5, 2.5, 7.0, 1.0, 1.0, 1.2], [0, 0, 128, 0, 18, 0]),
        (1, [9.0] * 6, [128, 129, 135, 128, 128, 128]),
        (3, [4.0] * 6, [0] * 6),
        (4, [math.nan, math.inf, -math.inf, 4.0, 4.0, 4.0], [0, 128, 18, 0, 0, 0]),
    ):
        body = frame(HOUR_NS + minute * MINUTE_NS, flows, marks, energy)
        desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)
    hub = LiveHub(HubClock())
    hub.on_config(sm.PLANT, sm.STREAM, config)
    store = EmbeddedSeries(tmp_path / "series.db", 90, ManualClock(HOUR_NS))
    follower = SeriesFollower(desk, store)
    while follower.step(sm.PLANT) == 0.0:
        pass
    papers: Any = NoPapers()
    drill = DrillDesk(desk, papers, lambda *_: None)
    yield make_client(make_app(hub, series=SeriesDesk(store, follower), drill=drill))
    store.close()


def ask(client: TestClient, point: str = "gas.flow", **query: Any) -> Any:
    span = {"from": HOUR_NS, "to": HOUR_NS + 10 * MINUTE_NS}
    return client.get(PATH, params={"point": point, **span, **query})


def test_a_minute_has_its_numbers_and_a_gap_none(client: TestClient) -> None:
    told = ask(client).json()
    assert (told["plant"], told["point"], told["step_s"]) == (sm.PLANT, "gas.flow", 60)
    (one,) = told["series"]
    assert one == {
        "gateway": sm.STREAM, "unit": "Nm3/h", "decimals": 1, "open_ns": None,
        "quantity": {
            "kind": "gas-flow", "unit": "Nm3/h", "reference": "0C-101.325kPa", "moisture": "dry",
        },
        "through_ns": HOUR_NS + 4 * MINUTE_NS,
        "from_ns": [HOUR_NS, HOUR_NS + MINUTE_NS, HOUR_NS + 3 * MINUTE_NS],
        "count": [5, 0, 6],
        "min": ["1.0", None, "4.0"],
        "mean": ["1.440", None, "4.000"],  # (1.5 + 2.5 + 1.0 + 1.0 + 1.2) / 5
        "max": ["2.5", None, "4.0"],
        "last": ["1.2", None, "4.0"],
        "quality": [128, 135, 0],
    }  # fmt: skip


def test_a_day_that_runs_is_there_and_open(client: TestClient) -> None:
    (one,) = ask(client, point="ac.energy", step="86400").json()["series"]
    # 13:00 in Shanghai: the day began at 16:00 UTC the day before
    assert (one["from_ns"], one["open_ns"]) == ([HOUR_NS - 13 * 3_600 * SECOND_NS],) * 1 + (
        HOUR_NS - 13 * 3_600 * SECOND_NS,
    )
    # per minute 3 × 4,294,967,291 + 0 + 1 + 2: a mean that no 32 bits hold, exact
    assert (one["count"], one["mean"]) == ([18], ["2147483646.00"])
    assert (one["min"], one["max"], one["last"]) == (["0"], ["4294967292"], ["2"])


def test_single_readings_come_from_the_frames(client: TestClient) -> None:
    (one,) = ask(client, step="raw", to=HOUR_NS + MINUTE_NS).json()["series"]
    assert one["from_ns"] == [HOUR_NS + i * 10 * SECOND_NS for i in range(6)]
    assert one["last"] == ["1.5", "2.5", None, "1.0", "1.0", "1.2"]
    assert (one["count"], one["quality"]) == ([1, 1, 0, 1, 1, 1], [0, 0, 128, 0, 18, 0])
    assert ask(client, step="raw", gateway="edge-9").json()["series"] == []
    span = {"from": HOUR_NS + 4 * MINUTE_NS, "to": HOUR_NS + 5 * MINUTE_NS}
    (one,) = ask(client, step="raw", **span).json()["series"]
    assert one["last"] == [None, None, None, "4.0", "4.0", "4.0"]
    assert one["quality"] == [133, 128, 133, 0, 0, 0]  # no number, though signed as usable


def test_csv_has_the_same(client: TestClient) -> None:
    answer = ask(client, form="csv")
    assert answer.headers["content-disposition"].endswith(f'{sm.PLANT}-gas.flow.csv"')
    head, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    says = "good", "outside the allowed range", "device did not answer in time"
    assert head == [
        "gateway", "point", "unit", "from_utc", "count", "min", "mean", "max", "last", "quality",
        "says",
    ]  # fmt: skip
    of = [sm.STREAM, "gas.flow", "Nm3/h"]
    assert rows == [
        [*of, "2026-06-15T05:00:00Z", "5", "1.0", "1.440", "2.5", "1.2", "128", says[2]],
        [*of, "2026-06-15T05:01:00Z", "0", "", "", "", "", "135", says[1]],
        [*of, "2026-06-15T05:03:00Z", "6", "4.0", "4.000", "4.0", "4.0", "0", says[0]],
    ]


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ({"step": "60", "from": HOUR_NS - 2 * DAY_S * SECOND_NS}, 422, "holds 2000 buckets"),
        ({"step": "raw", "to": HOUR_NS + 61 * MINUTE_NS}, 422, "by the hour"),
        ({"from": HOUR_NS, "to": HOUR_NS}, 422, "must be before"),
        ({"to": 2**62}, 422, "less than"),
        ({"step": "5"}, 422, "auto"),
        ({"point": "no.such.point"}, 200, '"series":[]'),
        ({"from": 0, "to": 2**62 - 1, "step": "auto"}, 422, "holds 2000 buckets"),
    ],
)
def test_what_cannot_be_told_is_said(
    client: TestClient, query: dict[str, Any], status: int, says: str
) -> None:
    answer = ask(client, **query)
    assert (answer.status_code, says in answer.text) == (status, True), answer.text
