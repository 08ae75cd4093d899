"""What no order may change, and whether one is for this gateway. Pure.

The tables below say who the gateway is, whom it believes and how it is reached. An order that
changed them could take the gateway away from its collector, or from the root that could take the
order back; and a rolled-back file must find the same spool. [metrics] may open a port.
"""

from collections.abc import Mapping
from typing import Any

from evidence.site_order import SiteOrder

FIXED_TABLES = ("gateway", "uplink", "remote", "metrics")
FIXED_KEYS = (("plant", "id"), ("plant", "simulated"))


def is_for(order: SiteOrder, plant: str, gateway: str) -> bool:
    """The order is this gateway's."""
    return (order.plant, order.stream) == (plant, gateway)


def forbidden(here: Mapping[str, Any], ordered: Mapping[str, Any]) -> list[str]:
    """What an ordered file may not say otherwise than the site file at the gateway, and does."""
    found = [f"[{name}]" for name in FIXED_TABLES if here.get(name) != ordered.get(name)]
    for table, key in FIXED_KEYS:
        if _value(here, table, key) != _value(ordered, table, key):
            found.append(f"{table}.{key}")
    return found


def _value(site: Mapping[str, Any], table: str, key: str) -> Any:  # noqa: ANN401 - what TOML can hold
    inner = site.get(table)
    return inner.get(key) if isinstance(inner, Mapping) else None
