"""Live values and months do not depend on how readings are cut into frames.

Random plants' readings (effects, bad qualities, holes, slow points, resets, pot states) around a
plant-local midnight or month end, fed tick by tick, in random frames, with a restart in between:
the same counts to the last bit.
"""

import itertools
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.calc.folds.live import Computed, PlantCalc
from edge.calc.folds.month import MonthFold
from edge.calc.statements.statement import compute
from evidence.quality import Quality
from tests.property.calc.plant_stories import (
    CONFIG,
    MIDNIGHT,
    MONTH_END,
    S,
    Series,
    make_series,
    stories,
)


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
    assert qualities == {Quality.GOOD, Quality.PARTIAL, Quality.NO_INPUT}
    assert calc.effects()
