"""Live values and months do not depend on how readings are cut into frames.

Random plants' readings (effects, bad qualities, holes, slow points, resets, pot states) around a
plant-local midnight or month end, fed tick by tick, in random frames, with a restart in between:
the same counts to the last bit.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import cbor2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.calc.blocks import Block, GroupBlock
from edge.calc.live import Computed, PlantCalc
from edge.calc.month import MonthFold
from edge.calc.statement import compute
from evidence.points import Dtype, Point, Quantity, Role

S = 10**9
MIDNIGHT = 1_781_539_200 * S  # 2026-06-16 00:00:00 +08:00
MONTH_END = MIDNIGHT + 15 * 86_400 * S
POTS = ("01", "02")
Config = dict[str, Any]


def plant_config() -> Config:
    gas = {"reference": "0C-101.325kPa", "moisture": "dry"}
    states = ((0, "unknown"), (1, "producing"), (3, "start-up"))
    volts = [Point(f"v{n}", Quantity("voltage", "V"), Dtype.F32, 3) for n in POTS]
    pot_states = [
        Point(f"s{n}", Quantity("state", "1"), Dtype.U8, 0, Role.STATE, states=states) for n in POTS
    ]
    points = [
        *volts,
        *pot_states,
        Point("i", Quantity("current", "kA"), Dtype.F64, 3),
        Point("metal", Quantity("mass", "t"), Dtype.F64, 3, Role.TOTALISER),
        Point("gas", Quantity("gas-volume", "Nm3", **gas), Dtype.U32, 0, Role.TOTALISER),
        Point("energy", Quantity("energy", "MWh"), Dtype.U32, 1, Role.TOTALISER),
        Point("flow", Quantity("gas-flow", "Nm3/h", **gas), Dtype.F32, 1),
    ]
    groups = [
        (0, Dtype.F32, [0, 1]), (0, Dtype.U8, [2, 3]), (0, Dtype.F64, [4, 5]),
        (1, Dtype.U32, [6, 7]), (1, Dtype.F32, [8]),
    ]  # fmt: skip
    return {
        "plant": {"id": "p", "time_zone": "Asia/Shanghai", "rule_set": "cets-ag-04.01-v01-2024"},
        "schedules": [{"interval_ns": S}, {"interval_ns": 5 * S}],
        "points": [p.as_map() for p in points],
        "groups": [
            {"schedule": s, "dtype": d.value, "computed": False, "points": p}
            for s, d, p in groups
        ],
        "potlines": [{
            "id": "l", "line_current": "i",
            "pots": [{"id": n, "voltage": f"v{n}", "state": f"s{n}"} for n in POTS],
            "technology": "CWPB", "current_efficiency_percent": "93.7",
            "anode_effect": {
                "v_start_v": "8", "t_start_s": "2", "v_end_v": "7", "t_end_s": "1",
                "t_merge_s": "6", "mode": "positive", "target_v": "4.1",
            },
            "indicator": {"edition": "ipcc-2006", "gwp": "ar6"},
        }],
        "statement": {
            "metal": {"point": "metal", "rule": "totaliser"},
            "anode": {"gross_kg_per_t": "471.5", "source": "typed"},
            "fuels": [{"kind": "natural-gas", "point": "gas", "flow_point": "flow"}],
            "auxiliary": [{"kind": "electricity", "point": "energy"}],
        },
    }  # fmt: skip


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


def ticked(edges: list[int]) -> list[int]:
    return list(range(edges[0], edges[-1] + S, S))


def feed_live(
    series: Series, edges: list[int], restart_at: int | None = None
) -> tuple[PlantCalc, dict[int, tuple[list[int], list[int]]]]:
    """The calculation after all frames, and its values by tick."""
    calc = PlantCalc(CONFIG)
    values: dict[int, tuple[list[int], list[int]]] = {}
    for number, (first, last) in enumerate(itertools.pairwise(edges)):
        if number == restart_at:
            state = cbor2.loads(cbor2.dumps(calc.snapshot(), canonical=True))
            calc = PlantCalc(CONFIG)
            calc.restore(state)
        computed: Computed = calc.feed(series.between(first, last))
        for column, tick in enumerate(computed.ticks_ns.tolist()):
            values[tick] = (
                computed.counts[:, column].tolist(), computed.quality[:, column].tolist()
            )  # fmt: skip
    return calc, values


@settings(max_examples=60, deadline=None)
@given(story=stories(), restart_at=st.integers(0, 8))
def test_live_values_do_not_depend_on_frames_or_restarts(
    story: tuple[Series, list[int]], restart_at: int
) -> None:
    series, edges = story
    whole, in_one = feed_live(series, [edges[0], edges[-1]])
    framed, in_frames = feed_live(series, edges, restart_at)
    by_tick, in_ticks = feed_live(series, ticked(edges))
    assert list(in_one) == series.ticks[0].tolist()
    assert in_frames == in_one
    assert in_ticks == in_one
    assert framed.effects() == by_tick.effects() == whole.effects()
    assert framed.snapshot() == by_tick.snapshot() == whole.snapshot()


def fold(series: Series, edges: list[int]) -> dict[str, Any]:
    month = MonthFold()
    month.configure(CONFIG)
    for first, last in itertools.pairwise(edges):
        month.feed(series.between(first, last))
    return month.result(edges[0], edges[-1], "interim")


@settings(max_examples=60, deadline=None)
@given(story=stories())
def test_a_month_does_not_depend_on_frames(story: tuple[Series, list[int]]) -> None:
    series, edges = story
    expected = fold(series, [edges[0], edges[-1]])
    assert fold(series, edges) == expected
    assert fold(series, ticked(edges)) == expected
    assert compute(expected) == compute(fold(series, edges))


@settings(max_examples=40, deadline=None)
@given(story=stories())
def test_live_and_month_see_the_same_effects(story: tuple[Series, list[int]]) -> None:
    series, edges = story
    month = MonthFold()
    month.configure(CONFIG)
    live = PlantCalc(CONFIG)
    end_ns = MONTH_END if edges[0] < MONTH_END < edges[-1] else edges[-1]  # one month only
    blocks = series.between(edges[0], end_ns)
    month.feed(blocks)
    live.feed(blocks)
    found = month.result(edges[0], end_ns - S, "interim")["potlines"][0]["effects"]
    streamed = [
        {k: v for k, v in effect.as_map().items() if k != "potline" and v is not None}
        for effect in live.effects()
    ]
    assert found == streamed


@settings(max_examples=40, deadline=None)
@given(story=stories())
def test_a_month_of_its_own_frames_equals_the_stream_through_the_boundary(
    story: tuple[Series, list[int]],
) -> None:
    """The values of the new month are those of a calculation that never saw the old one."""
    series, edges = story
    if not edges[0] < MONTH_END < edges[-1]:
        return
    _, through = feed_live(series, edges)
    _, alone = feed_live(series, [MONTH_END, edges[-1]])
    assert alone
    assert all(through[tick] == values for tick, values in alone.items())


@pytest.mark.parametrize("seed", range(5))
def test_the_stories_are_worth_telling(seed: int) -> None:
    """Guard of this file: the random readings do hold effects, losses and values."""
    series = make_series(seed, 90, MIDNIGHT - 45 * S)
    calc, values = feed_live(series, [MIDNIGHT - 45 * S, MIDNIGHT + 45 * S])
    qualities = {q for _, row in values.values() for q in row}
    assert qualities == {0, 138}
    assert calc.effects()
