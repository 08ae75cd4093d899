"""Each rule of the anode-effect detector, one hand-made series at a time (1 Hz, one pot)."""

import numpy as np
import pytest

from edge.calc.effects.anode_effect import Detector
from edge.calc.effects.pot import Effect, Rules
from edge.calc.errors import PlantError
from tests.unit.edge.calc.plain import is_plain

S = 10**9
LOW, HIGH = 4200, 25_000  # 4.200 V and 25.000 V
FIELDS = {
    "v_start_v": "8", "t_start_s": "2", "v_end_v": "8", "t_end_s": "2",
    "t_merge_s": "10", "mode": "positive", "target_v": "4.2",
}  # fmt: skip
RULES = Rules.from_config(FIELDS, decimals=3, interval_ns=S)


def detect(
    volts: list[int],
    *,
    ticks: list[int] | None = None,
    usable: list[bool] | None = None,
    producing: list[bool] | None = None,
    rules: Rules = RULES,
) -> list[Effect]:
    """Effects of one pot, finished and open, in one call."""
    n = len(volts)
    times = np.array([t * S for t in ticks] if ticks else [k * S for k in range(n)], dtype=np.int64)
    detector = Detector(rules, 1)
    activity = detector.feed(
        times,
        np.array([volts], dtype=np.int64),
        np.array([usable or [True] * n]),
        np.array([producing or [True] * n]),
    )
    return [*activity.finished, *detector.open_effects(int(times[-1]))]


def test_an_effect_starts_at_its_first_high_sample_and_ends_at_the_first_low_one() -> None:
    (effect,) = detect([LOW] * 5 + [HIGH] * 10 + [LOW] * 15)
    assert effect == Effect(
        pot=0,
        start_ns=5 * S,
        end_ns=15 * S,
        polarised_ns=10 * S,
        integral=(HIGH - 4200) * 10 * S,
        v_max=HIGH,
        crossings=1,
        flags=(),
    )


def test_a_spike_shorter_than_the_start_time_is_no_effect() -> None:
    assert detect([LOW] * 5 + [HIGH] * 2 + [LOW] * 15) == []


def test_a_spike_of_exactly_the_start_time_is_one() -> None:
    # samples at 5, 6 and 7 s: 2 s between the first and the third
    (effect,) = detect([LOW] * 5 + [HIGH] * 3 + [LOW] * 15)
    assert (effect.start_ns, effect.end_ns) == (5 * S, 8 * S)


def test_one_sample_below_the_start_voltage_clears_a_candidate() -> None:
    assert detect([LOW, HIGH, HIGH, LOW, HIGH, HIGH, LOW] + [LOW] * 12) == []


def test_the_start_voltage_itself_counts_and_one_count_less_does_not() -> None:
    assert len(detect([8000] * 4 + [LOW] * 14)) == 1
    assert detect([7999] * 4 + [LOW] * 14) == []


def test_a_dip_shorter_than_the_end_time_does_not_end_it_and_is_not_polarised() -> None:
    # high 0-4, low 5-6, high 7-9, low from 10
    (effect,) = detect([HIGH] * 5 + [LOW] * 2 + [HIGH] * 3 + [LOW] * 14)
    assert (effect.start_ns, effect.end_ns) == (0, 10 * S)
    assert effect.polarised_ns == 8 * S
    assert effect.integral == (HIGH - 4200) * 8 * S
    assert effect.crossings == 1


def test_a_rise_within_the_merge_time_is_the_same_effect() -> None:
    # ends at 5 s, rises again at 14 s (< 5 + 10), ends at 18 s
    (effect,) = detect([HIGH] * 5 + [LOW] * 9 + [HIGH] * 4 + [LOW] * 14)
    assert (effect.start_ns, effect.end_ns) == (0, 18 * S)
    assert effect.crossings == 2
    assert effect.polarised_ns == 9 * S  # 5 + 4; the time between counts for nothing


