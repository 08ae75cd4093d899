"""The committed log into a store: what a plain reading of it gives, whenever it was interrupted."""

import sqlite3
import weakref
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from cloud.collector.identity import PlantIdentity, read_issued, read_root
from cloud.commands.series import refill
from cloud.config import CloudConfig, load_cloud
from cloud.series import fold, follow
from cloud.series.bucket import DAY_S, HOUR_S, MINUTE_NS, MINUTE_S, SECOND_NS, Bucket, Series
from cloud.series.desk import SeriesDesk, SpanError, step_for
from cloud.series.embedded import EmbeddedSeries
from cloud.series.fold import Form
from cloud.series.follow import FULL_S, SeriesFollower
from cloud.series.influxdb import InfluxSeries
from cloud.series.opening import open_series
from cloud.series.store import SeriesAwayError, SeriesStore
from evidence import cbor
from evidence.blocks import compress
from evidence.drill.readings import HOUR_NS, PointReader, Reading
from evidence.frame import TYP_CONFIG, TYP_FRAME, Body, Clock, Section, encode_body
from evidence.groups import Group
from evidence.keys import certificate_to_pem
from evidence.log import Kind
from evidence.points import Dtype
from tests.influx_servers import BUCKET, TOKEN, Fake, serving
from tests.unit.cloud.evidence_examples import CLOUD_HEAD, CLOUD_PLANT, ManualClock, make_plant
from tests.unit.cloud.month_examples import Desk
from tests.unit.cloud.series.conftest import INFLUX, engine_of
from tests.unit.cloud.series.test_series_api import HOUR_NS as MINUTE_START_NS
from tests.unit.cloud.series.test_series_api import frame as minute_of
from tests.unit.cloud.series.test_store_contract import influx_config, settled
from tests.unit.evidence import sealed_month as sm

#: 2026-06-15T04:52:20Z: frames of 100 s, so that most minutes are in two of them
START_NS = sm.START_NS - 440 * SECOND_NS
TICKS, STEP_NS = 10, 10 * SECOND_NS
FRAME_NS = TICKS * STEP_NS
SHANGHAI = ZoneInfo("Asia/Shanghai")
EVER_NS = 2**62
NO_NUMBERS = float("nan"), float("inf"), float("-inf")


def frame(rng: Random, start_ns: int, step_ns: int = STEP_NS) -> Body:
    """Gas and power of 100 s, some of it bad or reserved, or no number though signed as good."""
    counters = np.array([[rng.randrange(2**32) for _ in range(TICKS)] for _ in (0, 1)], "<u4")
    flows = np.array([[rng.uniform(-9, 9e5) for _ in range(TICKS)] for _ in (0, 1)], "<f4")
    marks = [0, 0, 0, rng.choice([0, 18, 128, 135])]
    quality = np.array([[rng.choice(marks) for _ in range(TICKS)] for _ in (0, 1)], np.uint8)
    if rng.random() < 0.2:
        quality[0] = 129  # more than a minute without a reading
    for tick in range(rng.choice([0, 1, 8])):
        flows[rng.randrange(2), tick] = rng.choice(NO_NUMBERS)
    groups = tuple(
        Group(number, dtype, raw, quality)
        for number, dtype, raw in ((3, Dtype.U32, counters), (4, Dtype.F32, flows))
    )
    lag = np.zeros((1, TICKS), np.int32)
    section = Section(1, start_ns, step_ns, TICKS, groups, lag, (1,))
    return Body(start_ns, Clock("simulated", 1, 0, bytes(16)), 8, (section,))


def configure(desk: Desk, decimals: int = 1, step_ns: int = STEP_NS) -> None:
    """The small plant's, with so many decimals of `gas.flow`; gas and power are read so often."""
    config = sm.configuration()
    config["schedules"][1]["interval_ns"] = step_ns
    for point in config["points"]:
        if point["id"] == "gas.flow":
            point["decimals"] = decimals
    desk.take(Kind.CONFIG, TYP_CONFIG, compress(cbor.encode(config)))


