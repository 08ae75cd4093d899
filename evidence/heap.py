"""How a program that runs for long holds its memory. One form for edge and cloud.

glibc gives each thread a heap of its own, and a heap keeps what its thread once needed. What one
thread takes in and another gives back leaves holes that only the first can fill. Measured: edge,
what encoding a configuration took at the start; cloud, ADR 0059.
"""

import contextlib
import ctypes

_M_ARENA_MAX = -8  # malloc.h


def share_one_heap() -> None:
    """One heap for all threads that are started from now on, where malloc is glibc's."""
    with contextlib.suppress(OSError, AttributeError):  # another C library has no such bound
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
