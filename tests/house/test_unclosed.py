"""A SQLite connection that nobody closes fails the run on every Python; see `tests/unclosed.py`."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

LEFT = """
import sqlite3

kept = sqlite3.connect(":memory:")  # stays to the end: its process frees it

def test_closed():
    sqlite3.connect(":memory:").close()

def test_freed():
    sqlite3.connect(":memory:")

def test_in_a_cycle():
    held = []
    held.append((held, sqlite3.connect(":memory:")))
"""


def test_each_connection_that_is_left_open_is_named(tmp_path: Path) -> None:
    file = tmp_path / "test_left.py"
    plugins = ("-p", "tests.unclosed", "-p", "no:cacheprovider", "-W", "ignore::ResourceWarning")
    file.write_text(LEFT)

    def run(*more: str) -> tuple[int, list[str]]:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *plugins, *more], cwd=tmp_path, check=False,
            capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        return done.returncode, re.findall(r"^NEVER CLOSED: .*$", done.stdout, re.MULTILINE)

    status, told = run()
    assert status == 1
    assert [line.partition(", in ")[2] for line in told] == [
        "test_left.py::test_freed",
        "test_left.py::test_in_a_cycle",
    ]
    assert [re.findall(r"test_left\.py:\d+", line) for line in told] == [
        ["test_left.py:10"],
        ["test_left.py:14"],
    ]
    assert run("-k", "closed") == (0, [])
