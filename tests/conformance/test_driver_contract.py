"""What every driver owes the agent (edge/drivers/base.py), one suite for all of them.

A new driver gets a bench in `driver_benches.py`. A driver that is called by its device instead of
asking it (`CALLED`) is never out of reach: its points say that the device is away. A source
that delivers each row once is given a row before each read; a folder cannot be silent.
"""

import asyncio
import dataclasses
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from edge.drivers import DRIVERS, open_driver
from edge.drivers.base import (
    POSITION_BYTES_MAX,
    DeliversOnce,
    DeviceError,
    Driver,
    Sample,
    TellsEvents,
)
from edge.drivers.traffic import EACH_READ
from evidence.quality import Quality
from tests.conformance.driver_benches import (
    ASKING,
    BENCHES,
    CALLED,
    NO_BENCH,
    SAME_DRIVER,
    TEST_ONLY,
    TIMEOUT_S,
    Bench,
)
from tests.recording import RECORD
from tests.waiting import ENOUGH_S

pytestmark = pytest.mark.asyncio(loop_scope="module")

asking = pytest.mark.parametrize("bench", ASKING, indirect=True)
called = pytest.mark.parametrize("bench", CALLED, indirect=True)


async def test_every_driver_has_a_bench() -> None:
    assert {name.partition(",")[0] for name in BENCHES} == set(
        DRIVERS
    ) - SAME_DRIVER.keys() - NO_BENCH
    assert set(DRIVERS) >= TEST_ONLY.keys()
    assert {DRIVERS[name] for name in NO_BENCH} == {DRIVERS["sqlite+ro"]}
    assert all(DRIVERS[name] == DRIVERS[like] for name, like in SAME_DRIVER.items())


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=list(BENCHES))
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    made = BENCHES[request.param]()
    await made.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def driver(bench: Bench) -> AsyncIterator[Driver]:
    """A driver not yet connected; afterwards nothing of it may be left."""
    bench.clear()
    before = asyncio.all_tasks()
    made = open_driver(bench.spec())
    yield made
    bench.silence(False)
    await made.close()
    assert await bench.connections() == 0
    assert driver_tasks(before) == []


def driver_tasks(before: set[asyncio.Task[object]]) -> list[str]:
    """Tasks that came since, the benches' servers and pytest's aside."""
    servers = (
        "Responder", "BinaryServer", "OPCUAProtocol", "Internal", "UaProcessor", "Meter", "Logger",
        "Converter", "Master", "TextDevice",
    )  # fmt: skip
    left = [t.get_coro().__qualname__ for t in asyncio.all_tasks() - before]  # type: ignore[union-attr] # coroutines
    return [
        n for n in left if not n.startswith(servers) and "fixture" not in n and "test_" not in n
    ]


async def assert_as_on_the_bench(driver: Driver, bench: Bench) -> None:
    await bench.feed()
    samples = await driver.read()
    assert isinstance(samples, Sequence)
    assert all(isinstance(s, Sample) for s in samples)
    assert [s.raw for s in samples] == [bench.value, None, bench.value]
    assert [s.quality for s in samples] == [
        Quality.GOOD, bench.bad, Quality.GOOD,
    ]  # fmt: skip


async def test_one_sample_a_point_in_order_and_a_bad_point_raises_nothing(
    bench: Bench, driver: Driver
) -> None:
    await driver.connect()
    for _ in range(3):
        await assert_as_on_the_bench(driver, bench)


async def test_what_it_asks_is_recorded_by_the_device_and_only_reads(
    bench: Bench, driver: Driver
) -> None:
    """`tests/recording.py` fails the run for what else comes; this is why it cannot be empty."""
    await driver.connect()
    before = Counter(RECORD.counts)
    await assert_as_on_the_bench(driver, bench)
    asked = {protocol for protocol, count in RECORD.counts.items() if count > before[protocol]}
    assert asked == ({bench.asks} if bench.asks else set())
    assert RECORD.complaints() == []


