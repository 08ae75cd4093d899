"""How far long closings are: the thread of each tells, any may ask."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cloud.errors import StoppedError

#: told (objects done, objects of all)
Tell = Callable[[int, int], None]


def to_nobody(_done: int, _total: int) -> None:
    """Nobody asks."""


class Progress:
    """The closings that run or wait now, one of a plant."""

    def __init__(self) -> None:
        self._of = dict[tuple[str, str], Told]()
        self.is_stopped = False

    @contextlib.contextmanager
    def of(self, plant: str, month: str) -> Iterator["Told"]:
        """A closing waits for its turn, and runs."""
        told = self._of[plant, month] = Told(self)
        try:
            yield told
        finally:
            del self._of[plant, month]

    def stop(self) -> None:
        """The collector ends: what runs in a thread gives up at its next object."""
        self.is_stopped = True

    def row(self, plant: str, month: str) -> Mapping[str, Any] | None:
        """JSON-ready: phase, objects done and of all, whole percent; None when it does not run.

        Of one that waits, `total` is how many closings are before it.
        """
        now = self._of.copy()  # another thread's may end meanwhile
        told = now.get((plant, month))
        if told is None:
            return None
        phase, done, total = told.at
        if phase == "wait":
            total = [*now.values()].index(told)
        percent = 100 * done // total if total else 0
        return {"phase": phase, "done": done, "total": total, "percent": percent}


class Told:
    """What one closing tells.

    Attributes:
        at: phase, objects done and of all.
    """

    def __init__(self, all_of_them: Progress) -> None:
        self._all = all_of_them
        self.at: tuple[str, int, int] = ("wait", 0, 0)

    def begin(self) -> None:
        """Its turn has come."""
        self._note("begin", 0, 0)

    def fold(self, done: int, total: int) -> None:
        """Its objects are calculated with."""
        self._note("fold", done, total)

    def pack(self, done: int, total: int) -> None:
        """Its objects are put into the archive."""
        self._note("pack", done, total)

    def _note(self, phase: str, done: int, total: int) -> None:
        if self._all.is_stopped:
            raise StoppedError("the collector is stopping; the next start goes on")
        self.at = phase, done, total
