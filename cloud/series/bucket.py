"""What one point said in a minute, an hour or a day, as exact integers. Pure.

A bucket without a usable reading has count 0 and its worst quality, and no number at all: bad is
never zero. Where there was no reading of any kind there is no bucket: a gap stays a gap.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from evidence.counts import count_to_text, round_half_away
from evidence.points import Point

SECOND_NS = 1_000_000_000
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
STEPS = (MINUTE_S, HOUR_S, DAY_S)
MINUTE_NS, HOUR_NS = MINUTE_S * SECOND_NS, HOUR_S * SECOND_NS
#: places of a mean beyond those of its readings
MEAN_PLACES = 2


class Series(NamedTuple):
    """One point in one unit: a point that changes unit or decimals goes on as another series.

    Attributes:
        plant, gateway, point: ids.
        quantity: `Quantity.as_map` as JSON, keys sorted: unit, reference state and all.
        decimals: of the counts.
    """

    plant: str
    gateway: str
    point: str
    quantity: str
    decimals: int

    @classmethod
    def of(cls, plant: str, gateway: str, point: Point) -> "Series":
        """A configured point's."""
        told = json.dumps(point.quantity.as_map(), sort_keys=True, separators=(",", ":"))
        return cls(plant, gateway, point.id, told, point.decimals)


@lru_cache(maxsize=4_096)  # the points of a plant share a few
def quantity_of(text: str) -> Mapping[str, str]:
    """A series' quantity as a map: kind, unit and what it is stated at."""
    found: Mapping[str, str] = json.loads(text)
    return found


@dataclass(slots=True)  # not frozen: that takes thrice as long, and they are made by the million
class Bucket:
    """Readings of one series in a stretch of time; a value, never changed.

    Attributes:
        from_ns: first instant, UTC nanoseconds.
        count: usable readings.
        low, high, last: counts of 10^-decimals of the unit, |count| < 2^62; 0 when `count` is 0.
        total: sum of all counts, exact, of any size.
        worst: highest quality code of all readings, bad ones included.
    """

    from_ns: int
    count: int
    low: int
    high: int
    last: int
    total: int
    worst: int

    @property
    def mean(self) -> tuple[int, int]:
        """(floor of total / count, what is left of total): both fit 64 bits, `total` may not."""
        return divmod(self.total, self.count) if self.count else (0, 0)

    def mean_text(self, decimals: int) -> str:
        """The mean to `MEAN_PLACES` more than `decimals` places, half away from zero."""
        scaled = Fraction(self.total * 10**MEAN_PLACES, self.count)
        return count_to_text(round_half_away(scaled), decimals + MEAN_PLACES)


class Stored(NamedTuple):
    """A bucket as stores hold it: `usable` is its count, `mean` and `rest` make the total."""

    from_s: int
    usable: int
    low: int
    high: int
    last: int
    mean: int
    rest: int
    worst: int


def stored(bucket: Bucket) -> Stored:
    """A bucket that begins at a whole second, as a store holds it."""
    mean, rest = bucket.mean
    return Stored(
        bucket.from_ns // SECOND_NS, bucket.count, bucket.low, bucket.high, bucket.last, mean,
        rest, bucket.worst,
    )  # fmt: skip


def bucket_of(held: Stored) -> Bucket:
    """Undo `stored`."""
    return Bucket(
        held.from_s * SECOND_NS, held.usable, held.low, held.high, held.last,
        held.mean * held.usable + held.rest, held.worst,
    )  # fmt: skip


def joined(from_ns: int, parts: Iterable[Bucket]) -> Bucket | None:
    """One bucket of several of a series, in the order of time; None of none."""
    whole: Bucket | None = None
    for part in parts:
        whole = part if whole is None else both(whole, part)
    return None if whole is None else begun(from_ns, whole)


def begun(from_ns: int, of: Bucket) -> Bucket:
    """The same readings, in a bucket that begins at another instant."""
    return Bucket(from_ns, of.count, of.low, of.high, of.last, of.total, of.worst)


def both(a: Bucket, b: Bucket) -> Bucket:
    """One bucket of two of a series; `b` is the later one."""
    worst = max(a.worst, b.worst)
    if not b.count or not a.count:
        of = a if a.count else b
        return Bucket(a.from_ns, of.count, of.low, of.high, of.last, of.total, worst)
    return Bucket(
        a.from_ns, a.count + b.count, min(a.low, b.low), max(a.high, b.high), b.last,
        a.total + b.total, worst,
    )  # fmt: skip
