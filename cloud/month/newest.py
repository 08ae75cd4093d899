"""Which months a list of all plants gives whoever watches them: it grows with years no more. Pure.

Of ten years of 1,500 plants there are 180,000 months, and nearly all of them are done.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

#: months of a plant that a table of all plants has: a year's, and the one that runs
NEWEST = 13
Row = TypeVar("Row")


def newest(rows: Sequence[Row], most: int | None, needs: Callable[[Row], bool]) -> list[Row]:
    """The newest months of a plant, and all older ones that need somebody.

    Args:
        rows: of one plant, newest first.
        most: how many; None for all.
        needs: whether an older one is given too.
    """
    if most is None:
        return list(rows)
    return [*rows[:most], *filter(needs, rows[most:])]


def newest_months(rows: Sequence[Mapping[str, Any]], most: int | None) -> list[Mapping[str, Any]]:
    """The newest months of a plant; of the older ones the oldest due and the oldest that failed.

    Not all: a plant may close none for ten years. Not one alone: its month that is due for ever
    would hide one whose archive is another than it was.

    Args:
        rows: months of one plant as a collector has them, newest first.
        most: how many; None for all.
    """
    if most is None:
        return list(rows)
    oldest_first = rows[most:][::-1]
    wanted = (next(filter(needs, oldest_first), None) for needs in (is_due, has_failed))
    named = {row["month"] for row in wanted if row is not None}
    return newest(rows, most, lambda row: row["month"] in named)


def needs_somebody(row: Mapping[str, Any]) -> bool:
    """A month is due, or its archive did not pass its check."""
    return is_due(row) or has_failed(row)


def is_due(row: Mapping[str, Any]) -> bool:
    """Its deadline is near or over."""
    return row["level"] not in ("none", "notice")


def has_failed(row: Mapping[str, Any]) -> bool:
    """Its newest archive did not pass its check."""
    found = (one["verified"] for one in row["archives"] if one["newest"])
    return any(one and one["verdict"] != "passed" for one in found)
