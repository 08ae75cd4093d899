"""The grid of ticks, the slots of devices, and a time that never goes back."""

import pytest

from edge.schedule import ClockStep, SteadyTime, due, next_tick_ns, slot_ns

S = 1_000_000_000
MS = 1_000_000


@pytest.mark.parametrize(
    ("after_ns", "interval_ns", "tick_ns"),
    [
        (0, S, S),
        (S - 1, S, S),
        (S, S, 2 * S),  # strictly after
        (1_795_574_490_179_000_000, S, 1_795_574_491_000_000_000),
        (1_795_574_490_179_000_000, 10 * S, 1_795_574_500_000_000_000),
        (1_795_574_490_179_000_000, 100 * MS, 1_795_574_490_200_000_000),
    ],
)
def test_ticks_stand_on_multiples_since_1970(after_ns: int, interval_ns: int, tick_ns: int) -> None:
    assert next_tick_ns(after_ns, interval_ns) == tick_ns


def test_schedules_due_at_an_instant() -> None:
    intervals = (S, 10 * S, 60 * S)
    assert due(7 * S, intervals) == [0]
    assert due(30 * S, intervals) == [0, 1]
    assert due(120 * S, intervals) == [0, 1, 2]


def test_ten_slots_over_the_first_half_of_the_interval() -> None:
    slots = [slot_ns(index, S) for index in range(12)]
    assert slots == [n * 50 * MS for n in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]]
    assert slot_ns(9, 100 * MS) == 45 * MS


def steady(used_ns: int = 0) -> SteadyTime:
    return SteadyTime(100 * S, 5 * S, used_ns=used_ns)


def test_undisturbed_it_is_the_wall_clock() -> None:
    time = steady()
    assert time.now_ns == 100 * S
    assert time.advance(103 * S, 8 * S) is None
    assert time.now_ns == 103 * S
    time.use(103 * S)
    assert time.advance(104 * S, 9 * S) is None
    assert time.now_ns == 104 * S


def test_drift_and_small_corrections_are_no_step() -> None:
    time = steady()
    assert time.advance(100 * S + S + S, 5 * S + S) is None  # a second ahead, not more
    assert time.advance(100 * S + 3 * S - S, 5 * S + 2 * S) is None


def test_step_forward_is_told_and_followed() -> None:
    time = steady()
    time.use(100 * S)
    assert time.advance(200 * S, 6 * S) == ClockStep(from_ns=101 * S, to_ns=200 * S)
    assert time.now_ns == 200 * S
    assert time.advance(201 * S, 7 * S) is None  # told once


def test_step_back_is_told_and_time_goes_on_from_the_newest_tick() -> None:
    time = steady()
    time.use(100 * S)
    assert time.advance(91 * S, 6 * S) == ClockStep(from_ns=101 * S, to_ns=91 * S)
    # one second of the monotonic clock later, half a percent slower
    assert time.now_ns == 100 * S + S - S // 200


