"""Every device of kiln line and steelworks, served by its profile, read by the agent's drivers."""

import math
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from evidence.quality import Quality
from firmware_configs.profile import load_profile
from simulators.modbus_meter import ModbusMeter
from simulators.opcua_gateway import OpcUaGateway
from simulators.play import start_all, stop_all
from simulators.played import Played
from simulators.scenario import Device
from simulators.served import Served
from tests.integration.simulators.test_drivers_read_true import (
    STEP_NS,
    bound_points,
    resolution,
    samples,
    value_of,
)
from tests.unit.simulators.kilns import KILN, kiln
from tests.unit.simulators.works import WORKS, works

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("recorded")]

DEVICES = {"kiln": KILN.devices, "steelworks": WORKS.devices}

Serving = dict[str, tuple[Played, dict[str, Served]]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def serving(recorded: None) -> AsyncIterator[Serving]:
    plants: dict[str, Played] = {
        "kiln": kiln(500, seed=12).plant,
        "steelworks": works(700, seed=12).plant,  # in a blow
    }
    found: Serving = {}
    for name, plant in plants.items():
        devices: dict[str, Served] = {}
        for device in DEVICES[name]:
            profile = load_profile(device.profile)
            if profile.protocol == "opcua":
                devices[device.id] = OpcUaGateway(profile, host="127.0.0.1", port=0, pots=1)
            else:
                devices[device.id] = ModbusMeter(
                    profile, host="127.0.0.1", port=0, ratios=device.ratios
                )
        await start_all(list(devices.values()))
        for device_id, readings in plant.readings().items():
            await devices[device_id].publish(readings, STEP_NS)
        found[name] = plant, devices
    yield found
    for _, devices in found.values():
        await stop_all(list(devices.values()))


@pytest.mark.parametrize(
    ("name", "device"),
    [(name, device) for name, devices in DEVICES.items() for device in devices],
    ids=lambda value: value.id if isinstance(value, Device) else value,
)
async def test_every_register(name: str, device: Device, serving: Serving) -> None:
    plant, devices = serving[name]
    profile = load_profile(device.profile)
    points = bound_points(profile, device.id, device.ratios)
    read = await samples(devices[device.id].url, profile, points)
    wanted = plant.readings()[device.id]
    assert len(read) == len(wanted)
    for bound, sample in zip(points, read, strict=True):
        register = bound.register.name
        assert sample.quality is Quality.GOOD, register
        value = float(value_of(sample, bound.point))
        assert math.isclose(
            value, float(wanted[register]), rel_tol=1e-6, abs_tol=resolution(bound.point)
        ), (register, value, wanted[register])
