"""SQLite connections that a test run opens and never closes: the run fails and names each.

A plugin of pytest. From Python 3.13 on, a connection that is freed while open makes a
ResourceWarning in whatever test runs at that moment. This plugin sees it on every Python, and says
where the connection was opened. It does not watch processes that tests start.
"""

import gc
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest

ROOT = Path(__file__).resolve().parents[1]

#: calls that are named of those that led to the opening, nearest first
NAMED = 4


class Connection(sqlite3.Connection):
    """A connection that knows where it was opened."""

    left: ClassVar[list[str]] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._opened = _place()
        super().__init__(*args, **kwargs)

    def __del__(self) -> None:
        """Note a connection that is freed while it is still open."""
        try:
            _ = self.total_changes
        except sqlite3.ProgrammingError:  # closed, or never opened
            return
        self.left.append(self._opened)


def _place() -> str:
    test = os.environ.get("PYTEST_CURRENT_TEST", "outside of a test").partition(" ")[0]
    frame, calls = sys._getframe(2), list[str]()
    while frame is not None and len(calls) < NAMED:
        file = frame.f_code.co_filename
        if file != __file__ and "/site-packages/" not in file and "/lib/python" not in file:
            calls.append(f"{file.removeprefix(f'{ROOT}/')}:{frame.f_lineno}")
        frame = frame.f_back
    return f"opened in {' < '.join(calls)}, in {test}"


def pytest_configure() -> None:
    """Let every later `sqlite3.connect` of this process make a watched connection."""
    connect = sqlite3.connect

    def watched(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        kwargs.setdefault("factory", Connection)
        return connect(*args, **kwargs)

    sqlite3.connect = watched


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Free what only cycles hold; fail the run if a connection was left open."""
    gc.collect()
    if Connection.left:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the connections."""
    for place in sorted(Connection.left):
        terminalreporter.write_line(f"NEVER CLOSED: a SQLite connection {place}", red=True)
