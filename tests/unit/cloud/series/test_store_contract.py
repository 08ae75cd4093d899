"""What every store of series must do, held against each: SQLite, a fake InfluxDB, a real influxd.

Expected values are computed by hand.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloud.clock import SystemClock
from cloud.config_series import InfluxConfig
from cloud.errors import StoreError
from cloud.series import embedded, influxdb
from cloud.series.bucket import DAY_S, HOUR_S, MINUTE_NS, MINUTE_S, SECOND_NS, Bucket, Series
from cloud.series.columns import Columns
from cloud.series.embedded import COARSE_DAYS, EmbeddedSeries
from cloud.series.influxdb import WAITING_MAX, InfluxSeries
from cloud.series.store import Batch, Mark, SeriesAwayError, SeriesStore
from evidence.errors import LimitError
from tests.influx_servers import BUCKET, QUARTER, QUARTER_DAYS, TOKEN, Fake, Front, serving
from tests.unit.cloud.evidence_examples import T0_NS, ManualClock
from tests.unit.cloud.series.conftest import INFLUX, engine_of

START_NS = T0_NS // MINUTE_NS * MINUTE_NS
GAS = '{"kind":"gas-flow","moisture":"dry","reference":"0C-101.325kPa","unit":"10^4 Nm3"}'
VOLTS = Series("mini", "edge-1", "pot-01.voltage", '{"kind":"voltage","unit":"V"}', 3)
FLOW = Series("mini", "edge-2", "gas.flow", GAS, 0)
OTHER = VOLTS._replace(plant="maxi")
WAIT_S = 20.0


#: of a bucket
Open = Callable[..., SeriesStore]


def influx_config(url: str, folder: Path, bucket: str = BUCKET) -> InfluxConfig:
    token = folder / "token"
    if not token.exists():
        token.write_text(TOKEN + "\n")
    return InfluxConfig(url, token, None, bucket, "works", BUCKET)


@pytest.fixture(params=["sqlite", *INFLUX])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the store, and opens it again; it keeps minutes for 90 days by another clock."""
    path = tmp_path / "series.db"
    if request.param == "sqlite":
        clocks = {BUCKET: ManualClock(START_NS), QUARTER: SystemClock()}
        yield lambda bucket=BUCKET: EmbeddedSeries(path, QUARTER_DAYS, clocks[bucket])
        return
    with serving(engine_of(request, request.param)) as front:
        yield lambda bucket=BUCKET: InfluxSeries(
            path, influx_config(front.url, tmp_path, bucket), (0.01, 0.02)
        )


def settled(store: SeriesStore) -> SeriesStore:
    """When it has put all that it took."""
    until = time.monotonic() + WAIT_S
    while store.state().waiting:
        assert time.monotonic() < until, store.state()
        time.sleep(0.005)
    return store


def bucket(minute: int, *numbers: int) -> Bucket:
    return Bucket(START_NS + minute * MINUTE_NS, *numbers)


def batch(series: Series, *buckets: Bucket, step_s: int = MINUTE_S, seq: int = 1) -> Batch:
    mark = Mark(seq, bytes([seq]) * 32, START_NS + seq * MINUTE_NS)
    rows = [Columns.of(one.from_ns, [(series, one)]) for one in buckets]
    return Batch(series.plant, series.gateway, {step_s: rows}, mark)


