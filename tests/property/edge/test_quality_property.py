"""The verdicts of many points at once are those of a plain reading of FIGURES.md, one by one."""

from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.quality_history import History
from evidence.points import Dtype, Point
from evidence.quality import FIRST_BAD
from tests.unit.edge.ticks import point

S = 10**9
STEP = 2 * S
Reading = tuple[int, int, int]  # tick, value, quality code

limits = st.sampled_from(["1", "2.5", "4", "7", "1/3"])
spans = st.sampled_from(["2", "4", "5", "7.5", "11"])
optional_limits = st.none() | limits


@st.composite
def rules(draw: st.DrawFn) -> dict[str, str]:
    found = {"rate_per_s": draw(optional_limits), "jump": draw(optional_limits)}
    found["stuck_after_s"] = draw(st.none() | spans)
    if found["stuck_after_s"] is not None:
        found["stuck_tolerance"] = draw(st.none() | st.sampled_from(["0", "1", "2"]))
    return {name: text for name, text in found.items() if text is not None}


@st.composite
def plants(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[int], list[list[tuple[int, int]]]]:
    """Points, ticks on a grid with holes, and (value, quality) of each point at each tick."""
    points = [
        point(f"a.{n}", Dtype.I32, rules=draw(rules())) for n in range(draw(st.integers(1, 4)))
    ]
    if draw(st.booleans()):
        rate = {"rate_per_s": draw(limits)}
        points.append(point("a.count", Dtype.I32, role="totaliser", rules=rate))
    steps = draw(st.lists(st.sampled_from([1, 1, 1, 1, 2, 3, 5]), min_size=1, max_size=25))
    ticks = [sum(steps[: i + 1]) * STEP for i in range(len(steps))]
    reading = st.tuples(
        st.sampled_from([0, 0, 1, 2, 3, 5, 9, 30, -30]), st.sampled_from([0, 0, 0, 0, 16, 128, 135])
    )
    row = st.lists(reading, min_size=len(points), max_size=len(points))
    return points, ticks, [draw(row) for _ in ticks]


def plainly(of: dict[str, Any], readings: list[Reading]) -> list[int]:
    """The codes of one point's readings, each found by looking back over all before it."""
    found: list[int] = []
    limit = {name: Fraction(text) for name, text in of.get("rules", {}).items()}
    is_totaliser = of["role"] == "totaliser"
    for i, (tick, value, code) in enumerate(readings):
        before = [j for j in range(i) if readings[j][2] < FIRST_BAD]
        if code >= FIRST_BAD or not before or tick - readings[before[-1]][0] > 2 * STEP:
            found.append(code)
            continue
        p = before[-1]
        moved = value - readings[p][1]
        if "stuck_after_s" in limit and is_stuck(readings, i, limit):
            code = 20
        rise = moved if is_totaliser else abs(moved)
        if "rate_per_s" in limit and rise > limit["rate_per_s"] * Fraction(
            tick - readings[p][0], S
        ):
            code = 19
        if "jump" in limit and abs(moved) > limit["jump"]:
            code = 21
            if found[p] == 21 and abs(value - readings[before[-2]][1]) <= limit["jump"]:
                code = 22
        found.append(code)
    return found


def is_stuck(readings: list[Reading], i: int, limit: dict[str, Fraction]) -> bool:
    """Walk forward from the beginning: where does the standing of this reading begin?"""
    tolerance = limit.get("stuck_tolerance", Fraction(0))
    first: Reading | None = None
    last_tick = 0
    for reading in readings[: i + 1]:
        tick, value, code = reading
        if code >= FIRST_BAD:
            continue
        lapsed = first is None or tick - last_tick > 2 * STEP
        if first is None or lapsed or abs(value - first[1]) > tolerance:
            first = reading
        last_tick = tick
    assert first is not None
    return first != readings[i] and readings[i][0] - first[0] >= limit["stuck_after_s"] * S


def history(points: list[dict[str, Any]]) -> History:
    return History({3: ([Point.from_map(fields) for fields in points], STEP)})


def played(of: History, ticks: list[int], table: list[list[tuple[int, int]]]) -> list[list[int]]:
    found = []
    for tick_ns, row in zip(ticks, table, strict=True):
        raw = np.array([value for value, _ in row], dtype="<i4")
        quality = np.array([code for _, code in row], dtype=np.uint8)
        found.append(of.judge(3, tick_ns, raw, quality).tolist())
    return found


@settings(max_examples=300, deadline=None)
@given(plants())
def test_verdicts_are_those_of_a_plain_reading(plant: Any) -> None:
    points, ticks, table = plant
    made = played(history(points), ticks, table)
    for n, fields in enumerate(points):
        readings = [(t, *row[n]) for t, row in zip(ticks, table, strict=True)]
        assert [row[n] for row in made] == plainly(fields, readings)


@settings(max_examples=150, deadline=None)
@given(plants(), st.integers(0, 25))
def test_judged_again_or_gone_on_from_a_snapshot_it_is_the_same(plant: Any, cut: int) -> None:
    """The two ways in which a gateway's start rebuilds the history."""
    points, ticks, table = plant
    made = played(history(points), ticks, table)
    values = [[value for value, _ in row] for row in table]
    signed = [list(zip(v, codes, strict=True)) for v, codes in zip(values, made, strict=True)]
    assert played(history(points), ticks, signed) == made
    first, second = history(points), history(points)
    head = played(first, ticks[:cut], table[:cut])
    second.restore(first.snapshot())
    assert head + played(second, ticks[cut:], table[cut:]) == made


@settings(max_examples=150, deadline=None)
@given(plants())
def test_no_verdict_takes_a_value_away_or_gives_one(plant: Any) -> None:
    points, ticks, table = plant
    for row, codes in zip(table, played(history(points), ticks, table), strict=True):
        for (_, before), after in zip(row, codes, strict=True):
            assert (before < FIRST_BAD) == (after < FIRST_BAD)
            assert after == before or (before < FIRST_BAD and after in (19, 20, 21, 22))
