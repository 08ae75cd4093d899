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
    assert SHANGHAI.day(ns("2026-06-30T20:00:00", "UTC")).month == "2026-07"


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


@pytest.mark.parametrize("zone", ["America", "Mars/Olympus", "", "../etc/passwd"])
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
