"""A meter is asked for its settings beside its readings, and no reading is the worse for it."""

import asyncio
from dataclasses import replace

from edge.drivers.base import DeviceError, DeviceSpec, ReadsSettings
from edge.drivers.dlt645.driver import Dlt645Driver
from edge.drivers.modbus.driver import ModbusDriver
from edge.drivers.modbus.overhear import ListenDriver
from edge.drivers.opcua.driver import OpcUaDriver
from edge.poller import Poller
from edge.unkept import Polled
from evidence.quality import Quality
from firmware_configs.profile import Setting, load_profile
from tests.unit.edge.fakes import FakeDevice, FakeDriver, HandClock
from tests.unit.edge.test_poller import two_points

AC = load_profile("stackproof/ac-meter")
ROWS = AC.settings[:2]


class SettingsDriver(FakeDriver):
    """One that reads settings; how is in the test's hands."""

    def __init__(self, spec: DeviceSpec, device: FakeDevice) -> None:
        super().__init__(spec, device)
        self.number, self.takes_s, self.busy, self.met = 1, 0.0, 0, 0
        self.answers: dict[str, str | Quality | Exception] = {"serial": "7", "firmware": "A"}

    def connection(self) -> int:
        return self.number

    async def read(self) -> list[object]:  # type: ignore[override] # of samples
        self.met += self.busy
        return list(await super().read())

    async def read_setting(self, setting: Setting) -> str | Quality:
        self.busy += 1
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.busy -= 1
        answer = self.answers[setting.name]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Rig:
    """A poller of such a device; each poll is five seconds after the one before."""

    def __init__(self) -> None:
        self.clock, self.device = HandClock(), FakeDevice()
        profile = replace(two_points().profile, settings=ROWS)
        spec = replace(two_points(), profile=profile)
        self.drivers: list[SettingsDriver] = []
        self.poller = Poller(spec, self.clock, opener=self.opened)

    def opened(self, spec: DeviceSpec) -> SettingsDriver:
        self.drivers.append(SettingsDriver(spec, self.device))
        return self.drivers[-1]

    @property
    def driver(self) -> SettingsDriver:
        return self.drivers[-1]

    async def connected(self) -> "Rig":
        await self.poller.connect_first(1)
        return self

    async def poll(self, timeout_s: float = 1.0, *, commits: bool = True) -> Polled:
        polled = await self.poller.poll(timeout_s)
        for _ in range(8):
            await asyncio.sleep(0)
        self.clock.forward(5)
        if commits:
            self.poller.committed()
        return polled

    async def polls(self, count: int) -> list[Polled]:
        return [await self.poll() for _ in range(count)]


def events(polled: list[Polled]) -> list[object]:
    return [event for p in polled if p.progress is not None for event in p.progress.events]


def qualities(polled: list[Polled]) -> set[Quality]:
    return {sample.quality for p in polled for sample in p.samples}


EVENT = {
    "kind": "meter-settings", "device": "dev", "read": {"serial": "7", "firmware": "A"},
    "unread": {},
}  # fmt: skip


def test_which_drivers_read_settings() -> None:
    for driver in (ModbusDriver, Dlt645Driver, OpcUaDriver, SettingsDriver):
        assert isinstance(object.__new__(driver), ReadsSettings)
    assert not isinstance(object.__new__(ListenDriver), ReadsSettings)


async def test_the_settings_are_one_event_and_are_kept_with_its_tick() -> None:
    rig = await Rig().connected()
    polled = await rig.polls(6)
    assert events(polled) == [EVENT]
    assert qualities(polled) == {Quality.GOOD}
    (kept,) = [p.progress.settings for p in polled if p.progress is not None]
    assert kept is not None
    await rig.poller.close()


async def test_a_tick_that_was_not_committed_gives_them_again() -> None:
    rig = await Rig().connected()
    polled = [await rig.poll(commits=False) for _ in range(6)]
    told = [p.progress for p in polled if p.progress is not None]
    assert len(told) >= 2
    assert all(list(p.events) == [EVENT] and p.settings is not None for p in told)
    rig.poller.committed()
    assert (await rig.poll()).progress is None
    await rig.poller.close()


