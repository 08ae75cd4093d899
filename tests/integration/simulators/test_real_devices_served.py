"""Every profile of a Modbus device that is sold can be served, and is read true by the driver.

Simulator and driver each have their own half; the values are what a works has behind its
transformers, compared as the fixed-point counts everything later is computed from.
"""

import math

import pytest

from edge.drivers.base import BoundPoint
from evidence.points import Point, Scaling
from evidence.quality import Quality
from firmware_configs.profile import Register, list_profiles, load_profile
from simulators.modbus_meter import ModbusMeter
from tests.integration.simulators.test_drivers_read_true import resolution, samples, value_of

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("recorded")]

SOLD = [
    name
    for name in list_profiles()
    if not name.startswith("stackproof/") and load_profile(name).protocol == "modbus"
]
RATIOS = {"ct_ratio": "800/5", "vt_ratio": "10000/100"}
#: by unit: a value that is no round number in any type; states and others are 1
VALUES = {"V": 231.37, "A": 412.219, "W": -86012.4, "kW": -86.0124, "Wh": 9876543.0,
          "kWh": 43210.25, "Hz": 49.98}  # fmt: skip


def value_at(register: Register) -> float:
    return VALUES.get(register.quantity.unit, 1.0)


def bound(register: Register, ratios: dict[str, str]) -> BoundPoint:
    applied = {name: ratio for name, ratio in ratios.items() if name in register.applies}
    scaling = Scaling(
        raw_decimals=register.decimals, scale=register.scale, offset=register.offset, **applied
    )
    point = Point(
        id=f"d.{register.name}", quantity=register.quantity, dtype=register.dtype,
        decimals=register.point_decimals, role=register.role, states=register.states,
        device="d", scaling=scaling,
    )  # fmt: skip
    return BoundPoint(point, register)


@pytest.mark.parametrize("name", SOLD)
async def test_served_and_read_true(name: str) -> None:
    profile = load_profile(name)
    ratios = RATIOS if profile.reports == "secondary" else {}
    meter = ModbusMeter(profile, host="127.0.0.1", port=0, ratios=ratios)
    await meter.start()
    try:
        await meter.publish({r.name: value_at(r) for r in profile.registers}, 0)
        points = [bound(register, ratios) for register in profile.registers]
        read = await samples(meter.url, profile, points)
    finally:
        await meter.stop()
    for point, sample in zip(points, read, strict=True):
        assert sample.quality is Quality.GOOD, point.register.name
        found, wanted = float(value_of(sample, point.point)), value_at(point.register)
        assert math.isclose(found, wanted, rel_tol=1e-6, abs_tol=resolution(point.point)), (
            point.register.name
        )
