"""Minutes of one gateway, in the order of time, to its hours and days. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from cloud.series.bucket import (
    DAY_S,
    HOUR_NS,
    HOUR_S,
    MINUTE_S,
    Bucket,
    Series,
    begun,
    both,
)
from edge.calc.local_time import Day, PlantDays

Rows = list[tuple[Series, Bucket]]
#: seconds of a bucket, first instant, instant after it
Piece = tuple[int, int, int]


def pieces(from_ns: int, to_ns: int) -> list[Piece]:
    """The fewest minutes and whole hours that make up a stretch of whole minutes."""
    first, last = -(-from_ns // HOUR_NS) * HOUR_NS, to_ns // HOUR_NS * HOUR_NS
    if first > last:
        return [(MINUTE_S, from_ns, to_ns)]
    every = [(MINUTE_S, from_ns, first), (HOUR_S, first, last), (MINUTE_S, last, to_ns)]
    return [piece for piece in every if piece[1] < piece[2]]


class Rollup:
    """The running hour and the running day of every series of a gateway.

    Args:
        zone: the plant's time zone: days are its own.
        through_ns: everything before is known already; `resume` says how much of it is running.
    """

    def __init__(self, zone: str, through_ns: int) -> None:
        self._days = PlantDays(zone)
        self._hour_ns = through_ns // HOUR_NS * HOUR_NS
        self._day = self._days.day(through_ns)
        self._hour: dict[Series, Bucket] = {}
        self._today: dict[Series, Bucket] = {}
        self._ended: dict[int, Rows] = {MINUTE_S: [], HOUR_S: [], DAY_S: []}

    @property
    def running(self) -> tuple[int, Day]:
        """First instant of the running hour, and the running day."""
        return self._hour_ns, self._day

    def resume(
        self, hour: Iterable[Mapping[Series, Sequence[Bucket]]],
        day: Iterable[Mapping[Series, Sequence[Bucket]]],
    ) -> None:  # fmt: skip
        """Go on with what a store has of the running hour and day, oldest first."""
        for held, into, from_ns in (
            (hour, self._hour, self._hour_ns), (day, self._today, self._day.start_ns),
        ):  # fmt: skip
            for found in held:
                for series, buckets in found.items():
                    _add(into, series, from_ns, *buckets)

    def minute(self, from_ns: int, rows: Iterable[tuple[Series, Bucket]]) -> None:
        """One more minute, later than all before."""
        self._go_to(from_ns)
        for series, bucket in rows:
            self._ended[MINUTE_S].append((series, bucket))
            _add(self._hour, series, self._hour_ns, bucket)
            _add(self._today, series, self._day.start_ns, bucket)

    def ended(self, through_ns: int) -> Mapping[int, Rows]:
        """Buckets that ended since this was asked, when no earlier minute can come any more."""
        self._go_to(through_ns)
        found, self._ended = self._ended, {MINUTE_S: [], HOUR_S: [], DAY_S: []}
        return found

    def _go_to(self, at_ns: int) -> None:
        hour_ns = at_ns // HOUR_NS * HOUR_NS
        if hour_ns != self._hour_ns:
            self._ended[HOUR_S] += self._hour.items()
            self._hour_ns, self._hour = hour_ns, {}
        if at_ns >= self._day.end_ns:
            self._ended[DAY_S] += self._today.items()
            self._day, self._today = self._days.day(at_ns), {}


def _add(into: dict[Series, Bucket], series: Series, from_ns: int, *more: Bucket) -> None:
    for bucket in more:
        before = into.get(series)
        into[series] = begun(from_ns, bucket) if before is None else both(before, bucket)
