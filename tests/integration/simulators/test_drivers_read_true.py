"""Simulator and driver, each with its own half of the profile: what one shows the other reads.

Values are compared as fixed-point counts, the form everything later is computed from.
"""

import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pytest
import pytest_asyncio

from edge.drivers import open_driver
from edge.drivers.base import BoundPoint, DeviceSpec, Sample
from evidence.counts import count_to_text, to_counts
from evidence.points import Point, Scaling
from evidence.quality import Quality
from firmware_configs.profile import Profile, Register, load_profile
from simulators.modbus_meter import ModbusMeter
from simulators.opcua_gateway import OpcUaGateway
from simulators.plant import Smelter
from simulators.play import start_all, stop_all
from simulators.served import Served
from tests.integration.drivers.opened import opened
from tests.unit.simulators.smelters import QUICK

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("recorded")]

POTS = 24
STEPS = 300
STEP_NS = 1_795_571_679_535_000_000


@dataclass
class Serving:
    """A plant that stands still at one step, and its devices."""

    plant: Smelter
    devices: dict[str, Served]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def serving(recorded: None) -> AsyncIterator[Serving]:
    plant = Smelter(QUICK, pots=POTS, seed=12, record=lambda line: None)
    for _ in range(STEPS):
        plant.step()
    devices: dict[str, Served] = {}
    for device in QUICK.devices:
        profile = load_profile(device.profile)
        if profile.protocol == "opcua":
            devices[device.id] = OpcUaGateway(profile, host="127.0.0.1", port=0, pots=POTS)
        else:
            devices[device.id] = ModbusMeter(
                profile, host="127.0.0.1", port=0, ratios=device.ratios
            )
    await start_all(list(devices.values()))
    for device_id, readings in plant.readings().items():
        await devices[device_id].publish(readings, STEP_NS)
    yield Serving(plant, devices)
    await stop_all(list(devices.values()))


def bound_points(profile: Profile, device_id: str, ratios: Mapping[str, str]) -> list[BoundPoint]:
    """Every register of the profile as a site file without a choice would take it."""
    found = []
    for register in profile.registers:
        for n in range(1, POTS + 1) if "{n" in register.name else (None,):
            found.append(BoundPoint(point_of(register, device_id, n, ratios), register, n))
    return found


def point_of(register: Register, device_id: str, n: int | None, ratios: Mapping[str, str]) -> Point:
    applied = {name: ratio for name, ratio in ratios.items() if name in register.applies}
    return Point(
        id=f"{device_id}.{register.name.format(n=n)}",
        quantity=register.quantity,
        dtype=register.dtype,
        decimals=register.point_decimals,
        role=register.role,
        device=device_id,
        scaling=Scaling(raw_decimals=register.decimals, **applied),
    )


async def samples(url: str, profile: Profile, points: list[BoundPoint]) -> list[Sample]:
    async with opened(
        open_driver(
            DeviceSpec(id="d", url=url, profile=profile, points=tuple(points), timeout_s=5.0)
        )
    ) as driver:
        return list(await driver.read())


def value_of(sample: Sample, point: Point) -> Decimal:
    assert sample.raw is not None
    raw = np.frombuffer(sample.raw, dtype=point.dtype.numpy_name)
    counts, valid = to_counts(raw, point)
    assert valid.all()
    return Decimal(count_to_text(int(counts[0]), point.decimals))


def resolution(point: Point) -> float:
    """The larger of one count on the wire and one count of the point; floats: their rounding."""
    wire = 0.0 if point.dtype.is_float else float(point.scaling.factor)
    return max(wire, 10.0**-point.decimals)


@pytest.mark.parametrize("device_id", ["ac-1", "gas-1", "pot-gateway"])
async def test_every_register(device_id: str, serving: Serving) -> None:
    device = next(d for d in QUICK.devices if d.id == device_id)
    profile = load_profile(device.profile)
    points = bound_points(profile, device_id, device.ratios)
    read = await samples(serving.devices[device_id].url, profile, points)
    wanted = serving.plant.readings()[device_id]
    assert len(read) == len(wanted) == len(points)
    for bound, sample in zip(points, read, strict=True):
        name = bound.point.id.removeprefix(f"{device_id}.")
        assert sample.quality is Quality.GOOD, name
        value = value_of(sample, bound.point)
        assert math.isclose(
            float(value), float(wanted[name]), rel_tol=1e-6, abs_tol=resolution(bound.point)
        ), (name, value, wanted[name])


async def test_counters_are_read_to_the_count(serving: Serving) -> None:
    """The totaliser behind CT 160 × VT 100 is the truth cut off to whole counts of 0.16 kWh."""
    device = QUICK.devices[0]
    profile = load_profile(device.profile)
    points = [
        bound
        for bound in bound_points(profile, "ac-1", device.ratios)
        if bound.register.name == "energy_import"
    ]
    (sample,) = await samples(serving.devices["ac-1"].url, profile, points)
    truth_kwh = Decimal(serving.plant.electricity.energy_kwh)
    assert value_of(sample, points[0].point) == truth_kwh // Decimal("0.16") * Decimal("0.16")


async def test_source_time_is_the_instant_of_the_step(serving: Serving) -> None:
    device = QUICK.devices[2]
    profile = load_profile(device.profile)
    points = bound_points(profile, device.id, {})
    read = await samples(serving.devices[device.id].url, profile, points)
    assert {sample.source_ns for sample in read} == {STEP_NS}


async def test_an_effect_is_seen_by_the_driver(serving: Serving) -> None:
    """At this step somebody is in an effect, and the driver sees exactly those pots above 8 V."""
    device = QUICK.devices[2]
    profile = load_profile(device.profile)
    points = bound_points(profile, device.id, {})
    read = await samples(serving.devices[device.id].url, profile, points)
    values = {
        bound.point.id.removeprefix("pot-gateway."): value_of(sample, bound.point)
        for bound, sample in zip(points, read, strict=True)
    }
    above = {
        n for n in range(1, POTS + 1)
        if values[f"pot-{n:02}.voltage"] > 8 and values[f"pot-{n:02}.state"] == 1
    }  # fmt: skip
    assert above == {pot + 1 for pot in serving.plant.potline.effects}
    assert above
