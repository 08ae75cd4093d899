"""Tables on disk: where they are, who can see them, and a disk that refuses."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evidence.errors import ScratchError
from evidence.findings import Verdict
from evidence.verifier.scratch import Scratch
from tests.attacks.by_bombs import log_of
from tests.unit.evidence import sealed_month as sm

ROOT = Path(__file__).resolve().parents[3]

FILLED = """
import os
from evidence.verifier.scratch import CACHE_KIB, Scratch

table = Scratch("CREATE TABLE a (number INTEGER PRIMARY KEY, data BLOB)")
for i in range(2 * CACHE_KIB):
    table.run("INSERT INTO a VALUES (?, ?)", (i, bytes(1000)))
for fd in os.listdir("/proc/self/fd"):
    try:
        name, status = os.readlink(f"/proc/self/fd/{fd}"), os.stat(f"/proc/self/fd/{fd}")
    except OSError:
        continue
    if name.startswith(os.environ["TMPDIR"]):
        print(oct(status.st_mode & 0o777), status.st_nlink, status.st_size > 2**20)
table.close()
"""

#: a file larger than this cannot be written, as on a full disk
FULL = """
import resource, sys
import stackproof
from evidence.verifier import scratch

scratch.CACHE_KIB = 256
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
sys.exit(stackproof.main(["verify", "--json", sys.argv[1]]))
"""


def run(program: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True,
        check=False, env={**os.environ, "TMPDIR": str(folder)},
    )  # fmt: skip


def test_rows_are_found_again() -> None:
    table = Scratch("CREATE TABLE a (number INTEGER PRIMARY KEY, data BLOB)")
    assert table.run("INSERT INTO a VALUES (?, ?)", (1, b"one")) == []
    assert table.run("SELECT data FROM a WHERE number = ?", (1,)) == [(b"one",)]
    assert table.run("SELECT data FROM a WHERE number = ?", (2,)) == []
    table.close()


def test_a_refusal_from_the_start_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.13 warns of a connection that nobody closed, whenever it collects it."""
    made = sqlite3.connect("", isolation_level=None)
    monkeypatch.setattr(sqlite3, "connect", lambda *_, **__: made)
    with pytest.raises(ScratchError):
        Scratch("CREATE TABLE a (number INTEGER)", "CREATE TABLE a (number INTEGER)")
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        made.execute("SELECT 1")


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for open files")
def test_the_file_is_private_and_has_no_name(tmp_path: Path) -> None:
    """So a process that is killed leaves nothing."""
    done = run(FILLED, folder=tmp_path)
    assert (done.stdout, done.stderr) == ("0o600 0 True\n", "")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_no_finding(tmp_path: Path) -> None:
    archive = tmp_path / "test-smelter-2026-06.tar"
    archive.write_bytes(log_of(30_000, lambda i: {"stream": "s", "seq": i})())
    done = run(FULL, str(archive), folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("stackproof verify: temporary files: ")
    assert "set TMPDIR to a folder" in done.stderr


def test_it_is_no_fault_of_the_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verifier makes findings of what is wrong with evidence: never of this."""
    real, calls, failing = Scratch.run, 0, -1

    def one(self: Scratch, sql: str, values: Sequence[Any] = ()) -> object:
        nonlocal calls
        calls += 1
        if calls == failing:
            raise ScratchError("database or disk is full")
        return real(self, sql, values)

    monkeypatch.setattr(Scratch, "run", one)
    assert sm.check(sm.honest()).verdict is Verdict.PASSED
    assert calls > 10
    for at in (*range(1, calls, 3), calls):
        calls, failing = 0, at
        with pytest.raises(ScratchError):
            sm.check(sm.honest())
