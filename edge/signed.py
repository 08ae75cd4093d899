"""The signed configuration: the site file with its profiles' rows resolved, as plain CBOR values.

Everything that turns raw counts into figures is in it, so changing a scale factor is evidence:
the old and the new configuration are both signed objects of the gateway's chain. Pure.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from edge.calc.errors import CalcError
from edge.calc.folds.live import PlantCalc, computed_points
from edge.calc.folds.month import MonthFold
from edge.errors import SiteConfigError
from edge.site.config import Site
from edge.site.devices import DeviceConfig
from edge.site.entries import TABLES
from evidence import cbor
from evidence.blocks import compress
from evidence.configuration import decode_configuration
from evidence.cose import PAYLOAD_BYTES_MAX
from evidence.errors import EvidenceError, LimitError
from evidence.frame import POINTS_MAX
from evidence.points import Dtype, Point
from firmware_configs.fields import Problem

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
        SiteConfigError: no reader would take it, or the calculation refuses it, live or for the
            month; each part of the site file that it refuses is a problem with its key.
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
    if refused := list(_refused(config)):
        raise SiteConfigError([Problem(str(site.path), key, reason) for key, reason in refused])
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
    if reason := _unreadable(config):
        raise SiteConfigError([Problem(str(site.path), "", reason)])
    return config


def _unreadable(config: Mapping[str, Any]) -> str:
    """Why no reader would take it, or the frames under it; "" when they would."""
    too_many = (
        "read fewer points (points = [...] of a device, pots of a potline), or divide the devices "
        "among several gateways"
    )
    data = cbor.encode(dict(config))
    if len(data) > cbor.BYTES_MAX:
        size = f"{len(data)} bytes; {cbor.BYTES_MAX} can be signed"
        return f"makes a configuration of {size}: {too_many}"
    payload = compress(data)
    if len(payload) > PAYLOAD_BYTES_MAX:
        return f"makes a configuration of {len(payload)} bytes compressed: {too_many}"
    try:
        decode_configuration(payload)
    except LimitError as error:
        return f"makes a configuration that no reader takes ({error}): {too_many}"
    except EvidenceError as error:
        return f"makes a configuration that no reader takes: {error}"
    rows: Counter[int] = Counter()
    for group in config["groups"]:
        rows[group["schedule"]] += len(group["points"])
    for schedule, count in rows.items():
        if count > POINTS_MAX:
            seconds = config["schedules"][schedule]["interval_ns"] / 1e9
            return (
                f"has {count} points every {seconds:g} s, computed ones included; a frame holds "
                f"{POINTS_MAX}: {too_many}"
            )
    return ""


def _refused(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(key, reason) of what cannot be calculated with, found before the agent finds it.

    Each part is tried alone, so that every one has its say under its own key, then the whole.
    """
    bare = {**config, "potlines": [], "statement": {}}
    parts = {
        f"potline[{index}]": {**bare, "potlines": [line]}
        for index, line in enumerate(config["potlines"])
    }
    for part, entries in config["statement"].items():
        is_list = isinstance(entries, list)
        for index, entry in enumerate(entries if is_list else [entries]):
            key = f"statement.{TABLES.get(part, part)}{f'[{index}]' if is_list else ''}"
            parts[key] = {**bare, "statement": {part: [entry] if is_list else entry}}
    refused = [(key, reason) for key, alone in parts.items() if (reason := _refusal(alone))]
    yield from refused
    if not refused and (reason := _refusal(config)):
        yield "", reason


def _refusal(config: Mapping[str, Any]) -> str:
    """Why neither the agent nor the month can be built from it; "" when both can."""
    try:
        PlantCalc(config)
        MonthFold().configure(config)
    except CalcError as error:
        return str(error)
    return ""


def _device(device: DeviceConfig, schedules: Sequence[int]) -> dict[str, Any]:
    return {
        "id": device.id,
        "url": _without_credentials(device.url),
        "profile": device.profile.id,
        "profile_revision": device.profile.revision,
        "provenance": device.provenance.value,
        "schedule": schedules.index(device.interval_ns),
        "settings": device.settings,
        **({"meter": device.meter} if device.meter else {}),
    }


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url  # as it stands: urlunsplit drops the strokes of scheme:///dev/ttyS0
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
