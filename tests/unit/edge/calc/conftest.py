"""A small signed configuration and blocks of readings for it, made by hand."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from edge.calc.blocks import Block, GroupBlock
from evidence.points import Dtype, Point, Quantity, Role

SECOND = 10**9
#: 2026-06-15 12:00:00 in Shanghai
NOON = 1_781_496_000 * SECOND
STATES = (
    (0, "unknown"), (1, "producing"), (2, "baking"), (3, "start-up"), (4, "abnormal"),
    (5, "bridged"), (6, "stopped"),
)  # fmt: skip

Config = dict[str, Any]


def smelter(pots: int = 3) -> Config:
    """Voltages, states, current, metal on schedule 0 (1 s); gas and energy on schedule 1 (10 s)."""
    names = [f"{n:02}" for n in range(1, pots + 1)]
    points = smelter_points(names)
    at = {p.id: i for i, p in enumerate(points)}

    def group(schedule: int, dtype: Dtype, *ids: str) -> Config:
        return {
            "schedule": schedule, "dtype": dtype.value, "computed": False,
            "points": [at[i] for i in ids],
        }  # fmt: skip

    return {
        "format": 1,
        "plant": {
            "id": "p1", "name": "Test smelter", "sector": "aluminium",
            "time_zone": "Asia/Shanghai", "rule_set": "cets-ag-04.01-v01-2024", "simulated": True,
        },
        "schedules": [{"interval_ns": SECOND}, {"interval_ns": 10 * SECOND}],
        "points": [p.as_map() for p in points],
        "groups": [
            group(0, Dtype.F32, *(f"pg.pot-{n}.voltage" for n in names)),
            group(0, Dtype.U8, *(f"pg.pot-{n}.state" for n in names)),
            group(0, Dtype.F64, "pg.line_current", "pg.metal_tapped"),
            group(1, Dtype.U32, "gas.volume", "ac.energy_import"),
            group(1, Dtype.F32, "gas.flow", "ac.power"),
        ],
        "potlines": [smelter_line(names)],
        "statement": smelter_statement(),
    }  # fmt: skip


def smelter_points(names: Sequence[str]) -> list[Point]:
    gas = {"reference": "0C-101.325kPa", "moisture": "dry"}
    return [
        *(Point(f"pg.pot-{n}.voltage", Quantity("voltage", "V"), Dtype.F32, 3) for n in names),
        *(
            Point(
                f"pg.pot-{n}.state", Quantity("state", "1"), Dtype.U8, 0, Role.STATE, states=STATES
            )
            for n in names
        ),
        Point("pg.line_current", Quantity("current", "kA"), Dtype.F64, 3),
        Point("pg.metal_tapped", Quantity("mass", "t"), Dtype.F64, 3, Role.TOTALISER),
        Point("gas.volume", Quantity("gas-volume", "Nm3", **gas), Dtype.U32, 0, Role.TOTALISER),
        Point("gas.flow", Quantity("gas-flow", "Nm3/h", **gas), Dtype.F32, 1),
        Point("ac.energy_import", Quantity("energy", "kWh"), Dtype.U32, 0, Role.TOTALISER),
        Point("ac.power", Quantity("power", "kW"), Dtype.F32, 1),
    ]


def smelter_line(names: Sequence[str]) -> Config:
    return {
        "id": "line-1", "line_current": "pg.line_current",
        "pots": [
            {"id": n, "voltage": f"pg.pot-{n}.voltage", "state": f"pg.pot-{n}.state"}
            for n in names
        ],
        "technology": "PFPB-M", "current_efficiency_percent": "94.5",
        "anode_effect": {
            "v_start_v": "8", "t_start_s": "2", "v_end_v": "8", "t_end_s": "2",
            "t_merge_s": "10", "mode": "positive", "target_v": "4.2",
        },
        "indicator": {"edition": "ipcc-2019", "gwp": "ar5"},
    }  # fmt: skip


def smelter_statement() -> Config:
    return {
        "metal": {"point": "pg.metal_tapped", "rule": "totaliser"},
        "anode": {"gross_kg_per_t": "469", "source": "typed in the site file"},
        "fuels": [{
            "kind": "natural-gas", "point": "gas.volume", "rule": "totaliser",
            "flow_point": "gas.flow",
        }],
        "auxiliary": [{
            "kind": "electricity", "point": "ac.energy_import", "rule": "totaliser",
            "power_point": "ac.power",
        }],
    }  # fmt: skip


def block(
    config: Mapping[str, Any],
    schedule: int,
    ticks_ns: Sequence[int],
    values: Mapping[str, Sequence[float]],
    bad: Mapping[str, Sequence[int]] | None = None,
) -> Block:
    """A block of a schedule; a point without values is 0, `bad` gives quality codes by point."""
    groups = []
    for number, group in enumerate(config["groups"]):
        if group["schedule"] != schedule:
            continue
        ids = [config["points"][i]["id"] for i in group["points"]]
        dtype = np.dtype(Dtype(group["dtype"]).numpy_name)
        raw = np.zeros((len(ids), len(ticks_ns)), dtype=dtype)
        quality = np.zeros(raw.shape, dtype=np.uint8)
        for row, point_id in enumerate(ids):
            if point_id in values:
                raw[row] = values[point_id]
            if bad and point_id in bad:
                quality[row] = bad[point_id]
        groups.append(GroupBlock(number, raw, quality))
    return Block(schedule, np.array(ticks_ns, dtype=np.int64), tuple(groups))


@pytest.fixture
def config() -> Config:
    return smelter()


@pytest.fixture
def make_block() -> Callable[..., Block]:
    return block


@pytest.fixture
def make_config() -> Callable[..., Config]:
    return smelter
