"""Whether a program goes on, and whether its work gets done: what /livez and /readyz answer. Pure.

Alive is what the manager of services hears too: the loop whose progress is the work has come round.
A thread of its own answers here, and it goes on when the loop hangs: so it only compares times.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

#: as WatchdogSec of the units
PATIENCE_S = 180.0
TURNS = 3  # a loop may stay away for so many of its turns


class Said(NamedTuple):
    """An answer: is it so, and a word or two for people."""

    is_so: bool
    text: str


#: why the work does not get done, "" while it does; and what else there is to say
Work: TypeAlias = Callable[[], tuple[str, str]]


class Life:
    """Of one program. Told by its loop, asked by any thread."""

    def __init__(self, now_ns: Callable[[], int], work: Work) -> None:
        """It starts, and has `PATIENCE_S` until the first turn.

        Args:
            now_ns: the monotonic clock.
            work: asked once it has begun.
        """
        self._now_ns, self._work = now_ns, work
        self._newest_ns, self._turn_s, self._has_begun = now_ns(), 0.0, False

    def begin(self, turn_s: float) -> None:
        """The work begins; the loop tells that it goes on each `turn_s`, or more often."""
        self._turn_s, self._has_begun = turn_s, True
        self.go_on()

    def go_on(self) -> None:
        """The loop has come round."""
        self._newest_ns = self._now_ns()

    def live(self) -> Said:
        """Does it go on? If not, it is to be started again."""
        silent_s = (self._now_ns() - self._newest_ns) / 1e9
        if silent_s > max(PATIENCE_S, TURNS * self._turn_s):
            return Said(False, f"hangs for {silent_s:.0f} s")
        return Said(True, "alive")

    def ready(self) -> Said:
        """Does its work get done? If not, to start it again may not help."""
        live = self.live()
        if not live.is_so:
            return live
        if not self._has_begun:
            return Said(False, "starting")
        amiss, beside = self._work()
        lines = [amiss or "ready", *([beside] if beside else [])]
        return Said(not amiss, "\n".join(lines))
