"""Buckets of many series side by side: made, added up and stored by the column. Pure.

The same exact integers as `cloud.series.bucket`, a thousand at a time: one by one they took most of
the time in which series follow the log.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from cloud.series.bucket import SECOND_NS, Bucket, Series, both
from evidence.errors import LimitError

Int64 = npt.NDArray[np.int64]
#: int64, or Python's own integers where 64 bits might not do
Whole = npt.NDArray[Any]
_MOST = np.iinfo(np.int64).max
#: of one gateway in a stretch: a configuration has 20,000 points, and the next may have others
SERIES_MAX = 100_000


@dataclass(frozen=True)
class Columns:
    """A bucket of each of some series, all of one stretch of time.

    Attributes:
        from_ns: first instant, UTC nanoseconds.
        series: each once.
        count, low, high, last, total, worst: [series], as `Bucket` has them.
    """

    from_ns: int
    series: Sequence[Series]
    count: Int64
    low: Int64
    high: Int64
    last: Int64
    total: Whole
    worst: Int64

    @classmethod
    def of(cls, from_ns: int, rows: Iterable[tuple[Series, Bucket]]) -> "Columns":
        """Of single buckets, which begin then."""
        held = dict(rows)
        told = [(b.count, b.low, b.high, b.last, b.worst) for b in held.values()]
        count, low, high, last, worst = np.array(told, dtype=np.int64).reshape(-1, 5).T
        total = np.array([b.total for b in held.values()], dtype=object)
        return cls(from_ns, tuple(held), count, low, high, last, total, worst)

    def rows(self) -> Iterator[tuple[Series, Bucket]]:
        """Single buckets."""
        names = (self.count, self.low, self.high, self.last, self.total, self.worst)
        for one, *numbers in zip(self.series, *(column.tolist() for column in names), strict=True):
            yield one, Bucket(self.from_ns, *numbers)

    def stored(self) -> Iterator[tuple[int, ...]]:
        """The fields of `Stored` of each series."""
        divisor = np.maximum(self.count, 1)  # of none, the total is 0
        mean, rest = self.total // divisor, self.total % divisor
        names = (self.count, self.low, self.high, self.last, mean, rest, self.worst)
        return zip(
            repeat(self.from_ns // SECOND_NS), *(column.tolist() for column in names), strict=False
        )

    def then(self, later: "Columns") -> "Columns":
        """These and later ones of the same series, as one stretch."""
        had, has = self.count > 0, later.count > 0
        low, high = np.minimum(self.low, later.low), np.maximum(self.high, later.high)
        if not (had.all() and has.all()):
            low = np.where(had & has, low, np.where(had, self.low, later.low))
            high = np.where(had & has, high, np.where(had, self.high, later.high))
        return Columns(
            self.from_ns, self.series, self.count + later.count, low, high,
            np.where(has, later.last, self.last), _sum(self.total, later.total),
            np.maximum(self.worst, later.worst),
        )  # fmt: skip


def _sum(one: Whole, other: Whole) -> Whole:
    is_small = object not in (one.dtype, other.dtype) and _peak(one) + _peak(other) <= _MOST
    return one + other if is_small else one.astype(object) + other


def _peak(numbers: Whole) -> int:
    return max(abs(int(numbers.max())), abs(int(numbers.min()))) if len(numbers) else 0


@dataclass
class Running:
    """A stretch of time whose readings still come, in their order.

    Attributes:
        from_ns: its first instant, UTC nanoseconds.
    """

    from_ns: int
    _parts: list[dict[int, Columns]] = field(default_factory=list)

    def add(self, columns: Columns) -> None:
        """Some more, later than all before.

        Columns of the same sequence of series, one object, are added up at once; where another
        configuration came between, or what a store had, series are put together in `whole`, and
        where they are many. LimitError when there are more than `SERIES_MAX`.
        """
        key = id(columns.series)
        part = self._parts[-1] if self._parts else {}
        if key not in part:
            part = self._part_for(columns)
        before = part.get(key)
        begun = replace(columns, from_ns=self.from_ns)
        part[key] = begun if before is None else before.then(begun)

    def _part_for(self, columns: Columns) -> dict[int, Columns]:
        """Where columns of a sequence of series go that is not in the newest part."""
        if self._many > SERIES_MAX:
            self._parts = [{id(one.series): one for one in self.whole()}]
            if self._many > SERIES_MAX:
                raise LimitError(f"a gateway has more than {SERIES_MAX} series in one stretch")
        if not self._parts or self._overlaps(self._parts[-1], columns):
            self._parts.append({})
        return self._parts[-1]

    @property
    def _many(self) -> int:
        return sum(len(held.series) for part in self._parts for held in part.values())

    @staticmethod
    def _overlaps(part: dict[int, Columns], columns: Columns) -> bool:
        more = set(columns.series)
        return any(not more.isdisjoint(held.series) for held in part.values())

    def whole(self) -> list[Columns]:
        """All of it; each series once."""
        if len(self._parts) < 2:
            return list(self._parts[0].values()) if self._parts else []
        found: dict[Series, Bucket] = {}
        for part in self._parts:
            for columns in part.values():
                for series, bucket in columns.rows():
                    before = found.get(series)
                    found[series] = bucket if before is None else both(before, bucket)
        return [Columns.of(self.from_ns, found.items())]
