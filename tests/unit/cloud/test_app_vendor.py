"""The browser library: locked by hash, fetched by the build hook, never committed."""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from build_hooks import uplot

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with our package files and an npm that makes the files it is asked for."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def fake_npm(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    programs = folder / "bin"
    programs.mkdir()
    npm = programs / "npm"
    npm.write_text(f"#!/bin/sh\n{script}\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")


MAKES_FILES = (
    'echo "$@" > "$LOG"; mkdir -p node_modules/uplot/dist; cd node_modules/uplot; '
    "echo js > dist/uPlot.iife.min.js; echo css > dist/uPlot.min.css; echo MIT > LICENSE"
)


def test_the_lock_pins_uplot_by_hash_and_names_no_registry() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    packages = lock["packages"]
    assert packages["node_modules/uplot"]["version"] == "1.6.32"
    assert packages["node_modules/uplot"]["integrity"].startswith("sha512-")
    assert set(packages) == {"", "node_modules/uplot"}
    assert not re.search(r"resolved|https?://", json.dumps(lock))


def test_nothing_of_the_library_is_in_the_repository() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "cloud/dashboard/static/vendor", "node_modules"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert listed.stdout == ""


def test_files_are_fetched_once_without_scripts_and_then_left_alone(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    monkeypatch.setenv("LOG", str(log))
    fake_npm(tmp_path, monkeypatch, MAKES_FILES)
    assert uplot.fill_vendor(project) is True
    assert log.read_text().split()[:2] == ["ci", "--ignore-scripts"]
    vendor = project / "cloud/dashboard/static/vendor"
    assert (vendor / "uPlot.iife.min.js").read_text() == "js\n"
    assert (vendor / "uPlot.min.css").read_text() == "css\n"
    assert (vendor / "uPlot.LICENSE.txt").read_text() == "MIT\n"
    lock = hashlib.sha256((project / "package-lock.json").read_bytes()).hexdigest()
    assert (vendor / "lock.sha256").read_text() == f"{lock}\n"
    assert not (project / "node_modules").exists()
    log.unlink()
    assert uplot.fill_vendor(project) is False
    assert not log.exists()


def test_a_changed_lock_or_a_missing_file_fetches_again(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    fake_npm(tmp_path, monkeypatch, MAKES_FILES)
    uplot.fill_vendor(project)
    (project / "cloud/dashboard/static/vendor/uPlot.min.css").unlink()
    assert uplot.fill_vendor(project) is True
    (project / "package-lock.json").write_text("{}")
    assert uplot.fill_vendor(project) is True


def test_a_failing_npm_says_so_and_leaves_no_stamp(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_npm(tmp_path, monkeypatch, "echo 'sha512 does not fit' >&2; exit 7")
    with pytest.raises(uplot.VendorError, match=r"code 7:\nsha512 does not fit"):
        uplot.fill_vendor(project)
    assert not (project / "cloud/dashboard/static/vendor/lock.sha256").exists()


def test_without_npm_the_error_says_what_to_install(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(uplot.VendorError, match="apt-get install npm"):
        uplot.fill_vendor(project)
    monkeypatch.setattr(uplot, "ROOT", project)
    monkeypatch.setattr(uplot.fill_vendor, "__defaults__", (project,))
    assert uplot.main() == 1
