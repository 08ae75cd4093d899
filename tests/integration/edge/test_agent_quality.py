"""The agent on a device that changes: each rule's verdict stands in the signed frame."""

import asyncio
from collections.abc import Iterator

import pytest

from evidence.points import Point
from evidence.quality import Quality
from tests.integration.edge.conftest import Plant, fast
from tests.integration.edge.streams import mistakes, readings, told
from tests.unit.edge.sites import METERS, replaced
from tests.unit.edge.test_site_messages import LOGGER
from tests.unit.edge.test_site_rules import ANALYSER, STACK

GOOD, STUCK, JUMPED, BACK, CALIBRATION, STALE = 0, 20, 21, 22, 140, 136
RULES = """\
[device.rules.co2]
jump = "5"
stuck_after_s = "0.4"
stuck_tolerance = "none"
"""


def codes(plant: Plant, point_id: str) -> list[int]:
    """The quality of one point, tick by tick, as it was signed."""
    config = plant.agent()._config
    index = [p["id"] for p in config["points"]].index(point_id)
    (place,) = [
        (g, group["points"].index(index))
        for g, group in enumerate(config["groups"])
        if index in group["points"]
    ]
    found = readings(plant.kept()).values()
    return [groups[place[0]][1][place[1]] for groups in found if place[0] in groups]


class Analyser:
    """Its values, one a read: CO2 in hundredths of a percent, the state behind it."""

    def __init__(self, series: list[tuple[int, int]]) -> None:
        self._left: Iterator[tuple[int, int]] = iter(series)
        self._now = series[0]

    def __call__(self, point: Point) -> float:
        if point.id == "stack.co2":  # the first of its points
            self._now = next(self._left, self._now)
        return {"stack.co2": self._now[0], "stack.state": self._now[1]}.get(point.id, 0)


@pytest.fixture
def stack(plant: Plant) -> Plant:
    (plant.folder / "analyser.toml").write_text(ANALYSER, encoding="utf-8")
    plant.text = fast(METERS + STACK) + RULES
    return plant


async def test_a_spike_a_calibration_and_a_stuck_sensor(stack: Plant) -> None:
    """Ten readings a second: 12 %, a spike of 25 %, span gas, then 14.2 % for good."""
    series = [
        (1200, 0), (1210, 0), (2500, 0), (1220, 0), (1230, 0),
        (9000, 1), (9001, 1), (1400, 0), (1420, 0),
    ]  # fmt: skip
    stack.devices["stack"].values = Analyser(series)
    await stack.run(1.75)
    objects = stack.kept()
    assert mistakes(objects) == []
    assert told(objects).gaps == []
    found = codes(stack, "stack.co2")
    # 14.00 is two intervals after 12.30 and within the jump; 14.20 stands from the ninth on
    start = [GOOD, GOOD, JUMPED, BACK, GOOD, CALIBRATION, CALIBRATION, GOOD]
    assert found[:8] == start
    assert found[8:12] == [GOOD] * 4
    assert set(found[12:]) == {STUCK}
    assert len(found) >= 14
    assert set(codes(stack, "stack.o2")) == {GOOD}, "no rule, and the state does not speak of it"
    assert set(codes(stack, "ac-1.frequency")) == {GOOD}


async def test_a_spike_over_a_frames_end_and_a_refusing_disk_is_the_same_spike(
    stack: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every frame closes with its tick: what was before comes from the recorder alone."""
    monkeypatch.setattr("edge.pipeline.FRAME_NS_MAX", 1)
    stack.devices["stack"].values = Analyser([(1200, 0), (2500, 0), (1200, 0), (1210, 0)])
    await stack.run(0.75)
    assert mistakes(stack.kept()) == []
    assert codes(stack, "stack.co2")[:4] == [GOOD, JUMPED, BACK, GOOD]


async def test_a_logger_that_repeats_itself_grows_stale(plant: Plant) -> None:
    """Its values keep coming, with the time of the first; only the comparison shows it."""
    rule = '[device.rules.co2]\nstale_after_s = "0.5"\n'
    logger = replaced(LOGGER, {'interval_s = "30"': 'interval_s = "0.1"'})
    plant.text = fast(METERS) + logger + rule
    plant.devices["stack"].value = 78  # the mark N, and 0.0078 %
    plant.devices["stack"].source_ns = plant.clock.wall_ns()
    async with plant.running():
        await asyncio.sleep(1.2)
        plant.devices["stack"].source_ns = plant.clock.wall_ns() + 10**9
        await asyncio.sleep(0.4)
    assert mistakes(plant.kept()) == []
    found = codes(plant, "stack.co2")
    assert found[0] == GOOD
    assert found[-1] == GOOD, "new values are of now again"
    first, last = found.index(STALE), len(found) - 1 - found[::-1].index(STALE)
    assert set(found[first : last + 1]) == {STALE}
    assert set(codes(plant, "stack.co2_minutes")) == {GOOD}, "no rule"
    assert Quality.STALE == STALE
