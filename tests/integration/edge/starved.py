"""Tests in real time, on a machine that did not give them the cores they asked for.

An agent with ticks of 0.1 s that gets no core for as long leaves ticks out, and says so, which is
right; a test that counts them fails. Whether it was the agent that was late or the machine, the
kernel knows: it counts how long each thread that was ready to run stood in the queue. A test that
fails and was held up for a tick or more has said nothing, and is run again, which is told; one
that had its cores has failed.
"""

import contextlib
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol  # as pytest itself runs a test

TICK_S = 0.1
TRIES = 3

#: nanoseconds by thread: when the test began, and as seen last
_began: dict[str, int] = {}
_seen: dict[str, int] = {}


def look() -> None:
    """See how long each thread of this process was ready and got no core, while it still lives."""
    for file in Path("/proc/self/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):  # the thread has just ended
            _seen[file.parent.name] = int(file.read_text().split()[1])  # time on a run queue


def begin() -> None:
    """A test begins."""
    _seen.clear()
    look()
    _began.clear()
    _began.update(_seen)


def waited_s() -> float:
    """How long since then; 0 where the system does not tell."""
    look()
    return sum(waited_ns - _began.get(thread, 0) for thread, waited_ns in _seen.items()) / 1e9


def run(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Run a test, and again when it failed on a machine that held it up."""
    terminal = item.config.pluginmanager.get_plugin("terminalreporter")
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for left in reversed(range(TRIES)):
        begin()
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        late_s = waited_s()
        if not left or late_s < TICK_S or not any(report.failed for report in reports):
            break
        if terminal is not None:
            terminal.write_line(f"again, since it got no core for {late_s:.1f} s: {item.nodeid}")
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
