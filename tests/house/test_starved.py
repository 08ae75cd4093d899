"""Which tests of the agent are run again: those that failed on a machine that held them up."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CONFTEST = """
from tests.integration.edge import starved

def pytest_runtest_protocol(item, nextitem):
    starved.run(item, nextitem)
    return True
"""

#: each fails the first so many times, held up for so long; its folder is another each time
TESTS = """
import pytest
from tests.integration.edge import starved

CASES = {"in time": (0.0, 0), "failed": (0.0, 1), "hardly late": (0.09, 1), "late": (0.1, 1),
          "later": (5.0, 2), "hopeless": (5.0, 3), "late and right": (5.0, 0)}
folders = {case: [] for case in CASES}

@pytest.mark.parametrize("case", CASES)
def test_it(tmp_path, case):
    late_s, times = CASES[case]
    starved.waited_s = lambda: late_s
    assert tmp_path not in folders[case]
    folders[case].append(tmp_path)
    assert len(folders[case]) > times
"""


def test_a_failure_counts_when_there_were_cores(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", str(tmp_path)], cwd=tmp_path, capture_output=True,
        text=True, check=False, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    again = re.findall(r"again, since it got no core for (.*) s: .*\[(.*)\]", done.stdout)
    late, later, hopeless = ("0.1", "late"), ("5.0", "later"), ("5.0", "hopeless")
    assert again == [late, later, later, hopeless, hopeless], done.stdout
    failed = re.findall(r"^FAILED .*\[(.*)\]", done.stdout, re.MULTILINE)
    assert failed == ["failed", "hardly late", "hopeless"]
    assert "3 failed, 4 passed" in done.stdout
