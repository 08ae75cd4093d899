"""The tapping crane: whose turn it is, what it takes, and what the counter shows."""

import numpy as np

from simulators.scenario import TapFigures
from simulators.tapping import Mask, Tapping

FIGURES = TapFigures(period_s=120, duration_s=3, dip_v=0.3, start_kg=1000)
ALL: Mask = np.array([True, True, True, True])
NONE: Mask = np.array([False, False, False, False])


def crane(producing: Mask = ALL) -> Tapping:
    """Steps of a second, each pot makes 0.1 kg a second: twelve kilograms a period."""
    return Tapping(FIGURES, producing=producing, step_s=1.0, metal_kg_s=0.1)


def taps_of(tapping: Tapping, steps: int, *, producing: Mask = ALL, busy: Mask = NONE,
            makes_kg: float = 0.1) -> list[tuple[int, int, int]]:  # fmt: skip
    """(step, pot, kg) of all taps while every producing pot makes metal."""
    result = []
    for step in range(1, steps + 1):
        tapping.held_kg += makes_kg * producing
        result += [(step, *tap) for tap in tapping.step(step, producing=producing, busy=busy)]
    return result


def test_at_the_start_each_pot_holds_its_part_of_a_period() -> None:
    assert crane().held_kg.tolist() == [12.0, 9.0, 6.0, 3.0]


def test_a_pot_that_does_not_produce_holds_nothing() -> None:
    assert crane(np.array([True, False, True, True])).held_kg.tolist() == [12.0, 0.0, 6.0, 3.0]


def test_every_pot_in_turn_and_a_steady_yield() -> None:
    # A tap begins every 30 s and ends 3 s later; each pot then holds a period's 12 kg and 3 s more.
    assert taps_of(crane(), 240) == [
        (33, 0, 15), (63, 1, 15), (93, 2, 15), (123, 3, 15),
        (153, 0, 12), (183, 1, 12), (213, 2, 12),
    ]  # fmt: skip


def test_whole_kilograms_leave_and_the_rest_stays() -> None:
    tapping = crane()
    taps_of(tapping, 33, makes_kg=0.11)
    # 12 + 33 × 0.11 = 15.63 kg
    assert tapping.tapped_kg == 1015
    assert abs(tapping.held_kg[0] - 0.63) < 1e-9


def test_the_counter_moves_when_the_siphon_is_out() -> None:
    tapping = crane()
    taps_of(tapping, 32)
    assert tapping.tapped_kg == 1000
    tapping.step(33, producing=ALL, busy=NONE)
    assert tapping.tapped_kg > 1000


def test_the_dip_lasts_as_long_as_the_siphon_stands() -> None:
    tapping, dips = crane(), []
    for step in range(1, 40):
        tapping.step(step, producing=ALL, busy=NONE)
        dips.append(float(tapping.dip_v[0]))
    assert dips == [0.0] * 29 + [-0.3] * 3 + [0.0] * 7


def test_a_pot_in_an_anode_effect_waits_and_is_next() -> None:
    tapping = crane()
    busy = np.array([True, False, False, False])
    assert [pot for _, pot, _ in taps_of(tapping, 33, busy=busy)] == [1]
    later = [tap for step in range(34, 64) for tap in tapping.step(step, producing=ALL, busy=NONE)]
    assert [pot for pot, _ in later] == [0]


def test_nobody_is_tapped_when_none_produces() -> None:
    assert taps_of(crane(NONE), 500, producing=NONE) == []


def test_the_crane_comes_more_often_to_a_longer_line() -> None:
    """The period is a pot's: with half the pots producing there is half the tapping."""
    half = np.array([True, False, True, False])
    assert len(taps_of(crane(), 1200)) == 39
    assert len(taps_of(crane(half), 1200, producing=half)) == 19
