"""Until when a month's evidence is due: rules with their source, calendar days in the rule's zone.

The month itself is of the plant's own time zone; the day it is due ends at midnight where the rule
says, which is Beijing time for the national platform. Pure but for the table, read once.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from edge.calc.local_time import PlantDays, clock_of

TABLE = Path(__file__).with_name("deadlines.toml")
SECOND_NS = 1_000_000_000
_DAY = timedelta(days=1)
#: months whose deadline is remembered: ten years of a few, asked for by each plant each minute
_KEPT = 1_024


@dataclass(frozen=True)
class Deadline:
    """When a month is due.

    Attributes:
        day: the last day on which it is in time.
        end_ns: first instant after that day, UTC nanoseconds.
        zone: IANA name of the zone whose days count.
        rule: id of its row.
        source, source_zh, confidence: of its row.
    """

    day: date
    end_ns: int
    zone: str
    rule: str
    source: str
    source_zh: str
    confidence: str

    def days_left(self, now_ns: int) -> int:
        """Calendar days from today to the last one, there: 0 on that day, negative after it."""
        today = datetime.fromtimestamp(now_ns // SECOND_NS, UTC).astimezone(clock_of(self.zone))
        return (self.day - today.date()).days


@lru_cache(_KEPT)
def deadline_of(month: str) -> Deadline | None:
    """The deadline of "YYYY-MM", None for months that no rule is about."""
    for rule in _rules():
        if rule["from"] <= month <= rule.get("to", month):
            return _deadline(month, rule)
    return None


def _deadline(month: str, rule: Mapping[str, Any]) -> Deadline:
    day: date = rule["on"] if "on" in rule else _last_day(month) + timedelta(days=rule["days"])
    midday = datetime(day.year, day.month, day.day, 12, tzinfo=clock_of(rule["zone"]))
    end_ns = PlantDays(rule["zone"]).day(int(midday.timestamp()) * SECOND_NS).end_ns
    said = (rule[name] for name in ("id", "source", "source_zh", "confidence"))
    return Deadline(day, end_ns, rule["zone"], *said)


def _last_day(month: str) -> date:
    year, number = int(month[:4]), int(month[5:7])
    return date(year + number // 12, number % 12 + 1, 1) - _DAY


@cache
def _rules() -> tuple[Mapping[str, Any], ...]:
    return tuple(tomllib.loads(TABLE.read_text(encoding="utf-8"))["rule"])