def test_a_rise_at_the_merge_time_is_a_new_effect() -> None:
    first, second = detect([HIGH] * 5 + [LOW] * 10 + [HIGH] * 4 + [LOW] * 14)
    assert (first.start_ns, first.end_ns) == (0, 5 * S)
    assert (second.start_ns, second.end_ns) == (15 * S, 19 * S)


def test_a_rise_begun_before_the_merge_time_and_confirmed_after_it_still_merges() -> None:
    # ends at 5 s; candidate at 14 s; confirmed at 16 s, after 5 + 10
    (effect,) = detect([HIGH] * 5 + [LOW] * 9 + [HIGH] * 3 + [LOW] * 14)
    assert effect.crossings == 2


def test_a_spike_in_the_hold_does_not_reopen() -> None:
    (effect,) = detect([HIGH] * 5 + [LOW] * 5 + [HIGH] + [LOW] * 14)
    assert (effect.end_ns, effect.crossings, effect.polarised_ns) == (5 * S, 1, 5 * S)


def test_v_max_is_the_highest_sample() -> None:
    (effect,) = detect([9000, 31_500, 20_000, 20_000] + [LOW] * 14)
    assert effect.v_max == 31_500


def test_an_effect_at_the_end_of_the_data_is_running() -> None:
    (effect,) = detect([LOW] * 3 + [HIGH] * 5)
    assert effect.end_ns is None
    assert effect.flags == ("running",)
    assert effect.polarised_ns == 4 * S  # the last sample's time has not passed yet


def test_an_effect_waiting_to_be_merged_has_its_end_and_no_flag() -> None:
    (effect,) = detect([HIGH] * 5 + [LOW] * 4)
    assert (effect.end_ns, effect.flags) == (5 * S, ())


def test_a_silence_longer_than_the_merge_time_ends_it_at_its_last_sample() -> None:
    (effect,) = detect([HIGH] * 5 + [LOW] * 3, ticks=[0, 1, 2, 3, 4, 15, 16, 17])
    assert (effect.end_ns, effect.flags) == (4 * S, ("gap",))
    assert effect.polarised_ns == 4 * S


def test_after_a_silence_a_still_high_pot_starts_a_new_effect() -> None:
    first, second = detect([HIGH] * 10 + [LOW] * 12, ticks=[*range(5), *range(20, 37)])
    assert (first.end_ns, first.flags) == (4 * S, ("gap",))
    assert (second.start_ns, second.end_ns) == (20 * S, 25 * S)


def test_a_hole_counts_through_and_is_flagged() -> None:
    usable = [True] * 3 + [False] * 4 + [True] * 18
    (effect,) = detect([HIGH] * 10 + [LOW] * 15, usable=usable)
    assert (effect.end_ns, effect.polarised_ns, effect.flags) == (10 * S, 10 * S, ("hole",))


