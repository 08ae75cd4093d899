"""Producing time: which intervals count, across calls and holes."""

import numpy as np

from edge.calc.effects.producing import ProducingTime

S = 10**9


def feed(
    time: ProducingTime, ticks: list[int], usable: list[list[int]], producing: list[list[int]]
) -> list[int]:
    added = time.feed(
        np.array(ticks, dtype=np.int64) * S,
        np.array(usable, dtype=bool),
        np.array(producing, dtype=bool),
    )
    return [int(x) // S for x in added]


def test_the_earlier_sample_decides() -> None:
    time = ProducingTime(1, 10 * S)
    assert feed(time, [0, 1, 2, 3], [[1, 1, 1, 1]], [[1, 1, 0, 1]]) == [0, 1, 1, 0]
    assert time.total_ns.tolist() == [2 * S]


def test_an_interval_counts_across_calls() -> None:
    time = ProducingTime(1, 10 * S)
    feed(time, [0, 1], [[1, 1]], [[1, 1]])
    assert feed(time, [5], [[1]], [[1]]) == [4]


def test_pots_count_each_for_itself_whether_all_produce_or_some_or_none() -> None:
    time = ProducingTime(3, 10 * S)
    assert feed(time, [0, 1, 3], [[1] * 3] * 3, [[1] * 3] * 3) == [0, 3, 6]
    some = [[1, 1, 1], [1, 0, 0], [0, 0, 0]]
    assert feed(time, [4, 5, 7], [[1] * 3] * 3, some) == [3, 2, 2]
    assert feed(time, [8, 9, 10], [[1] * 3] * 3, [[0] * 3] * 3) == [1, 0, 0]
    assert time.total_ns.tolist() == [8 * S, 5 * S, 4 * S]


def test_bad_samples_are_bridged_up_to_the_longest_interval() -> None:
    time = ProducingTime(1, 10 * S)
    usable = [[1] + [0] * 9 + [1]]
    assert feed(time, list(range(11)), usable, [[1] * 11])[-1] == 10
    again = ProducingTime(1, 10 * S)
    usable = [[1] + [0] * 10 + [1]]
    assert sum(feed(again, list(range(12)), usable, [[1] * 12])) == 0


def test_a_bad_last_sample_is_remembered_as_no_sample() -> None:
    time = ProducingTime(2, 10 * S)
    feed(time, [0, 1, 2], [[1, 1, 0], [1, 1, 1]], [[1, 1, 0], [1, 1, 0]])
    assert feed(time, [3], [[1], [1]], [[1], [1]]) == [2]  # pot 0 from 1 s; pot 1 had stopped
    assert time.total_ns.tolist() == [3 * S, 2 * S]


def test_the_state_of_a_bad_sample_does_not_count() -> None:
    time = ProducingTime(1, 10 * S)
    # the bad sample says "not producing"; the interval belongs to the good one before it
    assert feed(time, [0, 1, 2], [[1, 0, 1]], [[1, 0, 1]]) == [0, 0, 2]


def test_time_going_backwards_counts_nothing() -> None:
    time = ProducingTime(1, 10 * S)
    feed(time, [100], [[1]], [[1]])
    assert feed(time, [50], [[1]], [[1]]) == [0]
    assert feed(time, [51], [[1]], [[1]]) == [1]


def test_nothing_counts_before_the_first_sample_and_after_a_reset() -> None:
    time = ProducingTime(1, 10 * S)
    assert feed(time, [0], [[1]], [[1]]) == [0]
    time.reset()
    assert feed(time, [1], [[1]], [[1]]) == [0]
    assert time.total_ns.tolist() == [0]


def test_an_empty_feed_is_nothing() -> None:
    time = ProducingTime(2, 10 * S)
    assert feed(time, [], [[], []], [[], []]) == []


def test_a_snapshot_goes_on_where_it_was() -> None:
    time = ProducingTime(1, 10 * S)
    feed(time, [0, 1], [[1, 1]], [[1, 1]])
    other = ProducingTime(1, 10 * S)
    other.restore(time.snapshot())
    assert feed(other, [2], [[1]], [[1]]) == feed(time, [2], [[1]], [[1]]) == [1]
    assert other.snapshot() == time.snapshot()
