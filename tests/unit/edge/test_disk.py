"""The agent's one disk thread."""

import asyncio
import threading
import time

import pytest

from edge.disk import Disk
from tests.waiting import ENOUGH_S


async def test_calls_run_one_after_another_on_one_thread_off_the_loop() -> None:
    disk, order, threads, loop_goes_on = Disk(), [], set(), threading.Event()

    def work(number: int, *, wait_s: float) -> int:
        assert loop_goes_on.wait(ENOUGH_S), "the loop waited for the disk"
        time.sleep(wait_s)
        order.append(number)
        threads.add(threading.current_thread().name)
        return number * 2

    tasks = [asyncio.create_task(disk.run(work, n, wait_s=0.05 / (n + 1))) for n in range(3)]
    await asyncio.sleep(0)
    loop_goes_on.set()
    assert await asyncio.gather(*tasks) == [0, 2, 4]
    assert order == [0, 1, 2]
    assert len(threads) == 1
    disk.close()


async def test_errors_reach_the_caller_and_the_thread_goes_on() -> None:
    disk = Disk()
    with pytest.raises(ZeroDivisionError):
        await disk.run(lambda: 1 // 0)
    assert await disk.run(lambda: 1) == 1
    disk.close()


async def test_close_finishes_what_was_asked_for() -> None:
    disk, done = Disk(), []

    def work() -> None:
        time.sleep(0.05)
        done.append(True)

    task = asyncio.create_task(disk.run(work))
    await asyncio.sleep(0)
    disk.close()
    assert done == [True]
    await task
