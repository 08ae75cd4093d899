"""Has a PDF, JPEG or PNG read by a process of its own, believing no more than it must. I/O here."""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

from cloud.spared import killed_first
from evidence.documents.observed.paper import PAPER_BYTES_MAX, Paper, parse_paper, unread
from evidence.errors import MalformedError

#: of the reading process, when the memory it may have did not do
EXIT_MEMORY = 3
CHILD = "cloud.records.pdf.child"
#: what a Python of this environment needs to find its libraries; nothing else is handed on
_HANDED_ON = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_LIBRARIES = ("numpy", "pypdfium2", "zxingcpp")


@dataclass(frozen=True)
class Limits:
    """What a file may take.

    Attributes:
        pages: read of it, from the first.
        seconds: of processor time, and after which the process is killed.
    """

    pages: int
    seconds: int


#: of a laboratory's report
REPORT = Limits(pages=20, seconds=30)


def read_apart(data: bytes, limits: Limits = REPORT) -> Paper:
    """What a file says. Whatever it does to its reader, this answers soon after its seconds."""
    if any(find_spec(name) is None for name in _LIBRARIES):
        return unread("missing")
    process = subprocess.Popen(  # noqa: S603 - our own module in this interpreter, no shell
        [sys.executable, "-P", "-s", "-B", "-m", CHILD, str(limits.pages), str(limits.seconds)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in _HANDED_ON if name in os.environ},
    )  # fmt: skip
    killed_first(process.pid)
    with process, _killed_after(process, limits.seconds) as late:
        printed = _printed(process, data)
    if late.is_set():
        return unread("time")
    if process.returncode != 0:
        return unread("memory" if process.returncode == EXIT_MEMORY else "died")
    try:
        return parse_paper(printed)
    except MalformedError:
        return unread("answer")


@contextlib.contextmanager
def _killed_after(process: subprocess.Popen[bytes], seconds: int) -> Iterator[threading.Event]:
    """A process that does not outlive this; the event tells that it was late."""
    late = threading.Event()

    def kill() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(seconds, kill)
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
        timer.join()
        process.kill()


def _printed(process: subprocess.Popen[bytes], data: bytes) -> bytes:
    """What the process printed for a file; of more than a paper may have, the beginning."""
    if process.stdin is None or process.stdout is None:
        raise AssertionError("both are pipes")
    with contextlib.suppress(BrokenPipeError):  # it ended early: its exit status says so
        process.stdin.write(data)
        process.stdin.close()
    printed = process.stdout.read(PAPER_BYTES_MAX + 1)
    if len(printed) <= PAPER_BYTES_MAX:
        process.wait()  # it has closed its output, and may be about to end
    return printed
