"""Frames whose ticks are far apart: few bytes, a bucket for each reading; and many in a minute."""

from pathlib import Path
from random import Random

import pytest

from cloud.series import fold, follow
from cloud.series.bucket import HOUR_NS, HOUR_S, MINUTE_NS, MINUTE_S, SECOND_NS
from cloud.series.embedded import EmbeddedSeries
from cloud.series.follow import SeriesFollower
from cloud.series.store import Batch
from evidence.frame import TYP_FRAME, Body, encode_body
from evidence.log import Kind
from tests.unit.cloud.evidence_examples import ManualClock
from tests.unit.cloud.month_examples import Desk
from tests.unit.cloud.series.test_follow import (
    START_NS,
    begin_of,
    configure,
    deliver,
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
    configure(desk, step_ns=MINUTE_NS)
    begin_ns = START_NS - START_NS % MINUTE_NS
    for number in range(3):  # 10 ticks each, a minute apart: of 30 minutes 29 are over
        body = frame(Random(number), begin_ns + number * 10 * MINUTE_NS, MINUTE_NS)
        desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)
    run(SeriesFollower(desk, store))
    assert (max(put), sum(put)) == (4, 29)
    due = plainly(readings_of(desk, "gas.flow", begin_ns + 29 * MINUTE_NS))[1]
    (found,) = of_store(store, MINUTE_S, "gas.flow").values()
    assert {one.from_ns: one for one in found} == due
    store.close()
    desk.shut()


def test_ticks_far_ahead_of_their_frame_are_in_no_series(tmp_path: Path) -> None:
    """Nothing would prune them: 8.6 kB of frames were 100 MB of the file, until 2262."""
    store = EmbeddedSeries(tmp_path / "series.db", 90, ManualClock(START_NS))
    desk = Desk(tmp_path / "evidence")
    configure(desk, step_ns=4 * HOUR_NS)
    begin_ns = (START_NS + 24 * HOUR_NS) // (4 * HOUR_NS) * 4 * HOUR_NS
    body = frame(Random(1), begin_ns, 4 * HOUR_NS)  # it comes a day before its first tick
    desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)
    run(SeriesFollower(desk, store))
    (found,) = of_store(store, MINUTE_S, "gas.flow").values()
    # it begins 16 June 04:00 and came 15 June, soon after 04:52:20
    hours = [(one.from_ns - begin_ns) // HOUR_NS for one in found]
    assert hours == [0, 4, 8, 12, 16, 20, 24]
    store.close()
    desk.shut()


def test_a_minute_of_more_objects_than_a_step_is_made_in_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million frames within one minute were one step of 86 s: no other plant's series went on."""
    read, plainly_read = [0], follow.decode_body

    def counted(payload: bytes) -> Body:
        read[-1] += 1
        return plainly_read(payload)

    monkeypatch.setattr(follow, "decode_body", counted)
    monkeypatch.setattr(follow, "STEP_OBJECTS", 4)
    store = EmbeddedSeries(tmp_path / "series.db", 90, ManualClock(START_NS))
    desk = Desk(tmp_path / "evidence")
    step_ns = SECOND_NS // 5
    configure(desk, step_ns=step_ns)
    minute_ns = START_NS - START_NS % MINUTE_NS
    for number in range(30):  # 10 ticks in 2 s each: of a minute, in which the decimals change
        if number == 17:
            configure(desk, decimals=2, step_ns=step_ns)
        body = frame(Random(number), minute_ns + number * 2 * SECOND_NS, step_ns)
        desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)
    follower = SeriesFollower(desk, store)
    while follower.step(sm.PLANT) == 0.0:
        read.append(0)
    body = frame(Random(31), minute_ns + 2 * MINUTE_NS, step_ns)  # after the next minute
    desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)
    while follower.step(sm.PLANT) == 0.0:
        assert store.marks(sm.PLANT)[sm.STREAM].next_seq == 1  # it is put when it is over
        read.append(0)
    assert follower.trouble() == {}
    assert (max(read), sum(read)) == (4, 1 + 31)  # the first showed when it begins
    through_ns = store.marks(sm.PLANT)[sm.STREAM].through_ns
    assert through_ns == minute_ns + 2 * MINUTE_NS
    due = plainly(readings_of(desk, "gas.flow", through_ns))
    found = of_store(store, MINUTE_S, "gas.flow")
    assert due == {one.decimals: {b.from_ns: b for b in of} for one, of in found.items()}
    assert set(due) == {1, 2}
    store.close()
    desk.shut()


def test_hours_of_a_backlog_older_than_minutes_are_kept_are_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted, it had what came after the start alone, and stayed so for ten years."""
    monkeypatch.setattr(follow, "STEP_OBJECTS", 8)
    store = EmbeddedSeries(tmp_path / "old.db", 90, ManualClock(START_NS + 2_400 * HOUR_NS))
    desk = Desk(tmp_path / "evidence")
    configure(desk)
    deliver(desk, 1, 0, 120)
    while SeriesFollower(desk, store).step(sm.PLANT) == 0.0:
        pass  # each step is a start
    through_ns = store.marks(sm.PLANT)[sm.STREAM].through_ns
    due = plainly(readings_of(desk, "gas.flow", through_ns), HOUR_S)[1]
    del due[begin_of(HOUR_S, through_ns)]
    (found,) = of_store(store, HOUR_S, "gas.flow").values()
    assert {one.from_ns: one for one in found} == due
    (minutes,) = of_store(store, MINUTE_S, "gas.flow").values()
    assert minutes[0].from_ns >= through_ns - HOUR_NS  # of the running hour alone
    store.close()
    desk.shut()
