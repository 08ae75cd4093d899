"""A slow device is asked ahead of its tick; what it says then belongs to that tick alone."""

import asyncio

from edge.lead import Lead
from edge.poller import Poller
from edge.unkept import Polled
from evidence.quality import Quality
from tests.unit.edge.fake_source import FakeSource
from tests.unit.edge.fakes import Devices, FakeDevice, HandClock
from tests.unit.edge.test_poller import two_points
from tests.unit.edge.test_poller_settings import Rig as SettingsRig

S = 10**9


class Rig:
    """A poller of ten seconds in a site of one, asked three seconds ahead."""

    def __init__(self) -> None:
        self.clock, self.devices = HandClock(), Devices()
        self.poller = Poller(
            two_points(), self.clock, opener=self.devices.opener, interval_ns=10 * S,
            lead=Lead(S, 3 * S),
        )  # fmt: skip

    @property
    def device(self) -> FakeDevice:
        return self.devices["dev"]

    async def connected(self) -> "Rig":
        await self.poller.connect_first(1)
        return self

    async def instant(self, second: int) -> bool:
        """What the agent does at an instant that is no tick of the device: was it due?"""
        self.clock.now_ns = second * S
        is_due = self.poller.is_due(second * S)
        if is_due:
            self.poller.begin(second * S)
        for _ in range(5):
            await asyncio.sleep(0)
        return is_due

    async def tick(self, second: int, timeout_s: float = 0.02) -> Polled:
        self.clock.now_ns = second * S
        assert self.poller.is_due(second * S) or self.poller._ahead_of == second * S
        return await self.poller.poll(timeout_s, second * S)


def raws(polled: Polled) -> set[bytes | None]:
    return {sample.raw for sample in polled.samples}


async def test_it_is_asked_once_ahead_and_answers_at_its_tick() -> None:
    rig = await Rig().connected()
    due = [await rig.instant(second) for second in range(1, 10)]
    assert due == [False] * 6 + [True, False, False]
    rig.device.value = 9  # what it says now is not what is given at the tick
    polled = await rig.tick(10)
    assert raws(polled) == {b"\x88\x13"}
    assert polled.monotonic_ns == 7 * S
    assert rig.device.calls["read"] == 1
    await rig.poller.close()


async def test_quick_once_known_it_is_asked_at_its_tick() -> None:
    rig = await Rig().connected()
    await rig.instant(7)
    await rig.tick(10)
    assert not any([await rig.instant(second) for second in range(11, 20)])
    rig.device.value = 9
    polled = await rig.tick(20)
    assert (raws(polled), polled.monotonic_ns) == ({b"\x09\x00"}, 20 * S)
    await rig.poller.close()


async def test_what_comes_after_its_tick_is_not_taken_for_the_next() -> None:
    rig = await Rig().connected()
    rig.device.read_s = 0.06
    await rig.instant(7)
    late = await rig.tick(10)
    assert {s.quality for s in late.samples} == {Quality.NO_ANSWER}
    assert late.monotonic_ns is None
    await asyncio.sleep(0.08)
    rig.device.read_s, rig.device.value = 0, 9
    assert raws(await rig.tick(20)) == {b"\x09\x00"}
    await rig.poller.close()


async def test_what_was_asked_for_an_instant_that_was_missed_is_not_taken_for_the_next() -> None:
    """The process stood still over its tick."""
    rig = await Rig().connected()
    await rig.instant(7)
    rig.device.value = 9
    polled = await rig.tick(20)
    assert (raws(polled), polled.monotonic_ns) == ({b"\x09\x00"}, 20 * S)
    await rig.poller.close()


async def test_a_device_that_is_lost_when_asked_ahead_is_asked_again() -> None:
    rig = await Rig().connected()
    rig.device.answers = False
    await rig.instant(7)
    assert not rig.poller.connected
    rig.device.answers = True
    assert await rig.instant(8), "it is connected again"
    assert await rig.instant(9), "and asked"
    polled = await rig.tick(10)
    assert (raws(polled), polled.monotonic_ns) == ({b"\x88\x13"}, 9 * S)
    await rig.poller.close()


async def test_a_lost_device_is_sought_between_its_ticks() -> None:
    rig = await Rig().connected()
    rig.device.answers = False
    await rig.tick(10)
    rig.device.answers = True
    assert await rig.instant(11)
    assert rig.poller.connected
    assert not await rig.instant(12)
    await rig.poller.close()


async def test_what_a_source_delivers_once_is_given_with_its_own_time_and_once() -> None:
    source, clock = FakeSource(5), HandClock()
    poller = Poller(
        two_points(), clock, opener=source.opener, interval_ns=10 * S, lead=Lead(S, 3 * S)
    )
    await poller.connect_first(1)
    clock.now_ns = 7 * S
    poller.begin(7 * S)
    clock.now_ns = 10 * S
    polled = await poller.poll(1, 10 * S)
    assert raws(polled) == {b"\x01\x00"}
    clock.now_ns = 18 * S
    poller.begin(18 * S)  # not committed: nothing else is asked for
    clock.now_ns = 20 * S
    assert raws(again := await poller.poll(1, 20 * S)) == {b"\x01\x00"}
    assert again.monotonic_ns == 20 * S
    assert source.given == [1]
    poller.committed()
    assert raws(await poller.poll(1, 30 * S)) == {b"\x02\x00"}
    await poller.close()


async def test_no_read_is_begun_beside_a_question_for_a_setting() -> None:
    rig = await SettingsRig().connected()
    rig.driver.takes_s = 0.05
    while not rig.driver.busy:
        await rig.poll()
    rig.poller.interval_ns, rig.poller._lead = 10 * S, Lead(S, 3 * S)
    rig.poller.begin(7 * S)
    assert rig.poller._ahead_of is None
    assert await rig.poller._questions.over(1)
    rig.poller.begin(8 * S)
    assert rig.poller._ahead_of == 10 * S
    assert {s.quality for s in (await rig.poller.poll(1, 10 * S)).samples} == {Quality.GOOD}
    assert rig.driver.met == 0
    await rig.poller.close()
