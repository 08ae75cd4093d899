"""Traces, trusted share and day counts, against hand-made series."""

import itertools
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from cloud.live.window import DayCount, Share, Trace, local_day

NS = 1_000_000_000
SHANGHAI = ZoneInfo("Asia/Shanghai")
MIDNIGHT = 1_789_920_000 * NS  # 2026-09-21 00:00:00 at Shanghai = 2026-09-20T16:00:00Z


def test_a_trace_keeps_values_and_gaps_from_an_instant_on() -> None:
    trace = Trace()
    for second, value in enumerate(["4.20", None, "4.22"]):
        trace.add(second * NS, value)
    assert trace.since(0) == [(0, 4.2), (NS, None), (2 * NS, 4.22)]
    assert trace.since(NS + 1) == [(2 * NS, 4.22)]


def test_a_trace_takes_at_most_two_a_second_and_stays_bounded() -> None:
    trace = Trace()
    for n in range(10_000):
        trace.add(n * NS // 10, "1")
    ticks = [tick for tick, _ in trace.since(0)]
    assert len(ticks) == 620
    assert {b - a for a, b in itertools.pairwise(ticks)} == {NS // 2}


def test_share_is_the_mean_of_the_ticks() -> None:
    share = Share(NS)
    for second, fraction in enumerate([1.0, 1.0, 0.5, 0.0]):
        share.add(second * NS, fraction)
    assert share.value(3 * NS) == pytest.approx(2.5 / 4)


def test_a_missing_tick_counts_as_not_trusted() -> None:
    share = Share(NS)
    for second in range(10):
        share.add(second * NS, 1.0)
    assert share.value(9 * NS) == 1.0
    assert share.value(20 * NS) == pytest.approx(10 / 20)


def test_share_forgets_what_is_older_than_ten_minutes() -> None:
    share = Share(NS)
    share.add(0, 0.0)
    for second in range(300, 901):
        share.add(second * NS, 1.0)
    assert share.value(900 * NS) == 1.0


def test_share_of_nothing_is_none() -> None:
    share = Share(NS)
    assert share.value(0) is None
    share.add(0, 1.0)
    assert share.value(3600 * NS) is None


def count_from(tick_ns: int, value: str) -> DayCount:
    day, amount = local_day(tick_ns, SHANGHAI), Decimal(value)
    return DayCount(day, amount, tick_ns, amount, tick_ns)


def add(count: DayCount, tick_ns: int, value: str) -> None:
    count.add(local_day(tick_ns, SHANGHAI), tick_ns, Decimal(value))


def test_a_day_begins_at_the_plants_midnight_not_at_utcs() -> None:
    assert local_day(MIDNIGHT, SHANGHAI) == date(2026, 9, 21)
    assert local_day(MIDNIGHT - 1, SHANGHAI) == date(2026, 9, 20)


def test_before_the_first_midnight_the_count_says_since_when() -> None:
    count = count_from(MIDNIGHT - 3600 * NS, "100.0")
    add(count, MIDNIGHT - 1800 * NS, "112.5")
    assert count.as_map() == {
        "amount": "12.5", "from_ns": MIDNIGHT - 3600 * NS, "whole": False, "reset": False,
    }  # fmt: skip


def test_across_midnight_the_last_value_of_the_old_day_is_the_new_days_start() -> None:
    count = count_from(MIDNIGHT - 10 * NS, "100.0")
    add(count, MIDNIGHT - NS, "101.0")
    add(count, MIDNIGHT + NS, "101.5")
    add(count, MIDNIGHT + 60 * NS, "105.0")
    assert count.as_map()["amount"] == "4.0"
    assert count.as_map()["whole"] is True


def test_after_a_silent_night_the_day_is_not_whole() -> None:
    count = count_from(MIDNIGHT - 3600 * NS, "100.0")
    add(count, MIDNIGHT + 3600 * NS, "300.0")
    add(count, MIDNIGHT + 3601 * NS, "301.0")
    assert count.as_map() == {
        "amount": "1.0", "from_ns": MIDNIGHT + 3600 * NS, "whole": False, "reset": False,
    }  # fmt: skip


def test_a_counter_that_falls_starts_again_and_says_so() -> None:
    count = count_from(MIDNIGHT - NS, "999.0")
    add(count, MIDNIGHT + NS, "999.5")
    add(count, MIDNIGHT + 2 * NS, "0.2")
    add(count, MIDNIGHT + 3 * NS, "0.9")
    assert count.as_map() == {
        "amount": "0.7", "from_ns": MIDNIGHT + 2 * NS, "whole": False, "reset": True,
    }  # fmt: skip


def test_amounts_are_exact_and_without_exponent() -> None:
    count = count_from(0, "0.1")
    add(count, NS, "0.3")
    assert count.as_map()["amount"] == "0.2"
    add(count, 2 * NS, "88120455.0000001")
    assert count.as_map()["amount"] == "88120454.9000001"


def test_after_a_clock_that_was_set_back_all_goes_on() -> None:
    trace, share, count = Trace(), Share(NS), count_from(MIDNIGHT + 10 * NS, "100.0")
    for second in (0, 1, 3600, 3601):  # an hour ahead for two seconds
        trace.add(second * NS, "1")
        share.add(second * NS, 1.0)
    trace.add(2 * NS, "2")
    share.add(2 * NS, 0.0)
    assert trace.since(0) == [(0, 1.0), (NS, 1.0), (2 * NS, 2.0)]
    assert share.value(2 * NS) == pytest.approx(2 / 3)
    add(count, MIDNIGHT - 10 * NS, "101.0")  # into yesterday, which was not counted from its start
    assert (count.as_map()["amount"], count.as_map()["whole"]) == ("0.0", False)
