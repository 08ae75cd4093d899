"""`edge doctor`: goes through the layers of a site in order and names those that fail.

From the machine outwards: permission and clock, the broker, then each device from its name to its
values. Endpoints are examined side by side, the devices on one of them in turn. Nothing is written
but one file in the state folder, which is removed.
"""

import asyncio
from collections.abc import Callable, Sequence

from edge.clock import Clock
from edge.commissioning.doctor_broker import BROKER, examine_broker
from edge.commissioning.doctor_machine import MACHINE, clock_checks, own_clock, permission_checks
from edge.commissioning.doctor_others import examine_by_driver
from edge.commissioning.findings import Check, failed, skipped
from edge.commissioning.modbus_asking import SCHEMES as MODBUS
from edge.commissioning.site_part import SitePart
from edge.drivers.base import DeviceError
from edge.site.devices import DeviceConfig

AT_ONCE = 8
AGAIN = "run the doctor once more on the gateway, with the whole site file"


async def examine(
    part: SitePart,
    devices: Sequence[DeviceConfig],
    clock: Clock,
    *,
    patience_s: float,
    progress: Callable[[str], None],
    unlooked: str = "",
) -> list[Check]:
    """Everything that was looked at, in the order of the site file, and what was not.

    Args:
        part: the site; what is written of it is right.
        devices: which of its devices.
        clock: this machine's.
        patience_s: how long to listen for devices that are heard, not asked.
        progress: told what is done, a line each.
        unlooked: why this machine and the broker are left alone; "" when they are not.
    """
    checks = _machine(part, clock, unlooked)
    progress("this machine is looked at")
    few = asyncio.Semaphore(AT_ONCE)
    found: dict[str, list[Check]] = {}

    async def in_turn(group: Sequence[DeviceConfig]) -> None:
        async with few:
            for device in group:
                found[device.id] = await examine_device(device, clock, patience_s)
                progress(f"{device.id} is looked at")

    broker = await _broker(part, clock, unlooked)
    progress(f"{BROKER} is looked at")
    await asyncio.gather(*(in_turn(group) for group in by_endpoint(devices)))
    return checks + broker + [check for device in devices for check in found[device.id]]


def _machine(part: SitePart, clock: Clock, unlooked: str) -> list[Check]:
    if why := unlooked or _not_written(part, "plant", "gateway"):
        sentence = f"state folder, keys and certificates are not looked at: {why}"
        return [skipped(MACHINE, "permission", sentence, AGAIN), *own_clock(clock)]
    return permission_checks(part.site) + clock_checks(part.site, clock)


async def _broker(part: SitePart, clock: Clock, unlooked: str) -> list[Check]:
    if why := unlooked or _not_written(part, "plant", "gateway", "uplink"):
        return [skipped(BROKER, "protocol", f"is not looked at: {why}", AGAIN)]
    return await examine_broker(part.site, clock)


def _not_written(part: SitePart, *needed: str) -> str:
    missing = [f"[{name}]" for name in needed if name in part.unwritten]
    return f"the site file has no {' '.join(missing)} yet" if missing else ""


def by_endpoint(devices: Sequence[DeviceConfig]) -> list[list[DeviceConfig]]:
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