def deliver(desk: Desk, seed: int, first: int, stop: int) -> None:
    """Frames number first to stop - 1; after number 250 nothing came for three hours."""
    for number in range(first, stop):
        pause_ns = 3 * HOUR_NS if number > 250 else 0
        body = frame(Random(seed * 10_000 + number), START_NS + number * FRAME_NS + pause_ns)
        desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)


class Source:
    """As much of a drill's source as reading takes."""

    def __init__(self, desk: Desk) -> None:
        self._it = desk.reader

    def objects(self, stream: str, from_ns: int, to_ns: int) -> Iterator[bytes]:
        for stored in self._it.objects(stream):
            yield stored.data

    def configuration(self, cfg: bytes) -> bytes:
        seq = self._it.configs(sm.STREAM)[cfg]
        return next(self._it.objects(sm.STREAM, seq, seq + 1)).data


def begin_of(step_s: int, tick_ns: int) -> int:
    if step_s < DAY_S:
        return tick_ns // (step_s * SECOND_NS) * step_s * SECOND_NS
    local = datetime.fromtimestamp(tick_ns // SECOND_NS, UTC).astimezone(SHANGHAI)
    midnight = local.replace(hour=0, minute=0, second=0)
    return int(midnight.timestamp()) * SECOND_NS


def readings_of(desk: Desk, point: str, through_ns: int) -> list[Reading]:
    reader = PointReader(Source(desk), sm.STREAM, point)  # type: ignore[arg-type] # enough of one
    frames = reader.frames(0, HOUR_NS)
    every = (one for frame in frames for one in reader.of_frame(frame, times=False))
    return [one for one in every if one.tick_ns < through_ns]


def plainly(readings: list[Reading], step_s: int = MINUTE_S) -> dict[int, dict[int, Bucket]]:
    """Decimals -> first instant -> bucket, by looking at one reading after another."""
    held: dict[tuple[int, int], list[Reading]] = {}
    for reading in readings:
        key = reading.decimals, begin_of(step_s, reading.tick_ns)
        held.setdefault(key, []).append(reading)
    made: dict[int, dict[int, Bucket]] = {}
    for (decimals, from_ns), ones in held.items():
        counts = [one.count for one in ones if one.count is not None]
        numbers = (min(counts), max(counts), counts[-1], sum(counts)) if counts else (0, 0, 0, 0)
        worst = max(133 if one.count is None and one.quality < 128 else one.quality for one in ones)
        made.setdefault(decimals, {})[from_ns] = Bucket(from_ns, len(counts), *numbers, worst)
    return made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedSeries]:
    made = EmbeddedSeries(tmp_path / "series.db", 90, ManualClock(START_NS))
    yield made
    made.close()


def run(follower: SeriesFollower) -> None:
    while follower.step(sm.PLANT) == 0.0:
        pass
    assert follower.trouble() == {}


def of_store(store: EmbeddedSeries, step_s: int, point: str) -> Mapping[Series, Any]:
    return store.read(step_s, sm.PLANT, 0, EVER_NS, point=point)


