"""Instants as pages write them, by clocks with whole hours, half hours and summer time."""

from zoneinfo import ZoneInfo

import pytest

from cloud.api.times import CLOCK, offset, to_ms, written

#: 2026-11-28T06:05:07.25Z
AT_NS = 1_795_845_907_250_000_000


@pytest.mark.parametrize(
    ("zone", "text", "away"),  # by hand
    [
        ("Asia/Shanghai", "2026-11-28 14:05:07", "(UTC+8)"),
        ("Asia/Kolkata", "2026-11-28 11:35:07", "(UTC+5:30)"),
        ("America/St_Johns", "2026-11-28 02:35:07", "(UTC-3:30)"),
        ("UTC", "2026-11-28 06:05:07", "(UTC+0)"),
    ],
)
def test_an_instant_by_a_plants_clock(zone: str, text: str, away: str) -> None:
    assert written(AT_NS, ZoneInfo(zone)) == text
    assert to_ms(AT_NS, ZoneInfo(zone)) == f"{text}.250"
    assert written(AT_NS, ZoneInfo(zone), CLOCK) == text[11:]
    assert offset(AT_NS, ZoneInfo(zone)) == away
