"""How the demo knows what its collector does: its ready file and its HTTP interface."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from simulators.children import POLL_S, Child, DemoError
from simulators.clock import SystemClock

ANSWER_S = 5.0

T = TypeVar("T")


class CollectorWatch:
    """Watches one running collector."""

    def __init__(self, state: Path, child: Child, clock: SystemClock, timeout_s: float) -> None:
        """Wait until it is ready.

        Args:
            state: its state folder.
            child: its process.
            clock: for time limits.
            timeout_s: how long to wait.
        """
        self._clock = clock
        ready = _wait_for(lambda: _read(state / "ready.json"), [child], clock, timeout_s)
        self.http: str = ready["http"]
        self.broker: str = ready["broker"]

    def wait_for_receipts(
        self, children: Iterable[Child], timeout_s: float, *, after: Mapping[str, int]
    ) -> None:
        """Wait until an object later than `after` is under receipt of each of these plants."""
        _wait_for(lambda: self._all_after(after), list(children), self._clock, timeout_s)

    def stay(self, children: Iterable[Child], seconds: float | None) -> None:
        """Let things run for a while (None: until interrupted); DemoError when a part ends."""
        until_s = None if seconds is None else self._clock.elapsed_s() + seconds
        while until_s is None or self._clock.elapsed_s() < until_s:
            for child in children:
                child.check()
            time.sleep(POLL_S)

    def receipted(self) -> dict[str, int]:
        """Plant -> newest seq under receipt, -1 before the first; no plant before any."""
        rows = _get(f"{self.http}/api/v1/streams") or ()
        return {str(row["plant"]): int(row["receipted_seq"]) for row in rows}

    def _all_after(self, after: Mapping[str, int]) -> bool | None:
        newest = self.receipted()
        return all(newest.get(plant, -1) > seq for plant, seq in after.items()) or None


def _wait_for(
    ask: Callable[[], T | None], children: list[Child], clock: SystemClock, timeout_s: float
) -> T:
    deadline_s = clock.elapsed_s() + timeout_s
    while clock.elapsed_s() < deadline_s:
        for child in children:
            child.check()
        if (answer := ask()) is not None:
            return answer
        time.sleep(POLL_S)
    raise DemoError(f"nothing came within {timeout_s:g} s; the logs in the work folder say why")


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads(path.read_text()))
    except (FileNotFoundError, ValueError):
        return None  # not written yet


def _get(url: str) -> list[dict[str, Any]] | None:
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_S) as answer:  # noqa: S310 - our own http
            return list(json.load(answer))
    except urllib.error.URLError:
        return None  # not listening yet
