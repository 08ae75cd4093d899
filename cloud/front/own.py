"""Months and reviews of a collector as a front keeps them: of its own plants, each once. Pure.

A collector of before gives all that it has; a hostile one what is not its own, again, or for ever.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

from cloud.front.shapes import Reviews
from cloud.month.newest import NEWEST, newest, newest_months

#: as it came, and it fits its shape
Row = Mapping[str, Any]
#: month and plant of the last row of a page
Place = tuple[str, str]


def months_kept(rows: Sequence[Row], plants: Set[str]) -> list[Row]:
    """The newest months of each plant, and of its older ones the oldest due and the oldest failed.

    Args:
        rows: that fit their shape; they stay in their order.
        plants: that the collector was heard to have.

    Raises:
        ValueError: a row is of another plant, or is there twice.
    """
    return _kept(rows, plants, lambda of: newest_months(of, NEWEST))


def reviews_kept(rows: Sequence[Row], plants: Set[str]) -> list[Row]:
    """Likewise of reviews, and of the older ones all that need somebody."""
    return _kept(rows, plants, lambda of: newest(of, NEWEST, _is_asked))


def onward(page: Reviews, before: Place | None) -> Place | None:
    """Where a page of reviews ends: behind the one `before`, since each row is behind another.

    Raises:
        ValueError: it goes back, says something again, or goes on without saying anything.
    """
    if page.next is not None and not page.reviews:
        raise ValueError("a page of reviews has none, and leads to another")
    for one in page.reviews:
        place = one.month, one.plant
        if before is not None and place >= before:
            raise ValueError(f"{one.plant} {one.month} comes behind {before[1]} {before[0]}")
        before = place
    return before


def _kept(
    rows: Sequence[Row], plants: Set[str], choose: Callable[[Sequence[Row]], Sequence[Row]]
) -> list[Row]:
    found = defaultdict[str, dict[str, Row]](dict)
    for row in rows:
        plant, month = row["plant"], row["month"]
        if plant not in plants:
            raise ValueError(f"it tells of {plant}, which it does not say it has")
        if month in found[plant]:
            raise ValueError(f"it tells of {plant} {month} twice")
        found[plant][month] = row
    kept = {
        (plant, row["month"])
        for plant, of in found.items()
        for row in choose([of[month] for month in sorted(of, reverse=True)])
    }
    return [row for row in rows if (row["plant"], row["month"]) in kept]


def _is_asked(row: Row) -> bool:
    """A question is not answered, or a level returned the month."""
    return bool(row["open"] or row["overdue"]) or "return" in row["levels"].values()
