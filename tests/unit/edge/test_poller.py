"""One device as the agent sees it: whatever it does, `poll` answers in time, with a reason."""

import asyncio
import logging
import time

import pytest

from edge.drivers.base import DeviceSpec, Driver
from edge.link import BACKOFF_S_MAX, cancel
from edge.poller import Poller
from edge.unkept import Polled
from evidence.points import Dtype
from evidence.quality import Quality
from tests.unit.edge.drivers.specs import register, spec
from tests.unit.edge.fakes import Devices, FakeDevice, FakeDriver, HandClock


def two_points() -> DeviceSpec:
    return spec(
        "modbus+tcp://127.0.0.1:1",
        register("a", Dtype.U16, address=0),
        register("b", Dtype.U16, address=1),
    )


class Rig:
    """A poller with its device and a clock moved by hand."""

    def __init__(self) -> None:
        self.clock, self.devices = HandClock(), Devices()
        self.poller = Poller(two_points(), self.clock, opener=self.devices.opener)

    @property
    def device(self) -> FakeDevice:
        return self.devices["dev"]

    async def connected(self) -> "Rig":
        await self.poller.connect_first(1)
        assert self.poller.connected
        return self


async def poll(rig: Rig, timeout_s: float = 0.05) -> Polled:
    """One poll, and a moment for what it has begun."""
    polled = await rig.poller.poll(timeout_s)
    for _ in range(5):
        await asyncio.sleep(0)
    return polled


def reasons(polled: Polled) -> set[Quality]:
    assert len(polled.samples) == 2
    return {sample.quality for sample in polled.samples}


async def test_answer_has_every_point_and_the_time_it_was_complete() -> None:
    rig = await Rig().connected()
    rig.clock.now_ns = 5
    polled = await poll(rig)
    assert [s.raw for s in polled.samples] == [b"\x88\x13", b"\x88\x13"]
    assert polled.monotonic_ns == 5
    await rig.poller.close()
    assert not rig.device.is_open


async def test_first_poll_of_an_absent_device_does_not_wait() -> None:
    rig = Rig()
    rig.device.connect_s = 60
    started_s = time.monotonic()
    polled = await poll(rig, 5)
    assert time.monotonic() - started_s < 4
    assert reasons(polled) == {Quality.NOT_CONNECTED}
    assert polled.monotonic_ns is None
    await rig.poller.close()
    assert rig.device.calls["connect"] == rig.device.calls["close"] == 1


async def test_connect_first_gives_up_in_time_and_connecting_goes_on() -> None:
    rig = Rig()
    rig.device.connect_s = 0.1
    await rig.poller.connect_first(0.02)
    assert not rig.poller.connected
    await asyncio.sleep(0.15)
    assert rig.poller.connected
    assert rig.device.calls["connect"] == 1
    await rig.poller.close()


async def test_slow_answer_is_no_answer_and_is_never_taken_for_a_later_tick() -> None:
    rig = await Rig().connected()
    rig.device.read_s = 0.12
    assert reasons(await poll(rig, 0.05)) == {Quality.NO_ANSWER}
    rig.device.value = 8
    assert reasons(await poll(rig, 0.05)) == {Quality.NO_ANSWER}
    assert rig.device.calls["read"] == 1, "a second question was asked while one was under way"
    await asyncio.sleep(0.1)  # the late answer is there now, and belongs to no tick
    rig.device.read_s, rig.device.value = 0, 9
    polled = await poll(rig)
    assert {s.raw for s in polled.samples} == {b"\x09\x00"}
    await rig.poller.close()


async def test_answers_that_come_too_late_are_said_once(caplog: pytest.LogCaptureFixture) -> None:
    rig = await Rig().connected()
    rig.device.read_s = 0.04
    with caplog.at_level(logging.INFO, logger="stackproof.edge.device"):
        for _ in range(3):
            assert reasons(await poll(rig, 0.01)) == {Quality.NO_ANSWER}
            await asyncio.sleep(0.06)
        rig.device.read_s = 0
        assert reasons(await poll(rig)) == {Quality.GOOD}
        rig.device.answers, rig.device.read_s = False, 0.04
        assert reasons(await poll(rig, 0.01)) == {Quality.NO_ANSWER}
        await asyncio.sleep(0.06)  # one that never comes is a loss and not late
    assert [r.getMessage() for r in caplog.records] == [
        "device dev: answer in time: none, it came too late; raise interval_s or read fewer points",
        "device dev: answer in time: is fine again",
        "dev: lost at modbus+tcp://127.0.0.1:1: device dev: no answer; trying again",
    ]
    await rig.poller.close()


