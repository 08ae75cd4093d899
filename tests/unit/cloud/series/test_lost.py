"""What a store took and has no more is followed again; what it did not take is said to be owed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cloud.series import follow
from cloud.series.bucket import MINUTE_NS, MINUTE_S
from cloud.series.embedded import EmbeddedSeries
from cloud.series.follow import FULL_S, SeriesFollower
from cloud.series.store import SeriesAwayError
from tests.influx_servers import Fake, Front, serving
from tests.unit.cloud.evidence_examples import ManualClock
from tests.unit.cloud.month_examples import Desk
from tests.unit.cloud.series.test_follow import (
    EVER_NS,
    FRAME_NS,
    START_NS,
    STEP_NS,
    Away,
    configure,
    deliver,
    of_store,
    run,
)
from tests.unit.cloud.series.test_refusals import THROUGH_NS, opened, within_wait
from tests.unit.cloud.series.test_store_contract import VOLTS, batch, bucket, settled
from tests.unit.evidence import sealed_month as sm


@pytest.mark.parametrize(
    ("status", "page"),
    [
        (200, b"<html>please log in</html>"),
        (201, b'{"message":"some of it"}'),
        (502, "<html>错误的网关</html>".encode("gbk")),
    ],
)
def test_what_is_not_an_influxdbs_answer_is_no_word_that_all_is_kept(
    status: int, page: bytes, tmp_path: Path
) -> None:
    with serving(Fake()) as front:
        front.refuses, front.page = status, page
        store = opened(front, tmp_path)
        store.put(batch(VOLTS, bucket(0, 1, 1, 1, 1, 1, 0)))
        within_wait(lambda: store.state().trouble or store.marks("mini") or store.refused("mini"))
        # none is the plant's: it is the way to the store
        assert (store.marks("mini"), store.state().waiting, store.refused("mini")) == ({}, 1, "")
        front.refuses = 0
        assert settled(store).marks("mini").keys() == {"edge-1"}
        store.close()


def test_a_bucket_that_was_dropped_is_filled_again(
    influx: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While what was made from the old mark on waits, too; and of a plant that says no more."""
    monkeypatch.setattr(follow, "STEP_OBJECTS", 4)
    desk = Desk(tmp_path / "evidence")
    configure(desk)
    deliver(desk, 1, 0, 20)
    store = opened(influx, tmp_path)
    follower = SeriesFollower(desk, store)

    def through_ns() -> int:
        follower.step(sm.PLANT)
        return max((one.through_ns for one in follower.followed()), default=0)

    def minutes() -> object:
        return store.read(MINUTE_S, sm.PLANT, 0, EVER_NS, point="gas.flow")

    within_wait(lambda: through_ns() == THROUGH_NS)
    held, news = minutes(), follower._news(sm.PLANT)
    assert held
    influx.is_gone = True
    deliver(desk, 1, 20, 24)
    within_wait(lambda: through_ns() == 0)
    assert "not found" in store.state().trouble
    assert follower._news(sm.PLANT) != news  # who had nothing new is looked at again
    assert influx.engine.empty() == 200
    influx.is_gone = False
    more_ns = (START_NS + 24 * FRAME_NS - STEP_NS) // MINUTE_NS * MINUTE_NS
    within_wait(lambda: through_ns() == more_ns)
    (had,), (has,) = held.values(), minutes().values()  # type: ignore[attr-defined] # mappings
    assert has[: len(had)] == had
    follower.close()
    desk.shut()


def test_what_is_owed_is_told_while_the_store_is_full(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "POLL_S", 0.0)
    store = Away(tmp_path / "away.db", 90, ManualClock(START_NS))
    configure(desk)
    deliver(desk, 1, 0, 30)
    follower = SeriesFollower(desk, store)
    store.full = True
    for frames in (30, 60):
        assert follower.step(sm.PLANT) == FULL_S
        (followed,) = follower.followed()
        assert followed.behind_ns == START_NS + frames * FRAME_NS - STEP_NS
        deliver(desk, 1, frames, frames + 30)
    follower.close()


def damaged_head(path: Path) -> None:
    path.write_bytes(b"no database" * 1_000)


def damaged_page(path: Path) -> None:
    """One in the middle, which no start looks at."""
    data = bytearray(path.read_bytes())
    for page in range(8_192, len(data), 4_096):
        data[page : page + 512] = b"\xff" * 512
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [damaged_head, damaged_page])
def test_a_damaged_file_is_told_and_made_again(
    desk: Desk, tmp_path: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "series.db"
    configure(desk)
    deliver(desk, 1, 0, 120)

    def opened_file() -> EmbeddedSeries:
        return EmbeddedSeries(path, 3_653, ManualClock(START_NS))

    store = opened_file()
    run(SeriesFollower(desk, store))
    due = of_store(store, MINUTE_S, "gas.flow")
    store.close()
    damage(path)
    if damage is damaged_page:
        store = opened_file()
        follower = SeriesFollower(desk, store)
        deliver(desk, 1, 120, 160)
        follower.step(sm.PLANT)
        assert "start the collector again" in store.state().trouble
        follower.close()
    store = opened_file()
    assert str(path) in caplog.text
    run(SeriesFollower(desk, store))
    (was,), (now,) = due.values(), of_store(store, MINUTE_S, "gas.flow").values()
    assert now[: len(was)] == was
    assert store.state().trouble == ""
    store.close()
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith("series")] == [path.name]


def test_a_file_that_takes_nothing_is_a_store_that_is_away(tmp_path: Path) -> None:
    store = EmbeddedSeries(tmp_path / "series.db", 90, ManualClock(START_NS))
    sql = store._file._writing
    (pages,) = sql.execute("PRAGMA page_count").fetchone()
    sql.execute(f"PRAGMA max_page_count = {pages}")  # as a full disk
    many = [bucket(minute, 1, 1, 1, 1, 1, 0) for minute in range(1_000)]
    with pytest.raises(SeriesAwayError, match="full"):
        store.put(batch(VOLTS, *many))
    assert store.state().trouble.endswith("cannot be written: database or disk is full")
    sql.execute("PRAGMA max_page_count = 100000")
    store.put(batch(VOLTS, *many))
    assert store.state().trouble == ""
    store.close()
