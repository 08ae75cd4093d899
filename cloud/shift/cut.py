"""Where a shift begins and ends, by the plant's clock. Pure.

A shift is as long as its clock says: where the clock is set back it is an hour longer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SECOND_NS = 1_000_000_000
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Shift:
    """One shift: UTC nanoseconds, the end exclusive; `name` is "hh:mm" of its beginning."""

    from_ns: int
    to_ns: int
    name: str


def shift_at(begins: Sequence[str], zone: ZoneInfo, at_ns: int) -> Shift:
    """The shift that an instant lies in.

    Args:
        begins: "hh:mm" by the plant's clock, in order; at least one.
        zone: of the plant.
        at_ns: UTC ns.
    """
    today = datetime.fromtimestamp(at_ns // SECOND_NS, UTC).astimezone(zone).date()
    days = [today - _DAY, today, today + _DAY, today + 2 * _DAY]
    starts = [(_start_ns(day, name, zone), name) for day in days for name in begins]
    index = max(n for n, (from_ns, _) in enumerate(starts) if from_ns <= at_ns)
    (from_ns, name), (to_ns, _) = starts[index], starts[index + 1]
    return Shift(from_ns, to_ns, name)


def _start_ns(day: date, name: str, zone: ZoneInfo) -> int:
    hour, minute = int(name[:2]), int(name[3:])
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
    return int(local.timestamp()) * SECOND_NS
