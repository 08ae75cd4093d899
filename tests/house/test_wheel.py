"""The wheel holds every file of the five rooms, the one command and the browser library."""

import os
import subprocess
import sys
import zipfile
from email import message_from_string
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("evidence", "firmware_configs", "edge", "cloud", "simulators")
VENDOR = "cloud/dashboard/static/vendor"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Built with the locked hatchling, without an isolated environment, so without a network."""
    if not (ROOT / VENDOR).exists():
        pytest.skip("the browser library is not there; ./run test fetches it")
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    (path,) = folder.iterdir()
    return zipfile.ZipFile(path)


def source_files() -> set[str]:
    """Every file of the rooms that is not made by running or building them."""
    files = (path for room in ROOMS for path in (ROOT / room).rglob("*") if path.is_file())
    return {
        str(path.relative_to(ROOT))
        for path in files
        if "__pycache__" not in path.parts and "vendor" not in path.parts
    }


def test_every_source_and_data_file_is_in(wheel: zipfile.ZipFile) -> None:
    inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert source_files() - inside == set()
    assert "stackproof.py" in inside


def test_nothing_else_is_in(wheel: zipfile.ZipFile) -> None:
    inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    extra = inside - source_files() - {"stackproof.py"}
    assert all(name.startswith(f"{VENDOR}/") for name in extra), extra


def test_browser_library_comes_with_its_licence(wheel: zipfile.ZipFile) -> None:
    vendored = {Path(name).name for name in wheel.namelist() if name.startswith(f"{VENDOR}/")}
    assert {"uPlot.iife.min.js", "uPlot.min.css", "uPlot.LICENSE.txt"} <= vendored


#: loads pages of the wheel that is named, and all that they name, and what that imports
LOAD = r"""
import re, sys
import cloud
from tests.unit.cloud.app_examples import PLANT, make_client
assert cloud.__file__.startswith(sys.argv[1]), cloud.__file__
client, seen = make_client(), set()
of = [f"/plants/{PLANT}{page}" for page in ("", "/line", "/figures", "/meters", "/fleet")]
todo = [f"/en{page}" for page in ("/months", "/alarms", *of)]
while todo:
    url = todo.pop()
    if url in seen:
        continue
    seen.add(url)
    answer = client.get(url)
    assert answer.status_code == 200 and answer.content, url
    if "/vendor/" not in url:
        todo += re.findall(r'(?:href|src)="(/static/[^"]+)"', answer.text)
        todo += ["/static/js/" + name for name in re.findall(r'from "\./([^"]+)"', answer.text)]
print(*sorted(seen))
"""


def test_pages_load_with_all_their_files(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """From the wheel's own files; what they need else is that of these tests."""
    wheel.extractall(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(tmp_path)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    named = done.stdout.split()
    assert "/static/js/trend.js" in named
    assert "/static/vendor/uPlot.iife.min.js" in named


def test_base_install_is_the_auditors_and_rooms_are_extras(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = message_from_string(wheel.read(name).decode())
    required = [Requirement(text) for text in metadata.get_all("Requires-Dist") or []]
    base = {need.name for need in required if "extra" not in str(need.marker)}
    assert base == {"cryptography", "cbor2", "numpy", "backports-zstd", "tzdata"}
    assert set(metadata.get_all("Provides-Extra") or []) >= {"edge", "cloud", "simulators", "all"}
    assert metadata["License-Expression"] == "Apache-2.0"


def test_the_command_is_installed(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "stackproof = stackproof:main" in wheel.read(name).decode()
