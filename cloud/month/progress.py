"""How far a long closing is: one thread tells, any may ask."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from cloud.errors import StoppedError

#: told (objects done, objects of all)
Tell = Callable[[int, int], None]


def to_nobody(_done: int, _total: int) -> None:
    """Nobody asks."""


class Progress:
    """The closing that runs now."""

    def __init__(self) -> None:
        self._of: tuple[str, str] | None = None
        self._at: tuple[str, int, int] = ("begin", 0, 0)
        self._is_stopped = False

    @contextlib.asynccontextmanager
    async def of(self, plant: str, month: str) -> AsyncIterator[None]:
        """A closing runs; one at a time."""
        self._at, self._of = ("begin", 0, 0), (plant, month)
        try:
            yield
        finally:
            self._of = None

    def stop(self) -> None:
        """The collector ends: what runs in a thread gives up at its next object."""
        self._is_stopped = True

    def fold(self, done: int, total: int) -> None:
        """Its objects are calculated with."""
        self._note("fold", done, total)

    def pack(self, done: int, total: int) -> None:
        """Its objects are put into the archive."""
        self._note("pack", done, total)

    def _note(self, phase: str, done: int, total: int) -> None:
        if self._is_stopped:
            raise StoppedError("the collector is stopping; the next start goes on")
        self._at = phase, done, total

    def row(self, plant: str, month: str) -> Mapping[str, Any] | None:
        """JSON-ready: phase, objects done and of all, whole percent; None when it does not run."""
        if self._of != (plant, month):
            return None
        phase, done, total = self._at
        percent = 100 * done // total if total else 0
        return {"phase": phase, "done": done, "total": total, "percent": percent}
