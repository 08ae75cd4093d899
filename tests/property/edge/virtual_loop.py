"""An event loop whose time is a number: an hour passes as fast as its work is done.

Work for other threads is done at once on this one, and its result arrives after a delay the test
chooses. A test may end the whole process at any such call, before it or right after it.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, TypeVar

from evidence.frame import Clock as ClockState

T = TypeVar("T")


class KilledError(BaseException):
    """The process is gone; nothing of it may run any more."""


class _JumpingSelector(selectors.DefaultSelector):
    """Never sleeps: what would be waited for is added to the loop's time."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("the loop waits for something that can never come")
        self.loop.now_s += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """See the module.

    Attributes:
        now_s: its time.
        delay_s: called for each piece of work of another thread: seconds until its result.
        kill: called before and after each: True ends the process there.
    """

    def __init__(self) -> None:
        selector = _JumpingSelector()
        selector.loop = self
        self.now_s = 0.0
        self.delay_s: Callable[[], float] = lambda: 0.0
        self.kill: Callable[[], bool] = lambda: False
        self.is_dead = False
        self._free_at_s = 0.0
        super().__init__(selector)

    def time(self) -> float:
        return self.now_s

    def run_in_executor(  # type: ignore[override] # a future is all that callers use
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self.create_future()
        try:
            self._die()
            result = func(*args)
            self._die()
        except (Exception, KilledError) as error:  # noqa: BLE001 - the caller's, whatever it is
            future.set_exception(error)
            return future
        self._free_at_s = max(self._free_at_s, self.now_s) + self.delay_s()
        self.call_at(self._free_at_s, _resolve, future, result)
        return future

    def _die(self) -> None:
        if self.kill():
            self.is_dead = True
        if self.is_dead:
            raise KilledError

    def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """Run one coroutine to its end, then whatever it left behind."""
        asyncio.set_event_loop(self)
        try:
            return self.run_until_complete(work)
        finally:
            asyncio.set_event_loop(None)


def _resolve(future: asyncio.Future[T], result: T) -> None:
    if not future.done():
        future.set_result(result)


@dataclass
class VirtualClock:
    """The agent's clocks on a virtual loop."""

    loop: VirtualLoop
    start_ns: int
    offset_ns: int = 0

    def wall_ns(self) -> int:
        return self.start_ns + self.offset_ns + int(self.loop.now_s * 1e9)

    def monotonic_ns(self) -> int:
        return 10**12 + int(self.loop.now_s * 1e9)

    def state(self) -> ClockState:
        return ClockState("simulated", None, self.monotonic_ns(), bytes(16))