@pytest.mark.parametrize(("objects", "buckets"), [(7, fold.STEP_BUCKETS), (128, 40)])
def test_what_is_stored_is_what_a_plain_reading_gives(
    desk: Desk, store: EmbeddedSeries, monkeypatch: pytest.MonkeyPatch, objects: int, buckets: int
) -> None:
    monkeypatch.setattr(follow, "STEP_OBJECTS", objects)
    monkeypatch.setattr(fold, "STEP_BUCKETS", buckets)
    configure(desk)
    deliver(desk, 1, 0, 180)
    SeriesFollower(desk, store).step(sm.PLANT)  # and its process ends
    run(follower := SeriesFollower(desk, store))
    deliver(desk, 1, 180, 331)
    configure(desk, decimals=2)  # in the middle of an hour, and of a minute
    deliver(desk, 1, 331, 450)
    for _ in range(3):
        follower.step(sm.PLANT)
    run(SeriesFollower(desk, store))
    newest_ns = START_NS + 450 * FRAME_NS - STEP_NS + 3 * HOUR_NS
    through_ns = newest_ns // MINUTE_NS * MINUTE_NS
    assert store.marks(sm.PLANT)[sm.STREAM].through_ns == through_ns
    for point, decimals in (("gas.flow", {1, 2}), ("ac.energy", {0})):
        readings = readings_of(desk, point, through_ns)
        for step_s in (MINUTE_S, HOUR_S, DAY_S):
            due = plainly(readings, step_s)
            last = begin_of(step_s, through_ns)  # it is still running: desk adds it
            ended = {d: {k: v for k, v in of.items() if k < last} for d, of in due.items()}
            found = of_store(store, step_s, point)
            assert {
                series.decimals: {one.from_ns: one for one in buckets}
                for series, buckets in found.items()
            } == {d: of for d, of in ended.items() if of}
            span = newest_ns - 1_800 * step_s * SECOND_NS, newest_ns
            told = SeriesDesk(store, follower).told(sm.PLANT, SHANGHAI, point, step_s, *span)
            assert {
                one.series.decimals: {bucket.from_ns: bucket for bucket in one.buckets}
                for one in told
            } == {
                d: kept
                for d, of in due.items()
                if (kept := {k: v for k, v in of.items() if k >= begin_of(step_s, span[0])})
            }
            opened = {one.open_ns for one in told}
            assert opened <= {None, last}
            assert (last in opened) is (step_s > MINUTE_S)
        assert {series.decimals for series in of_store(store, MINUTE_S, point)} == decimals


def test_a_log_that_is_another_one_is_followed_anew(
    desk: Desk, store: EmbeddedSeries, tmp_path: Path
) -> None:
    configure(desk)
    deliver(desk, 1, 0, 40)
    run(SeriesFollower(desk, store))
    other = Desk(tmp_path / "other")
    configure(other)
    deliver(other, 2, 0, 60)
    follower = SeriesFollower(other, store)
    run(follower)
    (followed,) = follower.followed()
    due = plainly(readings_of(other, "gas.flow", followed.through_ns))[1]
    (found,) = of_store(store, MINUTE_S, "gas.flow").values()
    assert {one.from_ns: one for one in found} == due
    assert (followed.unfit, followed.behind_ns < 2 * MINUTE_NS) == (0, True)
    other.shut()


