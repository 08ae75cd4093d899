"""Frames whose ticks are far apart: few bytes, and a bucket for each reading."""

from pathlib import Path
from random import Random

import pytest

from cloud.series import fold
from cloud.series.bucket import HOUR_NS, MINUTE_NS, MINUTE_S
from cloud.series.embedded import EmbeddedSeries
from cloud.series.follow import SeriesFollower
from cloud.series.store import Batch
from evidence.frame import TYP_FRAME, encode_body
from evidence.log import Kind
from tests.unit.cloud.evidence_examples import ManualClock
from tests.unit.cloud.month_examples import Desk
from tests.unit.cloud.series.test_follow import (
    START_NS,
    configure,
    frame,
    of_store,
    plainly,
    readings_of,
    run,
)
from tests.unit.evidence import sealed_month as sm


def test_minutes_without_end_are_made_some_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """24 frames of 4,096 minutes of 500 points, 103 kB in all, took over 4 GiB, at each start."""
    put, plainly_put = list[int](), EmbeddedSeries.put

    def seen(self: EmbeddedSeries, batch: Batch) -> None:
        put.append(len({columns.from_ns for columns in batch.rows.get(MINUTE_S, ())}))
        plainly_put(self, batch)

    monkeypatch.setattr(EmbeddedSeries, "put", seen)
    monkeypatch.setattr(fold, "STEP_BUCKETS", 4 * len(sm.configuration()["points"]))
    store = EmbeddedSeries(tmp_path / "series.db", 90, ManualClock(START_NS))
    desk = Desk(tmp_path / "evidence")
    configure(desk)
    for number in range(3):  # 10 ticks each, a minute apart: of 30 minutes 29 are over
        body = frame(Random(number), START_NS + number * 10 * MINUTE_NS, MINUTE_NS)
        desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)
    run(SeriesFollower(desk, store))
    assert (max(put), sum(put)) == (4, 29)
    due = plainly(readings_of(desk, "gas.flow", START_NS + 29 * MINUTE_NS))[1]
    (found,) = of_store(store, MINUTE_S, "gas.flow").values()
    assert {one.from_ns: one for one in found} == due
    store.close()
    desk.shut()


def test_ticks_far_ahead_of_their_frame_are_in_no_series(tmp_path: Path) -> None:
    """Nothing would prune them: 8.6 kB of frames were 100 MB of the file, until 2262."""
    store = EmbeddedSeries(tmp_path / "series.db", 90, ManualClock(START_NS))
    desk = Desk(tmp_path / "evidence")
    configure(desk)
    body = frame(Random(1), START_NS, 12 * HOUR_NS)  # it comes some minutes after its first tick
    desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)
    run(SeriesFollower(desk, store))
    (found,) = of_store(store, MINUTE_S, "gas.flow").values()
    assert [(one.from_ns - START_NS) // HOUR_NS for one in found] == [-1, 11, 23, 35, 47]
    store.close()
    desk.shut()
