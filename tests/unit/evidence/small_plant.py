"""A plant of two pots with fixed keys, its configuration, and a minute of hand-set readings."""

import datetime as dt
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from edge.calc.folds.live import PlantCalc, computed_points
from evidence.frame import Body, Clock, Gap, Section
from evidence.groups import Group
from evidence.keys import FileSigner, issue, key_sha256
from evidence.points import Dtype, Point, Quantity, Role
from evidence.quality import Quality
from evidence.recompute import blocks_of
from evidence.suites import PrivateKey

PLANT, STREAM, MONTH = "test-smelter", "edge-1", "2026-06"
RULES = "cets-ag-04.01-v01-2024"
SECOND = 10**9
#: 2026-06-15T04:59:40Z, 12:59:40 in Shanghai: the readings cross a full hour
START_NS = 1_781_499_580 * SECOND
SEED_BYTES = 32
SINCE = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DAYS = 400  # certificates are valid


def signer(seed: int) -> FileSigner:
    """The Ed25519 key whose seed is this byte, 32 times."""
    return FileSigner(_private(seed, p256=False))


@dataclass(frozen=True)
class Keys:
    """A plant's three identities and their certificates."""

    root: FileSigner
    gateway: FileSigner
    collector: FileSigner
    certificates: Mapping[str, x509.Certificate]


@functools.cache
def keys(seed: int = 1, plant: str = PLANT, stream: str = STREAM, *, p256: bool = False) -> Keys:
    """Keys of seeds seed, seed + 1 and seed + 2."""
    private = [_private(seed + i, p256=p256) for i in range(3)]
    made = [FileSigner(key) for key in private]

    root = issue(
        "root", plant, plant, made[0].public_key, issuer=private[0], not_before=SINCE, days=DAYS
    )
    by_role = {"root": root}
    for role, name, leaf in (("gateway", stream, made[1]), ("collector", "collector", made[2])):
        by_role[role] = issue(
            role,
            plant,
            name,
            leaf.public_key,
            issuer=(private[0], root),
            not_before=SINCE,
            days=DAYS,
        )
    return Keys(made[0], made[1], made[2], by_role)


