"""Waiting for what tells nobody when it is there: another process, a thread, a disk."""

import asyncio
import time
from collections.abc import Callable

ENOUGH_S = 60.0
"""What a loaded machine may need; a test that passes has waited for none of it."""
_PAUSE_S = 0.02


async def until(
    condition: Callable[[], object], timeout_s: float = ENOUGH_S, what: Callable[[], str] = str
) -> None:
    """Go on as soon as the condition holds; what there is instead is said when it never does."""
    ends_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < ends_s, f"not within {timeout_s:g} s. {what()}"
        await asyncio.sleep(_PAUSE_S)


def until_now(
    condition: Callable[[], object], timeout_s: float = ENOUGH_S, what: Callable[[], str] = str
) -> None:
    """The same where no event loop runs."""
    ends_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < ends_s, f"not within {timeout_s:g} s. {what()}"
        time.sleep(_PAUSE_S)
