"""Minutes of one gateway, in the order of time, to its hours and days. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from cloud.series.bucket import DAY_S, HOUR_NS, HOUR_S, MINUTE_S, Bucket, Series, joined
from cloud.series.columns import Columns, Running
from edge.calc.local_time import Day, PlantDays

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
        self._day = self._days.day(through_ns)
        self._hour = Running(through_ns // HOUR_NS * HOUR_NS)
        self._today = Running(self._day.start_ns)
        self._ended: dict[int, list[Columns]] = {MINUTE_S: [], HOUR_S: [], DAY_S: []}

    @property
    def running(self) -> tuple[int, Day]:
        """First instant of the running hour, and the running day."""
        return self._hour.from_ns, self._day

    def resume(
        self, hour: Iterable[Mapping[Series, Sequence[Bucket]]],
        day: Iterable[Mapping[Series, Sequence[Bucket]]],
    ) -> None:  # fmt: skip
        """Go on with what a store has of the running hour and day, oldest first."""
        for held, into in ((hour, self._hour), (day, self._today)):
            every: dict[Series, list[Bucket]] = {}
            for found in held:
                for series, buckets in found.items():
                    every.setdefault(series, []).extend(buckets)
            whole = ((series, joined(into.from_ns, every[series])) for series in every)
            rows = [(series, bucket) for series, bucket in whole if bucket is not None]
            if rows:
                into.add(Columns.of(into.from_ns, rows))

    def minute(self, minute: Running) -> None:
        """One more minute, later than all before."""
        self._go_to(minute.from_ns)
        for columns in minute.whole():
            self._ended[MINUTE_S].append(columns)
            self._hour.add(columns)
            self._today.add(columns)

    def ended(self, through_ns: int) -> Mapping[int, Sequence[Columns]]:
        """Buckets that ended since this was asked, when no earlier minute can come any more."""
        self._go_to(through_ns)
        found, self._ended = self._ended, {MINUTE_S: [], HOUR_S: [], DAY_S: []}
        return found

    def _go_to(self, at_ns: int) -> None:
        hour_ns = at_ns // HOUR_NS * HOUR_NS
        if hour_ns != self._hour.from_ns:
            self._ended[HOUR_S] += self._hour.whole()
            self._hour = Running(hour_ns)
        if at_ns >= self._day.end_ns:
            self._ended[DAY_S] += self._today.whole()
            self._day = self._days.day(at_ns)
            self._today = Running(self._day.start_ns)