def test_ticks_one_and_a_half_intervals_apart_are_no_hole() -> None:
    volts = np.array([[HIGH] * 4 + [LOW] * 12], dtype=np.int64)
    ticks = np.arange(16, dtype=np.int64) * (S * 3 // 2)
    detector = Detector(RULES, 1)
    everything = np.ones(volts.shape, dtype=bool)
    activity = detector.feed(ticks, volts, everything, everything)
    assert activity.finished[0].flags == ()


def test_a_bad_sample_is_not_a_low_one() -> None:
    usable = [True] * 4 + [False, False, False] + [True] * 15
    volts = [HIGH] * 4 + [0, 0, 0] + [HIGH] * 2 + [LOW] * 13
    (effect,) = detect(volts, usable=usable)
    assert (effect.end_ns, effect.crossings) == (9 * S, 1)


def test_leaving_production_ends_it_at_that_sample() -> None:
    producing = [True] * 6 + [False] * 6
    (effect,) = detect([HIGH] * 12, producing=producing)
    assert (effect.end_ns, effect.flags, effect.polarised_ns) == (6 * S, ("state-change",), 6 * S)


@pytest.mark.parametrize("volts", [HIGH, 40_000])
def test_a_pot_that_does_not_produce_has_no_effects(volts: int) -> None:
    assert detect([volts] * 30, producing=[False] * 30) == []


def test_leaving_production_in_the_hold_closes_the_effect_as_it_was() -> None:
    producing = [True] * 8 + [False] * 4
    (effect,) = detect([HIGH] * 5 + [LOW] * 7, producing=producing)
    assert (effect.end_ns, effect.flags) == (5 * S, ())


def test_time_that_goes_backwards_ends_a_running_effect() -> None:
    (effect,) = detect([HIGH] * 5 + [LOW] * 2, ticks=[100, 101, 102, 103, 104, 50, 51])
    assert (effect.end_ns, effect.flags) == (104 * S, ("gap",))


def test_hysteresis_keeps_it_running_above_the_end_voltage() -> None:
    rules = Rules.from_config({**FIELDS, "v_end_v": "6"}, decimals=3, interval_ns=S)
    (effect,) = detect([9000] * 3 + [7000] * 5 + [5999] * 14, rules=rules)
    assert (effect.end_ns, effect.polarised_ns) == (8 * S, 8 * S)
    assert effect.integral == (3 * (9000 - 4200) + 5 * (7000 - 4200)) * S


def test_zero_times_start_and_end_at_once() -> None:
    rules = Rules.from_config(
        {**FIELDS, "t_start_s": "0", "t_end_s": "0"}, decimals=3, interval_ns=S
    )
    (effect,) = detect([LOW, HIGH, LOW] + [LOW] * 12, rules=rules)
    assert (effect.start_ns, effect.end_ns, effect.polarised_ns) == (S, 2 * S, S)


def test_activity_says_what_is_known_when() -> None:
    detector = Detector(RULES, 2)
    volts = np.array([[LOW] * 2 + [HIGH] * 4 + [LOW] * 4, [LOW] * 10], dtype=np.int64)
    everything = np.ones(volts.shape, dtype=bool)
    activity = detector.feed(np.arange(10, dtype=np.int64) * S, volts, everything, everything)
    # candidate at 2, confirmed at 4; the end at 6 is known at 8
    assert activity.running[0].tolist() == [False] * 4 + [True] * 4 + [False] * 2
    assert not activity.running[1].any()
    assert activity.started.tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    assert activity.polarised_ns.tolist() == [0, 0, 0, 0, 2 * S, S, S, 0, 0, 0]
    assert activity.producing_ns.tolist() == [0] + [2 * S] * 9
    assert activity.finished == ()


def test_finished_effects_come_in_the_order_they_became_final() -> None:
    volts = np.array([[HIGH] * 8 + [LOW] * 22, [LOW] + [HIGH] * 4 + [LOW] * 25], dtype=np.int64)
    everything = np.ones(volts.shape, dtype=bool)
    activity = Detector(RULES, 2).feed(
        np.arange(30, dtype=np.int64) * S, volts, everything, everything
    )
    assert [e.pot for e in activity.finished] == [1, 0]


def test_an_empty_feed_changes_nothing() -> None:
    detector = Detector(RULES, 1)
    before = detector.snapshot()
    none = np.empty((1, 0))
    activity = detector.feed(
        np.empty(0, dtype=np.int64), none.astype(np.int64), none.astype(bool), none.astype(bool)
    )
    assert activity.finished == ()
    assert detector.snapshot() == before


def test_a_silent_pot_is_shown_ended_at_its_last_sample() -> None:
    detector = Detector(RULES, 1)
    volts = np.array([[HIGH] * 5 + [0] * 20], dtype=np.int64)
    usable = np.array([[True] * 5 + [False] * 20])
    ticks = np.arange(25, dtype=np.int64) * S
    detector.feed(ticks, volts, usable, np.ones(volts.shape, dtype=bool))
    (effect,) = detector.open_effects(int(ticks[-1]))
    assert (effect.end_ns, effect.flags) == (4 * S, ("gap",))
    (at_the_time,) = detector.open_effects(5 * S)
    assert (at_the_time.end_ns, at_the_time.flags) == (None, ("running",))


def test_rules_are_exact_integers() -> None:
    rules = Rules.from_config(
        {**FIELDS, "v_start_v": "8.25", "t_start_s": "2.5"}, decimals=3, interval_ns=2 * S
    )
    assert (rules.v_start, rules.t_start_ns, rules.hole_ns) == (8250, 2_500_000_000, 3 * S)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mode": "upward"}, "upward"),
        ({"v_start_v": "8.0001"}, "v_start_v"),
        ({"v_start_v": "7"}, "v_end_v <= v_start_v"),
        ({"target_v": "9"}, "target_v"),
        ({"target_v": "0"}, "0 < target_v"),
        ({"t_start_s": "-1"}, "negative"),
        ({"t_merge_s": "1"}, "t_merge_s"),
        ({"mode": "algebraic", "t_end_s": "10.001"}, "t_end_s <= t_merge_s"),
        ({"v_stop_v": "8"}, "v_stop_v"),
    ],
)
def test_rules_that_make_no_sense_are_refused(change: dict[str, str], said: str) -> None:
    with pytest.raises(PlantError, match=said):
        Rules.from_config({**FIELDS, **change}, decimals=3, interval_ns=S)