def test_time_catches_up_after_a_step_back_without_ever_going_back() -> None:
    """10 s behind at 1/200 slower: caught up after 200 × 10 s, then the wall clock again."""
    time = steady()
    time.use(100 * S)
    before_ns = time.now_ns
    for second in range(1, 2101):
        time.advance((90 + second) * S, (5 + second) * S)
        now_ns = time.now_ns
        assert now_ns > before_ns
        assert now_ns - before_ns <= S
        if second % 7 == 0:
            time.use(now_ns // S * S)  # ticks are a little older than now
        before_ns = now_ns
        if second < 1990:
            assert now_ns > (90 + second) * S
        if second >= 2010:
            assert now_ns == (90 + second) * S


def test_newest_tick_of_the_stream_may_lie_ahead_of_the_wall_clock() -> None:
    time = steady(used_ns=500 * S)
    assert time.now_ns == 500 * S
    time.advance(101 * S, 6 * S)
    assert time.now_ns == 501 * S - S // 200


# -- a wall clock that is far ahead ---------------------------------------------------------------

YEAR = 31_536_000 * S


def test_clock_far_ahead_is_believed_only_when_it_has_stood_for_five_minutes() -> None:
    time = steady(used_ns=100 * S)
    assert time.advance(901 * S, 6 * S) == ClockStep(101 * S, 901 * S)
    assert not time.is_unsure, "800 s: less than a quarter of an hour"
    time.use(901 * S)
    step = time.advance(901 * S + YEAR, 7 * S)
    assert step == ClockStep(902 * S, 901 * S + YEAR)
    assert (time.is_unsure, time.now_ns) == (True, 902 * S)
    time.advance(901 * S + YEAR + 299 * S, 306 * S)
    assert (time.is_unsure, time.now_ns) == (True, 1201 * S)
    time.advance(901 * S + YEAR + 300 * S, 307 * S)
    assert (time.is_unsure, time.now_ns) == (False, 1201 * S + YEAR)


def test_clock_that_comes_back_has_cost_only_the_time_in_between() -> None:
    time = steady(used_ns=100 * S)
    time.advance(101 * S + YEAR, 6 * S)
    assert time.is_unsure
    time.advance(112 * S, 17 * S)
    assert (time.is_unsure, time.now_ns) == (False, 112 * S)


def test_every_further_step_far_away_begins_the_waiting_anew() -> None:
    time = steady(used_ns=100 * S)
    time.advance(101 * S + YEAR, 6 * S)
    time.advance(351 * S + 2 * YEAR, 256 * S)
    time.advance(401 * S + 2 * YEAR, 306 * S)
    assert time.is_unsure
    time.advance(552 * S + 2 * YEAR, 457 * S)
    assert time.is_unsure, "a minute more or less is a correction: 201 s it has stood"
    time.advance(651 * S + 2 * YEAR + 60 * S, 556 * S)
    assert (time.is_unsure, time.now_ns) == (False, 711 * S + 2 * YEAR)


@pytest.mark.parametrize(
    ("used_at_ns", "is_synchronised", "is_unsure"),
    [
        (None, True, False),  # it was off for a day, and the network's time is there
        (None, False, True),  # nobody but a clock of its own says that it was off for a day
        (4 * S, True, True),  # the same boot: a second has passed, not a day
        (4 * S, False, True),
    ],
)
def test_at_the_start(used_at_ns: int | None, is_synchronised: bool, is_unsure: bool) -> None:
    time = SteadyTime(
        86_500 * S, 5 * S, used_ns=100 * S, used_at_ns=used_at_ns, is_synchronised=is_synchronised
    )
    assert time.is_unsure is is_unsure
    time.advance(86_799 * S, 304 * S)
    assert time.is_unsure is is_unsure
    time.advance(86_800 * S, 305 * S)
    assert (time.is_unsure, time.now_ns) == (False, 86_800 * S)


def test_start_of_a_new_stream_and_of_one_that_stands_ahead() -> None:
    assert not SteadyTime(100 * S + YEAR, 5 * S, is_synchronised=False).is_unsure
    time = SteadyTime(100 * S, 5 * S, used_ns=YEAR, used_at_ns=4 * S)
    assert (time.is_unsure, time.now_ns) == (False, YEAR + S - S // 200)
    time = SteadyTime(1_000 * S, 905 * S, used_ns=100 * S, used_at_ns=5 * S)
    assert (time.is_unsure, time.now_ns) == (False, 1_000 * S), "15 minutes have passed"


def test_instant_of_another_monotonic_reading() -> None:
    time = steady()
    time.advance(102 * S, 7 * S)
    assert time.at_ns(7 * S) == 102 * S
    assert time.at_ns(7 * S + 250 * MS) == 102 * S + 250 * MS
    assert time.at_ns(6 * S) == 101 * S


def test_wall_clock_of_1970_after_a_battery_died() -> None:
    time = SteadyTime(1 * S, 0, used_ns=1_795_000_000 * S)
    time.advance(2 * S, 1 * S)
    assert time.now_ns // S == 1_795_000_000
    step = time.advance(1_795_000_900 * S, 2 * S)  # the network's time came
    assert step == ClockStep(from_ns=3 * S, to_ns=1_795_000_900 * S)
    assert time.now_ns == 1_795_000_900 * S
