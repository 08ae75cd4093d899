"""Every device of the kiln line, served by its profile and read by the agent's drivers."""

import math
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from evidence.quality import Quality
from firmware_configs.profile import load_profile
from simulators.kiln.plant import Kiln
from simulators.modbus_meter import ModbusMeter
from simulators.opcua_gateway import OpcUaGateway
from simulators.play import start_all, stop_all
from simulators.served import Served
from tests.integration.simulators.test_drivers_read_true import (
    STEP_NS,
    bound_points,
    resolution,
    samples,
    value_of,
)
from tests.unit.simulators.kilns import KILN, kiln

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("recorded")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def serving(recorded: None) -> AsyncIterator[tuple[Kiln, dict[str, Served]]]:
    plant = kiln(500, seed=12).plant
    devices: dict[str, Served] = {}
    for device in KILN.devices:
        profile = load_profile(device.profile)
        if profile.protocol == "opcua":
            devices[device.id] = OpcUaGateway(profile, host="127.0.0.1", port=0, pots=1)
        else:
            devices[device.id] = ModbusMeter(profile, host="127.0.0.1", port=0, ratios={})
    await start_all(list(devices.values()))
    for device_id, readings in plant.readings().items():
        await devices[device_id].publish(readings, STEP_NS)
    yield plant, devices
    await stop_all(list(devices.values()))


@pytest.mark.parametrize("device", KILN.devices, ids=lambda device: device.id)
async def test_every_register(device: object, serving: tuple[Kiln, dict[str, Served]]) -> None:
    plant, devices = serving
    found = next(d for d in KILN.devices if d is device)
    profile = load_profile(found.profile)
    points = bound_points(profile, found.id, {})
    read = await samples(devices[found.id].url, profile, points)
    wanted = plant.readings()[found.id]
    assert len(read) == len(wanted)
    for bound, sample in zip(points, read, strict=True):
        name = bound.register.name
        assert sample.quality is Quality.GOOD, name
        value = float(value_of(sample, bound.point))
        assert math.isclose(
            value, float(wanted[name]), rel_tol=1e-6, abs_tol=resolution(bound.point)
        ), (name, value, wanted[name])
