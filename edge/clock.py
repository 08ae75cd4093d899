"""The one place of the agent that reads a clock. Everything else takes a `Clock`."""

import datetime as dt
import functools
import time
import uuid
from pathlib import Path
from typing import Protocol

from evidence.frame import Clock as ClockState
from evidence.kernel_clock import kernel_error_ms

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """Time as the agent sees it."""

    def wall_ns(self) -> int:
        """UTC nanoseconds since 1970."""

    def monotonic_ns(self) -> int:
        """Nanoseconds of a clock that never steps."""

    def state(self) -> ClockState:
        """What is known of the wall clock just now, for the frame."""


class SystemClock:
    """The machine's own clocks."""

    def wall_ns(self) -> int:
        """UTC nanoseconds since 1970."""
        return time.time_ns()  # noqa: TID251 - this is the one place

    def monotonic_ns(self) -> int:
        """Nanoseconds since some fixed moment."""
        return time.monotonic_ns()

    def state(self) -> ClockState:
        """Source "ntp" with the kernel's estimated error, or "free" with none.

        "ntp" is said of whatever disciplines the kernel's clock: Linux does not tell it from PTP.
        """
        error_ms = kernel_error_ms()
        source = "free" if error_ms is None else "ntp"
        return ClockState(source, error_ms, self.monotonic_ns(), boot_id())


@functools.cache
def boot_id() -> bytes:
    """16 bytes that are new at every boot; new at every start where the system has none."""
    try:
        return uuid.UUID(_BOOT_ID.read_text().strip()).bytes
    except (OSError, ValueError):
        return uuid.uuid4().bytes


def instant(at_ns: int) -> str:
    """An instant for people, UTC, to the second."""
    return f"{dt.datetime.fromtimestamp(at_ns // 1_000_000_000, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