async def test_what_a_round_ends_with_during_a_commit_is_not_taken_for_committed() -> None:
    rig = await Rig().connected()
    polled: list[Polled] = []
    while not events(polled):
        assert rig.poller.departures == []
        polled.append(await rig.poll(commits=False))
    rig.poller.committed()
    later = rig.poller._settings
    later.unkept = b"newer"
    rig.poller.committed()
    assert later.unkept == b"newer"
    await rig.poller.close()


async def test_no_read_meets_a_question_and_a_slow_one_costs_no_tick() -> None:
    rig = await Rig().connected()
    rig.driver.takes_s = 0.05
    polled = await rig.polls(12)
    assert qualities(polled) == {Quality.GOOD}
    assert rig.driver.met == 0
    assert events(polled) == [EVENT]
    await rig.poller.close()


async def test_a_question_that_hangs_leaves_ticks_without_answer_and_ends() -> None:
    rig = await Rig().connected()
    rig.driver.takes_s = 0.3
    while not rig.driver.busy:
        assert qualities([await rig.poll(0.05)]) == {Quality.GOOD}
    assert qualities([await rig.poll(0.05) for _ in range(3)]) == {Quality.NO_ANSWER}
    rig.driver.takes_s = 0
    await asyncio.sleep(0.3)
    assert qualities(await rig.polls(4)) == {Quality.GOOD}
    await rig.poller.close()


async def test_no_question_after_a_read_that_was_not_answered() -> None:
    rig = await Rig().connected()
    rig.device.answers = False
    await rig.polls(3)
    rig.driver.number = 99
    assert not rig.poller._questions.is_asking
    await rig.poller.close()


async def test_another_connection_reads_them_again() -> None:
    rig = await Rig().connected()
    assert events(await rig.polls(6)) == [EVENT]
    assert events(await rig.polls(20)) == []
    rig.driver.number = 2
    rig.clock.forward(600)
    rig.driver.answers["serial"] = "8"
    (event,) = events(await rig.polls(6))
    assert event == {**EVENT, "read": {"serial": "8", "firmware": "A"}}
    assert rig.poller.departures == ["dev serial reads '8'; before it was '7'"]
    await rig.poller.close()


async def test_after_a_loss_they_are_read_again() -> None:
    rig = await Rig().connected()
    assert events(await rig.polls(16)) == [EVENT]
    rig.device.answers = False
    await rig.polls(2)
    rig.device.answers = True
    rig.clock.forward(600)
    assert events(await rig.polls(8)) == [EVENT]
    await rig.poller.close()


async def test_one_that_could_not_be_asked_is_asked_again() -> None:
    rig = await Rig().connected()
    rig.driver.answers["serial"] = DeviceError("the connection was lost")
    assert events(await rig.polls(6)) == []
    assert rig.poller.connected
    rig.driver.answers["serial"] = "7"
    assert events(await rig.polls(6)) == [EVENT]
    await rig.poller.close()


async def test_a_defect_in_a_question_is_a_loss_and_no_more() -> None:
    rig = await Rig().connected()
    rig.driver.answers["serial"] = ZeroDivisionError()
    await rig.polls(2)
    assert not rig.poller.connected
    rig.clock.forward(60)
    assert events(await rig.polls(8)) == [EVENT], "the round goes on"
    rig.clock.forward(600)
    assert events(await rig.polls(8)) == [EVENT], "and all are read on the new connection"
    assert len(rig.drivers) == 2
    await rig.poller.close()


async def test_closing_ends_a_question_under_way() -> None:
    rig = await Rig().connected()
    rig.driver.takes_s = 60
    await rig.polls(2)
    assert rig.driver.busy == 1
    await asyncio.wait_for(rig.poller.close(), 1)
    assert rig.driver.busy == 0


async def test_a_device_without_settings_is_never_asked() -> None:
    rig = Rig()
    poller = Poller(two_points(), rig.clock, opener=rig.opened)
    await poller.connect_first(1)
    for _ in range(5):
        assert (await poller.poll(1)).progress is None
        rig.clock.forward(5)
    assert not poller._questions.is_asking
    await poller.close()
