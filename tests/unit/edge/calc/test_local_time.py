"""Plant-local days and months."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from edge.calc.blocks import Block, GroupBlock
from edge.calc.errors import PlantError
from edge.calc.local_time import PlantDays, by_day, cut

S = 10**9
SHANGHAI = PlantDays("Asia/Shanghai")


def ns(text: str, zone: str = "Asia/Shanghai") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * S


def test_a_day_begins_at_local_midnight() -> None:
    day = SHANGHAI.day(ns("2026-06-15T12:34:56"))
    assert (day.start_ns, day.end_ns) == (ns("2026-06-15T00:00:00"), ns("2026-06-16T00:00:00"))
    assert day.month == "2026-06"


def test_midnight_belongs_to_the_new_day_and_the_nanosecond_before_does_not() -> None:
    midnight = ns("2026-07-01T00:00:00")
    assert SHANGHAI.day(midnight).month == "2026-07"
    assert SHANGHAI.day(midnight - 1).month == "2026-06"


def test_the_month_of_the_plant_is_not_the_month_of_utc() -> None:
    # 2026-06-30 20:00 UTC is already July in Shanghai
    instant = ns("2026-06-30T20:00:00", "UTC")
    assert (SHANGHAI.day(instant).month, SHANGHAI.date_text(instant)) == ("2026-07", "2026-07-01")


@pytest.mark.parametrize(
    ("month", "first", "after"),
    [
        ("2026-06", "2026-06-01T00:00:00", "2026-07-01T00:00:00"),
        ("2026-12", "2026-12-01T00:00:00", "2027-01-01T00:00:00"),
        ("2028-02", "2028-02-01T00:00:00", "2028-03-01T00:00:00"),
    ],
)
def test_month_bounds(month: str, first: str, after: str) -> None:
    assert SHANGHAI.month_bounds(month) == (ns(first), ns(after))


def test_a_day_of_a_clock_change_has_23_or_25_hours() -> None:
    berlin = PlantDays("Europe/Berlin")
    spring = berlin.day(ns("2026-03-29T12:00:00", "Europe/Berlin"))
    autumn = berlin.day(ns("2026-10-25T12:00:00", "Europe/Berlin"))
    assert spring.end_ns - spring.start_ns == 23 * 3600 * S
    assert autumn.end_ns - autumn.start_ns == 25 * 3600 * S


#: months whose first midnight there is skipped or comes twice: (zone, month, its first instant)
ODD_MONTHS = [
    # tz database, "egypt": 2014-07-31 24:00 EET the clock was set to 01:00
    ("Africa/Cairo", "2014-08", "2014-07-31T22:00:00"),
    # "Jordan": last Thursday of March 24:00
    ("Asia/Amman", "2016-04", "2016-03-31T22:00:00"),
    # "Palestine": 2004-10-01 01:00 the clock was set back to 00:00
    ("Asia/Gaza", "2004-10", "2004-09-30T21:00:00"),
    # "Nepal": at 1986-01-01 00:00 (+05:30) it was set to 00:15
    ("Asia/Kathmandu", "1986-01", "1985-12-31T18:30:00"),
    # "StJohns": 2009-11-01 00:01 it was set back to 23:01, an hour from October told in November
    ("America/St_Johns", "2009-11", "2009-11-01T02:30:00"),
    # "Kwajalein": 1993-08-20 24:00 (-12) became 1993-08-22 00:00; the month began as usual
    ("Pacific/Kwajalein", "1993-09", "1993-08-31T12:00:00"),
]


@pytest.mark.parametrize(("zone", "month", "first"), ODD_MONTHS)
def test_a_month_begins_when_the_clock_first_shows_it(zone: str, month: str, first: str) -> None:
    days, at = PlantDays(zone), ns(first, "UTC")
    assert days.month_bounds(month)[0] == at
    assert (days.day(at).start_ns, days.day(at).month) == (at, month)
    assert days.day(at - 1).month != month
    assert days.day(at - 1).end_ns == at


def test_an_hour_that_is_shown_again_belongs_to_the_new_day() -> None:
    """00:01 on 1 November became 23:01 on 31 October: cutting at midnights comes to an end."""
    st_johns = PlantDays("America/St_Johns")
    ticks = [ns(f"2009-11-01T0{h}:{m:02}:00", "UTC") for h in (2, 3) for m in range(0, 60, 10)]
    parts = [
        (day.month, len(part[0].ticks_ns)) for day, part in by_day(st_johns, [a_block(0, ticks)])
    ]
    assert parts == [("2009-10", 3), ("2009-11", 9)]
    again = st_johns.day(ns("2009-11-01T02:45:00", "UTC"))  # 23:15 on 31 October, -03:30
    assert (again.start_ns, again.end_ns, again.month) == (
        ns("2009-11-01T02:30:00", "UTC"), ns("2009-11-02T03:30:00", "UTC"), "2009-11",
    )  # fmt: skip


def test_a_day_that_never_was_is_skipped() -> None:
    """Kwajalein went from 20 to 22 August 1993."""
    day = PlantDays("Pacific/Kwajalein").day(ns("1993-08-21T11:59:59", "UTC"))
    assert (day.start_ns, day.end_ns) == (ns("1993-08-20T12:00:00", "UTC"),
                                          ns("1993-08-21T12:00:00", "UTC"))  # fmt: skip


@pytest.mark.parametrize("zone", ["America", "Mars/Olympus", "", "../etc/passwd", "localtime"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(PlantError, match="time_zone"):
        PlantDays(zone)


def a_block(schedule: int, ticks: list[int]) -> Block:
    raw = np.arange(len(ticks), dtype=np.float32)[None, :]
    return Block(
        schedule,
        np.array(ticks, dtype=np.int64),
        (GroupBlock(0, raw, np.zeros(raw.shape, dtype=np.uint8)),),
    )


def test_cut_shares_out_ticks_and_values() -> None:
    before, after = cut([a_block(0, [1, 2, 3, 4]), a_block(1, [3])], 3)
    assert [(b.schedule, b.ticks_ns.tolist()) for b in before] == [(0, [1, 2])]
    assert [(b.schedule, b.ticks_ns.tolist()) for b in after] == [(0, [3, 4]), (1, [3])]
    assert after[0].groups[0].raw.tolist() == [[2, 3]]
    assert after[0].groups[0].quality.shape == (1, 2)


def test_by_day_cuts_at_midnight_only() -> None:
    midnight = ns("2026-06-16T00:00:00")
    ticks = [midnight - 2 * S, midnight - S, midnight, midnight + S]
    parts = list(by_day(SHANGHAI, [a_block(0, ticks), a_block(1, [midnight])]))
    assert [day.start_ns for day, _ in parts] == [midnight - 86_400 * S, midnight]
    assert [b.ticks_ns.tolist() for b in parts[0][1]] == [ticks[:2]]
    assert [b.ticks_ns.tolist() for b in parts[1][1]] == [ticks[2:], [midnight]]


def test_by_day_of_nothing_is_nothing() -> None:
    assert list(by_day(SHANGHAI, [])) == []
    assert list(by_day(SHANGHAI, [a_block(0, [])])) == []