def test_a_store_keeps_what_it_is_given(opened: Open) -> None:
    # count, low, high, last, total, worst: 2^53 + 1 is the first integer that a double has not;
    # a total of 63 bits and more comes of a mean that fits
    big = 2**53 + 1
    given = [
        bucket(0, 3, 4_100, 4_300, 4_200, 12_601, 0),
        bucket(1, 0, 0, 0, 0, 0, 128),  # nothing usable: it is there, and has no number
        bucket(3, 1, -big, -big, -big, -big, 18),  # minute 2 is a gap
        bucket(4, 4, 2**62 - 2, 2**62 - 1, 2**62 - 1, 4 * 2**62 - 7, 0),
    ]
    store = opened()
    store.put(batch(VOLTS, *given))
    store.put(batch(FLOW, bucket(0, 1, 7, 7, 7, 7, 0)))
    store.put(batch(OTHER, bucket(0, 1, 9, 9, 9, 9, 0)))
    store.put(batch(VOLTS, bucket(0, 3, 1, 2, 3, 4, 0), step_s=HOUR_S, seq=2))
    settled(store)
    day_ns = DAY_S * SECOND_NS
    every = store.read(MINUTE_S, "mini", START_NS - day_ns, START_NS + day_ns)
    assert every == {VOLTS: given, FLOW: [bucket(0, 1, 7, 7, 7, 7, 0)]}
    cut = store.read(MINUTE_S, "mini", START_NS + MINUTE_NS, START_NS + 3 * MINUTE_NS)
    assert cut == {VOLTS: given[1:2]}
    assert store.read(MINUTE_S, "mini", 0, START_NS + day_ns, gateway="edge-2").keys() == {FLOW}
    assert store.read(HOUR_S, "mini", START_NS, START_NS + 1, point=VOLTS.point).keys() == {VOLTS}
    assert store.read(DAY_S, "mini", 0, START_NS + day_ns) == {}
    assert store.read(MINUTE_S, "mini' OR 'a' = 'a", 0, START_NS + day_ns) == {}
    assert store.marks("mini") == {
        "edge-1": Mark(2, bytes([2]) * 32, START_NS + 2 * MINUTE_NS),
        "edge-2": Mark(1, bytes([1]) * 32, START_NS + MINUTE_NS),
    }
    assert (store.state().trouble, store.is_full()) == ("", False)
    store.close()


def test_what_is_put_twice_stands_once_and_outlives_a_start(opened: Open) -> None:
    store, again = opened(), bucket(0, 2, 1, 2, 2, 3, 0)
    for _ in range(2):
        store.put(batch(VOLTS, again))
    settled(store).close()
    store = opened()
    assert store.read(MINUTE_S, "mini", START_NS, START_NS + 1) == {VOLTS: [again]}
    assert store.marks("mini").keys() == {"edge-1"}
    store.forget("mini")
    assert store.marks("mini") == {}
    store.put(batch(VOLTS, again))  # it is made anew
    assert settled(store).marks("mini").keys() == {"edge-1"}
    assert store.read(MINUTE_S, "mini", START_NS, START_NS + 1) == {VOLTS: [again]}
    store.close()


def test_what_is_too_old_is_not_kept_and_holds_up_nothing(opened: Open) -> None:
    day_ns = DAY_S * SECOND_NS
    now_ns = SystemClock().wall_ns() // MINUTE_NS * MINUTE_NS
    old, new = (Bucket(now_ns - days * day_ns, 2, 4, 6, 6, 10, 0) for days in (QUARTER_DAYS + 1, 1))
    store = opened(QUARTER)
    store.put(batch(VOLTS, old, new))
    store.put(batch(OTHER, old))
    settled(store)
    assert store.read(MINUTE_S, "mini", 0, now_ns) == {VOLTS: [new]}
    assert store.read(MINUTE_S, "maxi", 0, now_ns) == {}
    marks = [dict(store.marks(plant)) for plant in ("mini", "maxi")]
    assert marks == [{"edge-1": Mark(1, bytes([1]) * 32, START_NS + MINUTE_NS)}] * 2
    assert (store.state().trouble, store.refused("mini"), store.refused("maxi")) == ("", "", "")
    store.close()


# -- the embedded one ------------------------------------------------------------------------------


def test_minutes_go_with_age_and_longer_buckets_stay(tmp_path: Path) -> None:
    clock, day_ns = ManualClock(START_NS), DAY_S * SECOND_NS
    store = EmbeddedSeries(tmp_path / "series.db", 2, clock)
    one = bucket(0, 1, 5, 5, 5, 5, 0)
    for step_s in (MINUTE_S, HOUR_S, DAY_S):
        store.put(batch(VOLTS, one, step_s=step_s))

    def held() -> list[int]:
        steps = (MINUTE_S, HOUR_S, DAY_S)
        return [len(store.read(step, "mini", START_NS, START_NS + 1)) for step in steps]

    for days, expected in ((2, [1, 1, 1]), (3, [0, 1, 1]), (COARSE_DAYS + 1, [0, 0, 0])):
        clock.now_ns = START_NS + days * day_ns
        store.put(Batch("mini", "edge-1", {}, Mark()))
        assert held() == expected
    # the log is followed from its beginning: too old to be kept when its hour is over
    for seq, minutes in ((1, 1), (60, 1), (61, 0)):
        store.put(batch(VOLTS, one, bucket(60, 1, 5, 5, 5, 5, 0), seq=seq))
        assert held() == [minutes, 0, 0]
    store.close()


