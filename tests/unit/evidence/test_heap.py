"""A process that shares one heap has one, however many threads it starts: glibc's own count."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# four threads that hold memory at the same time; then malloc_info(3) writes one <heap> for each
_CHILD = """
import ctypes, sys, threading
{first}
together = threading.Barrier(4)
def work():
    held = bytearray(50_000)
    together.wait()
    del held
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.fclose.argtypes = [ctypes.c_void_p]
file = libc.fopen(sys.argv[1].encode(), b"w")
libc.malloc_info(0, file)
libc.fclose(file)
"""


def _heaps(first: str, file: Path) -> int:
    code = _CHILD.format(first=first)
    subprocess.run([sys.executable, "-c", code, str(file)], check=True)
    return file.read_text().count("<heap nr=")


@pytest.mark.skipif(
    "CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="malloc is not glibc's here"
)
def test_threads_get_heaps_of_their_own_unless_they_share_one(tmp_path: Path) -> None:
    ours = "from evidence.heap import share_one_heap; share_one_heap()"

    assert (_heaps("", tmp_path / "own") > 1, _heaps(ours, tmp_path / "one")) == (True, 1)
