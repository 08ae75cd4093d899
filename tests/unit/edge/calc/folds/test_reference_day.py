"""Hours of a potline with known effects: found as they were made, none missed, none invented.

Voltages are a working level with noise, tapping dips and anode-change spikes below the start
voltage, and plateaus with flicker for the effects; one pot starts up at 30 V, one is bridged.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from edge.calc.blocks import Block, GroupBlock
from edge.calc.folds.live import PlantCalc
from edge.calc.folds.month import MonthFold
from edge.calc.statements.statement import compute

S = 10**9
NOON = 1_781_496_000 * S
POTS, SECONDS = 12, 3 * 3600
STARTING, BRIDGED = 10, 11  # pot indices
Truth = list[tuple[int, int, int]]  # pot index, start second, end second


def made_day(seed: int) -> tuple[np.ndarray, np.ndarray, Truth]:
    """Voltages [pots][n], states [pots][n] and the effects put into them."""
    rng = np.random.default_rng(seed)
    volts = 4.15 + rng.normal(0, 0.03, (POTS, SECONDS))
    for _ in range(60):  # tapping and anode changes
        pot, at = rng.integers(POTS), rng.integers(SECONDS - 120)
        volts[pot, at : at + rng.integers(20, 120)] += rng.uniform(-0.4, 0.5)
    for _ in range(30):  # single high samples are no effects
        volts[rng.integers(POTS), rng.integers(SECONDS)] = rng.uniform(8.0, 12.0)
    truth: Truth = []
    for pot in range(10):
        second = int(rng.integers(30, 1500))
        while second < SECONDS - 400:
            length = int(rng.integers(5, 180))
            plateau = rng.uniform(15, 45)
            # clear of the random single samples: they could join an effect's edges
            volts[pot, second - 15 : second + length + 15] = 4.15
            volts[pot, second : second + length] = plateau + rng.normal(0, 1.5, length)
            truth.append((pot, second, second + length))
            second += length + int(rng.integers(60, 3000))
    volts[STARTING] = 30 + rng.normal(0, 3, SECONDS)
    volts[BRIDGED] = 0.05
    states = np.ones((POTS, SECONDS), dtype=np.uint8)
    states[STARTING], states[BRIDGED] = 3, 5
    return volts.astype(np.float32), states, truth


def frames(volts: np.ndarray, states: np.ndarray, length: int) -> list[list[Block]]:
    """The day as frames of `length` seconds, all good."""
    result = []
    for first in range(0, SECONDS, length):
        seconds = np.arange(first, min(first + length, SECONDS), dtype=np.int64)
        line = np.stack([np.full(len(seconds), 460.0), 100 + seconds / 1000])
        raws = (volts[:, seconds], states[:, seconds], line)
        groups = tuple(
            GroupBlock(n, raw, np.zeros(raw.shape, dtype=np.uint8)) for n, raw in enumerate(raws)
        )
        result.append([Block(0, NOON + seconds * S, groups)])
    return result


@pytest.fixture(params=[1, 2, 3])
def day(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray, Truth]:
    return made_day(request.param)


def folded(config: dict[str, Any], day: tuple[np.ndarray, np.ndarray, Truth]) -> dict[str, Any]:
    volts, states, _ = day
    fold = MonthFold()
    fold.configure(config)
    for blocks in frames(volts, states, 600):
        fold.feed(blocks)
    return fold.result(NOON, NOON + SECONDS * S, "interim")


def test_every_effect_and_no_other(
    make_config: Callable[[int], dict[str, Any]], day: tuple[np.ndarray, np.ndarray, Truth]
) -> None:
    (line,) = folded(make_config(POTS), day)["potlines"]
    found = [(int(e["pot"]) - 1, e["start_ns"], e["end_ns"]) for e in line["effects"]]
    expected = [(pot, NOON + a * S, NOON + b * S) for pot, a, b in day[2]]
    assert sorted(found) == sorted(expected)
    assert len(found) >= 20


def test_minutes_rates_and_cf4_are_those_of_the_truth(
    make_config: Callable[[int], dict[str, Any]], day: tuple[np.ndarray, np.ndarray, Truth]
) -> None:
    source = folded(make_config(POTS), day)
    (line,) = source["potlines"]
    seconds = sum(b - a for _, a, b in day[2])
    assert line["polarised_s"] == str(seconds)
    assert line["producing_pot_s"] == str(10 * (SECONDS - 1))  # two pots stand outside
    cell_days = Fraction(10 * (SECONDS - 1), 86_400)
    aem = Fraction(seconds, 60) / cell_days
    assert abs(Fraction(line["aem_min_per_cell_day"]) - aem) < Fraction(1, 10**12)
    metal_t = Fraction(SECONDS - 1, 1000)
    cf4 = Fraction(compute(source)["pfc"]["indicator"]["cf4_kg"])
    assert abs(cf4 - Fraction("0.104") * aem * metal_t) < Fraction(1, 10**8)


def test_peaks_and_integrals_are_those_of_the_samples(
    make_config: Callable[[int], dict[str, Any]], day: tuple[np.ndarray, np.ndarray, Truth]
) -> None:
    (line,) = folded(make_config(POTS), day)["potlines"]
    by_start = {(int(e["pot"]) - 1, e["start_ns"]): e for e in line["effects"]}
    for pot, first, last in day[2]:
        samples = [int(float(v) * 1000 + 0.5) for v in day[0][pot, first:last]]
        effect = by_start[pot, NOON + first * S]
        assert effect["v_max"] == f"{max(samples) / 1000:.3f}"
        over = sum(v - 4200 for v in samples)  # mV·s: each sample stands for its second
        assert Fraction(effect["integral_v_s"]) == Fraction(over, 1000)


def test_live_sees_the_same_effects_tick_by_tick(
    make_config: Callable[[int], dict[str, Any]],
) -> None:
    volts, states, _ = made_day(1)
    config = make_config(POTS)
    by_frame, by_tick = PlantCalc(config), PlantCalc(config)
    for blocks in frames(volts, states, 600):
        by_frame.feed(blocks)
    for blocks in frames(volts, states, 1):
        by_tick.feed(blocks)
    assert by_tick.effects() == by_frame.effects()
    assert by_tick.snapshot() == by_frame.snapshot()
