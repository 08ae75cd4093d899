"""What is counted of a totaliser with spikes, leaps and drops; amounts are added by hand."""

import json
import random
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from edge.calc.folds.counter import LISTED, Break, Counter, Spike
from edge.calc.folds.covered_flow import CoveredFlow
from edge.calc.folds.marks import Marks

S = 10**9
HOUR = 3_600
#: a count a second, as an hour's limit
LIMIT = Fraction(HOUR)


def read(counts: Sequence[int | None], most: Fraction | None, step_s: int = 1) -> Counter:
    """Readings one after another; None is none that can be used."""
    made = Counter(most)
    feed(made, counts, step_s)
    return made


def feed(counter: Counter, counts: Sequence[int | None], step_s: int = 1, first: int = 0) -> None:
    ticks = (np.arange(len(counts), dtype=np.int64) + first) * step_s * S
    values = np.array([count or 0 for count in counts], dtype=np.int64)
    counter.feed(ticks, values, np.array([count is not None for count in counts]))


def test_one_false_reading_is_not_counted_and_both_amounts_are_told() -> None:
    """The measured case: a million for a second and a half, then back."""
    counter = read([100, 101, 1_000_101, 1_000_101, 104, 105], LIMIT)
    assert counter.total == 5
    assert counter.line is not None
    assert counter.line.risen == 1 + 1_000_000 + 0 + 1
    (spike,) = counter.spikes
    assert spike == Spike(1 * S, 4 * S, 101, 104, readings=2, risen=1_000_000)
    assert (counter.drops, counter.leaps) == ([], [])


@pytest.mark.parametrize("most", [LIMIT, None])
def test_a_reading_of_zero_and_back_is_not_counted(most: Fraction | None) -> None:
    counter = read([5_000, 5_001, 0, 0, 5_003, 5_004], most)
    assert counter.total == 4
    assert [(s.before, s.after, s.readings) for s in counter.spikes] == [(5_001, 5_003, 2)]


def test_high_then_low_then_right_is_one_spike() -> None:
    counter = read([100, 101, 4_294_967_295, 0, 103], LIMIT)
    assert counter.total == 3
    assert [(s.before, s.after, s.readings) for s in counter.spikes] == [(101, 103, 2)]


def test_a_spike_in_a_spike_is_one() -> None:
    counter = read([100, 9_000, 70_000, 9_001, 101], LIMIT)
    assert counter.total == 1
    assert [(s.before, s.after, s.readings) for s in counter.spikes] == [(100, 101, 3)]


def test_what_does_not_come_back_is_no_spike() -> None:
    """It leaps, and is counted as far as can have passed; a later drop below is a drop."""
    counter = read([100, 101, 50_000, 50_001, 90], LIMIT)
    assert counter.spikes == []
    assert counter.leaps == [Break(1 * S, 2 * S, 101, 50_000, counted=1)]
    assert counter.drops == [Break(3 * S, 4 * S, 50_001, 90, counted=0)]
    assert counter.total == 1 + 1 + 1


def test_a_leap_that_comes_back_after_ten_minutes_stays_a_leap() -> None:
    within = [100, *[50_000] * 599, 110]  # 600 s after the reading before it
    assert read(within, LIMIT).total == 10
    beyond = [100, *[50_000] * 600, 110]
    counter = read(beyond, LIMIT)
    assert (counter.spikes, len(counter.leaps), len(counter.drops)) == ([], 1, 1)
    assert counter.total == 1


def test_of_a_meter_that_is_read_seldom_three_false_readings_are_found() -> None:
    """Every ten minutes."""
    at = 5_000_000
    counter = read([at, at + 100, 10**7, 10**7, 0, at + 500], LIMIT, step_s=600)
    assert (counter.total, len(counter.spikes)) == (500, 1)
    assert len(read([0, 100, *[10**7] * 4, 500], LIMIT, step_s=600).leaps) == 1


def test_what_passed_while_nobody_read_is_no_leap() -> None:
    counter = Counter(LIMIT)
    feed(counter, [0, 1])
    feed(counter, [10_000, 10_001], first=10_000)
    assert (counter.total, counter.leaps, counter.spikes) == (10_001, [], [])


def test_a_register_that_is_renewed_seldom_is_counted_whole() -> None:
    """Within an hour's flow a step is what it is, whatever the time since the reading before."""
    counter = read([0, 0, 3_601, 3_601], LIMIT)
    assert (counter.total, counter.leaps) == (3_601, [])
    assert read([0, 0, 3_602], LIMIT).leaps == [Break(S, 2 * S, 0, 3_602, counted=1)]


