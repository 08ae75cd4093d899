"""Deadlines, days, counts, states: by tables whose answers were reckoned by hand."""

import dataclasses
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from cloud.closing.log import MonthClose
from cloud.month.checklist import days_of
from cloud.month.deadlines import deadline_of
from cloud.month.states import (
    Level,
    MonthFacts,
    State,
    may_close_itself,
    newest_final,
    standing,
)
from cloud.month.tally import GAP_DAYS_MAX, Counts, Layout, Tally, due_on
from evidence.frame import Body, Clock, Gap, Section
from evidence.groups import Group
from evidence.points import Dtype
from evidence.quality import Quality

SECOND = 10**9
BEIJING = timezone(timedelta(hours=8))  # no summer time since 1991


def ns(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    """An instant by Beijing's clock."""
    return int(datetime(year, month, day, hour, minute, tzinfo=BEIJING).timestamp()) * SECOND


@pytest.mark.parametrize(
    ("month", "day"),
    [
        ("2025-07", "2025-09-09"),  # August has 31 days: 31 + 9
        ("2025-12", "2026-02-09"),
        ("2026-01", "2026-03-12"),  # 28 days of February and 12
        ("2028-01", "2028-03-11"),  # 29 and 11
        ("2026-10", "2026-12-10"),
        ("2025-01", "2025-10-31"),  # the back-fill of the first half of 2025
        ("2025-06", "2025-10-31"),
        ("2024-12", None),
    ],
)
def test_the_last_day_in_time(month: str, day: str | None) -> None:
    deadline = deadline_of(month)
    assert (None if deadline is None else deadline.day.isoformat()) == day
    if deadline is not None:
        assert deadline.source
        end = datetime.fromtimestamp(deadline.end_ns // SECOND, BEIJING)
        assert end == datetime.fromisoformat(f"{day}T00:00:00+08:00") + timedelta(days=1)


@pytest.mark.parametrize(
    ("now", "left"),
    [
        (ns(2026, 10, 1), 70),  # 30 days of October, 30 of November, 10
        (ns(2026, 12, 9, 23, 59), 1),
        (ns(2026, 12, 10, 0, 0), 0),
        (ns(2026, 12, 10, 23, 59), 0),
        (ns(2026, 12, 11, 0, 0), -1),
    ],
)
def test_days_left_are_days_of_beijing(now: int, left: int) -> None:
    deadline = deadline_of("2026-10")
    assert deadline is not None
    assert deadline.days_left(now) == left
    assert (now >= deadline.end_ns) == (left < 0)


CLOSED_NS = ns(2026, 11, 3)
CLOSE = MonthClose(9, CLOSED_NS, "2026-10", "final", bytes(32), {})
FACTS = MonthFacts(
    from_ns=ns(2026, 10, 1), to_ns=ns(2026, 11, 1), blocking=0, owed=0,
    newest_ns=ns(2026, 10, 31, 23), close=None, is_sealed=False, deadline=deadline_of("2026-10"),
)  # fmt: skip
AMENDED = dataclasses.replace(CLOSE, replaces=bytes(32))


@pytest.mark.parametrize(
    ("changed", "now", "state", "since", "level", "left"),
    [
        ({}, ns(2026, 10, 1), "open", ns(2026, 10, 1), "none", 70),
        ({"owed": 1}, ns(2026, 10, 1), "open", ns(2026, 10, 1), "notice", 70),
        ({"owed": 2, "blocking": 1}, ns(2026, 11, 1), "waiting", ns(2026, 11, 1), "warning", 39),
        ({"owed": 1, "blocking": 1}, ns(2026, 11, 30), "waiting", ns(2026, 11, 1), "urgent", 10),
        ({"owed": 1}, ns(2026, 11, 1), "ready", ns(2026, 11, 1), "notice", 39),
        ({"newest_ns": ns(2026, 11, 5)}, ns(2026, 11, 6), "ready", ns(2026, 11, 5), "notice", 34),
        ({}, ns(2026, 12, 10, 23), "ready", ns(2026, 11, 1), "urgent", 0),
        ({}, ns(2026, 12, 11), "late", ns(2026, 12, 11), "alarm", -1),
        ({"blocking": 3}, ns(2026, 12, 11), "late", ns(2026, 12, 11), "alarm", -1),
        ({"close": CLOSE}, ns(2026, 12, 11), "closed", CLOSED_NS, "warning", -1),
        ({"close": CLOSE, "is_sealed": True}, ns(2026, 12, 11), "sealed", CLOSED_NS, "none", -1),
        ({"close": AMENDED, "is_sealed": True}, ns(2026, 12, 1), "amended", CLOSED_NS, "none", 9),
        ({"close": CLOSE, "is_sealed": True, "came_after": True}, ns(2026, 12, 1), "sealed",
         CLOSED_NS, "notice", 9),
        ({"deadline": None, "blocking": 1}, ns(2027, 1, 1), "waiting", ns(2026, 11, 1), "warning",
         None),
    ],
)  # fmt: skip
def test_states(  # noqa: PLR0917 - a table
    changed: dict[str, object], now: int, state: str, since: int, level: str, left: int | None
) -> None:
    of = standing(dataclasses.replace(FACTS, **changed), now)  # type: ignore[arg-type] # a table
    assert (of.state, of.since_ns, of.level, of.days_left) == (
        State(state),
        since,
        Level(level),
        left,
    )


def test_a_complete_month_settles_before_it_closes_itself() -> None:
    hour = 3600 * SECOND
    facts = dataclasses.replace(FACTS, newest_ns=ns(2026, 11, 2, 10))
    for now, may in ((ns(2026, 11, 2, 11, 59), False), (ns(2026, 11, 2, 12), True)):
        of = standing(facts, now)
        assert may_close_itself(of.state, of.since_ns, 2 * hour, now) is may
    for never in ({"blocking": 1}, {"close": CLOSE}):
        of = standing(dataclasses.replace(facts, **never), ns(2026, 11, 9))
        assert not may_close_itself(of.state, of.since_ns, 0, ns(2026, 11, 9))
    late = standing(facts, ns(2026, 12, 11))
    told = may_close_itself(late.state, late.since_ns, 0, ns(2026, 12, 11))
    assert not told, "nobody asked for it in time"


def test_the_close_that_counts_is_the_newest_for_good() -> None:
    interim = dataclasses.replace(CLOSE, closing="interim", index=12)
    other = dataclasses.replace(CLOSE, month="2026-09", index=13)
    assert newest_final([CLOSE, AMENDED, interim, other], "2026-10") is AMENDED
    assert newest_final([interim], "2026-10") is None


def test_days_of_a_month_with_a_change_of_clocks() -> None:
    """Berlin, October 2026: the clocks go back on the 25th, which has 25 hours."""
    days = days_of("2026-10", "Europe/Berlin")
    hours = [(to - at) // (3600 * SECOND) for at, to in days.values()]
    assert next(iter(days)) == "2026-10-01"
    assert (len(days), hours[24], sum(hours)) == (31, 25, 31 * 24 + 1)


CONFIG = {
    "plant": {"time_zone": "Asia/Shanghai"},
    "schedules": [{"interval_ns": SECOND}, {"interval_ns": 60 * SECOND}],
    "points": [
        {"device": "scale"}, {"device": "meter"}, {"device": "scale"}, {}, {"device": "meter"},
    ],
    "groups": [
        {"schedule": 0, "computed": False, "points": [0, 1, 2]},
        {"schedule": 0, "computed": True, "points": [3]},
        {"schedule": 1, "computed": False, "points": [4]},
    ],
}  # fmt: skip


def frame(
    first_ns: int, ticks: int, quality: dict[tuple[int, int], int], gap: Gap | None = None
) -> Body:
    marks = np.zeros((3, ticks), np.uint8)
    for (row, tick), code in quality.items():
        marks[row, tick] = code
    measured = Group(0, Dtype.U16, np.zeros((3, ticks), np.uint16), marks)
    computed = Group(1, Dtype.U16, np.zeros((1, ticks), np.uint16), np.zeros((1, ticks), np.uint8))
    lag = np.zeros((0, ticks), np.int32)
    section = Section(0, first_ns, SECOND, ticks, (measured, computed), lag, ())
    return Body(first_ns, Clock("free", None, 1, bytes(16)), sections=(section,), gap=gap)


def test_readings_are_counted_by_device_and_day() -> None:
    """Ten seconds over midnight, three of them on the first day; one bad and two reserved."""
    layout, tally = Layout.of(CONFIG), Tally()
    assert layout.devices == ("scale", "meter")
    midnight = ns(2026, 10, 2)
    bad, reserved = int(Quality.NO_ANSWER), int(Quality.STUCK)
    marks = {(0, 2): bad, (0, 3): reserved, (1, 9): reserved}
    gap = Gap(midnight - 60 * SECOND, midnight - 3 * SECOND, "restart")
    tally.take(layout, frame(midnight - 3 * SECOND, 10, marks, gap), 7, 21)
    one, two = tally.days["2026-10-01"], tally.days["2026-10-02"]
    assert one.devices == {"scale": Counts(6, 0, 1), "meter": Counts(3)}
    assert two.devices == {"scale": Counts(14, 1, 0), "meter": Counts(7, 1, 0)}
    assert (one.gaps, one.gap_ns, two.gaps) == (1, 57 * SECOND, 0)
    assert (two.last_seq, two.log_index) == (7, 21)


def test_a_gap_is_of_every_day_that_it_took_and_of_each_month() -> None:
    """From noon of October 30 to a second of November 2: 12 + 24 + 24 hours and a second."""
    layout, tally = Layout.of(CONFIG), Tally()
    after = ns(2026, 11, 2) + SECOND
    tally.take(layout, frame(after, 1, {}, Gap(ns(2026, 10, 30, 12), after, "stopped")), 7, 21)
    tally.take(
        layout, frame(after, 1, {}, Gap(after - 3 * SECOND, after - SECOND, "restart")), 8, 22
    )
    hour = 3_600 * SECOND
    assert {day: (of.gaps, of.gap_ns) for day, of in tally.days.items()} == {
        "2026-10-30": (0, 12 * hour), "2026-10-31": (1, 24 * hour),
        "2026-11-01": (1, 24 * hour + 2 * SECOND), "2026-11-02": (1, SECOND),
    }  # fmt: skip
    old = Tally()
    old.take(layout, frame(after, 1, {}, Gap(0, after, "clock-step")), 7, 21)
    assert len(old.days) == GAP_DAYS_MAX


def test_what_is_due_follows_the_configuration_in_force() -> None:
    """A day has 86,400 s: the scale has two points a second, the meter one and one a minute."""
    layout = Layout.of(CONFIG)
    start, end = ns(2026, 10, 2), ns(2026, 10, 3)
    assert due_on([(start, layout)], start, end) == {"scale": 172_800, "meter": 86_400 + 1_440}
    noon = ns(2026, 10, 2, 12)
    half = dataclasses.replace(layout, rates=(((SECOND, 1),), ()))
    parts = due_on([(ns(2026, 9, 1), layout), (noon, half)], start, end)
    assert parts == {"scale": 86_400 + 43_200, "meter": 43_200 + 720}
    assert due_on([(noon, layout)], start, noon) == {}, "before the first nothing is due"


def test_utc_is_not_the_plants_day() -> None:
    layout, tally = Layout.of(CONFIG), Tally()
    late = int(datetime(2026, 9, 30, 16, tzinfo=UTC).timestamp()) * SECOND
    tally.take(layout, frame(late, 1, {}), 1, 1)
    assert list(tally.days) == ["2026-10-01"]