def test_a_missing_rule_is_named() -> None:
    fields = {k: v for k, v in FIELDS.items() if k != "t_merge_s"}
    with pytest.raises(PlantError, match="t_merge_s"):
        Rules.from_config(fields, decimals=3, interval_ns=S)


def test_a_snapshot_holds_only_plain_values() -> None:
    detector = Detector(RULES, 1)
    everything = np.ones((1, 6), dtype=bool)
    volts = np.array([[LOW] + [HIGH] * 5], dtype=np.int64)
    detector.feed(np.arange(6, dtype=np.int64) * S, volts, everything, everything)
    assert is_plain(detector.snapshot(), frozenset({int, str, type(None)}))


ALGEBRAIC = Rules.from_config({**FIELDS, "mode": "algebraic"}, decimals=3, interval_ns=S)
UNDER = 3700  # 0.5 V below target


@pytest.mark.parametrize(
    ("volts", "seconds_over", "seconds_under"),
    [
        # the kill: 2 s of the dip that ends it and 8 s of the hold, to 10 s after its end
        ([HIGH] * 5 + [UNDER] * 20, 5, 10),
        ([HIGH] * 5 + [UNDER] * 3 + [LOW] * 17, 5, 3),
        # a dip inside, and the time between two rises that merge
        ([HIGH] * 5 + [UNDER] + [HIGH] * 4 + [LOW] * 15, 9, 1),
        ([HIGH] * 5 + [UNDER] * 6 + [HIGH] * 4 + [LOW] * 15, 9, 6),
        # a spike in the hold counts as it is, though it continues nothing
        ([HIGH] * 5 + [UNDER] * 4 + [HIGH] + [UNDER] * 10, 6, 9),
        # what lies before the effect does not
        ([UNDER] * 5 + [HIGH] * 5 + [LOW] * 15, 5, 0),
    ],
)
def test_the_algebraic_overvoltage_subtracts_what_is_below_target(
    volts: list[int], seconds_over: int, seconds_under: int
) -> None:
    (effect,) = detect(volts, rules=ALGEBRAIC)
    expected = seconds_over * (HIGH - 4200) - seconds_under * (4200 - UNDER)
    assert effect.integral == expected * S
    (positive,) = detect(volts)
    assert (positive.polarised_ns, positive.end_ns) == (effect.polarised_ns, effect.end_ns)


def test_the_algebraic_overvoltage_ends_with_the_production_and_in_a_gap() -> None:
    volts = [HIGH] * 5 + [UNDER] * 4
    (effect,) = detect(volts, producing=[True] * 7 + [False] * 2, rules=ALGEBRAIC)
    assert effect.integral == (5 * (HIGH - 4200) - 2 * 500) * S
    (effect,) = detect([*volts, LOW], ticks=[*range(9), 30], rules=ALGEBRAIC)
    assert effect.integral == (5 * (HIGH - 4200) - 3 * 500) * S
