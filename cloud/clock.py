"""The cloud's clock: the one file of this room that reads the wall clock.

Everything else takes a `Clock`, so that a test or `--clock sim` decides what time it is.
"""

import datetime as dt
import threading
import time
from collections.abc import Callable
from typing import Protocol

from evidence.kernel_clock import kernel_error_ms

#: what a clock that is kept in time may step ahead at once
JUMP_NS = 60_000_000_000
#: for how long a clock that jumped ahead must stand before it is believed
STAND_NS = 600_000_000_000
#: how long after the log's newest entry a start believes a clock that nothing keeps in time: less
#: than the hours by which a clock is wrong that was set to local time
AWAY_NS = 3_600_000_000_000


class Clock(Protocol):
    """Wall time for stamps and ages; never for measuring how long something took."""

    def wall_ns(self) -> int:
        """UTC nanoseconds since 1970-01-01."""


class SystemClock:
    """The machine's wall clock."""

    def wall_ns(self) -> int:
        """UTC nanoseconds since 1970-01-01."""
        return time.time_ns()  # noqa: TID251 - this file is where the wall clock is read


class SteadyClock:
    """A wall clock that is not believed when it jumps ahead: a log's time never goes back.

    While it is in doubt `wall_ns` goes on from what was believed before, by monotonic time. The
    doubt ends when the clock is back, or has stood for `STAND_NS`. A new process believes the
    clock it finds, unless `start_after` says otherwise: nobody looks on when a machine boots. Any
    thread.

    Args:
        clock: the wall clock.
        monotonic_ns: what it is held against.
        is_kept: something (NTP) keeps the clock in time; asked at the start only.
    """

    def __init__(
        self,
        clock: Clock,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        is_kept: Callable[[], bool] = lambda: kernel_error_ms() is not None,
    ) -> None:
        self._clock, self._monotonic_ns, self._lock = clock, monotonic_ns, threading.Lock()
        self._is_kept, self._is_starting = is_kept, False
        self._believed = clock.wall_ns(), monotonic_ns()
        self._furthest = self._believed
        self._jumped: tuple[int, int] | None = None

    def start_after(self, newest_ns: int) -> None:
        """Hold the clock against the log, before anything is stamped.

        One that lies `AWAY_NS` after it counts as having jumped, until something keeps it in time,
        it is near, or has stood.

        Args:
            newest_ns: of the newest entry; 0 for none.
        """
        with self._lock:
            wall_ns, mono_ns = self._clock.wall_ns(), self._monotonic_ns()
            if newest_ns and wall_ns > newest_ns + AWAY_NS and not self._is_kept():
                self._believed = self._furthest = newest_ns, mono_ns
                self._is_starting = True

    def wall_ns(self) -> int:
        """UTC nanoseconds since 1970-01-01, as far as the clock is believed."""
        return self._look()[0]

    def doubt(self) -> str:
        """Why the clock is not believed just then, for people; "" when it is."""
        steady_ns, wall_ns = self._look()
        if steady_ns == wall_ns:
            return ""
        stood = f"has stood for {STAND_NS // 60_000_000_000} minutes"
        nothing, after = "Nothing is logged and no receipt given until", "If it is wrong, set it"
        if self._is_starting:
            return (
                f"at the start the collector's clock says {instant(wall_ns)}, the log's newest "
                f"entry is of {instant(self._furthest[0])}, and nothing keeps the clock in time: "
                f"it may be wrong. {nothing} NTP keeps it, or it {stood}. {after}"
            )
        return (
            f"the collector's clock jumped ahead: it says {instant(wall_ns)}, and "
            f"{instant(steady_ns)} was due. {nothing} it {stood}. {after}; if it is right, wait, "
            "or, where NTP keeps it, start the collector again"
        )

    def _look(self) -> tuple[int, int]:
        """(what is believed, what the clock says); the same while there is no doubt."""
        with self._lock:
            wall_ns, mono_ns = self._clock.wall_ns(), self._monotonic_ns()
            furthest_ns = self._furthest[0] + mono_ns - self._furthest[1]
            is_far = wall_ns > furthest_ns + JUMP_NS and not self._has_stood(wall_ns, mono_ns)
            if is_far and not (self._is_starting and self._is_kept()):
                return self._believed[0] + mono_ns - self._believed[1], wall_ns
            self._believed, self._jumped = (wall_ns, mono_ns), None
            self._is_starting = False
            if wall_ns >= furthest_ns:  # one that was set back may come forward again
                self._furthest = self._believed
            return wall_ns, wall_ns

    def _has_stood(self, wall_ns: int, mono_ns: int) -> bool:
        if self._jumped is not None:
            stood_ns = mono_ns - self._jumped[1]
            if abs(wall_ns - self._jumped[0] - stood_ns) <= JUMP_NS:
                return stood_ns >= STAND_NS
        self._jumped = wall_ns, mono_ns  # it jumps for the first time, or again
        return False


class SimulatedClock:
    """A clock that goes faster than time, from an instant somebody chose: to try deadlines with.

    Nothing it stamps is evidence of when something happened, so whoever uses it takes readings of
    simulated plants only (`EvidenceStore.check_clock`, `cloud.collector.intake`). Any thread.

    Args:
        from_ns: UTC nanoseconds it shows when it is made.
        speed: its seconds a second, 1 or more.
        monotonic_ns: what drives it.
    """

    def __init__(
        self, from_ns: int, speed: int, monotonic_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._from_ns, self._speed = from_ns, speed
        self._monotonic_ns, self._began_ns = monotonic_ns, monotonic_ns()

    def wall_ns(self) -> int:
        """UTC nanoseconds since 1970-01-01, as simulated."""
        return self._from_ns + (self._monotonic_ns() - self._began_ns) * self._speed

    def start_after(self, _: int) -> None:
        """Nobody doubts it: it is not asked what time it is."""

    def doubt(self) -> str:
        """Likewise: ""."""
        return ""


def instant(ns: int) -> str:
    """An instant for people, UTC, to the second."""
    return dt.datetime.fromtimestamp(ns // 1_000_000_000, dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
