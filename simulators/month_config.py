"""The signed configuration of a simulated month: one gateway that reads everything at one pace.

Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge.calc.folds.live import computed_points
from evidence.points import Dtype, Point
from evidence.version import VERSION

GATEWAY, TIME_ZONE = "edge-1", "Asia/Shanghai"

#: The map the gateway signs.
Config = Mapping[str, Any]


@dataclass(frozen=True)
class MonthDevice:
    """A device of the month: its id, and the profile it is read by."""

    id: str
    profile: str
    revision: str
    provenance: str


@dataclass(frozen=True)
class Said:
    """What the configuration says beside the readings: title, sector, rule set, statement."""

    title: str
    sector: str
    rules: str
    statement: Config


@dataclass(frozen=True)
class Described:
    """What is particular to a plant.

    Attributes:
        plant: its id.
        said: of a kind of plant.
        interval_s: seconds between two readings.
        devices: in order.
        groups: number type and points of each measured group, in order.
        potlines: as a site file resolves them.
    """

    plant: str
    said: Said
    interval_s: int
    devices: Sequence[MonthDevice]
    groups: Sequence[tuple[Dtype, Sequence[Point]]]
    potlines: Sequence[Config] = ()


def configuration(of: Described, collector_sha256: bytes) -> dict[str, Any]:
    """The map the gateway signs, computed points included.

    Args:
        of: the plant.
        collector_sha256: fingerprint of the collector's key.
    """
    config: dict[str, Any] = {
        "format": 1,
        "software": f"stackproof {VERSION} sim month",
        "plant": {
            "id": of.plant, "name": of.said.title, "sector": of.said.sector,
            "time_zone": TIME_ZONE, "rule_set": of.said.rules, "simulated": True,
        },
        "gateway": {"id": GATEWAY, "slice": "00"},
        "collector": {"key_sha256": collector_sha256},
        "schedules": [{"interval_ns": of.interval_s * 10**9}],
        "devices": [
            {
                "id": device.id, "url": f"sim:{device.id}", "profile": device.profile,
                "profile_revision": device.revision, "provenance": device.provenance,
                "schedule": 0, "settings": {},
            }
            for device in of.devices
        ],
        "points": [point.as_map() for _, members in of.groups for point in members],
        "groups": [],
        "potlines": list(of.potlines),
        "statement": of.said.statement,
    }  # fmt: skip
    first = 0
    for dtype, members in of.groups:
        config["groups"].append(_group(dtype, first, len(members), computed=False))
        first += len(members)
    computed = [point.as_map() for point in computed_points(config)]
    if computed:
        config["points"] += computed
        config["groups"].append(_group(Dtype.I64, first, len(computed), computed=True))
    return config


def _group(dtype: Dtype, first: int, count: int, *, computed: bool) -> dict[str, Any]:
    rows = list(range(first, first + count))
    return {"schedule": 0, "dtype": dtype.value, "computed": computed, "points": rows}