def test_configurations_without_end_are_not_held(
    desk: Desk, store: EmbeddedSeries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """125 of 20,000 points each filled a collector's 4 GiB: frames name none but the newest."""
    held = weakref.WeakSet[Form]()
    most = 0

    class Counted(Form):
        def __init__(self, *given: Any) -> None:
            nonlocal most
            super().__init__(*given)
            held.add(self)
            most = max(most, len(held))

    monkeypatch.setattr(follow, "Form", Counted)
    for number in range(6):
        configure(desk, decimals=number % 3)
        deliver(desk, 1, 2 * number, 2 * number + 2)
    run(SeriesFollower(desk, store))
    assert most == 2  # the one before, while the next is made
    due = plainly(readings_of(desk, "gas.flow", store.marks(sm.PLANT)[sm.STREAM].through_ns))
    found = of_store(store, MINUTE_S, "gas.flow")
    assert {
        series.decimals: {one.from_ns: one for one in of} for series, of in found.items()
    } == due


class Away(EmbeddedSeries):
    """One that is away, or full, when it is told to be."""

    away = full = False

    def is_full(self) -> bool:
        return self.full

    def put(self, batch: Any) -> None:
        if self.away:
            raise SeriesAwayError("InfluxDB http://127.0.0.1:1: does not answer")
        super().put(batch)


def test_a_store_that_was_away_or_full_catches_up(desk: Desk, tmp_path: Path) -> None:
    store = Away(tmp_path / "away.db", 90, ManualClock(START_NS))
    configure(desk)
    deliver(desk, 1, 0, 30)
    follower = SeriesFollower(desk, store)
    store.full = True
    assert follower.step(sm.PLANT) == FULL_S
    store.full, store.away = False, True
    assert follower.step(sm.PLANT) > 0
    assert "does not answer" in follower.trouble()[sm.PLANT, ""]
    assert follower.followed()[0].objects == 31  # the configuration and all frames: an alert hears
    store.away = False
    run(follower)
    (followed,) = follower.followed()
    due = plainly(readings_of(desk, "ac.energy", followed.through_ns))[0]
    (found,) = of_store(store, MINUTE_S, "ac.energy").values()
    assert {one.from_ns: one for one in found} == due
    follower.close()
    assert follower.step(sm.PLANT) > 0  # nothing more is asked of the store
    store.close()


@pytest.mark.parametrize("step_ns", [STEP_NS, STEP_NS // 2])
def test_a_frame_that_does_not_fit_is_in_no_bucket_and_counts_once(
    desk: Desk, tmp_path: Path, step_ns: int
) -> None:
    """Though it is read again with what came after it, and whatever the store does."""
    store = Away(tmp_path / "away.db", 90, ManualClock(START_NS))
    configure(desk)
    deliver(desk, 1, 0, 2)
    body = frame(Random(3), START_NS + 2 * FRAME_NS, step_ns)  # it lacks a group, or its interval
    (section,) = body.sections
    groups = section.groups[:1] if step_ns == STEP_NS else section.groups
    less = Body(body.t0_ns, body.clock, 8, (Section(
        1, section.first_ns, step_ns, TICKS, groups, section.lag_ms, (1,)
    ),))  # fmt: skip
    desk.take(Kind.FRAME, TYP_FRAME, encode_body(less), less)
    follower = SeriesFollower(desk, store)
    run(follower)
    deliver(desk, 1, 3, 6)
    run(follower)
    assert follower.followed()[0].unfit == 1
    deliver(desk, 1, 6, 9)
    store.away = True
    follower.step(sm.PLANT)
    assert (follower.followed()[0].unfit, len(follower.trouble())) == (1, 1)
    store.away = False
    run(follower)
    assert follower.followed()[0].unfit == 1
    (found,) = of_store(store, MINUTE_S, "gas.flow").values()
    assert [one.from_ns for one in found if body.t0_ns < one.from_ns < body.t0_ns + MINUTE_NS] == []
    store.close()


def test_an_answer_is_bounded(desk: Desk, store: EmbeddedSeries) -> None:
    day_ns = DAY_S * SECOND_NS
    # a day's 1,440 minutes and a month's 720 hours fit 2,000; a year's 8,760 hours do not
    spans = [(1, MINUTE_S), (30, HOUR_S), (365, DAY_S)]
    assert [step_for(0, days * day_ns) for days, _ in spans] == [step for _, step in spans]
    told = SeriesDesk(store, SeriesFollower(desk, store))
    with pytest.raises(SpanError, match="holds 2000 buckets"):
        told.told(sm.PLANT, SHANGHAI, "gas.flow", MINUTE_S, 0, 2 * day_ns)


@pytest.mark.parametrize("kind", ["sqlite", *INFLUX])
def test_what_is_no_number_is_in_no_bucket(
    desk: Desk, tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    """A NaN or infinity that a gateway signed as good: 133 in place of it, and a line of none."""
    nan, inf, ninf = NO_NUMBERS
    configure(desk)
    for minute, flows in enumerate(
        ([nan, inf, ninf, 1.5, 2.5, 1.0], [nan] * 6, [1.0, 2.0, nan, inf, nan, ninf], [3.0] * 6)
    ):
        body = minute_of(MINUTE_START_NS + minute * MINUTE_NS, flows, [0] * 6, [1] * 6)
        desk.take(Kind.FRAME, TYP_FRAME, encode_body(body), body)
    with ExitStack() as stack:
        if kind == "sqlite":
            store: SeriesStore = EmbeddedSeries(tmp_path / "series.db", 90, ManualClock(START_NS))
        else:
            front = stack.enter_context(serving(engine_of(request, kind)))
            store = InfluxSeries(tmp_path / "marks.db", influx_config(front.url, tmp_path))
        run(SeriesFollower(desk, store))
        settled(store)
        (found,) = store.read(MINUTE_S, sm.PLANT, 0, EVER_NS, point="gas.flow").values()
        store.close()
    # in tenths: 15 + 25 + 10 = 50, none, 10 + 20 = 30; the fourth minute is not over
    assert [(b.count, b.low, b.high, b.last, b.total, b.worst) for b in found] == [
        (3, 10, 25, 10, 50, 133), (0, 0, 0, 0, 0, 133), (2, 10, 20, 20, 30, 133)
    ]  # fmt: skip


def stopped(folder: Path, series: str, *plants: str) -> CloudConfig:
    """Of a collector whose evidence a `Desk` has written in this folder, and of further plants."""
    make_plant(folder)  # whatever else a CLOUD.toml names
    (folder / "CLOUD.toml").write_text(f"{CLOUD_HEAD}[series]\n{series}\n\n{CLOUD_PLANT}")
    who = sm.keys()
    for role, certificate in who.certificates.items():
        (folder / f"{role}.crt").write_bytes(certificate_to_pem(certificate))
    root = folder / "root.crt"
    collector = read_issued(folder / "collector.crt", root, "collector", sm.PLANT)
    own = PlantIdentity(sm.PLANT, read_root(root, sm.PLANT), collector, ())
    named = own, *(replace(own, plant=plant) for plant in plants)
    return replace(load_cloud(folder / "CLOUD.toml"), signer=who.collector, plants=named)


@pytest.mark.parametrize("kind", ["sqlite", *INFLUX])
def test_a_stopped_collectors_series_are_made_again(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Of rows that are lost while their marks stand. What is printed, the commands' tests hold."""
    monkeypatch.setattr(follow, "STEP_OBJECTS", 2)  # more batches than a queue holds
    (tmp_path / "token").write_text(TOKEN)
    desk = Desk(tmp_path)
    configure(desk)
    deliver(desk, 1, 0, 40)
    through_ns = (START_NS + 40 * FRAME_NS - STEP_NS) // MINUTE_NS * MINUTE_NS
    due = plainly(readings_of(desk, "gas.flow", through_ns))[1]
    desk.shut()
    engine = Fake() if kind == "sqlite" else engine_of(request, kind)
    with serving(engine) as front:
        of = "retention_days = 3653"  # June 2026 is old to the machine's clock
        if kind != "sqlite":
            of = (
                f'kind = "influxdb"\nurl = "{front.url}"\nbucket = "{BUCKET}"\ntoken = "file:token"'
            )
        config = stopped(tmp_path, of)

        def held() -> list[dict[int, Bucket]]:
            store = open_series(config.series, config.state_dir, "00", ManualClock(START_NS))
            assert store.marks(sm.PLANT)[sm.STREAM].through_ns == through_ns
            found = store.read(MINUTE_S, sm.PLANT, 0, EVER_NS, point="gas.flow")
            store.close()
            return [{one.from_ns: one for one in buckets} for buckets in found.values()]

        for _ in range(2):
            (said,) = refill(config, None)
            assert said.startswith(f"{sm.PLANT}: series made again through 2026-06-15T05:58:00Z; ")
            assert held() == [due]
            if kind == "sqlite":
                with sqlite3.connect(config.state_dir / "series-00.db") as sql:
                    sql.execute("DELETE FROM bucket")
                sql.close()
            else:
                assert engine.empty() == 200
            assert held() == []
