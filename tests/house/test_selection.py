"""tests/conftest.py: long tests wait to be asked for, missing programs skip, the tally is right."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"

CASES = """
import pytest

def test_plain():
    pass

@pytest.mark.long
def test_long():
    pass

@pytest.mark.needs("sh")
def test_program_there():
    pass

@pytest.mark.needs("no-such-program")
def test_program_missing():
    pass

def test_wrong():
    assert False

@pytest.fixture
def broken():
    raise RuntimeError

def test_error(broken):
    pass
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "test_cases.py").write_text(CASES)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nmarkers =\n    long\n    needs(program)\n    browser\n"
    )
    return tmp_path


def tally(project: Path, *arguments: str) -> str:
    file = project / "tally"
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *arguments],
        cwd=project,
        env={**os.environ, "STACKPROOF_TALLY": str(file), "PYTHONPATH": str(CONFTEST.parents[1])},
        capture_output=True,
        check=False,
        timeout=60,
    )
    return file.read_text()


def test_long_tests_wait_and_missing_programs_skip(project: Path) -> None:
    assert tally(project) == "2 2 1\n"  # plain, sh | wrong, error | missing program


def test_long_tests_run_when_asked_for(project: Path) -> None:
    assert tally(project, "--long") == "3 2 1\n"


def test_selection_is_pytests(project: Path) -> None:
    assert tally(project, "-k", "plain") == "1 0 0\n"
