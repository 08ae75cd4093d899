"""The one place of this room that reads the machine's clocks and sleeps.

The physics never sees a clock: it counts steps. Only the loop that serves a plant in real time
asks here, so a test hands it a clock that jumps.
"""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What serving a plant needs of time."""

    def now_ns(self) -> int:
        """UTC now, nanoseconds since 1970; read once, when a scenario starts."""

    def elapsed_s(self) -> float:
        """Seconds since some fixed moment; never jumps back, whatever happens to UTC."""

    async def sleep(self, seconds: float) -> None:
        """Let other tasks run for this long; zero or less still yields once."""


class SystemClock:
    """The machine's clocks."""

    def now_ns(self) -> int:
        """UTC now, nanoseconds since 1970."""
        return time.time_ns()  # noqa: TID251 - this is the room's clock file

    def elapsed_s(self) -> float:
        """The monotonic clock, seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """asyncio.sleep."""
        await asyncio.sleep(max(0.0, seconds))
