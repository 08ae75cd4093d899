"""Threads that hold memory at the same time take it from one heap, as the C library counts them."""

import subprocess
import sys

import pytest

HOLD = """
import ctypes, sys, threading
from cloud.heap import share_heap
if sys.argv[1] == "shared":
    assert share_heap()
held, all_hold = [], threading.Barrier(5)
def hold():
    held.append(bytearray(50_000))
    all_hold.wait(10)
for _ in range(4):
    threading.Thread(target=hold, daemon=True).start()
all_hold.wait(10)
ctypes.CDLL(None).malloc_stats()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's choice")
@pytest.mark.parametrize(("how", "is_one"), [("shared", True), ("own", False)])
def test_threads_share_one_heap(how: str, *, is_one: bool) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HOLD, how], capture_output=True, text=True, check=True, timeout=30
    )
    assert (ended.stderr.count("Arena ") == 1) is is_one
