"""The signed configuration: the site file with its profiles' rows resolved, as plain CBOR values.

Everything that turns raw counts into figures is in it, so changing a scale factor is evidence:
the old and the new configuration are both signed objects of the gateway's chain. Pure.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from edge.calc.live import computed_points
from edge.config import Site
from edge.site_devices import DeviceConfig
from evidence.points import Dtype, Point

CONFIG_FORMAT = 1


def signed_configuration(
    site: Site, *, collector_key_sha256: bytes, software: str
) -> dict[str, Any]:
    """The configuration map that is signed (see the glossary: configuration).

    Args:
        site: the site file.
        collector_key_sha256: fingerprint of the collector key whose receipts are honoured.
        software: "stackproof <version>".

    Raises:
        ValueError: the calculation library refuses the configuration; the sentence says why.
    """
    schedules = site.schedules_ns()
    measured = [bound.point for device in site.devices for bound in device.points]
    schedule_of = {
        bound.point.id: schedules.index(device.interval_ns)
        for device in site.devices
        for bound in device.points
    }
    config: dict[str, Any] = {
        "format": CONFIG_FORMAT,
        "software": software,
        "plant": dict(vars(site.plant)),
        "gateway": {"id": site.gateway.id, "slice": site.gateway.slice},
        "collector": {"key_sha256": collector_key_sha256},
        "schedules": [{"interval_ns": interval} for interval in schedules],
        "devices": [_device(device, schedules) for device in site.devices],
        "points": [point.as_map() for point in measured],
        "groups": _groups(measured, [schedule_of[point.id] for point in measured]),
        "potlines": [dict(line) for line in site.potlines],
        "statement": dict(site.statement),
    }
    computed = computed_points(config)
    if computed:
        first = len(measured)
        config["points"] += [point.as_map() for point in computed]
        config["groups"].append(
            {
                "schedule": 0,
                "dtype": Dtype.I64.value,
                "computed": True,
                "points": list(range(first, first + len(computed))),
            }
        )
    return config


def _device(device: DeviceConfig, schedules: Sequence[int]) -> dict[str, Any]:
    return {
        "id": device.id,
        "url": _without_credentials(device.url),
        "profile": device.profile.id,
        "profile_revision": device.profile.revision,
        "provenance": device.provenance.value,
        "schedule": schedules.index(device.interval_ns),
        "settings": dict(device.ratios),
    }


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _groups(points: Sequence[Point], schedules: Sequence[int]) -> list[dict[str, Any]]:
    """One group for each schedule and dtype: one 2-D block in a frame."""
    members: dict[tuple[int, int], list[int]] = {}
    for index, (point, schedule) in enumerate(zip(points, schedules, strict=True)):
        members.setdefault((schedule, point.dtype.value), []).append(index)
    return [
        {"schedule": schedule, "dtype": dtype, "computed": False, "points": indices}
        for (schedule, dtype), indices in sorted(members.items())
    ]
