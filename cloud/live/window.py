"""Small rolling memories of the live view: traces, trusted share, today's counts. Pure.

They live in memory only and start empty with the process; what they show is never evidence.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

NS_PER_S = 1_000_000_000
WINDOW_NS = 600 * NS_PER_S
#: a trace keeps one value a second for the window, and a little more for uneven ticks
TRACE_MAX = 620
#: a day is counted from the last value before midnight only if that value is this young
MIDNIGHT_GAP_MAX_NS = 60 * NS_PER_S
_STEP_MIN_NS = NS_PER_S // 2


@dataclass
class Trace:
    """The last ten minutes of one point, at most two values a second."""

    rows: deque[tuple[int, float | None]] = field(default_factory=lambda: deque(maxlen=TRACE_MAX))

    def add(self, tick_ns: int, value: str | None) -> None:
        """Append unless it is less than half a second after the last one; a clock may go back."""
        _forget_from(self.rows, tick_ns)
        if self.rows and tick_ns - self.rows[-1][0] < _STEP_MIN_NS:
            return
        self.rows.append((tick_ns, None if value is None else float(value)))

    def since(self, from_ns: int) -> list[tuple[int, float | None]]:
        """(tick_ns, value or None) from an instant on, oldest first."""
        return [row for row in self.rows if row[0] >= from_ns]


@dataclass
class Share:
    """How much of one input was usable in the last ten minutes; a tick that is missing is not.

    By the collector's clock: a gateway whose own is ahead is silent when it is silent.
    """

    interval_ns: int
    rows: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=TRACE_MAX))

    def add(self, received_ns: int, fraction: float) -> None:
        """`fraction` of the input's points had a usable value in a message, 0..1."""
        _forget_from(self.rows, received_ns)
        self.rows.append((received_ns, fraction))

    def value(self, now_ns: int) -> float | None:
        """0..1, or None before the first tick."""
        while self.rows and self.rows[0][0] < now_ns - WINDOW_NS:
            self.rows.popleft()
        if not self.rows:
            return None
        due = (now_ns - self.rows[0][0]) // self.interval_ns
        return min(1.0, sum(fraction for _, fraction in self.rows) / max(len(self.rows), due))


@dataclass
class DayCount:
    """What a totaliser has counted since local midnight, or since this process first saw it.

    Attributes:
        day: local date of the last value.
        first: counter value the day is counted from.
        from_ns: instant of `first`.
        last, last_ns: newest value and its instant.
        whole: True when values were seen across midnight, so that the whole day is counted.
        reset: True when the counter fell during the day; the count starts again from there.
    """

    day: date
    first: Decimal
    from_ns: int
    last: Decimal
    last_ns: int
    whole: bool = False
    reset: bool = False

    def add(self, day: date, tick_ns: int, value: Decimal) -> None:
        """Take one usable value."""
        if day != self.day:
            self.whole = 0 <= tick_ns - self.last_ns <= MIDNIGHT_GAP_MAX_NS
            self.day, self.from_ns, self.reset = day, tick_ns, False
            self.first = self.last if self.whole else value
        if value < self.last:
            self.first, self.from_ns, self.whole, self.reset = value, tick_ns, False, True
        self.last, self.last_ns = value, tick_ns

    def as_map(self) -> dict[str, str | int | bool]:
        """JSON-ready."""
        amount = f"{self.last - self.first:f}"
        return {
            "amount": amount, "from_ns": self.from_ns, "whole": self.whole, "reset": self.reset,
        }  # fmt: skip


def _forget_from(rows: deque[tuple[int, Any]], from_ns: int) -> None:
    """Drop what a clock that was set back has yet to come to."""
    while rows and rows[-1][0] > from_ns:
        rows.pop()


def local_day(tick_ns: int, zone: ZoneInfo) -> date:
    """The calendar day of an instant at the plant."""
    return datetime.fromtimestamp(tick_ns // NS_PER_S, zone).date()