def test_a_file_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    path = tmp_path / "series.db"
    with sqlite3.connect(path) as sql:
        sql.execute("PRAGMA user_version = 7")
    sql.close()
    with pytest.raises(StoreError, match=r"another program's format \(7\)"):
        EmbeddedSeries(path, 2, ManualClock())
    path.unlink()
    path.mkdir()
    with pytest.raises(StoreError, match="cannot be used"):
        EmbeddedSeries(path, 2, ManualClock())


# -- InfluxDB --------------------------------------------------------------------------------------


@pytest.fixture
def front() -> Iterator[Front]:
    with serving(Fake()) as made:
        yield made


def test_a_server_that_refuses_loses_nothing(
    front: Front, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = InfluxSeries(tmp_path / "marks.db", influx_config(front.url, tmp_path), (0.01, 0.02))
    front.refuses = 503
    until = time.monotonic() + WAIT_S
    while not store.is_full():  # one batch is at the server, the others wait
        store.put(batch(VOLTS, bucket(store.state().waiting, 1, 1, 1, 1, 1, 0)))
    while not store.state().trouble and time.monotonic() < until:
        time.sleep(0.005)
    told = f"InfluxDB {front.url}: refuses (503): come back later, Token [taken out]"
    assert store.state().trouble == told
    assert store.marks("mini") == {}
    taken = store.state().waiting
    assert taken >= WAITING_MAX
    front.refuses = 0
    settled(store)
    found = store.read(MINUTE_S, "mini", 0, START_NS + 10**15)
    assert (len(found[VOLTS]), store.marks("mini").keys()) == (taken, {"edge-1"})
    assert store.state().trouble == ""
    store.close()
    assert TOKEN not in caplog.text
    assert set(front.tokens) == {f"Token {TOKEN}"}


def test_what_waits_when_it_is_closed_has_no_mark(front: Front, tmp_path: Path) -> None:
    config = influx_config(front.url, tmp_path)
    front.refuses = 401
    store = InfluxSeries(tmp_path / "marks.db", config, (0.01, 0.02))
    store.put(batch(VOLTS, bucket(0, 1, 1, 1, 1, 1, 0)))
    store.close()
    front.refuses = 0
    store = InfluxSeries(tmp_path / "marks.db", config)
    assert store.marks("mini") == {}
    store.put(batch(VOLTS, bucket(0, 1, 1, 1, 1, 1, 0)))
    settled(store).close()
    # another bucket is another store, of which the marks say nothing
    moved = InfluxSeries(tmp_path / "marks.db", influx_config(front.url, tmp_path, "other"))
    assert moved.marks("mini") == {}
    moved.close()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda config: config.token.write_text("wrong"), r"refuses \(401\): unauthorized"),
        (lambda config: config.token.write_text(""), "holds no token"),
        (lambda config: config.token.unlink(), "No such file"),
    ],
)
def test_a_server_that_cannot_be_asked_is_said(
    front: Front, tmp_path: Path, damage: Callable[[InfluxConfig], None], says: str
) -> None:
    config = influx_config(front.url, tmp_path)
    store = InfluxSeries(tmp_path / "marks.db", config)
    damage(config)
    with pytest.raises(SeriesAwayError, match=says):
        store.read(MINUTE_S, "mini", 0, 1)
    store.close()


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    with serving(Fake()) as front:
        url = front.url
    store = InfluxSeries(tmp_path / "marks.db", influx_config(url, tmp_path))
    with pytest.raises(SeriesAwayError, match="does not answer"):
        store.read(MINUTE_S, "mini", 0, 1)
    store.close()