async def test_what_it_will_send_is_told_without_connecting(bench: Bench) -> None:
    traffic = open_driver(bench.spec()).traffic()
    assert await bench.connections() == 0
    assert traffic.endpoint
    assert traffic.promise.startswith("nothing is ")
    asked = [request for request in traffic.requests if request.every_s == EACH_READ]
    points = [bound.point.id for bound in bench.spec().points]
    if bench.asks and asked[0].points:
        assert sorted(p for request in asked for p in request.points) == sorted(points)
    assert bool(traffic.requests) == bool(bench.asks)
    assert traffic.is_listening == (bench.asks == "")


async def test_making_a_driver_touches_no_network(bench: Bench) -> None:
    open_driver(bench.spec())
    await asyncio.sleep(0.02)
    assert await bench.connections() == 0


async def test_reading_before_connecting_is_a_device_error(driver: Driver) -> None:
    with pytest.raises(DeviceError, match="connect first"):
        await driver.read()


async def test_connecting_twice_is_one_connection(bench: Bench, driver: Driver) -> None:
    await driver.connect()
    await driver.connect()
    await driver.read()
    assert await bench.connections() == 1


@asking
async def test_a_device_that_is_not_there_is_named_and_may_be_retried(bench: Bench) -> None:
    await bench.cut()
    made = open_driver(bench.spec())
    with pytest.raises(DeviceError) as caught:
        await made.connect()
    assert caught.value.retry is True
    assert "device dev" in str(caught.value)
    assert bench.url.split("/")[2].partition("?")[0] in str(caught.value)  # host:port
    await bench.back()
    await made.connect()
    await assert_as_on_the_bench(made, bench)
    await made.close()


@asking
async def test_a_device_that_goes_away_is_a_device_error_and_comes_back(
    bench: Bench, driver: Driver
) -> None:
    before = asyncio.all_tasks()
    await driver.connect()
    await driver.read()
    await bench.cut()
    await asyncio.sleep(0.02)
    with pytest.raises(DeviceError) as caught:
        await driver.read()
    assert caught.value.retry is True
    for _ in range(3):
        with pytest.raises(DeviceError):
            await driver.connect()
    assert driver_tasks(before) == []
    await bench.back()
    await driver.connect()
    await assert_as_on_the_bench(driver, bench)
    assert await bench.connections() == 1


@asking
async def test_a_silent_device_is_a_device_error_in_time_with_nothing_left_open(
    bench: Bench, driver: Driver
) -> None:
    if not bench.can_be_silent:
        return
    before = asyncio.all_tasks()
    await driver.connect()
    bench.silence(True)
    began = time.monotonic()
    with pytest.raises(DeviceError) as caught:
        await driver.read()
    assert time.monotonic() - began < TIMEOUT_S + 1.0
    assert caught.value.retry is True
    assert await bench.connections() == 0
    assert driver_tasks(before) == []
    with pytest.raises(DeviceError, match="connect first"):
        await driver.read()


@asking
async def test_a_cancelled_read_is_cancelled_and_leaves_no_connection(
    bench: Bench, driver: Driver
) -> None:
    if not bench.can_be_silent:
        return
    before = asyncio.all_tasks()
    await driver.connect()
    bench.silence(True)
    task = asyncio.create_task(driver.read())
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await bench.connections() == 0
    assert driver_tasks(before) == []
    bench.silence(False)
    await driver.connect()
    await assert_as_on_the_bench(driver, bench)


@asking
async def test_close_ends_a_read_under_way(bench: Bench, driver: Driver) -> None:
    if not bench.can_be_silent:
        return
    before = asyncio.all_tasks()
    await driver.connect()
    bench.silence(True)
    task = asyncio.create_task(driver.read())
    await asyncio.sleep(0.02)
    closing = asyncio.create_task(driver.close())
    with pytest.raises(DeviceError):
        await asyncio.wait_for(task, ENOUGH_S)
    await closing
    assert await bench.connections() == 0
    assert driver_tasks(before) == []


async def bad_of_all(driver: Driver) -> set[Quality]:
    """The qualities of all points, once none of them has a value any more."""
    for _ in range(400):
        samples = await driver.read()
        if all(sample.raw is None and not sample.quality.usable for sample in samples):
            return {sample.quality for sample in samples}
        await asyncio.sleep(0.01)
    raise AssertionError("a value is given though its device is away")


