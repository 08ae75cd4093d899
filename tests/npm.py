"""npm packages that tests run beside Python, as a lock file names them."""

import shutil
import subprocess
from pathlib import Path

import pytest

TIMEOUT_S = 300


def install_locked(folder: Path, *options: str) -> None:
    """Fetch what the folder's lock file names, once; skips where npm or node are not there.

    Args:
        folder: holds package.json and package-lock.json, and gets node_modules.
        options: more of `npm ci`.
    """
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm or node is not installed")
    stamp, lock = folder / "node_modules" / ".package-lock.json", folder / "package-lock.json"
    if stamp.exists() and stamp.stat().st_mtime >= lock.stat().st_mtime:
        return
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    subprocess.run(
        [*command, *options], cwd=folder, check=True, capture_output=True, timeout=TIMEOUT_S
    )
