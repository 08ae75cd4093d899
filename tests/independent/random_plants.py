"""Months of plants that nobody drew up: readings at random, sealed by the tests' own means.

Two or three pots, some states read slowly, effects at every edge of the rules, holes, bad
qualities, totalisers that are reset, a midnight, a month's end, a configuration that changes: what
is read, how often, and how it is spelled. Some are real plants, and a heartbeat says otherwise.
"""

import copy
import datetime as dt
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from edge.calc.folds.live import PlantCalc, computed_points
from evidence.archive.build import Records
from evidence.frame import TYP_CONFIG, Body, Clock, Group, Section
from evidence.points import Dtype
from evidence.recompute import Recomputation, blocks_of, published_rules, statement_bytes
from tests.unit.evidence import sealed_month as sm
from tests.unit.evidence.documents import papers as pp

Change = Callable[[dict[str, Any], random.Random], dict[str, Any]]
Papers = Callable[[random.Random, tuple[int, int]], list[bytes]]

SECOND = 10**9
POTS = ("01", "02", "03")
VOLTS = (4.1, 6.0, 7.9995, 8.0, 8.5, 31.5)
NOT_A_NUMBER = 133
CODES = (16, 21, 128, 133, 140)
ZONE = dt.timezone(dt.timedelta(hours=8))  # Asia/Shanghai has had no other since 1991
MIDNIGHT = dt.datetime(2026, 6, 16, tzinfo=ZONE)
CLOCK = Clock("ntp", 1, 0, bytes(16))
JULY = dt.datetime(2026, 7, 1, tzinfo=ZONE)

NUMPY = {
    Dtype.F32: "<f4", Dtype.F64: "<f8", Dtype.U8: "<u1", Dtype.U16: "<u2", Dtype.U32: "<u4",
    Dtype.I16: "<i2",
}  # fmt: skip
F32, F64, U8, U16, U32, I16 = (
    Dtype.F32, Dtype.F64, Dtype.U8, Dtype.U16, Dtype.U32, Dtype.I16,
)  # fmt: skip


def instant(moment: dt.datetime) -> int:
    return int(moment.timestamp()) * SECOND


def point_map(name: str, kind: str, unit: str, dtype: Dtype, decimals: int, **other: Any) -> Any:
    given = {"id": name, "quantity": {"kind": kind, "unit": unit}, "dtype": dtype.value,
             "decimals": decimals, "role": "gauge", "provenance": "meter-direct"}  # fmt: skip
    return given | other


def _measured(rng: random.Random) -> list[tuple[int, dict[str, Any]]]:
    """(schedule, point) of what is measured."""
    gas = {"reference": "0C-101.325kPa", "moisture": "dry"}
    states = [[0, "unknown"], [1, "producing"], [2, "baking"], [9, "producing"]]
    found = []
    decimals = rng.choice((3, 4))
    for pot in POTS[: rng.choice((2, 3))]:
        found.append((0, point_map(f"{pot}.v", "voltage", "V", F32, decimals)))
        state = point_map(f"{pot}.s", "state", "1", U8, 0, role="state", states=states)
        found.append((rng.choice((0, 1)), state))
    meter = {"role": "totaliser"}
    ratio = {"scaling": {"ct_ratio": "800/5", "raw_decimals": rng.choice((0, 2))}}
    half = {"scaling": {"scale": "0.5", "offset": "-3"}}
    flow = {"kind": "gas-flow", "unit": "Nm3/h", **gas}
    volume = {"kind": "gas-volume", "unit": "Nm3", **gas}
    found += [
        (rng.choice((0, 1)), point_map("current", "current", "kA", F64, 3)),
        (rng.choice((0, 1)), point_map("metal", "mass", rng.choice(("t", "kg")), F64, 3, **meter)),
        (1, point_map("gas", "", "", U32, 2, quantity=volume, **meter)),
        (rng.choice((0, 1)), point_map("flow", "", "", I16, 1, quantity=flow, **half)),
        (rng.choice((0, 1)), point_map("energy", "energy", "kWh", U32, 3, **meter, **ratio)),
        (1, point_map("power", "power", "kW", U16, 1, **ratio)),
    ]
    return found


