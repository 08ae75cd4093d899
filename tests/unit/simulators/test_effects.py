"""What the scenario `smelter` promises about anode effects, over hours and several seeds.

The effects are found in the voltages by a plain threshold, and compared with the truth: neither
is believed for its own sake.
"""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from tests.unit.simulators.smelters import NORMAL, QUICK, Played, played

HOUR_STEPS = 36_000
THRESHOLD_V = 8.0


@pytest.fixture(scope="module", params=[(1, 24, 1), (2, 24, 1), (3, 14, 1), (20261, 60, 1)],
                ids="seed{0[0]}-pots{0[1]}-hours{0[2]}".format)  # fmt: skip
def hours(request: pytest.FixtureRequest) -> Played:
    """(seed, pots, hours), all voltages kept."""
    seed, pots, length = request.param
    return played(length * HOUR_STEPS, pots=pots, seed=seed)


def producing_v(run: Played) -> npt.NDArray[np.float64]:
    """Voltages of pots while they produce, NaN otherwise: the others have no anode effects."""
    voltage_v = np.full_like(run.voltage_v, np.nan)
    for row in run.of_type("state"):
        if row["state"] == 1:
            step, pot = steps_of(row["t_s"]), int(row["pot"]) - 1
            voltage_v[step:, pot] = run.voltage_v[step:, pot]
    return voltage_v


def found(run: Played) -> list[tuple[int, int, int]]:
    """(start step, end step, pot) of every complete excursion above the threshold."""
    result = []
    for pot, voltage_v in enumerate(producing_v(run).T):
        above = np.concatenate(([False], voltage_v > THRESHOLD_V, [False]))
        edges = np.flatnonzero(above[1:] != above[:-1]).tolist()
        result += [(a, b, pot) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    last = len(run.voltage_v)
    return sorted(effect for effect in result if effect[1] < last)


def told(run: Played) -> list[tuple[int, int, int]]:
    """The same from the truth's effect-end lines."""
    rows = run.of_type("effect-end")
    return sorted(
        (steps_of(row["start_s"]), steps_of(row["t_s"]), int(row["pot"]) - 1) for row in rows
    )


def steps_of(seconds: str) -> int:
    whole, tenths = seconds.split(".")
    return int(whole) * 10 + int(tenths)


def test_truth_is_what_a_threshold_finds(hours: Played) -> None:
    assert found(hours) == told(hours)
    assert len(found(hours)) > 500


def test_each_lasts_four_to_twenty_seconds(hours: Played) -> None:
    lengths = [end - start for start, end, _ in told(hours)]
    assert min(lengths) >= 40
    assert max(lengths) <= 200


def test_every_sixty_seconds_hold_three_whole_effects(hours: Played) -> None:
    assert fewest_inside(hours, window_steps=600) >= 3


def test_every_twelve_seconds_hold_a_whole_effect(hours: Played) -> None:
    assert fewest_inside(hours, window_steps=120) >= 1


def fewest_inside(run: Played, *, window_steps: int) -> int:
    """The least number of whole effects in any window that lies in the run."""
    effects = told(run)
    starts = np.array([start for start, _, _ in effects])
    ends = np.array([end for _, end, _ in effects])
    begins = np.arange(0, len(run.voltage_v) - window_steps)
    inside = [
        int(((starts >= begin) & (ends <= begin + window_steps)).sum())
        for begin in begins[::7].tolist()
    ]
    # A window loses an effect just after its start: those begins are the worst, look at them all.
    inside += [
        int(((starts >= begin) & (ends <= begin + window_steps)).sum())
        for begin in (starts + 1).tolist()
        if begin < begins[-1]
    ]
    return min(inside)


def test_one_is_always_running_after_the_first_seconds(hours: Played) -> None:
    running = (producing_v(hours)[50:] > THRESHOLD_V).any(axis=1)
    assert running.all()


def test_forty_seconds_lie_between_two_of_one_pot(hours: Played) -> None:
    for pot in {effect[2] for effect in told(hours)}:
        own = [effect for effect in told(hours) if effect[2] == pot]
        assert all(after[0] - before[1] >= 400 for before, after in pairwise(own))
        assert len(own) > 5


def test_no_voltage_is_doubtful(hours: Played) -> None:
    voltage_v = producing_v(hours)
    voltage_v = voltage_v[~np.isnan(voltage_v)]
    inside = voltage_v > THRESHOLD_V
    assert voltage_v[inside].min() > 12
    assert voltage_v[inside].max() <= 40
    assert voltage_v[~inside].max() < 6
    assert voltage_v[~inside].min() > 3


def test_the_peak_is_the_greatest_voltage(hours: Played) -> None:
    for row in hours.of_type("effect-end")[:50]:
        pot = int(row["pot"]) - 1
        inside = hours.voltage_v[steps_of(row["start_s"]) : steps_of(row["t_s"]), pot]
        assert row["peak_v"] == f"{inside.max():.3f}"
        assert steps_of(row["duration_s"]) == len(inside)


def test_flicker_moves_every_step(hours: Played) -> None:
    start, end, pot = told(hours)[10]
    inside = hours.voltage_v[start:end, pot]
    assert len(set(inside.tolist())) == end - start
    assert np.ptp(inside) > 2


def test_starts_and_ends_pair_up(hours: Played) -> None:
    starts = {row["effect"]: row for row in hours.of_type("effect-start")}
    ends = {row["effect"]: row for row in hours.of_type("effect-end")}
    assert sorted(starts) == list(range(1, len(starts) + 1))
    assert all(starts[n]["t_s"] == ends[n]["start_s"] for n in ends)
    assert all(starts[n]["pot"] == ends[n]["pot"] for n in ends)
    still_running = set(starts) - set(ends)
    assert {effect.number for effect in hours.plant.potline.effects.values()} == still_running
    assert still_running


def test_current_dips_while_effects_run(hours: Played) -> None:
    set_point = QUICK.line.current_ka
    assert hours.current_ka.min() > set_point * 0.99 * 0.97
    assert hours.current_ka.max() < set_point * 1.01
    # Set point less the dip of the one or two effects that are always running.
    assert set_point * 0.985 < hours.current_ka[100:].mean() < set_point * 0.995


def test_at_plant_pace_effects_are_rare() -> None:
    """0.1 to 0.3 a producing pot-day; many pots in steps of a second stand for many days."""
    scenario = replace(NORMAL, step_s=Decimal(1))
    run = played(6 * 3600, scenario, pots=1000, seed=5)
    first_possible_s = 1000  # a blocked pot takes a quarter of an hour to starve
    starts = [row for row in run.of_type("effect-start") if float(row["t_s"]) > first_possible_s]
    pot_days = 998 * (6 * 3600 - first_possible_s) / 86400
    assert 0.1 < len(starts) / pot_days < 0.3
    lengths_s = [float(row["duration_s"]) for row in run.of_type("effect-end")]
    assert min(lengths_s) > 10
    assert max(lengths_s) < 300


def test_few_pots_still_play() -> None:
    """With fewer pots than the promise needs there are fewer effects, and the rests still hold."""
    run = played(6000, pots=3)
    own = told(run)
    assert len(own) >= 10
    assert all(after[0] - before[1] >= 400 for before, after in pairwise(own))
