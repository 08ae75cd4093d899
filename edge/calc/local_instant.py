"""Instants as a plant's ledger has them: local time, without a zone; and a month's two edges."""

import re
from datetime import datetime

from edge.calc.errors import InputError

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?")
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


def read_instant(value: object) -> datetime:
    """A local instant, "2026-05-30T16:00" (or TOML's own, without an offset).

    Raises:
        ValueError: anything else; 24:00 is the next day's 00:00.
    """
    if isinstance(value, datetime) and value.tzinfo is None:
        value = value.isoformat(sep="T", timespec="seconds")
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise ValueError(f'{str(value)[:40]!r} is no local time like "2026-05-30T16:00"')
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value!r} is no time of a calendar (24:00 is 00:00 next day)") from None


def month_edges(month: str) -> tuple[datetime, datetime]:
    """00:00 of a month's first day and of the next month's.

    Raises:
        InputError: not like "2026-06", or at an end of the calendar.
    """
    found = _MONTH.fullmatch(month)
    if found is None or month.startswith("0000") or month == "9999-12":
        raise InputError([f'month: {month[:40]!r} is no month like "2026-06"'])
    year, number = int(found[1]), int(found[2])
    following = (year, number + 1) if number < 12 else (year + 1, 1)
    return datetime(year, number, 1), datetime(*following, 1)  # noqa: DTZ001 - a ledger's local time


def at_text(instant: datetime) -> str:
    """An instant to the minute, or to the second where it has some."""
    return instant.isoformat(timespec="seconds" if instant.second else "minutes")
