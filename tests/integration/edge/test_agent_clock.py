"""The agent while its wall clock steps: time never goes back, and never far ahead at once."""

import asyncio

import pytest

from edge.cli import main as edge_main
from evidence.frame import Body
from evidence.points import Dtype
from evidence.quality import Quality
from tests.integration.edge.conftest import Plant
from tests.integration.edge.streams import frames, mistakes, readings, told
from tests.unit.edge.sites import write_keys

S = 10**9


async def test_clock_step_forward_is_a_gap_and_a_new_frame(plant: Plant) -> None:
    async with plant.running():
        await asyncio.sleep(0.35)
        plant.clock.offset_ns += 600 * S
        await asyncio.sleep(0.35)
    objects = plant.kept()
    assert mistakes(objects) == []
    ((seconds, reason),) = told(objects).gaps
    assert (round(seconds / 10), reason) == (60, "clock-step")
    assert told(objects).events == ["start", "clock-step", "clock-doubt", "stopped"]
    before, after = frames(objects)
    assert [e["kind"] for e in before[1].events] == ["start"]
    step = after[1].events[0]
    assert round((step["at_ns"] - step["from_ns"]) / S) == 600
    assert qualities(before[1]) == {Quality.GOOD}
    assert qualities(after[1]) == {Quality.TIME_IN_DOUBT}, "and it stands after the clock is back"


async def test_readings_that_are_stamped_ahead_of_a_clock_set_back_are_in_doubt(
    plant: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    """600 s ahead for a moment, then back: the stream's time goes on from there."""
    write_keys(plant.folder / "keys")
    async with plant.running() as agent:
        plant.clock.offset_ns += 600 * S
        await asyncio.sleep(0.45)
        plant.clock.offset_ns = 0
        await asyncio.sleep(0.45)
        assert agent._alarms.names == ("clock-doubt",)
        code = await asyncio.to_thread(edge_main, ["status", str(plant.site.path)])
        said = capsys.readouterr().out
    assert code == 1
    assert "ALARM clock-doubt: readings are stamped 600 s ahead of the machine's clock" in said
    told_of = [qualities(body) for _, body in frames(plant.kept()) if body.sections]
    assert told_of[-1] == {Quality.TIME_IN_DOUBT}


def qualities(body: Body) -> set[int]:
    """Quality codes of the measured readings of a frame."""
    groups = [g for section in body.sections for g in section.groups if g.dtype is not Dtype.I64]
    return {int(code) for group in groups for code in group.quality.flat}


async def test_clock_a_year_ahead_for_a_moment_costs_that_moment_only(plant: Plant) -> None:
    async with plant.running():
        await asyncio.sleep(0.35)
        plant.clock.offset_ns += 365 * 86_400 * S
        await asyncio.sleep(0.6)
        plant.clock.offset_ns = 0
        await asyncio.sleep(0.45)
    objects = plant.kept()
    assert mistakes(objects) == []
    ((seconds, reason),) = told(objects).gaps
    assert reason == "clock-unsure"
    assert 0.5 < seconds < 2
    assert max(tick_ns for _, tick_ns in readings(objects)) < plant.clock.wall_ns()
    assert told(objects).events == ["start", "clock-step", "clock-step", "stopped"]


async def test_clock_that_stands_far_ahead_is_followed_in_the_end(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Across a start too: the same boot says that no hour has passed."""
    monkeypatch.setattr("edge.schedule.SURE_NS", S // 2)
    await plant.run(0.35)
    plant.clock.offset_ns += 3600 * S
    async with plant.running():
        await asyncio.sleep(0.3)
        plant.clock.offset_ns -= 5 * S
        await asyncio.sleep(0.7)
    objects = plant.kept()
    assert mistakes(objects) == []
    ((seconds, reason),) = told(objects).gaps
    assert (round(seconds / 10), reason) == (360, "restart")
    assert told(objects).events == [
        "start", "stopped", "start", "clock-step", "clock-step", "clock-doubt", "stopped",
    ]  # fmt: skip


async def test_clock_step_back_loses_nothing_and_never_goes_back(plant: Plant) -> None:
    async with plant.running():
        await asyncio.sleep(0.35)
        plant.clock.offset_ns -= 3600 * S
        await asyncio.sleep(0.55)
    objects = plant.kept()
    assert mistakes(objects) == []
    assert len(readings(objects)) >= 7
    assert told(objects).gaps == []
    assert told(objects).events == ["start", "clock-step", "clock-ahead", "clock-doubt", "stopped"]


async def test_clock_far_behind_the_stream_at_start(plant: Plant) -> None:
    """The battery of the clock died: 1970 until the network's time comes."""
    await plant.run(0.35)
    plant.clock.offset_ns -= plant.clock.wall_ns()
    async with plant.running():
        await asyncio.sleep(0.35)
        plant.clock.offset_ns = 0
        await asyncio.sleep(0.35)
    objects = plant.kept()
    assert mistakes(objects) == []
    assert told(objects).events == [
        "start", "stopped", "start", "clock-step", "clock-ahead", "clock-doubt", "clock-step",
        "stopped",
    ]  # fmt: skip


@pytest.mark.parametrize("year_ns", [0, 946_684_800 * S], ids=["1970", "2000"])
async def test_first_boot_without_network_and_with_a_clock_that_was_never_set(
    plant: Plant, year_ns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads from the first second on, at the instants that the clock shows.

    When the clock is set, that is a signed step and a gap; no reading of before is lost, and none
    is moved: nobody knows when it was.
    """
    monkeypatch.setattr("edge.schedule.SURE_NS", S // 2)
    plant.clock.offset_ns = year_ns - plant.clock.wall_ns()
    async with plant.running():
        await asyncio.sleep(0.55)
        early = plant.beside()
        plant.clock.offset_ns = 0
        await asyncio.sleep(1.2)
    assert early
    objects = plant.kept()
    assert mistakes(objects) == []
    ticks = sorted(tick_ns for _, tick_ns in readings(objects))
    before = [tick_ns for tick_ns in ticks if tick_ns < year_ns + 60 * S]
    assert len(before) >= 4
    assert len(ticks) - len(before) >= 4
    # the oldest reading is decades old now
    assert told(objects).events == ["start", "clock-step", "clock-doubt", "spool-old", "stopped"]
    ((_, reason),) = told(objects).gaps
    assert reason == "clock-unsure"
