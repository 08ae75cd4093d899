"""When to poll: an absolute grid without drift, on a time that never goes backwards. Pure.

Ticks stand on multiples of the interval since 1970 UTC, so two gateways and a restarted one tick
at the same instants. Devices of one instant are spread over ten phase slots.
"""

import datetime as dt
from dataclasses import dataclass

SLOTS = 10
SLOT_SHARE = 0.05  # of the shortest interval: ten slots over its first half
DEADLINE_SHARE = 0.8  # of it, from a tick until the answers are there; the disk has the last fifth
ANSWER_SHARE = 0.35  # of it, that is left of that for the device asked last
STEP_NS = 1_000_000_000
FAR_NS = 15 * 60 * 1_000_000_000  # a wall clock so far ahead is not believed at once
SURE_NS = 5 * 60 * 1_000_000_000  # how long it has to stand there until it is
SLEW = 200  # time goes on slower by 1/200 while the wall clock has to catch up


def next_tick_ns(after_ns: int, interval_ns: int) -> int:
    """The first grid instant strictly after `after_ns`."""
    return (after_ns // interval_ns + 1) * interval_ns


def due(tick_ns: int, intervals_ns: tuple[int, ...]) -> list[int]:
    """Indices of the schedules that tick at an instant."""
    return [s for s, interval in enumerate(intervals_ns) if tick_ns % interval == 0]


def until_tick_ns(instant_ns: int, interval_ns: int) -> int:
    """From an instant to the next tick of an interval: 0 when it is one."""
    return -instant_ns % interval_ns


def slot_ns(device_index: int, interval_ns: int) -> int:
    """How long after the tick the n-th device is asked (interval: the shortest of the site)."""
    return int((device_index % SLOTS) * SLOT_SHARE * interval_ns)


@dataclass(frozen=True)
class ClockStep:
    """The wall clock moved against the monotonic one by more than `STEP_NS`.

    Attributes:
        from_ns: what the wall clock should have said.
        to_ns: what it said.
    """

    from_ns: int
    to_ns: int

    @property
    def sentence(self) -> str:
        """Sentence that describes the step to people."""
        by_ns = self.to_ns - self.from_ns
        way = "forward" if by_ns > 0 else "back"
        at = dt.datetime.fromtimestamp(self.from_ns // 1_000_000_000, dt.UTC)
        return f"the clock jumped {abs(by_ns) / 1e9:.1f} s {way} at {at:%H:%M:%S} UTC: check NTP"


class SteadyTime:
    """Wall time that never goes back behind an instant already used.

    While the wall clock stands behind the newest tick, time goes on from that tick by the monotonic
    clock, half a percent slower, until the wall clock has caught up: ticks stay on their grid, none
    is missed, and what is integrated over them is wrong by no more than that half percent.

    What is signed too far ahead can never be taken back. So a wall clock that goes ahead of the
    time in use by more than `FAR_NS` is believed only when it has stood there for `SURE_NS`; until
    then time `is_unsure` and no tick may be taken. If it comes back, nothing else is lost.
    """

    def __init__(
        self,
        wall_ns: int,
        monotonic_ns: int,
        *,
        used_ns: int = 0,
        used_at_ns: int | None = None,
        is_synchronised: bool = True,
    ) -> None:
        """Start.

        Args:
            wall_ns: wall clock now.
            monotonic_ns: monotonic clock now.
            used_ns: newest instant the stream already speaks of, 0 for none.
            used_at_ns: the monotonic clock at that instant; None when the machine has been off
                since, and only the wall clock knows for how long.
            is_synchronised: something disciplines the wall clock: it is believed when the machine
                was off.
        """
        self._wall, self._monotonic = wall_ns, monotonic_ns
        was_off = used_at_ns is None
        self._used, self._used_at = used_ns, monotonic_ns if used_at_ns is None else used_at_ns
        self._offset = wall_ns - monotonic_ns  # of the wall clock that is believed
        self._doubted: tuple[int, int] | None = None  # another offset, and since when
        if used_ns and not (was_off and is_synchronised):
            self._offset = min(self._offset, self._used - self._used_at)
            self._believe(wall_ns - monotonic_ns)

    def advance(self, wall_ns: int, monotonic_ns: int) -> ClockStep | None:
        """Take new clock readings; the step, when the wall clock made one."""
        expected = self._wall + (monotonic_ns - self._monotonic)
        self._wall, self._monotonic = wall_ns, monotonic_ns
        self._believe(wall_ns - monotonic_ns)
        return ClockStep(expected, wall_ns) if abs(wall_ns - expected) > STEP_NS else None

    def _believe(self, offset: int) -> None:
        """Go by the wall clock, unless it is far ahead and has not stood there for long enough."""
        if self._monotonic + offset - self.now_ns > FAR_NS:
            if self._doubted is None or abs(offset - self._doubted[0]) > FAR_NS:
                self._doubted = offset, self._monotonic
            if self._monotonic - self._doubted[1] < SURE_NS:
                return
        self._offset, self._doubted = offset, None

    @property
    def is_unsure(self) -> bool:
        """True while the wall clock is far ahead and not yet believed: no tick may be taken."""
        return self._doubted is not None

    def use(self, tick_ns: int) -> None:
        """From here on time stays after this instant."""
        self._used, self._used_at = max(tick_ns, self.now_ns), self._monotonic

    @property
    def now_ns(self) -> int:
        """The instant to use."""
        since = self._monotonic - self._used_at
        return max(self._monotonic + self._offset, self._used + since - since // SLEW)

    def at_ns(self, monotonic_ns: int) -> int:
        """The instant of another reading of the monotonic clock."""
        return self.now_ns + (monotonic_ns - self._monotonic)