async def comes_back(driver: Driver, bench: Bench) -> None:
    for _ in range(400):
        if (await driver.read())[0].quality is Quality.GOOD:
            break
        await asyncio.sleep(0.01)
    await assert_as_on_the_bench(driver, bench)


@called
async def test_a_device_that_does_not_call_is_told_by_every_point_until_it_does(
    bench: Bench, driver: Driver
) -> None:
    await bench.cut()
    await driver.connect()
    assert await bad_of_all(driver) == {Quality.NOT_CONNECTED}
    await bench.back()
    await comes_back(driver, bench)
    await bench.cut()
    assert await bad_of_all(driver) == {Quality.NOT_CONNECTED}
    await bench.back()
    await comes_back(driver, bench)
    assert await bench.connections() == 1


@called
async def test_a_device_that_called_and_says_nothing_more_is_stale(
    bench: Bench, driver: Driver
) -> None:
    await driver.connect()
    await assert_as_on_the_bench(driver, bench)
    bench.silence(True)
    assert await bad_of_all(driver) == {Quality.STALE}
    bench.silence(False)
    await comes_back(driver, bench)


async def test_close_never_raises(bench: Bench, driver: Driver) -> None:
    await driver.close()  # never connected
    await driver.connect()
    await driver.close()
    await driver.close()  # twice
    await driver.connect()
    await bench.cut()
    await driver.close()  # lost
    await bench.back()
    await driver.connect()
    bench.silence(True)
    began = time.monotonic()
    await driver.close()  # silent
    assert time.monotonic() - began < TIMEOUT_S + 1.0


async def test_after_close_a_read_is_refused_and_connect_works(
    bench: Bench, driver: Driver
) -> None:
    await driver.connect()
    await driver.close()
    with pytest.raises(DeviceError, match="connect first"):
        await driver.read()
    await driver.connect()
    await assert_as_on_the_bench(driver, bench)


async def test_ten_lives_leave_nothing_behind(bench: Bench, driver: Driver) -> None:
    before = asyncio.all_tasks()
    for _ in range(10):
        await driver.connect()
        await assert_as_on_the_bench(driver, bench)
        await driver.close()
        assert await bench.connections() == 0
        assert driver_tasks(before) == []


async def test_a_url_that_cannot_work_is_known_when_the_driver_is_made(bench: Bench) -> None:
    scheme = bench.url.partition("://")[0]
    for url in (f"{scheme}://", f"{scheme}://127.0.0.1:0", f"{scheme}://127.0.0.1:1?colour=red"):
        with pytest.raises(DeviceError) as caught:
            open_driver(bench.spec(url))
        assert caught.value.retry is False
        assert url in str(caught.value)


# -- sources that deliver each row once -----------------------------------------------------------


async def test_what_delivers_once_says_no_value_twice(bench: Bench, driver: Driver) -> None:
    if not isinstance(driver, DeliversOnce):
        return
    await driver.connect()
    await assert_as_on_the_bench(driver, bench)
    for _ in range(3):
        assert list(await driver.read()) == [Sample(None, Quality.NOT_SAMPLED)] * 3


async def test_a_new_driver_goes_on_where_the_position_stands(bench: Bench, driver: Driver) -> None:
    if not isinstance(driver, DeliversOnce):
        return
    await driver.connect()
    await assert_as_on_the_bench(driver, bench)
    position, marks = driver.position(), driver.take_marks()
    assert position is not None
    assert len(position) <= POSITION_BYTES_MAX
    assert driver.take_marks() == {}, "marks are taken once"
    assert isinstance(driver, TellsEvents)
    assert {event["device"] for event in driver.take_events()} == {"dev"}
    assert driver.take_events() == [], "events are taken once"
    made = open_driver(dataclasses.replace(bench.spec(), position=position, marks=marks))
    await made.connect()
    seen = [list(await made.read()) for _ in range(3)]
    await made.close()
    assert all(s.raw is None for samples in seen for s in samples)
    from_the_start = open_driver(bench.spec())
    await from_the_start.connect()
    (first, *_) = await from_the_start.read()
    await from_the_start.close()
    assert first.raw == bench.value, "without a position everything is read again"
