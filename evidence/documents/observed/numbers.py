"""Numbers of laboratories' reports: what is alike, what counts up, what is a date. Pure."""

import re
import unicodedata
from collections.abc import Set
from dataclasses import dataclass
from datetime import date, timedelta

_DIGITS = re.compile(r"[0-9]+")
_DATE = re.compile(r"(20(?:1[5-9]|[2-9][0-9]))(?:(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])?)?")
#: digits of a day with a count behind it
_DATE_AND_COUNT = 10
#: digits of one group that are compared: a number may be 200 characters of nines
_GROUP_MAX = 18
#: a number may be given at receipt of the sample, so long before the report
_EARLY = timedelta(days=90)


@dataclass(frozen=True)
class Number:
    """A report's number.

    Attributes:
        shape: it without its digits: what numbers of one row have in common.
        groups: its digits, group by group.
    """

    shape: str
    groups: tuple[str, ...]

    @property
    def years(self) -> frozenset[int]:
        """Which groups begin like a year, and go on like a date."""
        return frozenset(i for i in range(len(self.groups)) if self.days(i) is not None)

    def days(self, place: int) -> tuple[date, date] | None:
        """First and last day of what a group says, None when it is no date."""
        return _date_in(self.groups[place], is_last=place == len(self.groups) - 1)

    def key(self, years: Set[int]) -> tuple[int, ...]:
        """What numbers of one shape are sorted by: first their years and dates, then the rest."""
        values = [int(group[:_GROUP_MAX]) for group in self.groups]
        first = [value for i, value in enumerate(values) if i in years]
        return (*first, *(value for i, value in enumerate(values) if i not in years))


def as_written(text: str) -> str:
    """A number or name without what writing it twice may change: width, case, spaces, dashes."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\s\u2010-\u2015\u2212_-]+", "", plain)


def number_of(text: str) -> Number:
    """A report's number; any text is one."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return Number(_DIGITS.sub("#", plain), tuple(_DIGITS.findall(plain)))


def says_day(number: Number, years: Set[int], day: date) -> str | None:
    """What a number says of its time that its report's day contradicts, None when nothing.

    Args:
        number: of the report.
        years: groups that are a year or date in every number of its form.
        day: of the report.
    """
    for i in sorted(years):
        group = number.groups[i]
        if len(group) < 8 and len(number.groups) == 1:
            continue  # a plain count may pass through 2026
        first, last = number.days(i) or (day, day)
        if first > day or day - last > _EARLY:
            return group
    return None


def _date_in(group: str, *, is_last: bool) -> tuple[date, date] | None:
    """First and last day of what a group of digits begins with: a year, month or day.

    What stands at a number's end may be its count: of "20260412" only the year is certain.
    """
    match = _DATE.match(group)
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    if year is None or month is None or (is_last and len(group) < _DATE_AND_COUNT):
        return date(year or 1, 1, 1), date(year or 1, 12, 31)
    following = date(year + month // 12, month % 12 + 1, 1)
    last = following - timedelta(days=1)
    if day is None or day > last.day:
        return date(year, month, 1), last
    return date(year, month, day), date(year, month, day)
