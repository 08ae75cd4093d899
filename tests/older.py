"""Programs of earlier releases, out of this repository's own history."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.untar import untar

#: the last programs whose spools were of format 3, and 0.1.0 as it made the spool of format 4
FORMAT_3 = "e9a896468758a7ff2dbc0a04794d1ca96e0dbcb7"
FORMAT_4 = "9b2afc08113e0e6665d44ba51a541d46c59101a5"
ROOT = Path(__file__).resolve().parents[1]


def older_program(commit: str, folder: Path) -> Path:
    """The program as of a commit, in a new folder; the test is left out where history is not.

    Args:
        commit: its whole hash.
        folder: for the files of its rooms; made here.
    """
    rooms = ("stackproof.py", "edge", "evidence", "firmware_configs")
    done = subprocess.run(
        ["git", "-C", ROOT, "archive", commit, "--", *rooms], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no history here to take {commit[:8]} from: {done.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        untar(archive, folder)
    return folder