def test_a_counter_of_batches_stays_one() -> None:
    """Set back to zero every hundred seconds: it counts as before, and drops are told."""
    batches = list(range(101)) * 5
    counter = read(batches, LIMIT)
    assert (counter.total, counter.spikes) == (500, [])
    assert counter.line is not None
    assert counter.line.drops == 4
    without = read(batches, None)
    assert (without.total, without.spikes) == (500, [])


def test_without_a_limit_three_readings_may_be_false_and_four_are_counted() -> None:
    assert read([100, 101, 900, 900, 900, 102], None).total == 2
    assert read([100, 101, 900, 900, 900, 900, 102], None).total == 1 + 799


def test_a_leap_is_exact_of_a_limit_that_is_no_whole_number() -> None:
    counter = read([0, 100_000], Fraction(10_000, 3), step_s=10)  # 9.26 in ten seconds
    assert counter.leaps == [Break(0, 10 * S, 0, 100_000, counted=9)]
    assert counter.total == 9


def test_the_first_are_listed_and_all_are_counted() -> None:
    counter = read([v for i in range(25) for v in (i, 10**6)] + [25], LIMIT)
    assert counter.line is not None
    assert (counter.line.spikes, len(counter.spikes), counter.total) == (25, LISTED, 25)
    dropped = read([100 - i for i in range(25)], LIMIT)
    assert dropped.line is not None
    assert (dropped.line.drops, len(dropped.drops)) == (24, LISTED)


def test_marks_forget_what_was_no_reading_of_the_line() -> None:
    marks = Marks()
    counter = Counter(LIMIT, marks)
    feed(counter, [100, 130, 90_000, 90_000, 220], step_s=30)
    # the false readings stand at 60 s and 90 s; the newest of the line before them at 30 s
    assert marks.at(60 * S) == (30 * S, 130, 30)
    assert marks.at(120 * S) == (120 * S, 220, 120)


# -- against a reader that goes through the rule, one reading at a time ----------------------------

Reading = tuple[int, int, int]  # tick, count, number


def broken(a: Reading, b: Reading, most: Fraction | None) -> bool:
    step = b[1] - a[1]
    return most is None or step < 0 or step * HOUR * S > most * (b[0] - a[0])


def runs(line: list[Reading], most: Fraction | None) -> list[list[Reading]]:
    found = [[line[0]]]
    for reading in line[1:]:
        if broken(found[-1][-1], reading, most):
            found.append([])
        found[-1].append(reading)
    return found


def back(line: list[Reading], new: Reading, most: Fraction | None) -> Reading | None:
    """The end of a run that a reading goes on from."""
    *earlier, newest = runs(line, most)
    between = [newest]
    for run in reversed(earlier):
        end = run[-1]
        n = new[2] - end[2] - 1
        if n > (3 if most is None else 600) or (n > 3 and new[0] - end[0] > 600 * S):
            return None
        if end[1] <= new[1] and all(r[0][1] > new[1] or r[-1][1] < end[1] for r in between):
            return end
        between.append(run)
    return None


def plainly(counts: Sequence[tuple[int, int]], most: Fraction | None) -> tuple[int, int, int, int]:
    """(total, drops, leaps, spikes) by the words of FIGURES.md: lists, nothing kept apart."""
    line: list[Reading] = []
    spikes: list[tuple[int, int]] = []
    for number, (tick, count) in enumerate(counts):
        new = (tick, count, number)
        while line and broken(line[-1], new, most):
            end = back(line, new, most)
            if end is None:
                break
            line = line[: line.index(end) + 1]
            spikes = [spike for spike in spikes if spike[1] <= end[2]] + [(end[2], number)]
        line.append(new)
    total = drops = leaps = 0
    for a, b in pairwise(line):
        step, time = b[1] - a[1], b[0] - a[0]
        is_leap = most is not None and step * HOUR * S > most * (time + HOUR * S)
        drops, leaps = drops + (step < 0), leaps + is_leap
        if is_leap and most is not None:
            step = most.numerator * time // (most.denominator * HOUR * S)
        total += max(step, 0)
    return total, drops, leaps, len(spikes)