async def waits(rig: Rig, tries: int) -> list[float]:
    """Seconds between tries to connect to a device that is not there."""
    rig.device.connects = False
    await poll(rig)
    found = []
    for _ in range(tries):
        before, waited = rig.device.calls["connect"], 0.0
        while rig.device.calls["connect"] == before:
            rig.clock.forward(0.25)
            waited += 0.25
            assert reasons(await poll(rig)) == {Quality.NOT_CONNECTED}
        found.append(waited)
    return found


async def test_a_lost_device_is_tried_after_a_twentieth_of_its_absence_up_to_a_bound() -> None:
    rig = Rig()
    away_s = 0.0
    found = await waits(rig, 100)
    for waited in found:
        wanted = min(max(1.0, away_s / 20), 30.0)
        assert wanted <= waited < wanted + 0.25
        away_s += waited
    assert away_s > 600
    assert found[-1] == BACKOFF_S_MAX == 30
    rig.device.connects = True
    rig.clock.forward(60)
    await poll(rig)
    assert reasons(await poll(rig)) == {Quality.GOOD}
    rig.device.answers = False
    await poll(rig)
    tries = rig.device.calls["connect"]
    rig.clock.forward(1)
    await poll(rig)
    assert rig.device.calls["connect"] == tries + 1, "it began anew after an answer"
    await rig.poller.close()


async def test_devices_of_one_endpoint_are_tried_less_often_the_more_there_are() -> None:
    """Of twenty the waits double: what is dead must not take a line's time from what is not."""
    rig = Rig()
    rig.poller = Poller(two_points(), rig.clock, opener=rig.devices.opener, sharing=20)
    assert await waits(rig, 8) == [1, 1, 2, 4, 8, 16, 30, 30]
    await rig.poller.close()


async def test_lost_device_is_closed_and_connected_anew() -> None:
    rig = await Rig().connected()
    rig.device.answers = False
    assert reasons(await poll(rig)) == {Quality.NO_ANSWER}
    assert not rig.poller.connected
    assert rig.device.calls["close"] == 1
    rig.device.answers = True
    rig.clock.forward(1)
    assert reasons(await poll(rig)) == {Quality.NOT_CONNECTED}
    assert reasons(await poll(rig)) == {Quality.GOOD}
    await rig.poller.close()
    assert rig.device.calls["connect"] == rig.device.calls["close"] == 2


async def test_driver_is_kept_across_a_loss_and_made_anew_after_a_defect() -> None:
    """It remembers which register the device refuses; a new one would ask for it for ever."""
    rig = Rig()
    made: list[object] = []

    def opener(device: DeviceSpec) -> Driver:
        made.append(rig.devices.opener(device))
        return rig.devices.opener(device)

    rig.poller = Poller(two_points(), rig.clock, opener=opener)
    await rig.connected()
    for trouble, drivers in ((None, 1), (ZeroDivisionError(), 2)):
        rig.device.answers, rig.device.error = False, trouble
        await poll(rig)
        assert not rig.poller.connected
        rig.device.answers, rig.device.error = True, None
        rig.clock.forward(BACKOFF_S_MAX)
        await poll(rig)
        assert reasons(await poll(rig)) == {Quality.GOOD}
        assert len(made) == drivers
    await rig.poller.close()


async def test_loss_and_return_are_said_once_each(caplog: pytest.LogCaptureFixture) -> None:
    """A device that accepts connections and answers nothing is lost once, not at every try."""
    rig = await Rig().connected()
    rig.device.answers = False
    with caplog.at_level(logging.WARNING):
        for _ in range(10):
            await poll(rig)
            rig.clock.forward(31)
        assert rig.device.calls["connect"] > 3
        assert [r.getMessage() for r in caplog.records] == [
            "dev: lost at modbus+tcp://127.0.0.1:1: device dev: no answer; trying again"
        ]
        rig.device.answers = True
        for _ in range(4):
            rig.clock.forward(31)
            await poll(rig)
        assert [r.getMessage() for r in caplog.records][1:] == [
            "dev: answers again at modbus+tcp://127.0.0.1:1"
        ]
    await rig.poller.close()


async def test_device_that_cannot_work_is_not_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = Rig()
    rig.device.connects = rig.device.retry = False
    await poll(rig)
    rig.clock.forward(1000)
    await poll(rig)
    assert rig.device.calls["connect"] == 1
    assert "not tried again until restart" in caplog.text
    await rig.poller.close()