def plant(rng: random.Random) -> dict[str, Any]:
    """A configuration."""
    config = copy.deepcopy(sm.configuration())
    slow = rng.choice((4, 5, 10))
    config["schedules"] = [{"interval_ns": SECOND}, {"interval_ns": slow * SECOND}]
    measured = _measured(rng)
    config["points"] = [point for _, point in measured]
    config["groups"] = grouped(measured)
    config["plant"]["simulated"] = rng.random() < 0.5
    pots = sorted({p["id"][:2] for _, p in measured if p["id"].endswith(".v")})
    (line,) = config["potlines"]
    line["line_current"] = "current"
    line["pots"] = [{"id": n, "voltage": f"{n}.v", "state": f"{n}.s"} for n in pots]
    line["anode_effect"] |= {
        "v_end_v": rng.choice(("6", "8")), "t_start_s": str(rng.randint(0, 4)),
        "t_end_s": str(rng.randint(0, 3)), "t_merge_s": rng.choice(("2", "3.5", "6", "9")),
    }  # fmt: skip
    if rng.random() < 0.4 and line["anode_effect"]["t_merge_s"] != "2":
        line["anode_effect"]["mode"] = "algebraic"
    config["statement"] |= {
        "metal": {"point": "metal", "rule": "totaliser"},
        "fuels": [{"kind": "natural-gas", "point": "gas", "rule": "totaliser",
                   "flow_point": "flow"}],
        "auxiliary": [{"kind": "electricity", "point": "energy", "rule": "totaliser",
                       "power_point": "power"}],
    }  # fmt: skip
    _leave_out(config, rng)
    _spell(config, rng)
    if rng.random() < 0.25:
        line["technology"] = rng.choice(("PFPB-M", "PFPB-MW"))
        line["indicator"] = {
            "edition": "site", "gwp": "ar6", "slope": rng.choice(("0.0987", "1/9", "1e-1")),
            "c2f6_fraction": rng.choice(("0.061", "0")), "source": "measured 2026-03",
        }  # fmt: skip
    if rng.random() < 0.3:
        other = copy.deepcopy(line) | {"id": "line-2", "pots": [line["pots"].pop()]}
        other["technology"] = rng.choice(("PFPB-M", "PFPB-L"))
        other["indicator"] = {"edition": "ipcc-2019", "gwp": rng.choice(("ar5", "ar6"))}
        if line["indicator"]["edition"] == "site" and rng.random() < 0.5:
            slope = rng.choice((line["indicator"]["slope"], "0.0987", "987e-4"))
            other["technology"] = line["technology"]
            other["indicator"] = line["indicator"] | {"slope": slope}
        config["potlines"].append(other)
    return with_computed(config)


def _read_seldom(config: dict[str, Any]) -> None:
    """Voltages every six seconds, which the statement tells of."""
    config["schedules"][0]["interval_ns"] = 6 * SECOND
    for line in config["potlines"]:
        line["anode_effect"]["t_merge_s"] = "9"


def grouped(measured: list[tuple[int, dict[str, Any]]]) -> list[dict[str, Any]]:
    groups: dict[tuple[int, int], list[int]] = {}
    for index, (schedule, point) in enumerate(measured):
        groups.setdefault((schedule, point["dtype"]), []).append(index)
    return [
        {"schedule": s, "dtype": d, "computed": False, "points": p}
        for (s, d), p in sorted(groups.items())
    ]


def _leave_out(config: dict[str, Any], rng: random.Random) -> None:
    """Parts of a statement that a plant need not have."""
    statement = config["statement"]
    for part, key in (("fuels", "flow_point"), ("auxiliary", "power_point")):
        if rng.random() < 0.15:
            del statement[part][0][key]
        elif rng.random() < 0.15:
            statement[part] = []
    for key in ("anode", "metal"):
        if rng.random() < 0.15:
            statement.pop(key, None)


def _spell(config: dict[str, Any], rng: random.Random) -> None:
    """Names, units, numbers and provenances as they may stand too."""
    statement, (line,) = config["statement"], config["potlines"]
    for fuel in statement["fuels"]:
        fuel["kind"] = rng.choice(("natural-gas", "天然气", "coke-oven-gas"))
    if "anode" in statement:
        statement["anode"]["gross_kg_per_t"] = rng.choice(("469", "4.69e2", "+938/2"))
    line["current_efficiency_percent"] = rng.choice(("94.5", "189/2", "1E2", "50"))
    line["anode_effect"]["target_v"] = rng.choice(("4.2", "42e-1", "21/5"))
    units = {"gas": ("Nm3", "10^4 Nm3"), "energy": ("Wh", "kWh", "MWh"), "power": ("W", "kW", "MW"),
             "current": ("A", "kA")}  # fmt: skip
    for point in config["points"]:
        if rng.random() < 0.1:
            point["provenance"] = rng.choice(("typed", "file"))
        if point["id"] in units and rng.random() < 0.3:
            point["quantity"]["unit"] = rng.choice(units[point["id"]])


