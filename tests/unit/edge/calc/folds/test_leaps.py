"""Steps that no meter can have counted; limits are multiplied by hand."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from edge.calc.folds.entries import EntryMeter
from edge.calc.folds.leaps import LEAPS_KEPT, Leaps, most_per_hour
from edge.calc.folds.papers import Paper
from evidence.point_rules import NO_RULES, PointRules
from evidence.points import Dtype, Point, Quantity, Role
from tests.unit.edge.calc.folds.paper_examples import FROM, HOUR, paper, papers

DRY = {"reference": "0C-101.325kPa", "moisture": "dry"}


def meter(rules: PointRules = NO_RULES, most: str | None = None) -> EntryMeter:
    """10 Nm3 a count, 10^4 Nm3 in the statement; beside it a flow of 0.1 Nm3/h a count."""
    point = Point("gas.total", Quantity("gas-volume", "Nm3", **DRY), Dtype.U32, 1, Role.TOTALISER,
                  device="gas", rules=rules)  # fmt: skip
    flow = Point("gas.flow", Quantity("gas-flow", "Nm3/h", **DRY), Dtype.F32, 1, range_max=most)
    unit = Fraction(1, 10_000) / 10
    return EntryMeter("quantity", 1, point, unit, flow, unit)


def test_what_bounds_a_totaliser() -> None:
    assert most_per_hour(meter()) is None
    # 250 Nm3/h, in counts of 0.1 Nm3
    assert most_per_hour(meter(most="250")) == 2_500
    assert most_per_hour(meter(most="0")) is None
    # its own rate goes first: 0.05 Nm3/s are 180 Nm3/h
    assert most_per_hour(meter(PointRules(rate_per_s="0.05"), "250")) == 1_800


def read(by: Leaps, *readings: tuple[float, int]) -> Leaps:
    """Hours since June began, counts; each reading comes in a frame of its own."""
    for hour, count in readings:
        at = np.array([FROM + int(hour * HOUR)], np.int64)
        by.feed(at, np.array([count], np.int64), np.array([True]))
    return by


@pytest.mark.parametrize(
    ("after_h", "step", "is_leap"),
    # 2,500 an hour, and an hour's slack
    [(1, 5_000, False), (1, 5_001, True), (0.5, 3_750, False), (0.5, 3_751, True),
     (24, 62_500, False), (24, 62_501, True), (1, -9, False)],
)  # fmt: skip
def test_a_leap_is_more_than_time_and_an_hour_let_through(
    after_h: float, step: int, is_leap: bool
) -> None:
    by = read(Leaps(Fraction(2_500)), (0, 100), (after_h, 100 + step), (after_h + 1, 100 + step))
    assert by.count == int(is_leap)


def test_what_is_not_read_is_no_reading() -> None:
    by = Leaps(Fraction(2_500))
    ticks = FROM + np.arange(3, dtype=np.int64) * HOUR
    by.feed(ticks, np.array([0, 99_999, 1_000], np.int64), np.array([True, False, True]))
    assert by.count == 0


def event(about: str, first: float, last: float, **other: Any) -> Paper:
    body = {"event": "replacement", "reason": "worn", "from_ns": FROM + int(first * HOUR),
            "to_ns": FROM + int(last * HOUR)}  # fmt: skip
    return paper("meter-event", about, body | other, approved=other.pop("approved", True))


@pytest.mark.parametrize(
    ("given", "explained"),
    [([], False), ([event("gas", 10.5, 11.5)], True), ([event("gas.total", 9, 10)], True),
     ([event("gas", 12.5, 13)], False), ([event("coal", 10, 11)], False),
     ([event("gas", 10, 11, event="maintenance")], False),
     ([event("gas", 10, 11, approved=False)], False)],
)  # fmt: skip
def test_a_replacement_that_counts_explains_a_leap(given: list[Paper], explained: bool) -> None:
    by = read(Leaps(Fraction(2_500)), (0, 0), (10, 10), (12, 80_000))
    fields, flags = by.told(meter(), papers(*given))
    assert fields == {"leap_count": 1, "leaps": [{
        "since_ns": FROM + 10 * HOUR, "tick_ns": FROM + 12 * HOUR, "before": "1.0",
        "after": "8000.0", "replacements": [given[0].sha256] if explained else [],
    }]}  # fmt: skip
    unexplained = [] if explained else ["leap-unexplained:gas.total"]
    assert flags == ["totaliser-leap:gas.total", *unexplained]


def test_of_many_leaps_the_first_are_listed_and_all_are_told() -> None:
    many = [(hour, hour * 80_000) for hour in range(LEAPS_KEPT + 2)]
    by = read(Leaps(Fraction(2_500)), *many)
    fields, flags = by.told(meter(), papers(event("gas", 0, 99)))
    assert (fields["leap_count"], len(fields["leaps"])) == (LEAPS_KEPT + 1, LEAPS_KEPT)
    assert "leap-unexplained:gas.total" in flags
    assert Leaps(Fraction(1)).told(meter(), papers()) == ({}, [])