def _private(seed: int, *, p256: bool) -> PrivateKey:
    if p256:
        return ec.derive_private_key(seed, ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.from_private_bytes(bytes([seed]) * SEED_BYTES)


def measured_points() -> list[Point]:
    gas = {"reference": "0C-101.325kPa", "moisture": "dry"}
    states = ((0, "unknown"), (1, "producing"))
    return [
        Point("pot-01.voltage", Quantity("voltage", "V"), Dtype.F32, 3),
        Point("pot-02.voltage", Quantity("voltage", "V"), Dtype.F32, 3),
        Point("pot-01.state", Quantity("state", "1"), Dtype.U8, 0, Role.STATE, states=states),
        Point("pot-02.state", Quantity("state", "1"), Dtype.U8, 0, Role.STATE, states=states),
        Point("line.current", Quantity("current", "kA"), Dtype.F64, 3),
        Point("line.metal", Quantity("mass", "t"), Dtype.F64, 3, Role.TOTALISER),
        Point("gas.volume", Quantity("gas-volume", "Nm3", **gas), Dtype.U32, 0, Role.TOTALISER),
        Point("ac.energy", Quantity("energy", "kWh"), Dtype.U32, 0, Role.TOTALISER),
        Point("gas.flow", Quantity("gas-flow", "Nm3/h", **gas), Dtype.F32, 1),
        Point("ac.power", Quantity("power", "kW"), Dtype.F32, 1),
    ]


def configuration(collector: FileSigner | None = None) -> dict[str, Any]:
    """Two pots on schedule 0 (1 s); gas and energy on schedule 1 (10 s)."""
    by = collector or keys().collector
    points = measured_points()
    groups = [(0, Dtype.U8, (2, 3)), (0, Dtype.F32, (0, 1)), (0, Dtype.F64, (4, 5))]
    groups += [(1, Dtype.U32, (6, 7)), (1, Dtype.F32, (8, 9))]
    device = {
        "profile": "test/none", "profile_revision": "1", "provenance": "meter-direct",
        "settings": {},
    }  # fmt: skip
    config: dict[str, Any] = {
        "format": 1,
        "software": "stackproof 0",
        "plant": {
            "id": PLANT, "name": "Test smelter", "sector": "aluminium",
            "time_zone": "Asia/Shanghai", "rule_set": RULES, "simulated": True,
        },
        "gateway": {"id": STREAM, "slice": "00"},
        "collector": {"key_sha256": key_sha256(by.public_key)},
        "schedules": [{"interval_ns": SECOND}, {"interval_ns": 10 * SECOND}],
        "devices": [
            {"id": "pots", "url": "test:pots", "schedule": 0, **device},
            {"id": "meters", "url": "test:meters", "schedule": 1, **device},
        ],
        "points": [point.as_map() for point in points],
        "groups": [
            {"schedule": s, "dtype": d.value, "computed": False, "points": list(p)}
            for s, d, p in groups
        ],
        "potlines": [{
            "id": "line-1", "line_current": "line.current",
            "pots": [
                {"id": n, "voltage": f"pot-{n}.voltage", "state": f"pot-{n}.state"}
                for n in ("01", "02")
            ],
            "technology": "PFPB-M", "current_efficiency_percent": "94.5",
            "anode_effect": {
                "v_start_v": "8", "t_start_s": "2", "v_end_v": "8", "t_end_s": "2",
                "t_merge_s": "3", "mode": "positive", "target_v": "4.2",
            },
            "indicator": {"edition": "ipcc-2019", "gwp": "ar5"},
        }],
        "statement": {
            "metal": {"point": "line.metal", "rule": "totaliser"},
            "anode": {"gross_kg_per_t": "469", "source": "typed in the site file"},
            "fuels": [{
                "kind": "natural-gas", "point": "gas.volume", "rule": "totaliser",
                "flow_point": "gas.flow",
            }],
            "auxiliary": [{
                "kind": "electricity", "point": "ac.energy", "rule": "totaliser",
                "power_point": "ac.power",
            }],
        },
    }  # fmt: skip
    first = len(points)
    computed = [point.as_map() for point in computed_points(config)]
    config["points"] += computed
    rows = list(range(first, first + len(computed)))
    config["groups"].append({"schedule": 0, "dtype": 79, "computed": True, "points": rows})
    return config


def _readings(config: Mapping[str, Any], first: int, ticks: int, start_ns: int) -> list[Section]:
    """Measured readings of seconds first .. first + ticks - 1 of the month."""
    at = np.arange(first, first + ticks)
    volts = np.where((at >= 12) & (at < 19), 31.5, 4.25)  # one anode effect of 7 s in pot 01
    fast = {
        0: np.ones((2, ticks), dtype="<u1"),
        1: np.stack([volts, np.full(ticks, 4.125)]).astype("<f4"),
        2: np.stack([np.full(ticks, 300.0), 1000.0 + at * 0.125]).astype("<f8"),
    }
    slow_at = at[at % 10 == 0]
    slow = {
        3: np.stack([7000 + slow_at * 3, 900_000 + slow_at * 20]).astype("<u4"),
        4: np.stack([np.full(len(slow_at), 10_800.0), np.full(len(slow_at), 72_000.0)]).astype(
            "<f4"
        ),
    }
    quality = np.zeros((2, ticks), dtype=np.uint8)
    quality[1, at == 25] = Quality.NO_ANSWER
    source = np.full((2, ticks), 40, dtype="<i4")
    sections = []
    for schedule, raws, times in ((0, fast, at), (1, slow, slow_at)):
        if not len(times):
            continue
        step = config["schedules"][schedule]["interval_ns"]
        groups = tuple(
            Group(
                g,
                Dtype(config["groups"][g]["dtype"]),
                raw,
                quality if g == 1 else np.zeros(raw.shape, dtype=np.uint8),
                source if g == 1 else None,
            )
            for g, raw in raws.items()
        )
        start = start_ns + int(times[0]) * SECOND
        lag = np.full((1, len(times)), 12, dtype="<i4")
        sections.append(Section(schedule, start, step, len(times), groups, lag, (schedule,)))
    return sections


def with_computed(calc: PlantCalc, sections: list[Section]) -> tuple[Section, ...]:
    body = Body(0, Clock("simulated", 1, 0, bytes(16)), sections=tuple(sections))
    made = calc.feed(blocks_of(body))
    fast = sections[0]
    group = Group(5, Dtype.I64, made.counts.astype("<i8"), made.quality)
    groups = (*fast.groups, group)
    full = Section(
        fast.schedule, fast.first_ns, fast.step_ns, fast.ticks, groups, fast.lag_ms, (0,)
    )
    return (full, *sections[1:])


def bodies(
    config: Mapping[str, Any], start_ns: int = START_NS, anew_at: int | None = None
) -> list[Body]:
    """Four frames of ten seconds (the third after a gap of five) and a heartbeat.

    The calculation starts anew at the frame that begins `anew_at` seconds after the start.
    """
    calc, made = PlantCalc(config), []
    for first in (0, 10, 25, 35):
        calc = PlantCalc(config) if first == anew_at else calc
        sections = with_computed(calc, _readings(config, first, 10, start_ns))
        gap = None
        if first == 25:
            gap = Gap(start_ns + 19 * SECOND, start_ns + 25 * SECOND, "restart")
        clock = Clock("simulated", 1, first * SECOND, bytes(range(16)))
        t0 = min(section.first_ns for section in sections)
        made.append(Body(t0, clock, 8, sections, gap))
    beat = Clock("simulated", None, 45 * SECOND, bytes(range(16)))
    event = {"kind": "heartbeat", "at_ns": start_ns + 50 * SECOND}
    return [*made, Body(start_ns + 50 * SECOND, beat, 8, events=(event,))]
