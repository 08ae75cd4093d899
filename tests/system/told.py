"""`stackproof`, for a test that would wait: two things come when it says so, not when they are due.

A meter is asked for its next setting after 0.2 s, not after 5; the simulator's `--change` happens
at SIGUSR1, whatever its second.
"""

import asyncio
import signal
import sys
from collections.abc import Callable
from typing import Any

import edge.settings
import simulators.stage
import stackproof
from simulators.play import changes_of


def _changes_of(*arguments: Any) -> list[tuple[int, Callable[[], None]]]:
    happened: list[tuple[int, Callable[[], None]]] = []
    asked = changes_of(*arguments)

    def happen() -> None:
        happened.extend((0, change) for _, change in asked)

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, happen)
    return happened


if __name__ == "__main__":
    edge.settings.ASK_NS = 200_000_000
    simulators.stage.changes_of = _changes_of  # type: ignore[attr-defined, assignment] # a name it imports
    sys.exit(stackproof.main())
