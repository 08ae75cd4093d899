"""A thread whose work never ends is left to itself, and of those one device has few."""

import threading
from collections.abc import Iterator
from itertools import count

import pytest

from edge.drivers.own_thread import STUCK_MAX, OwnThread, StuckError
from tests.waiting import until

_NUMBERS = count()


@pytest.fixture
def freed() -> Iterator[threading.Event]:
    """What hanging work waits for."""
    made = threading.Event()
    yield made
    made.set()


async def test_threads_that_hang_are_few_and_end_the_wait_when_they_end(
    freed: threading.Event,
) -> None:
    name = f"own-thread-{next(_NUMBERS)}"
    for _ in range(STUCK_MAX):
        thread = OwnThread(name)
        with pytest.raises(TimeoutError):
            await thread.run(freed.wait, 0.01)
        assert thread.is_busy
        thread.end(lambda: None)
    with pytest.raises(StuckError, match="3 earlier questions have not ended"):
        OwnThread(name)
    OwnThread(f"{name}-other").end(lambda: None)
    freed.set()
    await until(lambda: name not in {t.name.rpartition("_")[0] for t in threading.enumerate()})
    again = OwnThread(name)
    assert await again.run(lambda: 7, 60.0) == 7
    again.end(lambda: None)


async def test_one_that_is_idle_when_it_ends_is_not_waited_for() -> None:
    name = f"own-thread-{next(_NUMBERS)}"
    for _ in range(3 * STUCK_MAX):
        thread = OwnThread(name)
        await thread.run(lambda: None, 60.0)
        thread.end(lambda: None)


async def test_a_look_ends_the_wait_while_work_goes_on(freed: threading.Event) -> None:
    looks = count()

    def look() -> None:
        if next(looks) == 2:
            raise ValueError("too much")

    thread = OwnThread(f"own-thread-{next(_NUMBERS)}")
    with pytest.raises(ValueError, match="too much"):
        await thread.run(freed.wait, 60.0, look)
    assert thread.is_busy
    freed.set()
    thread.end(lambda: None)
