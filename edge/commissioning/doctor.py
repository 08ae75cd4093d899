"""`edge doctor`: goes through the layers of a site in order and names those that fail.

From the machine outwards: permission and clock, the broker, then each device from its name to its
values. Endpoints are examined side by side, the devices on one of them in turn. Nothing is written
but one file in the state folder, which is removed.
"""

import asyncio
from collections.abc import Callable, Sequence

from edge.clock import Clock
from edge.commissioning.doctor_machine import clock_checks, permission_checks
from edge.commissioning.doctor_others import BROKER, examine_broker, examine_by_driver
from edge.commissioning.findings import Check, failed
from edge.commissioning.modbus_asking import SCHEMES as MODBUS
from edge.config import Site
from edge.drivers.base import DeviceError
from edge.site_devices import DeviceConfig

AT_ONCE = 8


async def examine(
    site: Site,
    devices: Sequence[DeviceConfig],
    clock: Clock,
    *,
    patience_s: float,
    progress: Callable[[str], None],
) -> list[Check]:
    """Everything that was looked at, in the order of the site file.

    Args:
        site: without a problem.
        devices: which of its devices.
        clock: this machine's.
        patience_s: how long to listen for devices that are heard, not asked.
        progress: told what is done, a line each.
    """
    checks = permission_checks(site) + clock_checks(site, clock)
    progress("this machine is looked at")
    few = asyncio.Semaphore(AT_ONCE)
    found: dict[str, list[Check]] = {}

    async def in_turn(group: Sequence[DeviceConfig]) -> None:
        async with few:
            for device in group:
                found[device.id] = await examine_device(device, clock, patience_s)
                progress(f"{device.id} is looked at")

    broker = await examine_broker(site)
    progress(f"{BROKER} is looked at")
    await asyncio.gather(*(in_turn(group) for group in _by_endpoint(devices)))
    return checks + broker + [check for device in devices for check in found[device.id]]


def _by_endpoint(devices: Sequence[DeviceConfig]) -> list[list[DeviceConfig]]:
    """Those that share an endpoint together: it may have one connection to give."""
    groups: dict[str, list[DeviceConfig]] = {}
    for device in devices:
        endpoint = device.id if device.traffic is None else device.traffic.endpoint
        groups.setdefault(endpoint, []).append(device)
    return list(groups.values())


async def examine_device(device: DeviceConfig, clock: Clock, patience_s: float) -> list[Check]:
    """One device, up to the first layer that fails."""
    spec, scheme = device.spec, device.url.partition("://")[0]
    try:
        if scheme in MODBUS:
            from edge.commissioning.doctor_modbus import examine_modbus

            return await examine_modbus(spec)
        if scheme == "opc.tcp":
            from edge.commissioning.doctor_opcua import examine_opcua  # asyncua loads slowly

            return await examine_opcua(spec, clock)
        return await examine_by_driver(spec, clock, patience_s)
    except DeviceError as error:
        todo = "correct the device's table in the site file (stackproof edge check SITE.toml)"
        return [failed(spec.id, "protocol", str(error), todo)]
