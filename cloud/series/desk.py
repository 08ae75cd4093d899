"""Answers what a point said over time: bounded, by the step that fits, of what is in the store.

A running hour or day is put together from the shorter buckets that ended already. Any thread.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

from cloud.series.bucket import DAY_S, MINUTE_S, SECOND_NS, STEPS, Bucket, Series, joined
from cloud.series.follow import Followed
from cloud.series.rollup import pieces
from cloud.series.store import SeriesStore, StoreState
from edge.calc.local_time import PlantDays

#: buckets of one answer, for each series in it
BUCKETS_MAX = 2_000


class SpanError(ValueError):
    """More is asked for than one answer holds; the sentence says what to ask instead."""


class Following(Protocol):
    """What is known of the one who follows; `cloud.series.follow.SeriesFollower`."""

    def followed(self) -> Sequence[Followed]:
        """How far every stream is."""

    def trouble(self) -> Mapping[tuple[str, str], str]:
        """(plant, gateway) -> why it does not go on; the gateway is "" for the whole plant."""


@dataclass(frozen=True)
class Told:
    """One series of an answer.

    Attributes:
        series: what it is.
        buckets: oldest first; a gap has none.
        through_ns: every tick before is in the store.
        open_ns: first instant of the bucket that still grows, None where none does.
    """

    series: Series
    buckets: Sequence[Bucket]
    through_ns: int
    open_ns: int | None


def step_for(from_ns: int, to_ns: int) -> int:
    """The shortest step whose buckets one answer holds."""
    return next((s for s in STEPS if to_ns - from_ns <= s * SECOND_NS * BUCKETS_MAX), DAY_S)


class SeriesDesk:
    """Of all plants of a collector.

    Args:
        store: where buckets are.
        following: who puts them there.
    """

    def __init__(self, store: SeriesStore, following: Following) -> None:
        self._store, self._following = store, following

    def state(self) -> StoreState:
        """How the store is."""
        return self._store.state()

    def followed(self) -> Sequence[Followed]:
        """How far every stream is in it."""
        return self._following.followed()

    def trouble(self) -> Mapping[tuple[str, str], str]:
        """(plant, gateway) -> why series do not go on; the gateway is "" for the whole plant."""
        return self._following.trouble()

    def told(  # noqa: PLR0917 - each is another thing
        self, plant: str, zone: ZoneInfo, point: str, step_s: int, from_ns: int, to_ns: int,
        gateway: str = "",
    ) -> list[Told]:  # fmt: skip
        """The series of a point, of each gateway and unit that had it.

        Args:
            plant: plant id.
            zone: whose midnights begin days.
            point: point id.
            step_s: one of `STEPS`.
            from_ns: UTC nanoseconds; the first bucket is the one it lies in.
            to_ns: UTC nanoseconds; the last one begins before.
            gateway: only of this one; "" for all.

        Raises:
            SpanError: that are more than `BUCKETS_MAX`.
            SeriesAwayError, StoreError: the store cannot be asked.
        """
        if to_ns - from_ns > step_s * SECOND_NS * BUCKETS_MAX:
            raise SpanError(
                f"one answer holds {BUCKETS_MAX} buckets: ask for a shorter time, or a longer step"
            )
        days = PlantDays(zone.key)
        first_ns = _begin(days, step_s, from_ns)
        found = {
            series: list(buckets)
            for series, buckets in self._store.read(
                step_s, plant, first_ns, to_ns, gateway=gateway, point=point
            ).items()
        }
        marks = self._store.marks(plant)
        opened: dict[Series, int] = {}
        for name, mark in marks.items():
            open_ns = _begin(days, step_s, mark.through_ns)
            if step_s == MINUTE_S or gateway not in ("", name) or not first_ns <= open_ns < to_ns:
                continue
            for series, bucket in self._open(plant, name, point, open_ns, mark.through_ns).items():
                found.setdefault(series, []).append(bucket)
                opened[series] = open_ns
        return [
            Told(series, buckets, marks[series.gateway].through_ns, opened.get(series))
            for series, buckets in sorted(found.items())
            if series.gateway in marks
        ]

    def _open(
        self, plant: str, gateway: str, point: str, from_ns: int, through_ns: int
    ) -> Mapping[Series, Bucket]:
        """The bucket that still grows of each series of a point."""
        held: dict[Series, list[Bucket]] = {}
        for step_s, first, last in pieces(from_ns, through_ns):
            found = self._store.read(step_s, plant, first, last, gateway=gateway, point=point)
            for series, buckets in found.items():
                held.setdefault(series, []).extend(buckets)
        whole = {series: joined(from_ns, buckets) for series, buckets in held.items()}
        return {series: bucket for series, bucket in whole.items() if bucket is not None}


def _begin(days: PlantDays, step_s: int, at_ns: int) -> int:
    """First instant of the bucket that an instant lies in."""
    if step_s == DAY_S:
        return days.day(at_ns).start_ns
    return at_ns - at_ns % (step_s * SECOND_NS)