@pytest.mark.parametrize("what", ["raises", "too few samples"])
async def test_defect_in_a_driver_costs_its_device_only(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    rig = await Rig().connected()
    if what == "raises":
        rig.device.error = KeyError("node 7")
    else:
        rig.device.short = 1
    assert reasons(await poll(rig)) == {Quality.NO_ANSWER}
    assert "defect in its driver" in caplog.text
    assert caplog.records[0].exc_info, "a defect is told with its traceback"
    rig.device.error, rig.device.short = None, 0
    rig.clock.forward(1)
    await poll(rig)
    assert reasons(await poll(rig)) == {Quality.GOOD}
    await rig.poller.close()


async def test_defect_while_connecting_is_a_loss_too(caplog: pytest.LogCaptureFixture) -> None:
    def opener(_: DeviceSpec) -> object:
        raise RuntimeError("no such library")

    clock = HandClock()
    poller = Poller(two_points(), clock, opener=opener)  # type: ignore[arg-type] # it raises
    await poller.connect_first(1)
    assert not poller.connected
    assert "RuntimeError('no such library')" in caplog.text
    await poller.close()


async def test_stuck_read_is_dropped_and_the_device_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edge.link.STUCK_S", 0.1)
    rig = Rig()
    rig.poller.interval_ns = 100_000_000
    await rig.connected()
    rig.device.read_s = None
    assert reasons(await poll(rig, 0.02)) == {Quality.NO_ANSWER}
    await asyncio.sleep(0.15)
    assert not rig.poller.connected
    rig.device.read_s = 0
    rig.clock.forward(1)
    await poll(rig)
    assert reasons(await poll(rig)) == {Quality.GOOD}
    await rig.poller.close()


async def test_close_ends_a_read_under_way() -> None:
    rig = await Rig().connected()
    rig.device.read_s = None
    await poll(rig, 0.01)
    before = asyncio.all_tasks()
    await rig.poller.close()
    assert not rig.device.is_open
    assert len(asyncio.all_tasks()) < len(before)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_defect_in_its_close_costs_its_device_only(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = await Rig().connected()

    async def refuse(_: FakeDriver) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(FakeDriver, "close", refuse)
        rig.device.answers = False
        assert reasons(await poll(rig)) == {Quality.NO_ANSWER}
        assert "dev: defect in its driver: close: ZeroDivisionError()" in caplog.text
        rig.device.answers = True
        rig.clock.forward(BACKOFF_S_MAX)
        await poll(rig)
        assert reasons(await poll(rig)) == {Quality.GOOD}
        await rig.poller.close()
    assert not rig.poller.connected


async def test_who_waits_for_the_end_of_a_task_can_be_cancelled() -> None:
    ending, may_end = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            await may_end.wait()
        finally:
            ending.set()
            await may_end.wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    closing = asyncio.create_task(cancel(task))
    await ending.wait()
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    may_end.set()
    await asyncio.wait({task})
    assert task.cancelled()


@pytest.mark.parametrize("error", [None, ZeroDivisionError()])
async def test_close_while_a_lost_device_is_closed_closes_it_for_good(
    error: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that takes seconds to end is not left behind half ended."""
    rig = await Rig().connected()
    closes, lets_go = FakeDriver.close, asyncio.Event()

    async def close_slowly(driver: FakeDriver) -> None:
        await lets_go.wait()
        await closes(driver)

    monkeypatch.setattr(FakeDriver, "close", close_slowly)
    rig.device.answers, rig.device.error = False, error
    await poll(rig)
    rig.device.is_open = True  # as of the other side, until it is closed
    lets_go.set()
    await rig.poller.close()
    assert not rig.device.is_open
    assert rig.device.calls["close"] == 1


async def test_a_device_is_not_connected_anew_before_it_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else the end of the old connection would take the new one away."""
    rig = await Rig().connected()
    closes, lets_go = FakeDriver.close, asyncio.Event()

    async def close_slowly(driver: FakeDriver) -> None:
        await lets_go.wait()
        await closes(driver)

    monkeypatch.setattr(FakeDriver, "close", close_slowly)
    rig.device.answers = False
    await poll(rig)
    rig.device.answers = True
    rig.clock.forward(BACKOFF_S_MAX)
    rig.poller.begin(0)
    await poll(rig)
    assert rig.device.calls["connect"] == 1
    lets_go.set()
    await poll(rig)
    await poll(rig)
    assert reasons(await poll(rig)) == {Quality.GOOD}
    assert rig.device.calls["connect"] == 2
    await rig.poller.close()