def test_of_an_answer_that_is_too_long_the_halves_are_asked_for(
    front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = InfluxSeries(tmp_path / "marks.db", influx_config(front.url, tmp_path))
    given = [bucket(minute, 1, 5, 5, 5, 5, 0) for minute in range(9)]
    store.put(batch(VOLTS, *given))
    store.put(batch(FLOW, *given[3:5]))
    settled(store)
    span = START_NS, START_NS + 9 * MINUTE_NS
    whole = {VOLTS: given, FLOW: given[3:5]}
    # the whole answer has 996 bytes, one of a minute of both series 681: at last, minutes 3 and 4,
    # a quarter of the span, are asked for apart: 1 + 2 + 2 + 2 questions
    for most, questions in ((1_000, 1), (900, 3), (690, 7)):
        monkeypatch.setattr(influxdb, "ANSWER_BYTES_MAX", most)
        before = len(front.tokens)
        assert store.read(MINUTE_S, "mini", *span) == whole
        assert len(front.tokens) - before == questions
    monkeypatch.setattr(influxdb, "ANSWER_BYTES_MAX", 600)
    with pytest.raises(SeriesAwayError, match="gave an answer that is too long"):
        store.read(MINUTE_S, "mini", *span)
    store.close()


def test_a_plant_of_series_without_end_is_refused_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids of all are held, and each signed configuration may name 20,000 points more."""
    monkeypatch.setattr(embedded, "SERIES_MAX", 2)
    store = EmbeddedSeries(tmp_path / "few.db", 90, ManualClock(START_NS))
    one = bucket(0, 1, 1, 1, 1, 1, 0)
    for name in ("a", "b"):
        store.put(batch(VOLTS._replace(point=name), one))
    with pytest.raises(LimitError, match="mini has more than 2 series"):
        store.put(batch(VOLTS._replace(point="c"), one, seq=2))
    store.put(batch(OTHER, one))
    store.put(batch(VOLTS._replace(point="a"), bucket(1, 1, 1, 1, 1, 1, 0), seq=2))
    told = store.read(MINUTE_S, "mini", 0, 2**62)
    assert {series.point: len(of) for series, of in told.items()} == {"a": 2, "b": 1}
    assert list(store.read(MINUTE_S, "maxi", 0, 2**62)) == [OTHER]
    store.close()


def test_a_plant_of_many_series_is_kept_less_long_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A gateway that sent old ticks of 20,000 points (2 MB) would write 60 GB of minutes."""
    monkeypatch.setattr(embedded, "LONG_SERIES", 2)
    monkeypatch.setattr(embedded, "PRUNE_SERIES", 1)
    clock, minutes_of_day = ManualClock(START_NS), DAY_S // MINUTE_S
    store = EmbeddedSeries(tmp_path / "series.db", 90, clock)
    of_days = [bucket(-days * minutes_of_day, 1, 5, 5, 5, 5, 0) for days in (80, 50, 40, 1)]

    def held(plant: str, step_s: int = MINUTE_S) -> dict[str, int]:
        found = store.read(step_s, plant, 0, START_NS)
        return {series.point: len(buckets) for series, buckets in found.items()}

    for name in "ab":  # as many as are kept as long as is said
        store.put(batch(VOLTS._replace(point=name), *of_days))
    store.put(batch(OTHER, *of_days))
    assert (held("mini"), store.state().short_days) == ({"a": 4, "b": 4}, {})
    for name in "cd":  # of 4 series 45 days
        store.put(batch(VOLTS._replace(point=name), *of_days))
    assert store.state().short_days == {"mini": 45}
    assert held("mini") == {"a": 4, "b": 4, "c": 3, "d": 2}  # 60 days while they are 3
    old = [bucket(-days * minutes_of_day, 1, 5, 5, 5, 5, 0) for days in (COARSE_DAYS // 2 + 1, 1)]
    store.put(batch(VOLTS, *old, step_s=HOUR_S))
    assert held("mini", HOUR_S) == {VOLTS.point: 1}  # it is the fifth
    clock.now_ns += 2 * HOUR_S * SECOND_NS
    left = []
    for _ in range(5):  # a series at a time
        store.put(Batch("mini", "edge-1", {}, Mark()))
        left.append(sum(held("mini").values()))
    for _ in range(2):  # its own, and maxi's
        store.put(Batch("mini", "edge-1", {}, Mark()))
    assert (left[0] > left[-1], held("mini")) == (True, dict.fromkeys("abcd", 2))
    assert held("maxi") == {VOLTS.point: 4}
    clock.now_ns += 45 * DAY_S * SECOND_NS
    for _ in range(7):
        store.put(Batch("mini", "edge-1", {}, Mark()))
    assert held("maxi") == {VOLTS.point: 2}  # though nothing more comes of it: it has moved away
    told = [record.getMessage() for record in caplog.records]
    days = [90 * 2 // many for many in (3, 4, 5)]
    assert [one for one in told if "mini: has" in one] == [
        f"mini: has {many} series, more than 2: its minutes stay {stay} days, hours less long, too"
        for many, stay in zip((3, 4, 5), days, strict=True)
    ]
    assert {getattr(record, "plant", None) for record in caplog.records} == {"mini"}
    store.close()
