"""Random readings of a small plant, and the instants they are cut into frames at.

Effects, bad qualities, missing ticks, slow points, an exchanged meter, pots out of production,
around an ordinary hour, a plant-local midnight or a month's end.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from edge.calc.blocks import Block, GroupBlock
from evidence.points import Dtype, Point, Quantity, Role

S = 10**9
MIDNIGHT = 1_781_539_200 * S  # 2026-06-16 00:00:00 +08:00
MONTH_END = MIDNIGHT + 15 * 86_400 * S
POTS = ("01", "02")
Config = dict[str, Any]


def plant_points() -> list[Point]:
    gas = {"reference": "0C-101.325kPa", "moisture": "dry"}
    states = ((0, "unknown"), (1, "producing"), (3, "start-up"))
    return [
        *(Point(f"v{n}", Quantity("voltage", "V"), Dtype.F32, 3) for n in POTS),
        *(
            Point(f"s{n}", Quantity("state", "1"), Dtype.U8, 0, Role.STATE, states=states)
            for n in POTS
        ),
        Point("i", Quantity("current", "kA"), Dtype.F64, 3),
        Point("metal", Quantity("mass", "t"), Dtype.F64, 3, Role.TOTALISER),
        Point("gas", Quantity("gas-volume", "Nm3", **gas), Dtype.U32, 0, Role.TOTALISER),
        Point("energy", Quantity("energy", "MWh"), Dtype.U32, 1, Role.TOTALISER),
        Point("flow", Quantity("gas-flow", "Nm3/h", **gas), Dtype.F32, 1),
    ]


def plant_line() -> Config:
    return {
        "id": "l", "line_current": "i",
        "pots": [{"id": n, "voltage": f"v{n}", "state": f"s{n}"} for n in POTS],
        "technology": "CWPB", "current_efficiency_percent": "93.7",
        "anode_effect": {
            "v_start_v": "8", "t_start_s": "2", "v_end_v": "7", "t_end_s": "1",
            "t_merge_s": "6", "mode": "positive", "target_v": "4.1",
        },
        "indicator": {"edition": "ipcc-2006", "gwp": "ar6"},
    }  # fmt: skip


def plant_config() -> Config:
    groups = [
        (0, Dtype.F32, [0, 1]), (0, Dtype.U8, [2, 3]), (0, Dtype.F64, [4, 5]),
        (1, Dtype.U32, [6, 7]), (1, Dtype.F32, [8]),
    ]  # fmt: skip
    return {
        "plant": {"id": "p", "time_zone": "Asia/Shanghai", "rule_set": "cets-ag-04.01-v01-2024"},
        "schedules": [{"interval_ns": S}, {"interval_ns": 5 * S}],
        "points": [p.as_map() for p in plant_points()],
        "groups": [
            {"schedule": s, "dtype": d.value, "computed": False, "points": p} for s, d, p in groups
        ],
        "potlines": [plant_line()],
        "statement": {
            "metal": {"point": "metal", "rule": "totaliser"},
            "anode": {"gross_kg_per_t": "471.5", "source": "typed"},
            "fuels": [{"kind": "natural-gas", "point": "gas", "flow_point": "flow"}],
            "auxiliary": [{"kind": "electricity", "point": "energy"}],
        },
    }


CONFIG = plant_config()


@dataclass(frozen=True)
class Series:
    """Everything read: ticks a schedule, raw values and qualities a group."""

    ticks: dict[int, np.ndarray]
    raw: dict[int, np.ndarray]
    quality: dict[int, np.ndarray]

    def between(self, from_ns: int, to_ns: int) -> list[Block]:
        """All blocks of a span of time, one a schedule that has ticks in it."""
        blocks = []
        for schedule, ticks in self.ticks.items():
            first, last = np.searchsorted(ticks, [from_ns, to_ns]).tolist()
            if first == last:
                continue
            groups = tuple(
                GroupBlock(n, self.raw[n][:, first:last], self.quality[n][:, first:last])
                for n, group in enumerate(CONFIG["groups"])
                if group["schedule"] == schedule
            )
            blocks.append(Block(schedule, ticks[first:last], groups))
        return blocks


def make_series(seed: int, seconds: int, start_ns: int) -> Series:
    rng = np.random.default_rng(seed)
    all_ticks = start_ns + np.arange(seconds, dtype=np.int64) * S
    kept = all_ticks[rng.random(seconds) > 0.05]  # some ticks were never taken
    slow = all_ticks[all_ticks % (5 * S) == 0]
    ticks = {0: kept, 1: slow[rng.random(len(slow)) > 0.1]}
    n, m = len(ticks[0]), len(ticks[1])
    volts = np.full((2, n), 4.2, dtype=np.float32) + rng.normal(0, 0.03, (2, n)).astype("f4")
    for _ in range(6):
        pot, first = rng.integers(2), rng.integers(max(n - 1, 1))
        volts[pot, first : first + rng.integers(1, 12)] = rng.choice([6.5, 7.5, 8.0, 25.0, np.nan])
    states = np.where(rng.random((2, n)) > 0.03, 1, rng.choice([0, 3], (2, n))).astype(np.uint8)
    current = 300 + rng.normal(0, 1, n)
    metal = 50 + np.cumsum(rng.random(n)) / 1000
    gas = 4_000_000_000 + np.cumsum(rng.integers(0, 9, m))
    if rng.random() < 0.5 and m > 3:
        gas[m // 2 :] -= 3_999_999_000  # the meter was exchanged
    energy = np.cumsum(rng.integers(0, 5, m))
    raw = {
        0: volts, 1: states, 2: np.array([current, metal]),
        3: np.array([gas, energy]).astype(np.uint32),
        4: (rng.random((1, m)) * 5000).astype(np.float32),
    }  # fmt: skip
    quality = {
        k: np.where(rng.random(v.shape) > 0.04, 0, rng.choice([16, 128, 137], v.shape)).astype("u1")
        for k, v in raw.items()
    }
    return Series(ticks, raw, quality)


@st.composite
def stories(draw: st.DrawFn) -> tuple[Series, list[int]]:
    """Readings and the instants they are cut into frames at."""
    seconds = draw(st.integers(20, 90))
    middle = draw(st.sampled_from([MIDNIGHT + 3600 * S, MIDNIGHT, MONTH_END]))
    start_ns = middle - draw(st.integers(0, seconds)) * S
    series = make_series(draw(st.integers(0, 2**32 - 1)), seconds, start_ns)
    cuts = draw(st.sets(st.integers(1, seconds - 1), max_size=8))
    edges = [start_ns, *(start_ns + c * S for c in sorted(cuts)), start_ns + seconds * S]
    return series, edges
