"""Which device and which points of a site file are meant, by the words a person typed. Pure."""

import difflib
from collections.abc import Iterable, Sequence

from edge.drivers.base import BoundPoint
from edge.errors import EdgeError
from edge.site.config import Site
from edge.site.devices import DeviceConfig


class TargetError(EdgeError):
    """No device or point is called so; the sentence names those that are near."""


def device_of(site: Site, name: str) -> DeviceConfig:
    """The device with this id."""
    for device in site.devices:
        if device.id == name:
            return device
    known = [device.id for device in site.devices]
    raise TargetError(f"{site.path}: no device {name!r}; {_near(name, known)}")


def devices_of(site: Site, names: Sequence[str]) -> tuple[DeviceConfig, ...]:
    """The devices with these ids, all when none is named."""
    return tuple(device_of(site, name) for name in names) if names else site.devices


def point_of(site: Site, name: str, point: str | None) -> tuple[DeviceConfig, BoundPoint | None]:
    """What "DEVICE POINT", "DEVICE.POINT" or "DEVICE" means; None: the whole device.

    Args:
        site: the site.
        name: device id, or the id of a point.
        point: id of the point, or what follows the device's id and a full stop in it.

    Raises:
        TargetError: nothing is called so.
    """
    first, _, rest = name.partition(".")
    device = device_of(site, first)
    wanted = rest or point
    if point is not None and rest:
        raise TargetError(f"write {first} {point} or {name}, not both")
    if not wanted:
        return device, None
    wanted = wanted.removeprefix(f"{device.id}.")
    for bound in device.points:
        if bound.point.id == f"{device.id}.{wanted}":
            return device, bound
    known = [bound.point.id.removeprefix(f"{device.id}.") for bound in device.points]
    raise TargetError(
        f"{site.path}: device {device.id} has no point {wanted!r}; {_near(wanted, known)}"
    )


def _near(name: str, known: Iterable[str]) -> str:
    every = sorted(known)
    near = difflib.get_close_matches(name, every, n=3)
    if near:
        return f"did you mean {' or '.join(near)}?"
    more = f" and {len(every) - 12} more" if len(every) > 12 else ""
    return f"there are {' '.join(every[:12])}{more}"
