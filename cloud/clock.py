"""The cloud's clock: the one file of this room that reads the wall clock.

Everything else takes a `Clock`, so that a test (or `--clock sim`) decides what time it is.
"""

import time
from typing import Protocol


class Clock(Protocol):
    """Wall time for stamps and ages; never for measuring how long something took."""

    def wall_ns(self) -> int:
        """UTC nanoseconds since 1970-01-01."""


class SystemClock:
    """The machine's wall clock."""

    def wall_ns(self) -> int:
        """UTC nanoseconds since 1970-01-01."""
        return time.time_ns()  # noqa: TID251 - this file is where the wall clock is read
