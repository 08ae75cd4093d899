"""A driver that is connected for the length of a block, and closed however the block ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from edge.drivers import open_driver
from edge.drivers.base import DeviceSpec, Driver
from edge.drivers.raw import unpack
from evidence.quality import Quality
from firmware_configs.profile import Profile
from tests.unit.edge.drivers.specs import points_of

AnyDriver = TypeVar("AnyDriver", bound=Driver)


@asynccontextmanager
async def opened(driver: AnyDriver) -> AsyncIterator[AnyDriver]:
    """Connected on the way in, closed on the way out."""
    await driver.connect()
    try:
        yield driver
    finally:
        await driver.close()


async def numbers(url: str, profile: Profile) -> dict[str, Any]:
    """Register name -> what was read of it: a number, or a quality that is not good."""
    points = points_of(profile)
    async with opened(open_driver(DeviceSpec("dev", url, profile, points, 5.0))) as driver:
        samples = await driver.read()
    return {
        point.register.name: unpack(sample.raw, point.register.dtype)
        if sample.raw is not None and sample.quality is Quality.GOOD
        else sample.quality
        for point, sample in zip(points, samples, strict=True)
    }
