"""A lock that one process has at a time: a file that says who."""

import fcntl
import os
from contextlib import ExitStack
from pathlib import Path

from cloud.errors import SliceLockedError
from evidence.owners import open_lock

#: of a lock's text: a process id
TEXT_BYTES_MAX = 64


def take_lock(path: Path, else_: str) -> int:
    """Take a lock for as long as the descriptor that comes back is open.

    Args:
        path: the lock's file.
        else_: what to say where another process holds it.

    Raises:
        SliceLockedError: another process holds it.
        OSError: the folder cannot be used.
    """
    lock = open_lock(path)
    with ExitStack() as stack:
        stack.callback(os.close, lock)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            text = os.read(lock, TEXT_BYTES_MAX).decode(errors="replace")
            holder = (text.split() or ["?"])[0]
            raise SliceLockedError(f"{path}: held by process {holder}; {else_}") from error
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        stack.pop_all()
    return lock
