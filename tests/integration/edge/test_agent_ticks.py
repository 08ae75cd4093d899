"""The agent on fake devices: every tick it took stands once in a frame, every other in a gap."""

import asyncio
import itertools
import logging
import time

import pytest

from edge.agent import Agent
from edge.errors import SpoolError
from edge.spool import Spool
from evidence.quality import Quality
from tests.integration.edge.conftest import Plant, fast
from tests.integration.edge.streams import frames, mistakes, readings, told
from tests.unit.edge.sites import METERS, replaced

S = 10**9


async def test_ticks_become_frames_on_the_grid(plant: Plant) -> None:
    await plant.run(1.25)
    objects = plant.kept()
    assert mistakes(objects) == []
    ticks = [tick_ns for _, tick_ns in readings(objects)]
    assert 10 <= len(ticks) <= 13
    assert ticks == list(range(ticks[0], ticks[-1] + 1, S // 10))
    assert told(objects).gaps == []
    assert told(objects).events == ["start", "stopped"]
    sections = [body.sections[0].ticks for _, body in frames(objects)]
    assert sections[0] == 5, "a frame closes as soon as the next tick would not join it"
    assert plant.in_spool(Spool.open_ticks) == []


async def test_nothing_is_left_running(plant: Plant) -> None:
    before = asyncio.all_tasks()
    await plant.run(0.5)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    assert not any(device.is_open for device in plant.devices.values())
    assert {d.calls["close"] for d in plant.devices.values()} == {1}


async def test_same_site_signs_its_configuration_once(plant: Plant) -> None:
    await plant.run(0.3)
    await away()
    await plant.run(0.3)
    objects = plant.kept()
    assert mistakes(objects) == []
    kinds = [type(body) for _, body in frames(objects)]
    assert len(objects) == len(kinds) + 1
    assert told(objects).events == ["start", "stopped", "start", "stopped"]
    ((seconds, reason),) = told(objects).gaps
    assert reason == "restart"
    assert seconds < 3


async def test_changed_site_is_signed_before_its_first_frame(plant: Plant) -> None:
    await plant.run(0.3)
    await away()
    plant.text = replaced(plant.text, {'ct_ratio = "800/5"': 'ct_ratio = "400/5"'})
    await plant.run(0.3)
    objects = plant.kept()
    assert mistakes(objects) == []
    assert len(objects) - len(list(frames(objects))) == 2
    assert [reason for _, reason in told(objects).gaps] == ["restart"]


async def test_open_ticks_of_an_old_configuration_are_signed_under_it(plant: Plant) -> None:
    """A process that died before its frame closed, and a site that changed before the next."""
    async with plant.running() as agent:
        dies(agent)
        await asyncio.sleep(0.35)
    left = plant.in_spool(Spool.open_ticks)
    assert len(left) >= 2
    await away()
    plant.text = replaced(plant.text, {'ct_ratio = "800/5"': 'ct_ratio = "400/5"'})
    await plant.run(0.3)
    objects = plant.kept()
    assert mistakes(objects) == []
    (first, _), *_ = frames(objects)
    assert first.seq == 1, "the frame of the old ticks comes before the new configuration"
    assert told(objects).events == ["start", "restart", "start", "stopped"]
    assert [reason for _, reason in told(objects).gaps] == ["restart"]


async def away() -> None:
    """Time without a process."""
    await asyncio.sleep(0.3)


def dies(agent: Agent) -> None:
    """From here on it signs nothing, as a process that was killed."""

    async def nothing(event: str = "") -> None:
        """Sign nothing."""

    vars(agent._recorder)["close_frame"] = nothing


async def test_slow_schedule_beside_a_fast_one(plant: Plant) -> None:
    parts = METERS.split('id = "gas-1"')
    assert len(parts) == 2
    plant.text = 'id = "gas-1"'.join(
        [fast(parts[0]), parts[1].replace('"meter-direct"', '"meter-direct"\ninterval_s = "0.5"')]
    )
    await plant.run(1.3)
    objects = plant.kept()
    assert mistakes(objects) == []
    slow = [tick_ns for schedule, tick_ns in readings(objects) if schedule == 1]
    assert 2 <= len(slow) <= 3
    assert {b - a for a, b in itertools.pairwise(slow)} == {S // 2}


# -- devices that misbehave -------------------------------------------------------------------


def qualities(plant: Plant, device: str) -> list[set[int]]:
    """The quality codes of a device's points, tick by tick."""
    config = plant.agent()._config
    wanted = {i for i, p in enumerate(config["points"]) if p.get("device") == device}
    found = []
    for groups in readings(plant.kept()).values():
        codes = set()
        for g, (_, quality) in groups.items():
            for row, index in enumerate(config["groups"][g]["points"]):
                if index in wanted:
                    codes.add(quality[row])
        found.append(codes)
    return found


@pytest.mark.parametrize("fault", ["absent", "silent", "slow", "stuck", "defect", "late connect"])
async def test_one_bad_device_costs_nobody_a_tick(
    plant: Plant, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant.text = fast(interval_s="0.2")
    gas = plant.devices["gas-1"]
    gas.connects = fault != "absent"
    gas.answers = fault != "silent"
    gas.read_s = {"slow": 0.5, "stuck": None}.get(fault, 0)
    gas.error = KeyError("defect") if fault == "defect" else None
    gas.connect_s = 60 if fault == "late connect" else 0
    monkeypatch.setattr("edge.agent.FIRST_CONNECT_S", 0.1)
    await plant.run(0.85)
    objects = plant.kept()
    assert mistakes(objects) == []
    assert told(objects).gaps == [], "the others lost ticks"
    assert set.union(*qualities(plant, "ac-1")) == {Quality.GOOD}
    expected = {
        "absent": {Quality.NOT_CONNECTED},
        "late connect": {Quality.NOT_CONNECTED},
        "silent": {Quality.NOT_CONNECTED, Quality.NO_ANSWER},
        "defect": {Quality.NOT_CONNECTED, Quality.NO_ANSWER},
        "slow": {Quality.NO_ANSWER},
        "stuck": {Quality.NO_ANSWER},
    }
    assert set.union(*qualities(plant, "gas-1")) == expected[fault]


async def test_device_comes_and_goes(plant: Plant) -> None:
    plant.devices["gas-1"].connects = False
    async with plant.running():
        await asyncio.sleep(0.3)
        plant.devices["gas-1"].connects = True
        await asyncio.sleep(1.0)
    assert mistakes(plant.kept()) == []
    codes = qualities(plant, "gas-1")
    assert codes[0] == {Quality.NOT_CONNECTED}
    assert codes[-1] == {Quality.GOOD}


async def test_stop_in_the_middle_of_a_poll_keeps_that_tick(plant: Plant) -> None:
    plant.devices["gas-1"].read_s = None
    async with plant.running():
        await asyncio.sleep(0.33)
    objects = plant.kept()
    assert mistakes(objects) == []
    assert len(readings(objects)) >= 3
    assert not plant.devices["gas-1"].is_open


# -- time lost ---------------------------------------------------------------------------------


async def test_blocked_process_misses_ticks_and_says_so(plant: Plant) -> None:
    async with plant.running():
        await asyncio.sleep(0.5)
        time.sleep(0.55)  # noqa: ASYNC251 - the whole process stands still
        await asyncio.sleep(0.4)
    objects = plant.kept()
    assert mistakes(objects) == []
    ((seconds, reason),) = told(objects).gaps
    assert 0.3 <= seconds <= 1.0
    assert reason == "overrun"


# -- the disk ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["commit_ticks", "append", "fill", "usage"])
async def test_refusing_disk_costs_only_the_ticks_it_refused(
    plant: Plant, method: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The disk fails for half a second, at each of the places a tick passes."""
    works = getattr(Spool, method)
    refused = 0

    def refuse(*args: object, **kwargs: object) -> object:
        nonlocal refused
        if not refusing:
            return works(*args, **kwargs)
        refused += 1
        raise SpoolError("spool.sqlite: cannot be written: disk I/O error")

    refusing = False
    monkeypatch.setattr(Spool, method, refuse)
    async with plant.running() as agent:
        await asyncio.sleep(0.35)
        refusing = True
        await asyncio.sleep(0.6)
        while_it_does = agent.life.ready()
        refusing = False
        await asyncio.sleep(0.35)
        after = agent.life.ready()
    assert refused
    assert while_it_does == (False, "no readings are kept: spool-error")
    assert after == (True, "ready")
    assert "disk I/O error" in caplog.text
    objects = plant.kept()
    assert mistakes(objects) == []
    assert [reason for _, reason in told(objects).gaps] == ["spool-error"]
    said = [r.getMessage() for r in caplog.records if r.name == "stackproof.edge"]
    assert len([s for s in said if "disk I/O error" in s]) == 1, "said once, not at every tick"
    assert said[-1] == "the disk takes readings again"


async def test_full_spool_takes_no_ticks_and_says_so(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full = False
    monkeypatch.setattr(Spool, "fill", lambda _: 1.0 if full else 0.85)
    with caplog.at_level(logging.WARNING):
        async with plant.running() as agent:
            await asyncio.sleep(0.35)
            full = True
            await asyncio.sleep(0.7)
            while_it_is = agent.life.ready()
            full = False
            await asyncio.sleep(0.35)
            after = agent.life.ready()
    assert while_it_is == (False, "no readings are kept: spool-full")
    assert after == (True, "ready")
    objects = plant.kept()
    assert mistakes(objects) == []
    ((seconds, reason),) = told(objects).gaps
    assert 0.5 <= seconds <= 1.2
    assert reason == "spool-full"
    said = [r.getMessage() for r in caplog.records if r.name == "stackproof.edge"]
    assert said == [
        "alarm: spool is 85 % full",
        "alarm: spool is full: no readings are taken",
        "alarm is over: spool-full",
    ]
    assert told(objects).events == ["start", "spool-filling", "spool-full", "stopped"]


async def test_silent_stream_beats_so_that_a_cut_tail_shows(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One reading in five seconds, a heartbeat whenever nothing was signed for 0.3 s."""
    monkeypatch.setattr("edge.agent.HEARTBEAT_NS", 300_000_000)
    plant.text = fast(interval_s="5")
    await plant.run(1.7)
    objects = plant.kept()
    assert mistakes(objects) == []
    beats = [body for _, body in frames(objects) if not body.sections]
    assert 3 <= len(beats) <= 7
    first = next(body for _, body in frames(objects))
    assert [e["kind"] for e in first.events] == ["start"], "what was to be told is told at once"
    assert told(objects).events == ["start", "stopped"]
    clocks = [body.clock for _, body in frames(objects)]
    assert {c.source for c in clocks} == {"simulated"}
    assert [c.monotonic_ns for c in clocks] == sorted(c.monotonic_ns for c in clocks)
    times = [body.t0_ns for _, body in frames(objects)]
    assert times == sorted(times)


async def test_no_tick_is_before_the_heartbeat_a_stream_begins_with(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The collector would refuse it, and all that follows, for ever."""
    looks = 0

    async def beat_when_the_first_tick_is_due(agent: Agent) -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            assert await agent._recorder.heartbeat(0)
            agent._time.use(agent._recorder.last_ns)

    monkeypatch.setattr(Agent, "_beat", beat_when_the_first_tick_is_due)
    await plant.run(0.5)
    objects = plant.kept()
    assert mistakes(objects) == []
    assert len([b for _, b in frames(objects) if not b.sections]) == 1
    assert len(readings(objects)) >= 2


async def test_full_spool_beats_seldom_and_says_why(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.agent.HEARTBEAT_NS", 100_000_000)
    monkeypatch.setattr("edge.agent.HEARTBEAT_FULL_NS", 500_000_000)
    full = False
    monkeypatch.setattr(Spool, "fill", lambda _: 1.0 if full else 0.1)
    async with plant.running():
        await asyncio.sleep(0.3)
        full = True
        await asyncio.sleep(1.4)
        events = told([s.data for s in plant.beside()]).events
        assert events == ["start", "spool-filling", "spool-full"], "told while it is full"
        full = False
        await asyncio.sleep(0.4)
    objects = plant.kept()
    assert mistakes(objects) == []
    assert [reason for _, reason in told(objects).gaps] == ["spool-full"]
    # one in half a second, not ten as before it was full; and one that tells of the stop
    assert 1 <= len([b for _, b in frames(objects) if not b.sections]) <= 5


async def test_stop_without_a_tick_is_told_too(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Spool, "fill", lambda _: 1.0)
    await plant.run(0.25)
    monkeypatch.setattr(Spool, "fill", lambda _: 0.1)
    await away()
    await plant.run(0.25)
    objects = plant.kept()
    assert mistakes(objects) == []
    assert told(objects).events == [
        "start", "spool-filling", "spool-full", "stopped", "start", "stopped",
    ]  # fmt: skip
    assert len(readings(objects)) >= 1
    assert [reason for _, reason in told(objects).gaps] == ["restart"]


async def test_reasons_belong_to_their_own_gap(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gaps of different reasons, and a process that dies while the frame of one is open.

    Each must keep its own reason, also the one that a later process signs.
    """
    full = False
    monkeypatch.setattr(Spool, "fill", lambda _: 1.0 if full else 0.1)
    await plant.run(0.35)
    await away()
    async with plant.running() as agent:
        await asyncio.sleep(0.35)  # the frame with the restart gap is still open
        plant.clock.offset_ns += 60 * S
        await asyncio.sleep(0.35)
        full = True
        await asyncio.sleep(0.35)
        full = False
        await asyncio.sleep(0.35)
        dies(agent)
    await away()
    async with plant.running() as agent:
        await asyncio.sleep(0.35)
        full = True
        await asyncio.sleep(0.35)
        dies(agent)
    full = False  # receipts came first at the next start
    await away()
    await plant.run(0.35)
    objects = plant.kept()
    assert mistakes(objects) == []
    assert [reason for _, reason in told(objects).gaps] == [
        "restart", "clock-step", "spool-full", "restart", "spool-full",
    ]  # fmt: skip