def with_computed(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration with the points that are calculated from it."""
    rows = [point.as_map() for point in computed_points(config)]
    first = len(config["points"])
    config["points"] += rows
    points = list(range(first, first + len(rows)))
    if rows:
        config["groups"].append({"schedule": 0, "dtype": 79, "computed": True, "points": points})
    return config


class Readings:
    """Raw numbers that go on from frame to frame."""

    def __init__(self, rng: random.Random, nan_code: int, false: random.Random) -> None:
        self.rng, self.nan_code, self.false = rng, nan_code, false
        self.now: dict[str, float] = {}
        self.off: dict[str, tuple[int, float]] = {}  # false readings to come, and how far off

    def next(self, point: Mapping[str, Any]) -> float:
        """The next reading of a point."""
        rng, name, role = self.rng, point["id"], point["role"]
        before = self.now.get(name)
        if role == "totaliser":
            value = rng.randint(0, 5) if before is None else before + rng.choice((0, 1, 2, 7))
            value = value if rng.random() > 0.05 else 0
            self.now[name] = value
            return self._false(name, value)
        elif role == "state":
            value = 1.0 if rng.random() > 0.1 else rng.choice((0, 2, 5, 9))
        elif name.endswith(".v"):
            stays = before is not None and rng.random() < 0.7
            value = before if stays and before is not None else rng.choice(VOLTS)
        else:
            value = rng.randint(0, 300)
        self.now[name] = value
        is_lost = point["dtype"] == F32.value and rng.random() < 0.02
        return math.nan if is_lost else value

    def _false(self, name: str, value: float) -> float:
        """A totaliser's reading, or one of a spike; some do not come back, and are leaps."""
        false = self.false
        left, off = self.off.get(name, (0, 0))
        if not left and false.random() < 0.06:
            left, off = false.choice((1, 1, 2, 3, 4, 9)), false.choice((-(10**9), -2, 6, 10**6))
        if left:
            self.off[name] = left - 1, off
            value = max(0, value + off)
            if left == 1 and false.random() < 0.2:
                self.now[name] = value
        return value


def limited(config: dict[str, Any], false: random.Random) -> None:
    """Limits of what can pass its meters, of some; of what is calculated nothing changes."""
    for point in config["points"]:
        is_flow = point["id"] in ("flow", "power") or "flow" in point["quantity"]["kind"]
        if point["role"] == "totaliser" and false.random() < 0.5:
            point["rules"] = {"rate_per_s": false.choice(("0.001", "1/7", "1", "2.5"))}
        elif is_flow and point["provenance"] != "computed" and false.random() < 0.6:
            point["range_max"] = false.choice(("0", "3", "300", "100000"))


def _sections(config: Mapping[str, Any], readings: Readings, first: int, ticks: int) -> list[Any]:
    """Sections of the ticks first, first + 1, … seconds since 1970."""
    found = []
    for schedule, fields in enumerate(config["schedules"]):
        step = fields["interval_ns"] // SECOND
        start = -(-first // step) * step
        times = range(start, first + ticks, step)
        if not times:
            continue
        groups = []
        for index, group in enumerate(config["groups"]):
            if group["schedule"] != schedule or group["computed"]:
                continue
            points = [config["points"][i] for i in group["points"]]
            dtype = Dtype(group["dtype"])
            raw = np.array([[readings.next(p) for _ in times] for p in points], NUMPY[dtype])
            bad = np.array([[_code(readings.rng) for _ in times] for _ in points], dtype=np.uint8)
            if dtype is F32:
                bad[np.isnan(raw)] = readings.nan_code
            groups.append(Group(index, dtype, raw, bad))
        lag = np.full((1, len(times)), 12, dtype="<i4")
        found.append(
            Section(schedule, start * SECOND, step * SECOND, len(times), tuple(groups), lag, (0,))
        )
    return found


def _code(rng: random.Random) -> int:
    return 0 if rng.random() > 0.06 else rng.choice(CODES)


def calculated(calc: PlantCalc, config: Mapping[str, Any], made: list[Any]) -> tuple[Any, ...]:
    body = Body(0, CLOCK, sections=tuple(made))
    blocks = calc.feed(blocks_of(body))
    if not made or made[0].schedule != 0 or not len(blocks.counts):
        return tuple(made)
    fast = made[0]
    group = Group(len(config["groups"]) - 1, Dtype.I64, blocks.counts.astype("<i8"), blocks.quality)
    return (replace(fast, groups=(*fast.groups, group)), *made[1:])


def month(
    seed: int,
    nan_code: int = NOT_A_NUMBER,
    make: Callable[[random.Random], dict[str, Any]] | None = None,
    change: Change | None = None,
    papers: Papers | None = None,
) -> bytes:
    """A sealed month; a NaN has this quality, and others than a smelter come from elsewhere.

    `papers` makes what persons sign about a period, logged before the first object.
    """
    rng = random.Random(seed)
    is_final = rng.random() < 0.3
    end = instant(JULY if is_final else MIDNIGHT) // SECOND
    at = end - rng.randint(30, 90)
    stop = end if is_final else end + rng.randint(0, 60)
    config = (make or plant)(rng)
    false = random.Random(f"spikes of {seed}")
    limited(config, false)
    if seed % 7 == 3 and make is None:
        _read_seldom(config)
        at -= at % 6  # the first tick
    start = at * SECOND
    readings, fold = Readings(rng, nan_code, false), Recomputation()
    stream, last, hour_ns, configs = [], start, start, 0
    calc = PlantCalc(config)
    while at < stop:
        if configs == 0 or rng.random() < 0.25:
            config = config if configs == 0 else (change or changed)(config, rng)
            calc = PlantCalc(config)
            fold.configure(bytes([configs]), config)
            stream.append(sm.config_item(config, hour_ns))
            configs += 1
        ticks = min(rng.randint(1, 25), stop - at)
        made = calculated(calc, config, _sections(config, readings, at, ticks))
        body = Body(at * SECOND, CLOCK, 0, made)
        assert list(fold.feed(body)) == []
        stream.append(sm.frame_item(body))
        hour_ns = body.t0_ns
        if rng.random() < 0.05:
            beat = Body(hour_ns, CLOCK, rng.choice((0, 0, 8)))
            assert list(fold.feed(beat)) == []
            stream.append(sm.frame_item(beat))
        ends = [section.first_ns + section.step_ns * section.ticks for section in made]
        last = max([last, *ends])
        at += ticks + (rng.choice((1, 3, 12)) if rng.random() < 0.3 else 0)
    closing = "final" if is_final else "interim"
    period = (start, end * SECOND if is_final else last)
    signed = papers(rng, period) if papers else []
    statement = statement_bytes(fold.statement(*period, closing, pp.standing_of(signed)))
    first = [sm.enrolment()]
    for data in signed:
        first.append(pp.entry_of(data, len(first)))
    of = sm.make_month(stream, statement=statement, closing=closing, first_entries=first)
    objects = [o for o, item in zip(of.objects, stream, strict=True) if item.typ == TYP_CONFIG]
    named = {sm.sha256(o): o for o in objects}
    rules = published_rules(config["plant"]["rule_set"])
    held = Records(dict.fromkeys(signed), {}, [])
    return sm.build(sm.contents(of, closing=closing, configs=named, rules=rules, records=held))


def changed(config: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Another configuration: of a device, a rule, a factor, an interval, a place, a spelling."""
    made = copy.deepcopy(config)
    what = rng.choice(
        ("device", "rule", "metal", "flow", "software", "fast", "slow", "place", "spelling")
    )
    if what == "fast":
        merges = [float(line["anode_effect"]["t_merge_s"]) for line in made["potlines"]]
        seconds = rng.choice((1, 2)) if min(merges) >= 3 else 1
        made["schedules"][0]["interval_ns"] = seconds * SECOND
    elif what == "slow":
        made["schedules"][1]["interval_ns"] = rng.choice((4, 5, 10)) * SECOND
    elif what == "place":
        _move(made, rng.choice(("metal", "flow", "energy", "current", "01.s")))
    elif what == "spelling":
        next(p for p in made["points"] if "scaling" not in p)["scaling"] = {"scale": "1"}
    elif what == "device":
        made["devices"][0]["url"] += "0"
    elif what == "rule":
        made["potlines"][0]["anode_effect"]["t_start_s"] = str(rng.randint(0, 4))
    elif what == "software":
        made["software"] += "0"
    else:
        point = next(p for p in made["points"] if p["id"] == what)
        point["scaling"] = {"scale": str(rng.randint(2, 9))}
    return made


def _move(config: dict[str, Any], point_id: str) -> None:
    """Read a point on the other schedule."""
    computed = config["groups"].pop()
    schedule_of = {i: g["schedule"] for g in config["groups"] for i in g["points"]}
    measured = [(schedule_of[i], config["points"][i]) for i in sorted(schedule_of)]
    at = next(i for i, (_, point) in enumerate(measured) if point["id"] == point_id)
    measured[at] = 1 - measured[at][0], measured[at][1]
    config["groups"] = [*grouped(measured), computed]
