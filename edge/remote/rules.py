"""What no order may change, and whether one is for this gateway. Pure.

The tables below say who the gateway is, whom it believes and how it is reached. An order that
changed them could take the gateway away from its collector, or from the root that could take the
order back; and a rolled-back file must find the same spool. [metrics] may open a port, and so may
the address of a device that calls us: a new one is opened by hands at the gateway.
"""

from collections.abc import Mapping
from typing import Any

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
