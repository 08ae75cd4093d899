"""Bit fields, BCD and mixed orders: what the simulated meter shows, the driver reads.

Two implementations, one map: the simulator's encoder and the driver's decoder share no code.
"""

from pathlib import Path

import pytest

from firmware_configs.profile import Profile, load_profile
from simulators.modbus_meter import ModbusMeter
from tests.integration.drivers.opened import numbers
from tests.unit.firmware_configs.profile_texts import FULL

pytestmark = pytest.mark.usefixtures("recorded")

SOURCE_NS = 1_795_571_679_000_000_000


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    path = tmp_path / "full.toml"
    path.write_text(FULL)
    return load_profile(str(path))


@pytest.mark.parametrize(
    "shown",
    [
        {"voltage_l1": 230.1, "status": -7, "valve": 1, "step": 1023, "total": 1234567},
        {"voltage_l1": 0.0, "status": 32767, "valve": 0, "step": 1, "total": 9_999_999},
        {"voltage_l1": 399.9, "status": -32768, "valve": 1, "step": 0, "total": 0},
    ],
)
async def test_what_is_shown_is_read(shown: dict[str, float], profile: Profile) -> None:
    meter = ModbusMeter(profile, host="127.0.0.1", port=0, ratios={})
    await meter.start()
    try:
        await meter.publish(shown, SOURCE_NS)
        found = await numbers(meter.url, profile)
    finally:
        await meter.stop()
    raw_volts = round(shown["voltage_l1"] * 10)
    assert found == {**shown, "voltage_l1": raw_volts}


async def test_a_bit_that_was_set_can_be_cleared(profile: Profile) -> None:
    """Fields of one register are laid over each other anew at each step."""
    meter = ModbusMeter(profile, host="127.0.0.1", port=0, ratios={})
    shown = {"voltage_l1": 230.0, "status": 0, "valve": 1, "step": 512, "total": 5}
    await meter.start()
    try:
        await meter.publish(shown, SOURCE_NS)
        await meter.publish({**shown, "valve": 0, "step": 3}, SOURCE_NS)
        found = await numbers(meter.url, profile)
    finally:
        await meter.stop()
    assert (found["valve"], found["step"]) == (0, 3)


async def test_the_counter_starts_again_where_its_maker_says(profile: Profile) -> None:
    meter = ModbusMeter(profile, host="127.0.0.1", port=0, ratios={})
    shown = {"voltage_l1": 230.0, "status": 0, "valve": 0, "step": 0, "total": 10_000_042}
    await meter.start()
    try:
        await meter.publish(shown, SOURCE_NS)
        assert (await numbers(meter.url, profile))["total"] == 42
    finally:
        await meter.stop()
