"""Slow curves stay in their bounds, are smooth, and depend on their seed alone."""

from itertools import pairwise

import numpy as np
import pytest

from simulators.waves import BlockNoise, SlowWave


def wave(seed: int, steps: int, *, period: int = 50) -> list[float]:
    rng = np.random.default_rng(seed)
    curve = SlowWave(rng, low=-3.0, high=7.0, period_steps=period)
    return [curve.next() for _ in range(steps)]


def test_bounds() -> None:
    values = wave(1, 20_000)
    assert -3 <= min(values) < -2
    assert 6 < max(values) <= 7


def test_smooth() -> None:
    """The steepest place of smoothstep is 1.5 × height / period."""
    steepest = max(abs(b - a) for a, b in pairwise(wave(2, 20_000)))
    assert steepest <= 1.5 * 10 / 50


def test_flat_at_its_turning_points() -> None:
    values = wave(3, 1000)
    for turn in range(50, 1000, 50):
        assert abs(values[turn + 1] - values[turn]) < 0.013  # 3 × height / period²


def test_half_way_between_two_turning_points() -> None:
    values = wave(4, 101)
    assert values[25] == pytest.approx((values[0] + values[50]) / 2)


def test_seed() -> None:
    assert wave(5, 300) == wave(5, 300)
    assert wave(5, 300) != wave(6, 300)


def test_a_period_of_nothing_is_one_step() -> None:
    assert len(set(wave(7, 20, period=0))) == 20


def noise(
    kind: str, steps: int, width: int = 4
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    source = BlockNoise(np.random.default_rng(8), width, kind=kind)
    return np.array([source.next() for _ in range(steps)])


def test_normal_noise() -> None:
    values = noise("normal", 20_000)
    assert np.abs(values.mean(axis=0)).max() < 0.03
    assert np.abs(values.std(axis=0) - 1).max() < 0.02


def test_uniform_noise() -> None:
    values = noise("uniform", 20_000)
    assert -1 <= values.min() < -0.999
    assert 0.999 < values.max() <= 1
    assert np.abs(values.mean(axis=0)).max() < 0.02


def test_no_row_is_given_twice() -> None:
    """Blocks are an inside matter: across their seams every row is new."""
    values = noise("normal", 200)
    assert len({tuple(row) for row in values.tolist()}) == 200


def test_pots_are_independent() -> None:
    values = noise("normal", 20_000)
    assert abs(np.corrcoef(values[:, 0], values[:, 1])[0, 1]) < 0.03
