"""Looks at one point through its driver, where a protocol has nothing more to show. I/O: its own.

One read as the agent would do it. Of a source that delivers each row once, nothing is committed:
the agent will deliver the same row.
"""

import asyncio
from dataclasses import replace

from edge.clock import Clock
from edge.commissioning.look import Look
from edge.commissioning.value import shown
from edge.drivers import open_driver
from edge.drivers.base import BoundPoint, DeviceSpec, Sample
from firmware_configs.row_source import row_form

AGAIN_S = 0.5  # between two looks at what a device that is only heard has said meanwhile
#: schemes of devices that speak when they like: nothing is asked of them
HEARD = frozenset({"hj212", "modbus+listen"})


async def read_once(spec: DeviceSpec, patience_s: float = 0.0) -> list[Sample]:
    """One sample a point, from a connection of its own.

    Args:
        spec: the device.
        patience_s: how long to wait for the first value of one that is not asked but heard, and
            for rows to have been there as long as the profile wants.

    Raises:
        DeviceError: the device is out of reach.
    """
    driver = open_driver(unanswering(spec))
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + _waits_s(spec, patience_s)
    try:
        await driver.connect()
        while True:
            samples = list(await driver.read())
            if any(sample.raw is not None for sample in samples) or loop.time() >= ends_s:
                return samples
            await asyncio.sleep(AGAIN_S)
    finally:
        await driver.close()


def _waits_s(spec: DeviceSpec, patience_s: float) -> float:
    if (form := row_form(spec.profile.rows)) is not None:
        return min(form.settle_s + AGAIN_S, patience_s)
    return patience_s if spec.url.partition("://")[0] in HEARD else 0.0


def unanswering(spec: DeviceSpec) -> DeviceSpec:
    """The device, told nothing: a logger that gets an answer takes its message for kept.

    Only the agent keeps it, so `answer=yes` of an HJ 212 device's URL is left out here.
    """
    head, mark, query = spec.url.partition("?")
    kept = [part for part in query.split("&") if part.partition("=")[0] != "answer"]
    return replace(spec, url=head + mark + "&".join(kept))


async def look_by_driver(
    spec: DeviceSpec, bound: BoundPoint, clock: Clock, patience_s: float
) -> Look:
    """What the driver gives for one point; DeviceError when the device is out of reach."""
    (sample,) = await read_once(replace(spec, points=(bound,)), patience_s)
    value = shown(bound.point, sample, clock.wall_ns())
    return Look(
        point=bound.point.id,
        device=spec.id,
        place=bound.register.place,
        asked=spec.url,
        raw=sample.raw or b"",
        shown=value,
        trouble="" if sample.raw is not None else value.verdict,
    )
