"""Playing in real time, with a clock that only moves when told to."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from firmware_configs.profile import load_profile
from simulators.modbus_meter import ModbusMeter
from simulators.play import (
    Change,
    Play,
    changes_of,
    play,
    start_all,
    start_instant,
    steps_of,
    stop_all,
)
from simulators.served import Readings, Served, ServeError
from tests.unit.simulators.smelters import QUICK, Played, played, smelter

STARTED_NS = 1_795_571_679_535_000_000
#: shown at every second step, so that showing and stepping cannot be taken for one another
EVERY_OTHER = replace(QUICK, publish_steps=2)


class JumpingClock:
    """Sleeps take no real time; `pauses` adds seconds after the sleep of that number."""

    def __init__(self, pauses: Mapping[int, float] | None = None) -> None:
        self.moment_s = 1000.0
        self.sleeps: list[float] = []
        self.at_sleep: dict[int, Callable[[], None]] = {}
        self._pauses = dict(pauses or {})

    def now_ns(self) -> int:
        return 1_795_571_679_535_987_654

    def elapsed_s(self) -> float:
        return self.moment_s

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        if seconds > 0:
            self.sleeps.append(seconds)
            self.moment_s += seconds + self._pauses.get(len(self.sleeps), 0.0)
            self.at_sleep.get(len(self.sleeps), lambda: None)()


class Shown:
    """A device that keeps what it is told to show."""

    def __init__(self, *, fails: bool = False) -> None:
        self.values: list[tuple[int, Readings]] = []
        self.is_open = False
        self._fails = fails

    @property
    def url(self) -> str:
        return "shown:"

    async def start(self) -> None:
        if self._fails:
            raise ServeError("shown: cannot listen")
        self.is_open = True

    async def publish(self, readings: Readings, source_ns: int) -> None:
        self.values.append((source_ns, dict(readings)))

    async def stop(self) -> None:
        self.is_open = False


async def show(
    run: Played,
    clock: JumpingClock,
    *,
    steps: int | None,
    stop: asyncio.Event | None = None,
) -> tuple[Shown, list[str]]:
    """Play and return what the pot gateway showed, and the calls in their order."""
    device, calls = Shown(), list[str]()
    told = Play(
        plant=run.plant,
        devices={"pot-gateway": device},
        steps=steps,
        flush=lambda: calls.append("flush"),
        ready=lambda: calls.append("ready"),
    )
    await play(told, clock, stop or asyncio.Event(), started_ns=STARTED_NS)
    return device, calls


async def test_every_second_step_is_shown_with_its_instant() -> None:
    device, _ = await show(smelter(EVERY_OTHER), JumpingClock(), steps=20)
    instants = [at - STARTED_NS for at, _ in device.values]
    assert instants == [n * 200_000_000 for n in range(11)]


async def test_what_is_shown_is_the_step_it_says() -> None:
    run = played(20)
    device, _ = await show(smelter(EVERY_OTHER), JumpingClock(), steps=20)
    for at, readings in device.values:
        step = (at - STARTED_NS) // 100_000_000
        assert readings["pot-01.voltage"] == run.voltage_v[step, 0]
        assert readings["line_current"] == run.current_ka[step]


async def test_a_change_comes_at_its_step_and_stays() -> None:
    run, happened = smelter(EVERY_OTHER), list[int]()
    told = Play(
        plant=run.plant, devices={}, steps=8, flush=lambda: None, ready=lambda: None,
        changes=[(4, lambda: happened.append(run.plant.step_number))],
    )  # fmt: skip
    await play(told, JumpingClock(), asyncio.Event(), started_ns=STARTED_NS)
    assert happened == [4, 6, 8]


def test_changes_are_in_order_and_to_a_setting_that_the_meter_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    meter = ModbusMeter(load_profile("stackproof/ac-meter"), host="127.0.0.1", port=0, ratios={})
    happened: list[tuple[str, str]] = []
    monkeypatch.setattr(meter, "set_setting", lambda *change: happened.append(change))
    asked = [Change(Decimal(60), "ac-1", "ct_primary", "400"),
             Change(Decimal("1.5"), "ac-1", "parameter_changes", "4")]  # fmt: skip
    made = changes_of(asked, {"ac-1": meter}, Decimal("0.1"))
    for _, happen in made:
        happen()
    assert [step for step, _ in made] == [15, 600]
    assert happened == [("parameter_changes", "4"), ("ct_primary", "400")]
    for device, setting in (("ac-2", "ct_primary"), ("ac-1", "colour")):
        with pytest.raises(ServeError):
            changes_of([Change(Decimal(1), device, setting, "4")], {"ac-1": meter}, Decimal(1))


async def test_ready_comes_once_after_the_first_values() -> None:
    _, calls = await show(smelter(EVERY_OTHER), JumpingClock(), steps=6)
    assert calls == ["ready", "flush", "flush", "flush", "flush"]


async def test_a_pause_skips_no_physics_and_shows_the_newest() -> None:
    run = smelter(EVERY_OTHER)
    device, _ = await show(run, JumpingClock(pauses={3: 60.05}), steps=1000)
    instants = [(at - STARTED_NS) // 100_000_000 for at, _ in device.values]
    # 0.6 s were reached when 60.05 s went by: the next value shown is that of now.
    assert instants[:5] == [0, 2, 4, 606, 608]
    straight = played(1000)
    straight.plant.finish()
    assert run.text() == straight.text()


async def test_lateness_does_not_add_up() -> None:
    """Each round aims at its own instant, so a late one is followed by a shorter sleep."""
    clock = JumpingClock(pauses={2: 0.05})
    await show(smelter(EVERY_OTHER), clock, steps=10)
    assert clock.sleeps == pytest.approx([0.2, 0.2, 0.15, 0.2, 0.2])


async def test_it_ends_at_the_asked_step_though_that_is_between_two_rounds() -> None:
    run = smelter(EVERY_OTHER)
    device, _ = await show(run, JumpingClock(), steps=7)
    assert run.plant.step_number == 7
    assert [(at - STARTED_NS) // 100_000_000 for at, _ in device.values] == [0, 2, 4, 6, 7]
    assert run.lines[-1]["type"] == "end"
    assert run.lines[-1]["t_s"] == "0.7"


async def test_stop_ends_it_with_the_last_line() -> None:
    run, stop, clock = smelter(EVERY_OTHER), asyncio.Event(), JumpingClock()
    clock.at_sleep[25] = stop.set
    await show(run, clock, steps=None, stop=stop)
    assert run.lines[-1]["type"] == "end"
    assert run.plant.step_number == 50


async def test_all_devices_or_none() -> None:
    first, second = Shown(), Shown(fails=True)
    devices: list[Served] = [first, second]
    with pytest.raises(ServeError, match="cannot listen"):
        await start_all(devices)
    assert not first.is_open


async def test_start_and_stop() -> None:
    devices: list[Served] = [Shown(), Shown()]
    await start_all(devices)
    assert [device.is_open for device in devices if isinstance(device, Shown)] == [True, True]
    await stop_all(devices)
    assert [device.is_open for device in devices if isinstance(device, Shown)] == [False, False]


def test_the_start_is_a_whole_millisecond() -> None:
    assert start_instant(JumpingClock()) == STARTED_NS


@pytest.mark.parametrize(
    ("seconds", "steps"), [("60", 600), ("0.1", 1), ("0.05", 1), ("2.39", 23), ("1e2", 1000)]
)
def test_steps_of(seconds: str, steps: int) -> None:
    assert steps_of(Decimal(seconds), Decimal("0.1")) == steps
