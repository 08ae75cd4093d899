"""Puts uPlot (MIT), the dashboard's one browser library, into the dashboard's static files.

    python build_hooks/uplot.py        idempotent; does nothing when the files are already there

No third-party code is committed: version and integrity hash stand in package.json and
package-lock.json, `npm ci --ignore-scripts` fetches and checks it in a temporary folder, and the
files land in cloud/dashboard/static/vendor (ignored by git, part of the wheel). hatchling calls
the same step when it builds a wheel (`[tool.hatch.build.hooks.custom]`).
"""

import hashlib
import importlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

try:  # hatchling is there when a wheel is built, and need not be when run by hand
    _interface = importlib.import_module("hatchling.builders.hooks.plugin.interface")
    BuildHookInterface: Any = _interface.BuildHookInterface
except ImportError:
    BuildHookInterface = object

ROOT = Path(__file__).resolve().parent.parent
VENDOR = Path("cloud/dashboard/static/vendor")
#: file in node_modules/uplot -> name in the vendor folder
FILES = {
    "dist/uPlot.iife.min.js": "uPlot.iife.min.js",
    "dist/uPlot.min.css": "uPlot.min.css",
    "LICENSE": "uPlot.LICENSE.txt",
}
STAMP = "lock.sha256"  # hash of the package-lock.json the folder was filled from
NPM_TIMEOUT_S = 120


class VendorError(Exception):
    """The browser library could not be put in place; the sentence says what to do."""


def fill_vendor(root: Path = ROOT) -> bool:
    """Fill the vendor folder from the lock file.

    Args:
        root: folder of package.json and package-lock.json.

    Returns:
        False when everything was already there, True when it was fetched.

    Raises:
        VendorError: npm is missing or failed.
    """
    lock_sha256 = hashlib.sha256((root / "package-lock.json").read_bytes()).hexdigest()
    vendor = root / VENDOR
    stamp = vendor / STAMP
    complete = all((vendor / name).is_file() for name in FILES.values())
    if complete and stamp.is_file() and stamp.read_text().strip() == lock_sha256:
        return False
    with tempfile.TemporaryDirectory(prefix="stackproof-npm-") as work:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(root / name, work)
        _npm_ci(Path(work))
        vendor.mkdir(parents=True, exist_ok=True)
        for source, name in FILES.items():
            shutil.copyfile(Path(work) / "node_modules/uplot" / source, vendor / name)
    stamp.write_text(lock_sha256 + "\n")  # last: a half-filled folder is filled again
    return True


def _npm_ci(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise VendorError(
            "npm not found: it is needed once, to fetch uPlot for the dashboard. "
            "Install it (Debian: apt-get install npm) and run this again"
        )
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=NPM_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as slow:
        raise VendorError(f"`npm ci` did not end within {NPM_TIMEOUT_S} s") from slow
    if done.returncode != 0:
        raise VendorError(f"`npm ci` failed with code {done.returncode}:\n{done.stderr.strip()}")


class UplotBuildHook(BuildHookInterface):  # type: ignore[misc] # its types are not at hand
    """hatchling's way in."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects files.

        Args:
            version: "standard" or "editable"; an editable install gets its files from `./run`.
            build_data: hatchling's; git-ignored files are named here as artifacts.
        """
        if version == "editable":
            return
        fill_vendor(Path(self.root))
        build_data["artifacts"].append(f"/{VENDOR}/*")


def main() -> int:
    """Fill the folder; say on stderr what happened."""
    try:
        fetched = fill_vendor()
    except VendorError as error:
        print(f"uplot: {error}", file=sys.stderr)  # noqa: T201 - a command's output
        return 1
    note = "fetched into" if fetched else "already in"
    print(f"uplot: {note} {VENDOR}", file=sys.stderr)  # noqa: T201 - a command's output
    return 0


if __name__ == "__main__":
    sys.exit(main())