def wild(rng: random.Random, n: int) -> list[tuple[int, int]]:
    """A counter with spikes, leaps and drops both ways, and gaps in time."""
    found, tick, count = [], 0, rng.randint(0, 20_000)
    while len(found) < n:
        tick += rng.choice((1, 1, 1, 1, 7, 400, 4_000))
        how = rng.random()
        if how < 0.04:
            count += rng.choice((30, 4_000, 9_000, 10**6))
        elif how < 0.08:
            count = max(0, count - rng.choice((1, 3, 9_000, 10**6)))
        else:
            count += rng.choice((0, 0, 1, 1, 2))
        found.append((tick * S, count))
        for _ in range(rng.choice((0,) * 12 + (1, 2, 3, 4))):
            tick += 1
            found.append((tick * S, max(0, count + rng.choice((-1, -count, 5_000, 10**7)))))
    return found


@pytest.mark.parametrize("most", [LIMIT, Fraction(10_000, 3), None])
@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_read_in_whatever_parts_it_is_as_the_rule_says(
    seed: int, most: Fraction | None
) -> None:
    rng = random.Random(seed)
    readings = wild(rng, 120)
    counter, done = Counter(most), 0
    while done < len(readings):
        part = readings[done : done + rng.choice((1, 2, 9, 50))]
        done += len(part)
        ticks, values = (np.array(column, dtype=np.int64) for column in zip(*part, strict=True))
        counter.feed(ticks, values, np.ones(len(part), dtype=bool))
        if rng.random() < 0.2:
            kept = json.loads(json.dumps(counter.snapshot()))
            counter = Counter(most)
            counter.restore(kept)
    line = counter.line
    assert line is not None
    assert plainly(readings, most) == (line.total, line.drops, line.leaps, line.spikes)
    steps = (b[1] - a[1] for a, b in pairwise(readings))
    assert line.risen == sum(step for step in steps if step > 0)


# -- beside a flow ---------------------------------------------------------------------------------


def together(counts: Sequence[int | None], flows: Sequence[int | None]) -> Counter:
    """A reading of each every second; a flow's interval is a second, two may pass."""
    counter, flow = Counter(LIMIT), CoveredFlow()
    flow.longest_ns = 2 * S
    ticks = np.arange(len(counts), dtype=np.int64) * S
    of = [
        (np.array([v or 0 for v in all_], dtype=np.int64), np.array([v is not None for v in all_]))
        for all_ in (flows, counts)
    ]
    flow.feed(ticks, *of[0])
    counter.feed(ticks, *of[1], flow.at(ticks))
    return counter


def pair(counter: Counter) -> tuple[int, int, int]:
    line = counter.line
    assert line is not None
    return line.matched, line.integral // S, line.covered_ns // S


def test_two_healthy_meters_agree_whatever_is_missing_of_either() -> None:
    """A count a second by both; gaps of one, of the other and of both."""
    counts: list[int | None] = list(range(60))
    flows: list[int | None] = [1] * 60
    for gap in (range(5, 28), range(40, 44)):
        for i in gap:
            counts[i] = None
    for i in (*range(20, 35), 50):
        flows[i] = None
    counter = together(counts, flows)
    assert counter.total == 59
    # both are read at 0 to 4 and 19's flow is the last before its hole: no totaliser there;
    # at 35 to 39 and on to 59: the totaliser's gap from 40 to 43 is covered by the flow
    assert pair(counter) == (4 + 24, 4 + 24, 4 + 24)


def test_a_spike_is_on_neither_side() -> None:
    counts = [*range(10), 10**6, 0, *range(12, 20)]
    counter = together(counts, [1] * 20)
    assert pair(counter) == (19, 19, 19)


def test_neither_a_drop_nor_a_leap_is_compared() -> None:
    assert pair(together([0, 1, 2, 50_000, 50_001, 50_002], [1] * 6)) == (4, 4, 4)
    assert pair(together([90, 91, 5, 6, 7], [1] * 5)) == (3, 3, 3)


def test_a_counter_at_half_speed_is_apart_from_its_flow() -> None:
    assert pair(together([i // 2 for i in range(101)], [1] * 101)) == (50, 100, 100)


def test_flows_beyond_64_bits_are_exact() -> None:
    flow = CoveredFlow()
    flow.longest_ns = 20 * S
    ticks = np.arange(4, dtype=np.int64) * 10 * S
    flow.feed(ticks, np.array([2**61, 3 - 2**61, 7, 0]), np.ones(4, dtype=bool))
    assert flow.total == (2**61 + (3 - 2**61) + 7) * 10 * S
    kept = CoveredFlow()
    kept.longest_ns = 20 * S
    kept.restore(flow.snapshot())
    for each in (flow, kept):
        each.feed(np.array([70 * S]), np.array([5]), np.array([True]))
        assert (each.total, each.stretch) == ((2**61 + (3 - 2**61) + 7) * 10 * S, 1)
