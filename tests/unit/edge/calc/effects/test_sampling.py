"""What seldom sampling hides: hand numbers, and effects dropped onto samples at every phase."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edge.calc.blocks import Block
from edge.calc.effects.anode_effect import Detector, Rules
from edge.calc.effects.sampling import SLOW_NS, is_slow, sampling_map, slow_potlines, slow_text
from edge.calc.folds.month import MonthFold
from edge.calc.statements.statement import compute

S = 10**9
NOON = 1_781_496_000 * S  # 2026-06-15 12:00:00 +08:00
POTS = ("01", "02", "03")
Config = dict[str, Any]


# -- the map -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("interval_ns", "start_ns", "effects", "expected"),
    [
        # 10 s, 2 s: two samples needed, so 10 s may pass unseen and 20 s may not
        (10 * S, 2 * S, 3, ("10", "10", "30", "10", "20")),
        # 6 s, 13 s: four samples stand at least 18 s
        (6 * S, 13 * S, 0, ("6", "6", "0", "18", "24")),
        # the start time is a whole number of samples
        (6 * S, 12 * S, 1, ("6", "6", "6", "12", "18")),
        # one sample is enough: nothing is never seen, all that stand 7.5 s are
        (7_500_000_000, 0, 2, ("7.5", "7.5", "15", "0", "7.5")),
    ],
)  # fmt: skip
def test_what_sampling_cannot_see(
    interval_ns: int, start_ns: int, effects: int, expected: tuple[str, ...]
) -> None:
    made = sampling_map(interval_ns, start_ns, effects)
    assert list(made) == [
        "interval_s", "duration_uncertainty_s", "total_uncertainty_s", "never_seen_up_to_s",
        "always_seen_from_s",
    ]  # fmt: skip
    assert tuple(made.values()) == expected


def test_five_seconds_are_not_slow() -> None:
    assert SLOW_NS == 5 * S
    assert not is_slow(5 * S)
    assert is_slow(5 * S + 1)


@pytest.mark.parametrize(("interval_s", "start_s"), [(10, 0), (10, 2), (10, 10), (6, 13)])
def test_effects_of_every_length_and_phase_keep_to_it(interval_s: int, start_s: int) -> None:
    """The detector itself, on voltages sampled from a rectangle: seen or not, and how long."""
    told = sampling_map(interval_s * S, start_s * S, 1)
    never, always = int(told["never_seen_up_to_s"]), int(told["always_seen_from_s"])
    seen_short = seen_long = 0
    for length in range(1, always + 2 * interval_s):
        for phase in range(interval_s):
            found = polarised_s(interval_s, start_s, phase, length)
            if length <= never:
                assert found is None
            if length >= always:
                assert found is not None
            if found is not None:
                assert abs(found - length) < interval_s
                seen_short += found < length
                seen_long += found > length
    assert seen_short, "the bound is reached on both sides"
    assert seen_long


def polarised_s(interval_s: int, start_s: int, phase: int, length: int) -> int | None:
    """Polarised time of an effect from 100 + phase for so many seconds; None when it is unseen."""
    rules = Rules(8000, 8000, 4200, start_s * S, 0, 60 * S, 2 * interval_s * S)
    at = np.arange(0, 400, interval_s)
    on = (at > 100 + phase - interval_s) & (at >= 100 + phase) & (at < 100 + phase + length)
    volts = np.where(on, 25_000, 4_200).reshape(1, -1)
    true = np.ones(volts.shape, dtype=bool)
    activity = Detector(rules, 1).feed(NOON + at * S, volts, true, true)
    if not activity.finished:
        return None
    (effect,) = activity.finished
    assert effect.end_ns is not None
    assert effect.polarised_ns == effect.end_ns - effect.start_ns
    return effect.polarised_ns // S


# -- in the statement -----------------------------------------------------------------------


def slow(config: Config, seconds: int) -> Config:
    """The smelter with voltages read every so many seconds."""
    line = config["potlines"][0]
    rules = {**line["anode_effect"], "t_merge_s": "60"}
    return {
        **config,
        "schedules": [{"interval_ns": seconds * S}, {"interval_ns": 10 * S}],
        "potlines": [{**line, "anode_effect": rules}],
    }


def fed(fold: MonthFold, config: Config, make_block: Callable[..., Block], seconds: range) -> None:
    """Pot 01 is at 25 V from second 40 until before 70."""
    for t in seconds:
        values = {f"pg.pot-{n}.voltage": [4.2] for n in POTS} | {
            f"pg.pot-{n}.state": [1] for n in POTS
        }
        if 40 <= t < 70:
            values["pg.pot-01.voltage"] = [25.0]
        fold.feed([make_block(config, 0, [NOON + t * S], values)])


def result(fold: MonthFold, seconds: int) -> dict[str, Any]:
    return fold.result(NOON, NOON + seconds * S, "interim")


def test_a_slow_potline_says_so(config: Config, make_block: Callable[..., Block]) -> None:
    """Samples at 40, 50 and 60 s are high: one effect of 30 s, ± 10 s."""
    fold, config = MonthFold(), slow(config, 10)
    fold.configure(config)
    fed(fold, config, make_block, range(0, 200, 10))
    made = result(fold, 200)
    (line,) = made["potlines"]
    assert (line["effect_count"], line["polarised_s"]) == (1, "30")
    assert line["sampling"] == {
        "interval_s": "10", "duration_uncertainty_s": "10", "total_uncertainty_s": "10",
        "never_seen_up_to_s": "10", "always_seen_from_s": "20",
    }  # fmt: skip
    assert "slow-pot-voltage:line-1" in made["flags"]
    assert "slow-pot-voltage:line-1" in compute(made)["flags"]


def test_a_potline_read_every_five_seconds_says_nothing(
    config: Config, make_block: Callable[..., Block]
) -> None:
    fold, config = MonthFold(), slow(config, 5)
    fold.configure(config)
    fed(fold, config, make_block, range(0, 200, 5))
    made = result(fold, 200)
    assert "sampling" not in made["potlines"][0]
    assert made["flags"] == ["no-reading:ac.energy_import", "no-reading:gas.volume"]


def test_the_slowest_interval_of_the_month_counts(
    config: Config, make_block: Callable[..., Block]
) -> None:
    """Slow for a minute, then fast: what was missed then stays missed."""
    fold, before, after = MonthFold(), slow(config, 10), slow(config, 1)
    fold.configure(before)
    fed(fold, before, make_block, range(0, 60, 10))
    fold.configure(after)
    fed(fold, after, make_block, range(60, 100))
    made = result(fold, 100)
    (line,) = made["potlines"]
    assert line["sampling"]["interval_s"] == "10"
    assert line["polarised_s"] == "30", "the effect goes on over the change"


def test_a_slow_configuration_without_a_tick_hides_nothing(
    config: Config, make_block: Callable[..., Block]
) -> None:
    fold, before, after = MonthFold(), slow(config, 10), slow(config, 1)
    fold.configure(before)
    fold.configure(after)
    fed(fold, after, make_block, range(100))
    assert "sampling" not in result(fold, 100)["potlines"][0]


# -- before anything is read -------------------------------------------------------------------


def test_the_check_says_it_of_a_configuration(config: Config) -> None:
    assert slow_potlines(slow(config, 5)) == []
    ((line, told),) = slow_potlines(slow(config, 10))
    assert line == "line-1"
    assert slow_text(told) == (
        "pot voltages are read every 10 s: the duration of an anode effect is known to ±10 s only, "
        "one of up to 10 s is never seen, and only one of 20 s or more is always seen; read them "
        "at least every 5 s"
    )
