"""What no order may change, and whether one is for this gateway. Pure.

The tables below say who the gateway is, whom it believes and how it is reached. An order that
changed them could take the gateway away from its collector, or from the root that could take the
order back; and a rolled-back file must find the same spool. [metrics] may open a port, and so may
the address of a device that calls us: a new one is opened by hands at the gateway. Nor may an order
change how the rows of a database or folder are read: each is delivered once, and what a file on
trial has passed over, the file before it would never read again.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from edge.site.devices import DeviceConfig
from evidence.site_order import SiteOrder

FIXED_TABLES = ("gateway", "uplink", "remote", "metrics")
FIXED_KEYS = (("plant", "id"), ("plant", "simulated"))
LISTENS = "hj212"
"""Scheme of the devices' addresses where we listen (docs/drivers.md)."""


def is_for(order: SiteOrder, plant: str, gateway: str) -> bool:
    """The order is this gateway's."""
    return (order.plant, order.stream) == (plant, gateway)


def forbidden(here: Mapping[str, Any], ordered: Mapping[str, Any]) -> list[str]:
    """What an ordered file may not say otherwise than the site file at the gateway, and does."""
    found = [f"[{name}]" for name in FIXED_TABLES if here.get(name) != ordered.get(name)]
    for table, key in FIXED_KEYS:
        if _value(here, table, key) != _value(ordered, table, key):
            found.append(f"{table}.{key}")
    return found + [f"where a device calls ({at})" for at in sorted(_doors(ordered) - _doors(here))]


def passed_over(here: Iterable[DeviceConfig], ordered: Iterable[DeviceConfig]) -> list[str]:
    """Devices whose rows are delivered once, and would be taken otherwise under the same id."""
    before = {device.id: device for device in here}
    return [
        device.id
        for device in ordered
        if (old := before.get(device.id)) is not None
        and (old.profile.rows is not None or device.profile.rows is not None)
        and (old.url, old.profile, old.points) != (device.url, device.profile, device.points)
    ]


def _doors(site: Mapping[str, Any]) -> set[str]:
    """Host and port of each device's address where we listen, as far as they can be read."""
    devices = site.get("device")
    found = set()
    for device in devices if isinstance(devices, list) else ():
        url = device.get("url") if isinstance(device, Mapping) else None
        scheme, _, rest = url.partition("://") if isinstance(url, str) else ("", "", "")
        if scheme.lower() == LISTENS:
            found.add(rest.partition("?")[0].rstrip("/"))
    return found


def _value(site: Mapping[str, Any], table: str, key: str) -> Any:  # noqa: ANN401 - what TOML can hold
    inner = site.get(table)
    return inner.get(key) if isinstance(inner, Mapping) else None
